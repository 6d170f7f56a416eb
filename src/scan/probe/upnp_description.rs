//! What the UPnP description of a device tells anybody on the network.
use super::{
    Probe,
    upnp::{Described, described, responders},
};
use crate::model::{Observation, Touch, observation::clean};
use crate::scan::{
    codec::markup,
    net::Trouble,
    session::{Ctx, Identified},
};
use html5gum::{Token, Tokenizer};
use std::collections::BTreeMap;

pub const PROBE: Probe = Probe {
    id: "upnp-description",
    version: 1,
    title: "UPnP descriptions",
    page: include_str!("upnp_description.md"),
    touch: Touch::Ask,
    subjects_from: &["udp-services", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

/// The elements of a description that say who the device is or what it lets do (UPnP Device Architecture, 2.3).
const FIELDS: [&str; 9] = [
    "friendlyname",
    "manufacturer",
    "modelname",
    "modelnumber",
    "serialnumber",
    "udn",
    "presentationurl",
    "servicetype",
    "devicetype",
];

async fn run(ctx: &Ctx) {
    ctx.each_service(responders(ctx), |s| async move { ask(ctx, &s).await }).await;
}

async fn ask(ctx: &Ctx, s: &Identified) -> Result<(), Trouble> {
    let Some(Described { location, reply, .. }) = described(ctx, s).await? else { return Ok(()) };
    let (location, status, fields) = (clean(&location, 200), reply.status, fields(&reply.text()));
    let seen = Observation::UpnpDescription { location, status, fields };
    ctx.record(s.endpoint, seen, Some(reply.transcript));
    Ok(())
}

/// The texts of the elements that matter, several of one name in order.
pub fn fields(xml: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut inside: Option<String> = None;
    for token in Tokenizer::new(markup::tame(xml)).flatten() {
        match token {
            Token::StartTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).to_lowercase();
                inside = FIELDS.contains(&name.as_str()).then_some(name);
            }
            Token::String(text) => {
                if let Some(name) = &inside {
                    let text = clean(&String::from_utf8_lossy(&text), 120);
                    let list = found.entry(name.clone()).or_default();
                    if !text.is_empty() && list.len() < 20 {
                        list.push(text);
                    }
                }
            }
            Token::EndTag(_) => inside = None,
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_elements_that_matter_are_read_and_cleaned() {
        let xml = "<device><serialNumber>SN\u{1b}1</serialNumber><serviceType>a</serviceType><serviceType>b</serviceType><x>y</x></device>";
        let f = fields(xml);
        assert_eq!(f["serialnumber"], ["SN.1"]);
        assert_eq!(f["servicetype"], ["a", "b"]);
        assert_eq!(f.len(), 2);
    }
}
