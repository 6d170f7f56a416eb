//! What a capture of a device's traffic shows. Packets are cited by their number in the file, counted from 1 as in Wireshark.
use super::TlsVersion;
use crate::model::digest::Sha256Digest;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::IpAddr};

/// A capture file, and how much of the device it can show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// The file's name, without its directory.
    pub name: String,
    /// Of the file as it was read; it is not copied, because it holds what was sent in clear.
    pub sha256: Sha256Digest,
    /// Its size.
    pub bytes: u64,
    pub format: Format,
    pub packets: u64,
    /// What the capturing machine says that it lost. Nothing where it does not say it for every interface: that is not zero.
    pub dropped: Option<u64>,
    /// Capture filters: what they kept out is not in the file.
    pub filters: Vec<String>,
    pub device: Watched,
    /// Secrets of the tester that were searched for, by number.
    pub searched: u32,
    /// Packets, or connections, of the device that were not looked at or not to their end.
    pub unread: BTreeMap<Unread, u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Pcap,
    Pcapng,
}

/// The device in a capture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watched {
    /// Written `02:00:00:00:00:01`. Nothing: it is known by its addresses alone, and may have others.
    pub macs: Vec<String>,
    pub addresses: Vec<IpAddr>,
    /// Packets of it to one other host, and from one other host to it.
    pub sent: u64,
    pub received: u64,
    /// The same, with hosts outside of the local network.
    pub sent_outside: u64,
    pub received_outside: u64,
    /// When it was there.
    pub spans: Vec<Span>,
}

/// From the first packet of the device to its last without a silence of more than an hour between. Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    pub from: u64,
    pub to: u64,
}

/// Why something of a capture was not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unread {
    /// Packets of a link type that is not read, of any host.
    LinkType,
    /// Packets whose headers make no sense, of any host.
    Malformed,
    /// Fragments of IP packets.
    Fragment,
    /// Packets that the capture cut short.
    Cut,
    /// Packets of connections beyond the number that is followed.
    Connections,
    /// Rows beyond the number that is written down.
    Rows,
    /// Connections of which more passed than the beginning that is kept.
    Beyond,
    /// Connections with bytes missing in their beginning.
    Hole,
}

impl Unread {
    pub fn words(self) -> &'static str {
        match self {
            Self::LinkType => "packets of a link type that is not read",
            Self::Malformed => "packets that could not be read",
            Self::Fragment => "fragments of IP packets",
            Self::Cut => "packets that were cut short",
            Self::Connections => "packets of more connections than are followed",
            Self::Rows => "more rows than are written down",
            Self::Beyond => "connections longer than the part that is kept",
            Self::Hole => "connections with bytes missing",
        }
    }
}

/// Which packets show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cited {
    /// The digest of the capture file.
    pub capture: Sha256Digest,
    /// The first few.
    pub packets: Vec<u64>,
}

/// What its own content says that a connection is, whatever its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    Tls,
    Dtls,
    Quic,
    Ssh,
    Wireguard,
    Ike,
    Esp,
    Http,
    Rtsp,
    Mqtt,
    Coap,
    Ftp,
    Smtp,
    Pop3,
    Imap,
    Telnet,
    Snmp,
    Syslog,
    Tftp,
    Dns,
    Mdns,
    Llmnr,
    Netbios,
    Ntp,
    Dhcp,
    Ssdp,
    Stun,
    /// The peer-to-peer relay of cameras ("PPPP").
    Pppp,
    Icmp,
    Igmp,
    /// No protocol that is known, but text that people can read.
    Text,
    /// Nothing was sent in it.
    Empty,
    Unknown,
}

impl Protocol {
    pub fn word(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Dtls => "dtls",
            Self::Quic => "quic",
            Self::Ssh => "ssh",
            Self::Wireguard => "wireguard",
            Self::Ike => "ike",
            Self::Esp => "esp",
            Self::Http => "http",
            Self::Rtsp => "rtsp",
            Self::Mqtt => "mqtt",
            Self::Coap => "coap",
            Self::Ftp => "ftp",
            Self::Smtp => "smtp",
            Self::Pop3 => "pop3",
            Self::Imap => "imap",
            Self::Telnet => "telnet",
            Self::Snmp => "snmp",
            Self::Syslog => "syslog",
            Self::Tftp => "tftp",
            Self::Dns => "dns",
            Self::Mdns => "mdns",
            Self::Llmnr => "llmnr",
            Self::Netbios => "netbios",
            Self::Ntp => "ntp",
            Self::Dhcp => "dhcp",
            Self::Ssdp => "ssdp",
            Self::Stun => "stun",
            Self::Pppp => "pppp",
            Self::Icmp => "icmp",
            Self::Igmp => "igmp",
            Self::Text => "text",
            Self::Empty => "empty",
            Self::Unknown => "unknown",
        }
    }
}

/// Who began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Opened {
    Device,
    Peer,
    /// Its beginning is not in the capture.
    Unclear,
}

/// Where the other side is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    Outside,
    /// An address of private use, of the link or of the machine.
    Local,
    /// A group or everybody on the link.
    Group,
}

/// What gave a destination its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NamedBy {
    /// The name that the device's own hello or request says.
    Itself,
    /// Answers of name servers that came to the device before.
    Dns,
    Nothing,
}

/// One host that the device talked to, by one protocol on one port. The subject is the host, or its endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    pub place: Place,
    pub names: Vec<String>,
    pub named_by: NamedBy,
    pub protocol: Protocol,
    pub opened: Opened,
    pub connections: u64,
    /// Those in which something came back.
    pub answered: u64,
    /// Bytes of content that the device sent and received.
    pub sent: u64,
    pub received: u64,
    pub seen: Cited,
}

/// What a hello of the device offers to a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    pub place: Place,
    pub name: Option<String>,
    /// Lowest first. Before TLS 1.3 a client names its highest version only.
    pub offered: Vec<TlsVersion>,
    /// By IANA name, in its order; values that mean nothing (GREASE) are left out.
    pub suites: Vec<String>,
    pub groups: Vec<String>,
    pub alpn: Vec<String>,
    /// The JA4 fingerprint.
    pub ja4: String,
    /// What servers chose, where their answers are in the capture.
    pub agreed: Vec<(TlsVersion, String)>,
    pub connections: u64,
    pub seen: Cited,
}

/// A name that the device asked a name server for. The subject is the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    pub place: Place,
    pub name: String,
    /// Types of records, such as `AAAA`.
    pub records: Vec<String>,
    pub times: u64,
    /// Answers with an address or another record.
    pub answered: u64,
    /// Answers that there is no such name.
    pub nonexistent: u64,
    pub seen: Cited,
}

/// How the device's questions to one name server could be told from forged answers, in the order of the capture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Questions {
    pub place: Place,
    /// Source port and transaction id of each question by UDP, a repeated one once; the first thousand.
    pub sent: Vec<(u16, u16)>,
    pub seen: Cited,
}

/// A secret that everybody on the way could read. What it is is not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClearSecret {
    pub place: Place,
    pub protocol: Protocol,
    pub opened: Opened,
    /// Its class, such as `password` or `token`; `tester` for one that was searched for.
    pub class: String,
    /// Where it stands, such as `http basic` or `mqtt connect`; of a searched one, how it was written.
    pub carrier: String,
    pub times: u64,
    pub seen: Cited,
}

/// What the device tells of itself when it asks for an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announced {
    /// `host name`, `full name`, `vendor class` or `user class`.
    pub option: String,
    pub value: String,
    pub times: u64,
    pub seen: Cited,
}
