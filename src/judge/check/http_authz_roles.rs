//! Who may less reaches less.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation,
    observation::access::{Gets, InsidePage},
};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "http-authz-roles",
    title: "Accounts with fewer rights cannot reach what admins may",
    page: include_str!("http_authz_roles.md"),
    expected: "an account with fewer rights gets no page that sets something and that its own pages do not lead to",
    remedy: "look at the rights of the session for each page and request, in the device",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["http-inside"],
    bind: bind::<HttpAuthzRoles>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpAuthzRoles {}

impl Judge for HttpAuthzRoles {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("http-inside", |r| match &r.observation {
            Observation::InsidePages { pages } => Some(pages),
            _ => None,
        });
        every(&all, "no web log-in that gives a session", |seen| {
            let (i, what) = (seen.what, format!("{} {}", seen.subject(), seen.what.path));
            let paths = |of: &dyn Fn(&InsidePage) -> bool| {
                i.pages.iter().filter(|p| of(p)).map(|p| p.path.as_str()).collect::<Vec<_>>().join(", ")
            };
            let open = paths(&|p| p.sets && p.nobody == Gets::Same);
            if !open.is_empty() {
                return Point::Bad(format!("{what}: nobody needs an account for {open}"));
            }
            if i.pages.iter().all(|p| p.user.is_none()) {
                return Point::Unclear(format!("{what}: no account with fewer rights is known"));
            }
            let reached = paths(&|p| p.sets && p.user == Some(Gets::Same) && !p.linked_for_user);
            if !reached.is_empty() {
                return Point::Bad(format!(
                    "{what}: an account with fewer rights gets {reached}, where none of its pages lead"
                ));
            }
            let doubtful = paths(&|p| !p.linked_for_user && matches!(p.user, Some(Gets::Same | Gets::Other)));
            let apart = paths(&|p| p.user == Some(Gets::Refused));
            match (doubtful.is_empty(), apart.is_empty()) {
                (false, _) => {
                    Point::Unclear(format!("{what}: an account with fewer rights gets something at {doubtful}"))
                }
                (true, true) => Point::Unclear(format!(
                    "{what}: both accounts see the same pages, so that no right tells them apart"
                )),
                (true, false) => Point::Good(format!("{what}: refused to an account with fewer rights: {apart}")),
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        let with_user = evidence.known("http-inside", |r| match &r.observation {
            Observation::InsidePages { pages } => pages.pages.iter().any(|p| p.user.is_some()).then_some(()),
            _ => None,
        });
        with_user.items().is_empty()
    }
}
