//! What only the set-up needs must be gone after it.
use super::common::{looked, open_port};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence, Judgement, Known,
    judgement::{Point, every},
};
use crate::model::declarations::{DeclaredEndpoint, EndpointStatus};
use crate::model::{Gap, Observation, Record, Transport, Why, observation::Asks};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "svc-state-diff",
    title: "Set-up services are closed after the set-up",
    page: include_str!("svc_state_diff.md"),
    expected: "what is declared transient is open in the factory state at most, and closed once the device is set up",
    remedy: "tear down provisioning services when the set-up ends or times out",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["device-binding", "tcp-ports", "udp-services", "service-identify", "logins"],
    bind: bind::<SvcStateDiff>,
};

/// A port of one device, whatever its address is.
type Port = (Transport, u16);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SvcStateDiff {}

impl Judge for SvcStateDiff {
    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        !evidence.has_factory_state()
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let missing = |wanted: &str, why, what: &str| {
            let gap = Gap { wanted: wanted.to_owned(), subject: None, why };
            Decision::Judged(Judgement::missing(gap, what.to_owned()))
        };
        let Some(before) = evidence.in_factory_state("tcp-ports", port) else {
            let how = "only one state was recorded; judge it with `--factory` and the recording of the factory state";
            return missing("the factory state", Why::NotSupplied, how);
        };
        if !same_device(evidence) {
            let why = Why::NotUnderstood("the two recordings may be of different devices".to_owned());
            return missing("the factory state", why, "the two states do not share a MAC address, nor an address");
        }
        let before = ["udp-services", "service-identify"].into_iter().fold(before, |all, probe| {
            evidence.in_factory_state(probe, port).map_or_else(|| all.clone(), |more| all.clone().and(more))
        });
        let now = evidence.known("tcp-ports", port).and(evidence.known("udp-services", port));
        let closed: BTreeSet<Port> = evidence.known("logins", asking).items().iter().map(|s| s.what).collect();
        let open: BTreeSet<Port> = now.items().iter().map(|s| s.what).collect();
        let declared = evidence.ixit.and_then(|i| i.endpoints.as_deref()).unwrap_or_default();
        // What stays open and is declared for ever, is no set-up service.
        let both: Known<Port> = before.and(now.only(|_| true)).and(looked(evidence, "service-identify"));
        let both = both.and(looked(evidence, "logins")).and(looked(evidence, "device-binding"));
        let ours = both.only(|p| !open.contains(p) || transient(declared, *p));
        every(&ours, "no service is declared for the set-up, and none is closed after it", |seen| {
            let (transport, port) = seen.what;
            let what = format!("{transport}/{port}");
            match (open.contains(&seen.what), closed.contains(&seen.what)) {
                (false, _) => Point::Good(format!("{what} is open in the factory state and closed after the set-up")),
                (true, true) => Point::Unclear(format!("{what} is for the set-up, and still there behind a log-in")),
                (true, false) => Point::Bad(format!("{what} is for the set-up, and still open after it")),
            }
        })
    }

    fn tables(&self) -> &'static [&'static str] {
        &["x-endpoints"]
    }
}

fn port(record: &Record) -> Option<Port> {
    open_port(record).map(|(e, _)| (e.transport, e.port))
}

fn asking(record: &Record) -> Option<Port> {
    match &record.observation {
        Observation::LoginSurface { asks: Asks::Yes, .. } => record.subject.endpoint().map(|e| (e.transport, e.port)),
        _ => None,
    }
}

fn transient(declared: &[DeclaredEndpoint], (transport, port): Port) -> bool {
    declared.iter().any(|d| d.status == EndpointStatus::Transient && d.covers(transport, port))
}

/// By MAC address where both recordings have one, else by address: a reset may change the address.
fn same_device(evidence: &Evidence<'_>) -> bool {
    let of = |name: &'static str| {
        move |r: &Record| match &r.observation {
            Observation::Trait { name: n, value } if n == name => Some(value.clone()),
            _ => None,
        }
    };
    let sets = |name| {
        let collect = |k: Known<String>| -> BTreeSet<String> { k.items().iter().map(|s| s.what.clone()).collect() };
        let before = evidence.in_factory_state("device-binding", of(name)).map(collect).unwrap_or_default();
        (before, collect(evidence.known("device-binding", of(name))))
    };
    let (before, now) = sets("mac");
    let (before, now) = if before.is_empty() || now.is_empty() { sets("address") } else { (before, now) };
    !before.is_disjoint(&now)
}
