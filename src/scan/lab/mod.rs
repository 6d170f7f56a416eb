//! The device's laboratory network: it waits for the device, plays its update servers, and records what the device does.
//! Nothing is forwarded, and nobody but the device is served.
mod certs;
mod dhcp;
mod director;
mod dns;
mod flight;
mod http;
mod images;
mod isolation;
mod ntp;
mod outage;
mod plan;
mod serve;
mod servers;
mod stage;
mod time;
mod version;

pub use self::{
    certs::CERTIFICATE,
    images::{Hand, Header as UploadHeader, Prepared, Trials},
    isolation::ID as ISOLATION,
    outage::ID as OUTAGE,
    plan::{Images, Plan, Push},
    stage::Signer,
    time::ID as CLOCK,
};
use super::{
    Progress, clock, engine,
    journal::{self, Journal, RECORDING},
};
use crate::model::{
    Header, Observation, Recording, Scope, Subject, Why,
    observation::lab::{Package, ServerCase},
    recording::{FORMAT, Tool},
};
use director::Director;
use serve::Speaks;
use stage::{Setup, Stage};
use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};
use thiserror::Error;
use tokio::{
    net::{TcpListener, UdpSocket},
    sync::{mpsc, watch},
    task::JoinSet,
};

#[derive(Debug, Error)]
pub enum LabError {
    #[error("{why}")]
    Plan { why: String },
    #[error("the laboratory's CA in `{dir}` cannot be used: {why}")]
    Ca { dir: String, why: String },
    #[error("cannot serve {what} on {at}: {why}; is the address this machine's, and the port free and permitted?")]
    Bind { what: &'static str, at: SocketAddr, why: String },
    #[error("cannot write the recording in `{dir}`: {source}")]
    Journal { dir: String, source: std::io::Error },
    #[error("`{file}` cannot be gone on with: {why}")]
    Resume { file: String, why: String },
}

/// One run of the laboratory.
pub struct Lab<'a> {
    pub plan: &'a Plan,
    /// Where the CA is kept.
    pub ca: &'a Path,
    pub scope: Scope,
    /// What an inspection of the genuine image found.
    pub package: Option<Package>,
    pub trials: Option<Trials>,
    /// What signs the metadata, where the plan has a signature of them.
    pub signer: Option<Signer>,
    pub dir: &'a Path,
    pub stop: watch::Receiver<bool>,
    pub progress: &'a dyn Progress,
}

/// A page of what a run of the laboratory does, by the name under which it is recorded.
pub struct Page {
    pub id: &'static str,
    pub page: &'static str,
}

/// The runs, in order.
pub static RUNS: [Page; 7] = [
    Page { id: "update-package", page: include_str!("update_package.md") },
    Page { id: POLLS, page: include_str!("lab_update_polls.md") },
    Page { id: SERVERS, page: include_str!("lab_update_servers.md") },
    Page { id: CLOCK, page: include_str!("lab_clock.md") },
    Page { id: "lab-update-images", page: include_str!("lab_update_images.md") },
    Page { id: OUTAGE, page: include_str!("lab_outage.md") },
    Page { id: ISOLATION, page: include_str!("lab_isolation.md") },
];
const POLLS: &str = "lab-update-polls";
const SERVERS: &str = "lab-update-servers";
const VERSION: u32 = 1;

/// Events that wait to be written down; further ones are a gap.
const MOST_WAITING: usize = 1024;

/// Serves until all cases are done or the time is over. A recording in the directory is gone on with, so that a scan
/// and a laboratory's run of one device are judged together.
pub async fn run(lab: Lab<'_>) -> Result<Recording, LabError> {
    if let Some(why) = lab.plan.wrong() {
        return Err(LabError::Plan { why });
    }
    let reader = lab.plan.version.as_ref().map(version::Reader::new).transpose()?;
    let ca = certs::Ca::kept(lab.ca)?;
    let (events, received) = mpsc::channel(MOST_WAITING);
    let setup = setup(&lab, reader.as_ref().and_then(version::Reader::says));
    let cases = lab.plan.cases.clone();
    // Making RSA keys takes a second or two of computing.
    let made = tokio::task::spawn_blocking(move || Stage::new(setup, &ca, &cases, events)).await;
    let broken = |why: String| LabError::Ca { dir: lab.ca.display().to_string(), why };
    let stage = made.map_err(|e| broken(e.to_string()))?.map_err(|e| broken(e.to_string()))?;
    let stage = Arc::new(stage);
    let serves = lab.plan.serves();
    let sockets = Sockets::bind(lab.plan).await?;
    let journal = Arc::new(open(&lab)?);
    let mut servers = JoinSet::new();
    for (socket, speaks) in sockets.tcp {
        servers.spawn(serve::serve(socket, speaks, stage.clone(), journal.clone()));
    }
    if let Some(dns) = sockets.dns {
        servers.spawn(dns::serve(dns, stage.clone()));
    }
    if let Some(ntp) = sockets.ntp {
        servers.spawn(ntp::serve(ntp, stage.clone()));
    }
    if let (Some(socket), Some(lease)) = (sockets.dhcp, dhcp::Lease::of(lab.plan)) {
        servers.spawn(dhcp::serve(socket, lease, stage.clone()));
    }
    let mut director = Director::new(&lab, stage, journal.clone(), reader, received);
    package(&director, lab.package.clone());
    let came = serves && director.polls().await && servers::servers(&mut director).await;
    time::clock(&mut director, lab.trials.as_ref(), came).await;
    images::images(&mut director, lab.trials.as_ref(), came).await;
    outage::outages(&mut director).await;
    isolation::isolation(&mut director, came).await;
    let stopped = director.stopped();
    servers.shutdown().await;
    let written = if stopped { journal.check() } else { journal.finish() };
    let dir = lab.dir.display().to_string();
    written.map_err(|source| LabError::Journal { dir: dir.clone(), source })?;
    read(&format!("{dir}/{RECORDING}"))
}

