//! All cases of one set at one service, with ordinary questions around each; what seems to crash it is sent again.
use super::{
    apart,
    ask::{Question, Target},
    hold, pause,
    sets::Case,
};
use crate::model::{
    Endpoint, Observation, Sha256Digest, Why,
    observation::malformed::{Event, Loss, Malformed, Standing},
    scope::Malformed as Grant,
};
use crate::scan::{net::Trouble, session::Ctx};
use std::{collections::VecDeque, time::Duration};
use tokio::time::{Instant, sleep};

/// Ordinary questions before and after all cases. One that is not answered, and the service is not steady.
const AROUND: u32 = 5;
/// A service answers an ordinary question within this, or it is too slow to tell from a lost one.
const SLOW: Duration = Duration::from_secs(2);
/// After a case, an ordinary question has to be answered within this.
const WITHIN: Duration = Duration::from_secs(5);
/// A case that was sent again may have its effect later.
const WATCH: Duration = Duration::from_secs(3);
const BEAT: Duration = Duration::from_millis(250);
/// Cases that are looked back upon, when the last one alone does nothing.
const RECENT: usize = 8;
/// Losses after which a service is left alone.
const MOST_LOSSES: u32 = 2;
/// What is kept of the isolated bytes.
const KEEP: usize = 4096;

pub async fn run(ctx: &Ctx, target: &Target, grant: Grant) -> Result<(), Trouble> {
    let Some(mut series) = Series::begin(ctx, target, grant).await? else { return Ok(()) };
    for case in target.set.cases() {
        if ctx.session.stopped() {
            return Ok(());
        }
        sleep(pause(ctx)).await;
        match case.held {
            Some(connections) => hold::run(&series, case, connections).await?,
            None => series.case(case).await?,
        }
        if series.gone || series.losses >= MOST_LOSSES {
            let why = if series.gone { "it did not come back" } else { "it was lost twice, and is left alone" };
            ctx.gap_of(target.set.id.word(), Some(target.at.endpoint.into()), Why::NotUnderstood(why.to_owned()));
            return Ok(());
        }
    }
    let (answered, _) = series.ordinary(AROUND).await?;
    series.record(Event::After { asked: AROUND, answered }, None);
    Ok(())
}

pub struct Series<'a> {
    pub ctx: &'a Ctx,
    pub target: &'a Target,
    pub grant: Grant,
    question: Question,
    recent: VecDeque<&'static Case>,
    losses: u32,
    gone: bool,
}

impl<'a> Series<'a> {
    /// Finds a question that the service answers, and whether it does so steadily. None: nothing wrong may be sent.
    async fn begin(ctx: &'a Ctx, target: &'a Target, grant: Grant) -> Result<Option<Self>, Trouble> {
        let mut questions = target.questions().into_iter();
        let Some(mut question) = questions.next() else {
            return Err(Trouble::NotUnderstood("there is no ordinary question for it".to_owned()));
        };
        for next in questions {
            if target.standing(ctx, &question, SLOW).await? == Standing::Answers {
                break;
            }
            question = next;
        }
        let series = Self { ctx, target, grant, question, recent: VecDeque::new(), losses: 0, gone: false };
        let (answered, slowest) = series.ordinary(AROUND).await?;
        let (slowest_ms, cases) = (millis(slowest), u32::try_from(target.set.cases().len()).unwrap_or(u32::MAX));
        series.record(Event::Before { asked: AROUND, answered, slowest_ms, cases }, None);
        Ok((answered == AROUND && slowest < SLOW).then_some(series))
    }

    pub fn record(&self, event: Event, transcript: Option<Sha256Digest>) {
        let malformed = Malformed { set: self.target.set.id, path: self.target.path.clone(), event };
        self.ctx.record(self.target.at.endpoint, Observation::Malformed { malformed }, transcript);
    }

    /// How many of so many ordinary questions are answered, and how long the slowest took.
    async fn ordinary(&self, asked: u32) -> Result<(u32, Duration), Trouble> {
        let (mut answered, mut slowest) = (0, Duration::ZERO);
        for _ in 0..asked {
            let started = Instant::now();
            if self.standing(WITHIN).await? == Standing::Answers {
                answered += 1;
            }
            slowest = slowest.max(started.elapsed());
            sleep(pause(self.ctx)).await;
        }
        Ok((answered, slowest))
    }

    pub async fn standing(&self, wait: Duration) -> Result<Standing, Trouble> {
        self.target.standing(self.ctx, &self.question, wait).await
    }

    /// One case, and what came of it.
    async fn case(&mut self, case: &'static Case) -> Result<(), Trouble> {
        let tape = self.deliver(case, &self.target.bytes(case)).await?;
        let since = Instant::now();
        self.recent.push_back(case);
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        match self.lost(since).await? {
            None if tape.is_none() => Err(Trouble::NotUnderstood(format!("{} could not be sent", case.id))),
            None => {
                let answered_after_ms = millis(since.elapsed());
                self.record(Event::Survived { case: case.id.clone(), answered_after_ms }, tape);
                Ok(())
            }
            Some(how) => {
                self.losses += 1;
                let loss = self.loss(how, since).await?;
                self.record(Event::Lost { case: case.id.clone(), loss }, tape);
                if self.gone { Ok(()) } else { self.isolate(case).await }
            }
        }
    }

    /// Sends a case. None: the device did not take it, perhaps because an earlier one brought it down.
    async fn deliver(&self, case: &Case, bytes: &[u8]) -> Result<Option<Sha256Digest>, Trouble> {
        match self.target.send(self.ctx, case, bytes).await {
            Ok(tape) => Ok(Some(tape)),
            Err(t @ (Trouble::NotAdmitted(_) | Trouble::Ours(_))) => Err(t),
            Err(_) => Ok(None),
        }
    }

