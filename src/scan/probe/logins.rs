//! Whether publicly known credentials are accepted: controls first, within a budget, without locking anybody out.
use super::{
    Probe,
    login::{Door, Tried, doors},
};
use crate::model::{
    Observation, Touch,
    observation::{Answer, Asks, Presented},
};
use crate::scan::{
    credentials::{self, Credential},
    net::Trouble,
    session::Ctx,
};
use std::{collections::VecDeque, future::Future, time::Duration};
use tokio::time::Instant;

pub const PROBE: Probe = Probe {
    id: "logins",
    version: 1,
    title: "default credentials",
    page: include_str!("logins.md"),
    touch: Touch::LogIn,
    subjects_from: &["tcp-ports", "service-identify", "http-surface"],
    run: |ctx| Box::pin(run(ctx)),
};

/// The longest that one door may keep us busy, all its attempts together.
const PER_DOOR: Duration = Duration::from_secs(180);

async fn run(ctx: &Ctx) {
    // One attempt after the other: services may share an account store, and a device may allow one session.
    let mut visits = Vec::new();
    for door in doors(ctx) {
        if let Some(Step::Open(visit)) = bounded(ctx, &door, PER_DOOR, knock(ctx, &door)).await {
            visits.push((door, visit));
        }
    }
    // In turn: every door is asked its likeliest pair before any is asked its second, since all of them spend
    // the same accounts' budget.
    while !visits.is_empty() {
        let mut open = Vec::with_capacity(visits.len());
        for (door, visit) in visits {
            let started = Instant::now();
            let left = PER_DOOR.saturating_sub(visit.busy);
            if let Some(Step::Open(mut visit)) = bounded(ctx, &door, left, next(ctx, &door, visit)).await {
                visit.busy += started.elapsed();
                open.push((door, visit));
            }
        }
        visits = open;
    }
}

/// Runs one step at a door. Trouble, or too much time, closes the door with a gap.
async fn bounded(
    ctx: &Ctx,
    door: &Door,
    most: Duration,
    step: impl Future<Output = Result<Step, Trouble>>,
) -> Option<Step> {
    let topic = door.mechanism().word();
    if let Some(why) = ctx.leave(door.endpoint()).await {
        ctx.gap_of(topic, Some(door.endpoint().into()), why);
        return None;
    }
    match tokio::time::timeout(most, step).await {
        Ok(Ok(step)) => Some(step),
        Ok(Err(t)) => {
            ctx.trouble(Some(topic), door.endpoint(), &t);
            None
        }
        Err(_) => {
            ctx.stuck(Some(topic), door.endpoint(), PER_DOOR).await;
            None
        }
    }
}

enum Step {
    Open(Visit),
    Done,
}

/// What is left to try at one door.
struct Visit {
    candidates: VecDeque<Credential>,
    /// Candidates whose account has no budget left.
    passed_over: usize,
    tried: u32,
    failed: u32,
    busy: Duration,
}

struct Report<'a> {
    ctx: &'a Ctx,
    door: &'a Door,
}

impl Report<'_> {
    fn surface(&self, asks: Asks, proof: String) {
        let (mechanism, path) = (self.door.mechanism(), self.door.path());
        self.ctx.record(self.door.endpoint(), Observation::LoginSurface { mechanism, path, asks, proof }, None);
    }

    fn trial(&self, user: &str, presented: Presented, tried: &Tried) {
        let (mechanism, user, proof) = (self.door.mechanism(), user.to_owned(), tried.proof.clone());
        let trial = Observation::LoginTrial { mechanism, user, presented, answer: tried.answer, proof };
        self.ctx.record(self.door.endpoint(), trial, tried.transcript.clone());
    }

    fn left(&self, tried: u32, left: usize, why: &str) {
        let (mechanism, why) = (self.door.mechanism(), why.to_owned());
        let left = Observation::LoginsLeft { mechanism, tried, left: u32::try_from(left).unwrap_or(u32::MAX), why };
        self.ctx.record(self.door.endpoint(), left, None);
    }
}

