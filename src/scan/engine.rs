//! Runs the probes of a scan in order, each bracketed by "is it still there?", into a journal.
use super::{
    clock,
    journal::{self, Journal, RECORDING},
    ledger::Ledger,
    net::{Trouble, wire},
    probe::{PROBES, Probe},
    resolve::resolve,
    session::{CONNECT, Ctx, Session},
};
use crate::model::{
    Endpoint, Header, Observation, Plan, Recording, Scope, Subject, Touch, Why,
    observation::PortState,
    plan::{FILE, SCHEMA, TOKEN},
    recording::{FORMAT, Tool},
};
use std::{collections::BTreeSet, io, net::IpAddr, path::Path, sync::Arc};
use thiserror::Error;
use tokio::sync::watch;

#[derive(Debug, Error)]
pub enum ScanError {
    #[error("`{name}` cannot be resolved: {why}; check the name or give the address")]
    NoSuchHost { name: String, why: String },
    #[error("{0}")]
    OutOfScope(String),
    #[error("`{host}` cannot be reached: {why}; check the cable, the address and the route")]
    Unreachable { host: IpAddr, why: String },
    #[error("cannot write the recording in `{dir}`: {source}")]
    Journal { dir: String, source: io::Error },
    #[error("`{file}` cannot be resumed: {why}")]
    Resume { file: String, why: String },
}

/// A device by the names that people gave for it.
pub struct Target {
    pub names: Vec<String>,
    pub addresses: Vec<(String, Vec<IpAddr>, IpAddr)>,
}

impl Target {
    /// Resolves every name; the first address of each is used.
    pub async fn resolve(names: &[String]) -> Result<Self, ScanError> {
        let mut addresses = Vec::new();
        for name in names {
            let all = resolve(name).await.map_err(|why| ScanError::NoSuchHost { name: name.clone(), why })?;
            if let Some(used) = all.first().copied() {
                addresses.push((name.clone(), all, used));
            }
        }
        Ok(Self { names: names.to_vec(), addresses })
    }

    pub fn hosts(&self) -> Vec<IpAddr> {
        self.addresses.iter().map(|a| a.2).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// Told after each probe.
pub trait Progress: Send + Sync {
    fn step(&self, done: usize, of: usize, what: &str);
}

/// Which probes a scan runs, in order: all, or the named ones.
pub fn plan(only: &[String]) -> Vec<&'static Probe> {
    PROBES.iter().copied().filter(|p| only.is_empty() || only.iter().any(|o| o == p.id)).collect()
}

pub struct Scan<'a> {
    pub target: &'a Target,
    pub scope: Scope,
    pub probes: Vec<&'static Probe>,
    pub dir: &'a Path,
    pub resume: bool,
    /// What a certifier gave for this scan.
    pub nonce: Option<String>,
    /// Needed where the scope allows log-ins.
    pub ledger: Option<Arc<Ledger>>,
    pub stop: watch::Receiver<bool>,
    pub progress: &'a dyn Progress,
}

/// Scans, and returns the recording as it stands on disk. Interrupted: it says where it stopped.
pub async fn scan(scan: Scan<'_>) -> Result<Recording, ScanError> {
    let hosts = scan.target.hosts();
    for host in &hosts {
        if !scan.scope.admits_host(*host) {
            return Err(ScanError::OutOfScope(format!(
                "`{host}` is out of scope; name it in the scope file's `hosts` (and set public_addresses = true for a public address)"
            )));
        }
    }
    let dir = scan.dir.display().to_string();
    let file = format!("{dir}/{RECORDING}");
    let so_far = if scan.resume && Path::new(&file).exists() { Some(read(&file)?) } else { None };
    let failed = |source| ScanError::Journal { dir: dir.clone(), source };
    let journal = match &so_far {
        Some(recording) => Journal::resume(scan.dir, recording),
        None => {
            let header = header(scan.target, &scan.scope, &scan.probes);
            if scan.resume || scan.dir.join(TOKEN).exists() {
                let bytes = std::fs::read(scan.dir.join(FILE)).map_err(failed)?;
                if !Plan::parse(&bytes).is_ok_and(|p| p.is_of(&header)) {
                    let why = "it is the plan of another scan; use another directory".to_owned();
                    return Err(ScanError::Resume { file: format!("{dir}/{FILE}"), why });
                }
            } else {
                journal::plan(scan.dir, &planned(&header, scan.nonce.clone())).map_err(failed)?;
            }
            reachable(&scan.scope, &hosts).await?;
            Journal::create(scan.dir, header)
        }
    };
    let journal = Arc::new(journal.map_err(failed)?);
    let session =
        Arc::new(Session::new(scan.scope.clone(), hosts, journal.clone(), scan.ledger.clone(), scan.stop.clone()));
    let finished =
        |p: &Probe| so_far.as_ref().is_some_and(|r| r.run_of(p.id).is_some_and(|run| run.finished.is_some()));
    let todo: Vec<_> = scan.probes.iter().copied().filter(|p| !finished(p)).collect();
    for (n, probe) in todo.iter().copied().enumerate() {
        if session.stopped() {
            break;
        }
        scan.progress.step(n, todo.len(), probe.title);
        run(&session, probe, scan.target).await;
        journal.check().map_err(|source| ScanError::Journal { dir: dir.clone(), source })?;
    }
    scan.progress.step(todo.len(), todo.len(), "done");
    // What is whole already stays as it is: an authority may have stamped its end.
    let whole = todo.is_empty() && so_far.as_ref().is_some_and(|r| r.finished.is_some());
    if !session.stopped() && !whole {
        journal.finish().map_err(|source| ScanError::Journal { dir: dir.clone(), source })?;
    }
    read(&file)
}

