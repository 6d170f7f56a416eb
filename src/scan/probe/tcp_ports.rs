//! Which TCP ports are open, with proof that all were asked.
use super::Probe;
use crate::model::{
    Endpoint, Observation, Subject, Touch, Transport, Why,
    observation::PortState,
    scope::{Pace, ranges},
};
use crate::scan::{
    net::{Trouble, wire},
    session::{Ctx, Session},
};
use rand::seq::SliceRandom;
use std::{
    collections::{BTreeSet, VecDeque},
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

pub const PROBE: Probe = Probe {
    id: "tcp-ports",
    version: 1,
    title: "open TCP ports",
    page: include_str!("tcp_ports.md"),
    touch: Touch::Connect,
    subjects_from: &[],
    run: |ctx| Box::pin(run(ctx)),
};

/// Ports that one task asks one after another: small enough that a slow one holds up nothing.
const BATCH: usize = 64;
const FIRST_WAIT: Duration = Duration::from_millis(1000);

async fn run(ctx: &Ctx) {
    for host in ctx.session.hosts.clone() {
        sweep(ctx, host).await;
    }
}

async fn sweep(ctx: &Ctx, host: IpAddr) {
    let ports: Vec<u16> =
        ctx.session.scope.ports.tcp.iter().copied().filter(|p| !ctx.session.scope.excluded_ports.contains(p)).collect();
    if ports.is_empty() {
        return ctx.gap(Some(Subject::Host(host)), Why::OutOfScope);
    }
    let wild_before = control(ctx, host, &ports).await;
    let started = Instant::now();
    let found = Sweep::new(ctx.session.clone(), host).run(ports.clone()).await;
    for port in &found.open {
        let endpoint = Endpoint::tcp(host, *port);
        ctx.record(endpoint, Observation::Port { state: PortState::Open, service: None }, None);
    }
    let asked: Vec<u16> = ports.iter().copied().filter(|p| !found.unasked.contains(p)).collect();
    let list = |set: &BTreeSet<u16>| ranges(&set.iter().copied().collect::<Vec<_>>());
    ctx.record(
        Subject::Host(host),
        Observation::Swept {
            transport: Transport::Tcp,
            asked: ranges(&asked),
            open: list(&found.open),
            refused: list(&found.refused),
            silent: list(&found.silent),
            waited_ms: u64::try_from(FIRST_WAIT.as_millis()).unwrap_or(u64::MAX),
            took_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        },
        None,
    );
    if ports.len() < 65535 {
        ctx.gap(Some(Subject::Host(host)), Why::OutOfScope);
    }
    if let Some(why) = found.trouble.filter(|_| !found.unasked.is_empty()) {
        ctx.gap(Some(Subject::Host(host)), why);
    }
    let wild_after = control(ctx, host, &ports).await;
    if wild_before || wild_after {
        ctx.gap(Some(Subject::Host(host)), Why::Wildcard);
    }
}

/// Asks eight random high ports; true when nearly all accept, so that "open" means nothing here.
async fn control(ctx: &Ctx, host: IpAddr, ports: &[u16]) -> bool {
    if ports.len() < 1000 {
        return false;
    }
    let mut high: Vec<u16> = ports.iter().copied().filter(|p| (40000..60000).contains(p)).collect();
    high.shuffle(&mut rand::rng());
    high.truncate(8);
    let mut accepted = Vec::new();
    for port in &high {
        let Ok(admitted) = ctx.session.scope.admit(Endpoint::tcp(host, *port), Touch::Connect) else { continue };
        if wire::dial(admitted, FIRST_WAIT).await.is_ok() {
            accepted.push(*port);
        }
    }
    let wild = accepted.len() > 6;
    ctx.record(Subject::Host(host), Observation::WildcardControl { asked: high, accepted }, None);
    wild
}

#[derive(Default)]
struct Found {
    open: BTreeSet<u16>,
    refused: BTreeSet<u16>,
    silent: BTreeSet<u16>,
    unasked: BTreeSet<u16>,
    trouble: Option<Why>,
}

enum Outcome {
    Open,
    Refused,
    Silent,
    /// Ours: nothing was learned about the port.
    Failed(Trouble),
}

/// What one batch came to, with the slowest answer it got.
struct Batch {
    outcomes: Vec<(u16, Outcome)>,
    slowest: Duration,
}

/// Additive increase while latency and losses stay as they were, halved at the first strain.
struct Window {
    now: usize,
    least: usize,
    most: usize,
    base: Option<Duration>,
    wait: Duration,
}

impl Window {
    fn of(pace: Pace) -> Self {
        let (now, least, most) = match pace {
            Pace::Gentle => (1, 1, 2),
            Pace::Adaptive => (4, 2, 256),
            Pace::Fast => (256, 16, 1024),
        };
        Self { now, least, most, base: None, wait: FIRST_WAIT }
    }

    fn learn(&mut self, batch: &Batch, answered_before: bool) {
        let lost = batch.outcomes.iter().filter(|(_, o)| matches!(o, Outcome::Silent)).count();
        let ours = batch.outcomes.iter().any(|(_, o)| matches!(o, Outcome::Failed(_)));
        let base = *self.base.get_or_insert(batch.slowest);
        let slow = batch.slowest > base * 4 + Duration::from_millis(25);
        // Losses mean strain only where the host used to answer: a host that drops everything is not strained.
        if ours || slow || (lost > 0 && lost < batch.outcomes.len() && answered_before) {
            self.now = (self.now / 2).max(self.least);
        } else {
            self.now = (self.now + (self.now / 2).max(1)).min(self.most);
            self.base = Some(base.max(batch.slowest.min(base * 2)));
        }
    }
}

struct Sweep {
    session: Arc<Session>,
    host: IpAddr,
    found: Found,
    window: Window,
}

impl Sweep {
    fn new(session: Arc<Session>, host: IpAddr) -> Self {
        let window = Window::of(session.scope.pace);
        Self { session, host, found: Found::default(), window }
    }

    async fn run(mut self, mut ports: Vec<u16>) -> Found {
        // In random order, so that a rate limit or a passing outage cannot blank out a range.
        ports.shuffle(&mut rand::rng());
        let again = self.pass(ports.into()).await;
        // Silence is believed the second time only.
        let some_answer = !self.found.refused.is_empty() || !self.found.open.is_empty();
        if some_answer && again.len() < 4096 {
            self.window.now = self.window.least;
            let silent = self.pass(again.into()).await;
            self.found.silent.extend(silent);
        } else {
            self.found.silent.extend(again);
        }
        self.found
    }

    /// Asks each port once and returns those that stayed silent.
    async fn pass(&mut self, mut left: VecDeque<u16>) -> Vec<u16> {
        let mut flying: JoinSet<Batch> = JoinSet::new();
        let (mut in_flight, mut silent, mut failures) = (0usize, Vec::new(), 0usize);
        loop {
            while in_flight < self.window.now && !left.is_empty() && !self.session.stopped() {
                // Few tasks of many ports cost least; a narrow window asks one port at a time.
                let size = if self.window.now >= 64 { BATCH } else { 4 }.min(left.len());
                let ports: Vec<u16> = left.drain(..size).collect();
                in_flight += 1;
                flying.spawn(ask_all(self.session.clone(), self.host, ports, self.window.wait));
            }
            let Some(batch) = flying.join_next().await else { break };
            in_flight -= 1;
            let Ok(batch) = batch else { continue };
            self.window.learn(&batch, !self.found.refused.is_empty() || !self.found.open.is_empty());
            for (port, outcome) in batch.outcomes {
                match outcome {
                    Outcome::Open => drop(self.found.open.insert(port)),
                    Outcome::Refused => drop(self.found.refused.insert(port)),
                    Outcome::Silent => silent.push(port),
                    Outcome::Failed(trouble) => {
                        failures += 1;
                        if failures < 2000 && matches!(trouble, Trouble::Ours(_)) {
                            left.push_back(port);
                        } else {
                            self.found.unasked.insert(port);
                            self.found.trouble = Some(why(&trouble));
                        }
                    }
                }
            }
        }
        if !left.is_empty() {
            self.found.unasked.extend(left);
            self.found.trouble = Some(Why::Interrupted);
        }
        silent
    }
}

fn why(trouble: &Trouble) -> Why {
    match trouble {
        Trouble::NotAdmitted(_) => Why::OutOfScope,
        Trouble::Unreachable => Why::DeviceGone,
        Trouble::Refused | Trouble::Silent(_) | Trouble::Closed | Trouble::NotUnderstood(_) | Trouble::Ours(_) => {
            Why::OurError(trouble.to_string())
        }
    }
}

async fn ask_all(session: Arc<Session>, host: IpAddr, ports: Vec<u16>, wait: Duration) -> Batch {
    let mut batch = Batch { outcomes: Vec::with_capacity(ports.len()), slowest: Duration::ZERO };
    for port in ports {
        let started = Instant::now();
        let outcome = match session.scope.admit(Endpoint::tcp(host, port), Touch::Connect) {
            Err(e) => Outcome::Failed(Trouble::NotAdmitted(e)),
            Ok(admitted) => match wire::dial(admitted, wait).await {
                Ok(_) => Outcome::Open,
                Err(Trouble::Refused | Trouble::Closed) => Outcome::Refused,
                Err(Trouble::Silent(_)) => Outcome::Silent,
                Err(e) => Outcome::Failed(e),
            },
        };
        if matches!(outcome, Outcome::Open | Outcome::Refused) {
            batch.slowest = batch.slowest.max(started.elapsed());
        }
        batch.outcomes.push((port, outcome));
    }
    batch
}
