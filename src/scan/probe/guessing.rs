//! Whether guessing passwords is slowed or stopped. Only where the scope file grants it; the last probe of all.
use super::{
    Probe,
    accounts::secret,
    login::{Door, doors},
};
use crate::model::{
    Observation, Touch, Why,
    observation::{
        Answer, Mechanism, Presented,
        guessing::{Around, Guess, Guessed, Guessing},
    },
    scope::Guessing as Grant,
};
use crate::scan::{net::Trouble, session::Ctx};
use std::time::Duration;
use tokio::time::{Instant, sleep};

pub const PROBE: Probe = Probe {
    id: "guessing",
    version: 1,
    title: "whether guessing is slowed",
    page: include_str!("guessing.md"),
    touch: Touch::Stress,
    subjects_from: &["tcp-ports", "service-identify", "http-surface", "json-logins", "logins"],
    run: |ctx| Box::pin(run(ctx)),
};

/// How many guesses one way to log in gets at most.
pub const MOST: u32 = 14;
/// How many where the right secret can tell a lock that the device does not speak of: by then it must have locked.
const MOST_OF_OWNED: u32 = 10;
/// The first wait for recovery; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(2);

async fn run(ctx: &Ctx) {
    let Some(grant) = ctx.session.scope.guessing.clone() else { return ctx.gap(None, Why::TooIntrusive) };
    let owned = match grant.secret.as_ref().map(|r| secret(r, "[guessing]")).transpose() {
        Ok(s) => s,
        // Its owner wanted proof of recovery: without it nothing is guessed.
        Err(why) => return ctx.gap(None, Why::NotUnderstood(why)),
    };
    for door in doors(ctx).iter().filter(|d| guessable(d.mechanism())) {
        let topic = door.mechanism().word();
        let endpoint = door.endpoint();
        if let Some(why) = ctx.leave(endpoint).await {
            ctx.gap_of(topic, Some(endpoint.into()), why);
        } else if begun(ctx, door) {
            let why = "an interrupted scan made guesses here already, which are not made again".to_owned();
            ctx.gap_of(topic, Some(endpoint.into()), Why::NotUnderstood(why));
        } else if ctx.lock_signs() {
            let why = "an earlier probe saw signs of a lock".to_owned();
            ctx.gap_of(topic, Some(endpoint.into()), Why::NotUnderstood(why));
        } else if !refuses(ctx, door) {
            let why = "the refusal of a wrong secret was not seen, so that no guess could be told from a success";
            ctx.gap_of(topic, Some(endpoint.into()), Why::NotUnderstood(why.to_owned()));
        } else if let Err(t) = Series::new(ctx, door, &grant, owned.as_deref()).run().await {
            ctx.trouble(Some(topic), endpoint, &t);
        }
    }
}

fn guessable(mechanism: Mechanism) -> bool {
    match mechanism {
        Mechanism::HttpBasic | Mechanism::HttpDigest | Mechanism::HttpForm | Mechanism::HttpJson => true,
        Mechanism::Ssh | Mechanism::Mqtt => true,
        Mechanism::HttpToken | Mechanism::Telnet | Mechanism::Ftp => false,
        Mechanism::Snmp | Mechanism::Rtsp | Mechanism::Redis | Mechanism::Cwmp | Mechanism::Onvif => false,
        Mechanism::Psk => false,
    }
}

/// Whether `logins` saw this door refuse a random user.
fn refuses(ctx: &Ctx, door: &Door) -> bool {
    ctx.seen("logins").iter().filter(|r| r.subject == door.endpoint().into()).any(|r| {
        matches!(&r.observation, Observation::LoginTrial { mechanism, presented: Presented::Wrong, answer: Answer::Refused, .. }
            if *mechanism == door.mechanism())
    })
}

/// Whether this recording holds guesses at this door already.
fn begun(ctx: &Ctx, door: &Door) -> bool {
    ctx.seen("guessing")
        .iter()
        .filter(|r| r.subject == door.endpoint().into())
        .any(|r| matches!(&r.observation, Observation::Guessing { guessing } if guessing.mechanism == door.mechanism()))
}

/// All guesses at one door.
struct Series<'a> {
    ctx: &'a Ctx,
    door: &'a Door,
    account: Guessed,
    user: String,
    secret: Option<&'a str>,
    patience: Duration,
    last: Instant,
}

impl<'a> Series<'a> {
    fn new(ctx: &'a Ctx, door: &'a Door, grant: &Grant, secret: Option<&'a str>) -> Self {
        let (account, user) = match &grant.account {
            Some(user) => (Guessed::Named, user.clone()),
            None => (Guessed::MadeUp, made_up()),
        };
        let patience = Duration::from_secs(u64::from(grant.wait_seconds));
        Self { ctx, door, account, user, secret, patience, last: Instant::now() }
    }

