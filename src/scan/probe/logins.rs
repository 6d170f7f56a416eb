//! Whether publicly known credentials are accepted: controls first, within a budget, without locking anybody out.
use super::{
    Probe,
    login::{Account, Door, Tried, doors},
};
use crate::model::{
    Observation, Touch,
    observation::{Answer, Asks, Obvious, Presented},
};
use crate::scan::{
    credentials::Credential,
    ledger::{Ticket, Withheld},
    net::Trouble,
    session::Ctx,
};
use std::{
    collections::{BTreeSet, VecDeque},
    future::Future,
    time::Duration,
};
use tokio::time::Instant;

pub const PROBE: Probe = Probe {
    id: "logins",
    version: 1,
    title: "default credentials",
    page: include_str!("logins.md"),
    touch: Touch::LogIn,
    subjects_from: &[
        "tcp-ports",
        "service-identify",
        "http-surface",
        "json-logins",
        "rtsp-streams",
        "coap-resources",
        "cwmp-connreq",
        "onvif-services",
    ],
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
    account: Account,
    /// Candidates whose account has no budget left, and why.
    passed_over: usize,
    withheld: BTreeSet<Withheld>,
    tried: u32,
    failed: u32,
    busy: Duration,
}

impl Visit {
    /// Every candidate for a door; what the device once accepted comes first, so that it shows again.
    fn new(ctx: &Ctx, door: &Door, account: Account) -> Self {
        let before = ctx.accepted_before();
        let mut candidates = door.candidates();
        candidates.sort_by_key(|c| !before.contains(&c.id));
        let (candidates, withheld) = (candidates.into(), BTreeSet::new());
        Self { candidates, account, passed_over: 0, withheld, tried: 0, failed: 0, busy: Duration::ZERO }
    }

    fn left(&self) -> usize {
        self.candidates.len() + self.passed_over
    }

    fn charge(&self, ctx: &Ctx, door: &Door, candidate: &Credential) -> Result<Ticket, Withheld> {
        match self.account {
            Account::Named => ctx.charge(&door.account(candidate)),
            Account::Only => self.charge_only(ctx, door),
        }
    }

    fn charge_only(&self, ctx: &Ctx, door: &Door) -> Result<Ticket, Withheld> {
        ctx.charge(&format!("(the only one of {})", door.protocol()))
    }
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
        self.told(user, presented, None, tried);
    }

    fn listed(&self, c: &Credential, tried: &Tried) {
        let obvious = match c.secret.as_str() {
            "" => Some(Obvious::Empty),
            s if s.eq_ignore_ascii_case(&c.user) => Some(Obvious::UserName),
            _ => None,
        };
        self.told(&c.user, Presented::Listed(c.id.clone()), obvious, tried);
    }

    fn told(&self, user: &str, presented: Presented, obvious: Option<Obvious>, tried: &Tried) {
        let (mechanism, user, proof) = (self.door.mechanism(), user.to_owned(), tried.proof.clone());
        let trial = Observation::LoginTrial { mechanism, user, presented, obvious, answer: tried.answer, proof };
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
    let mut visit = Visit::new(ctx, door, nothing.account);
    if ctx.lock_signs() {
        report.left(0, visit.left(), "another service showed signs of a lock");
        return Ok(Step::Done);
    }
    match control(ctx, &report, door, &visit).await? {
        Control::Refused => {
            visit.failed += 1;
            Ok(Step::Open(visit))
        }
        Control::Otherwise => Ok(Step::Done),
        Control::Withheld(why) => {
            report.left(0, visit.left(), &words(ctx, &BTreeSet::from([why])));
            Ok(Step::Done)
        }
    }
}

enum Control {
    Refused,
    Otherwise,
    Withheld(Withheld),
}

