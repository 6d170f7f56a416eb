//! Who leads a run: presents, waits, and writes down what came.
use super::{
    Lab, VERSION,
    plan::Plan,
    stage::{Event, Offer, Stage},
    version::{self, Reader},
};
use crate::{
    model::{
        Gap, Observation, Scope, Sha256Digest, Subject, Why,
        observation::clean,
        observation::lab::{Prompted, Resource, ServerCase, Visit},
    },
    scan::{Progress, journal::Journal},
};
use std::{collections::BTreeSet, net::IpAddr, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, timeout_at},
};

/// Records of one run of the laboratory; a device that talks without end is a gap from there on.
const MOST_RECORDS: u64 = 20_000;
/// How often the device's version is read.
const READ_EVERY: Duration = Duration::from_millis(250);

pub struct Director<'a> {
    pub plan: &'a Plan,
    pub stage: Arc<Stage>,
    pub scope: &'a Scope,
    pub journal: Arc<Journal>,
    reader: Option<Reader>,
    events: mpsc::Receiver<Event>,
    stop: watch::Receiver<bool>,
    progress: &'a dyn Progress,
    deadline: Instant,
    recorded: u64,
    /// Connections and questions for names that came from the device.
    pub heard: u64,
    /// How often the device asked for the time that is told just now.
    pub told: u64,
    strangers: BTreeSet<IpAddr>,
    /// What is on offer when nothing is: the version that the device has.
    pub idle: Arc<Offer>,
    /// Names that the device asked for, to say what it did when it did not come.
    pub asked: BTreeSet<String>,
    pub step: (usize, usize),
}

/// One run, as it is written.
pub struct Run {
    journal: Arc<Journal>,
    probe: &'static str,
    id: String,
}

impl Run {
    pub fn record(&self, subject: Subject, observation: Observation, transcript: Option<Sha256Digest>) {
        self.journal.record(self.probe, &self.id, subject, observation, transcript);
    }

    pub fn gap(&self, topic: Option<&str>, why: Why) {
        let wanted = topic.map_or_else(|| self.probe.to_owned(), |t| format!("{}:{t}", self.probe));
        self.journal.gap(&self.id, Gap { wanted, subject: None, why });
    }

    pub fn finish(self) {
        self.journal.finish_run(&self.id);
    }
}

/// A connection that came to the presentation with this serial.
pub struct Came {
    pub serial: u64,
    pub visit: Visit,
}

impl<'a> Director<'a> {
    pub fn new(
        lab: &'a Lab<'_>,
        stage: Arc<Stage>,
        journal: Arc<Journal>,
        reader: Option<Reader>,
        events: mpsc::Receiver<Event>,
    ) -> Self {
        let images = lab.trials.as_ref().map_or(0, super::Trials::steps);
        let served = if lab.plan.serves() { 1 + super::order(lab.plan).len() } else { 0 };
        let outages = lab.plan.outage.as_ref().map_or(0, super::outage::OutagePlan::steps);
        let clock = lab.plan.ntp.as_ref().map_or(0, |n| n.wrong_times.len());
        let later = clock + outages + usize::from(lab.plan.isolation.is_some());
        Self {
            plan: lab.plan,
            stage,
            scope: &lab.scope,
            journal,
            reader,
            events,
            stop: lab.stop.clone(),
            progress: lab.progress,
            deadline: Instant::now() + Duration::from_secs(lab.plan.time_limit_seconds),
            recorded: 0,
            heard: 0,
            told: 0,
            strangers: BTreeSet::new(),
            idle: Arc::new(Offer::none("0")),
            asked: BTreeSet::new(),
            step: (0, served + images + later),
        }
    }

    pub fn start(&self, probe: &'static str) -> Run {
        let id = self.journal.start_run(probe, VERSION, &[]);
        Run { journal: self.journal.clone(), probe, id }
    }

