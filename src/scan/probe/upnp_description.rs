//! What the UPnP description of a device tells anybody on the network.
use super::Probe;
use crate::model::{Endpoint, Observation, Touch, Transport, Why, observation::clean};
use crate::scan::{
    codec::markup,
    net::{Trouble, http::Request, wire::Replies},
    session::{Ctx, Identified},
};
use html5gum::{Token, Tokenizer};
use std::{collections::BTreeMap, time::Duration};

pub const PROBE: Probe = Probe {
    id: "upnp-description",
    version: 1,
    title: "UPnP descriptions",
    page: include_str!("upnp_description.md"),
    touch: Touch::Ask,
    subjects_from: &["udp-services", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

const WAIT: Duration = Duration::from_secs(2);
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
    let udp = |s: &Identified| s.endpoint.transport == Transport::Udp;
    let all = ctx.services_named(&["ssdp", "upnp"]).into_iter().filter(udp).collect();
    ctx.each(all, |s| s.endpoint, |s| look(ctx, s)).await;
}

async fn look(ctx: &Ctx, s: Identified) {
    if let Err(t) = ask(ctx, &s).await {
        ctx.trouble(None, s.endpoint, &t);
    }
}

async fn ask(ctx: &Ctx, s: &Identified) -> Result<(), Trouble> {
    let Some(location) = search(ctx, s.endpoint).await? else {
        let why = "the answer to a search names no description".to_owned();
        return Err(Trouble::NotUnderstood(why));
    };
    let Some((at, path)) = place(&location) else {
        return Err(Trouble::NotUnderstood(format!("`{}` is no address of a description", clean(&location, 120))));
    };
    // A responder may point anywhere; we ask the device only.
    if at.host != s.endpoint.host {
        ctx.gap(Some(at.into()), Why::OutOfScope);
        return Ok(());
    }
    let web = Identified {
        endpoint: at,
        service: "http".to_owned(),
        tls: false,
        starttls: false,
        vendor: None,
        says: Vec::new(),
    };
    let reply = ctx.http(&web, Request::get(at.addr().to_string(), &path), &[]).await?;
    let (location, status, fields) = (clean(&location, 200), reply.status, fields(&reply.text()));
    let seen = Observation::UpnpDescription { location, status, fields };
    ctx.record(s.endpoint, seen, Some(reply.transcript));
    Ok(())
}

/// Where the description is, by a search that is sent to the device alone.
async fn search(ctx: &Ctx, e: Endpoint) -> Result<Option<String>, Trouble> {
    let mut socket = ctx.udp(e, Replies::ThatPort).await?;
    let question = format!(
        "M-SEARCH * HTTP/1.1\r\nHOST: {}\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: upnp:rootdevice\r\n\r\n",
        e.addr()
    );
    let mut found = None;
    for _ in 0..2 {
        socket.send(question.as_bytes()).await?;
        match socket.receive(WAIT).await {
            Ok(reply) => {
                let text = String::from_utf8_lossy(&reply).into_owned();
                let fields = text.lines().filter_map(|l| l.split_once(':'));
                found = fields
                    .into_iter()
                    .find(|(n, _)| n.trim().eq_ignore_ascii_case("location"))
                    .map(|(_, v)| v.trim().to_owned());
                break;
            }
            Err(Trouble::Silent(_)) => {}
            Err(t) => return Err(t),
        }
    }
    socket.close();
    Ok(found)
}

/// Endpoint and path of a plain HTTP address by number.
fn place(location: &str) -> Option<(Endpoint, String)> {
    let rest = location.strip_prefix("http://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let path = if path.is_empty() { "/" } else { path };
    let addr: Option<std::net::SocketAddr> = authority.parse().ok();
    let addr = addr.or_else(|| Some(std::net::SocketAddr::new(authority.parse().ok()?, 80)))?;
    Some((Endpoint::tcp(addr.ip(), addr.port()), path.to_owned()))
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
    fn a_description_on_another_host_or_by_name_is_told_apart() {
        let (at, path) = place("http://10.0.0.7:5000/rootDesc.xml").unwrap();
        assert_eq!((at.to_string().as_str(), path.as_str()), ("tcp/10.0.0.7:5000", "/rootDesc.xml"));
        assert_eq!(place("http://10.0.0.7").unwrap().0.port, 80);
        assert!(place("http://device.local/x").is_none() && place("https://10.0.0.7/").is_none());
    }

    #[test]
    fn the_elements_that_matter_are_read_and_cleaned() {
        let xml = "<device><serialNumber>SN\u{1b}1</serialNumber><serviceType>a</serviceType><serviceType>b</serviceType><x>y</x></device>";
        let f = fields(xml);
        assert_eq!(f["serialnumber"], ["SN.1"]);
        assert_eq!(f["servicetype"], ["a", "b"]);
        assert_eq!(f.len(), 2);
    }
}
