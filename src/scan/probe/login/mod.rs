//! The ways into a device, one file per protocol, behind one small interface.
use crate::model::{
    Endpoint, Observation, Record, Sha256Digest,
    observation::{Answer, ControlAnswer, Mechanism},
};
use crate::scan::{
    codec::onvif::Operation,
    credentials::{self, Credential},
    net::Trouble,
    session::{Ctx, Identified},
};
use std::{collections::BTreeSet, sync::OnceLock};

pub mod answered;
pub mod digest;
mod ftp;
pub mod http;
pub mod json;
mod mqtt;
mod onvif;
mod psk;
mod redis;
mod rtsp;
pub mod session;
pub mod ssh;
mod telnet;
mod token;

/// What one attempt came to.
pub struct Tried {
    pub answer: Answer,
    pub proof: String,
    pub transcript: Option<Sha256Digest>,
    pub account: Account,
}

/// Whose failures a door counts, as far as can be told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// Those of the user who is named.
    Named,
    /// It asks for a secret alone: every failure, controls included, is charged to its only account.
    Only,
}

impl Tried {
    fn new(answer: Answer, proof: impl Into<String>, transcript: Sha256Digest) -> Self {
        Self { transcript: Some(transcript), ..Self::of(answer, proof) }
    }

    /// Told by what an earlier probe saw.
    fn of(answer: Answer, proof: impl Into<String>) -> Self {
        Self { answer, proof: proof.into(), transcript: None, account: Account::Named }
    }
}

/// One way to log in at one endpoint.
pub struct Door {
    at: Identified,
    mechanism: Mechanism,
    /// Of the page that is protected, or that holds the form.
    path: String,
    hints: String,
    /// Where it takes JSON: how it is asked.
    api: Option<json::Api>,
    /// What a refusal of a JSON log-in looks like.
    refusal: OnceLock<String>,
}

