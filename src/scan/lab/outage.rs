//! Outages: servers, network or power are taken from the device for a while. Does it go on locally, how does it try to
//! connect again, and is everything as before when they are back?
use super::{
    director::{Director, Run, ms},
    version,
};
use crate::{
    model::{
        Admitted, Endpoint, Observation, Scope, Sha256Digest, Subject, Touch, Why,
        observation::{
            clean,
            lab::ServerCase,
            outage::{Asked, Attempt, Cut, Kept, Outage, State},
        },
    },
    scan::net::wire,
};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use std::{collections::BTreeSet, net::IpAddr, sync::Arc, time::Duration};
use tokio::time::Instant;

pub const ID: &str = "lab-outage";
/// What the device had begun before may still arrive so long.
const ON_ITS_WAY: Duration = Duration::from_secs(2);
/// How often functions are asked during an outage, and the device after it.
const BETWEEN: Duration = Duration::from_secs(1);
/// Attempts that are written down; more than any check asks for.
const MOST_ATTEMPTS: usize = 4096;
/// Every outage asks so many functions at most.
const MOST_ASKED: usize = 512;
const DIALS: usize = 8;
const DIAL: Duration = Duration::from_secs(1);

/// Which outages, and what is to be seen meanwhile and afterwards.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutagePlan {
    /// How long the device may take until everything is as before.
    pub recovery_seconds: u64,
    /// TCP ports to ask beside 1 to 1023.
    #[serde(default)]
    pub ports: Vec<u16>,
    #[serde(rename = "function", default)]
    pub functions: Vec<Function>,
    #[serde(rename = "state", default)]
    pub states: Vec<Same>,
    #[serde(rename = "cut", default)]
    pub cuts: Vec<Switch>,
}

/// A local function: a command that ends with 0 while it works.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    pub name: String,
    pub works: Vec<String>,
    pub by: By,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// Over the local network, so that it cannot be asked while the link is away.
    Lan,
    /// At the device itself.
    Bench,
}

/// What must be as before: a command that prints the same.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Same {
    pub name: String,
    pub prints: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    pub what: Cut,
    /// Commands; none for servers, which the laboratory plays.
    #[serde(default)]
    pub cut: Vec<String>,
    #[serde(default)]
    pub restore: Vec<String>,
    pub seconds: u64,
    #[serde(default = "Switch::once")]
    pub rounds: u32,
}

impl Switch {
    fn once() -> u32 {
        1
    }
}

impl OutagePlan {
    pub fn steps(&self) -> usize {
        self.cuts.iter().map(|c| usize::try_from(c.rounds).unwrap_or(usize::MAX)).sum()
    }

    pub fn cuts_power(&self) -> bool {
        self.cuts.iter().any(|c| c.what == Cut::Power)
    }

    /// What the form cannot rule out, by its key.
    pub fn wrong(&self) -> Option<String> {
        let said = |text: &str| Some(text.to_owned());
        if self.cuts.is_empty() || self.recovery_seconds == 0 {
            return said("outage: name at least one [[outage.cut]], and 1 or more recovery_seconds");
        }
        if self.cuts.iter().any(|c| c.seconds == 0 || c.rounds == 0 || c.rounds > 100) {
            return said("outage.cut: 1 or more seconds, and 1 to 100 rounds");
        }
        if self.cuts.iter().any(|c| (c.what == Cut::Servers) != (c.cut.is_empty() && c.restore.is_empty())) {
            return said(
                "outage.cut: servers are the laboratory's; everything else needs the commands cut and restore",
            );
        }
        if self.cuts.iter().any(|c| c.cut.is_empty() != c.restore.is_empty()) {
            return said("outage.cut: what is cut must be restored; give both commands");
        }
        if self.functions.len() > 32 || self.states.len() > 32 || self.ports.len() > 4096 {
            return said("outage: at most 32 functions, 32 states and 4096 further ports");
        }
        None
    }
}

