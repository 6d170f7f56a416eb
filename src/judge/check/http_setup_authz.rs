//! Set-up is over once it is done.
use super::common::page;
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence, Judgement,
    judgement::{Point, every},
};
use crate::model::{Gap, Record, Subject, Why, observation::HttpPage};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    id: "http-setup-authz",
    title: "Set-up pages are closed after set-up",
    page: include_str!("http_setup_authz.md"),
    expected: "what sets the device up without a log-in as it came is closed afterwards",
    remedy: "lock the set-up pages and their requests once set-up is done",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["http-surface"],
    bind: bind::<HttpSetupAuthz>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpSetupAuthz {}

impl Judge for HttpSetupAuthz {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let Some(before) = evidence.in_factory_state("http-surface", set_up) else {
            let gap = Gap { wanted: "factory state".to_owned(), subject: None, why: Why::NotSupplied };
            let observed =
                "one state was recorded; judge it with `--factory` and the same device as it came".to_owned();
            return Decision::Judged(Judgement::missing(gap, observed));
        };
        let now = evidence.known("http-surface", page);
        let answers: BTreeMap<(&Subject, &str), &HttpPage> =
            now.items().iter().map(|s| ((s.subject(), s.what.path.as_str()), s.what)).collect();
        let all = before.and(evidence.looked("http-surface"));
        every(&all, "no set-up page without a log-in in the factory state", |seen| {
            let what = format!("{} {}", seen.subject(), seen.what.path);
            match answers.get(&(seen.subject(), seen.what.path.as_str())) {
                Some(p) if p.status == 200 && !p.same_as_missing && sets(p) => {
                    Point::Bad(format!("{what}: it still sets {} for anybody", p.settings.join(", ")))
                }
                Some(p) => Point::Good(format!("{what}: closed after set-up (status {})", p.status)),
                // The service of the set-up is gone, or the path was not asked for this time.
                None => Point::Unclear(format!("{what}: it was not asked for after set-up")),
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        !evidence.has_factory_state()
    }
}

fn set_up(record: &Record) -> Option<&HttpPage> {
    page(record).filter(|p| p.status == 200 && !p.same_as_missing && sets(p))
}

/// Fields of a page that set something; a password alone may be a log-in.
fn sets(page: &HttpPage) -> bool {
    !page.login_form && page.settings.iter().any(|s| !s.to_lowercase().contains("password"))
}
