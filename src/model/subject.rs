//! What an observation is about: the device, a host, an endpoint or a domain.
use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr, net::SocketAddr, str::FromStr};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    Tcp,
    Udp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

/// One transport port of one host, written `tcp/192.0.2.7:443`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    pub host: IpAddr,
    pub transport: Transport,
    pub port: u16,
}

impl Endpoint {
    pub fn tcp(host: IpAddr, port: u16) -> Self {
        Self { host, transport: Transport::Tcp, port }
    }
    pub fn udp(host: IpAddr, port: u16) -> Self {
        Self { host, transport: Transport::Udp, port }
    }
    pub fn addr(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.transport, self.addr())
    }
}

/// `device`, `host/<address>`, `tcp/<address>:<port>`, `udp/<address>:<port>` or `domain/<name>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Subject {
    Device,
    Host(IpAddr),
    Endpoint(Endpoint),
    Domain(String),
}

impl Subject {
    pub fn endpoint(&self) -> Option<Endpoint> {
        match self {
            Self::Endpoint(e) => Some(*e),
            Self::Device | Self::Host(_) | Self::Domain(_) => None,
        }
    }
}

impl From<Endpoint> for Subject {
    fn from(e: Endpoint) -> Self {
        Self::Endpoint(e)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device => f.write_str("device"),
            Self::Host(h) => write!(f, "host/{h}"),
            Self::Endpoint(e) => write!(f, "{e}"),
            Self::Domain(d) => write!(f, "domain/{d}"),
        }
    }
}

impl From<Subject> for String {
    fn from(s: Subject) -> String {
        s.to_string()
    }
}

impl TryFrom<String> for Subject {
    type Error = String;
    fn try_from(s: String) -> Result<Self, String> {
        s.parse()
    }
}

impl FromStr for Subject {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let bad = || {
            format!("`{s}` is not a subject (device, host/ADDRESS, tcp/ADDRESS:PORT, udp/ADDRESS:PORT, domain/NAME)")
        };
        if s == "device" {
            return Ok(Self::Device);
        }
        let (kind, rest) = s.split_once('/').ok_or_else(bad)?;
        let endpoint = |transport| {
            let a: SocketAddr = rest.parse().map_err(|_| bad())?;
            Ok(Self::Endpoint(Endpoint { host: a.ip(), transport, port: a.port() }))
        };
        match kind {
            "host" => rest.parse().map(Self::Host).map_err(|_| bad()),
            "tcp" => endpoint(Transport::Tcp),
            "udp" => endpoint(Transport::Udp),
            "domain" if !rest.is_empty() => Ok(Self::Domain(rest.to_owned())),
            _ => Err(bad()),
        }
    }
}
