//! Every way to update the device that is found is a declared one.
use super::{Check, Judge, Proves, Severity, bind, common::not_declared};
use crate::judge::{
    Decision, Evidence,
    evidence::Extent,
    judgement::{Point, every},
};
use crate::model::{Observation, Record};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "upd-mechanism-inventory",
    title: "All ways to update over the network are declared",
    page: include_str!("upd_mechanism_inventory.md"),
    expected: "every path that takes an update is named by an entry of table 7-UpdMech",
    remedy: "declare it in table 7-UpdMech (x-paths), or take it out",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["http-surface"],
    bind: bind::<UpdMechanismInventory>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdMechanismInventory {}

impl Judge for UpdMechanismInventory {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let found = evidence.known("http-surface", of);
        if let (true, Extent::Complete(looked)) = (found.items().is_empty(), found.extent()) {
            return Decision::Absent {
                looked: looked.clone(),
                what: "no path that takes an update was found".to_owned(),
            };
        }
        let Some(entries) = evidence.ixit.and_then(|i| i.declared("7-UpdMech")) else {
            let seen: BTreeSet<&str> = found.items().iter().map(|s| s.what.0).collect();
            let seen = seen.into_iter().collect::<Vec<_>>().join(", ");
            return not_declared("7-UpdMech", format!("paths that take a file: {seen}"));
        };
        let declared: BTreeSet<&str> = entries.iter().flat_map(|e| e.list("x-paths")).map(String::as_str).collect();
        every(&found, "no path that takes an update", |seen| {
            let (path, tried) = seen.what;
            let at = format!("{} {path}", seen.subject());
            match (declared.contains(path), tried) {
                (true, _) => Point::Good(format!("{at}: declared")),
                (false, true) => Point::Bad(format!("{at}: takes an update, and no entry names it")),
                (false, false) => {
                    Point::Unclear(format!("{at}: a form that takes a file of some kind, and no entry names it"))
                }
            }
        })
    }

    fn tables(&self) -> &'static [&'static str] {
        &["7-UpdMech"]
    }
}

/// The path, and whether it is known as one for updates.
fn of(record: &Record) -> Option<(&str, bool)> {
    match &record.observation {
        Observation::HttpUpload { status: 404 | 405 | 501, .. } => None,
        Observation::HttpUpload { path, .. } => Some((path, true)),
        Observation::Http { page } if page.upload_form && !page.same_as_missing => Some((&page.path, false)),
        _ => None,
    }
}