/// Asks without credentials and with wrong ones; only a door that refuses both is worth a try.
async fn knock(ctx: &Ctx, door: &Door) -> Result<Step, Trouble> {
    let report = Report { ctx, door };
    let nothing = door.try_nothing(ctx).await?;
    let asks = match nothing.answer {
        Answer::Accepted => Asks::No,
        Answer::Refused => Asks::Yes,
        Answer::Unclear | Answer::LockSign => Asks::Unclear,
    };
    report.trial("", Presented::Nothing, &nothing);
    report.surface(asks, nothing.proof.clone());
    if asks != Asks::Yes {
        return Ok(Step::Done);
    }
    if door.anonymous() {
        let anonymous = door.try_pair(ctx, "anonymous", "patuh@example.org").await?;
        report.trial("anonymous", Presented::Anonymous, &anonymous);
    }
    if !door.takes_passwords() {
        return Ok(Step::Done);
    }
    let candidates = VecDeque::from(credentials::candidates(door.protocol(), door.hints()));
    if ctx.lock_signs() {
        report.left(0, candidates.len(), "another service showed signs of a lock");
        return Ok(Step::Done);
    }
    if !control(ctx, &report, door).await? {
        return Ok(Step::Done);
    }
    Ok(Step::Open(Visit { candidates, passed_over: 0, tried: 0, failed: 1, busy: Duration::ZERO }))
}

/// A random user with a random secret. True when it is refused, so that a success means something.
async fn control(ctx: &Ctx, report: &Report<'_>, door: &Door) -> Result<bool, Trouble> {
    let user = format!("patuh{:06x}", rand::random::<u32>() & 0xff_ffff);
    let secret = format!("{:020x}", rand::random::<u128>() >> 48);
    let tried = door.try_pair(ctx, &user, secret.get(..20).unwrap_or(&secret)).await?;
    report.trial("(random)", Presented::Wrong, &tried);
    if tried.answer == Answer::LockSign {
        ctx.lock_sign();
    }
    Ok(tried.answer == Answer::Refused)
}

/// Tries the next candidate whose account has budget left.
async fn next(ctx: &Ctx, door: &Door, mut visit: Visit) -> Result<Step, Trouble> {
    let report = Report { ctx, door };
    let host = door.endpoint().host;
    let budget = ctx.session.scope.credentials;
    if ctx.lock_signs() {
        report.left(visit.tried, visit.candidates.len(), "signs of a lock");
        return Ok(Step::Done);
    }
    let mut candidate = None;
    while visit.failed < u32::from(budget.per_service) && candidate.is_none() {
        let Some(c) = visit.candidates.pop_front() else { break };
        if ctx.charge(host, &c.user).await {
            candidate = Some(c);
        } else {
            visit.passed_over += 1;
        }
    }
    let Some(c) = candidate else {
        let left = visit.candidates.len() + visit.passed_over;
        if left > 0 {
            let (account, service) = (budget.per_account, budget.per_service);
            let why = format!("the budget is {account} failed attempts per account and {service} per service");
            report.left(visit.tried, left, &why);
        }
        return Ok(Step::Done);
    };
    let first = door.try_pair(ctx, &c.user, &c.secret).await?;
    visit.tried += 1;
    report.trial(&c.user, Presented::Listed(c.id.clone()), &first);
    match first.answer {
        Answer::Accepted => {
            ctx.refund(host, &c.user).await;
            let second = door.try_pair(ctx, &c.user, &c.secret).await?;
            report.trial(&c.user, Presented::Listed(c.id), &second);
            control(ctx, &report, door).await?;
            Ok(Step::Done)
        }
        Answer::LockSign => {
            ctx.lock_sign();
            report.left(visit.tried, visit.candidates.len() + visit.passed_over, "signs of a lock");
            Ok(Step::Done)
        }
        Answer::Refused | Answer::Unclear => {
            visit.failed += 1;
            Ok(Step::Open(visit))
        }
    }
}