pub async fn outages(d: &mut Director<'_>) {
    let Some(plan) = d.plan.outage.clone() else { return };
    if d.stopped() {
        return;
    }
    let (run, plan) = (d.start(ID), Arc::new(plan));
    for switch in &plan.cuts {
        for round in 1..=switch.rounds {
            if d.stopped() {
                return;
            }
            d.says(&format!("the device is {} for {} s", switch.what.words(), switch.seconds));
            match outage(d, &run, &plan, switch, round).await {
                Ok(Some(outage)) => {
                    run.record(Subject::Device, Observation::LabOutage { outage: Box::new(outage) }, None)
                }
                Ok(None) => return,
                Err(command) => {
                    let why = format!("the plan's command `outage.cut.{command}` failed");
                    run.gap(Some(switch.what.topic()), Why::NotUnderstood(why));
                    break;
                }
            }
        }
    }
    run.finish();
}

/// `None`: the run was stopped. An error names the command that failed. What was cut is restored in any case.
async fn outage(
    d: &mut Director<'_>,
    run: &Run,
    plan: &Arc<OutagePlan>,
    switch: &Switch,
    round: u32,
) -> Result<Option<Outage>, &'static str> {
    d.rest().await;
    let before = before(d, run, plan).await;
    if d.stopped() {
        return Ok(None);
    }
    let start = Instant::now();
    let cut = match switch.what {
        Cut::Servers => {
            d.stage.present(ServerCase::Away, d.idle.clone());
            true
        }
        Cut::Upstream | Cut::Link | Cut::Power => version::output(&switch.cut).await.is_some(),
    };
    if cut {
        d.pass(run, if switch.what == Cut::Servers { Duration::ZERO } else { ON_ITS_WAY }).await;
    }
    let from = d.heard;
    let (asked, reached, attempts) = match cut {
        true => meanwhile(d, run, plan, switch, &before, start).await,
        false => (Vec::new(), false, Vec::new()),
    };
    let (away_ms, heard) = (ms(start.elapsed()), d.heard - from);
    let restored = match switch.what {
        Cut::Servers => {
            d.stage.present(ServerCase::Genuine, d.idle.clone());
            true
        }
        Cut::Upstream | Cut::Link | Cut::Power => version::output(&switch.restore).await.is_some(),
    };
    match (cut, restored) {
        (_, false) => return Err("restore"),
        (false, true) => return Err("cut"),
        (true, true) => {}
    }
    let (start, patience) = (Instant::now(), Duration::from_secs(plan.recovery_seconds));
    let (back, after) = after(d, run, plan, &before, start + patience).await;
    let waited_ms = ms(start.elapsed());
    let back_ms = back.then_some(waited_ms);
    let cut = switch.what;
    let outage = Outage { cut, round, before, away_ms, heard, reached, asked, attempts, back_ms, waited_ms, after };
    Ok((!d.stopped()).then_some(outage))
}

/// The device in order: it came by itself, and its functions work; or what it is at the end of a case's time.
async fn before(d: &mut Director<'_>, run: &Run, plan: &OutagePlan) -> State {
    let (from, until) = (d.heard, Instant::now() + Duration::from_secs(d.plan.case_seconds));
    while d.heard == from && Instant::now() < until && !d.stopped() {
        d.pass(run, BETWEEN).await;
    }
    let heard = d.heard - from;
    state(d, plan, heard).await
}

/// Whether everything is as before, and how it is at last.
async fn after(d: &mut Director<'_>, run: &Run, plan: &OutagePlan, before: &State, until: Instant) -> (bool, State) {
    let from = d.heard;
    loop {
        d.pass(run, BETWEEN).await;
        let over = Instant::now() >= until || d.stopped();
        let works = functions(&plan.functions).await.iter().all(|f| f.works);
        let came = d.heard > from || before.heard == 0;
        if !(over || works && came) {
            continue;
        }
        let now = state(d, plan, d.heard - from).await;
        if before.changes(&now).is_empty() && came {
            return (true, now);
        }
        if over {
            return (false, now);
        }
    }
}

