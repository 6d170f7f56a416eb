//! What UPnP services did when they were told to do something.
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// For whom a mapping of a port is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MapCase {
    /// For the one who asks, to a high port: what the service is for.
    Own,
    /// For another host of the network.
    OtherHost,
    /// For the gateway itself.
    Gateway,
    /// From a port below 1024.
    LowPort,
}

impl MapCase {
    pub const ALL: [Self; 4] = [Self::Own, Self::OtherHost, Self::Gateway, Self::LowPort];

    pub fn words(self) -> &'static str {
        match self {
            Self::Own => "a mapping to ourselves",
            Self::OtherHost => "a mapping to another host",
            Self::Gateway => "a mapping to the gateway itself",
            Self::LowPort => "a mapping of a port below 1024",
        }
    }
}

/// One mapping that was asked for, and taken away at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortMapping {
    pub case: MapCase,
    pub client: IpAddr,
    /// The port on the outer side.
    pub port: u16,
    pub status: u16,
    /// The UPnP error of a refusal, where one was given.
    pub error: Option<u16>,
    /// Whether the gateway showed it afterwards. Nothing where it was refused.
    pub shown: Option<bool>,
    /// Whether it is proved to be gone again. Nothing where it was refused.
    pub gone: Option<bool>,
}

impl PortMapping {
    pub fn taken(&self) -> bool {
        (200..=299).contains(&self.status)
    }
}

/// A subscription to events that names an address of the tester to be called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventCallback {
    pub path: String,
    pub to: IpAddr,
    /// Whether that is another address than the one from which it was asked.
    pub elsewhere: bool,
    pub status: u16,
    /// Whether the device called it.
    pub called: bool,
}
