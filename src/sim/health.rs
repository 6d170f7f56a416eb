//! Input that a service does not survive: what brings it down, how it looks while it is down, and when it is back.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::stage::Stage;

/// How long the first bytes of a visit are awaited, and how long they may pause.
const FIRST: Duration = Duration::from_millis(300);
const PAUSE: Duration = Duration::from_millis(20);
const PAUSES: u32 = 3;
const MOST: usize = 128 * 1024;

/// A weakness of the service on one port.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Death {
    pub port: u16,
    /// Bytes in hexadecimal that a visit's first flight, or a datagram, must hold.
    #[serde(default)]
    pub on: String,
    /// How long the first flight, or the datagram, must be at least.
    #[serde(default)]
    pub longer: usize,
    /// It takes effect so much later.
    #[serde(default)]
    pub after_ms: u64,
    pub how: How,
    /// Until it is back; a reboot takes three seconds whatever is said here.
    pub seconds: u64,
    /// Only the first so many times.
    pub times: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// Its port is closed.
    Closes,
    /// It takes connections and says nothing.
    Hangs,
    /// It takes connections and closes them at once.
    ShutsOut,
    /// All of the device is away.
    Reboots,
}

/// How one service does.
pub(super) struct Health {
    stage: Arc<Stage>,
    deaths: Vec<(Death, Vec<u8>)>,
    died: Mutex<Vec<u32>>,
    /// How it is down, if it is.
    down: watch::Sender<Option<How>>,
}

impl Health {
    pub fn of(stage: &Arc<Stage>, nominal: u16) -> Arc<Self> {
        let deaths: Vec<_> = stage.deaths().filter(|d| d.port == nominal).map(|d| (d.clone(), unhex(&d.on))).collect();
        let died = Mutex::new(vec![0; deaths.len()]);
        Arc::new(Self { stage: Arc::clone(stage), deaths, died, down: watch::Sender::new(None) })
    }

    pub fn down(&self) -> Option<How> {
        *self.down.borrow()
    }

    /// Returns when the service is as `wanted`.
    pub async fn wait(&self, wanted: impl Fn(Option<How>) -> bool) {
        drop(self.down.subscribe().wait_for(|down| wanted(*down)).await);
    }

    /// Looks at the first flight of a visit without taking it; the service goes on to read it.
    pub async fn look(self: &Arc<Self>, stream: &TcpStream) {
        if self.deaths.is_empty() {
            return;
        }
        let (mut buffer, mut seen, mut pauses) = (vec![0; MOST], 0, 0);
        while pauses < PAUSES {
            let Ok(Ok(length)) = tokio::time::timeout(FIRST, stream.peek(&mut buffer)).await else { return };
            if length == 0 || self.weigh(buffer.get(..length).unwrap_or_default()) {
                return;
            }
            pauses = if length == seen { pauses + 1 } else { 0 };
            seen = length;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Whether these bytes bring the service down; if so, it is done.
    pub fn weigh(self: &Arc<Self>, bytes: &[u8]) -> bool {
        let deadly = |(_, (death, on)): &(usize, &(Death, Vec<u8>))| {
            bytes.len() >= death.longer && (on.is_empty() || bytes.windows(on.len()).any(|w| w == on))
        };
        let Some((n, (death, _))) = self.deaths.iter().enumerate().find(deadly) else { return false };
        let mut died = self.died.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(count) = died.get_mut(n) else { return false };
        if death.times.is_some_and(|times| *count >= times) {
            return false;
        }
        *count += 1;
        drop(died);
        // What is asked right after must find it down already.
        if death.after_ms == 0 && death.how != How::Reboots {
            self.down.send_replace(Some(death.how));
        }
        tokio::spawn(die(Arc::clone(self), death.clone()));
        true
    }
}

async fn die(health: Arc<Health>, death: Death) {
    tokio::time::sleep(Duration::from_millis(death.after_ms)).await;
    if death.how == How::Reboots {
        return health.stage.reboot();
    }
    health.down.send_replace(Some(death.how));
    tokio::time::sleep(Duration::from_secs(death.seconds)).await;
    health.down.send_replace(None);
}

pub(super) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).filter_map(|d| u8::try_from(d).ok()).collect();
    digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |n, d| n << 4 | d)).collect()
}
