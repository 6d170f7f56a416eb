//! The user, and the tester, must be able to tell which software this is.
use super::common::{listed, never_absent, not_declared, page};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, some},
};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "upd-version-visible",
    title: "The firmware version can be read and is the declared one",
    page: include_str!("upd_version_visible.md"),
    expected: "a page of the device shows a version that table 6-SoftComp declares",
    remedy: "show the version to the user, and test the sample that was declared",
    severity: Severity::Low,
    pass: Proves::Partial,
    needs: &["http-surface"],
    bind: bind::<UpdVersionVisible>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdVersionVisible {}

impl Judge for UpdVersionVisible {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let shown = evidence.known("http-surface", |r| page(r).map(|p| &p.versions)).only(|v| !v.is_empty());
        let software = evidence.ixit.and_then(|i| i.software.as_ref());
        let declared: BTreeSet<String> =
            software.iter().copied().flatten().map(|s| plain(&s.version)).filter(|v| !v.is_empty()).collect();
        if declared.is_empty() {
            let seen = listed(shown.items().iter().flat_map(|s| s.what));
            return not_declared(
                "6-SoftComp (version)",
                format!("versions shown: {}", if seen.is_empty() { "none" } else { &seen }),
            );
        }
        let decision = some(&shown, "no page shows a version", |seen| {
            let versions = listed(seen.what);
            match seen.what.iter().any(|v| declared.contains(&plain(v))) {
                true => Point::Good(format!("{} shows {versions}, as declared", seen.subject())),
                false => Point::Bad(format!("{} shows {versions}, declared is {}", seen.subject(), listed(&declared))),
            }
        });
        never_absent(decision, "the version shown to the user", "no page shows one without a login")
    }

    fn tables(&self) -> &'static [&'static str] {
        &["6-SoftComp"]
    }
}

fn plain(version: &str) -> String {
    version.trim().trim_start_matches(['v', 'V']).to_owned()
}
