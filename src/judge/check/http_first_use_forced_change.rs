//! A password that everybody knows opens nothing but the page that changes it.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence, Judgement,
    judgement::{Point, every},
};
use crate::model::{Gap, Observation, Record, Why, observation::access::InsidePages};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "http-first-use-forced-change",
    title: "The first use asks for a new password",
    page: include_str!("http_first_use_forced_change.md"),
    expected: "with a default password, a device as it came opens nothing but the page that sets another",
    remedy: "let a default password open nothing but the page that sets another",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["http-inside"],
    bind: bind::<HttpFirstUseForcedChange>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpFirstUseForcedChange {}

impl Judge for HttpFirstUseForcedChange {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let Some(all) = evidence.in_factory_state("http-inside", pages) else {
            let gap = Gap { wanted: "factory state".to_owned(), subject: None, why: Why::NotSupplied };
            let observed =
                "one state was recorded; judge it with `--factory` and the same device as it came".to_owned();
            return Decision::Judged(Judgement::missing(gap, observed));
        };
        let all = all.and(evidence.looked("http-inside"));
        every(&all, "no web log-in that gives a session", |seen| {
            let (i, what) = (seen.what, format!("{} {}", seen.subject(), seen.what.path));
            if !i.listed {
                return Point::Unclear(format!(
                    "{what}: {} is on no list; whether it is one of its own is another question",
                    i.account
                ));
            }
            let works = i.pages.iter().filter(|p| p.sets).map(|p| p.path.as_str()).collect::<Vec<_>>().join(", ");
            if !works.is_empty() {
                return Point::Bad(format!("{what}: {} opens {works} before the password was changed", i.account));
            }
            match i.pages.iter().any(|p| p.sets_password) {
                true => Point::Good(format!("{what}: {} opens nothing that sets anything but the password", i.account)),
                false => Point::Unclear(format!("{what}: {} opens pages that set nothing", i.account)),
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.in_factory_state("http-inside", pages).is_none_or(|all| all.items().is_empty())
    }
}

fn pages(record: &Record) -> Option<&InsidePages> {
    match &record.observation {
        Observation::InsidePages { pages } => Some(pages),
        _ => None,
    }
}
