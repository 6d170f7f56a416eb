//! What a device announces, it announces to whoever is in the network.
use super::{
    Check, Judge, Proves, Severity, bind,
    common::{listed, not_declared},
};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::Observation;
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "mdns-info-leak",
    title: "Announcements tell nothing of people and nothing undeclared",
    page: include_str!("mdns_info_leak.md"),
    expected: "announcements by mDNS tell no identity, version, person or network that is not declared",
    remedy: "leave serial numbers, versions, owners and networks out of TXT records",
    severity: Severity::Low,
    pass: Proves::Partial,
    needs: &["advertised"],
    bind: bind::<MdnsInfoLeak>,
};

/// Keys of TXT records by what they tell, and the word by which it is declared.
const KEYS: [(&str, &[&str]); 5] = [
    ("serial number", &["serial", "serialnumber", "sn", "imei", "mac"]),
    ("firmware version", &["fw", "firmware", "fv", "fwversion", "swversion", "os_version", "version"]),
    ("owner", &["owner", "user", "username", "name", "room"]),
    ("e-mail address", &["email", "mail"]),
    ("network name", &["ssid", "bssid"]),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MdnsInfoLeak {}

impl Judge for MdnsInfoLeak {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("advertised", |r| match &r.observation {
            Observation::Advertised { service, text, .. } => Some((service.as_str(), tells(text))),
            _ => None,
        });
        let disclosed = evidence.ixit.and_then(|i| i.disclosed.as_deref());
        let told: BTreeSet<&str> = all.items().iter().flat_map(|s| s.what.1.iter().copied()).collect();
        if !told.is_empty() && disclosed.is_none() {
            return not_declared("x-disclosed", format!("announcements tell {}", listed(told)));
        }
        let disclosed = disclosed.unwrap_or_default();
        let declared = |what: &str| disclosed.iter().any(|d| d.to_lowercase().contains(what));
        every(&all, "nothing is announced by mDNS", |seen| {
            let (service, tells) = &seen.what;
            let undeclared = listed(tells.iter().filter(|w| !declared(w)));
            match (undeclared.is_empty(), tells.is_empty()) {
                (false, _) => Point::Bad(format!("{service} tells {undeclared}, which is not declared")),
                (true, false) => Point::Good(format!("{service} tells {}, as declared", listed(tells))),
                (true, true) => Point::Good(format!("{service} tells nothing of that kind")),
            }
        })
    }

    fn tables(&self) -> &'static [&'static str] {
        &["x-disclosed"]
    }
}

fn tells(text: &[String]) -> Vec<&'static str> {
    let key = |t: &String| t.split_once('=').map(|(k, _)| k.trim().to_ascii_lowercase());
    let of = |k: String| KEYS.iter().find(|(_, keys)| keys.contains(&k.as_str())).map(|(what, _)| *what);
    text.iter().filter_map(key).filter_map(of).collect()
}