pub(super) fn read(file: &str) -> Result<Recording, ScanError> {
    let fail = |why: String| ScanError::Resume { file: file.to_owned(), why };
    let bytes = std::fs::read(file).map_err(|e| fail(e.to_string()))?;
    Recording::parse(&bytes).map_err(|e| fail(e.to_string()))
}

/// What a scan with this first line is about to do.
pub fn planned(header: &Header, nonce: Option<String>) -> Plan {
    let Header { tool, targets, hosts, scope, plan: probes, .. } = header.clone();
    Plan { schema: SCHEMA.to_owned(), tool, targets, hosts, scope, probes, nonce, made: clock::now() }
}

/// Writes what a scan will do into its directory, for an authority to stamp before the first packet.
pub fn prepare(
    target: &Target,
    scope: &Scope,
    probes: &[&Probe],
    dir: &Path,
    nonce: Option<String>,
) -> Result<Vec<u8>, ScanError> {
    let written = journal::plan(dir, &planned(&header(target, scope, probes), nonce));
    written.map_err(|source| ScanError::Journal { dir: dir.display().to_string(), source })
}

fn header(target: &Target, scope: &Scope, probes: &[&Probe]) -> Header {
    Header {
        format: FORMAT.to_owned(),
        tool: Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        targets: target.names.clone(),
        hosts: target.hosts(),
        scope: scope.clone(),
        plan: probes.iter().map(|p| p.id.to_owned()).collect(),
        started: clock::now(),
    }
}

/// A host that does not exist must end in an error of its own, never in a recording full of silence.
async fn reachable(scope: &Scope, hosts: &[IpAddr]) -> Result<(), ScanError> {
    for host in hosts {
        let Ok(admitted) = scope.admit(Endpoint::tcp(*host, 80), Touch::Connect) else { continue };
        if let Err(e @ (Trouble::Unreachable | Trouble::Ours(_))) = wire::dial(admitted, CONNECT).await {
            return Err(ScanError::Unreachable { host: *host, why: e.to_string() });
        }
    }
    Ok(())
}

async fn run(session: &Arc<Session>, probe: &'static Probe, target: &Target) {
    let ctx = Ctx::new(session.clone(), probe);
    if probe.touch > session.scope.most {
        ctx.gap(None, Why::TooIntrusive);
    } else {
        if probe.id == "device-binding" {
            for (name, addresses, used) in target.addresses.iter().filter(|a| a.0 != a.2.to_string()) {
                let (name, addresses, used) = (name.clone(), addresses.clone(), *used);
                ctx.record(Subject::Device, Observation::NameResolved { name, addresses, used }, None);
            }
        }
        let mut stop = session.stop.clone();
        tokio::select! {
            () = (probe.run)(&ctx) => {}
            _ = stop.wait_for(|s| *s) => {}
        }
        alive(&ctx).await;
    }
    // An interrupted run stays unfinished, and a resumed scan makes it again.
    if !session.stopped() {
        session.journal.finish_run(&ctx.run);
    }
}

/// After a run: do the ports that were open still open? If none does, the device is gone, and what the
/// run did not see proves nothing. A run that sent nothing needs no proof, and a device no more connections.
async fn alive(ctx: &Ctx) {
    if ctx.session.stopped() || !ctx.has_asked() {
        return;
    }
    for host in &ctx.session.hosts {
        let open: Vec<Endpoint> = ctx
            .seen("tcp-ports")
            .iter()
            .filter(|r| matches!(r.observation, Observation::Port { state: PortState::Open, .. }))
            .filter_map(|r| r.subject.endpoint())
            .filter(|e| e.host == *host)
            .take(3)
            .collect();
        let mut answered = open.is_empty();
        for endpoint in open {
            if let Ok(wire) = ctx.tcp(endpoint).await {
                drop(wire);
                answered = true;
                break;
            }
        }
        if !answered {
            ctx.gap(Some(Subject::Host(*host)), Why::DeviceGone);
        }
    }
}
