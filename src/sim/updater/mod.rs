//! Simulated update clients: devices that look for updates, and do it well or badly.
//!
//! A client is a TOML file in `fixtures/updaters`. It asks the laboratory's name server, fetches metadata and image, and
//! installs what it believes in. Its own page at `/version` says what it runs; POST `/check` makes it look at once, and POST
//! `/recover` is its recovery path. POST `/isolate` and `/rejoin` stand for pulling its plug and putting it back.
mod fetch;
mod package;
mod resilience;

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
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinSet,
    time::Instant,
};

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
    /// Check id to the verdict that it ought to earn, where that is not PASS. The simulation does not interpret it.
    #[serde(default)]
    pub expect: BTreeMap<String, String>,
}

/// Which servers it believes in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    #[default]
    Full,
    /// It checks the chain, and not for which name it is.
    ChainOnly,
    Anything,
}

/// What it does when HTTPS fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fallback {
    #[default]
    None,
    Http,
    /// It never asks over HTTPS at all.
    OnlyHttp,
}

/// When it believes an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    #[default]
    Verified,
    /// An image without a signature is installed.
    Optional,
    /// It is installed and runs, and is taken back when the signature turns out to be wrong.
    AfterInstall,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rollback {
    #[default]
    Refused,
    Allowed,
}

/// What half an image does to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Incomplete {
    #[default]
    Discarded,
    /// It was written over the running software on its way in.
    Fatal,
}

/// What it does with the signature of metadata.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signed {
    #[default]
    Verified,
    Ignored,
}

/// What it does with the time until which metadata hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expiry {
    #[default]
    Checked,
    Ignored,
}

/// What it does after software that does not start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailedStart {
    #[default]
    GoesBack,
    StaysSo,
}

/// What it does when it is taken off the network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolated {
    /// It is silent, goes on with what needs no network, and comes back.
    #[default]
    WorksAlone,
    /// It goes on talking.
    Talks,
    /// It does nothing at all.
    Stops,
    /// It stays away when it is brought back.
    StaysAway,
}

/// Where the client finds its servers, and what its maker put into it.
#[derive(Clone)]
pub struct Home {
    /// Its own page.
    pub page: SocketAddr,
    pub dns: SocketAddr,
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
            button: Notify::new(),
            off: AtomicBool::new(false),
            away: AtomicBool::new(false),
            isolated: self.isolated,
            local: self.resilience.local,
        });
        tasks.spawn(page(listener, state.clone(), self.version.clone()));
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
        let text = fetch::get(home, self.trust, self.fallback, &home.metadata).await;
        state.away.store(text.is_none(), Ordering::Relaxed);
        let text = text?;
        if let (Some(path), Signed::Verified) = (&home.signature, self.metadata) {
            let signature = fetch::get(home, self.trust, self.fallback, path).await?;
            if !package::verify(&home.key, &text.bytes, &signature.bytes) {
                return None;
            }
        }
        let metadata: Metadata = serde_json::from_slice(&text.bytes).ok()?;
        let holds = |until: &String| until.parse::<jiff::Timestamp>().is_ok_and(|u| u >= super::clock::now());
        let over = !metadata.expires.as_ref().is_none_or(holds);
        if over && self.expiry == Expiry::Checked {
            return None;
        }
        let newer = package::number(&metadata.version) > package::number(&running);
        if metadata.version == running || metadata.path.is_empty() || !(newer || self.rollback == Rollback::Allowed) {
            return None;
        }
        let image = fetch::get(home, self.trust, self.fallback, &metadata.path).await?;
        let found = Some(image).filter(|i| i.whole).and_then(|i| package::read(&i.bytes));
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
            (Some(s), _) => package::verify(&home.key, &found.description, s),
        };
        let (believed, nothing) = (signed && found.intact, String::new());
        if !believed && self.signature != Signature::AfterInstall {
            return Some(());
        }
        lock(runs).clone_from(if found.starts { &found.version } else { &nothing });
        // It starts, and then looks at what it runs.
        tokio::time::sleep(Duration::from_millis(500)).await;
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
    /// Makes it look at once, as a button in an app does.
    button: Notify,
    /// Taken off the network.
    off: AtomicBool,
    /// It did not reach its servers the last time.
    away: AtomicBool,
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

fn lock(runs: &Mutex<String>) -> std::sync::MutexGuard<'_, String> {
    runs.lock().unwrap_or_else(PoisonError::into_inner)
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

/// The device's own page.
async fn page(listener: TcpListener, state: Arc<State>, factory: String) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        // A visitor who leaves or lies is normal for a device: nothing to report.
        let _ = tokio::time::timeout(Duration::from_secs(2), visit(stream, &state, &factory)).await;
    }
}

async fn visit(mut stream: TcpStream, state: &State, factory: &str) -> std::io::Result<()> {
    let mut request = [0u8; 1024];
    let n = stream.read(&mut request).await?;
    match request.get(..n).unwrap_or_default() {
        r if r.starts_with(b"POST /recover ") => factory.clone_into(&mut lock(&state.runs)),
        r if r.starts_with(b"POST /check ") => state.button.notify_one(),
        r if r.starts_with(b"POST /isolate ") => state.off.store(true, Ordering::Relaxed),
        r if r.starts_with(b"POST /rejoin ") => {
            state.off.store(state.isolated == Isolated::StaysAway, Ordering::Relaxed);
        }
        _ => {}
    }
    let runs = current(&state.runs);
    let stopped = state.isolated == Isolated::Stops && state.off.load(Ordering::Relaxed);
    let works = request.get(..n).is_some_and(|r| r.starts_with(b"GET /works "));
    let lost = works && state.local == Local::NeedsServers && state.away.load(Ordering::Relaxed);
    let status = if runs.is_empty() || stopped || lost { "500 No Software" } else { "200 OK" };
    let body = format!("{{\"version\":\"{runs}\"}}\n");
    let head = format!("HTTP/1.0 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await?;
    stream.shutdown().await
}
