//! A gateway opens ports for those who ask for themselves, if for anybody.
use super::upnp::{DESCRIBED, MAPS, RUN, offers};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Subject,
    observation::upnp::{MapCase, PortMapping},
};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    id: "upnp-igd-portmap",
    title: "UPnP lets nobody map ports of others",
    page: include_str!("upnp_igd_portmap.md"),
    expected: "a gateway maps no port to another host or to itself, and none below 1024, for whoever asks",
    remedy: "switch UPnP control off by default, and map high ports to the one who asks alone (secure mode)",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &[DESCRIBED, RUN],
    bind: bind::<UpnpIgdPortmap>,
};

/// The action failed, and nothing says why (WANIPConnection, 2.4.16).
const ACTION_FAILED: u16 = 501;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpnpIgdPortmap {}

impl Judge for UpnpIgdPortmap {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let offered =
            evidence.known(DESCRIBED, offers).only(|kinds| kinds.iter().any(|k| MAPS.iter().any(|m| k.contains(m))));
        if offered.items().is_empty() {
            return every(&offered, "no UPnP service that maps ports", |_| Point::Unclear(String::new()));
        }
        let all = evidence.known_of(RUN, Some("mappings"), |r| match &r.observation {
            Observation::PortMapping { mapping } => Some(mapping),
            _ => None,
        });
        let own = |m: &&PortMapping| m.case == MapCase::Own;
        let own: BTreeMap<&Subject, &PortMapping> =
            all.items().iter().filter(|s| own(&s.what)).map(|s| (s.subject(), s.what)).collect();
        every(&all.clone(), "no mapping was asked for", |s| point(s.subject(), s.what, own.get(s.subject()).copied()))
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried(RUN)
    }

    fn everywhere(&self) -> bool {
        true
    }
}

fn point(at: &Subject, m: &PortMapping, own: Option<&PortMapping>) -> Point {
    let error = m.error.map(|e| format!(", error {e}")).unwrap_or_default();
    let what = format!("{at}: {} (port {} to {})", m.case.words(), m.port, m.client);
    if m.gone == Some(false) {
        return match m.case {
            MapCase::Own => Point::Unclear(format!("{what} could not be taken away: delete it on the device")),
            MapCase::OtherHost | MapCase::Gateway | MapCase::LowPort => {
                Point::Bad(format!("{what} is made, and could not be taken away: delete it on the device"))
            }
        };
    }
    match (m.case, m.taken(), m.shown) {
        (MapCase::Own, true, Some(true)) => Point::Good(format!("{what} is made, which is what it is for")),
        (MapCase::Own, false, _) => Point::Good(format!("{what} is refused with {}{error}", m.status)),
        (_, true, Some(true)) => Point::Bad(format!("{what} is made for whoever asks")),
        (_, true, _) => Point::Unclear(format!("{what} is taken and not shown afterwards")),
        (_, false, _) if m.error == Some(ACTION_FAILED) || m.status == 404 => {
            Point::Unclear(format!("{what} fails with {}{error}, which is no refusal", m.status))
        }
        (_, false, _) if own.is_none() => Point::Unclear(format!("{what}: none to ourselves was asked for")),
        (_, false, _) => Point::Good(format!("{what} is refused with {}{error}", m.status)),
    }
}
