//! What passed over one connection: bytes both ways with times, secrets masked.
use super::super::{journal::Journal, sensitive};
use crate::model::{Endpoint, Mask, Opening, Sha256Digest, Way, opening::SALT};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{ops::Range, sync::Arc, time::Instant};

/// Bytes kept per direction; what exceeds it is counted, not kept.
const KEPT: usize = 256 * 1024;

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
        let masks: Vec<Mask> = [Way::Sent, Way::Received].into_iter().flat_map(|way| self.mask(way)).collect();
        let masked = cut || !masks.is_empty() || !self.secrets.is_empty();
        let event = |(us, way, bytes): &(u128, Way, Vec<u8>)| {
            let us = u64::try_from(*us).unwrap_or(u64::MAX);
            serde_json::json!({"us": us, "way": way, "data": STANDARD.encode(bytes)})
        };
        let events: Vec<_> = self.chunks.iter().map(event).collect();
        let [sent, received] = self.total;
        let mut line = serde_json::json!({
            "endpoint": self.endpoint.to_string(), "local": self.local, "layer": self.layer, "opened": self.opened,
            "closed": how, "bytes": {"sent": sent, "received": received}, "masked": masked, "events": events,
        });
        // Without the openings a commitment would tell nothing.
        if let Some(line) = line.as_object_mut().filter(|_| self.journal.keeps_openings() && !masks.is_empty()) {
            line.insert("masks".to_owned(), serde_json::json!(masks));
        }
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
    /// out as somebody's secret is not kept, either. What stood there goes to the openings, where they are kept.
    fn mask(&mut self, way: Way) -> Vec<Mask> {
        let mut all: Vec<u8> = self.chunks.iter().filter(|c| c.1 == way).flat_map(|c| c.2.iter().copied()).collect();
        let mut masks = Vec::new();
        for range in hidden(&all, &self.secrets) {
            let (at, length) = (range.start, range.len());
            let Some(hit) = all.get_mut(range) else { continue };
            let opening = Opening::new(&rand::random::<[u8; SALT]>(), hit);
            hit.fill(b'*');
            self.journal.opening(&opening);
            masks.push(Mask { way, at, length, commitment: opening.commitment });
        }
        let mut rest = all.as_slice();
        for (_, _, bytes) in self.chunks.iter_mut().filter(|c| c.1 == way) {
            let (mine, after) = rest.split_at(bytes.len().min(rest.len()));
            bytes.copy_from_slice(mine);
            rest = after;
        }
        masks
    }
}

/// Where the secrets stand, and what is given out as one: in order, and none touches another.
fn hidden(all: &[u8], secrets: &[Vec<u8>]) -> Vec<Range<usize>> {
    let mut found = sensitive::values(all);
    for secret in secrets {
        let mut from = 0;
        while let Some(at) = find(all.get(from..).unwrap_or_default(), secret) {
            found.push(from + at..from + at + secret.len());
            from += at + secret.len();
        }
    }
    found.sort_by_key(|r| r.start);
    let mut apart: Vec<Range<usize>> = Vec::new();
    for range in found.into_iter().filter(|r| !r.is_empty()) {
        match apart.last_mut().filter(|last| range.start <= last.end) {
            Some(last) => last.end = last.end.max(range.end),
            None => apart.push(range),
        }
    }
    apart
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|w| w == needle)
}
