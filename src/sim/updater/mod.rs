//! Simulated update clients: devices that look for updates, and do it well or badly.
//!
//! A client is a TOML file in `fixtures/updaters`. It asks the laboratory's name server, fetches metadata and image, and
//! installs what it believes in. Its own page at `/version` says what it runs; POST `/check` makes it look at once, and POST
//! `/recover` is its recovery path; where it is one that takes uploads, POST `/upload`. POST `/isolate` and `/rejoin` stand for pulling its plug and putting it back.
mod fetch;
mod habits;
mod package;
mod page;
mod resilience;

pub use habits::{
    Answers, Clock, Delivery, Expiry, FailedStart, Fallback, Incomplete, Isolated, Rollback, Signature, Signed, Trust,
};

use super::SimError;
pub use resilience::Resilience;
use resilience::{AfterPower, Local};
use rsa::RsaPublicKey;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, sync::Notify, task::JoinSet, time::Instant};

/// A simulated update client, as a person writes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Updater {
    pub name: String,
    pub title: String,
    pub model: String,
    pub version: String,
    /// How often it looks for updates, in milliseconds; never without it.
    pub poll_ms: Option<u64>,
    #[serde(default)]
    pub trust: Trust,
    #[serde(default)]
    pub fallback: Fallback,
    #[serde(default)]
    pub signature: Signature,
    #[serde(default)]
    pub rollback: Rollback,
    #[serde(default)]
    pub incomplete: Incomplete,
    #[serde(default)]
    pub metadata: Signed,
    #[serde(default)]
    pub expiry: Expiry,
    #[serde(default)]
    pub failed_start: FailedStart,
    #[serde(default)]
    pub isolated: Isolated,
    #[serde(default)]
    pub resilience: Resilience,
    /// Whether it starts after its power was cut.
    #[serde(skip)]
    restarted: bool,
    #[serde(default)]
    pub clock: Clock,
    #[serde(default)]
    pub delivery: Delivery,
    #[serde(default)]
    pub answers: Answers,
    /// Check id to the verdict that it ought to earn, where that is not PASS. The simulation does not interpret it.
    #[serde(default)]
    pub expect: BTreeMap<String, String>,
}

/// Where the client finds its servers, and what its maker put into it.
#[derive(Clone)]
pub struct Home {
    /// Its own page.
    pub page: SocketAddr,
    pub dns: SocketAddr,
    /// Where it asks for the time.
    pub ntp: Option<SocketAddr>,
    pub name: String,
    pub https_port: u16,
    pub http_port: u16,
    pub metadata: String,
    /// Where the signature of the metadata is, if they are signed.
    pub signature: Option<String>,
    /// DER of the CA that it trusts.
    pub ca: Vec<u8>,
    pub key: RsaPublicKey,
}

