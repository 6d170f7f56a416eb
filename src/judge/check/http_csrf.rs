//! Another site's page cannot change a setting.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::Observation;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "http-csrf",
    title: "State-changing requests need more than a session that the browser shows",
    page: include_str!("http_csrf.md"),
    expected: "no request as another site's page would make it changes a setting",
    remedy: "tie a token to each session and form, and set SameSite on session cookies",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &["http-forgery"],
    bind: bind::<HttpCsrf>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpCsrf {}

impl Judge for HttpCsrf {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("http-forgery", |r| match &r.observation {
            Observation::Forgery { forgery } => Some(forgery),
            _ => None,
        });
        every(&all, "no log-in by form", |seen| {
            let (f, what) = (seen.what, format!("{} {} `{}`", seen.subject(), seen.what.path, seen.what.field));
            let left = if f.restored { "" } else { "; the value from before was NOT proved to be back" };
            let how = match (f.without_token, f.others_token) {
                (true, _) => "without its token and as from another site",
                (false, Some(true)) => "with the token of another session and as from another site",
                (false, Some(false) | None) if f.restored => {
                    return Point::Good(format!("{what}: forged requests had no effect"));
                }
                (false, Some(false) | None) => {
                    return Point::Unclear(format!("{what}: forged requests had no effect{left}"));
                }
            };
            match (f.same_site, f.restored) {
                (false, _) => Point::Bad(format!("{what}: it changes {how}{left}")),
                (true, true) => {
                    Point::Good(format!("{what}: it changes {how}, but browsers keep the session at home (SameSite)"))
                }
                (true, false) => Point::Unclear(format!("{what}: it changes {how} within its own site{left}")),
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried("http-forgery")
    }
}
