//! One direction of a TCP connection: the beginning of what passed, put in order.
use std::collections::BTreeMap;

/// Bytes of each direction that are kept.
pub(super) const KEPT: usize = 64 * 1024;
/// Segments that wait for an earlier one.
const MOST_WAITING: usize = 128;
/// What a mark and a waiting segment take beside their bytes.
const MARK: usize = 16;
const ENTRY: usize = 96;

#[derive(Default)]
pub(super) struct Stream {
    /// The sequence number of the first byte.
    start: Option<u32>,
    pub data: Vec<u8>,
    /// Which packet brought the bytes from here on.
    marks: Vec<(usize, u64)>,
    /// Segments that came too early, by their place.
    waiting: BTreeMap<usize, (Vec<u8>, u64)>,
    /// More passed than is kept.
    pub beyond: bool,
}

impl Stream {
    /// Its first byte will have the number after a SYN's.
    pub fn begins(&mut self, syn: u32) {
        self.start.get_or_insert(syn.wrapping_add(1));
    }

    /// Takes a segment; of bytes that come twice the first stand. Gives how many bytes more are held.
    pub fn push(&mut self, sequence: u32, payload: &[u8], packet: u64) -> usize {
        let start = *self.start.get_or_insert(sequence);
        if payload.is_empty() {
            return 0;
        }
        let before = self.held();
        let next = start.wrapping_add(u32::try_from(self.data.len()).unwrap_or(u32::MAX));
        let ahead = i64::from(sequence.wrapping_sub(next).cast_signed());
        let place = i64::try_from(self.data.len()).unwrap_or(i64::MAX).saturating_add(ahead);
        match usize::try_from(place) {
            // From before the beginning: what belongs to it is cut out.
            Err(_) => {
                let early = usize::try_from(place.unsigned_abs()).unwrap_or(usize::MAX);
                self.append(0, payload.get(early..).unwrap_or_default(), packet);
            }
            Ok(place) if ahead <= 0 => self.append(place, payload, packet),
            Ok(place) if place >= KEPT || self.waiting.len() >= MOST_WAITING => self.beyond = true,
            Ok(place) => {
                let room = payload.get(..KEPT.saturating_sub(place)).unwrap_or(payload);
                self.waiting.entry(place).or_insert_with(|| (room.to_vec(), packet));
            }
        }
        while let Some(early) = self.waiting.first_entry().filter(|e| *e.key() <= self.data.len()) {
            let (place, (bytes, packet)) = early.remove_entry();
            self.append(place, &bytes, packet);
        }
        self.held().saturating_sub(before)
    }

    /// Bytes at `place`, which is not after the end.
    fn append(&mut self, place: usize, bytes: &[u8], packet: u64) {
        let new = bytes.get(self.data.len().saturating_sub(place)..).unwrap_or_default();
        let room = KEPT.saturating_sub(self.data.len());
        self.beyond |= new.len() > room;
        let new = new.get(..room).unwrap_or(new);
        if !new.is_empty() {
            self.marks.push((self.data.len(), packet));
            self.data.extend_from_slice(new);
        }
    }

    /// Bytes are missing before others that came.
    pub fn has_hole(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Bytes that are held, with what it takes to hold them.
    pub fn held(&self) -> usize {
        let waiting: usize = self.waiting.values().map(|w| w.0.len() + ENTRY).sum();
        self.data.len() + self.marks.len() * MARK + waiting
    }

    /// The packet that brought the byte at `place`.
    pub fn packet(&self, place: usize) -> Option<u64> {
        let after = self.marks.partition_point(|m| m.0 <= place);
        self.marks.get(after.checked_sub(1)?).map(|m| m.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn segments_are_put_in_order_and_the_first_of_two_stands() {
        let mut s = Stream::default();
        s.begins(u32::MAX - 3);
        s.push(u32::MAX - 2, b"abcd", 1);
        s.push(5, b"hij", 2);
        assert!(s.has_hole());
        s.push(0u32.wrapping_sub(1), b"XXefgXX", 3);
        assert_eq!((s.data.as_slice(), s.has_hole()), (&b"abcdefgXXij"[..], false));
        assert_eq!((s.packet(0), s.packet(8), s.packet(9)), (Some(1), Some(3), Some(2)));
    }

    proptest! {
        /// Any cut into segments, in any order and some twice, gives the same bytes.
        #[test]
        fn order_and_repetition_do_not_matter(
            bytes in prop::collection::vec(any::<u8>(), 1..400),
            start: u32,
            cuts in prop::collection::vec(0usize..400, 0..20),
            order: u64,
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c % bytes.len()).chain([0, bytes.len()]).collect();
            cuts.sort_unstable();
            let mut parts: Vec<(usize, usize)> = cuts.windows(2).map(|w| (w[0], w[1])).collect();
            parts.extend(parts.clone());
            parts.sort_by_key(|p| (p.0 as u64 + 1).wrapping_mul(order | 1));
            let mut s = Stream::default();
            s.begins(start);
            for (a, b) in parts {
                s.push(start.wrapping_add(1).wrapping_add(u32::try_from(a).unwrap()), &bytes[a..b], 1);
            }
            prop_assert_eq!((&s.data, s.has_hole(), s.beyond), (&bytes, false, false));
        }

        #[test]
        fn what_is_held_is_bounded(segments in prop::collection::vec((any::<u32>(), 0usize..70_000), 0..60)) {
            let mut s = Stream::default();
            for (sequence, length) in segments {
                s.push(sequence, &vec![7; length], 1);
            }
            prop_assert!(s.data.len() <= KEPT && s.waiting.len() <= MOST_WAITING);
        }
    }
}
