//! Offering one image: on the laboratory's servers or by handing it over, and reading what the device runs afterwards.
use super::{
    super::{
        director::{Came, ms},
        stage::{Flaw, Offer},
    },
    Bench, Hand, Prepared, Stands,
    hand::{Giving, Handed},
};
use crate::model::{
    Observation, Sha256Digest, Subject, Why,
    observation::lab::{ImageCase, ImageTrial, PULL, Prompted, Resource, ServerCase},
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

impl Bench<'_, '_> {
    pub(super) async fn offer(&mut self, prepared: &Prepared) -> Stands {
        self.last = Some(prepared.case);
        self.d.says(&format!("offering {}", prepared.case.words()));
        let (asked, until) = (Instant::now(), self.d.patience());
        let before = self.d.version(self.run, asked, until).await;
        let sha256 = Sha256Digest::of(&prepared.bytes);
        let bytes = u64::try_from(prepared.bytes.len()).unwrap_or(u64::MAX);
        let offer = Offer {
            version: prepared.claims.clone(),
            sha256: sha256.clone(),
            bytes: prepared.bytes.clone(),
            flaw: self.flaw(prepared.case),
        };
        if prepared.case.of_metadata() {
            self.looked_at_nothing().await;
        }
        let started = Instant::now();
        let serial = self.d.stage.present(server(prepared.case), Arc::new(offer));
        let mut taken = Taken { serial, asked: 0, fetched: 0, fetches: 0 };
        let mut watch = Watch::default();
        let (prompted, handed) = match &self.trials.hand {
            None => (self.prompted(prepared.case, &mut taken).await, None),
            Some(hand) => (Prompted::Trigger, Some(self.handed(hand.clone(), prepared, &mut taken, &mut watch).await)),
        };
        let since = self.first_download(prepared.case, &mut taken).await;
        self.settled(prepared, since, &mut taken, &mut watch).await;
        let Watch { seen, unread, after } = watch;
        let stands = match (&before, &after) {
            (_, None) | (None, _) => Stands::Gone,
            // Also when it ran the image for a while, and is back by itself.
            (Some(b), Some(a)) if a == b => Stands::AsBefore,
            (Some(_), Some(_)) => Stands::Changed,
        };
        if !self.d.stopped() {
            let (case, version) = (prepared.case, prepared.version.clone());
            let Taken { asked, fetched, fetches, .. } = taken;
            let waited_ms = ms(started.elapsed());
            let trial = ImageTrial {
                case,
                sha256,
                bytes,
                version,
                asked,
                fetched,
                fetches,
                before,
                seen,
                unread,
                after,
                waited_ms,
                prompted,
                delivery: self.trials.hand.as_ref().map_or(PULL, |hand| hand.word()).to_owned(),
                answer: handed.as_ref().map(|h| h.answer.clone()),
            };
            let transcript = handed.and_then(|h| h.transcript);
            self.run.record(Subject::Device, Observation::LabImage { trial: Box::new(trial) }, transcript);
        }
        stands
    }

    fn flaw(&self, case: ImageCase) -> Flaw {
        match case {
            ImageCase::Cut => Flaw::Cut,
            ImageCase::MetadataChanged => Flaw::Changed { signed_for: self.start.clone() },
            ImageCase::MetadataExpired => Flaw::Expired,
            ImageCase::PayloadBit
            | ImageCase::SignatureBit
            | ImageCase::Stripped
            | ImageCase::OtherKey
            | ImageCase::OtherModel
            | ImageCase::Truncated
            | ImageCase::Genuine
            | ImageCase::Older
            | ImageCase::NoBoot
            | ImageCase::ClockMoved => Flaw::None,
        }
    }

    /// Shows that there is nothing new until the device has seen it, lest it go on by good metadata that it has read already.
    async fn looked_at_nothing(&mut self) {
        let until = self.d.patience();
        let serial = self.d.show(ServerCase::Genuine).await;
        let mut taken = Taken { serial, asked: 0, fetched: 0, fetches: 0 };
        while taken.asked == 0 {
            let Some(came) = self.d.next(self.run, until).await else { break };
            taken.count(&came);
        }
    }

    /// Whoever makes the device look. For the genuine image it may first come by itself.
    async fn prompted(&mut self, case: ImageCase, taken: &mut Taken) -> Prompted {
        let alone = Duration::from_secs(self.d.plan.watch_seconds);
        if case == ImageCase::Genuine && !alone.is_zero() {
            let until = (Instant::now() + alone).min(self.d.patience());
            while !taken.met(case) {
                let Some(came) = self.d.next(self.run, until).await else { break };
                taken.count(&came);
            }
            if taken.met(case) || self.d.stopped() {
                return Prompted::Nobody;
            }
        }
        self.d.prompt().await
    }

    /// When the first download of the image ended, or the patience with it.
    async fn first_download(&mut self, case: ImageCase, taken: &mut Taken) -> Instant {
        let until = self.d.patience();
        while !taken.met(case) && self.d.plan.serves_images() {
            let Some(came) = self.d.next(self.run, until).await else { break };
            taken.count(&came);
        }
        Instant::now()
    }

    /// Hands it over, and watches meanwhile which versions the device runs: some start an image before they answer.
    async fn handed(&mut self, hand: Arc<Hand>, p: &Prepared, taken: &mut Taken, watch: &mut Watch) -> Handed {
        let (started, journal) = (Instant::now(), self.d.journal.clone());
        let (scope, dir) = (self.d.scope.clone(), self.trials.dir.clone());
        let giving = tokio::spawn(Giving { hand, image: p.clone(), scope, journal, dir }.done());
        while !giving.is_finished() && !self.d.stopped() {
            self.look(started, taken, watch).await;
        }
        // A device that takes an upload may have no time for questions.
        watch.unread = 0;
        if self.d.stopped() {
            giving.abort();
        }
        let handed = giving.await.unwrap_or_else(|e| Handed::nothing(&e.to_string()));
        // Where the laboratory serves images, a tool only told the device to fetch one.
        if !self.d.plan.serves_images() {
            taken.fetched = handed.taken;
            taken.fetches = u32::from(handed.taken > 0);
        }
        if handed.taken == 0 && !self.d.stopped() {
            let why = format!("{} could not be handed over: {}", p.case.words(), handed.answer);
            self.run.gap(Some(p.case.word()), Why::NotUnderstood(why));
        }
        handed
    }

    /// Watches which versions the device runs; one that is gone may take as long again to come back.
    async fn settled(&mut self, p: &Prepared, since: Instant, taken: &mut Taken, watch: &mut Watch) {
        let settled = since + self.trials.settle;
        watch.after = None;
        while Instant::now() < settled || (watch.after.is_none() && Instant::now() < settled + self.trials.settle) {
            self.look(since, taken, watch).await;
            let arrived = p.case == ImageCase::Genuine && watch.after.as_ref() == Some(&p.version);
            if arrived || self.d.stopped() {
                break;
            }
        }
    }

    /// A tenth of a second of what comes, and the version at its end.
    async fn look(&mut self, since: Instant, taken: &mut Taken, watch: &mut Watch) {
        let tick = Instant::now() + Duration::from_millis(100);
        while let Some(came) = self.d.next(self.run, tick).await {
            taken.count(&came);
        }
        if self.d.stopped() {
            return;
        }
        watch.after = self.d.version_now(since).await;
        watch.unread += u32::from(watch.after.is_none() && self.d.asks_the_device());
        if let Some(version) = watch.after.as_ref().filter(|v| watch.seen.last() != Some(*v)) {
            watch.seen.push(version.clone());
        }
    }
}

/// Who offers it.
fn server(case: ImageCase) -> ServerCase {
    if case == ImageCase::ClockMoved { ServerCase::Expired } else { ServerCase::Genuine }
}

/// Which versions the device ran.
#[derive(Default)]
struct Watch {
    seen: Vec<String>,
    unread: u32,
    after: Option<String>,
}

/// What the device took of one image.
struct Taken {
    serial: u64,
    /// How often it asked for the metadata.
    asked: u32,
    fetched: u64,
    fetches: u32,
}

impl Taken {
    fn count(&mut self, came: &Came) {
        let Some(request) = came.visit.request.as_ref() else { return };
        if came.serial != self.serial || request.status >= 300 {
            return;
        }
        match request.resource {
            Resource::Image => {
                self.fetches += 1;
                self.fetched = self.fetched.max(request.first.saturating_add(request.sent));
            }
            Resource::Metadata => self.asked += 1,
            Resource::MetadataSignature | Resource::Other => {}
        }
    }

    /// It has seen what is wrong, or has the image.
    fn met(&self, case: ImageCase) -> bool {
        self.fetches > 0 || case.of_metadata() && self.asked > 0
    }
}
