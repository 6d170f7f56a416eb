//! What table 15-Intf declares, as far as a network shows it: which interfaces a scan reaches, and whether the declared
//! debug interfaces are off.
use super::common::{listed, looked, not_declared, open_port, port_of};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Endpoint, Transport,
    declarations::{Entry, Value},
};
use serde::Deserialize;
use std::collections::BTreeSet;

const TABLE: &str = "15-Intf";

pub const REACHED: Check = Check {
    id: "intf-reached-by-network",
    title: "Every declared interface can be reached over the network",
    page: include_str!("intf_reached_by_network.md"),
    expected: "table 15-Intf has no physical and no radio interface whose status a scan over IP cannot see",
    remedy: "have an assessor look at the interfaces named",
    severity: Severity::Info,
    pass: Proves::Nothing,
    needs: &[],
    bind: bind::<Reached>,
};

pub const DEBUG: Check = Check {
    id: "intf-debug-closed",
    title: "Declared debug interfaces are closed",
    page: include_str!("intf_debug_closed.md"),
    expected: "each debug interface that table 15-Intf declares is on the network, and its ports are closed",
    remedy: "disable the debug interface in production",
    severity: Severity::Critical,
    pass: Proves::Full,
    needs: &["tcp-ports", "udp-services"],
    bind: bind::<Debug>,
};

pub const AIR: Check = Check {
    id: "intf-air-scanned",
    title: "Every declared radio carries IP, so that a scan reaches it",
    page: include_str!("intf_air_scanned.md"),
    expected: "table 15-Intf has no radio besides those over which IP runs",
    remedy: "have an assessor look at what answers over the radios named",
    severity: Severity::Info,
    pass: Proves::Nothing,
    needs: &[],
    bind: bind::<Air>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reached {}

impl Judge for Reached {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let Some(entries) = evidence.declared(TABLE) else {
            return not_declared(TABLE, "no interface is declared".to_owned());
        };
        every(&entries, "no interface is declared", |seen| {
            let (name, kind) = (seen.what.name(), seen.what.text("type"));
            match kind {
                "network" | "logical" => Point::Good(format!("{name} is a {kind} interface")),
                "" => Point::Unclear(format!("{name} does not say of what type it is")),
                _ => Point::Unclear(format!("{name} is of type {kind}: a scan does not see it")),
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        let networked = |e: &Entry| matches!(e.text("type"), "network" | "logical");
        evidence.declared(TABLE).is_none_or(|k| !k.items().iter().all(|s| networked(s.what)))
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Air {}

impl Judge for Air {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let Some(entries) = evidence.declared(TABLE) else {
            return not_declared(TABLE, "no interface is declared".to_owned());
        };
        every(&entries, "no interface is declared", |seen| {
            let (name, kind) = (seen.what.name(), seen.what.text("type"));
            match kind {
                "network" | "logical" | "physical" => Point::Good(format!("{name} is a {kind} interface")),
                "air" if carries_ip(seen.what) => Point::Good(format!("{name} is a radio that carries IP")),
                "air" => Point::Unclear(format!("{name} is a radio without IP: a scan does not reach it")),
                _ => Point::Unclear(format!("{name} does not say of what type it is")),
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        let reached = |e: &Entry| match e.text("type") {
            "air" => carries_ip(e),
            kind => !kind.is_empty(),
        };
        evidence.declared(TABLE).is_none_or(|k| !k.items().iter().all(|s| reached(s.what)))
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

fn carries_ip(entry: &Entry) -> bool {
    matches!(entry.fields.get("x-ip"), Some(Value::Flag(true)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Debug {}

impl Judge for Debug {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let Some(entries) = evidence.declared(TABLE) else {
            return not_declared(TABLE, "no debug interface is declared".to_owned());
        };
        let open: BTreeSet<Endpoint> = ["tcp-ports", "udp-services"]
            .iter()
            .flat_map(|probe| evidence.known(probe, |r| open_port(r).map(|p| p.0)).items().to_vec())
            .map(|s| s.what)
            .collect();
        let known = entries.only(|e| for_debugging(e)).and(looked(evidence, "tcp-ports"));
        every(&known.and(looked(evidence, "udp-services")), "no debug interface is declared", |seen| {
            point(seen.what, &open)
        })
    }

    /// Ports of a debug interface that is no network interface are for a person to look at.
    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        let unreached = |e: &Entry| for_debugging(e) && e.list("x-ports").is_empty();
        evidence.declared(TABLE).is_none_or(|k| k.items().iter().any(|s| unreached(s.what)))
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

fn for_debugging(entry: &Entry) -> bool {
    matches!(entry.fields.get("debug_interface"), Some(Value::Flag(true)))
        || entry.text("debug_interface").to_lowercase().starts_with("yes")
}

fn point(entry: &Entry, open: &BTreeSet<Endpoint>) -> Point {
    let name = entry.name();
    let ports = entry.list("x-ports");
    if ports.is_empty() {
        let kind = entry.text("type");
        return Point::Unclear(format!("{name} ({kind}) has no x-ports: a scan cannot tell whether it is off"));
    }
    let mut udp = false;
    for port in ports {
        let Some((transport, number)) = port_of(port) else {
            return Point::Unclear(format!("{name}: `{port}` is no port; write tcp/4444"));
        };
        if open.iter().any(|e| e.transport == transport && e.port == number) {
            return Point::Bad(format!("{name}: {port} is open"));
        }
        udp |= transport == Transport::Udp;
    }
    match udp {
        true => Point::Unclear(format!("{name}: silence of a UDP port is no proof that it is closed")),
        false => Point::Good(format!("{name}: {} closed", listed(ports))),
    }
}
