//! What the checks of UPnP services ask in the same way.
use crate::model::{Observation, Record};

pub(super) const DESCRIBED: &str = "upnp-description";
pub(super) const RUN: &str = "upnp-control";

/// Services of a gateway that map ports.
pub(super) const MAPS: [&str; 2] = ["WANIPConnection", "WANPPPConnection"];

/// The kinds of services that a description lists.
pub(super) fn offers(record: &Record) -> Option<&[String]> {
    match &record.observation {
        Observation::UpnpDescription { fields, .. } => {
            Some(fields.get("servicetype").map(Vec::as_slice).unwrap_or_default())
        }
        _ => None,
    }
}
