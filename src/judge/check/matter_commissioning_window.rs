//! Who may join a Matter device to a network, and with which identity it asks to be joined.
use super::{Check, Judge, Proves, Severity, bind, common::never_absent};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Record, Transport};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "matter-commissioning-window",
    title: "Matter commissioning is closed after the set-up and names no test vendor",
    page: include_str!("matter_commissioning_window.md"),
    expected: "once set up, the device offers nobody to commission it, and its vendor is none of those for tests",
    remedy: "close the commissioning window with the set-up, open it for minutes and by the owner alone, and use a vendor id of your own",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["advertised"],
    bind: bind::<MatterCommissioningWindow>,
};

/// What can be commissioned, and what has been (Matter Core Specification, 4.3).
const COMMISSIONABLE: &str = "_matterc._udp";
const OPERATIONAL: &str = "_matter._tcp";
/// The port that Matter uses where nothing else is said.
const PORT: u16 = 5540;
/// Vendor ids for tests: 0xFFF1 to 0xFFF4.
const FOR_TESTS: std::ops::RangeInclusive<u32> = 0xFFF1..=0xFFF4;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MatterCommissioningWindow {}

/// What one announcement says.
#[derive(Clone, Copy)]
struct Announced<'a> {
    commissionable: bool,
    /// Empty: the type was announced, and nothing of it.
    instance: &'a str,
    /// Whether it is a service of this device, and not of one that it speaks for.
    own: bool,
    text: &'a [String],
}

impl Judge for MatterCommissioningWindow {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("advertised", announced);
        let factory = evidence.is_factory_state();
        let decision = every(&all, "nothing of Matter is announced by mDNS", |seen| point(&seen.what, factory));
        let declared = evidence.ixit.and_then(|i| i.endpoints.as_deref()).unwrap_or_default();
        match declared.iter().any(|d| d.protocol == "matter" || d.covers(Transport::Udp, PORT)) {
            true => never_absent(decision, "an announcement of Matter", "Matter is declared, and did not show itself"),
            false => decision,
        }
    }

    fn tables(&self) -> &'static [&'static str] {
        &["x-endpoints"]
    }
}

fn announced(record: &Record) -> Option<Announced<'_>> {
    match &record.observation {
        Observation::Advertised { service, instance, at, text, .. } => {
            let commissionable = service.eq_ignore_ascii_case(COMMISSIONABLE);
            let matter = commissionable || service.eq_ignore_ascii_case(OPERATIONAL);
            matter.then_some(Announced { commissionable, instance, own: at.is_some(), text })
        }
        _ => None,
    }
}

impl Announced<'_> {
    fn value(&self, key: &str) -> Option<&str> {
        let of = |t: &str| t.split_once('=').is_some_and(|(k, _)| k.trim().eq_ignore_ascii_case(key));
        self.text.iter().find(|t| of(t))?.split_once('=').map(|(_, v)| v.trim())
    }

    /// Of `VP=65521+32769`; a vendor may stand alone.
    fn vendor(&self) -> Option<u32> {
        self.value("VP")?.split('+').next()?.parse().ok()
    }
}

fn point(a: &Announced<'_>, factory: bool) -> Point {
    let who = if a.instance.is_empty() { "a device" } else { a.instance };
    if !a.commissionable {
        return Point::Unclear(format!(
            "{who} is commissioned; whether its window is open, and its vendor, is not told"
        ));
    }
    if a.instance.is_empty() {
        return Point::Unclear("commissioning is announced, and no device of it showed itself".to_owned());
    }
    if !a.own {
        return Point::Unclear(format!("{who} is announced with an address that is not this device's"));
    }
    let vendor = a.vendor();
    if let Some(vendor) = vendor.filter(|v| FOR_TESTS.contains(v)) {
        return Point::Bad(format!("{who} names the vendor {vendor:#06X}, which is for tests alone"));
    }
    // Without CM the device cannot be commissioned now.
    match (a.value("CM").unwrap_or("0"), factory, vendor) {
        ("0", _, Some(vendor)) => Point::Good(format!("{who} cannot be commissioned, vendor {vendor:#06X}")),
        ("0", _, None) => Point::Unclear(format!("{who} cannot be commissioned; its vendor is not told")),
        ("1", false, _) => Point::Bad(format!("{who} can be commissioned with the passcode that it came with (CM=1)")),
        ("1", true, _) => Point::Unclear(format!("{who} can be commissioned, as it has to be in the factory state")),
        (mode @ ("2" | "3"), ..) => {
            Point::Unclear(format!("{who} can be commissioned (CM={mode}): had its owner just opened the window?"))
        }
        (mode, ..) => Point::Unclear(format!("{who} says CM={mode}, which means nothing")),
    }
}
