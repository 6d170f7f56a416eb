//! What a device calls itself when it asks for an address is heard by everybody on the link.
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
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "dhcp-host-leak",
    title: "Asking for an address tells no owner and no serial number",
    page: include_str!("dhcp_host_leak.md"),
    expected: "the names in requests for an address are those of the model, or of table x-disclosed",
    remedy: "call the device by its model in DHCP requests, and by nothing that its owner or its serial number gave it",
    severity: Severity::Info,
    pass: Proves::Partial,
    needs: &[RUN],
    bind: bind::<DhcpHostLeak>,
};

/// Words that name a DHCP client, a system or nothing at all.
const GENERIC: [&str; 22] = [
    "android",
    "busybox",
    "camera",
    "client",
    "device",
    "dhcp",
    "dhcpcd",
    "esp",
    "espressif",
    "gateway",
    "host",
    "iot",
    "linux",
    "local",
    "localhost",
    "lwip",
    "msft",
    "none",
    "router",
    "udhcp",
    "udhcpc",
    "zephyr",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DhcpHostLeak {}

impl Judge for DhcpHostLeak {
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
        let (known, macs) = (model_words(evidence), macs(evidence));
        let own = |a: &Announced| strange(&a.value, &known, &macs);
        let disclosed = evidence.ixit.and_then(|i| i.disclosed.as_ref());
        let strange = listed(told.items().iter().filter(|s| !own(s.what).is_empty()).map(|s| words(s.what)));
        if disclosed.is_none() && !strange.is_empty() {
            return not_declared("x-disclosed", strange);
        }
        let named =
            |a: &Announced| disclosed.iter().flat_map(|all| all.iter()).any(|d| a.value.eq_ignore_ascii_case(d.trim()));
        let decision = every(&told, "no request", |s| match (own(s.what), named(s.what)) {
            (more, _) if more.is_empty() => Point::Good(format!("{}: nothing but the model", words(s.what))),
            (_, true) => Point::Good(format!("{}: declared", words(s.what))),
            (more, false) => {
                Point::Bad(format!("{}: {} is neither of the model nor declared", words(s.what), listed(more)))
            }
        });
        watched(decision, evidence, 0, &[])
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried(RUN) || captures(evidence).is_empty()
    }

    fn tables(&self) -> &'static [&'static str] {
        &["dut", "x-disclosed"]
    }
}

/// What a value says beyond the model, the client's name, its MAC address and versions (those are another check's).
fn strange(value: &str, known: &BTreeSet<String>, macs: &[String]) -> Vec<String> {
    let is_version =
        |w: &str| w.chars().any(|c| c.is_ascii_digit()) && w.contains('.') && !w.chars().any(char::is_alphabetic);
    let parts = value.split(|c: char| !c.is_alphanumeric() && c != '.').filter(|p| !is_version(p));
    let pieces = parts.flat_map(|p| p.split('.')).map(str::to_lowercase).filter(|p| p.chars().count() > 1);
    let hex = |p: &str| p.len() >= 4 && macs.iter().any(|m| m.contains(p));
    pieces.filter(|p| !known.contains(p) && !GENERIC.contains(&p.as_str()) && !hex(p)).collect()
}

/// The words by which the maker calls the device.
fn model_words(evidence: &Evidence<'_>) -> BTreeSet<String> {
    let entries = evidence.declared("dut");
    let texts =
        entries.iter().flat_map(|k| k.items()).flat_map(|s| ["dut_name", "brand", "model"].map(|f| s.what.text(f)));
    let one = |text: &str| {
        let pieces = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect::<Vec<_>>();
        pieces.into_iter().chain([text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()])
    };
    texts.flat_map(one).filter(|w| !w.is_empty()).collect()
}

/// The device's MAC addresses, without colons.
fn macs(evidence: &Evidence<'_>) -> Vec<String> {
    captures(evidence).iter().flat_map(|c| &c.device.macs).map(|m| m.replace(':', "").to_lowercase()).collect()
}

fn words(a: &Announced) -> String {
    format!("{} `{}`", a.option, a.value)
}
