//! What services did with input that is wrong on purpose.
use crate::model::Sha256Digest;
use serde::{Deserialize, Serialize};

/// The kind of wrong input, by the protocol that it is wrong in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Set {
    Http,
    HttpSlow,
    Json,
    Tls,
    Dtls,
    Mqtt,
    MqttIdle,
    WebSocket,
    Rtsp,
    Sip,
    Coap,
    CoapTcp,
    Dns,
    Mdns,
    Ssdp,
    WsDiscovery,
    Snmp,
}

impl Set {
    /// The word used in files and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::HttpSlow => "http-slow",
            Self::Json => "json",
            Self::Tls => "tls",
            Self::Dtls => "dtls",
            Self::Mqtt => "mqtt",
            Self::MqttIdle => "mqtt-idle",
            Self::WebSocket => "web-socket",
            Self::Rtsp => "rtsp",
            Self::Sip => "sip",
            Self::Coap => "coap",
            Self::CoapTcp => "coap-tcp",
            Self::Dns => "dns",
            Self::Mdns => "mdns",
            Self::Ssdp => "ssdp",
            Self::WsDiscovery => "ws-discovery",
            Self::Snmp => "snmp",
        }
    }
}

/// How a service stands, told by an ordinary question. Never merged: what says nothing has not crashed for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    Answers,
    /// Its port is closed.
    Refused,
    /// It takes the connection and ends it without an answer, as a service does that shuts somebody out.
    Closed,
    /// It takes the connection and says nothing.
    Mute,
    /// Nothing comes back at all.
    Silent,
    /// The host is not there for the network.
    Unreachable,
}

impl Standing {
    pub fn words(self) -> &'static str {
        match self {
            Self::Answers => "answers",
            Self::Refused => "refuses connections",
            Self::Closed => "closes connections without an answer",
            Self::Mute => "takes connections and says nothing",
            Self::Silent => "is silent",
            Self::Unreachable => "cannot be reached",
        }
    }
}

/// A loss: the service answered no ordinary question any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    pub how: Standing,
    /// How another TCP port of the host stood at that time; nothing where no other is open.
    pub elsewhere: Option<Standing>,
    /// When it answered again; nothing: not within the time that the scope grants.
    pub back_after_ms: Option<u64>,
}

/// One event, in the order in which it happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// Ordinary questions before anything wrong is sent, and how many cases are to follow.
    Before { asked: u32, answered: u32, slowest_ms: u64, cases: u32 },
    /// A case was sent; the next ordinary question was answered so long after it.
    Survived { case: String, answered_after_ms: u64 },
    /// After a case, no ordinary question was answered.
    Lost { case: String, loss: Loss },
    /// A suspected case was sent again, alone. No loss: it was answered as before.
    Again { case: String, loss: Option<Loss> },
    /// Several of the last cases were sent again together, to find the one among them.
    Together { cases: Vec<String>, loss: Option<Loss> },
    /// The bytes of a case that brought a loss about alone: their length, their digest and the first 4096 of them.
    Suspected { case: String, length: u64, sha256: Sha256Digest, hex: String },
    /// Connections were held open with as little as possible; how the service stood for others meanwhile (the best of
    /// it), when it closed the first of them itself, and when it answered after all of them were closed.
    Held {
        case: String,
        connections: u32,
        held_ms: u64,
        meanwhile: Standing,
        closed_after_ms: Option<u64>,
        back_after_ms: Option<u64>,
    },
    /// Ordinary questions at the end.
    After { asked: u32, answered: u32 },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Malformed {
    pub set: Set,
    /// Inside an upgraded connection: its path.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    pub event: Event,
}
