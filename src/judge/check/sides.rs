//! What a gateway shows on each of its sides: to the Internet, to guests, to its owner.
mod met;

use super::common::{is_unknown, not_declared};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence, Known,
    judgement::{Point, every, none},
};
use crate::model::{State, Vantage, declarations::EndpointStatus};
use met::{Met, declared, entry, lacking, managed_from, not_recorded, seen_from};
use serde::Deserialize;
use std::collections::BTreeSet;

const PORTS: &[&str] = &["device-binding", "tcp-ports", "udp-services", "service-identify"];
const PORTS_AND_PAGES: &[&str] =
    &["device-binding", "tcp-ports", "udp-services", "service-identify", "http-surface", "logins"];

pub const WAN_PORTS: Check = Check {
    id: "wan-port-sweep",
    title: "The WAN side shows declared services alone",
    page: include_str!("wan_port_sweep.md"),
    expected: "no port answers from the WAN but those that are declared for it",
    remedy: "bind services to the LAN, and drop on the WAN side what nobody asked for",
    severity: Severity::Critical,
    pass: Proves::Full,
    needs: PORTS,
    bind: bind::<WanPortSweep>,
};

pub const WAN_ADMIN: Check = Check {
    id: "wan-admin-closed",
    title: "No management is reached from the WAN by default",
    page: include_str!("wan_admin_closed.md"),
    expected: "no log-in or management page on the WAN, neither as the device came nor once it is set up",
    remedy: "bind administration to the LAN; leave remote administration off until the owner switches it on",
    severity: Severity::Critical,
    pass: Proves::Full,
    needs: PORTS_AND_PAGES,
    bind: bind::<WanAdminClosed>,
};

pub const GUEST: Check = Check {
    id: "gw-guest-isolation",
    title: "Guests do not reach the configuration",
    page: include_str!("gw_guest_isolation.md"),
    expected: "from the guest network, the gateway answers for addresses, names and time alone",
    remedy: "give guests a network of their own, and drop there what does not serve them",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: PORTS_AND_PAGES,
    bind: bind::<GuestIsolation>,
};

pub const MANAGEMENT: Check = Check {
    id: "svc-management-plane-restricted",
    title: "Management answers only on the sides that it is declared for",
    page: include_str!("svc_management_plane_restricted.md"),
    expected: "every log-in and management page answers only where it is declared: on the LAN where nothing is said",
    remedy: "bind management services to the side that they are for",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: PORTS_AND_PAGES,
    bind: bind::<ManagementPlane>,
};

/// What a network gives to everybody in it.
const SERVING: [&str; 3] = ["dhcp", "dns", "ntp"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WanPortSweep {}

impl Judge for WanPortSweep {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let sides = evidence.from_side(Vantage::Wan);
        let met = match seen_from(&sides, Vantage::Wan) {
            Ok(met) => lacking(met, &sides, &[State::Initialised]),
            Err(missing) => return missing,
        };
        if met.items().is_empty() {
            return none(&met, "no port answers from the WAN", |_| None);
        }
        let Some(declared) = declared(evidence) else {
            let open: BTreeSet<String> = met.items().iter().map(|s| s.what.to_string()).collect();
            return not_declared("x-endpoints", format!("open: {}", Vec::from_iter(open).join(", ")));
        };
        every(&met, "no port answers from the WAN", |seen| match entry(declared, &seen.what) {
            Some(EndpointStatus::Enabled) => Point::Good(format!("{}: it is declared for the WAN", seen.what)),
            Some(EndpointStatus::Transient) => Point::Unclear(format!("{}: it is declared transient", seen.what)),
            Some(EndpointStatus::Disabled) | None => {
                Point::Bad(format!("{}: it is not declared for the WAN", seen.what))
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.from_side(Vantage::Wan).is_empty()
    }

    fn tables(&self) -> &'static [&'static str] {
        &["x-endpoints"]
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WanAdminClosed {}

impl Judge for WanAdminClosed {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let sides = evidence.from_side(Vantage::Wan);
        let met = match managed_from(&sides, Vantage::Wan) {
            Ok(met) => lacking(met, &sides, &[State::Factory, State::Initialised]),
            Err(missing) => return missing,
        };
        if met.items().is_empty() {
            return none(&met, "no port answers from the WAN", |_| None);
        }
        every(&met, "no port answers from the WAN", |seen| {
            let (what, declared) = (&seen.what, declared(evidence).unwrap_or_default());
            let provider = what.service == "cwmp" && entry(declared, what) == Some(EndpointStatus::Enabled);
            match (what.manages, provider) {
                (true, true) => Point::Good(format!("{what}: the provider's, as declared")),
                (true, false) => Point::Bad(format!("{what}: it manages the device, and answers from the WAN")),
                (false, _) if is_unknown(what.service) => {
                    Point::Unclear(format!("{what}: whether it manages the device could not be told"))
                }
                (false, _) => Point::Good(format!("{what}: it shows no log-in and sets nothing")),
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.from_side(Vantage::Wan).is_empty()
    }

    fn tables(&self) -> &'static [&'static str] {
        &["x-endpoints"]
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GuestIsolation {}

impl Judge for GuestIsolation {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let sides = evidence.from_side(Vantage::Guest);
        let met = match managed_from(&sides, Vantage::Guest) {
            Ok(met) => met,
            Err(missing) => return missing,
        };
        if met.items().is_empty() {
            return none(&met, "no port answers guests", |_| None);
        }
        every(&met, "no port answers guests", |seen| {
            let (what, declared) = (&seen.what, declared(evidence).unwrap_or_default());
            match what.manages {
                true => Point::Bad(format!("{what}: guests reach it, and it manages the device")),
                false if SERVING.contains(&what.service) => Point::Good(format!("{what}: guests need it")),
                false if entry(declared, what) == Some(EndpointStatus::Enabled) => {
                    Point::Good(format!("{what}: it is declared for guests"))
                }
                false => Point::Unclear(format!("{what}: guests reach it; whether they need it is for an assessor")),
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.from_side(Vantage::Guest).is_empty()
    }

    fn tables(&self) -> &'static [&'static str] {
        &["x-endpoints"]
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManagementPlane {}

impl Judge for ManagementPlane {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let mut all: Option<Known<Met<'_>>> = None;
        for vantage in looked_from(evidence) {
            match managed_from(&evidence.from_side(vantage), vantage) {
                Ok(met) => all = Some(all.map_or(met.clone(), |a| a.and(met))),
                Err(missing) => return missing,
            }
        }
        let Some(all) = all.filter(|_| looked_from(evidence).len() > 1) else {
            return not_recorded(
                "a second side of the device",
                "one side alone was recorded; add another with `--side`",
            );
        };
        let managing = all.only(|met| met.manages);
        every(&managing, "no log-in and no management page on any side", |seen| {
            let what = &seen.what;
            let listed = declared(evidence).map(|d| entry(d, what) == Some(EndpointStatus::Enabled));
            match listed.unwrap_or(what.side.vantage == Vantage::Lan) {
                true => Point::Good(format!("{what}: it is for that side")),
                false => Point::Bad(format!("{what}: it manages the device, and is not declared for that side")),
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        looked_from(evidence).len() < 2
    }

    fn tables(&self) -> &'static [&'static str] {
        &["x-endpoints"]
    }
}

fn looked_from(evidence: &Evidence<'_>) -> Vec<Vantage> {
    let there = |v: &Vantage| !evidence.from_side(*v).is_empty();
    [Vantage::Lan, Vantage::Wan, Vantage::Guest].into_iter().filter(there).collect()
}
