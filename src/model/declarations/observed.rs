//! What a recording shows, as entries that a maker checks and then declares. Each is marked, and none counts yet.
use super::{
    form::Edition,
    ixit::{Entry, Ixit},
    secret,
    value::Value,
};
use crate::model::{
    Endpoint, Observation, Recording, Transport,
    observation::{Asks, PortState},
};
use std::collections::{BTreeMap, BTreeSet};

/// The tables that can be read off a recording: endpoints, log-ins, services, software.
pub fn ixit(recording: &Recording, edition: Edition) -> Ixit {
    let seen = Seen::of(recording);
    let mut tables = BTreeMap::new();
    let mut put = |key: &str, entries: Vec<Entry>| {
        if !entries.is_empty() {
            tables.insert(key.to_owned(), entries);
        }
    };
    put("x-endpoints", seen.endpoints());
    put("1-AuthMech", seen.log_ins());
    put("13-SoftServ", seen.services());
    put("6-SoftComp", seen.software());
    put("dut", seen.firmware());
    Ixit { edition, tables, ..Ixit::default() }
}

type Port = (Transport, u16);

#[derive(Default)]
struct Seen<'a> {
    /// Open ports and what they speak.
    open: BTreeMap<Port, &'a str>,
    tls: BTreeSet<Port>,
    /// Mechanism, port and path.
    log_ins: BTreeSet<(&'static str, Port, &'a str)>,
    software: BTreeSet<(&'a str, &'a str)>,
    versions: BTreeSet<&'a str>,
}

impl<'a> Seen<'a> {
    fn of(recording: &'a Recording) -> Self {
        let mut seen = Self::default();
        for record in recording.records() {
            if let Some(at) = record.subject.endpoint() {
                seen.take(at, &record.observation);
            }
        }
        seen
    }

    fn take(&mut self, at: Endpoint, observation: &'a Observation) {
        let port = (at.transport, at.port);
        match observation {
            Observation::Port { state: PortState::Open, service } => {
                self.open.entry(port).or_insert(service.as_deref().unwrap_or("unknown"));
            }
            Observation::Service { service, tls, product, version, .. } => {
                self.open.insert(port, service);
                if *tls {
                    self.tls.insert(port);
                }
                if let Some(product) = product {
                    self.software.insert((product, version.as_deref().unwrap_or_default()));
                }
            }
            Observation::LoginSurface { mechanism, path, asks: Asks::Yes | Asks::Unclear, .. } => {
                self.log_ins.insert((mechanism.word(), port, path));
            }
            Observation::Http { page } => self.versions.extend(page.versions.iter().map(String::as_str)),
            // Whatever else a probe saw belongs into no table.
            _ => {}
        }
    }

    fn endpoints(&self) -> Vec<Entry> {
        let one = |(port, service): (&Port, &&str)| {
            let secured = if self.tls.contains(port) { with_tls(service) } else { service };
            let mut e = entry(&[("transport", &port.0.to_string()), ("protocol", secured)]);
            e.fields.insert("port".to_owned(), Value::Number(i64::from(port.1)));
            let guards: Vec<String> = self.guards(*port);
            if !guards.is_empty() {
                e.fields.insert("auth_ref".to_owned(), Value::List(guards));
            }
            e
        };
        self.open.iter().map(one).collect()
    }

    /// Ids of the log-ins seen on a port.
    fn guards(&self, port: Port) -> Vec<String> {
        let of = self.log_ins.iter().enumerate().filter(|(_, (_, p, _))| *p == port);
        of.map(|(n, _)| format!("AuthMech-{}", n + 1)).collect()
    }

    fn log_ins(&self) -> Vec<Entry> {
        let one = |(n, (word, (transport, port), path)): (usize, &(&str, Port, &str))| {
            let description = format!("log-in by {word} on {transport}/{port} {path}");
            entry(&[("id", &format!("AuthMech-{}", n + 1)), ("description", &description), ("x-mechanism", word)])
        };
        self.log_ins.iter().enumerate().map(one).collect()
    }

    fn services(&self) -> Vec<Entry> {
        let one = |(n, (port, service)): (usize, (&Port, &&str))| {
            let description = format!("{service} on {}/{}", port.0, port.1);
            let mut e =
                entry(&[("id", &format!("SoftServ-{}", n + 1)), ("description", &description), ("status", "enabled")]);
            let guards = self.guards(*port);
            if !guards.is_empty() {
                e.fields.insert("auth_mechanisms".to_owned(), Value::List(guards));
            }
            e
        };
        self.open.iter().enumerate().map(one).collect()
    }

    fn software(&self) -> Vec<Entry> {
        let one = |(n, (product, version)): (usize, &(&str, &str))| {
            entry(&[("id", &format!("SoftComp-{}", n + 1)), ("description", product), ("version", version)])
        };
        self.software.iter().enumerate().map(one).collect()
    }

    fn firmware(&self) -> Vec<Entry> {
        self.versions.iter().take(1).map(|v| entry(&[("firmware_version", v)])).collect()
    }
}

fn entry(fields: &[(&str, &str)]) -> Entry {
    let mut e = Entry { observed: true, ..Entry::default() };
    for (key, text) in fields {
        // A banner that shows a password must not make the declaration hold it.
        let text = if secret::in_clear(text) { "(left out: it shows a secret)" } else { text };
        if !text.trim().is_empty() {
            e.fields.insert((*key).to_owned(), Value::Text(text.trim().to_owned()));
        }
    }
    e
}

fn with_tls(service: &str) -> &str {
    match service {
        "http" => "https",
        "mqtt" => "mqtts",
        "ftp" => "ftps",
        "coap" => "coaps",
        "rtsp" => "rtsps",
        other => other,
    }
}
