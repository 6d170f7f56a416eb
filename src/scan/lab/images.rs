//! The image cases: each offered as a genuine server would, and then which version the device runs is read.
//!
//! The genuine image comes after the bad ones: without its being taken, a refusal proves nothing; and it is what
//! the device is left with.
use super::{
    director::{Came, Director, Run, ms},
    stage::{Flaw, Offer},
    version,
};
use crate::model::{
    Observation, Sha256Digest, Subject, Why,
    observation::lab::{ImageCase, ImageTrial, Prompted, Resource, ServerCase},
    scope::Consent,
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// One image to offer.
pub struct Prepared {
    pub case: ImageCase,
    /// What the metadata say that it is.
    pub claims: String,
    /// What the device runs when it takes it.
    pub version: String,
    pub bytes: Vec<u8>,
}

/// What is offered, and on whose word.
pub struct Trials {
    pub consent: Consent,
    pub bad: Vec<Prepared>,
    pub genuine: Prepared,
    pub settle: Duration,
    pub recover: Vec<String>,
}

impl Trials {
    /// The steps that it takes, at most.
    pub fn steps(&self) -> usize {
        self.bad.len() + 1
    }
}

pub async fn images(d: &mut Director<'_>, trials: Option<&Trials>, came: bool) {
    let run = d.start("lab-update-images");
    let Some(trials) = trials else {
        run.gap(None, Why::NotSupplied);
        return run.finish();
    };
    if d.stopped() {
        return;
    }
    if !came {
        run.gap(None, Why::NotUnderstood("the device did not look for updates, so none was offered".to_owned()));
        return run.finish();
    }
    let Consent { sample, recovery, consent } = trials.consent.clone();
    let authorised_by = d.scope.authorised_by.clone();
    run.record(Subject::Device, Observation::LabConsent { authorised_by, sample, recovery, consent }, None);
    let patience = d.patience();
    match d.version(&run, Instant::now(), patience).await {
        None => run.gap(None, unread("before anything was offered")),
        Some(start) if start == trials.genuine.version => {
            let why =
                format!("the device runs {start} already; give it an older version first, so that an update shows");
            run.gap(None, Why::NotUnderstood(why));
        }
        Some(start) => {
            let mut bench = Bench { d: &mut *d, run: &run, trials, start, last: None };
            bench.all().await;
            let last = bench.last;
            if let Some(after) = last.filter(|_| d.stopped()) {
                let why = "the run was stopped before the device was seen to run the genuine image".to_owned();
                run.record(Subject::Device, Observation::LabDirty { after, why }, None);
            }
        }
    }
    d.rest().await;
    if !d.stopped() {
        run.finish();
    }
}

fn unread(when: &str) -> Why {
    Why::NotUnderstood(format!("the device's version could not be read {when}; see `version` in the plan"))
}

struct Bench<'b, 'a> {
    d: &'b mut Director<'a>,
    run: &'b Run,
    trials: &'b Trials,
    /// What the device ran before anything was offered.
    start: String,
    /// What was offered last.
    last: Option<ImageCase>,
}

/// How the device stood after a trial.
#[derive(PartialEq, Eq)]
enum Stands {
    AsBefore,
    Changed,
    Gone,
}

impl Bench<'_, '_> {
    async fn all(&mut self) {
        let trials = self.trials;
        for (n, prepared) in trials.bad.iter().enumerate() {
            if prepared.version == self.start {
                let why = format!("the device runs {} already, so that taking it would not show", self.start);
                self.run.gap(Some(prepared.case.word()), Why::NotUnderstood(why));
                continue;
            }
            if self.d.over() {
                let why = Why::NotUnderstood("the laboratory's time was over".to_owned());
                self.run.gap(Some(prepared.case.word()), why);
                continue;
            }
            let stands = self.offer(prepared).await;
            if self.d.stopped() {
                return;
            }
            let back = match stands {
                Stands::AsBefore => true,
                Stands::Changed | Stands::Gone => self.recovered().await,
            };
            if !back {
                let left = trials.bad.get(n + 1..).unwrap_or_default();
                let cut = prepared.case == ImageCase::Cut && stands == Stands::Changed;
                self.left(left, prepared.case, if cut { "took the cut download after all" } else { "was changed" });
                break;
            }
        }
        self.restored(trials.bad.last().map_or(ImageCase::Genuine, |b| b.case)).await;
    }

    fn left(&self, left: &[Prepared], after: ImageCase, what: &str) {
        for prepared in left {
            let why = format!(
                "the device {what} by {} and was not brought back; give the plan a `recover` command, or run the other cases alone",
                after.words()
            );
            self.run.gap(Some(prepared.case.word()), Why::NotUnderstood(why));
        }
    }

    /// Brings back the version that the device had.
    async fn recovered(&mut self) -> bool {
        if self.trials.recover.is_empty() {
            return false;
        }
        // What it would fetch meanwhile is nothing.
        self.d.show(ServerCase::Genuine).await;
        if version::output(&self.trials.recover).await.is_none() {
            return false;
        }
        let (since, until) = (Instant::now(), self.d.patience());
        while let Some(version) = self.d.version(self.run, since, until).await {
            if version == self.start {
                return true;
            }
            self.d.pass(self.run, Duration::from_millis(250)).await;
            if Instant::now() >= until {
                return false;
            }
        }
        false
    }

    /// Offers the genuine image until the device runs it, or marks it as dirty.
    async fn restored(&mut self, after: ImageCase) {
        let genuine = &self.trials.genuine;
        // A device is not left as it is because the time was over.
        self.d.extend();
        let stands = self.offer(genuine).await;
        if self.d.stopped() {
            return;
        }
        let (since, patience) = (Instant::now(), self.d.patience());
        let runs = self.d.version(self.run, since, patience).await;
        if stands == Stands::Changed && runs.as_deref() == Some(&genuine.version) {
            return;
        }
        // It never took anything, so that nothing is to be restored; but the control failed.
        if runs.as_deref() == Some(&self.start) {
            let why = "the genuine image was not taken either, so that the refusals prove nothing";
            self.run.gap(None, Why::NotUnderstood(why.to_owned()));
            return;
        }
        let why = match runs {
            Some(v) => format!("it runs {v}, and the genuine image was not seen to be installed over it"),
            None => "its version cannot be read any more".to_owned(),
        };
        self.run.record(Subject::Device, Observation::LabDirty { after, why }, None);
    }

    async fn offer(&mut self, prepared: &Prepared) -> Stands {
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
        let serial = self.d.stage.present(ServerCase::Genuine, Arc::new(offer));
        let mut taken = Taken { serial, asked: 0, fetched: 0, fetches: 0 };
        let prompted = self.prompted(prepared.case, &mut taken).await;
        let since = self.first_download(prepared.case, &mut taken).await;
        let (seen, unread, after) = self.settled(prepared, since, &mut taken).await;
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
            };
            self.run.record(Subject::Device, Observation::LabImage { trial: Box::new(trial) }, None);
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
            | ImageCase::NoBoot => Flaw::None,
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
        while !taken.met(case) {
            let Some(came) = self.d.next(self.run, until).await else { break };
            taken.count(&came);
        }
        Instant::now()
    }

    /// Watches which versions the device runs; one that is gone may take as long again to come back.
    async fn settled(&mut self, p: &Prepared, since: Instant, taken: &mut Taken) -> (Vec<String>, u32, Option<String>) {
        let settled = since + self.trials.settle;
        let (mut seen, mut unread, mut after) = (Vec::new(), 0, None);
        while Instant::now() < settled || (after.is_none() && Instant::now() < settled + self.trials.settle) {
            let tick = Instant::now() + Duration::from_millis(100);
            while let Some(came) = self.d.next(self.run, tick).await {
                taken.count(&came);
            }
            if self.d.stopped() {
                break;
            }
            after = self.d.version_now(since).await;
            unread += u32::from(after.is_none() && self.d.asks_the_device());
            if let Some(version) = after.as_ref().filter(|v| seen.last() != Some(*v)) {
                seen.push(version.clone());
            }
            if p.case == ImageCase::Genuine && after.as_ref() == Some(&p.version) {
                break;
            }
        }
        (seen, unread, after)
    }
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
