//! What may be touched, by whose authority, and how hard. A socket can be opened only with an [`Admitted`].
use super::{
    declarations::secret::is_reference,
    subject::{Endpoint, Transport},
};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, net::IpAddr, str::FromStr};

mod accounts;

pub use accounts::{Account, Change, LabelFile, Role};

/// How intrusive a probe is, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Touch {
    Listen,
    Connect,
    Ask,
    LogIn,
    Stress,
    Alter,
}

/// From which side of the device we look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vantage {
    Lan,
    Wan,
    Guest,
}

impl Vantage {
    /// As in a scope file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Lan => "lan",
            Self::Wan => "wan",
            Self::Guest => "guest",
        }
    }
}

/// In which state the device is while we look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it came, before anybody set it up.
    Factory,
    /// Set up, as its owner uses it.
    Initialised,
}

impl State {
    /// As in a scope file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Factory => "factory",
            Self::Initialised => "initialised",
        }
    }
}

/// How fast we may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pace {
    Gentle,
    Adaptive,
    Fast,
}

/// Failed log-ins that one account may be charged with, controls included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialBudget {
    #[serde(default = "CredentialBudget::default_per_account")]
    pub per_account: u8,
    #[serde(default = "CredentialBudget::default_per_service")]
    pub per_service: u8,
    /// How long a failed log-in counts against its account, over all scans. Devices that lock after three failures
    /// seldom forget one sooner than in a day.
    #[serde(default = "CredentialBudget::default_window_minutes")]
    pub window_minutes: u32,
}

impl CredentialBudget {
    fn default_per_account() -> u8 {
        2
    }
    fn default_per_service() -> u8 {
        12
    }
    fn default_window_minutes() -> u32 {
        24 * 60
    }
}

impl Default for CredentialBudget {
    fn default() -> Self {
        let (per_account, per_service) = (Self::default_per_account(), Self::default_per_service());
        Self { per_account, per_service, window_minutes: Self::default_window_minutes() }
    }
}

/// The grant to guess passwords, which may lock people out for a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guessing {
    /// An account whose password a person chooses. Without it a name is made up, which proves less and harms nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Where its right secret is kept, never the secret: `env:NAME` or `file:PATH`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Reference>,
    /// How long to wait for the device to let people in again.
    #[serde(default = "Guessing::default_wait_seconds")]
    pub wait_seconds: u32,
}

impl Guessing {
    fn default_wait_seconds() -> u32 {
        120
    }
}

/// The grant to send services what they must refuse, which may crash them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Malformed {
    /// How long to wait for a service that was lost to come back.
    #[serde(default = "Malformed::default_seconds")]
    pub recovery_seconds: u32,
    /// How long slow and idle connections are held. Less than a minute proves less.
    #[serde(default = "Malformed::default_seconds")]
    pub hold_seconds: u32,
}

impl Malformed {
    fn default_seconds() -> u32 {
        60
    }
}

/// Where a secret is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference(String);

impl Reference {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Reference {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        // What was written is not repeated: it may be the secret itself.
        match is_reference(&text) {
            true => Ok(Self(text)),
            false => Err("a secret is kept elsewhere; write `env:NAME` or `file:PATH`"),
        }
    }
}

impl From<Reference> for String {
    fn from(r: Reference) -> String {
        r.0
    }
}

/// The ports a scan asks, e.g. `tcp:1-65535,udp:53,5683`; `udp:usual` is the built-in list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PortSpec {
    pub tcp: Vec<u16>,
    /// `None`: the built-in list of UDP services.
    pub udp: Option<Vec<u16>>,
}

impl Default for PortSpec {
    fn default() -> Self {
        Self { tcp: (1..=u16::MAX).collect(), udp: None }
    }
}

impl FromStr for PortSpec {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let mut found: [Option<BTreeSet<u16>>; 2] = [None, None];
        let (mut transport, mut usual) = (Transport::Tcp, false);
        for part in s.split(',').map(str::trim) {
            let list = match part.split_once(':') {
                Some(("tcp", rest)) => {
                    transport = Transport::Tcp;
                    rest
                }
                Some(("udp", rest)) => {
                    transport = Transport::Udp;
                    rest
                }
                Some((other, _)) => return Err(format!("unknown transport `{other}` in `{s}`; use tcp: or udp:")),
                None => part,
            };
            let [tcp, udp] = &mut found;
            let set = match transport {
                Transport::Tcp => tcp,
                Transport::Udp => udp,
            }
            .get_or_insert_with(BTreeSet::new);
            if list == "none" {
                continue;
            }
            if list == "usual" && transport == Transport::Udp {
                usual = true;
                continue;
            }
            let (a, b) = list.split_once('-').unwrap_or((list, list));
            let number = |n: &str| match n.parse::<u16>() {
                Ok(p) if p > 0 => Ok(p),
                _ => Err(format!("`{n}` is not a port from 1 to 65535 (in `{s}`)")),
            };
            let (a, b) = (number(a)?, number(b)?);
            if a > b {
                return Err(format!("range `{list}` runs backwards"));
            }
            set.extend(a..=b);
        }
        let [tcp, udp] = found;
        let both_default = tcp.is_none() && udp.is_none();
        Ok(Self {
            tcp: match tcp {
                Some(t) => t.into_iter().collect(),
                None if both_default => Self::default().tcp,
                None => Vec::new(),
            },
            udp: match udp {
                Some(_) if usual => None,
                Some(u) => Some(u.into_iter().collect()),
                None if both_default => None,
                None => Some(Vec::new()),
            },
        })
    }
}

