//! The ways into a device, one file per protocol, behind one small interface.
use crate::model::{
    Endpoint, Observation, Record, Sha256Digest,
    observation::{Answer, Mechanism},
};
use crate::scan::{
    net::Trouble,
    session::{Ctx, Identified},
};
use std::collections::BTreeSet;

mod ftp;
mod http;
mod mqtt;
mod ssh;
mod telnet;

/// What one attempt came to.
pub struct Tried {
    pub answer: Answer,
    pub proof: String,
    pub transcript: Option<Sha256Digest>,
}

impl Tried {
    fn new(answer: Answer, proof: impl Into<String>, transcript: Sha256Digest) -> Self {
        Self { answer, proof: proof.into(), transcript: Some(transcript) }
    }
}

/// One way to log in at one endpoint.
pub struct Door {
    at: Identified,
    mechanism: Mechanism,
    /// Of the page that is protected, or that holds the form.
    path: String,
    hints: String,
}

impl Door {
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }
    pub fn endpoint(&self) -> Endpoint {
        self.at.endpoint
    }
    pub fn path(&self) -> String {
        self.path.clone()
    }
    pub fn hints(&self) -> &str {
        &self.hints
    }
    pub fn anonymous(&self) -> bool {
        self.mechanism == Mechanism::Ftp
    }

    /// What the list of credentials calls it.
    pub fn protocol(&self) -> &'static str {
        match self.mechanism {
            Mechanism::HttpBasic | Mechanism::HttpDigest | Mechanism::HttpForm => "http",
            Mechanism::Mqtt => "mqtt",
            Mechanism::Telnet => "telnet",
            Mechanism::Ssh => "ssh",
            Mechanism::Ftp => "ftp",
            Mechanism::Snmp => "snmpv3",
            Mechanism::Rtsp => "rtsp",
        }
    }

    pub fn takes_passwords(&self) -> bool {
        !matches!(self.mechanism, Mechanism::Rtsp | Mechanism::Snmp)
    }

    pub async fn try_nothing(&self, ctx: &Ctx) -> Result<Tried, Trouble> {
        match self.mechanism {
            Mechanism::HttpBasic | Mechanism::HttpDigest | Mechanism::HttpForm => http::nothing(ctx, self).await,
            Mechanism::Mqtt => mqtt::attempt(ctx, &self.at, None).await,
            Mechanism::Telnet => telnet::nothing(ctx, self.at.endpoint).await,
            Mechanism::Ssh => ssh::nothing(ctx, self.at.endpoint).await,
            Mechanism::Ftp => ftp::nothing(ctx, self.at.endpoint).await,
            Mechanism::Rtsp => http::rtsp_nothing(ctx, &self.at).await,
            Mechanism::Snmp => Err(Trouble::NotUnderstood("SNMP has a probe of its own".to_owned())),
        }
    }

    pub async fn try_pair(&self, ctx: &Ctx, user: &str, secret: &str) -> Result<Tried, Trouble> {
        match self.mechanism {
            Mechanism::HttpBasic => http::basic(ctx, self, user, secret).await,
            Mechanism::HttpDigest => http::digest(ctx, self, user, secret).await,
            Mechanism::HttpForm => http::form(ctx, self, user, secret).await,
            Mechanism::Mqtt => mqtt::attempt(ctx, &self.at, Some((user, secret))).await,
            Mechanism::Telnet => telnet::pair(ctx, self.at.endpoint, user, secret).await,
            Mechanism::Ssh => ssh::pair(ctx, self.at.endpoint, user, secret).await,
            Mechanism::Ftp => ftp::pair(ctx, self.at.endpoint, user, secret).await,
            Mechanism::Rtsp | Mechanism::Snmp => Err(Trouble::NotUnderstood("no password test for it".to_owned())),
        }
    }
}

/// Every way in that earlier probes found.
pub fn doors(ctx: &Ctx) -> Vec<Door> {
    let services = ctx.services();
    let mut all: Vec<Door> = Vec::new();
    let mut seen = BTreeSet::new();
    let pages = ctx.seen("http-surface");
    let hints = hints(&services, &pages);
    for record in &pages {
        let (Observation::Http { page }, Some(e)) = (&record.observation, record.subject.endpoint()) else { continue };
        let Some(at) = services.iter().find(|s| s.endpoint == e) else { continue };
        let mut found = Vec::new();
        for c in &page.challenges {
            match c.scheme.as_str() {
                "basic" => found.push(Mechanism::HttpBasic),
                "digest" => found.push(Mechanism::HttpDigest),
                _ => {}
            }
        }
        if page.login_form {
            found.push(Mechanism::HttpForm);
        }
        for mechanism in found {
            if seen.insert((e, mechanism)) {
                all.push(Door { at: at.clone(), mechanism, path: page.path.clone(), hints: hints.clone() });
            }
        }
    }
    for at in services {
        let mechanism = match at.service.as_str() {
            "mqtt" => Mechanism::Mqtt,
            "telnet" => Mechanism::Telnet,
            "ssh" => Mechanism::Ssh,
            "ftp" => Mechanism::Ftp,
            "rtsp" => Mechanism::Rtsp,
            _ => continue,
        };
        all.push(Door { at, mechanism, path: String::new(), hints: hints.clone() });
    }
    // What gives a whole shell comes first.
    all.sort_by_key(|d| !matches!(d.mechanism, Mechanism::Telnet | Mechanism::Ssh));
    all
}

/// Everything by which any service of the device names its maker: one box, one maker.
fn hints(services: &[Identified], pages: &[Record]) -> String {
    let mut words: Vec<&str> = Vec::new();
    for s in services {
        words.extend(s.vendor.as_deref());
        words.extend(s.says.iter().map(String::as_str));
    }
    for record in pages {
        if let Observation::Http { page } = &record.observation {
            words.extend([page.server.as_str(), page.title.as_str()]);
            words.extend(page.challenges.iter().map(|c| c.realm.as_str()));
        }
    }
    words.join(" ")
}
