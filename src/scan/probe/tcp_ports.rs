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
use futures_util::{StreamExt, stream};
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
/// The longest wait for an answer, and what it is as long as nothing has answered.
const MOST_WAIT: Duration = Duration::from_millis(1000);
const LEAST_WAIT: Duration = Duration::from_millis(200);
/// Passes over what stays silent; each but the last must have found something.
const PASSES: usize = 5;
/// Questions at the gentlest pace after which losses are laid to the path or to the host's rules.
const CALM: usize = 128;
/// More than a path loses by itself.
const NOISY: f64 = 0.05;
/// Asked first: where something is open, it shows early how long an answer takes.
const COMMON: [u16; 16] = [80, 443, 22, 23, 21, 53, 554, 1883, 8080, 8443, 8883, 5000, 49152, 7547, 81, 8000];

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
    ask_and_record(ctx, host, &ports).await;
    if ports.len() < 65535 {
        ctx.gap(Some(Subject::Host(host)), Why::OutOfScope);
    }
    let wild_after = control(ctx, host, &ports).await;
    if wild_before || wild_after {
        ctx.gap(Some(Subject::Host(host)), Why::Wildcard);
    }
}

/// Asks every one of these ports and records what they did; what could not be asked is a gap.
pub(super) async fn ask_and_record(ctx: &Ctx, host: IpAddr, ports: &[u16]) {
    let started = Instant::now();
    ctx.asks();
    let found = Sweep::new(ctx.session.clone(), host).run(ports.to_vec()).await;
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
            waited_ms: u64::try_from(found.waited.as_millis()).unwrap_or(u64::MAX),
            took_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        },
        None,
    );
    if let Some(why) = found.trouble.filter(|_| !found.unasked.is_empty()) {
        ctx.gap(Some(Subject::Host(host)), why);
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
    let at_once = Window::of(ctx.session.scope.pace).now.min(high.len());
    let accepts = async |port: u16| {
        let admitted = ctx.admit(Endpoint::tcp(host, port)).ok()?;
        wire::dial(admitted, MOST_WAIT).await.ok().map(|_| port)
    };
    let asked = stream::iter(high.clone()).map(accepts).buffered(at_once.max(1));
    let accepted: Vec<u16> = asked.filter_map(std::future::ready).collect().await;
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
    /// How long the last answers were awaited.
    waited: Duration,
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
    slowest: Option<Duration>,
}

/// How many questions may be in flight: more while latency and losses stay as they were, half at the first strain.
struct Window {
    now: usize,
    least: usize,
    most: usize,
    base: Option<Duration>,
    /// How long an answer is awaited.
    wait: Duration,
    /// Whether every answer is awaited as long as may be, whatever was learned.
    patient: bool,
    answers: Answers,
    /// The share of questions that stay silent without any strain: what the path loses, or the host drops by its rules.
    noise: f64,
    /// Questions and silences at the gentlest pace.
    calm: (usize, usize),
}

impl Window {
    fn of(pace: Pace) -> Self {
        let (now, least, most) = match pace {
            Pace::Gentle => (1, 1, 2),
            Pace::Adaptive => (4, 2, 2048),
            Pace::Fast => (256, 16, 2048),
        };
        Self {
            now,
            least,
            most,
            base: None,
            wait: MOST_WAIT,
            patient: false,
            answers: Answers::default(),
            noise: 0.0,
            calm: (0, 0),
        }
    }

    fn learn(&mut self, batch: &Batch, silence_counts: bool) {
        let asked = batch.outcomes.len();
        let silent = batch.outcomes.iter().filter(|(_, o)| matches!(o, Outcome::Silent)).count();
        let lost = if silence_counts { silent } else { 0 };
        let ours = batch.outcomes.iter().any(|(_, o)| matches!(o, Outcome::Failed(_)));
        if self.now == self.least {
            self.calm = (self.calm.0 + asked, self.calm.1 + lost);
        }
        if let Some(slowest) = batch.slowest {
            let learned = self.answers.learn(slowest);
            self.wait = if self.patient { MOST_WAIT } else { learned };
        }
        let base = self.base.or(batch.slowest);
        let slow = base.zip(batch.slowest).is_some_and(|(b, s)| s > b * 4 + Duration::from_millis(25));
        if ours || slow || count(lost) > self.tolerated(asked) {
            self.now = (self.now / 2).max(self.least);
        } else {
            self.now = (self.now + (self.now / 2).max(1)).min(self.most);
            self.base = base.map(|b| b.max(batch.slowest.unwrap_or(b).min(b * 2)));
        }
    }

    /// Silences among so many questions that chance explains.
    fn tolerated(&self, asked: usize) -> f64 {
        let expected = self.noise * count(asked);
        if self.noise > 0.0 { expected + 3.0 * expected.sqrt() + 1.0 } else { 0.0 }
    }

    /// The share that stays silent at the gentlest pace, once there are enough questions to tell.
    fn calm_noise(&mut self) -> Option<f64> {
        let (asked, lost) = self.calm;
        if asked < CALM {
            return None;
        }
        self.calm = (0, 0);
        Some(count(lost) / count(asked)).filter(|share| *share > self.noise)
    }
}

/// How long answers take: smoothed time and deviation, as TCP keeps them for its own repetitions (RFC 6298).
#[derive(Default)]
struct Answers(Option<(Duration, Duration)>);

impl Answers {
    /// Learns the slowest answer of a batch, and gives twice what TCP would wait.
    fn learn(&mut self, took: Duration) -> Duration {
        let (time, deviation) = match self.0 {
            None => (took, took / 2),
            Some((time, deviation)) => ((time * 7 + took) / 8, (deviation * 3 + time.abs_diff(took)) / 4),
        };
        self.0 = Some((time, deviation));
        ((time + deviation * 4) * 2).clamp(LEAST_WAIT, MOST_WAIT)
    }
}

