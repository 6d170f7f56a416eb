//! What passed over one connection: bytes both ways with times, secrets masked.
use super::super::{journal::Journal, sensitive};
use crate::model::{Endpoint, Sha256Digest};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{sync::Arc, time::Instant};

/// Bytes kept per direction; what exceeds it is counted, not kept.
const KEPT: usize = 256 * 1024;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Sent,
    Received,
}

pub struct Tape {
    journal: Arc<Journal>,
    endpoint: Endpoint,
    local: String,
    layer: &'static str,
    opened: String,
    since: Instant,
    chunks: Vec<(u128, Way, Vec<u8>)>,
    kept: [usize; 2],
    total: [u64; 2],
    secrets: Vec<Vec<u8>>,
    /// Of what is received, nothing after the head of an HTTP reply is kept.
    heads_only: bool,
}

impl Tape {
    pub fn new(journal: Arc<Journal>, endpoint: Endpoint, local: String) -> Self {
        Self {
            journal,
            endpoint,
            local,
            layer: "wire",
            opened: super::super::clock::now(),
            since: Instant::now(),
            chunks: Vec::new(),
            kept: [0; 2],
            total: [0; 2],
            secrets: Vec::new(),
            heads_only: false,
        }
    }

    /// From here on the bytes are those inside TLS.
    pub fn inside_tls(&mut self) {
        self.layer = "tls-plaintext";
    }

    pub fn sent(&mut self, bytes: &[u8]) {
        self.push(Way::Sent, bytes);
    }

    pub fn received(&mut self, bytes: &[u8]) {
        self.push(Way::Received, bytes);
    }

    /// Bytes that came and must not be kept: pictures, sound.
    pub fn passed(&mut self, bytes: usize) {
        let [_, received] = &mut self.total;
        *received += bytes as u64;
    }

    /// The body of the reply may be private: it is counted, not kept.
    pub fn heads_only(&mut self) {
        self.heads_only = true;
    }

    fn push(&mut self, way: Way, bytes: &[u8]) {
        let [sent, received] = &mut self.kept;
        let kept = match way {
            Way::Sent => sent,
            Way::Received => received,
        };
        let keep = bytes.len().min(KEPT.saturating_sub(*kept));
        *kept += keep;
        let [sent, received] = &mut self.total;
        *match way {
            Way::Sent => sent,
            Way::Received => received,
        } += bytes.len() as u64;
        if let Some(b) = bytes.get(..keep).filter(|b| !b.is_empty()) {
            self.chunks.push((self.since.elapsed().as_micros(), way, b.to_vec()));
        }
    }

    /// Bytes that must not be kept as they are, in any form that may pass: they become `*`.
    pub fn hide(&mut self, secret: &[u8]) {
        if secret.len() > 1 {
            self.secrets.push(secret.to_vec());
        }
    }

    /// Writes the line and gives its digest.
    pub fn close(mut self, how: &str) -> Sha256Digest {
        let cut = self.heads_only && self.drop_bodies();
        let masked =
            cut || [Way::Sent, Way::Received].map(|way| self.mask(way)).contains(&true) || !self.secrets.is_empty();
        let events: Vec<_> = self
            .chunks
            .iter()
            .map(|(us, way, bytes)| {
                let way = match way {
                    Way::Sent => "sent",
                    Way::Received => "received",
                };
                serde_json::json!({"us": u64::try_from(*us).unwrap_or(u64::MAX), "way": way, "data": STANDARD.encode(bytes)})
            })
            .collect();
        let [sent, received] = self.total;
        let line = serde_json::json!({
            "endpoint": self.endpoint.to_string(), "local": self.local, "layer": self.layer, "opened": self.opened,
            "closed": how, "bytes": {"sent": sent, "received": received}, "masked": masked, "events": events,
        });
        self.journal.transcript(&line.to_string())
    }

    /// Takes away what was received after the head, and says whether that was anything.
    fn drop_bodies(&mut self) -> bool {
        let received = || self.chunks.iter().filter(|c| c.1 == Way::Received).flat_map(|c| c.2.iter().copied());
        let all: Vec<u8> = received().collect();
        // Without a head all of it is body (HTTP/0.9).
        let mut left = find(&all, b"\r\n\r\n").map_or(0, |n| n + 4);
        let cut = left < all.len();
        for (_, _, bytes) in self.chunks.iter_mut().filter(|c| c.1 == Way::Received) {
            bytes.truncate(left);
            left -= bytes.len();
        }
        self.chunks.retain(|c| !c.2.is_empty());
        cut
    }

    /// A secret may be split over several chunks, so each direction is masked as one string. What the device gives
    /// out as somebody's secret is not kept, either.
    fn mask(&mut self, way: Way) -> bool {
        let mut all: Vec<u8> = self.chunks.iter().filter(|c| c.1 == way).flat_map(|c| c.2.iter().copied()).collect();
        for secret in &self.secrets {
            let mut from = 0;
            while let Some(at) = find(all.get(from..).unwrap_or_default(), secret) {
                let end = from + at + secret.len();
                if let Some(hit) = all.get_mut(from + at..end) {
                    hit.fill(b'*');
                }
                from = end;
            }
        }
        let given = sensitive::values(&all);
        for value in &given {
            if let Some(hit) = all.get_mut(value.clone()) {
                hit.fill(b'*');
            }
        }
        let mut rest = all.as_slice();
        for (_, _, bytes) in self.chunks.iter_mut().filter(|c| c.1 == way) {
            let (mine, after) = rest.split_at(bytes.len().min(rest.len()));
            bytes.copy_from_slice(mine);
            rest = after;
        }
        !given.is_empty()
    }
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|w| w == needle)
}