/// The built-in update clients.
pub const UPDATERS: &[(&str, &str)] = &[
    ("good", include_str!("../../../fixtures/updaters/good.toml")),
    ("any-certificate", include_str!("../../../fixtures/updaters/any-certificate.toml")),
    ("any-name", include_str!("../../../fixtures/updaters/any-name.toml")),
    ("http-fallback", include_str!("../../../fixtures/updaters/http-fallback.toml")),
    ("rolls-back", include_str!("../../../fixtures/updaters/rolls-back.toml")),
    ("unsigned", include_str!("../../../fixtures/updaters/unsigned.toml")),
    ("late-check", include_str!("../../../fixtures/updaters/late-check.toml")),
    ("plain-http", include_str!("../../../fixtures/updaters/plain-http.toml")),
    ("one-slot", include_str!("../../../fixtures/updaters/one-slot.toml")),
    ("restless", include_str!("../../../fixtures/updaters/restless.toml")),
    ("unsigned-metadata", include_str!("../../../fixtures/updaters/unsigned-metadata.toml")),
    ("stale-metadata", include_str!("../../../fixtures/updaters/stale-metadata.toml")),
    ("stays-broken", include_str!("../../../fixtures/updaters/stays-broken.toml")),
    ("talks-on", include_str!("../../../fixtures/updaters/talks-on.toml")),
    ("needs-network", include_str!("../../../fixtures/updaters/needs-network.toml")),
    ("stays-away", include_str!("../../../fixtures/updaters/stays-away.toml")),
    ("backs-off", include_str!("../../../fixtures/updaters/backs-off.toml")),
    ("slow-start", include_str!("../../../fixtures/updaters/slow-start.toml")),
    ("storms", include_str!("../../../fixtures/updaters/storms.toml")),
    ("cloud-bound", include_str!("../../../fixtures/updaters/cloud-bound.toml")),
    ("gives-up", include_str!("../../../fixtures/updaters/gives-up.toml")),
    ("opens-after-power", include_str!("../../../fixtures/updaters/opens-after-power.toml")),
    ("silent", include_str!("../../../fixtures/updaters/silent.toml")),
    ("keeps-time", include_str!("../../../fixtures/updaters/keeps-time.toml")),
    ("trusts-time", include_str!("../../../fixtures/updaters/trusts-time.toml")),
    ("stays-ahead", include_str!("../../../fixtures/updaters/stays-ahead.toml")),
    ("upload-good", include_str!("../../../fixtures/updaters/upload-good.toml")),
    ("upload-late-check", include_str!("../../../fixtures/updaters/upload-late-check.toml")),
    ("upload-one-slot", include_str!("../../../fixtures/updaters/upload-one-slot.toml")),
    ("upload-rolls-back", include_str!("../../../fixtures/updaters/upload-rolls-back.toml")),
    ("upload-says-no", include_str!("../../../fixtures/updaters/upload-says-no.toml")),
    ("upload-says-yes", include_str!("../../../fixtures/updaters/upload-says-yes.toml")),
];

impl Updater {
    /// Reads a client's file. `origin` is the name to show in messages.
    ///
    /// # Errors
    /// [`SimError::File`] where the text is no update client.
    pub fn parse(text: &str, origin: &str) -> Result<Self, SimError> {
        toml::from_str(text).map_err(|e| super::device::file_error(text, origin, &e))
    }

    /// The client as it starts after its power was cut.
    pub fn restarted(self) -> Self {
        Self { restarted: true, ..self }
    }

    /// Brings the client up.
    ///
    /// # Errors
    /// [`SimError::Listen`] where its page cannot be served.
    pub async fn start(self, home: Home) -> Result<RunningUpdater, SimError> {
        let mut tasks = JoinSet::new();
        if self.restarted {
            tokio::time::sleep(Duration::from_millis(self.resilience.start_ms)).await;
        }
        if self.restarted && self.resilience.after_power == AfterPower::DebugPort {
            tasks.spawn(debug_port(listen((home.page.ip(), resilience::DEBUG_PORT).into()).await?));
        }
        let listener = listen(home.page).await?;
        let state = Arc::new(State {
            runs: Mutex::new(self.version.clone()),
            went_back: Mutex::default(),
            button: Notify::new(),
            off: AtomicBool::new(false),
            away: AtomicBool::new(false),
            off_s: AtomicI64::new(0),
            isolated: self.isolated,
            local: self.resilience.local,
        });
        tasks.spawn(page::serve(listener, state.clone(), self.clone(), home.key.clone()));
        if let Some(every) = self.poll_ms.map(Duration::from_millis) {
            tasks.spawn(async move {
                let (mut due, mut failures) = (Instant::now(), 0);
                loop {
                    tokio::select! {
                        () = tokio::time::sleep_until(due) => due = Instant::now() + every,
                        () = state.button.notified() => {}
                    }
                    // Whatever goes wrong, it looks again later: that is what it is judged by.
                    if !state.off.load(Ordering::Relaxed) || self.isolated == Isolated::Talks {
                        let _ = self.look(&home, &state).await;
                    }
                    failures = if state.away.load(Ordering::Relaxed) { failures + 1 } else { 0 };
                    if let Some(wait) = self.resilience.wait(failures) {
                        due = Instant::now() + wait;
                    }
                }
            });
        }
        Ok(RunningUpdater { tasks })
    }

