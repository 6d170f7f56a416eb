//! What was observed, as `inventory/1`: endpoints, services, TLS, authentication, accepted credentials, completeness.
use crate::model::{
    Endpoint, Observation, Record, Recording, Transport, Why,
    observation::{Answer, Asks, PortState, Presented, TlsAnswer},
    scope::ranges,
};
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

pub const SCHEMA: &str = "inventory/1";

#[derive(Debug, Serialize)]
pub struct Inventory {
    pub schema: &'static str,
    pub dut: Dut,
    pub completeness: Completeness,
    pub endpoints: Vec<Row>,
    pub gaps: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Dut {
    pub hosts: Vec<String>,
    pub traits: BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
pub struct Completeness {
    pub tcp: Tcp,
    pub udp: Udp,
}

#[derive(Debug, Serialize)]
pub struct Tcp {
    pub range: String,
    pub complete: bool,
    pub gaps: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Udp {
    pub ports: Vec<u16>,
    pub complete: bool,
    pub gaps: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Row {
    pub host: String,
    pub transport: Transport,
    pub port: u16,
    pub state: &'static str,
    pub service: String,
    pub product: Option<String>,
    pub version: Option<String>,
    pub tls: Option<Value>,
    pub authentication: &'static str,
    pub logins: Vec<Login>,
    pub facts: BTreeMap<String, Value>,
    pub evidence: Vec<String>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Login {
    pub mechanism: String,
    pub user: String,
    /// The list id, `any` when a random one works too, `none` when none is needed.
    pub credential: String,
    pub accepted: bool,
}

pub fn inventory(recording: &Recording) -> Inventory {
    let mut all: BTreeMap<Endpoint, Vec<&Record>> = BTreeMap::new();
    for (e, r) in recording.records().filter_map(|r| Some((r.subject.endpoint()?, r))) {
        all.entry(e).or_default().push(r);
    }
    let is_open = |r: &&Record| matches!(r.observation, Observation::Port { state: PortState::Open, .. });
    all.retain(|_, records| records.iter().any(&is_open));
    let traits = recording.records().filter_map(|r| match &r.observation {
        Observation::Trait { name, value } => Some((name.clone(), value.clone())),
        _ => None,
    });
    Inventory {
        schema: SCHEMA,
        dut: Dut { hosts: recording.header.hosts.iter().map(ToString::to_string).collect(), traits: traits.collect() },
        completeness: completeness(recording),
        endpoints: all.into_iter().map(|(e, records)| row(e, records)).collect(),
        gaps: recording.gaps().iter().map(ToString::to_string).collect(),
    }
}

fn completeness(recording: &Recording) -> Completeness {
    let swept = |wanted: Transport| -> Vec<&str> {
        let all = recording.records().filter_map(move |r| match &r.observation {
            Observation::Swept { transport, asked, .. } if *transport == wanted => Some(asked.as_str()),
            _ => None,
        });
        all.collect()
    };
    // A range that was chosen narrower is complete in itself; judging still counts it as a gap.
    let gaps = |probe: &str| -> Vec<String> {
        let all = recording.gaps_of(probe);
        all.iter().filter(|g| g.why != Why::OutOfScope).map(ToString::to_string).collect()
    };
    let (tcp, udp) = (gaps("tcp-ports"), gaps("udp-services"));
    let asked = swept(Transport::Udp).first().map(|a| format!("udp:{a}")).unwrap_or_default();
    let ports = asked.parse::<crate::model::scope::PortSpec>().ok().and_then(|p| p.udp).unwrap_or_default();
    Completeness {
        tcp: Tcp {
            range: swept(Transport::Tcp).first().map_or_else(|| ranges(&[]), ToString::to_string),
            complete: tcp.is_empty(),
            gaps: tcp,
        },
        udp: Udp { ports, complete: udp.is_empty(), gaps: udp },
    }
}

fn row(e: Endpoint, records: Vec<&Record>) -> Row {
    let mut row = Row {
        host: e.host.to_string(),
        transport: e.transport,
        port: e.port,
        state: "open",
        service: "unknown".to_owned(),
        product: None,
        version: None,
        tls: None,
        authentication: "unknown",
        logins: Vec::new(),
        facts: BTreeMap::new(),
        evidence: records.iter().map(|r| r.id.to_string()).collect(),
    };
    let (mut logins, mut tls, mut versions, mut certificate) = (BTreeSet::new(), false, Vec::new(), Value::Null);
    let (mut asks, mut free) = (false, false);
    for r in records {
        match &r.observation {
            Observation::Port { service: Some(s), .. } if row.service == "unknown" => row.service.clone_from(s),
            Observation::Service { service, tls: t, product, version, starttls, .. } => {
                row.service.clone_from(service);
                row.product.clone_from(product);
                row.version.clone_from(version);
                tls |= *t;
                if *starttls {
                    row.facts.insert("starttls".to_owned(), json!(true));
                }
            }
            Observation::Tls { version, answer: TlsAnswer::Accepted { .. } } => {
                tls = true;
                versions.push(version.word());
            }
            Observation::Certificate { certificate: c } => {
                certificate = json!({"self_signed": c.self_signed, "not_before": c.not_before, "not_after": c.not_after,
                    "key": c.key, "names": c.names, "sha256": c.sha256.hex()});
            }
            Observation::LoginSurface { mechanism, asks: a, .. } => {
                asks |= *a == Asks::Yes;
                free |= *a == Asks::No;
                push(&mut row.facts, "login.mechanisms", json!(mechanism.word()));
            }
            Observation::LoginTrial { mechanism, user, presented, answer: Answer::Accepted, .. } => {
                let credential = match presented {
                    Presented::Nothing => "none".to_owned(),
                    Presented::Wrong => "any".to_owned(),
                    Presented::Anonymous => "anonymous".to_owned(),
                    Presented::Supplied => "supplied".to_owned(),
                    Presented::Listed(id) => id.clone(),
                };
                let mechanism = mechanism.word().to_owned();
                logins.insert(Login { mechanism, user: user.clone(), credential, accepted: true });
            }
            Observation::MqttConnect { protocol, presented: Presented::Nothing, code, accepted, .. } => {
                if *code != 1 && *code != 0x84 {
                    push(&mut row.facts, "mqtt.protocols", json!(protocol));
                }
                let before = row.facts.get("mqtt.anonymous") == Some(&json!(true));
                row.facts.insert("mqtt.anonymous".to_owned(), json!(before || *accepted));
                free |= accepted;
                asks |= !accepted;
            }
            Observation::CoapRead { path, code, .. } => {
                free |= code == "2.05";
                asks |= code == "4.01";
                push(&mut row.facts, "coap.resources", json!({"path": path, "code": code}));
            }
            Observation::Snmp { version, presented, answered: true, sysdescr } => {
                push(&mut row.facts, "snmp.versions", json!(version));
                if let Presented::Listed(id) = presented {
                    asks = true;
                    let mechanism = "snmp".to_owned();
                    logins.insert(Login { mechanism, user: String::new(), credential: id.clone(), accepted: true });
                }
                if let Some(s) = sysdescr {
                    row.facts.insert("snmp.sysdescr".to_owned(), json!(s));
                }
            }
            Observation::Http { page } if page.path == "/" => {
                row.facts.insert("http.status".to_owned(), json!(page.status));
                row.facts.insert("http.title".to_owned(), json!(page.title));
            }
            Observation::Dtls { answer } => {
                row.facts.insert("dtls.answer".to_owned(), json!(answer));
            }
            _ => {}
        }
    }
    row.authentication = if free {
        "none"
    } else if asks {
        "required"
    } else {
        "unknown"
    };
    row.tls = tls.then(|| json!({"versions": versions, "certificate": certificate}));
    row.logins = logins.into_iter().collect();
    row
}

fn push(facts: &mut BTreeMap<String, Value>, key: &str, value: Value) {
    let list = facts.entry(key.to_owned()).or_insert_with(|| json!([]));
    if let Some(list) = list.as_array_mut().filter(|l| !l.contains(&value)) {
        list.push(value);
    }
}

pub fn json(inventory: &Inventory) -> String {
    serde_json::to_string_pretty(inventory).unwrap_or_default() + "\n"
}

/// One line per endpoint, for people.
pub fn text(inventory: &Inventory) -> String {
    let mut out = format!("{}\n", inventory.dut.hosts.join(", "));
    for r in &inventory.endpoints {
        let product = [r.product.as_deref(), r.version.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let tls = if r.tls.is_some() { "tls" } else { "-" };
        let at = format!("{}/{}", r.transport, r.port);
        let _ = writeln!(out, "  {at:<11} {:<14} {tls:<4} auth {:<9} {product}", r.service, r.authentication);
        for l in &r.logins {
            let _ = writeln!(out, "              accepted: {} user `{}` with {}", l.mechanism, l.user, l.credential);
        }
    }
    let (tcp, udp) = (&inventory.completeness.tcp, &inventory.completeness.udp);
    let word = |c: bool| if c { "complete" } else { "NOT complete" };
    let _ = writeln!(
        out,
        "TCP {}: {}; UDP {} ports: {}",
        tcp.range,
        word(tcp.complete),
        udp.ports.len(),
        word(udp.complete)
    );
    for g in &inventory.gaps {
        let _ = writeln!(out, "  not looked at: {g}");
    }
    out
}

/// RFC 4180, one row per endpoint.
pub fn csv(inventory: &Inventory) -> String {
    let mut out = "host,transport,port,state,service,product,version,tls,authentication,logins\r\n".to_owned();
    for r in &inventory.endpoints {
        let logins: Vec<String> =
            r.logins.iter().map(|l| format!("{}:{}:{}", l.mechanism, l.user, l.credential)).collect();
        let tls = r.tls.as_ref().map_or("no", |_| "yes");
        let fields = [
            r.host.clone(),
            r.transport.to_string(),
            r.port.to_string(),
            r.state.to_owned(),
            r.service.clone(),
            r.product.clone().unwrap_or_default(),
            r.version.clone().unwrap_or_default(),
            tls.to_owned(),
            r.authentication.to_owned(),
            logins.join(" "),
        ];
        // A leading = + - @ would be a formula to a spreadsheet.
        let quote = |f: &String| {
            let f = if f.starts_with(['=', '+', '-', '@']) { format!("'{f}") } else { f.clone() };
            format!("\"{}\"", f.replace('"', "\"\""))
        };
        let _ = write!(out, "{}\r\n", fields.iter().map(quote).collect::<Vec<_>>().join(","));
    }
    out
}
