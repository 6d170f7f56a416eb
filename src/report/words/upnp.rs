//! What UPnP services did, in words.
use crate::model::observation::upnp::{EventCallback, PortMapping};

pub(super) fn mapping(m: &PortMapping) -> String {
    let error = m.error.map(|e| format!(", error {e}")).unwrap_or_default();
    let shown = match m.shown {
        Some(true) => "; shown afterwards",
        Some(false) => "; not shown afterwards",
        None => "",
    };
    let gone = match m.gone {
        Some(true) => "; taken away again",
        Some(false) => "; could not be taken away",
        None => "",
    };
    let PortMapping { client, port, status, .. } = m;
    format!("{} (port {port} to {client}): status {status}{error}{shown}{gone}", m.case.words())
}

pub(super) fn callback(c: &EventCallback) -> String {
    let whose = if c.elsewhere { "another address than ours" } else { "ourselves" };
    let called = if c.called { "called" } else { "not called" };
    format!("events of {} for {} ({whose}): status {}, {called}", c.path, c.to, c.status)
}