    async fn look(&self, home: &Home, state: &State) -> Option<()> {
        let runs = &state.runs;
        let running = current(runs);
        if running.is_empty() {
            return None;
        }
        if let Some(ntp) = home.ntp.filter(|_| self.clock != Clock::Own) {
            // Who does not answer changes nothing.
            if let Some(told) = fetch::time(home, ntp).await {
                state.off_s.store(self.clock.set(state.off_s.load(Ordering::Relaxed), told), Ordering::Relaxed);
            }
        }
        let off_s = state.off_s.load(Ordering::Relaxed);
        let from = fetch::From { home, trust: self.trust, fallback: self.fallback, off_s };
        let text = from.get(&home.metadata).await;
        state.away.store(text.is_none(), Ordering::Relaxed);
        let text = text?;
        if let (Some(path), Signed::Verified) = (&home.signature, self.metadata) {
            let signature = from.get(path).await?;
            if !package::verify(&home.key, &text.bytes, &signature.bytes) {
                return None;
            }
        }
        let metadata: Metadata = serde_json::from_slice(&text.bytes).ok()?;
        let now = super::clock::now().as_second() + off_s;
        let holds = |until: &String| until.parse::<jiff::Timestamp>().is_ok_and(|u| u.as_second() >= now);
        let over = !metadata.expires.as_ref().is_none_or(holds);
        if over && self.expiry == Expiry::Checked {
            return None;
        }
        let newer = package::number(&metadata.version) > package::number(&running);
        if metadata.version == running || metadata.path.is_empty() || !(newer || self.rollback == Rollback::Allowed) {
            return None;
        }
        let image = from.get(&metadata.path).await?;
        if lock(&state.went_back).as_ref() == Some(&image.bytes) {
            return None;
        }
        self.install(&home.key, &image.bytes, image.whole, runs).await?;
        if current(runs) == running {
            *lock(&state.went_back) = Some(image.bytes);
        }
        Some(())
    }

    /// `None`: it was refused.
    async fn install(&self, key: &RsaPublicKey, image: &[u8], whole: bool, runs: &Mutex<String>) -> Option<()> {
        let running = current(runs);
        let found = Some(image).filter(|_| whole && !running.is_empty()).and_then(package::read);
        let Some(found) = found else {
            if self.incomplete == Incomplete::Fatal {
                lock(runs).clear();
            }
            return None;
        };
        let newer = package::number(&found.version) > package::number(&running);
        if found.model != self.model || !(newer || self.rollback == Rollback::Allowed) {
            return None;
        }
        let signed = match (&found.signature, self.signature) {
            (None, Signature::Optional) => true,
            (None, _) => false,
            (Some(s), _) => package::verify(key, &found.description, s),
        };
        let (believed, nothing) = (signed && found.intact, String::new());
        if !believed && self.signature != Signature::AfterInstall {
            return None;
        }
        lock(runs).clone_from(if found.starts { &found.version } else { &nothing });
        // It starts, and then looks at what it runs.
        tokio::time::sleep(Duration::from_millis(if found.starts { 500 } else { 1500 })).await;
        let goes_back = !found.starts && self.failed_start == FailedStart::GoesBack;
        if goes_back || !believed {
            *lock(runs) = running;
        }
        Some(())
    }
}

struct State {
    /// Empty: it has no software that starts.
    runs: Mutex<String>,
    /// The image from which it went back to what it ran before: it does not try that one again.
    went_back: Mutex<Option<Vec<u8>>>,
    /// Makes it look at once, as a button in an app does.
    button: Notify,
    /// Taken off the network.
    off: AtomicBool,
    /// It did not reach its servers the last time.
    away: AtomicBool,
    /// How many seconds its clock is off.
    off_s: AtomicI64,
    isolated: Isolated,
    local: Local,
}

/// What an update server says is new.
#[derive(Deserialize)]
struct Metadata {
    version: String,
    path: String,
    expires: Option<String>,
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn current(runs: &Mutex<String>) -> String {
    lock(runs).clone()
}

/// A client that is up. Dropping it takes it down.
pub struct RunningUpdater {
    tasks: JoinSet<()>,
}

impl RunningUpdater {
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

async fn listen(at: SocketAddr) -> Result<TcpListener, SimError> {
    TcpListener::bind(at).await.map_err(|e| SimError::listen(super::Transport::Tcp, at.ip(), at.port(), e))
}

/// Open, and nothing else.
async fn debug_port(listener: TcpListener) {
    loop {
        let _ = listener.accept().await;
    }
}