    pub fn stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// The time for all of it is over.
    pub fn over(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Gives what must still be done the time of a few cases.
    pub fn extend(&mut self) {
        let needed = Duration::from_secs(self.plan.case_seconds.saturating_mul(4));
        self.deadline = self.deadline.max(Instant::now() + needed);
    }

    pub fn says(&mut self, what: &str) {
        self.progress.step(self.step.0, self.step.1, what);
        self.step.0 += 1;
    }

    /// Until when one case waits.
    pub fn patience(&self) -> Instant {
        (Instant::now() + Duration::from_secs(self.plan.case_seconds)).min(self.deadline)
    }

    /// Nothing new, from now on.
    pub async fn rest(&mut self) {
        if let Some(version) = self.version_now(Instant::now()).await {
            self.idle = Arc::new(Offer::none(&version));
        }
        self.stage.present(ServerCase::Genuine, self.idle.clone());
    }

    /// Presents a case, with nothing on offer, and makes the device look for updates where the plan says how.
    pub async fn show(&self, case: ServerCase) -> u64 {
        let serial = self.stage.present(case, self.idle.clone());
        self.prompt().await;
        serial
    }

    /// Makes the device look for updates, where the plan says how.
    pub async fn prompt(&self) -> Prompted {
        if self.plan.trigger.is_empty() {
            return Prompted::Nobody;
        }
        let _ = version::output(&self.plan.trigger).await;
        Prompted::Trigger
    }

    /// The next connection, written down; `None` when the time is over or the run was stopped.
    pub async fn next(&mut self, run: &Run, until: Instant) -> Option<Came> {
        loop {
            let event = tokio::select! {
                event = timeout_at(until, self.events.recv()) => event.ok()??,
                Ok(_) = self.stop.wait_for(|s| *s) => return None,
            };
            match event {
                Event::Stranger(address) => {
                    if self.strangers.len() < 16 && self.strangers.insert(address) {
                        self.progress.step(
                            self.step.0,
                            self.step.1,
                            &format!("{address} is not the device: turned away"),
                        );
                    }
                }
                Event::Name { from, name, record, answered } => {
                    if self.asked.len() < 64 {
                        self.asked.insert(name.clone());
                    }
                    self.write(run, from, Observation::LabName { name, record, answered }, None);
                }
                Event::Lease { from, answer, name, class, wants_time } => {
                    self.write(run, from, Observation::LabLease { answer, name, class, wants_time }, None);
                }
                Event::Time { from, off_s } => {
                    self.told += u64::from(off_s == self.stage.off_s());
                    self.write(run, from, Observation::LabTime { off_s }, None);
                }
                Event::Visit { from, serial, visit, transcript } => {
                    self.write(run, from, Observation::LabVisit { visit: Box::new(visit.clone()) }, Some(transcript));
                    return Some(Came { serial, visit });
                }
            }
        }
    }

    fn write(&mut self, run: &Run, from: IpAddr, observation: Observation, transcript: Option<Sha256Digest>) {
        self.recorded += 1;
        self.heard += 1;
        if self.recorded == MOST_RECORDS || self.stage.lost() > 0 {
            run.gap(None, Why::NotUnderstood("the device came more often than is written down".to_owned()));
        }
        if self.recorded < MOST_RECORDS {
            run.record(Subject::Host(from), observation, transcript);
        }
    }

    /// Reads the device's version until it is there or the time is over. What the device said before `since` is old.
    pub async fn version(&mut self, run: &Run, since: Instant, until: Instant) -> Option<String> {
        loop {
            if let Some(version) = self.version_now(since).await {
                return Some(version);
            }
            if Instant::now() >= until || self.stopped() {
                return None;
            }
            self.pass(run, READ_EVERY).await;
        }
    }

    pub async fn version_now(&self, since: Instant) -> Option<String> {
        match &self.reader {
            Some(reader) => reader.read(&self.stage, self.scope, since).await,
            None => None,
        }
    }

    /// Whether a version that cannot be read says that the device is away.
    pub fn asks_the_device(&self) -> bool {
        self.reader.as_ref().is_some_and(|r| r.says().is_none())
    }

    /// Lets some time pass, writing down what comes.
    pub async fn pass(&mut self, run: &Run, time: Duration) {
        let until = Instant::now() + time;
        while self.next(run, until).await.is_some() {}
    }

    /// Watches the undisturbed device: how often does it look for updates? False when it need not be waited for again.
    pub async fn polls(&mut self) -> bool {
        let run = self.start(super::POLLS);
        let watched = Duration::from_secs(self.plan.watch_seconds);
        if watched.is_zero() {
            self.rest().await;
            run.gap(None, Why::NotSupplied);
            run.finish();
            return true;
        }
        self.says(&format!("watching for {} s how often the device looks for updates", watched.as_secs()));
        self.rest().await;
        let (start, mut polls) = (Instant::now(), Vec::new());
        while let Some(came) = self.next(&run, start + watched).await {
            // One look for updates may take several connections; the metadata stand for it.
            if came.visit.resource() == Some(Resource::Metadata) {
                polls.push(ms(start.elapsed()));
            }
        }
        if self.stopped() {
            return false;
        }
        let (watched_ms, set_up) = (ms(start.elapsed()), self.plan.set_up.as_deref().map(|s| clean(s, 200)));
        run.record(Subject::Device, Observation::LabWatched { watched_ms, polls_ms: polls, set_up }, None);
        run.finish();
        true
    }
}

pub fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