impl TryFrom<String> for PortSpec {
    type Error = String;
    fn try_from(s: String) -> Result<Self, String> {
        s.parse()
    }
}

impl From<PortSpec> for String {
    fn from(p: PortSpec) -> String {
        let tcp = if p.tcp.is_empty() { "tcp:none".to_owned() } else { format!("tcp:{}", ranges(&p.tcp)) };
        match p.udp {
            None => format!("{tcp},udp:usual"),
            Some(u) if u.is_empty() => format!("{tcp},udp:none"),
            Some(u) => format!("{tcp},udp:{}", ranges(&u)),
        }
    }
}

/// Sorted ports as `1-3,80,443-444`.
pub fn ranges(ports: &[u16]) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut iter = ports.iter().copied().peekable();
    while let Some(start) = iter.next() {
        let mut end = start;
        while iter.peek().is_some_and(|n| Some(*n) == end.checked_add(1)) {
            end = iter.next().unwrap_or(end);
        }
        out.push(if start == end { start.to_string() } else { format!("{start}-{end}") });
    }
    out.join(",")
}

/// The authority under which we look. People write it as TOML; the command line makes a narrow one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    pub authorised_by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<String>,
    pub hosts: Vec<IpNet>,
    #[serde(default)]
    pub excluded: Vec<IpNet>,
    #[serde(default)]
    pub ports: PortSpec,
    /// Ports of the hosts that must not be touched.
    #[serde(default)]
    pub excluded_ports: BTreeSet<u16>,
    #[serde(default = "Scope::default_vantage")]
    pub vantage: Vantage,
    /// Older recordings, and those who do not say, leave it out: then it is taken to be set up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    #[serde(default = "Scope::default_most")]
    pub most: Touch,
    #[serde(default = "Scope::default_pace")]
    pub pace: Pace,
    #[serde(default)]
    pub credentials: CredentialBudget,
    /// Grants guessing; without it nothing is guessed, however much else is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guessing: Option<Guessing>,
    /// Grants wrong input; without it none is sent, however much else is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub malformed: Option<Malformed>,
    /// Accounts to look at the inside with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<Account>,
    /// Passwords on the labels of several devices of the type, to compare.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LabelFile>,
    /// How long a session may be left alone, to see whether it ends. Without it nobody waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_seconds: Option<u32>,
    /// A second address of the machine that scans, in another network than the device's: only there does anybody see whether
    /// a device calls whomever it is told to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<IpAddr>,
    /// Needed before a public address is touched.
    #[serde(default)]
    pub public_addresses: bool,
    /// Sites of the maker that may be visited; without it nothing leaves for the public network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<Public>,
    /// Needed before a device is offered images that could leave it without software.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub could_brick: Option<Consent>,
}

/// The grant to visit sites of the maker, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Public {
    /// Names, each for itself alone: `example.com` does not stand for `www.example.com`.
    pub hosts: BTreeSet<String>,
    /// Asked for addresses in place of the system's name servers. Only then may a name lead to a local address, since a
    /// site of the public network has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_server: Option<std::net::SocketAddr>,
}

impl Public {
    pub fn names(&self, host: &str) -> bool {
        self.hosts.iter().any(|h| h.eq_ignore_ascii_case(host.trim_end_matches('.')))
    }
}

/// Consent to offer a device images that it must refuse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Which unit it is, such as its serial number: a spare one.
    pub sample: String,
    /// How it is brought back when it does not start any more.
    pub recovery: String,
    /// Who consented, and where that is written.
    pub consent: String,
}

/// Proof that an endpoint lies within a scope. Only [`Scope::admit`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct Admitted {
    endpoint: Endpoint,
}

impl Admitted {
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint
    }
}

/// Why an endpoint was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    OutOfScope,
    TooIntrusive,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfScope => "out of scope",
            Self::TooIntrusive => "more intrusive than the scope allows",
        })
    }
}

impl Scope {
    fn default_vantage() -> Vantage {
        Vantage::Lan
    }
    fn default_most() -> Touch {
        Touch::LogIn
    }
    fn default_pace() -> Pace {
        Pace::Adaptive
    }

