//! NAT-PMP and PCP (RFC 6886, RFC 6887): the external address and announcements. No mapping is made.

use std::net::SocketAddr;

use serde::Deserialize;

use crate::sim::SimError;
use crate::sim::listen::{Answerer, Raising};

/// A service for port mappings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Natpmp {
    pub port: u16,
    /// The result code: 0 is success, 2 refuses.
    #[serde(default)]
    pub result: u8,
}

impl Natpmp {
    pub(super) async fn raise(&self, raising: &mut Raising) -> Result<(), SimError> {
        raising.udp(self.port, Gateway(self.result)).await
    }
}

struct Gateway(u8);

impl Answerer for Gateway {
    fn answer(&self, _from: SocketAddr, datagram: &[u8]) -> Vec<Vec<u8>> {
        let answer = match datagram {
            // Version, opcode, result, epoch, and a public address for documentation.
            [0, 0] => vec![0, 0x80, 0, self.0, 0, 0, 0, 9, 198, 51, 100, 20],
            // An announcement is answered with its header.
            [2, 0, ..] if datagram.len() >= 24 => {
                let mut answer = vec![2, 0x80, 0, self.0, 0, 0, 0, 0, 0, 0, 0, 9];
                answer.resize(24, 0);
                answer
            }
            _ => return Vec::new(),
        };
        vec![answer]
    }
}
