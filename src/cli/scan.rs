//! `scan`: from a target to a recording, and to a verdict where profiles are named.
use super::{
    Done, Exit, Failure,
    args::{JudgeFormat, Most, PaceArg, ScanArgs, StateArg, VantageArg},
    bundle::seal_failure,
    confidential, judge, ledger, output, source, timestamp,
};
use patuh::{
    bundle::seal::keep,
    model::{
        Plan, Recording, Scope, State, Touch, Vantage, plan,
        scope::{Pace, PortSpec},
    },
    report::inventory,
    scan::{Progress, ScanError, Target, engine, journal::RECORDING, scan},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::watch;

pub async fn run(a: ScanArgs) -> Done {
    // Everything that can be wrong on our side is found before a packet is sent.
    let profiles = source::profiles_on(&a.profile, &source::Day::now(a.as_of)?)?;
    let expected = judge::expected(a.expect.as_ref())?;
    let here = a.resume.clone().or(a.out.clone());
    if a.time.tsa.is_some() && here.is_none() {
        let message = "--tsa stamps a recording that is kept; name a directory with --out DIR";
        return Err(Failure::new(Exit::Usage, message));
    }
    let beside = here.clone().unwrap_or_default();
    let (ics, ixit) = (source::ics(a.ics.as_ref(), &beside)?, source::ixit(a.ixit.as_ref(), &beside)?);
    let prepared = prepare(&a).await?;
    let temporary;
    let dir: &Path = match &here {
        Some(d) => d,
        None => {
            temporary = Temporary::new()?;
            &temporary.0
        }
    };
    if a.out.is_some() && dir.join(RECORDING).exists() {
        let message = format!(
            "`{}` holds a recording already; use another directory, or --resume to go on with it",
            dir.display()
        );
        return Err(Failure::new(Exit::Io, message));
    }
    if a.keep_openings {
        confidential::keep(dir)?;
    }
    if let Some(path) = &a.time.timestamp_request {
        return planned(&prepared, &a, dir, path);
    }
    before(&prepared, &a, dir).await?;
    let steps = output::Steps::new("scan");
    let recording = record(&prepared, dir, a.resume.is_some(), &steps).await?;
    if let (Some(url), true) = (&a.time.tsa, recording.finished.is_some()) {
        after(url, dir).await;
    }
    keep_declarations(&a, dir)?;
    if here.is_some() {
        output::note(&format!("recording: {}", dir.display()));
    }
    if profiles.is_empty() {
        let inventory = inventory::inventory(&recording);
        output::result(&if a.json { inventory::json(&inventory) } else { inventory::text(&inventory) })?;
        return Ok(if recording.finished.is_none() { Exit::Inconclusive } else { Exit::Passed });
    }
    let said = source::attestations(dir)?;
    let all = judge::all_attested(&recording, ics.as_ref(), ixit.as_ref(), said.as_ref(), &profiles);
    judge::show(&recording, &all, if a.json { JudgeFormat::Json } else { JudgeFormat::Text })?;
    Ok(judge::outcome(&all, expected.as_ref()))
}

/// The plan and the query about it, and what to do with them.
fn planned(p: &Prepared, a: &ScanArgs, dir: &Path, query: &Path) -> Done {
    let plan = engine::prepare(&p.target, &p.scope, &p.probes, dir, p.nonce.clone()).map_err(|e| failure(&e))?;
    keep_declarations(a, dir)?;
    timestamp::write_query(query, &plan, dir)?;
    output::note(&format!("nothing was sent; after that: patuh scan --resume {}", dir.display()));
    Ok(Exit::Passed)
}

/// An authority's time of the plan. Without an answer no packet is sent.
async fn before(p: &Prepared, a: &ScanArgs, dir: &Path) -> Result<(), Failure> {
    let begun = dir.join(RECORDING).exists();
    let Some(url) = a.time.tsa.as_ref().filter(|_| !begun) else { return Ok(()) };
    let plan = if a.resume.is_some() {
        source::read(&dir.join(plan::FILE))?
    } else {
        engine::prepare(&p.target, &p.scope, &p.probes, dir, p.nonce.clone()).map_err(|e| failure(&e))?
    };
    if !dir.join(plan::TOKEN).exists() {
        let answer = timestamp::ask(url, &plan).await?;
        let token = keep(&dir.join(plan::TOKEN), &answer, &plan).map_err(|e| seal_failure(&e))?;
        output::note(&format!("plan stamped at {} (serial {})", token.time, token.serial));
    }
    Ok(())
}

/// An authority's time of the end. What was recorded is kept without it, too.
async fn after(url: &str, dir: &Path) {
    if let Err(e) = timestamp::stamp_end(url, dir).await {
        let dir = dir.display();
        output::note(&format!("{}; the end is not stamped: ask again with patuh timestamp {dir} --tsa URL", e.message));
    }
}

pub struct Prepared {
    pub target: Target,
    pub scope: Scope,
    pub probes: Vec<&'static patuh::scan::Probe>,
    /// Where failed log-ins are counted.
    pub ledger: Option<PathBuf>,
    /// What the certifier gave for this scan.
    pub nonce: Option<String>,
}

/// Resolves the target, reads the scope and chooses the probes; touches nothing but name servers.
pub async fn prepare(a: &ScanArgs) -> Result<Prepared, Failure> {
    for id in &a.probe {
        if patuh::scan::probe::find(id).is_none() {
            let near = patuh::judge::profile::nearest(id, patuh::scan::PROBES.iter().map(|p| p.id));
            return Err(Failure::new(Exit::Usage, format!("no probe `{id}`{near}")));
        }
    }
    let ledger = ledger::directory(a.ledger.as_ref());
    if let Some(dir) = a.resume.as_ref().filter(|d| !d.join(RECORDING).exists() && d.join(plan::FILE).exists()) {
        let file = dir.join(plan::FILE);
        let plan = Plan::parse(&source::read(&file)?);
        let plan = plan.map_err(|e| Failure::new(Exit::BadInput, format!("{}: {e}", file.display())))?;
        let target = Target::resolve(&plan.targets).await.map_err(|e| failure(&e))?;
        return Ok(Prepared { target, scope: plan.scope, probes: engine::plan(&plan.probes), ledger, nonce: None });
    }
    if let Some(dir) = &a.resume {
        let so_far = source::recording(dir)?;
        let target = Target::resolve(&so_far.header.targets).await.map_err(|e| failure(&e))?;
        return Ok(Prepared {
            target,
            scope: so_far.header.scope,
            probes: engine::plan(&so_far.header.plan),
            ledger,
            nonce: None,
        });
    }
    let target = Target::resolve(&a.targets).await.map_err(|e| failure(&e))?;
    let mut scope = match &a.scope {
        Some(path) => source::scope(path)?,
        None => Scope::of_command_line(&target.hosts()),
    };
    if let Some(spec) = &a.ports {
        scope.ports = spec.parse::<PortSpec>().map_err(|e| Failure::new(Exit::Usage, format!("--ports: {e}")))?;
    }
    if let Some(most) = a.most.map(touch) {
        if a.scope.is_some() && most > scope.most {
            return Err(Failure::new(
                Exit::NotPermitted,
                "--most asks for more than the scope file allows; change the scope file",
            ));
        }
        if a.scope.is_none() && most > Touch::LogIn {
            let message =
                "stress and alter need a scope file that says who authorised them; write one and give it with --scope";
            return Err(Failure::new(Exit::NotPermitted, message));
        }
        scope.most = most;
    }
    if let Some(pace) = a.pace {
        scope.pace = match pace {
            PaceArg::Gentle => Pace::Gentle,
            PaceArg::Adaptive => Pace::Adaptive,
            PaceArg::Fast => Pace::Fast,
        };
    }
    if let Some(vantage) = a.vantage {
        scope.vantage = match vantage {
            VantageArg::Lan => Vantage::Lan,
            VantageArg::Wan => Vantage::Wan,
            VantageArg::Guest => Vantage::Guest,
        };
    }
    if let Some(state) = a.state {
        scope.state = Some(match state {
            StateArg::Factory => State::Factory,
            StateArg::Initialised => State::Initialised,
        });
    }
    valid_now(&scope)?;
    Ok(Prepared { target, scope, probes: engine::plan(&a.probe), ledger, nonce: a.time.nonce.clone() })
}

fn touch(most: Most) -> Touch {
    match most {
        Most::Connect => Touch::Connect,
        Most::Ask => Touch::Ask,
        Most::LogIn => Touch::LogIn,
        Most::Stress => Touch::Stress,
        Most::Alter => Touch::Alter,
    }
}

pub fn valid_now(scope: &Scope) -> Result<(), Failure> {
    let now = patuh::scan::clock::now();
    let day = |s: &str| s.get(..10).map(str::to_owned).unwrap_or_default();
    let early = scope.valid_from.as_ref().is_some_and(|f| day(&now) < day(f));
    let late = scope.valid_to.as_ref().is_some_and(|t| day(&now) > day(t));
    if early || late {
        let message = format!(
            "the scope is valid from {} to {}, today is {}; ask for a new authorisation",
            scope.valid_from.as_deref().unwrap_or("any time"),
            scope.valid_to.as_deref().unwrap_or("any time"),
            day(&now)
        );
        return Err(Failure::new(Exit::NotPermitted, message));
    }
    Ok(())
}

/// Scans into `dir`. Ctrl-C stops it; the recording then says where.
pub async fn record(p: &Prepared, dir: &Path, resume: bool, steps: &dyn Progress) -> Result<Recording, Failure> {
    let logs_in = p.scope.most >= Touch::LogIn && p.probes.iter().any(|x| x.touch >= Touch::LogIn);
    let ledger = if logs_in { Some(Arc::new(ledger::open(p.ledger.as_deref())?)) } else { None };
    // More descriptors let the sweep go wider; without them it goes slower.
    let _ = rlimit::increase_nofile_limit(8192);
    let (stop, interrupted) = interruptible();
    let (scope, probes) = (p.scope.clone(), p.probes.clone());
    let result = scan(engine::Scan {
        target: &p.target,
        scope,
        probes,
        dir,
        resume,
        nonce: p.nonce.clone(),
        ledger,
        stop,
        progress: steps,
    })
    .await;
    interrupted.abort();
    let recording = result.map_err(|e| failure(&e))?;
    if recording.finished.is_none() {
        output::note(&format!("interrupted; go on with: patuh scan --resume {}", dir.display()));
    }
    Ok(recording)
}

/// Becomes true at Ctrl-C; the task is to be aborted at the end.
pub fn interruptible() -> (watch::Receiver<bool>, tokio::task::JoinHandle<()>) {
    let (tell, stop) = watch::channel(false);
    let interrupted = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            output::note("stopping; what was seen so far is kept");
            let _ = tell.send(true);
        }
        // The sender must live as long as the work.
        std::future::pending::<()>().await;
    });
    (stop, interrupted)
}