fn count(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::MAX, f64::from)
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
        ports.sort_by_key(|p| !COMMON.contains(p));
        let mut silent = self.pass(ports.into(), false).await;
        // Silence is believed when asking again finds nothing more; where nothing answers at all, at once.
        for _ in 1..PASSES {
            let answers = !self.found.refused.is_empty() || !self.found.open.is_empty();
            if silent.is_empty() || !answers || self.session.stopped() {
                break;
            }
            // Where the host drops by its rules, most of these will stay silent, and that is no strain.
            let expected = self.window.noise > 0.0 || self.found.refused.is_empty();
            if !expected {
                self.window.now = self.window.least;
            }
            let before = silent.len();
            if before < 4096 {
                (self.window.wait, self.window.patient) = (MOST_WAIT, true);
            }
            silent = self.pass(silent.into(), expected).await;
            if silent.len() == before {
                break;
            }
        }
        self.found.silent.extend(silent);
        self.found.waited = self.window.wait;
        self.found
    }

    /// Silences at the gentlest pace are no strain when they are few, or when the same ports stay silent after a rest.
    async fn calm_down(&mut self, silent: &[u16]) {
        let Some(share) = self.window.calm_noise() else { return };
        if share <= NOISY {
            self.window.noise = share;
            return;
        }
        tokio::time::sleep(MOST_WAIT).await;
        let sample: Vec<u16> = silent.iter().rev().take(8).copied().collect();
        let again = ask_all(self.session.clone(), self.host, sample, self.window.wait).await;
        if again.outcomes.iter().all(|(_, o)| matches!(o, Outcome::Silent)) {
            self.window.noise = share;
        }
    }

    /// Asks each port once and returns those that stayed silent.
    async fn pass(&mut self, mut left: VecDeque<u16>, silence_expected: bool) -> Vec<u16> {
        let mut flying: JoinSet<Batch> = JoinSet::new();
        let (mut in_flight, mut silent, mut failures) = (0usize, Vec::new(), 0usize);
        loop {
            while in_flight < self.window.now && !left.is_empty() && !self.session.stopped() {
                // Few tasks of many ports cost least, where they do not wait for what never answers.
                let many = self.window.now >= 64 && !silence_expected && !self.found.refused.is_empty();
                let few = if self.window.answers.0.is_some() { 4 } else { 1 };
                let size = if many { BATCH } else { few }.min(left.len());
                let ports: Vec<u16> = left.drain(..size).collect();
                in_flight += 1;
                flying.spawn(ask_all(self.session.clone(), self.host, ports, self.window.wait));
            }
            let Some(batch) = flying.join_next().await else { break };
            in_flight -= 1;
            let Ok(batch) = batch else { continue };
            // A host that refuses no port drops them all: silence is its way.
            let silence_counts = !silence_expected && !self.found.refused.is_empty();
            self.window.learn(&batch, silence_counts);
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
            self.calm_down(&silent).await;
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
    let mut batch = Batch { outcomes: Vec::with_capacity(ports.len()), slowest: None };
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
            batch.slowest = batch.slowest.max(Some(started.elapsed()));
        }
        batch.outcomes.push((port, outcome));
    }
    batch
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A batch of which so many stayed silent, at the near end of a quick path.
    fn batch(asked: usize, silent: usize) -> Batch {
        let outcome = |n| if n < silent { Outcome::Silent } else { Outcome::Refused };
        let outcomes = (0..asked).map(|n| (u16::try_from(n).unwrap_or(0), outcome(n))).collect();
        Batch { outcomes, slowest: (silent < asked).then_some(Duration::from_millis(20)) }
    }

    fn at_its_gentlest() -> Window {
        let mut window = Window::of(Pace::Adaptive);
        window.now = window.least;
        window
    }

    #[test]
    fn one_silence_where_there_were_answers_halves_the_window() {
        let mut window = Window { now: 64, ..Window::of(Pace::Adaptive) };
        window.learn(&batch(64, 1), true);
        assert_eq!(window.now, 32);
        window.learn(&batch(64, 0), true);
        assert_eq!(window.now, 48);
    }

    #[test]
    fn what_the_path_loses_at_the_gentlest_pace_is_no_strain_later_and_more_is() {
        let mut window = at_its_gentlest();
        assert_eq!(window.calm_noise(), None);
        for n in 0..CALM {
            window.learn(&batch(1, usize::from(n % 50 == 0)), true);
            window.now = window.least;
        }
        window.noise = window.calm_noise().unwrap_or_default();
        assert!(window.noise > 0.0 && window.noise < NOISY, "{}", window.noise);
        window.now = 256;
        window.learn(&batch(64, 3), true);
        assert_eq!(window.now, 384, "three of 64 are chance");
        window.learn(&batch(64, 16), true);
        assert_eq!(window.now, 192, "sixteen are not");
    }

    #[test]
    fn the_wait_follows_the_answers_within_its_bounds() {
        let mut answers = Answers::default();
        assert_eq!(answers.learn(Duration::from_millis(1)), LEAST_WAIT);
        let mut slower = Duration::ZERO;
        for _ in 0..50 {
            slower = answers.learn(Duration::from_millis(300));
        }
        assert!(slower > Duration::from_millis(590) && slower < MOST_WAIT, "{slower:?}");
        assert_eq!(answers.learn(Duration::from_secs(60)), MOST_WAIT);
    }
}