impl Door {
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }
    pub fn endpoint(&self) -> Endpoint {
        self.at.endpoint
    }
    pub fn at(&self) -> &Identified {
        &self.at
    }
    pub fn host(&self) -> String {
        self.at.endpoint.addr().to_string()
    }
    pub fn tls(&self) -> bool {
        self.at.tls
    }
    pub fn path(&self) -> String {
        self.path.clone()
    }
    pub fn anonymous(&self) -> bool {
        self.mechanism == Mechanism::Ftp
    }

    /// What the list of credentials calls it.
    pub fn protocol(&self) -> &'static str {
        match self.mechanism {
            Mechanism::HttpBasic
            | Mechanism::HttpDigest
            | Mechanism::HttpForm
            | Mechanism::HttpJson
            | Mechanism::HttpToken => "http",
            Mechanism::Mqtt => "mqtt",
            Mechanism::Telnet => "telnet",
            Mechanism::Ssh => "ssh",
            Mechanism::Ftp => "ftp",
            Mechanism::Snmp => "snmpv3",
            Mechanism::Rtsp => "rtsp",
            Mechanism::Redis => "redis",
            Mechanism::Cwmp => "cwmp",
            Mechanism::Onvif => "onvif",
            Mechanism::Psk => "coaps",
        }
    }

    /// What to try here, likeliest first.
    pub fn candidates(&self) -> Vec<Credential> {
        match self.mechanism {
            Mechanism::HttpToken => {
                let all = credentials::tokens(&self.hints).into_iter();
                all.filter(|t| token::header(&t.user).is_some()).collect()
            }
            // Each success makes the device call its management server.
            Mechanism::Cwmp => credentials::candidates("cwmp", &self.hints).into_iter().take(3).collect(),
            // Cameras keep one list of users for streams and for ONVIF.
            Mechanism::Onvif => credentials::candidates("rtsp", &self.hints),
            Mechanism::Psk => credentials::pre_shared_keys(),
            _ => credentials::candidates(self.protocol(), &self.hints),
        }
    }

    /// Who is charged with a failure of `user` here. A token is nobody's, so that each stands for itself.
    pub fn account(&self, candidate: &Credential) -> String {
        match self.mechanism {
            Mechanism::HttpToken => format!("(token {})", candidate.id),
            // An identity of DTLS is no account of a person.
            Mechanism::Psk => format!("(dtls {})", candidate.user),
            _ => candidate.user.clone(),
        }
    }

    pub async fn try_nothing(&self, ctx: &Ctx) -> Result<Tried, Trouble> {
        match self.mechanism {
            Mechanism::HttpBasic | Mechanism::HttpDigest | Mechanism::HttpForm => http::nothing(ctx, self).await,
            Mechanism::HttpJson => json::nothing(ctx, self).await,
            Mechanism::HttpToken => token::nothing(ctx, self).await,
            Mechanism::Mqtt => mqtt::attempt(ctx, &self.at, None).await,
            Mechanism::Telnet => telnet::nothing(ctx, self.at.endpoint).await,
            Mechanism::Ssh => ssh::nothing(ctx, self.at.endpoint).await,
            Mechanism::Ftp => ftp::nothing(ctx, &self.at).await,
            Mechanism::Rtsp => rtsp::nothing(ctx, self).await,
            Mechanism::Redis => redis::nothing(ctx, &self.at).await,
            Mechanism::Cwmp => http::nothing(ctx, self).await,
            Mechanism::Onvif => onvif::nothing(ctx, self).await,
            Mechanism::Psk => Ok(psk::nothing(self)),
            Mechanism::Snmp => Err(Trouble::NotUnderstood("SNMP has a probe of its own".to_owned())),
        }
    }

    /// A question to the same service that is no log-in, to tell a slow device from one that slows guesses.
    pub async fn neutral(&self, ctx: &Ctx) -> Result<(), Trouble> {
        match self.protocol() {
            "http" => self.try_nothing(ctx).await.map(drop),
            _ => {
                ctx.connect(self.at.endpoint, self.at.tls).await?.close().await;
                Ok(())
            }
        }
    }

    pub async fn try_pair(&self, ctx: &Ctx, user: &str, secret: &str) -> Result<Tried, Trouble> {
        match self.mechanism {
            Mechanism::HttpBasic => http::basic(ctx, self, user, secret).await,
            Mechanism::HttpDigest => http::digest(ctx, self, user, secret).await,
            Mechanism::HttpForm => http::form(ctx, self, user, secret).await,
            Mechanism::HttpJson => json::pair(ctx, self, user, secret).await,
            Mechanism::HttpToken => token::pair(ctx, self, user, secret).await,
            Mechanism::Mqtt => mqtt::attempt(ctx, &self.at, Some((user, secret))).await,
            Mechanism::Telnet => telnet::pair(ctx, self.at.endpoint, user, secret).await,
            Mechanism::Ssh => ssh::pair(ctx, self.at.endpoint, user, secret).await,
            Mechanism::Ftp => ftp::pair(ctx, &self.at, user, secret).await,
            Mechanism::Rtsp => rtsp::pair(ctx, self, user, secret).await,
            Mechanism::Redis => redis::pair(ctx, &self.at, secret).await,
            Mechanism::Cwmp => http::connection_request(ctx, self, user, secret).await,
            Mechanism::Onvif => onvif::pair(ctx, self, user, secret).await,
            Mechanism::Psk => psk::pair(ctx, self, user, secret).await,
            Mechanism::Snmp => Err(Trouble::NotUnderstood("SNMP has a probe of its own".to_owned())),
        }
    }
}

