//! The image cases: each offered as a genuine server would, and then which version the device runs is read.
//!
//! The genuine image comes after the bad ones: without its being taken, a refusal proves nothing; and it is what
//! the device is left with.
mod hand;
mod offer;
mod upload;

use super::{
    director::{Director, Run},
    version,
};
use crate::model::{
    Observation, Subject, Why,
    observation::lab::{ImageCase, ServerCase},
    scope::Consent,
};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::time::Instant;

pub use hand::{Hand, Header};

/// One image to offer.
#[derive(Clone)]
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
    /// How they are handed over, where the device does not fetch them.
    pub hand: Option<Arc<Hand>>,
    /// Where an image lies while a tool hands it over.
    pub dir: PathBuf,
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
    if !came && trials.hand.is_none() {
        run.gap(None, Why::NotUnderstood("the device did not look for updates, so none was offered".to_owned()));
        return run.finish();
    }
    consent(d, &run, trials);
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

/// To a device that believes a server whose certificate is over, while its clock is moved: the genuine image, by that server.
pub async fn while_moved(d: &mut Director<'_>, run: &Run, trials: &Trials) {
    if trials.hand.is_some() {
        return;
    }
    let patience = d.patience();
    let Some(start) = d.version(run, Instant::now(), patience).await else {
        return run.gap(None, unread("before anything was offered"));
    };
    if start == trials.genuine.version {
        return run
            .gap(None, Why::NotUnderstood(format!("the device runs {start} already, so that nothing was offered")));
    }
    consent(d, run, trials);
    let prepared = Prepared { case: ImageCase::ClockMoved, ..trials.genuine.clone() };
    let mut bench = Bench { d: &mut *d, run, trials, start, last: None };
    let stands = bench.offer(&prepared).await;
    let back = stands == Stands::AsBefore || bench.recovered().await;
    if d.stopped() || !back && stands == Stands::Gone {
        let why = "it was offered an image by a server whose certificate is over, and not seen to be as before";
        let observation = Observation::LabDirty { after: prepared.case, why: why.to_owned() };
        run.record(Subject::Device, observation, None);
    }
}

fn consent(d: &Director<'_>, run: &Run, trials: &Trials) {
    let Consent { sample, recovery, consent } = trials.consent.clone();
    let authorised_by = d.scope.authorised_by.clone();
    run.record(Subject::Device, Observation::LabConsent { authorised_by, sample, recovery, consent }, None);
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
}
