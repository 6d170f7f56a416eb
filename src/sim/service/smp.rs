//! MCUmgr's SMP over UDP (Zephyr): an echo, and the list of images.

use std::net::SocketAddr;

use serde::Deserialize;

use crate::sim::SimError;
use crate::sim::fill::fill;
use crate::sim::listen::{Answerer, Raising};

/// An SMP listener.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smp {
    pub port: u16,
    pub images: Images,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Images {
    /// Named to anybody.
    Named,
    /// The group of images is left out of the build.
    None,
}

impl Smp {
    pub(super) async fn raise(&self, raising: &mut Raising) -> Result<(), SimError> {
        let version = fill("{firmware}", &raising.stage);
        raising.udp(self.port, Listener { images: self.images, version }).await
    }
}

struct Listener {
    images: Images,
    version: String,
}

impl Answerer for Listener {
    fn answer(&self, _from: SocketAddr, datagram: &[u8]) -> Vec<Vec<u8>> {
        let Some([op @ (0 | 2), _, _, _, group, small, sequence, id]) = datagram.get(..8) else { return Vec::new() };
        let body = match (group, small, id, self.images) {
            // {"d": ...} comes back as {"r": ...}.
            (0, 0, 0, _) => match datagram.get(8..) {
                Some([map, name, b'd', rest @ ..]) => [&[*map, *name, b'r'], rest].concat(),
                _ => return Vec::new(),
            },
            (0, 1, 0, Images::Named) => self.list(),
            // {"rc": 8}: not supported.
            _ => b"\xa1\x62rc\x08".to_vec(),
        };
        let length = u16::try_from(body.len()).unwrap_or_default().to_be_bytes();
        vec![[&[op + 1, 0], &length[..], &[*group, *small, *sequence, *id], &body].concat()]
    }
}

impl Listener {
    /// {"images": [{"slot": 0, "version": ...}]}
    fn list(&self) -> Vec<u8> {
        let version: String = self.version.chars().take(23).collect();
        // A text of up to 23 bytes.
        let length = 0x60 | u8::try_from(version.len()).unwrap_or_default();
        [b"\xa1\x66images\x81\xa2\x64slot\x00\x67version", &[length][..], version.as_bytes()].concat()
    }
}