/// Every way in that earlier probes found.
pub fn doors(ctx: &Ctx) -> Vec<Door> {
    let services = ctx.services();
    let pages = ctx.seen("http-surface");
    let hints = hints(&services, &pages);
    let door = |at: &Identified, mechanism, path: &str, api| Door {
        at: at.clone(),
        mechanism,
        path: path.to_owned(),
        hints: hints.clone(),
        api,
        refusal: OnceLock::new(),
    };
    let mut all: Vec<Door> = Vec::new();
    let mut seen = BTreeSet::new();
    let shown = [ctx.seen("json-logins"), ctx.seen("onvif-services")].concat();
    let waking = ctx.seen("cwmp-connreq");
    let plain = pages.iter().chain(&shown).flat_map(|r| ways(&r.observation).into_iter().map(move |w| (r, w)));
    let waking = waking.iter().flat_map(|r| wake(&r.observation).map(|w| (r, w)));
    for (record, (mechanism, path, api)) in plain.chain(waking) {
        let at = record.subject.endpoint().and_then(|e| services.iter().find(|s| s.endpoint == e));
        let Some(at) = at else { continue };
        if seen.insert((at.endpoint, mechanism)) {
            all.push(door(at, mechanism, path, api));
        }
    }
    for record in ctx.seen("coap-resources") {
        let Observation::Dtls { answer } = &record.observation else { continue };
        let at = record.subject.endpoint().and_then(|e| services.iter().find(|s| s.endpoint == e));
        if let (Some(at), Some((_, suite))) = (at, answer.split_once("accepted "))
            && suite.contains("_PSK_")
        {
            all.push(door(at, Mechanism::Psk, suite, None));
        }
    }
    let closed = closed_streams(ctx);
    for at in &services {
        let mechanism = match at.service.as_str() {
            "mqtt" => Mechanism::Mqtt,
            "telnet" => Mechanism::Telnet,
            "ssh" => Mechanism::Ssh,
            "ftp" => Mechanism::Ftp,
            "rtsp" => Mechanism::Rtsp,
            "redis" => Mechanism::Redis,
            _ => continue,
        };
        let stream = closed.iter().find(|(e, _)| *e == at.endpoint).map_or("/", |(_, path)| path.as_str());
        all.push(door(at, mechanism, if mechanism == Mechanism::Rtsp { stream } else { "" }, None));
    }
    // What gives a whole shell comes first.
    all.sort_by_key(|d| !matches!(d.mechanism, Mechanism::Telnet | Mechanism::Ssh));
    all
}

type Way<'a> = (Mechanism, &'a str, Option<json::Api>);

/// The ways in that one page shows.
fn ways(observation: &Observation) -> Vec<Way<'_>> {
    match observation {
        Observation::Http { page } => {
            let mut found = Vec::new();
            for c in &page.challenges {
                match c.scheme.as_str() {
                    "basic" => found.push(Mechanism::HttpBasic),
                    "digest" => found.push(Mechanism::HttpDigest),
                    "bearer" => found.push(Mechanism::HttpToken),
                    _ => {}
                }
            }
            if page.challenges.is_empty() && page.status == 401 {
                found.push(Mechanism::HttpToken);
            }
            if page.login_form {
                found.push(Mechanism::HttpForm);
            }
            found.into_iter().map(|m| (m, page.path.as_str(), None)).collect()
        }
        Observation::JsonLogin { path, user_field, password_field, closed, .. } => {
            let (user_field, password_field, closed) = (user_field.clone(), password_field.clone(), closed.clone());
            vec![(Mechanism::HttpJson, path.as_str(), Some(json::Api { user_field, password_field, closed }))]
        }
        Observation::OnvifAnswer { operation, path, answer: ControlAnswer::Refused, .. }
            if operation == Operation::Information.name() =>
        {
            vec![(Mechanism::Onvif, path.as_str(), None)]
        }
        _ => Vec::new(),
    }
}

/// The way in of a connection request (TR-069), where it asks for Digest.
fn wake(observation: &Observation) -> Option<Way<'_>> {
    let Observation::Http { page } = observation else { return None };
    let digest = page.challenges.iter().any(|c| c.scheme == "digest");
    (page.status == 401 && digest).then_some((Mechanism::Cwmp, page.path.as_str(), None))
}

/// The first stream of each camera that was closed.
fn closed_streams(ctx: &Ctx) -> Vec<(Endpoint, String)> {
    let of = |r: Record| match r.observation {
        Observation::RtspStream { path, control: false, status: 401, .. } => Some((r.subject.endpoint()?, path)),
        _ => None,
    };
    ctx.seen("rtsp-streams").into_iter().filter_map(of).collect()
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
