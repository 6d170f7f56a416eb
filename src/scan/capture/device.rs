//! Which packets are the device's, when it was there, and what of its traffic can be seen from where the capture was made.
use super::packet::{Mac, Packet};
use crate::model::observation::capture::{Place, Span, Watched};
use std::{collections::BTreeSet, net::IpAddr, str::FromStr};

/// A device that has more addresses routes for others.
const MOST_ADDRESSES: usize = 64;
/// A longer silence is an absence.
const ABSENCE: u64 = 3600;
const MOST_SPANS: usize = 10_000;
const NANO: u64 = 1_000_000_000;

/// What a device is known by: an address, or the MAC address of its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    Address(IpAddr),
    Mac(Mac),
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        let parts: Vec<&str> = text.split([':', '-']).collect();
        let bytes: Option<Vec<u8>> = parts
            .iter()
            .map(|p| {
                (p.len() == 2 && p.bytes().all(|b| b.is_ascii_hexdigit()))
                    .then(|| u8::from_str_radix(p, 16).ok())
                    .flatten()
            })
            .collect();
        let mac = bytes.and_then(|b| Mac::try_from(b).ok());
        mac.map(Self::Mac)
            .ok_or_else(|| format!("`{text}` is neither an address nor a MAC address (02:00:00:00:00:01)"))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Sent,
    Received,
}

pub(super) struct Device {
    macs: BTreeSet<Mac>,
    addresses: BTreeSet<IpAddr>,
    /// By whoever imports.
    named: BTreeSet<IpAddr>,
    /// More addresses stand behind its MAC address than a device has.
    routes: bool,
    counts: [u64; 4],
    spans: Vec<(u64, u64)>,
}

impl Device {
    pub fn new(named: &[Named]) -> Self {
        let (mut macs, mut addresses) = (BTreeSet::new(), BTreeSet::new());
        for n in named {
            match n {
                Named::Address(a) => drop(addresses.insert(a.to_canonical())),
                Named::Mac(m) => drop(macs.insert(*m)),
            }
        }
        Self { macs, named: addresses.clone(), addresses, routes: false, counts: [0; 4], spans: Vec::new() }
    }

    /// First pass: on the link it says itself which MAC address has its address.
    pub fn claims(&mut self, mac: Mac, address: IpAddr) {
        if self.addresses.contains(&address) && !group(mac) && mac != [0; 6] {
            self.macs.insert(mac);
        }
    }

    /// Second pass: what else it sends from.
    pub fn learns(&mut self, packet: &Packet<'_>) {
        let own = packet.from.is_some_and(|m| self.macs.contains(&m));
        if own && !packet.source.is_unspecified() && !packet.source.is_multicast() && !self.routes {
            self.addresses.insert(packet.source);
            self.routes = self.addresses.len() > MOST_ADDRESSES;
        }
    }

    /// After the second pass: of a device that routes for others only what was named is its own.
    pub fn settle(&mut self) {
        if self.routes && !self.named.is_empty() {
            self.addresses.clone_from(&self.named);
            self.macs.clear();
        }
    }

    /// Whether it sent the packet or got it. Packets to groups are the sender's alone.
    pub fn way(&self, packet: &Packet<'_>) -> Option<Way> {
        let by = |mac: Option<Mac>, address: &IpAddr| {
            mac.is_some_and(|m| self.macs.contains(&m)) || self.addresses.contains(address)
        };
        if by(packet.from, &packet.source) {
            Some(Way::Sent)
        } else if by(packet.to, &packet.destination) {
            Some(Way::Received)
        } else {
            None
        }
    }