/// A random user with a random secret. Only when it is refused does a success mean anything.
async fn control(ctx: &Ctx, report: &Report<'_>, door: &Door, visit: &Visit) -> Result<Control, Trouble> {
    let user = format!("patuh{:06x}", rand::random::<u32>() & 0xff_ffff);
    let secret = format!("{:020x}", rand::random::<u128>() >> 48);
    let charged = match visit.account {
        // Nobody's account: it is not charged.
        Account::Named => None,
        Account::Only => match visit.charge_only(ctx, door) {
            Ok(ticket) => Some(ticket),
            Err(why) => return Ok(Control::Withheld(why)),
        },
    };
    let tried = door.try_pair(ctx, &user, secret.get(..20).unwrap_or(&secret)).await?;
    report.trial("(random)", Presented::Wrong, &tried);
    match tried.answer {
        Answer::Refused => return Ok(Control::Refused),
        Answer::LockSign => ctx.lock_sign(),
        Answer::Accepted => {
            if let Some(ticket) = charged {
                ctx.accepted(ticket, None);
            }
        }
        Answer::Unclear => {}
    }
    Ok(Control::Otherwise)
}

/// Why candidates were left, for the record.
fn words(ctx: &Ctx, withheld: &BTreeSet<Withheld>) -> String {
    let budget = ctx.session.scope.credentials;
    let (account, service, minutes) = (budget.per_account, budget.per_service, budget.window_minutes);
    let plain = format!("the budget is {account} failed attempts per account and {service} per service");
    let mut all: Vec<String> = withheld
        .iter()
        .filter_map(|w| match w {
            Withheld::Spent => None,
            Withheld::SpentEarlier => {
                Some(format!("the ledger withheld attempts: earlier scans within {minutes} minutes spent it"))
            }
            Withheld::LockedEarlier => {
                Some(format!("the ledger withheld attempts: a scan within {minutes} minutes saw signs of a lock"))
            }
            Withheld::NoLedger(why) => Some(format!("no attempt without a ledger: {why}")),
        })
        .collect();
    all.insert(0, plain);
    all.join("; ")
}

/// Tries the next candidate whose account has budget left.
async fn next(ctx: &Ctx, door: &Door, mut visit: Visit) -> Result<Step, Trouble> {
    let report = Report { ctx, door };
    if ctx.lock_signs() {
        report.left(visit.tried, visit.left(), "signs of a lock");
        return Ok(Step::Done);
    }
    let mut candidate = None;
    while visit.failed < u32::from(ctx.session.scope.credentials.per_service) && candidate.is_none() {
        let Some(c) = visit.candidates.pop_front() else { break };
        match visit.charge(ctx, door, &c) {
            Ok(ticket) => candidate = Some((c, ticket)),
            Err(why) => {
                visit.withheld.insert(why);
                visit.passed_over += 1;
            }
        }
    }
    let Some((c, ticket)) = candidate else {
        if visit.left() > 0 {
            report.left(visit.tried, visit.left(), &words(ctx, &visit.withheld));
        }
        return Ok(Step::Done);
    };
    let first = door.try_pair(ctx, &c.user, &c.secret).await?;
    visit.tried += 1;
    report.listed(&c, &first);
    match first.answer {
        Answer::Accepted => {
            ctx.accepted(ticket, Some(c.id.clone()));
            confirm(ctx, &report, &visit, &c).await?;
            Ok(Step::Done)
        }
        Answer::LockSign => {
            ctx.lock_sign();
            report.left(visit.tried, visit.left(), "signs of a lock");
            Ok(Step::Done)
        }
        Answer::Refused | Answer::Unclear => {
            visit.failed += 1;
            Ok(Step::Open(visit))
        }
    }
}

/// Once more, and the control again: a success that does not repeat is none.
async fn confirm(ctx: &Ctx, report: &Report<'_>, visit: &Visit, c: &Credential) -> Result<(), Trouble> {
    if let Ok(ticket) = visit.charge(ctx, report.door, c) {
        let second = report.door.try_pair(ctx, &c.user, &c.secret).await?;
        report.listed(c, &second);
        if second.answer == Answer::Accepted {
            ctx.accepted(ticket, Some(c.id.clone()));
        }
    }
    control(ctx, report, report.door, visit).await.map(drop)
}
