//! The laboratory's plan, as a person writes it.
mod images;
pub use images::{Images, Push};

use super::dns::Others;
use crate::model::observation::lab::{ImageCase, Resource, ServerCase};
use serde::Deserialize;
use std::{net::IpAddr, path::PathBuf};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The device's addresses; everybody else is turned away.
    pub device: Vec<IpAddr>,
    /// Where the device looks for updates.
    #[serde(default)]
    pub names: Vec<String>,
    /// This machine's address, to which those names lead.
    pub address: IpAddr,
    /// The directory of the laboratory's CA, beside the plan; made where there is none.
    #[serde(default = "Plan::default_ca")]
    pub ca: PathBuf,
    #[serde(default = "Plan::default_https")]
    pub https_port: u16,
    #[serde(default = "Plan::default_http")]
    pub http_port: u16,
    /// Without it no port below 1024 is served.
    #[serde(default)]
    pub privileged_ports: bool,
    /// How often each bad case is presented.
    #[serde(default = "Plan::default_rounds")]
    pub rounds: u32,
    /// The longest that one case waits for the device.
    #[serde(default = "Plan::default_case")]
    pub case_seconds: u64,
    #[serde(default = "Plan::default_limit")]
    pub time_limit_seconds: u64,
    /// How long a device may stay silent on a connection.
    #[serde(default = "Plan::default_answer")]
    pub answer_seconds: u64,
    /// How long plain HTTP is watched for after HTTPS was refused.
    #[serde(default = "Plan::default_fallback")]
    pub fallback_seconds: u64,
    /// How long the device is watched before it is disturbed, and may take to come for the genuine image by itself.
    #[serde(default)]
    pub watch_seconds: u64,
    /// How the device was set up, such as "the proposed choices".
    #[serde(default)]
    pub set_up: Option<String>,
    #[serde(default = "Plan::default_cases")]
    pub cases: Vec<ServerCase>,
    /// A command that makes the device look for updates, run once per case.
    #[serde(default)]
    pub trigger: Vec<String>,
    #[serde(default)]
    pub dns: Option<Dns>,
    #[serde(default)]
    pub dhcp: Option<super::dhcp::Dhcp>,
    #[serde(default)]
    pub ntp: Option<super::time::Ntp>,
    #[serde(rename = "resource", default)]
    pub resources: Vec<Rule>,
    #[serde(default)]
    pub version: Option<VersionSource>,
    #[serde(default)]
    pub images: Option<Images>,
    #[serde(default)]
    pub isolation: Option<Isolation>,
    #[serde(default)]
    pub outage: Option<super::outage::OutagePlan>,
}

/// How a device that can no longer be updated is taken off the network and brought back.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Isolation {
    /// Commands: what the maker declares, its undoing, and one that ends with 0 while the device works.
    pub isolate: Vec<String>,
    pub rejoin: Vec<String>,
    pub works: Vec<String>,
    /// How long it is watched while it is isolated.
    pub seconds: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dns {
    pub port: u16,
    #[serde(default)]
    pub others: Others,
}

/// What is served at a path.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub path: String,
    pub kind: Resource,
    #[serde(rename = "type", default = "Rule::default_type")]
    pub media: String,
    /// Of metadata and others. {version}, {sha256}, {size}, {name} and {expires} are filled in.
    #[serde(default)]
    pub body: String,
    /// Of a signature: the private test key that signs the metadata, beside the plan.
    #[serde(default)]
    pub key: Option<PathBuf>,
}

/// Where the device's own version is read.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "from", rename_all = "kebab-case", deny_unknown_fields)]
pub enum VersionSource {
    /// A page of the device: http://ADDRESS[:PORT]/PATH.
    Http {
        url: String,
        #[serde(default = "VersionSource::default_pattern")]
        pattern: String,
    },
    /// What the device says in its requests for updates.
    Request { pattern: String },
    /// A command of the laboratory, such as one that asks over MQTT or a serial line.
    Command {
        command: Vec<String>,
        #[serde(default = "VersionSource::default_pattern")]
        pattern: String,
    },
}

impl Plan {
    fn default_ca() -> PathBuf {
        "lab-ca".into()
    }
    fn default_https() -> u16 {
        443
    }
    fn default_http() -> u16 {
        80
    }
    fn default_rounds() -> u32 {
        3
    }
    fn default_case() -> u64 {
        600
    }
    fn default_limit() -> u64 {
        4 * 3600
    }
    fn default_answer() -> u64 {
        30
    }
    fn default_fallback() -> u64 {
        60
    }
    fn default_cases() -> Vec<ServerCase> {
        let all = [&ServerCase::BAD_CERTIFICATES[..], &ServerCase::OLD_VERSIONS, &ServerCase::FALLBACKS];
        all.concat()
    }

