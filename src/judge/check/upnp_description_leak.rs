//! What a device shouts into the network should not help to take it over.
use super::common::listed;
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Subject};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    id: "upnp-description-leak",
    title: "UPnP descriptions tell no identity and no undeclared control",
    page: include_str!("upnp_description_leak.md"),
    expected: "no UPnP description tells a serial number, and none offers a control service",
    remedy: "leave serial number and management address out, and switch UPnP control off",
    severity: Severity::Low,
    pass: Proves::Partial,
    needs: &["upnp-description"],
    bind: bind::<UpnpDescriptionLeak>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpnpDescriptionLeak {}

impl Judge for UpnpDescriptionLeak {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("upnp-description", |r| match &r.observation {
            Observation::UpnpDescription { status, fields, .. } => Some((*status, fields)),
            _ => None,
        });
        let disclosed = evidence.ixit.and_then(|i| i.disclosed.as_deref()).unwrap_or_default();
        every(&all, "no UPnP description", |seen| {
            let (status, fields) = seen.what;
            if !(200..=299).contains(&status) || fields.is_empty() {
                return Point::Unclear(format!("{}: no readable description, status {status}", seen.subject()));
            }
            point(seen.subject(), fields, disclosed)
        })
    }

    fn tables(&self) -> &'static [&'static str] {
        &["x-disclosed"]
    }

    fn everywhere(&self) -> bool {
        true
    }
}

fn point(at: &Subject, fields: &BTreeMap<String, Vec<String>>, disclosed: &[String]) -> Point {
    let declared = |word: &&str| disclosed.iter().any(|d| d.to_lowercase().contains(*word));
    let text = |name: &str| fields.get(name).map(Vec::as_slice).unwrap_or_default();
    let mut told = Vec::new();
    let serial = text("serialnumber").first().filter(|s| s.len() > 1);
    if serial.is_some() && !declared(&"serial") {
        told.push("the serial number".to_owned());
    }
    // The other name of a device is often its serial number or its MAC address in another form.
    if let (Some(serial), Some(udn)) = (serial, text("udn").first())
        && digits(udn).contains(&digits(serial))
    {
        told.push("a UDN that is made of the serial number".to_owned());
    }
    let control = |s: &&String| CONTROL.iter().any(|c| s.contains(c));
    let services = listed(text("servicetype").iter().filter(control));
    if !services.is_empty() && !declared(&"upnp") {
        told.push(format!("undeclared control: {services}"));
    }
    match told.is_empty() {
        true => Point::Good(format!("{at}: it tells {}", listed(fields.keys()))),
        false => Point::Bad(format!("{at}: it tells {}", told.join(", "))),
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Services that change a network for whoever calls them.
const CONTROL: [&str; 4] = ["WANIPConnection", "WANPPPConnection", "Layer3Forwarding", "LANHostConfigManagement"];
