//! Which critical values a comparison of samples can see at all.
use super::common::not_declared;
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::declarations::Entry;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "sec-params-shown",
    title: "Every critical value shows on the network, so that samples can be compared",
    page: include_str!("sec_params_shown.md"),
    expected: "each critical entry of table 10-SecParam says in which form the network shows it",
    remedy: "have an assessor follow how the values named come onto the device",
    severity: Severity::Info,
    pass: Proves::Nothing,
    needs: &[],
    bind: bind::<SecParamsShown>,
};

const TABLE: &str = "10-SecParam";
/// What the checks of several samples compare.
const COMPARED: [&str; 4] = ["tls-key", "ssh-host-key", "password", "dtls-psk"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecParamsShown {}

impl Judge for SecParamsShown {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let Some(entries) = evidence.declared(TABLE) else {
            return not_declared(TABLE, "no security parameter is declared".to_owned());
        };
        let critical = entries.only(|e| e.text("type") != "public");
        every(&critical, "no critical security parameter is declared", |seen| {
            let (name, shown) = (seen.what.name(), seen.what.text("x-shown-as"));
            match is_shown(seen.what) {
                true => Point::Good(format!("{name} shows as {shown}")),
                false => Point::Unclear(format!("{name} does not show on the network")),
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        let hidden = |e: &Entry| e.text("type") != "public" && !is_shown(e);
        evidence.declared(TABLE).is_none_or(|k| k.items().iter().any(|s| hidden(s.what)))
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

fn is_shown(entry: &Entry) -> bool {
    COMPARED.contains(&entry.text("x-shown-as"))
}