    /// What it asks the laboratory to do.
    pub fn runs(&self) -> impl Iterator<Item = &'static super::Page> {
        let (isolation, outage, serves) = (self.isolation.is_some(), self.outage.is_some(), self.serves());
        let clock = self.moves_clocks();
        super::RUNS.iter().filter(move |r| match r.id {
            super::ISOLATION => isolation,
            super::OUTAGE => outage,
            super::CLOCK => clock,
            super::POLLS | super::SERVERS => serves,
            _ => true,
        })
    }

    /// Whether the device is to find an update server here. One to which images are handed over need not.
    pub fn serves(&self) -> bool {
        !self.pushes() || !self.resources.is_empty()
    }

    /// Whether the device is told a wrong time.
    pub fn moves_clocks(&self) -> bool {
        self.ntp.as_ref().is_some_and(|n| !n.wrong_times.is_empty())
    }

    pub fn serves_images(&self) -> bool {
        self.resources.iter().any(|r| r.kind == Resource::Image)
    }

    /// Whether images are handed over.
    pub fn pushes(&self) -> bool {
        self.images.as_ref().is_some_and(|i| i.push.is_some())
    }

    /// The wrong images to offer, in order.
    pub fn image_cases(&self) -> Vec<ImageCase> {
        use ImageCase as C;
        let Some(images) = &self.images else { return Vec::new() };
        if let Some(cases) = &images.cases {
            return cases.clone();
        }
        let mut all = vec![
            C::PayloadBit,
            C::SignatureBit,
            C::Stripped,
            C::OtherKey,
            C::OtherModel,
            C::Truncated,
            C::Cut,
            C::Older,
        ];
        let signed = self.resources.iter().any(|r| r.kind == Resource::MetadataSignature);
        let expires = self.resources.iter().any(|r| r.kind == Resource::Metadata && r.body.contains("{expires}"));
        all.extend(signed.then_some(C::MetadataChanged));
        all.extend((signed && expires).then_some(C::MetadataExpired));
        all.extend(images.no_boot.is_some().then_some(C::NoBoot));
        all.retain(|case| images.can(*case));
        all
    }

    /// What the form cannot rule out, by its key.
    pub fn wrong(&self) -> Option<String> {
        let said = |text: &str| Some(text.to_owned());
        let serves = self.serves();
        let (dns, ntp) = (self.dns.as_ref().map(|d| d.port), self.ntp.as_ref().map(|n| n.port));
        let dhcp = self.dhcp.as_ref().map(|_| super::dhcp::PORT);
        let ports = [serves.then_some(self.https_port), serves.then_some(self.http_port), dns, ntp, dhcp];
        let privileged = ports.into_iter().flatten().any(|p| p < 1024);
        if self.device.is_empty() {
            return said("device: name the device's addresses, such as [\"192.168.7.20\"]");
        }
        if serves && self.names.is_empty() || !lower_case(&self.names) {
            return said("names: list the host names of the updates, in lower case");
        }
        if self.https_port == self.http_port {
            return said("http_port: it must differ from https_port");
        }
        if privileged && !self.privileged_ports {
            return said(
                "privileged_ports: a port below 1024 is to be served; say privileged_ports = true, or take others",
            );
        }
        if self.rounds == 0 || self.case_seconds == 0 || self.answer_seconds == 0 {
            return said("rounds, case_seconds and answer_seconds: 1 or more");
        }
        if !self.pushes() && !self.resources.iter().any(|r| r.kind == Resource::Metadata) {
            return said("resource: say with kind = \"metadata\" which path the device asks for updates");
        }
        if self.resources.iter().any(|r| !r.path.starts_with('/')) {
            return said("resource: a path begins with /");
        }
        if self.resources.iter().any(|r| (r.kind == Resource::MetadataSignature) != r.key.is_some()) {
            return said("resource: kind = \"metadata-signature\", and no other, has a key that signs the metadata");
        }
        if let Some(why) = self.dhcp.as_ref().and_then(super::dhcp::Dhcp::wrong) {
            return said(why);
        }
        if self.dhcp.is_some() && super::dhcp::Lease::of(self).is_none() {
            return said("dhcp: it gives an IPv4 address, the first of `device`; `address` must be one, too");
        }
        if self.moves_clocks() && !(serves && self.cases.contains(&ServerCase::Expired)) {
            return said(
                "ntp.wrong: a wrong time shows at update servers; the plan must serve them, and the case expired",
            );
        }
        if self.ntp.as_ref().is_some_and(|n| !lower_case(&n.names)) {
            return said("ntp.names: list the host names of time servers, in lower case");
        }
        if self.isolation.as_ref().is_some_and(|i| i.seconds == 0) {
            return said("isolation.seconds: 1 or more");
        }
        if let Some(why) = self.outage.as_ref().and_then(super::outage::OutagePlan::wrong) {
            return Some(why);
        }
        if let Some(why) = self.images.as_ref()?.wrong() {
            return said(why);
        }
        if !self.pushes() && !self.serves_images() {
            return said("resource: say with kind = \"image\" at which path the device fetches the image");
        }
        if self.version.is_none() {
            return said(
                "version: say where the device's own version is read (from = \"http\", \"request\" or \"command\")",
            );
        }
        None
    }
}

fn lower_case(names: &[String]) -> bool {
    names.iter().all(|n| !n.is_empty() && *n == n.to_lowercase())
}

impl Rule {
    fn default_type() -> String {
        "application/octet-stream".to_owned()
    }
}

impl VersionSource {
    /// The first thing that looks like a version.
    fn default_pattern() -> String {
        r"([0-9]+(?:\.[0-9]+)+[0-9A-Za-z.+-]*)".to_owned()
    }

    pub fn pattern(&self) -> &str {
        match self {
            Self::Http { pattern, .. } | Self::Request { pattern } | Self::Command { pattern, .. } => pattern,
        }
    }
}