    fn record(&self, guess: Guess, transcript: Option<crate::model::Sha256Digest>) {
        let (mechanism, account) = (self.door.mechanism(), self.account);
        let guessing = Guessing { mechanism, account, guess };
        self.ctx.record(self.door.endpoint(), Observation::Guessing { guessing }, transcript);
    }

    fn most(&self) -> u32 {
        if self.secret.is_some() { MOST_OF_OWNED } else { MOST }
    }

    async fn run(mut self) -> Result<(), Trouble> {
        if let Some(secret) = self.secret {
            let answer = self.around(Around::OwnerBefore, &self.user.clone(), secret).await?;
            if answer != Answer::Accepted {
                let why = "the right secret of the named account was not accepted, so that nothing was guessed";
                return Err(Trouble::NotUnderstood(why.to_owned()));
            }
        }
        let mut stopped = false;
        for n in 1..=self.most() {
            let answer = self.guess(n).await?;
            if answer == Answer::LockSign {
                stopped = true;
                break;
            }
        }
        self.aftermath(stopped).await
    }

    /// One wrong secret. The ledger and the recording know of it before the device does.
    async fn guess(&mut self, n: u32) -> Result<Answer, Trouble> {
        let started = Instant::now();
        self.door.neutral(self.ctx).await?;
        let neutral_ms = millis(started.elapsed());
        self.ctx.charge_guess(&self.user).map_err(Trouble::NotUnderstood)?;
        self.record(Guess::Sent { n, most: self.most() }, None);
        let started = Instant::now();
        let (answer, tape) = self.attempt(&self.user.clone(), &random_secret()).await?;
        self.last = Instant::now();
        self.record(Guess::Answered { n, answer, ms: millis(started.elapsed()), neutral_ms }, tape);
        Ok(answer)
    }

    /// A log-in; a service that takes no connections any more has reacted.
    async fn attempt(&self, user: &str, secret: &str) -> Result<(Answer, Option<crate::model::Sha256Digest>), Trouble> {
        match self.door.try_pair(self.ctx, user, secret).await {
            Ok(tried) => Ok((tried.answer, tried.transcript)),
            Err(Trouble::Refused | Trouble::Closed) => Ok((Answer::LockSign, None)),
            Err(t) => Err(t),
        }
    }

    async fn around(&self, what: Around, user: &str, secret: &str) -> Result<Answer, Trouble> {
        self.record(Guess::Asking { what }, None);
        let after_ms = millis(self.last.elapsed());
        let (answer, tape) = self.attempt(user, secret).await?;
        self.record(Guess::Around { what, answer, after_ms }, tape);
        Ok(answer)
    }

    /// Whom the reaction concerns, and whether the owner gets in again.
    async fn aftermath(&mut self, stopped: bool) -> Result<(), Trouble> {
        if stopped {
            let other = made_up();
            self.ctx.charge_guess(&other).map_err(Trouble::NotUnderstood)?;
            self.around(Around::OtherName, &other, &random_secret()).await?;
        }
        let mut locked = stopped;
        if let Some(secret) = self.secret {
            locked |= self.around(Around::OwnerAfter, &self.user.clone(), secret).await? != Answer::Accepted;
        }
        if !locked {
            return Ok(());
        }
        let (started, mut wait) = (Instant::now(), FIRST_WAIT);
        while started.elapsed() < self.patience && !self.ctx.session.stopped() {
            sleep(wait.min(self.patience.saturating_sub(started.elapsed()))).await;
            wait *= 2;
            if self.recovered().await? {
                return Ok(());
            }
        }
        // Nobody knows when it opens again: no scan may try within the window.
        self.ctx.lock_sign();
        Ok(())
    }

    async fn recovered(&self) -> Result<bool, Trouble> {
        match self.secret {
            Some(secret) => Ok(self.around(Around::Recovery, &self.user.clone(), secret).await? == Answer::Accepted),
            None => {
                self.ctx.charge_guess(&self.user).map_err(Trouble::NotUnderstood)?;
                let answer = self.around(Around::Recovery, &self.user.clone(), &random_secret()).await?;
                Ok(answer == Answer::Refused)
            }
        }
    }
}

fn millis(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}

fn made_up() -> String {
    format!("patuh{:06x}", rand::random::<u32>() & 0xff_ffff)
}

fn random_secret() -> String {
    format!("{:020x}", rand::random::<u128>() >> 48)
}
