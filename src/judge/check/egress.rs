//! What a device sends into the world: to whom, in what, and whether that is declared.
use super::{
    Check, Judge, Proves, Severity, bind,
    capture::{CONTENT, RUN, Standing, TABLE, called, declared, destinations, standing, watched},
    common::{listed, not_declared},
};
use crate::judge::{
    Decision, Evidence, Known,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Record, Subject,
    observation::capture::{Asked, ClearSecret, Destination, Opened, Place, Protocol},
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Idle traffic of a day shows most of what a device does by itself.
fn a_day() -> u32 {
    24
}

pub const DESTINATIONS: Check = Check {
    id: "egress-destinations",
    title: "Outbound destinations equal the declared set",
    page: include_str!("egress_destinations.md"),
    expected: "every host that the device talks to stands in table x-egress of the IXIT, with its port and protocol",
    remedy: "declare the destination and why it is needed, or remove it",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &[RUN],
    bind: bind::<Destinations>,
};

pub const CLEARTEXT: Check = Check {
    id: "egress-cleartext",
    title: "No sensitive traffic leaves in cleartext",
    page: include_str!("egress_cleartext.md"),
    expected: "only name resolution, time and the like leave the local network in clear",
    remedy: "use TLS or DTLS for everything that leaves",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &[RUN],
    bind: bind::<Cleartext>,
};

pub const TUNNELS: Check = Check {
    id: "egress-p2p-tunnel",
    title: "Remote access tunnels are declared",
    page: include_str!("egress_p2p_tunnel.md"),
    expected: "every tunnel and peer-to-peer relay that the device opens is declared",
    remedy: "declare the tunnel in table x-egress, or remove it",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &[RUN],
    bind: bind::<Tunnels>,
};

pub const UNREGISTERED: Check = Check {
    id: "egress-unregistered-domain",
    title: "Device does not depend on unregistered or expired domains",
    page: include_str!("egress_unregistered_domain.md"),
    expected: "no domain that the device asks for is free for anybody to register",
    remedy: "keep the domains that shipped devices ask for, or stop asking",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &[RUN],
    bind: bind::<Unregistered>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Destinations {
    #[serde(default = "a_day")]
    hours: u32,
}

impl Judge for Destinations {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let seen = destinations(evidence);
        let Some((hosts, broad)) = declared(evidence) else {
            let all = listed(seen.items().iter().map(|s| called(s.subject(), s.what)));
            return not_declared(TABLE, format!("seen: {}", if all.is_empty() { "none" } else { &all }));
        };
        let decision = every(&seen, "the device spoke to nobody", |s| {
            let point = whither(standing(&hosts, s.subject(), s.what), &called(s.subject(), s.what), s.what);
            match point {
                Point::Bad(why) if !broad.is_empty() => {
                    Point::Bad(format!("{why} (too broad to count: {})", broad.join(", ")))
                }
                other => other,
            }
        });
        watched(decision, evidence, self.hours, &[])
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried(RUN) || declared(evidence).is_none()
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

fn whither(standing: Standing, who: &str, d: &Destination) -> Point {
    let more_than_once = d.answered > 1;
    match standing {
        Standing::Declared => Point::Good(format!("{who} is declared")),
        Standing::Otherwise if more_than_once => Point::Bad(format!("{who} is declared with another port or protocol")),
        Standing::Undeclared if more_than_once => {
            Point::Bad(format!("{who} is not declared, {} connections", d.answered))
        }
        Standing::Otherwise | Standing::Undeclared => {
            Point::Unclear(format!("{who} is not declared, but answered {} times only", d.answered))
        }
        Standing::Partly => Point::Unclear(format!("{who}: some of the names of this address are declared")),
        Standing::Nameless => Point::Unclear(format!("{who} shows no name, and its address is not declared")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cleartext {
    #[serde(default = "a_day")]
    hours: u32,
}

impl Judge for Cleartext {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let outside = destinations(evidence).only(|d| d.place == Place::Outside && d.protocol != Protocol::Empty);
        let secrets = evidence.known(RUN, secret).only(|s| s.place == Place::Outside && s.opened != Opened::Peer);
        let told: BTreeMap<&Subject, BTreeSet<&str>> =
            secrets.items().iter().fold(BTreeMap::new(), |mut all: BTreeMap<_, BTreeSet<_>>, s| {
                all.entry(s.subject()).or_default().insert(s.what.class.as_str());
                all
            });
        let decision = every(&outside, "nothing left the local network", |s| {
            let who = called(s.subject(), s.what);
            match told.get(s.subject()) {
                Some(classes) if !is_sealed(s.what.protocol) => {
                    Point::Bad(format!("{who}: in clear, with {}", listed(classes.iter())))
                }
                Some(_) | None => in_clear(s.what, &who),
            }
        });
        watched(decision, evidence, self.hours, &CONTENT)
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried(RUN)
    }
}

fn is_sealed(protocol: Protocol) -> bool {
    matches!(
        protocol,
        Protocol::Tls
            | Protocol::Dtls
            | Protocol::Quic
            | Protocol::Ssh
            | Protocol::Wireguard
            | Protocol::Ike
            | Protocol::Esp
    )
}

fn in_clear(d: &Destination, who: &str) -> Point {
    match d.protocol {
        p if is_sealed(p) => Point::Good(format!("{who}: encrypted")),
        Protocol::Dns | Protocol::Ntp | Protocol::Dhcp | Protocol::Icmp | Protocol::Igmp | Protocol::Stun => {
            Point::Good(format!("{who}: in clear by its nature"))
        }
        Protocol::Unknown => Point::Unclear(format!("{who}: whether it is encrypted cannot be told")),
        // Lists of revoked certificates and tests of the connection come in clear, too.
        Protocol::Http => Point::Unclear(format!("{who}: in clear; nothing in it is known to be sensitive")),
        _ if d.sent == 0 => Point::Unclear(format!("{who}: in clear, and the device sent nothing")),
        _ => Point::Bad(format!("{who}: {} bytes of the device left in clear", d.sent)),
    }
}

fn secret(record: &Record) -> Option<&ClearSecret> {
    match &record.observation {
        Observation::ClearSecret { secret } => Some(secret),
        _ => None,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tunnels {
    #[serde(default = "a_day")]
    hours: u32,
}

impl Judge for Tunnels {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let outside = destinations(evidence).only(|d| d.place == Place::Outside && may_tunnel(d.protocol));
        let hosts = declared(evidence);
        let decision = every(&outside, "no tunnel and no relay", |s| {
            let who = called(s.subject(), s.what);
            let known = hosts.as_ref().is_some_and(|(h, _)| standing(h, s.subject(), s.what) == Standing::Declared);
            match (s.what.protocol, known) {
                (_, true) => Point::Good(format!("{who} is declared")),
                (Protocol::Unknown, false) => Point::Unclear(format!("{who}: what it is cannot be told")),
                (_, false) if hosts.is_none() => Point::Unclear(format!("{who}: table {TABLE} was not supplied")),
                (_, false) => Point::Bad(format!("{who} is not declared")),
            }
        });
        watched(decision, evidence, self.hours, &[])
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried(RUN)
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

fn may_tunnel(protocol: Protocol) -> bool {
    matches!(
        protocol,
        Protocol::Ssh
            | Protocol::Wireguard
            | Protocol::Ike
            | Protocol::Esp
            | Protocol::Stun
            | Protocol::Pppp
            | Protocol::Unknown
    )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unregistered {
    #[serde(default = "a_day")]
    hours: u32,
}

impl Judge for Unregistered {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let asked: Known<&Asked> = evidence.known(RUN, |r: &Record| match &r.observation {
            Observation::NameAsked { asked } => Some(&**asked),
            _ => None,
        });
        // A domain of which one name exists is registered.
        let alive: BTreeSet<&str> = asked
            .items()
            .iter()
            .filter(|s| s.what.answered > 0)
            .filter_map(|s| psl::domain_str(&s.what.name))
            .collect();
        let decision = every(&asked, "no name was asked for", |s| {
            let a = s.what;
            match psl::domain_str(&a.name) {
                None => Point::Good(format!("{} is below no public suffix", a.name)),
                Some(domain) if a.nonexistent == 0 || alive.contains(domain) => {
                    Point::Good(format!("{domain} was never said not to exist"))
                }
                Some(domain) if domain == a.name && a.nonexistent > 1 => {
                    Point::Bad(format!("{domain} does not exist, and was asked for {} times", a.times))
                }
                Some(domain) => Point::Unclear(format!(
                    "{} does not exist; whether {domain} is registered is to be looked up",
                    a.name
                )),
            }
        });
        watched(decision, evidence, self.hours, &[])
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried(RUN)
    }
}