    pub fn saw(&mut self, way: Way, peer: Place, at: Option<u64>) {
        let [sent, received, sent_outside, received_outside] = &mut self.counts;
        let (all, outside) = match way {
            Way::Sent => (sent, sent_outside),
            Way::Received => (received, received_outside),
        };
        match peer {
            Place::Outside => (*all, *outside) = (*all + 1, *outside + 1),
            Place::Local => *all += 1,
            Place::Group => {}
        }
        // That others speak to it does not show that it is there.
        if let (Way::Sent, Some(at)) = (way, at.map(|ns| ns / NANO)) {
            let room = self.spans.len() < MOST_SPANS;
            match self.spans.last_mut() {
                Some((from, to)) if at >= *from && at <= to.saturating_add(ABSENCE) => *to = at.max(*to),
                _ if room => self.spans.push((at, at)),
                _ => {}
            }
        }
    }

    pub fn watched(mut self) -> Watched {
        self.spans.sort_unstable();
        let mut spans: Vec<Span> = Vec::new();
        for (from, to) in self.spans {
            match spans.last_mut() {
                Some(last) if from <= last.to.saturating_add(ABSENCE) => last.to = last.to.max(to),
                _ => spans.push(Span { from, to }),
            }
        }
        let [sent, received, sent_outside, received_outside] = self.counts;
        let macs = if self.routes { BTreeSet::new() } else { self.macs };
        Watched {
            macs: macs.iter().map(written).collect(),
            addresses: self.addresses.into_iter().take(MOST_ADDRESSES).collect(),
            sent,
            received,
            sent_outside,
            received_outside,
            spans,
        }
    }
}

fn group(mac: Mac) -> bool {
    mac.first().is_some_and(|b| b & 1 == 1)
}

fn written(mac: &Mac) -> String {
    mac.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(":")
}

/// Where an address is: of private use (RFC 1918, 4193, 6598), of the link (RFC 3927, 4291), of the machine, or elsewhere.
pub(super) fn place(address: IpAddr) -> Place {
    match address {
        IpAddr::V4(a) if a.is_multicast() || a.is_broadcast() || a.octets().last() == Some(&255) && a.is_private() => {
            Place::Group
        }
        IpAddr::V4(a) => {
            let [first, second, ..] = a.octets();
            let shared = first == 100 && (64..128).contains(&second);
            match a.is_private() || a.is_link_local() || a.is_loopback() || a.is_unspecified() || shared {
                true => Place::Local,
                false => Place::Outside,
            }
        }
        IpAddr::V6(a) if a.is_multicast() => Place::Group,
        IpAddr::V6(a) => {
            match a.is_unique_local() || a.is_unicast_link_local() || a.is_loopback() || a.is_unspecified() {
                true => Place::Local,
                false => Place::Outside,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_named_by_an_address_or_a_mac_address() {
        assert_eq!("192.0.2.7".parse(), Ok(Named::Address("192.0.2.7".parse().unwrap())));
        assert_eq!("02-00-00-00-00-0a".parse(), Ok(Named::Mac([2, 0, 0, 0, 0, 10])));
        for wrong in ["", "camera", "02:00:00", "02:00:00:00:00:0g", "+2:00:00:00:00:01"] {
            assert!(wrong.parse::<Named>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_silence_of_more_than_an_hour_is_an_absence() {
        let mut device = Device::new(&[]);
        for s in [0, 3000, 6000, 20_000, 5_000, 20_001] {
            device.saw(Way::Sent, Place::Local, Some(s * NANO));
        }
        device.saw(Way::Received, Place::Local, Some(100_000 * NANO));
        let spans = device.watched().spans;
        assert_eq!(spans, [Span { from: 0, to: 6000 }, Span { from: 20_000, to: 20_001 }]);
    }

    #[test]
    fn addresses_are_outside_local_or_of_a_group() {
        for (text, want) in [
            ("192.168.1.1", Place::Local),
            ("192.168.1.255", Place::Group),
            ("100.64.0.1", Place::Local),
            ("198.51.100.7", Place::Outside),
            ("255.255.255.255", Place::Group),
            ("224.0.0.251", Place::Group),
            ("fe80::1", Place::Local),
            ("fd00::1", Place::Local),
            ("2001:db8::1", Place::Outside),
            ("ff02::fb", Place::Group),
        ] {
            assert_eq!(place(text.parse().unwrap()), want, "{text}");
        }
    }
}
