//! UDP services, found with questions in their own protocol.
use super::Probe;
use crate::model::{
    Endpoint, Observation, Subject, Touch, Transport, Why,
    observation::PortState,
    scope::{Pace, ranges},
};
use crate::scan::{
    data::builtin,
    net::{Trouble, wire::Replies},
    session::Ctx,
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::LazyLock,
    time::{Duration, Instant},
};

pub const PROBE: Probe = Probe {
    id: "udp-services",
    version: 1,
    title: "UDP services",
    page: include_str!("udp_services.md"),
    touch: Touch::Ask,
    subjects_from: &[],
    run: |ctx| Box::pin(run(ctx)),
};

const WAIT: Duration = Duration::from_millis(700);

#[derive(Deserialize)]
struct Written {
    #[serde(rename = "probe")]
    probes: Vec<Question>,
}

/// One row of the list: what to send where, and how to know the reply.
#[derive(Deserialize)]
pub struct Question {
    pub id: String,
    pub service: String,
    pub ports: Vec<u16>,
    #[serde(default)]
    payload: String,
    #[serde(default)]
    payload_text: String,
    #[serde(default)]
    random: Vec<Slice>,
    #[serde(default)]
    pad_to: usize,
    reply: Test,
    #[serde(default)]
    min_reply: usize,
    /// The answer comes from a port of its own.
    #[serde(default)]
    from_new_port: bool,
}

#[derive(Deserialize)]
struct Slice {
    at: usize,
    len: usize,
}

#[derive(Deserialize)]
struct Echo {
    at: usize,
    len: usize,
    reply_at: usize,
}

/// All the named tests must hold.
#[derive(Default, Deserialize)]
struct Test {
    #[serde(default)]
    prefix: Option<String>,
    #[serde(default)]
    mask: Option<String>,
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    at: usize,
    #[serde(default)]
    contains_text: Option<String>,
    #[serde(default)]
    echo: Option<Echo>,
    #[serde(default)]
    all: Vec<Test>,
    #[serde(default)]
    any: Vec<Test>,
}

static QUESTIONS: LazyLock<Vec<Question>> = LazyLock::new(|| {
    builtin::<Written>("udp-probes.toml", include_str!("../../../profiles/data/udp-probes.toml")).probes
});

/// The ports that are asked when nobody names any.
pub fn default_ports() -> Vec<u16> {
    QUESTIONS.iter().flat_map(|q| q.ports.iter().copied()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The questions of a service by their ids, filled for one endpoint.
pub fn questions_of(service: &str, e: Endpoint) -> Vec<(&'static str, Vec<u8>)> {
    QUESTIONS.iter().filter(|q| q.service == service).map(|q| (q.id.as_str(), q.bytes(e))).collect()
}

pub(super) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).filter_map(|d| u8::try_from(d).ok()).collect();
    digits.chunks_exact(2).map(|p| p.iter().fold(0, |n, d| n << 4 | d)).collect()
}

impl Question {
    /// The bytes of one sending, with its random places filled.
    fn bytes(&self, e: Endpoint) -> Vec<u8> {
        let text = self.payload_text.replace("{target}", &e.addr().to_string());
        let mut bytes = if self.payload.is_empty() { text.into_bytes() } else { unhex(&self.payload) };
        for s in &self.random {
            if let Some(place) = bytes.get_mut(s.at..s.at.saturating_add(s.len)) {
                place.fill_with(rand::random);
            }
        }
        bytes.resize(bytes.len().max(self.pad_to), 0);
        bytes
    }
}

impl Test {
    fn holds(&self, sent: &[u8], reply: &[u8]) -> bool {
        let from = reply.get(self.at..).unwrap_or_default();
        let prefix = self.prefix.as_ref().is_none_or(|p| from.starts_with(&unhex(p)));
        let masked = match (&self.mask, &self.value) {
            (Some(m), Some(v)) => {
                let (m, v) = (unhex(m), unhex(v));
                from.len() >= m.len() && m.iter().zip(&v).zip(from).all(|((m, v), b)| b & m == *v)
            }
            _ => true,
        };
        let text = self
            .contains_text
            .as_ref()
            .is_none_or(|t| String::from_utf8_lossy(reply).to_lowercase().contains(&t.to_lowercase()));
        let echo = self.echo.as_ref().is_none_or(|e| {
            let asked = sent.get(e.at..e.at.saturating_add(e.len));
            asked.is_some() && asked == reply.get(e.reply_at..e.reply_at.saturating_add(e.len))
        });
        prefix
            && masked
            && text
            && echo
            && self.all.iter().all(|t| t.holds(sent, reply))
            && (self.any.is_empty() || self.any.iter().any(|t| t.holds(sent, reply)))
    }
}

async fn run(ctx: &Ctx) {
    let ports = ctx.session.scope.ports.udp.clone().unwrap_or_else(default_ports);
    for host in ctx.session.hosts.clone() {
        sweep(ctx, host, &ports).await;
    }
}

