//! A probe's only door to the network: scope, pace, transcripts, time bounds.
use super::{
    journal::Journal,
    ledger::{Allowance, Ledger, Ticket, Traits, Withheld},
    net::{Datagrams, Tape, Trouble, Wire, http, tls, wire},
    probe::Probe,
};
use crate::model::{
    Endpoint, Gap, Observation, Record, Scope, Sha256Digest, Subject, Transport, Why,
    observation::PortState,
    scope::{Admitted, Pace, Refused},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Mutex, OwnedSemaphorePermit, Semaphore, watch},
    time::Instant,
};

pub const CONNECT: Duration = Duration::from_secs(3);
pub const FIRST_BYTE: Duration = Duration::from_secs(5);
/// The longest that one endpoint may keep one probe busy.
pub const PER_ENDPOINT: Duration = Duration::from_secs(90);
/// The longest that one run of a probe may take over all endpoints, at a pace of several at once.
const PER_RUN: Duration = Duration::from_secs(600);

/// What all probe runs of one scan share.
pub struct Session {
    pub scope: Scope,
    pub hosts: Vec<IpAddr>,
    pub journal: Arc<Journal>,
    /// Connections in flight; the sweep has a window of its own.
    slots: Arc<Semaphore>,
    width: usize,
    pub stop: watch::Receiver<bool>,
    /// Failed log-ins per account, over all services of the device, since they may share one lock, and over all scans.
    ledger: Option<Arc<Ledger>>,
    /// Set at the first sign of a lock: then no more log-ins anywhere.
    locking: watch::Sender<bool>,
    /// Endpoints that kept a probe busy for too long: no later probe waits for them again.
    stuck: Mutex<BTreeSet<Endpoint>>,
    /// Endpoints that hung up on us as often as we asked this.
    hang_up: Mutex<BTreeSet<(Endpoint, &'static str)>>,
}

impl Session {
    /// Without a ledger nobody logs in.
    pub fn new(
        scope: Scope,
        hosts: Vec<IpAddr>,
        journal: Arc<Journal>,
        ledger: Option<Arc<Ledger>>,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let width = match scope.pace {
            Pace::Gentle => 1,
            Pace::Adaptive => 3,
            Pace::Fast => 16,
        };
        let slots = Arc::new(Semaphore::new(width));
        let (stuck, hang_up, locking) = (Mutex::default(), Mutex::default(), watch::channel(false).0);
        Self { scope, hosts, journal, slots, width, stop, ledger, locking, stuck, hang_up }
    }

    pub fn stopped(&self) -> bool {
        *self.stop.borrow()
    }
}

/// One run of one probe.
pub struct Ctx {
    pub session: Arc<Session>,
    pub probe: &'static Probe,
    pub run: String,
    started: Instant,
    asked: AtomicBool,
}

/// A service as `service-identify` saw it.
#[derive(Clone, Debug)]
pub struct Identified {
    pub endpoint: Endpoint,
    pub service: String,
    pub tls: bool,
    pub starttls: bool,
    pub vendor: Option<String>,
    pub says: Vec<String>,
}

impl Ctx {
    pub fn new(session: Arc<Session>, probe: &'static Probe) -> Self {
        let run = session.journal.start_run(probe.id, probe.version, probe.subjects_from);
        Self { session, probe, run, started: Instant::now(), asked: AtomicBool::new(false) }
    }

    pub fn record(&self, subject: impl Into<Subject>, observation: Observation, transcript: Option<Sha256Digest>) {
        self.session.journal.record(self.probe.id, &self.run, subject.into(), observation, transcript);
    }

    /// Something that this run did not manage to look at.
    pub fn gap(&self, subject: Option<Subject>, why: Why) {
        self.session.journal.gap(&self.run, Gap { wanted: self.probe.id.to_owned(), subject, why });
    }

    /// As [`Self::gap`], for one topic of the run only, such as one log-in mechanism.
    pub fn gap_of(&self, topic: &str, subject: Option<Subject>, why: Why) {
        self.session.journal.gap(&self.run, Gap { wanted: format!("{}:{topic}", self.probe.id), subject, why });
    }

