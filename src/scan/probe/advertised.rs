//! What the device announces by DNS-SD (RFC 6763), asked of the device itself (RFC 6762, 5.4).
use super::Probe;
use crate::model::{Endpoint, Observation, Subject, Touch, Transport, Why, observation::clean};
use crate::scan::{
    net::{Trouble, wire::Replies},
    session::{Ctx, Identified},
};
use hickory_proto::{
    op::{Message, Query},
    rr::{DNSClass, Name, RData, Record, RecordType},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};

pub const PROBE: Probe = Probe {
    id: "advertised",
    version: 1,
    title: "announced services",
    page: include_str!("advertised.md"),
    touch: Touch::Ask,
    subjects_from: &["udp-services", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

const WAIT: Duration = Duration::from_secs(1);
const BROWSE: &str = "_services._dns-sd._udp.local.";
/// Types, and instances of each, that are followed.
const MOST: usize = 32;
/// Class IN, and the bit that asks for a unicast answer.
const UNICAST: DNSClass = DNSClass::Unknown(0x8001);

async fn run(ctx: &Ctx) {
    let udp = |s: &Identified| s.endpoint.transport == Transport::Udp;
    let all = ctx.services_named(&["mdns"]).into_iter().filter(udp).collect();
    ctx.each_service(all, |s| async move { look(ctx, s.endpoint).await }).await;
}

async fn look(ctx: &Ctx, e: Endpoint) -> Result<(), Trouble> {
    let mut book = Book::default();
    let browse = Name::from_ascii(BROWSE).map_err(|x| Trouble::NotUnderstood(x.to_string()))?;
    ask(ctx, e, &browse, RecordType::PTR, &mut book).await?;
    let types = book.pointed(&browse);
    if types.len() > MOST {
        ctx.gap(Some(e.into()), Why::NotUnderstood(format!("{} types of services, {MOST} followed", types.len())));
    }
    for kind in types.into_iter().take(MOST) {
        ask(ctx, e, &kind, RecordType::PTR, &mut book).await?;
        let instances = book.pointed(&kind);
        if instances.is_empty() {
            ctx.record(e, nobody(&kind), None);
        }
        for instance in instances.into_iter().take(MOST) {
            if !book.places.contains_key(&key(&instance)) {
                ask(ctx, e, &instance, RecordType::SRV, &mut book).await?;
            }
            if let Some(host) = book.places.get(&key(&instance)).map(|p| p.host.clone())
                && !book.addresses.contains_key(&key(&host))
            {
                ask(ctx, e, &host, RecordType::A, &mut book).await?;
            }
            ctx.record(e, book.told(ctx, &kind, &instance), None);
        }
    }
    Ok(())
}

/// A type that is announced, and no instance of it.
fn nobody(kind: &Name) -> Observation {
    let (service, text) = (short(kind), Vec::new());
    Observation::Advertised { service, instance: String::new(), host: String::new(), at: None, text }
}

/// Asks twice before silence is believed. Silence is what a responder says that does not know.
async fn ask(ctx: &Ctx, e: Endpoint, name: &Name, kind: RecordType, book: &mut Book) -> Result<(), Trouble> {
    let bad = |x: &dyn std::fmt::Display| Trouble::NotUnderstood(format!("mDNS: {x}"));
    let mut query = Query::query(name.clone(), kind);
    query.set_query_class(UNICAST);
    let mut message = Message::query();
    message.metadata.recursion_desired = false;
    message.add_query(query);
    let question = message.to_vec().map_err(|x| bad(&x))?;
    let mut socket = ctx.udp(e, Replies::ThatPort).await?;
    for _ in 0..2 {
        socket.send(&question).await?;
        match socket.receive(WAIT).await {
            Ok(reply) => {
                let reply = Message::from_vec(&reply).map_err(|x| bad(&x))?;
                reply.all_sections().for_each(|r| book.add(r));
                for value in reply.all_sections().flat_map(|r| persons(&r.data)) {
                    socket.tape.hide(value.as_bytes());
                }
                break;
            }
            Err(Trouble::Silent(_)) => {}
            Err(t) => return Err(t),
        }
    }
    socket.close();
    Ok(())
}

/// Keys whose values are somebody's: that they are there is told, the value is not kept.
const PERSONAL: [&str; 7] = ["owner", "user", "username", "email", "mail", "phone", "ssid"];

fn person(entry: &str) -> Option<(&str, &str)> {
    let (key, value) = entry.split_once('=')?;
    let personal = PERSONAL.contains(&key.trim().to_ascii_lowercase().as_str()) || value.contains('@');
    (personal && !value.is_empty()).then_some((key, value))
}

fn unnamed(entry: &str) -> String {
    person(entry).map_or(entry.to_owned(), |(key, _)| format!("{key}=(not kept)"))
}

fn persons(data: &RData) -> Vec<String> {
    let RData::TXT(txt) = data else { return Vec::new() };
    let entries = txt.txt_data.iter().map(|t| String::from_utf8_lossy(t).into_owned());
    entries.filter_map(|t| person(&t).map(|(_, value)| value.to_owned())).collect()
}

/// Names are compared without regard to case.
fn key(name: &Name) -> String {
    name.to_lowercase().to_ascii()
}

/// `_http._tcp` of `_http._tcp.local.`
fn short(kind: &Name) -> String {
    let text = kind.to_utf8();
    clean(text.trim_end_matches('.').trim_end_matches(".local"), 80)
}

struct Place {
    host: Name,
    port: u16,
}

/// All records that came so far.
#[derive(Default)]
struct Book {
    pointers: BTreeMap<String, Vec<Name>>,
    places: BTreeMap<String, Place>,
    texts: BTreeMap<String, Vec<String>>,
    addresses: BTreeMap<String, BTreeSet<IpAddr>>,
}

impl Book {
    fn add(&mut self, record: &Record) {
        let owner = key(&record.name);
        match &record.data {
            RData::PTR(to) => {
                let all = self.pointers.entry(owner).or_default();
                if !all.contains(&to.0) {
                    all.push(to.0.clone());
                }
            }
            RData::SRV(srv) => {
                self.places.insert(owner, Place { host: srv.target.clone(), port: srv.port });
            }
            RData::TXT(txt) => {
                let entries = txt.txt_data.iter().filter(|t| !t.is_empty()).take(MOST);
                let entries = entries.map(|t| clean(&unnamed(&String::from_utf8_lossy(t)), 120)).collect();
                self.texts.insert(owner, entries);
            }
            RData::A(a) => {
                self.addresses.entry(owner).or_default().insert(IpAddr::V4(a.0));
            }
            RData::AAAA(a) => {
                self.addresses.entry(owner).or_default().insert(IpAddr::V6(a.0));
            }
            _ => {}
        }
    }

    fn pointed(&self, name: &Name) -> Vec<Name> {
        self.pointers.get(&key(name)).cloned().unwrap_or_default()
    }

    fn told(&self, ctx: &Ctx, kind: &Name, instance: &Name) -> Observation {
        let label = instance.iter().next().unwrap_or_default();
        let place = self.places.get(&key(instance));
        let service = short(kind);
        let transport = if service.ends_with("_udp") { Transport::Udp } else { Transport::Tcp };
        // A responder may speak for a device that sleeps; only an address tells whose service it is.
        let mine = |p: &Place| {
            let known = self.addresses.get(&key(&p.host))?;
            ctx.session.hosts.iter().find(|h| known.contains(*h)).copied()
        };
        let at = place.and_then(|p| Some(Endpoint { host: mine(p)?, transport, port: p.port }));
        Observation::Advertised {
            service,
            instance: clean(&String::from_utf8_lossy(label), 80),
            host: place.map(|p| clean(&format!("{}:{}", p.host.to_utf8(), p.port), 120)).unwrap_or_default(),
            at: at.map(Subject::from),
            text: self.texts.get(&key(instance)).cloned().unwrap_or_default(),
        }
    }
}