    /// The scope of a command line without a scope file: the named addresses, nothing public.
    pub fn of_command_line(hosts: &[IpAddr]) -> Self {
        Self {
            authorised_by: "command line".to_owned(),
            valid_from: None,
            valid_to: None,
            hosts: hosts.iter().copied().map(IpNet::from).collect(),
            excluded: Vec::new(),
            ports: PortSpec::default(),
            excluded_ports: BTreeSet::new(),
            vantage: Vantage::Lan,
            state: None,
            most: Touch::LogIn,
            pace: Pace::Adaptive,
            credentials: CredentialBudget::default(),
            guessing: None,
            malformed: None,
            accounts: Vec::new(),
            labels: Vec::new(),
            idle_seconds: None,
            elsewhere: None,
            public_addresses: false,
            public: None,
            could_brick: None,
        }
    }

    /// Lets a socket to `endpoint` be opened for something as intrusive as `touch`, or says why not.
    pub fn admit(&self, endpoint: Endpoint, touch: Touch) -> Result<Admitted, Refused> {
        if !self.admits_host(endpoint.host) || self.excluded_ports.contains(&endpoint.port) {
            return Err(Refused::OutOfScope);
        }
        if touch > self.most {
            return Err(Refused::TooIntrusive);
        }
        Ok(Admitted { endpoint })
    }

    /// Lets a site of the maker be visited by its name, at an address that the name led to.
    pub fn admit_site(&self, name: &str, at: Endpoint) -> Result<Admitted, Refused> {
        let granted = self.public.as_ref().filter(|p| p.names(name));
        match granted {
            Some(p) if p.name_server.is_some() || !is_local(at.host) => Ok(Admitted { endpoint: at }),
            Some(_) | None => Err(Refused::OutOfScope),
        }
    }

    pub fn admits_host(&self, host: IpAddr) -> bool {
        let host = host.to_canonical();
        self.hosts.iter().any(|n| n.contains(&host))
            && !self.excluded.iter().any(|n| n.contains(&host))
            && (self.public_addresses || is_local(host))
    }
}

/// Loopback, private, link-local or unique-local: never routed on the public Internet.
pub fn is_local(host: IpAddr) -> bool {
    match host.to_canonical() {
        IpAddr::V4(a) => a.is_loopback() || a.is_private() || a.is_link_local(),
        IpAddr::V6(a) => a.is_loopback() || a.is_unique_local() || a.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_port_list_reads_and_writes_the_same() {
        let p: PortSpec = "tcp:1-65535,udp:53,5683".parse().unwrap();
        assert_eq!(p.tcp.len(), 65535);
        assert_eq!(p.udp, Some(vec![53, 5683]));
        assert_eq!(String::from(p), "tcp:1-65535,udp:53,5683");
        // The built-in list of UDP services is no list at all, and must not become an empty one.
        let usual = PortSpec::default();
        assert_eq!(String::from(usual.clone()), "tcp:1-65535,udp:usual");
        assert_eq!("tcp:1-65535,udp:usual".parse::<PortSpec>().unwrap(), usual);
        assert_eq!("tcp:1-65535".parse::<PortSpec>().unwrap().udp, Some(Vec::new()));
        for bad in ["tcp:0", "tcp:70000", "sctp:1", "tcp:9-3", "tcp:usual", ""] {
            assert!(bad.parse::<PortSpec>().is_err(), "{bad}");
        }
    }

    #[test]
    fn only_named_sites_are_visited_and_a_name_of_the_public_network_leads_to_no_local_address() {
        let hosts = BTreeSet::from(["maker.example".to_owned()]);
        let scope = |public| Scope { public, ..Scope::of_command_line(&[]) };
        let at = |a: &str| Endpoint::tcp(a.parse().unwrap(), 443);
        let plain = scope(Some(Public { hosts: hosts.clone(), name_server: None }));
        assert!(plain.admit_site("Maker.Example.", at("192.0.2.1")).is_ok());
        for (name, to) in
            [("maker.example", "192.168.0.1"), ("www.maker.example", "192.0.2.1"), ("maker.example", "::1")]
        {
            assert_eq!(plain.admit_site(name, at(to)).unwrap_err(), Refused::OutOfScope, "{name} {to}");
        }
        assert!(scope(None).admit_site("maker.example", at("192.0.2.1")).is_err());
        let own = scope(Some(Public { hosts, name_server: Some("127.0.0.1:53".parse().unwrap()) }));
        assert!(own.admit_site("maker.example", at("127.0.0.1")).is_ok());
    }

    proptest! {
        #[test]
        fn no_address_outside_the_scope_is_ever_admitted(host: u32, port in 1u16.., net: u32, len in 8u8..=32, public: bool) {
            let net = ipnet::Ipv4Net::new(net.into(), len).unwrap().trunc();
            let scope = Scope { hosts: vec![net.into()], public_addresses: public, ..Scope::of_command_line(&[]) };
            let host = std::net::Ipv4Addr::from(host);
            let got = scope.admit(Endpoint::tcp(host.into(), port), Touch::Connect);
            prop_assert_eq!(got.is_ok(), net.contains(&host) && (public || is_local(host.into())));
            prop_assert!(scope.admit(Endpoint::tcp(host.into(), port), Touch::Alter).is_err());
        }
    }
}