    /// Trouble that kept us from looking, as a gap.
    pub fn trouble(&self, topic: Option<&str>, endpoint: Endpoint, trouble: &Trouble) {
        let why = match trouble {
            Trouble::Refused | Trouble::Closed | Trouble::Unreachable => Why::DeviceGone,
            Trouble::Silent(_) => Why::NotUnderstood(trouble.to_string()),
            Trouble::NotAdmitted(Refused::OutOfScope) => Why::OutOfScope,
            Trouble::NotAdmitted(Refused::TooIntrusive) => Why::TooIntrusive,
            Trouble::NotUnderstood(s) => Why::NotUnderstood(s.clone()),
            Trouble::Ours(e) if e.kind() == std::io::ErrorKind::PermissionDenied => Why::NoPrivilege,
            Trouble::Ours(e) => Why::OurError(e.to_string()),
        };
        match topic {
            Some(t) => self.gap_of(t, Some(endpoint.into()), why),
            None => self.gap(Some(endpoint.into()), why),
        }
    }

    pub fn seen(&self, probe: &str) -> Vec<Record> {
        self.session.journal.seen(probe)
    }

    fn open(&self, probe: &str, transport: Transport) -> Vec<Endpoint> {
        let mut all: Vec<Endpoint> = self
            .seen(probe)
            .iter()
            .filter(|r| matches!(r.observation, Observation::Port { state: PortState::Open, .. }))
            .filter_map(|r| r.subject.endpoint())
            .filter(|e| e.transport == transport)
            .collect();
        all.sort();
        all.dedup();
        all
    }

    pub fn open_tcp(&self) -> Vec<Endpoint> {
        self.open("tcp-ports", Transport::Tcp)
    }

    pub fn services(&self) -> Vec<Identified> {
        let mut all: BTreeMap<Endpoint, Identified> = BTreeMap::new();
        for r in self.seen("service-identify") {
            let (Some(endpoint), Observation::Service { service, tls, starttls, vendor, says, .. }) =
                (r.subject.endpoint(), r.observation)
            else {
                continue;
            };
            all.insert(endpoint, Identified { endpoint, service, tls, starttls, vendor, says: says.into_vec() });
        }
        all.into_values().collect()
    }

    pub fn tls_endpoints(&self) -> Vec<Endpoint> {
        self.services().into_iter().filter(|s| s.tls).map(|s| s.endpoint).collect()
    }

    pub fn services_named(&self, names: &[&str]) -> Vec<Identified> {
        self.services().into_iter().filter(|s| names.contains(&s.service.as_str())).collect()
    }

    /// Why this endpoint must be left alone in this run, if it must.
    pub async fn leave(&self, endpoint: Endpoint) -> Option<Why> {
        let most = if self.session.width == 1 { PER_RUN * 3 } else { PER_RUN };
        if self.session.stopped() {
            Some(Why::Interrupted)
        } else if self.session.stuck.lock().await.contains(&endpoint) {
            Some(Why::NotUnderstood("it kept an earlier probe busy for too long".to_owned()))
        } else if self.started.elapsed() > most {
            Some(Why::NotUnderstood(format!("the {} s for this probe were over", most.as_secs())))
        } else {
            None
        }
    }

    /// Says that an endpoint used up its time: a gap, and no later probe waits for it.
    pub async fn stuck(&self, topic: Option<&str>, endpoint: Endpoint, after: Duration) {
        self.session.stuck.lock().await.insert(endpoint);
        let why = Why::NotUnderstood(format!("it kept us busy for {} s", after.as_secs()));
        match topic {
            Some(t) => self.gap_of(t, Some(endpoint.into()), why),
            None => self.gap(Some(endpoint.into()), why),
        }
    }

    /// Runs `work` for each item, a few at a time as the pace allows; an item that takes too long is a gap.
    pub async fn each<T, F, R>(&self, items: Vec<T>, endpoint: impl Fn(&T) -> Endpoint, work: F)
    where
        F: Fn(T) -> R,
        R: Future<Output = ()>,
    {
        let limit = Semaphore::new(self.session.width.min(8));
        let tasks = items.into_iter().map(|item| {
            let at = endpoint(&item);
            let (limit, work) = (&limit, &work);
            async move {
                let Ok(_slot) = limit.acquire().await else { return };
                if let Some(why) = self.leave(at).await {
                    return self.gap(Some(at.into()), why);
                }
                if tokio::time::timeout(PER_ENDPOINT, work(item)).await.is_err() {
                    self.stuck(None, at, PER_ENDPOINT).await;
                }
            }
        });
        join_all(tasks).await;
    }