    /// How it is lost, if it is: no answer within the time, or its port found closed twice in a row.
    async fn lost(&self, since: Instant) -> Result<Option<Standing>, Trouble> {
        let mut refusals = 0;
        loop {
            let left = WITHIN.saturating_sub(since.elapsed());
            let standing = self.standing(left.clamp(BEAT, SLOW)).await?;
            refusals = if standing == Standing::Refused { refusals + 1 } else { 0 };
            if standing == Standing::Answers {
                return Ok(None);
            }
            if refusals > 1 || since.elapsed() >= WITHIN {
                return Ok(Some(standing));
            }
            sleep(BEAT).await;
        }
    }

    /// Waits for the service to come back, and tells how the rest of the device stood meanwhile.
    async fn loss(&mut self, how: Standing, since: Instant) -> Result<Loss, Trouble> {
        let elsewhere = self.elsewhere().await?;
        let back_after_ms = self.back(since).await?;
        self.gone = back_after_ms.is_none();
        Ok(Loss { how, elsewhere, back_after_ms })
    }

    /// When it answered again: after three answers in a row it is back.
    pub async fn back(&self, since: Instant) -> Result<Option<u64>, Trouble> {
        let patience = Duration::from_secs(u64::from(self.grant.recovery_seconds));
        let (begun, mut in_a_row, mut first) = (Instant::now(), 0, None);
        while begun.elapsed() < patience && !self.ctx.session.stopped() {
            match self.standing(SLOW).await? {
                Standing::Answers => {
                    in_a_row += 1;
                    first = first.or(Some(millis(since.elapsed())));
                }
                Standing::Refused | Standing::Closed | Standing::Mute | Standing::Silent | Standing::Unreachable => {
                    (in_a_row, first) = (0, None);
                }
            }
            if in_a_row == 3 {
                return Ok(first);
            }
            sleep(BEAT).await;
        }
        Ok(None)
    }

    /// The control: whether another TCP port of the host takes a connection.
    async fn elsewhere(&self) -> Result<Option<Standing>, Trouble> {
        let at = self.target.at.endpoint;
        let others: Vec<Endpoint> =
            self.ctx.open_tcp().into_iter().filter(|e| e.host == at.host && *e != at).take(2).collect();
        let mut best = None;
        for other in others {
            let standing = match self.ctx.tcp(other).await {
                Ok(wire) => {
                    wire.close().await;
                    Standing::Answers
                }
                Err(Trouble::Refused) => Standing::Refused,
                Err(Trouble::Closed | Trouble::NotUnderstood(_)) => Standing::Closed,
                Err(Trouble::Silent(_)) => Standing::Silent,
                Err(Trouble::Unreachable) => Standing::Unreachable,
                Err(t @ (Trouble::NotAdmitted(_) | Trouble::Ours(_))) => return Err(t),
            };
            best = Some(best.map_or(standing, |b: Standing| b.min(standing)));
        }
        Ok(best)
    }

    /// Finds the one case among the last that brings the loss about again, twice, alone.
    async fn isolate(&mut self, last: &'static Case) -> Result<(), Trouble> {
        let mut suspects: Vec<&'static Case> = self.recent.drain(..).collect();
        if !self.again(last).await? {
            if suspects.len() < 2 || !self.together(&suspects).await? {
                return Ok(());
            }
            while suspects.len() > 1 && !self.gone {
                let later = suspects.split_off(suspects.len() / 2);
                if !self.together(&suspects).await? {
                    suspects = later;
                }
            }
            let [only] = suspects.as_slice() else { return Ok(()) };
            if self.gone || !self.again(only).await? {
                return Ok(());
            }
        } else {
            suspects = vec![last];
        }
        match suspects.as_slice() {
            [only] if !self.gone => self.again(only).await.map(drop),
            _ => Ok(()),
        }
    }

    /// Sends one case alone, and says whether the service was lost; the second time it is isolated.
    async fn again(&mut self, case: &'static Case) -> Result<bool, Trouble> {
        sleep(apart(self.ctx)).await;
        let bytes = self.target.bytes(case);
        let tape = self.deliver(case, &bytes).await?;
        let loss = self.watch().await?;
        self.record(Event::Again { case: case.id.clone(), loss }, tape);
        let (length, sha256) = (bytes.len() as u64, Sha256Digest::of(&bytes));
        let hex = bytes.iter().take(KEEP).map(|b| format!("{b:02x}")).collect();
        if loss.is_some() {
            self.record(Event::Suspected { case: case.id.clone(), length, sha256, hex }, None);
        }
        Ok(loss.is_some())
    }

    /// Sends several cases, one right after the other, and says whether the service was lost.
    async fn together(&mut self, cases: &[&'static Case]) -> Result<bool, Trouble> {
        sleep(apart(self.ctx)).await;
        for case in cases {
            // It may be lost half-way, which the watch sees.
            if self.deliver(case, &self.target.bytes(case)).await?.is_none() {
                break;
            }
        }
        let loss = self.watch().await?;
        let cases = cases.iter().map(|c| c.id.clone()).collect();
        self.record(Event::Together { cases, loss }, None);
        Ok(loss.is_some())
    }

    async fn watch(&mut self) -> Result<Option<Loss>, Trouble> {
        let since = Instant::now();
        while since.elapsed() < WATCH {
            if let Some(how) = self.lost(Instant::now()).await? {
                return Ok(Some(self.loss(how, since).await?));
            }
            sleep(BEAT).await;
        }
        Ok(None)
    }
}

pub fn millis(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}