/// The time without it. Functions are asked beside, so that no attempt waits to be written down.
async fn meanwhile(
    d: &mut Director<'_>,
    run: &Run,
    plan: &Arc<OutagePlan>,
    switch: &Switch,
    before: &State,
    start: Instant,
) -> (Vec<Asked>, bool, Vec<Attempt>) {
    let until = Instant::now() + Duration::from_secs(switch.seconds);
    let (asks, what) = (plan.clone(), switch.what);
    let (hosts, scope, ports) = (d.plan.device.clone(), d.scope.clone(), before.open.clone());
    let beside = tokio::spawn(async move {
        let here = |f: &&Function| match what {
            Cut::Servers | Cut::Upstream => true,
            Cut::Link => f.by == By::Bench,
            Cut::Power => false,
        };
        let asks: Vec<Function> = asks.functions.iter().filter(here).cloned().collect();
        let (mut asked, mut reached) = (Vec::new(), false);
        while Instant::now() < until {
            if asked.len() < MOST_ASKED {
                asked.extend(functions(&asks).await);
            }
            reached |= !open(&hosts, &scope, &ports).await.0.is_empty();
            tokio::time::sleep_until((Instant::now() + BETWEEN).min(until)).await;
        }
        (asked, reached)
    });
    let mut attempts = Vec::new();
    while let Some(came) = d.next(run, until).await {
        if came.visit.case == ServerCase::Away && attempts.len() < MOST_ATTEMPTS {
            let name = came.visit.tls.and_then(|t| t.name);
            let to = name.unwrap_or_else(|| format!("port {}", came.visit.port));
            attempts.push(Attempt { to, at_ms: ms(start.elapsed()) });
        }
    }
    if d.stopped() {
        beside.abort();
    }
    let (asked, reached) = beside.await.unwrap_or_default();
    (asked, reached, attempts)
}

async fn state(d: &Director<'_>, plan: &OutagePlan, heard: u64) -> State {
    let ports: Vec<u16> = (1..1024).chain(plan.ports.iter().copied().filter(|p| *p >= 1024)).collect();
    let (open, ports) = open(&d.plan.device, d.scope, &ports).await;
    let functions = functions(&plan.functions).await;
    let mut kept = Vec::new();
    for same in &plan.states {
        let sha256 = version::output(&same.prints).await.map(|text| Sha256Digest::of(text.as_bytes()));
        kept.push(Kept { name: clean(&same.name, 120), sha256 });
    }
    State { heard, functions, open, ports, kept }
}

async fn functions(all: &[Function]) -> Vec<Asked> {
    let mut asked = Vec::new();
    for f in all {
        let works = version::output(&f.works).await.is_some();
        asked.push(Asked { function: clean(&f.name, 120), works });
    }
    asked
}

/// Which of the ports are open on the device's first address, and how many the scope let us ask.
async fn open(hosts: &[IpAddr], scope: &Scope, ports: &[u16]) -> (Vec<u16>, u32) {
    let Some(host) = hosts.first().copied() else { return (Vec::new(), 0) };
    let admit = |p: &u16| scope.admit(Endpoint::tcp(host, *p), Touch::Connect).ok();
    let admitted: Vec<_> = ports.iter().filter_map(admit).collect();
    let asked = u32::try_from(admitted.len()).unwrap_or(u32::MAX);
    let dial = |admitted: Admitted| async move {
        let port = admitted.endpoint().port;
        wire::dial(admitted, DIAL).await.is_ok().then_some(port)
    };
    let answered: Vec<Option<u16>> = stream::iter(admitted).map(dial).buffer_unordered(DIALS).collect().await;
    let open: BTreeSet<u16> = answered.into_iter().flatten().collect();
    (open.into_iter().collect(), asked)
}
