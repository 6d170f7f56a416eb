//! What all servers of the laboratory share: how they present themselves just now, and whom they tell what came.
use super::{
    certs::{Ca, RsaChain},
    dns::Others,
    plan::Rule,
};
use crate::model::{
    Sha256Digest,
    observation::lab::{ServerCase, Visit},
};
use regex::Regex;
use rustls::ServerConfig;
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::mpsc, time::Instant};

/// What the plan fixes for the whole run.
pub struct Setup {
    pub device: Vec<IpAddr>,
    pub names: Vec<String>,
    /// Names that lead here, too, and are no update servers'.
    pub ntp_names: Vec<String>,
    /// Where the names lead.
    pub address: Option<IpAddr>,
    /// The same in text, as a request may name it.
    pub own: String,
    pub others: Others,
    pub resources: Vec<Rule>,
    pub signer: Option<Signer>,
    /// When metadata end that are over, and those that hold.
    pub validity: (String, String),
    pub https_port: u16,
    pub http_port: u16,
    pub answer: Duration,
    /// How the device's requests tell its version.
    pub says: Option<Regex>,
}

/// An image on offer, and what the metadata say of it.
pub struct Offer {
    pub version: String,
    pub sha256: Sha256Digest,
    pub bytes: Vec<u8>,
    pub flaw: Flaw,
}

/// What is wrong beside the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    None,
    /// Each download ends in its middle.
    Cut,
    /// The metadata were signed for this version, and then changed.
    Changed {
        signed_for: String,
    },
    /// The metadata's validity is over.
    Expired,
}

/// Signs metadata as the maker does.
pub type Signer = Arc<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;

impl Offer {
    /// Nothing new.
    pub fn none(version: &str) -> Self {
        Self { version: version.to_owned(), sha256: Sha256Digest::of(&[]), bytes: Vec::new(), flaw: Flaw::None }
    }
}

/// How the servers present themselves just now.
#[derive(Clone)]
pub struct Now {
    /// Grows with every change, so that a visit tells to which presentation it came.
    pub serial: u64,
    pub case: ServerCase,
    pub offer: Arc<Offer>,
}

pub enum Event {
    Visit {
        from: IpAddr,
        serial: u64,
        visit: Visit,
        transcript: Sha256Digest,
    },
    Name {
        from: IpAddr,
        name: String,
        record: String,
        answered: bool,
    },
    /// The device asked for an address.
    Lease {
        from: IpAddr,
        answer: String,
        name: String,
        class: String,
        wants_time: bool,
    },
    /// A question for the time.
    Time {
        from: IpAddr,
        off_s: i64,
    },
    /// Somebody else than the device.
    Stranger(IpAddr),
}

pub struct Stage {
    pub setup: Setup,
    now: Mutex<Now>,
    events: mpsc::Sender<Event>,
    /// How many seconds the time that is told is off.
    off_s: AtomicI64,
    /// Events that nobody had time for.
    lost: AtomicU64,
    /// What a TLS connection was shown last: what then comes over plain HTTP is the answer to it.
    shown: Mutex<Option<Now>>,
    /// The version that the device told last in a request, and when.
    said: Mutex<Option<(String, Instant)>>,
    configs: BTreeMap<ServerCase, Arc<ServerConfig>>,
    /// For the flights by hand: a good key and a short one.
    pub good_rsa: Option<RsaChain>,
    pub short_rsa: Option<RsaChain>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stage {
    pub fn new(setup: Setup, ca: &Ca, cases: &[ServerCase], events: mpsc::Sender<Event>) -> Result<Self, rcgen::Error> {
        let mut configs = BTreeMap::new();
        for case in cases.iter().copied().chain([ServerCase::Genuine]) {
            configs.insert(case, ca.config(case, &setup.names)?);
        }
        let old = ServerCase::OLD_VERSIONS.iter().any(|c| cases.contains(c));
        let good_rsa = old.then(|| ca.rsa(2048, &setup.names)).transpose()?;
        let short_rsa = cases.contains(&ServerCase::WeakKey).then(|| ca.rsa(1024, &setup.names)).transpose()?;
        let now = Now { serial: 0, case: ServerCase::Genuine, offer: Arc::new(Offer::none("0")) };
        let (now, shown, said) = (Mutex::new(now), Mutex::new(None), Mutex::new(None));
        let (off_s, lost) = (AtomicI64::new(0), AtomicU64::new(0));
        Ok(Self { setup, now, events, off_s, lost, shown, said, configs, good_rsa, short_rsa })
    }

    pub fn is_device(&self, address: IpAddr) -> bool {
        self.setup.device.contains(&address.to_canonical())
    }

    pub fn now(&self) -> Now {
        locked(&self.now).clone()
    }

    /// For a TLS connection: as it is now, from its hello on.
    pub fn show(&self) -> Now {
        let now = self.now();
        *locked(&self.shown) = Some(now.clone());
        now
    }

    /// For a plain connection.
    pub fn shown(&self) -> Now {
        locked(&self.shown).clone().unwrap_or_else(|| self.now())
    }

    /// Presents something else from the next connection on; gives the serial of it.
    pub fn present(&self, case: ServerCase, offer: Arc<Offer>) -> u64 {
        let mut now = locked(&self.now);
        *now = Now { serial: now.serial + 1, case, offer };
        now.serial
    }

    pub fn config(&self, case: ServerCase) -> Option<Arc<ServerConfig>> {
        self.configs.get(&case).cloned()
    }

    /// Tells the time so many seconds off, from now on.
    pub fn set_off(&self, seconds: i64) {
        self.off_s.store(seconds, Ordering::Relaxed);
    }

    pub fn off_s(&self) -> i64 {
        self.off_s.load(Ordering::Relaxed)
    }

    pub fn tell(&self, event: Event) {
        if self.events.try_send(event).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub fn lost(&self) -> u64 {
        self.lost.swap(0, Ordering::Relaxed)
    }

    /// The head of a request: does the device say its version there?
    pub fn heard(&self, head: &str) {
        let Some(says) = &self.setup.says else { return };
        if let Some(version) = super::version::found(says, head) {
            *locked(&self.said) = Some((version, Instant::now()));
        }
    }

    pub fn said_since(&self, since: Instant) -> Option<String> {
        locked(&self.said).as_ref().filter(|(_, at)| *at >= since).map(|(v, _)| v.clone())
    }
}
