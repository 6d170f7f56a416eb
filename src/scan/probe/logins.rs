//! Whether publicly known credentials are accepted: controls first, within a budget, without locking anybody out.
use super::{
    Probe,
    login::{Door, Tried, doors},
};
use crate::model::{
    Observation, Touch,
    observation::{Answer, Asks, Presented},
};
use crate::scan::{credentials, net::Trouble, session::Ctx};

pub const PROBE: Probe = Probe {
    id: "logins",
    version: 1,
    title: "default credentials",
    page: include_str!("logins.md"),
    touch: Touch::LogIn,
    subjects_from: &["tcp-ports", "service-identify", "http-surface"],
    run: |ctx| Box::pin(run(ctx)),
};

async fn run(ctx: &Ctx) {
    // One door after the other: services may share an account store, and a device may allow one session.
    for door in doors(ctx) {
        if ctx.session.stopped() {
            return;
        }
        let bound = std::time::Duration::from_secs(180);
        match tokio::time::timeout(bound, knock(ctx, &door)).await {
            Ok(Ok(())) => {}
            Ok(Err(t)) => ctx.trouble(Some(door.mechanism().word()), door.endpoint(), &t),
            Err(_) => {
                let why = crate::model::Why::NotUnderstood(format!("it kept us busy for {} s", bound.as_secs()));
                ctx.gap_of(door.mechanism().word(), Some(door.endpoint().into()), why);
            }
        }
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

async fn knock(ctx: &Ctx, door: &Door) -> Result<(), Trouble> {
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
        return Ok(());
    }
    if door.anonymous() {
        let anonymous = door.try_pair(ctx, "anonymous", "patuh@example.org").await?;
        report.trial("anonymous", Presented::Anonymous, &anonymous);
    }
    let candidates = credentials::candidates(door.protocol(), door.hints());
    if !door.takes_passwords() {
        return Ok(());
    }
    if ctx.lock_signs() {
        report.left(0, candidates.len(), "another service showed signs of a lock");
        return Ok(());
    }
    if !control(ctx, &report, door).await? {
        return Ok(());
    }
    candidates_in_turn(ctx, &report, door, &candidates).await
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

async fn candidates_in_turn(
    ctx: &Ctx,
    report: &Report<'_>,
    door: &Door,
    candidates: &[credentials::Credential],
) -> Result<(), Trouble> {
    let host = door.endpoint().host;
    let most = u32::from(ctx.session.scope.credentials.per_service);
    let (mut tried, mut failed) = (0u32, 1u32);
    let mut left = candidates.len();
    for c in candidates {
        if failed >= most || ctx.session.stopped() {
            break;
        }
        if !ctx.charge(host, &c.user).await {
            continue;
        }
        let first = door.try_pair(ctx, &c.user, &c.secret).await?;
        tried += 1;
        left -= 1;
        report.trial(&c.user, Presented::Listed(c.id.clone()), &first);
        match first.answer {
            Answer::Accepted => {
                ctx.refund(host, &c.user).await;
                let second = door.try_pair(ctx, &c.user, &c.secret).await?;
                report.trial(&c.user, Presented::Listed(c.id.clone()), &second);
                control(ctx, report, door).await?;
                return Ok(());
            }
            Answer::LockSign => {
                ctx.lock_sign();
                report.left(tried, left, "signs of a lock");
                return Ok(());
            }
            Answer::Refused | Answer::Unclear => failed += 1,
        }
    }
    if left > 0 {
        let why = format!(
            "the budget is {} failed attempts per account and {most} per service",
            ctx.session.scope.credentials.per_account
        );
        report.left(tried, left, &why);
    }
    Ok(())
}