/// Makes the CA in `dir`, where there is none.
pub fn make_ca(dir: &Path) -> Result<(), LabError> {
    certs::Ca::kept(dir).map(|_| ())
}

fn read(file: &str) -> Result<Recording, LabError> {
    engine::read(file).map_err(|e| LabError::Resume { file: file.to_owned(), why: e.to_string() })
}

fn setup(lab: &Lab<'_>, says: Option<regex::Regex>) -> Setup {
    let plan = lab.plan;
    Setup {
        device: plan.device.iter().map(|a| a.to_canonical()).collect(),
        names: plan.names.clone(),
        ntp_names: plan.ntp.as_ref().map(|n| n.names.clone()).unwrap_or_default(),
        address: Some(plan.address),
        own: plan.address.to_string(),
        others: plan.dns.as_ref().map(|d| d.others).unwrap_or_default(),
        resources: plan.resources.clone(),
        signer: lab.signer.clone(),
        validity: (clock::in_hours(-24), clock::in_hours(24)),
        https_port: plan.https_port,
        http_port: plan.http_port,
        answer: Duration::from_secs(plan.answer_seconds),
        says,
    }
}

struct Sockets {
    tcp: Vec<(TcpListener, Speaks)>,
    dns: Option<UdpSocket>,
    ntp: Option<UdpSocket>,
    dhcp: Option<UdpSocket>,
}

impl Sockets {
    async fn bind(plan: &Plan) -> Result<Self, LabError> {
        let wanted = [("HTTPS", plan.https_port, Speaks::Tls), ("HTTP", plan.http_port, Speaks::Plain)];
        let mut tcp = Vec::new();
        for (what, port, speaks) in wanted.into_iter().filter(|_| plan.serves()) {
            let at = SocketAddr::new(plan.address, port);
            let bound = TcpListener::bind(at).await.map_err(|e| LabError::Bind { what, at, why: e.to_string() })?;
            tcp.push((bound, speaks));
        }
        let dns = udp(plan, "DNS", plan.dns.as_ref().map(|d| d.port)).await?;
        let ntp = udp(plan, "NTP", plan.ntp.as_ref().map(|n| n.port)).await?;
        let dhcp = match &plan.dhcp {
            None => None,
            Some(dhcp) => {
                let at = SocketAddr::new(plan.address, dhcp::PORT);
                let bound = dhcp::bind(dhcp).await;
                Some(bound.map_err(|e| LabError::Bind { what: "DHCP", at, why: e.to_string() })?)
            }
        };
        Ok(Self { tcp, dns, ntp, dhcp })
    }
}

async fn udp(plan: &Plan, what: &'static str, port: Option<u16>) -> Result<Option<UdpSocket>, LabError> {
    let Some(port) = port else { return Ok(None) };
    let at = SocketAddr::new(plan.address, port);
    UdpSocket::bind(at).await.map(Some).map_err(|e| LabError::Bind { what, at, why: e.to_string() })
}

fn open(lab: &Lab<'_>) -> Result<Journal, LabError> {
    let fail = |source| LabError::Journal { dir: lab.dir.display().to_string(), source };
    let file = lab.dir.join(RECORDING);
    if file.exists() {
        return Journal::resume(lab.dir, &read(&file.display().to_string())?).map_err(fail);
    }
    let header = Header {
        format: FORMAT.to_owned(),
        tool: Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        targets: lab.plan.device.iter().map(ToString::to_string).collect(),
        hosts: lab.plan.device.clone(),
        scope: lab.scope.clone(),
        plan: lab.plan.runs().map(|r| r.id.to_owned()).collect(),
        started: clock::now(),
    };
    journal::plan(lab.dir, &engine::planned(&header, None)).map_err(fail)?;
    Journal::create(lab.dir, header).map_err(fail)
}

fn package(director: &Director<'_>, package: Option<Package>) {
    let run = director.start("update-package");
    match package {
        Some(package) => run.record(Subject::Device, Observation::Package { package: Box::new(package) }, None),
        None => run.gap(None, Why::NotSupplied),
    }
    run.finish();
}

/// The order in which the cases are presented: each bad one as often as the plan says, shuffled, since some devices give
/// in after a number of failures; what ends a device's trust in HTTPS last.
fn order(plan: &Plan) -> Vec<ServerCase> {
    use rand::seq::SliceRandom;
    let of = |wanted: &[ServerCase]| plan.cases.iter().copied().filter(|c| wanted.contains(c)).collect::<Vec<_>>();
    let certificates = of(&ServerCase::BAD_CERTIFICATES);
    let mut bad: Vec<ServerCase> = (0..plan.rounds).flat_map(|_| certificates.clone()).collect();
    bad.extend(of(&ServerCase::OLD_VERSIONS));
    bad.shuffle(&mut rand::rng());
    let mut all = vec![ServerCase::Genuine];
    all.extend(bad);
    all.push(ServerCase::Genuine);
    all.extend(of(&ServerCase::FALLBACKS));
    all
}
