//! NTP (RFC 5905): the time, and the control queries (modes 6 and 7) that should not be answered to strangers.

use std::net::SocketAddr;

use serde::Deserialize;

use crate::sim::SimError;
use crate::sim::listen::{Answerer, Raising};

/// Seconds from 1900 to 1970.
const ERA: i64 = 2_208_988_800;

/// An NTP service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ntp {
    pub port: u16,
    pub control: Control,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Control {
    Open,
    /// The list of clients (mode 7), too.
    Monlist,
    Silent,
}

impl Ntp {
    pub(super) async fn raise(&self, raising: &mut Raising) -> Result<(), SimError> {
        raising.udp(self.port, Clock(self.control)).await
    }
}

struct Clock(Control);

impl Answerer for Clock {
    fn answer(&self, _from: SocketAddr, datagram: &[u8]) -> Vec<Vec<u8>> {
        let answer = match (datagram.first().map(|first| first & 7), self.0) {
            (Some(3), _) => time(datagram),
            (Some(6), Control::Open | Control::Monlist) => variables(datagram),
            (Some(7), Control::Monlist) => return monlist(datagram),
            _ => None,
        };
        answer.into_iter().collect()
    }
}

fn time(query: &[u8]) -> Option<Vec<u8>> {
    let origin = query.get(40..48)?;
    let seconds = u32::try_from((crate::sim::clock::now().as_second() + ERA) & 0xffff_ffff).ok()?;
    let mut now = seconds.to_be_bytes().to_vec();
    now.extend_from_slice(&[0; 4]);
    // Version 4, server; stratum 3, poll 6, precision 2^-20.
    let mut answer = vec![0x24, 3, 6, 0xec];
    answer.extend_from_slice(&[0; 8]);
    answer.extend_from_slice(&[198, 51, 100, 9]);
    answer.extend_from_slice(&now);
    answer.extend_from_slice(origin);
    answer.extend_from_slice(&now);
    answer.extend_from_slice(&now);
    Some(answer)
}

/// The answer to "read variables" (RFC 9327).
fn variables(query: &[u8]) -> Option<Vec<u8>> {
    let sequence = query.get(2..4)?;
    let text = b"version=\"ntpd 4.2.6p5\", system=\"Linux/3.10.14\", stratum=3";
    let mut answer = vec![0x16, 0x82];
    answer.extend_from_slice(sequence);
    answer.extend_from_slice(&[0; 6]);
    answer.extend_from_slice(&u16::try_from(text.len()).ok()?.to_be_bytes());
    answer.extend_from_slice(text);
    answer.resize(answer.len().next_multiple_of(4), 0);
    Some(answer)
}

/// Packets of a full list: six clients of 72 bytes each.
const PACKETS: u8 = 4;

/// The answer to "monlist" (mode 7, implementation 3, request 42), in several packets.
fn monlist(query: &[u8]) -> Vec<Vec<u8>> {
    if query.get(2..4) != Some(&[3, 42]) {
        return Vec::new();
    }
    let packet = |n: u8| {
        // A response, and more of them to come but for the last.
        let mut answer = vec![if n + 1 < PACKETS { 0xd7 } else { 0x97 }, n, 3, 42, 0, 6, 0, 72];
        answer.resize(8 + 6 * 72, 0);
        answer
    };
    (0..PACKETS).map(packet).collect()
}
