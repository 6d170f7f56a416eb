//! UPnP as a control point speaks it: a search that is sent to the device alone, its description, and its services.
use crate::model::{Endpoint, Transport, Why, observation::clean};
use crate::scan::{
    codec::markup,
    net::{
        Trouble,
        http::{Reply, Request},
        wire::Replies,
    },
    session::{Ctx, Identified},
};
use html5gum::{Token, Tokenizer};
use std::{net::IpAddr, time::Duration};

const WAIT: Duration = Duration::from_secs(2);
/// Services of one description that are read.
const MOST: usize = 40;

/// Everything that answered a search.
pub fn responders(ctx: &Ctx) -> Vec<Identified> {
    let udp = |s: &Identified| s.endpoint.transport == Transport::Udp;
    ctx.services_named(&["ssdp", "upnp"]).into_iter().filter(udp).collect()
}

/// A description, and from where it came.
pub struct Described {
    /// As the responder wrote it.
    pub location: String,
    /// The web server that has it.
    pub web: Identified,
    pub reply: Reply,
    /// Our own address on the way to the device.
    pub own: IpAddr,
}

/// Searches and fetches. None: it lies on another host, which is a gap.
pub async fn described(ctx: &Ctx, s: &Identified) -> Result<Option<Described>, Trouble> {
    let (own, location) = search(ctx, s.endpoint).await?;
    let Some(location) = location else {
        let why = "the answer to a search names no description".to_owned();
        return Err(Trouble::NotUnderstood(why));
    };
    let Some((at, path)) = place(&location) else {
        return Err(Trouble::NotUnderstood(format!("`{}` is no address of a description", clean(&location, 120))));
    };
    // A responder may point anywhere; we ask the device only.
    if at.host != s.endpoint.host {
        ctx.gap(Some(at.into()), Why::OutOfScope);
        return Ok(None);
    }
    let (service, vendor, says) = ("http".to_owned(), None, Vec::new());
    let web = Identified { endpoint: at, service, tls: false, starttls: false, vendor, says };
    let reply = ctx.http(&web, Request::get(at.addr().to_string(), &path), &[]).await?;
    Ok(Some(Described { location, web, reply, own }))
}

/// Our own address and where the description is, by a search that is sent to the device alone.
async fn search(ctx: &Ctx, e: Endpoint) -> Result<(IpAddr, Option<String>), Trouble> {
    let mut socket = ctx.udp(e, Replies::ThatPort).await?;
    let own = socket.own_address()?;
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
    Ok((own, found))
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

/// A service of a description, with the paths that it names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    pub kind: String,
    pub control: String,
    pub events: String,
}

/// The services that a description lists. Addresses that are no paths on the same server are left out.
pub fn services(xml: &str) -> Vec<Service> {
    let (mut all, mut inside, mut one) = (Vec::new(), String::new(), Service::default());
    for token in Tokenizer::new(markup::tame(xml)).flatten() {
        match token {
            Token::StartTag(tag) => {
                inside = String::from_utf8_lossy(&tag.name).to_lowercase();
                if inside == "service" {
                    one = Service::default();
                }
            }
            Token::String(text) => {
                let text = String::from_utf8_lossy(&text).trim().to_owned();
                let path = || format!("/{}", text.trim_start_matches('/'));
                let fits = !text.is_empty() && text.len() < 200 && text.bytes().all(|b| b.is_ascii_graphic());
                match inside.as_str() {
                    "servicetype" if fits && !text.contains('"') => one.kind = text,
                    "controlurl" if fits && !text.contains("//") => one.control = path(),
                    "eventsuburl" if fits && !text.contains("//") => one.events = path(),
                    _ => {}
                }
            }
            Token::EndTag(tag) => {
                if tag.name.eq_ignore_ascii_case(b"service") && all.len() < MOST {
                    all.push(std::mem::take(&mut one));
                }
                inside.clear();
            }
            _ => {}
        }
    }
    all
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
    fn services_are_read_with_the_paths_that_belong_to_them() {
        let xml = "<serviceList><service><serviceType>urn:a:1</serviceType><controlURL>ctl/a</controlURL><eventSubURL/></service>\
            <service><serviceType>urn:b:1</serviceType><controlURL>http://203.0.113.5/x</controlURL><eventSubURL>/evt/b</eventSubURL>\
            </service></serviceList>";
        let service = |kind: &str, control: &str, events: &str| Service {
            kind: kind.to_owned(),
            control: control.to_owned(),
            events: events.to_owned(),
        };
        assert_eq!(services(xml), [service("urn:a:1", "/ctl/a", ""), service("urn:b:1", "", "/evt/b")]);
    }
}
