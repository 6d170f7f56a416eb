//! Multicast DNS (RFC 6762) as far as unicast goes: one DNS-SD service, answered to whoever asks the device itself.
//!
//! It joins no group, so that a simulation never speaks on a real network.

use std::net::{IpAddr, SocketAddr};

use serde::Deserialize;

use super::dns::{A, ANY, IN, PTR, Question, SRV, TXT, name, record, text};
use crate::sim::SimError;
use crate::sim::fill::fill;
use crate::sim::listen::{Answerer, Raising};

const BROWSE: &str = "_services._dns-sd._udp.local";
const AUTHORITATIVE: u16 = 0x0400;
/// The bit that asks for a unicast answer (RFC 6762, 5.4).
const CLASS: u16 = 0x7fff;

/// An mDNS responder.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mdns {
    pub port: u16,
    /// Such as `_http._tcp`.
    pub service: String,
    /// Such as `Hub 2`; a dot would split it.
    pub instance: String,
    /// Port of the device file on which the service is.
    pub target: u16,
    #[serde(default)]
    pub txt: Vec<String>,
}

impl Mdns {
    pub(super) async fn raise(&self, raising: &mut Raising) -> Result<(), SimError> {
        let stage = &raising.stage;
        let service = format!("{}.local", self.service);
        let responder = Responder {
            instance: format!("{}.{service}", fill(&self.instance, stage).replace('.', "-")),
            service,
            target: stage.port(self.target)?,
            host: stage.host,
            host_name: format!("{}.local", stage.identity.serial),
            txt: self.txt.iter().map(|entry| fill(entry, stage)).collect(),
        };
        raising.udp(self.port, responder).await
    }
}

struct Responder {
    service: String,
    instance: String,
    host_name: String,
    host: IpAddr,
    target: u16,
    txt: Vec<String>,
}

impl Answerer for Responder {
    fn answer(&self, _from: SocketAddr, datagram: &[u8]) -> Vec<Vec<u8>> {
        let Some(question) = Question::parse(datagram) else { return Vec::new() };
        let answers = self.records(&question);
        // Who does not know stays silent (RFC 6762, 6).
        if answers.is_empty() { Vec::new() } else { vec![question.respond(AUTHORITATIVE, &answers)] }
    }
}

impl Responder {
    fn records(&self, question: &Question) -> Vec<Vec<u8>> {
        if question.class & CLASS != IN {
            return Vec::new();
        }
        let asked = |owner: &str, kind: u16| {
            question.name == owner.to_ascii_lowercase() && [kind, ANY].contains(&question.kind)
        };
        let mut records = Vec::new();
        if asked(BROWSE, PTR) {
            records.push(record(BROWSE, PTR, IN, &name(&self.service)));
        }
        if asked(&self.service, PTR) {
            records.push(record(&self.service, PTR, IN, &name(&self.instance)));
        }
        let found = asked(&self.service, PTR);
        if found || asked(&self.instance, SRV) {
            let mut data = vec![0; 4];
            data.extend_from_slice(&self.target.to_be_bytes());
            data.extend(name(&self.host_name));
            records.push(record(&self.instance, SRV, IN, &data));
        }
        if found || asked(&self.instance, TXT) {
            let data: Vec<u8> = self.txt.iter().flat_map(|entry| text(entry)).collect();
            records.push(record(&self.instance, TXT, IN, if data.is_empty() { &[0] } else { &data }));
        }
        if let IpAddr::V4(host) = self.host
            && (found || asked(&self.host_name, A))
        {
            records.push(record(&self.host_name, A, IN, &host.octets()));
        }
        records
    }
}