pub fn failure(e: &ScanError) -> Failure {
    let exit = match e {
        ScanError::NoSuchHost { .. } | ScanError::Unreachable { .. } => Exit::Unreachable,
        ScanError::OutOfScope(_) => Exit::NotPermitted,
        ScanError::Journal { .. } => Exit::Io,
        ScanError::Resume { .. } => Exit::BadInput,
    };
    Failure::new(exit, e.to_string())
}

/// The declarations lie beside the recording, so that it can be judged and sealed as a whole.
fn keep_declarations(a: &ScanArgs, dir: &Path) -> Result<(), Failure> {
    for (from, name) in [(&a.ics, "ics.toml"), (&a.ixit, "ixit.toml"), (&a.scope, "scope.toml")] {
        if let Some(from) = from {
            let bytes = source::read(from)?;
            std::fs::write(dir.join(name), bytes)
                .map_err(|e| Failure::new(Exit::Io, format!("`{}/{name}`: {e}", dir.display())))?;
        }
    }
    Ok(())
}

/// A directory of our own that goes away with the command.
pub struct Temporary(pub PathBuf);

impl Temporary {
    pub fn new() -> Result<Self, Failure> {
        use std::os::unix::fs::DirBuilderExt;
        let dir =
            std::env::temp_dir().join(format!("patuh-scan-{}-{:016x}", std::process::id(), rand::random::<u64>()));
        let made = std::fs::DirBuilder::new().mode(0o700).create(&dir);
        made.map_err(|e| Failure::new(Exit::Io, format!("`{}`: {e}", dir.display())))?;
        Ok(Self(dir))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
