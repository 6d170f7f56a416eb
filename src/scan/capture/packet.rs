//! The headers of one packet: who sent it to whom, and what it carries.
use crate::model::observation::capture::Unread;
use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, LinkSlice, TransportSlice};
use std::net::IpAddr;

pub(super) type Mac = [u8; 6];

/// An IP packet.
pub(super) struct Packet<'a> {
    pub from: Option<Mac>,
    pub to: Option<Mac>,
    pub source: IpAddr,
    pub destination: IpAddr,
    pub carries: Carries<'a>,
}

pub(super) enum Carries<'a> {
    Tcp {
        source: u16,
        destination: u16,
        sequence: u32,
        flags: Flags,
        payload: &'a [u8],
    },
    Udp {
        source: u16,
        destination: u16,
        payload: &'a [u8],
    },
    /// Of another protocol, by its number.
    Other(u8),
    Fragment,
    Malformed,
}

#[derive(Clone, Copy)]
pub(super) struct Flags {
    pub syn: bool,
    pub ack: bool,
    pub end: bool,
}

pub(super) enum Link<'a> {
    Ip(Packet<'a>),
    /// Who says on the link to have which address.
    Arp(Mac, IpAddr),
    /// Neither.
    Other,
}

/// The types of link that are read, by their LINKTYPE_ number.
pub(super) fn link(kind: i32, data: &[u8]) -> Result<Link<'_>, Unread> {
    let short = Unread::Malformed;
    let at = |n: usize| data.get(n..n + 2).and_then(|b| b.try_into().ok()).map(u16::from_be_bytes).ok_or(short);
    let after = |n: usize| data.get(n..).ok_or(short);
    let mac =
        |length: u16, n: usize| (length == 6).then(|| data.get(n..n + 6)).flatten().and_then(|b| Mac::try_from(b).ok());
    match kind {
        1 => {
            let sliced = LaxSlicedPacket::from_ethernet(data).map_err(|_| short)?;
            let (from, to) = match &sliced.link {
                Some(LinkSlice::Ethernet2(e)) => (Some(e.source()), Some(e.destination())),
                Some(LinkSlice::LinuxSll(_) | LinkSlice::EtherPayload(_) | LinkSlice::LinuxSllPayload(_)) | None => {
                    (None, None)
                }
            };
            Ok(above(&sliced, from, to))
        }
        // Raw IP, as three numbers write it, and by version.
        12 | 14 | 101 | 228 | 229 => ip(data),
        // BSD loopback: the family of addresses in the byte order of the capturing machine, or of the network.
        0 | 108 => ip(after(4)?),
        // Linux cooked, both versions.
        113 => {
            let sliced = LaxSlicedPacket::from_ether_type(EtherType(at(14)?), after(16)?);
            Ok(above(&sliced, mac(at(4)?, 6), None))
        }
        276 => {
            let sliced = LaxSlicedPacket::from_ether_type(EtherType(at(0)?), after(20)?);
            Ok(above(&sliced, mac(at(10)? & 0xff, 12), None))
        }
        _ => Err(Unread::LinkType),
    }
}

fn ip(data: &[u8]) -> Result<Link<'_>, Unread> {
    let sliced = LaxSlicedPacket::from_ip(data).map_err(|_| Unread::Malformed)?;
    Ok(above(&sliced, None, None))
}

fn above<'a>(sliced: &LaxSlicedPacket<'a>, from: Option<Mac>, to: Option<Mac>) -> Link<'a> {
    let (source, destination): (IpAddr, IpAddr) = match &sliced.net {
        Some(LaxNetSlice::Ipv4(v4)) => (v4.header().source_addr().into(), v4.header().destination_addr().into()),
        Some(LaxNetSlice::Ipv6(v6)) => (v6.header().source_addr().into(), v6.header().destination_addr().into()),
        Some(LaxNetSlice::Arp(arp)) => {
            let mac = Mac::try_from(arp.sender_hw_addr()).ok();
            let ip = <[u8; 4]>::try_from(arp.sender_protocol_addr()).ok();
            return match (mac, ip) {
                (Some(mac), Some(ip)) => Link::Arp(mac, ip.into()),
                (Some(_) | None, Some(_) | None) => Link::Other,
            };
        }
        None => return Link::Other,
    };
    let payload = sliced.ip_payload();
    let carries = match (&sliced.transport, payload) {
        (_, Some(p)) if p.fragmented => Carries::Fragment,
        (Some(TransportSlice::Tcp(t)), _) => Carries::Tcp {
            source: t.source_port(),
            destination: t.destination_port(),
            sequence: t.sequence_number(),
            flags: Flags { syn: t.syn(), ack: t.ack(), end: t.fin() || t.rst() },
            payload: t.payload(),
        },
        (Some(TransportSlice::Udp(u)), _) => {
            Carries::Udp { source: u.source_port(), destination: u.destination_port(), payload: u.payload() }
        }
        (None, Some(p)) if [6, 17].contains(&p.ip_number.0) => Carries::Malformed,
        (Some(TransportSlice::Icmpv4(_) | TransportSlice::Icmpv6(_) | TransportSlice::Igmp(_)) | None, Some(p)) => {
            Carries::Other(p.ip_number.0)
        }
        (Some(TransportSlice::Icmpv4(_) | TransportSlice::Icmpv6(_) | TransportSlice::Igmp(_)) | None, None) => {
            Carries::Malformed
        }
    };
    Link::Ip(Packet { from, to, source, destination, carries })
}
