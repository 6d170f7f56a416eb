//! SSDP: the unicast answer to M-SEARCH, pointing to a description that an HTTP service of the device shows.

use std::net::SocketAddr;

use serde::Deserialize;

use crate::sim::SimError;
use crate::sim::fill::fill;
use crate::sim::listen::{Answerer, Raising};

/// An SSDP responder. It joins no group.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ssdp {
    pub port: u16,
    #[serde(default)]
    pub server: String,
    /// The UPnP device type.
    pub target: String,
    pub uuid: String,
    /// Port of the device file and path of the description.
    pub location: Location,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Location {
    pub port: u16,
    pub path: String,
}

impl Ssdp {
    pub(super) async fn raise(&self, raising: &mut Raising) -> Result<(), SimError> {
        let stage = &raising.stage;
        let location = format!("http://{}{}", stage.authority(self.location.port, 80)?, self.location.path);
        let server = fill(&self.server, stage);
        let responder = Responder { server, target: self.target.clone(), uuid: fill(&self.uuid, stage), location };
        raising.udp(self.port, responder).await
    }
}

struct Responder {
    server: String,
    target: String,
    uuid: String,
    location: String,
}

impl Answerer for Responder {
    fn answer(&self, _from: SocketAddr, datagram: &[u8]) -> Vec<Vec<u8>> {
        let text = String::from_utf8_lossy(datagram);
        if !text.starts_with("M-SEARCH ") {
            return Vec::new();
        }
        let search = text
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("st"))
            .map_or("", |(_, value)| value.trim());
        match search {
            "ssdp:all" | "upnp:rootdevice" => vec![self.found("upnp:rootdevice")],
            other if other == self.target => vec![self.found(other)],
            _ => Vec::new(),
        }
    }
}

impl Responder {
    fn found(&self, target: &str) -> Vec<u8> {
        let Self { server, uuid, location, .. } = self;
        format!(
            "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nEXT:\r\nLOCATION: {location}\r\nSERVER: {server}\r\n\
             ST: {target}\r\nUSN: uuid:{uuid}::{target}\r\n\r\n"
        )
        .into_bytes()
    }
}
