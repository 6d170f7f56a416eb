//! What a device tells everybody on its link when it asks for an address.
use super::announced::{judged, left, words};
use super::capture::RUN;
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{Decision, Evidence, judgement::Point};
use crate::model::observation::capture::Announced;
use regex::Regex;
use serde::Deserialize;
use std::sync::LazyLock;

pub const CHECK: Check = Check {
    id: "dhcp-info-leak",
    title: "Asking for an address tells no versions that nobody declared",
    page: include_str!("dhcp_info_leak.md"),
    expected: "no request for an address states a version, or only what table x-disclosed names",
    remedy: "make the DHCP client say less, or declare and justify what it says",
    severity: Severity::Low,
    pass: Proves::Full,
    needs: &[RUN],
    bind: bind::<DhcpInfoLeak>,
};

/// A version of software: two numbers at least, with a dot between them.
static VERSION: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\d+\.\d+").ok());

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DhcpInfoLeak {}

impl Judge for DhcpInfoLeak {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        judged(evidence, states_version, |a, named| match (states_version(a), named) {
            (false, _) => Point::Good(format!("{}: no version", words(a))),
            (true, true) => Point::Good(format!("{}: declared", words(a))),
            (true, false) => Point::Bad(format!("{}: not declared", words(a))),
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        left(evidence)
    }

    fn tables(&self) -> &'static [&'static str] {
        &["x-disclosed"]
    }
}

fn states_version(a: &Announced) -> bool {
    VERSION.as_ref().is_some_and(|v| v.is_match(&a.value))
}
