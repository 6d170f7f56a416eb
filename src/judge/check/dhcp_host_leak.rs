//! What a device calls itself when it asks for an address is heard by everybody on the link.
use super::announced::{judged, left, words};
use super::capture::{RUN, captures};
use super::common::listed;
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{Decision, Evidence, judgement::Point};
use crate::model::observation::capture::Announced;
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
        let (known, macs) = (model_words(evidence), macs(evidence));
        let own = |a: &Announced| strange(&a.value, &known, &macs);
        judged(
            evidence,
            |a| !own(a).is_empty(),
            |a, named| match (own(a), named) {
                (more, _) if more.is_empty() => Point::Good(format!("{}: nothing but the model", words(a))),
                (_, true) => Point::Good(format!("{}: declared", words(a))),
                (more, false) => {
                    Point::Bad(format!("{}: {} is neither of the model nor declared", words(a), listed(more)))
                }
            },
        )
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        left(evidence)
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