    /// As [`Self::each`] for services. Trouble with one is told, as a gap.
    pub async fn each_service<F, R>(&self, services: Vec<Identified>, look: F)
    where
        F: Fn(Identified) -> R,
        R: Future<Output = Result<(), Trouble>>,
    {
        let told = |s: Identified| {
            let (at, looked) = (s.endpoint, look(s));
            async move {
                if let Err(t) = looked.await {
                    self.trouble(None, at, &t);
                }
            }
        };
        self.each(services, |s| s.endpoint, told).await;
    }

    pub async fn tcp(&self, endpoint: Endpoint) -> Result<Wire, Trouble> {
        let permit = self.session.slots.clone().acquire_owned().await;
        let permit = permit.map_err(|e| Trouble::Ours(std::io::Error::other(e)))?;
        self.dial(endpoint, Some(permit)).await
    }

    /// A connection that is held open on purpose, and takes no place among those in flight.
    pub async fn hold(&self, endpoint: Endpoint) -> Result<Wire, Trouble> {
        self.dial(endpoint, None).await
    }

    /// Whether this run sent anything.
    pub fn has_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Said by a run that sends something by other ways than this door.
    pub fn asks(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    /// Lets this run send something there.
    pub fn admit(&self, endpoint: Endpoint) -> Result<Admitted, Refused> {
        self.asks();
        self.session.scope.admit(endpoint, self.probe.touch)
    }

    async fn dial(&self, endpoint: Endpoint, permit: Option<OwnedSemaphorePermit>) -> Result<Wire, Trouble> {
        let admitted = self.admit(endpoint).map_err(Trouble::NotAdmitted)?;
        let stream = wire::dial(admitted, CONNECT).await?;
        let local = stream.local_addr().map(|a| a.to_string()).unwrap_or_default();
        let tape = Tape::new(self.session.journal.clone(), endpoint, local);
        Ok(Wire::of(stream, tape, permit))
    }

    /// A connection, inside TLS when `tls` says that the endpoint wants it.
    pub async fn connect(&self, endpoint: Endpoint, tls: bool) -> Result<Wire, Trouble> {
        let wire = self.tcp(endpoint).await?;
        if tls { Ok(tls::inside(wire, FIRST_BYTE).await?.0) } else { Ok(wire) }
    }

    pub async fn udp(&self, endpoint: Endpoint, replies: wire::Replies) -> Result<Datagrams, Trouble> {
        let admitted = self.admit(endpoint).map_err(Trouble::NotAdmitted)?;
        Datagrams::open(admitted, replies, self.session.journal.clone()).await
    }

    /// Small devices take a few connections at a time and hang up on the next one; those that we have just closed still
    /// count for a moment. So a hang-up is believed the fourth time, and from then on at once
    /// where the same is asked.
    pub async fn patient<T, R>(
        &self,
        endpoint: Endpoint,
        asked: &'static str,
        look: impl Fn() -> R,
    ) -> Result<T, Trouble>
    where
        R: Future<Output = Result<T, Trouble>>,
    {
        for pause in [1, 3, 8] {
            match look().await {
                Err(Trouble::Closed) if !self.session.hang_up.lock().await.contains(&(endpoint, asked)) => {
                    tokio::time::sleep(Duration::from_secs(pause)).await;
                }
                other => return other,
            }
        }
        let last = look().await;
        if matches!(last, Err(Trouble::Closed)) {
            self.session.hang_up.lock().await.insert((endpoint, asked));
        }
        last
    }

    /// One HTTP request on a connection of its own. `secrets` never reach the transcript.
    pub async fn http(
        &self,
        at: &Identified,
        request: http::Request<'_>,
        secrets: &[Vec<u8>],
    ) -> Result<http::Reply, Trouble> {
        let once = || async {
            let mut wire = self.connect(at.endpoint, at.tls).await?;
            for s in secrets {
                wire.tape.hide(s);
            }
            if request.keep == http::Keep::Heads {
                wire.tape.heads_only();
            }
            http::exchange(wire, request.clone(), Duration::from_secs(10)).await
        };
        // What alters something is sent once.
        let safe = request.method.is_safe();
        let reply = if safe { self.patient(at.endpoint, "http", once).await } else { once().await };
        reply.map_err(|t| match t {
            Trouble::Closed => Trouble::NotUnderstood("it hung up before it answered in HTTP".to_owned()),
            other => other,
        })
    }

    /// By what the ledger knows this device again: all that was seen of it so far.
    fn traits(&self) -> Traits {
        let mut all: Traits = self.session.hosts.iter().map(|h| format!("address:{h}")).collect();
        for probe in ["device-binding", "tls-certificate", "ssh-host-key"] {
            all.extend(self.seen(probe).into_iter().filter_map(|r| match r.observation {
                Observation::Trait { name, value } if name == "mac" => Some(format!("mac:{value}")),
                Observation::Trait { name, value } if name == "ssh-host-key" => Some(format!("ssh:{value}")),
                Observation::Certificate { certificate } => Some(format!("tls:{}", certificate.spki_sha256.hex())),
                _ => None,
            }));
        }
        all
    }

    /// Charges one more failed log-in to this account before it is tried, or says why it must not be tried.
    pub fn charge(&self, account: &str) -> Result<Ticket, Withheld> {
        let none = || Withheld::NoLedger("this scan keeps no ledger of attempts".to_owned());
        let ledger = self.session.ledger.as_ref().ok_or_else(none)?;
        let budget = self.session.scope.credentials;
        let allowed = Allowance { per_account: budget.per_account, window_minutes: budget.window_minutes };
        ledger.charge(&self.traits(), account, allowed)
    }

    /// Charges a log-in with a pair that was accepted before, and so is expected to be given back: one more than the budget.
    pub fn charge_known(&self, account: &str) -> Result<Ticket, Withheld> {
        let none = || Withheld::NoLedger("this scan keeps no ledger of attempts".to_owned());
        let ledger = self.session.ledger.as_ref().ok_or_else(none)?;
        let budget = self.session.scope.credentials;
        let per_account = budget.per_account.saturating_add(1);
        ledger.charge(&self.traits(), account, Allowance { per_account, window_minutes: budget.window_minutes })
    }

    /// Charges a guess, which the scope file granted: no budget withholds it, but later scans must know of it.
    pub fn charge_guess(&self, account: &str) -> Result<(), String> {
        let Some(ledger) = &self.session.ledger else { return Err("this scan keeps no ledger of attempts".to_owned()) };
        let window_minutes = self.session.scope.credentials.window_minutes;
        match ledger.charge(&self.traits(), account, Allowance { per_account: u8::MAX, window_minutes }) {
            Ok(_) => Ok(()),
            Err(Withheld::LockedEarlier) => Err("the ledger says that an earlier scan saw signs of a lock".to_owned()),
            Err(Withheld::Spent | Withheld::SpentEarlier) => {
                Err("the ledger counts too many guesses already".to_owned())
            }
            Err(Withheld::NoLedger(why)) => Err(why),
        }
    }

    /// Gives a charge back: the attempt succeeded, so that no failure was counted.
    pub fn accepted(&self, ticket: Ticket, credential: Option<String>) {
        if let Some(ledger) = &self.session.ledger {
            ledger.accepted(&self.traits(), ticket, credential);
        }
    }

    /// What this device accepted in earlier scans, by the ids in the list.
    pub fn accepted_before(&self) -> BTreeSet<String> {
        self.session.ledger.as_ref().map(|l| l.accepted_before(&self.traits())).unwrap_or_default()
    }

    pub fn lock_sign(&self) {
        self.session.locking.send_replace(true);
        if let Some(ledger) = &self.session.ledger {
            ledger.lock_sign(&self.traits());
        }
    }

    pub fn lock_signs(&self) -> bool {
        *self.session.locking.borrow()
    }
}

/// Drives all futures on this task.
async fn join_all<F: Future<Output = ()>>(tasks: impl Iterator<Item = F>) {
    let mut tasks: Vec<_> = tasks.map(Box::pin).collect();
    std::future::poll_fn(|cx| {
        tasks.retain_mut(|t| t.as_mut().poll(cx).is_pending());
        if tasks.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}
