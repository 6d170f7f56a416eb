//! What a device tells everybody on its link when it asks for an address.
use super::capture::{RUN, captures, destination, undecided, watched};
use super::common::{listed, not_declared};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation,
    observation::capture::{Announced, Protocol},
};
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
        let told = evidence.known(RUN, |r| match &r.observation {
            Observation::Announced { announced } => Some(announced),
            _ => None,
        });
        if told.items().is_empty() {
            let asked = evidence.known(RUN, destination).only(|d| d.protocol == Protocol::Dhcp);
            if asked.items().is_empty() {
                return undecided("no capture shows how the device asks for an address", String::new());
            }
            let said = every(&asked, "no request", |s| Point::Good(format!("{}: nothing of itself", s.subject())));
            return watched(said, evidence, 0, &[]);
        }
        let disclosed = evidence.ixit.and_then(|i| i.disclosed.as_ref());
        let versions = listed(told.items().iter().filter(|s| states_version(s.what)).map(|s| words(s.what)));
        if disclosed.is_none() && !versions.is_empty() {
            return not_declared("x-disclosed", versions);
        }
        let named =
            |a: &Announced| disclosed.iter().flat_map(|all| all.iter()).any(|d| a.value.eq_ignore_ascii_case(d.trim()));
        let decision = every(&told, "no request", |s| match (states_version(s.what), named(s.what)) {
            (false, _) => Point::Good(format!("{}: no version", words(s.what))),
            (true, true) => Point::Good(format!("{}: declared", words(s.what))),
            (true, false) => Point::Bad(format!("{}: not declared", words(s.what))),
        });
        watched(decision, evidence, 0, &[])
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried(RUN) || captures(evidence).is_empty()
    }

    fn tables(&self) -> &'static [&'static str] {
        &["x-disclosed"]
    }
}

fn states_version(a: &Announced) -> bool {
    VERSION.as_ref().is_some_and(|v| v.is_match(&a.value))
}

fn words(a: &Announced) -> String {
    format!("{} `{}`", a.option, a.value)
}