async fn sweep(ctx: &Ctx, host: IpAddr, ports: &[u16]) {
    let started = Instant::now();
    let mut states: BTreeMap<&str, Vec<u16>> = BTreeMap::new();
    let mut asked = Vec::new();
    for port in ports.iter().filter(|p| !ctx.session.scope.excluded_ports.contains(p)) {
        if ctx.session.stopped() {
            ctx.gap(Some(Subject::Host(host)), Why::Interrupted);
            break;
        }
        let e = Endpoint::udp(host, *port);
        asked.push(*port);
        let list = match ask(ctx, e).await {
            Ok(PortState::Open) => "open",
            Ok(PortState::Refused) => "refused",
            Ok(PortState::Silent { .. }) => "silent",
            Err(t) => {
                ctx.trouble(None, e, &t);
                asked.pop();
                continue;
            }
        };
        states.entry(list).or_default().push(*port);
    }
    let list = |name: &str| states.get(name).map(|p| ranges(p)).unwrap_or_default();
    ctx.record(
        Subject::Host(host),
        Observation::Swept {
            transport: Transport::Udp,
            asked: ranges(&asked),
            open: list("open"),
            refused: list("refused"),
            silent: list("silent"),
            waited_ms: u64::try_from(WAIT.as_millis()).unwrap_or(u64::MAX),
            took_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        },
        None,
    );
}

/// Asks one port every question that may concern it, until one is answered.
async fn ask(ctx: &Ctx, e: Endpoint) -> Result<PortState, Trouble> {
    const ANYWHERE: [&str; 8] = ["coap", "coaps", "dns", "mdns", "ntp", "snmp", "ssdp", "tftp"];
    let own: Vec<&Question> = QUESTIONS.iter().filter(|q| q.ports.contains(&e.port)).collect();
    let strangers = || QUESTIONS.iter().filter(|q| ANYWHERE.contains(&q.service.as_str())).collect();
    let questions: Vec<&Question> = if own.is_empty() { strangers() } else { own };
    let pause = match ctx.session.scope.pace {
        Pace::Gentle => Duration::from_millis(200),
        Pace::Adaptive => Duration::from_millis(20),
        Pace::Fast => Duration::ZERO,
    };
    let mut socket = ctx.udp(e, Replies::ThatPort).await?;
    let mut unknown = false;
    // A lost datagram is asked again once.
    for question in questions.iter().chain(&questions) {
        tokio::time::sleep(pause).await;
        let bytes = question.bytes(e);
        let reply = match socket.send(&bytes).await {
            Ok(()) => socket.receive(WAIT).await,
            Err(t) => Err(t),
        };
        match reply {
            Ok(reply) if reply.len() >= question.min_reply && question.reply.holds(&bytes, &reply) => {
                let tape = socket.close();
                let service = Some(question.service.clone());
                ctx.record(e, Observation::Port { state: PortState::Open, service }, Some(tape));
                return Ok(PortState::Open);
            }
            Ok(_) => unknown = true,
            Err(Trouble::Refused | Trouble::Closed) => {
                let tape = socket.close();
                ctx.record(e, Observation::Port { state: PortState::Refused, service: None }, Some(tape));
                return Ok(PortState::Refused);
            }
            Err(Trouble::Silent(_)) => {}
            Err(t) => return Err(t),
        }
    }
    if unknown {
        let tape = socket.close();
        let service = Some("unknown".to_owned());
        ctx.record(e, Observation::Port { state: PortState::Open, service }, Some(tape));
        return Ok(PortState::Open);
    }
    for question in questions.iter().filter(|q| q.from_new_port) {
        let mut socket = ctx.udp(e, Replies::AnyPort).await?;
        let bytes = question.bytes(e);
        socket.send(&bytes).await?;
        let reply = socket.receive(WAIT).await;
        let tape = socket.close();
        if reply.is_ok_and(|r| r.len() >= question.min_reply && question.reply.holds(&bytes, &r)) {
            let service = Some(question.service.clone());
            ctx.record(e, Observation::Port { state: PortState::Open, service }, Some(tape));
            return Ok(PortState::Open);
        }
    }
    Ok(PortState::Silent { waited_ms: u64::try_from(WAIT.as_millis()).unwrap_or(u64::MAX) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_covers_the_services_that_we_promise() {
        let has: BTreeSet<&str> = QUESTIONS.iter().map(|q| q.service.as_str()).collect();
        for s in [
            "coap",
            "coaps",
            "dns",
            "mdns",
            "ssdp",
            "snmp",
            "ntp",
            "tftp",
            "dhcp",
            "ws-discovery",
            "sip",
            "mqtt-sn",
            "bacnet",
            "ike",
            "quic",
        ] {
            assert!(has.contains(s), "no question for {s}");
        }
    }

    #[test]
    fn random_places_differ_between_two_sendings() {
        let e = Endpoint::udp(std::net::Ipv4Addr::LOCALHOST.into(), 1);
        for q in QUESTIONS.iter().filter(|q| q.random.iter().any(|s| s.len >= 2)) {
            assert_ne!(q.bytes(e), q.bytes(e), "{}", q.service);
        }
    }
}
