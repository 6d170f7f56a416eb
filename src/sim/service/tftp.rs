//! TFTP (RFC 1350), read requests only: the first block of each file it has. It answers from its own port.

use std::net::SocketAddr;

use serde::Deserialize;

use crate::sim::SimError;
use crate::sim::fill::fill;
use crate::sim::listen::{Answerer, Raising};

const BLOCK: usize = 512;
const NOT_FOUND: &[u8] = b"\0\x05\0\x01File not found\0";

/// A TFTP server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tftp {
    pub port: u16,
    #[serde(default)]
    pub files: Vec<File>,
    /// Every name gets an empty block.
    #[serde(default)]
    pub hollow: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub name: String,
    pub text: String,
}

impl Tftp {
    pub(super) async fn raise(&self, raising: &mut Raising) -> Result<(), SimError> {
        let mut spec = self.clone();
        for file in &mut spec.files {
            file.text = fill(&file.text, &raising.stage);
        }
        raising.udp(self.port, Server(spec)).await
    }
}

struct Server(Tftp);

impl Answerer for Server {
    fn answer(&self, _from: SocketAddr, datagram: &[u8]) -> Vec<Vec<u8>> {
        let Some(request) = datagram.strip_prefix(b"\0\x01") else { return Vec::new() };
        let name = request.split(|b| *b == 0).next().unwrap_or_default();
        let found = self.0.files.iter().find(|file| file.name.as_bytes() == name);
        let block = |text: &[u8]| [b"\0\x03\0\x01", text.get(..BLOCK).unwrap_or(text)].concat();
        vec![match found {
            Some(file) => block(file.text.as_bytes()),
            None if self.0.hollow => block(b""),
            None => NOT_FOUND.to_vec(),
        }]
    }
}
