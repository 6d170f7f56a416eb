//! What all services of one running device share: its address, its identity, its counters and its weaknesses.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::device::{Faults, Identity};
use super::health::Death;
use super::{Counters, PortShift, SimError};

/// How long a device is away after a flood.
const REBOOT: Duration = Duration::from_secs(3);
const SECOND: Duration = Duration::from_secs(1);
/// Connections of a device without such a fault; more would only fill this machine.
const MOST_SOCKETS: u32 = 1024;
/// Account names counted apart; a guesser with more of them shares one entry.
const MOST_NAMES: usize = 1024;

pub(super) struct Stage {
    pub host: IpAddr,
    pub identity: Identity,
    shift: PortShift,
    faults: Faults,
    tally: Mutex<Tally>,
    power: watch::Sender<Power>,
}

/// Whether the device runs or is away rebooting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Power {
    On,
    Off,
}

#[derive(Default)]
struct Tally {
    connections: u64,
    reset: u64,
    live: u32,
    most_live: u32,
    second: Option<Instant>,
    in_second: u32,
    logins: BTreeMap<(String, String), u64>,
    failures: u64,
    locked: BTreeSet<(String, String)>,
}

/// A place among the connections that the device can hold; dropping it frees the place.
pub(super) struct Seat {
    stage: Arc<Stage>,
}

impl Stage {
    pub fn new(host: IpAddr, shift: PortShift, identity: Identity, faults: Faults) -> Self {
        Self { host, identity, shift, faults, tally: Mutex::default(), power: watch::Sender::new(Power::On) }
    }

    /// The port that a port of the device file has on this host.
    pub fn port(&self, nominal: u16) -> Result<u16, SimError> {
        match self.shift {
            PortShift::By(by) if nominal < 1024 => {
                nominal.checked_add(by).ok_or(SimError::PortOutOfRange { port: nominal, by })
            }
            PortShift::By(_) | PortShift::None => Ok(nominal),
        }
    }

    /// Host and port as a URL has them; `ordinary` is the port that its scheme implies.
    pub fn authority(&self, nominal: u16, ordinary: u16) -> Result<String, SimError> {
        let port = self.port(nominal)?;
        let host = match self.host {
            IpAddr::V4(host) => host.to_string(),
            IpAddr::V6(host) => format!("[{host}]"),
        };
        Ok(if port == ordinary { host } else { format!("{host}:{port}") })
    }

    pub fn power(&self) -> watch::Receiver<Power> {
        self.power.subscribe()
    }

    pub fn deaths(&self) -> impl Iterator<Item = &Death> {
        self.faults.dies.iter()
    }

    /// Whether the connection that was just let in is one of those that get no answer.
    pub fn is_deaf(&self) -> bool {
        self.faults.deaf_every.is_some_and(|every| every > 0 && self.tally().connections.is_multiple_of(every))
    }

    /// Takes the whole device away for as long as a reboot takes.
    pub fn reboot(&self) {
        self.power.send_if_modified(|power| std::mem::replace(power, Power::Off) == Power::On);
    }

    /// Lets a new TCP connection in, or not, as the faults of the device have it.
    pub fn admit(self: &Arc<Self>) -> Option<Seat> {
        let mut tally = self.tally();
        tally.connections += 1;
        let in_second = tally.tick();
        if self.faults.flood_reboot.is_some_and(|most| in_second > most) {
            tally.reset += 1;
            drop(tally);
            self.reboot();
            return None;
        }
        let full = tally.live >= self.faults.sockets.unwrap_or(MOST_SOCKETS);
        let fast = self.faults.rate.is_some_and(|most| in_second > most);
        if full || fast {
            tally.reset += 1;
            return None;
        }
        tally.live += 1;
        tally.most_live = tally.most_live.max(tally.live);
        drop(tally);
        Some(Seat { stage: Arc::clone(self) })
    }

    pub fn count_login(&self, service: &str, user: &str) {
        let mut tally = self.tally();
        let name: String = user.chars().take(64).collect();
        let mut key = (service.to_owned(), name);
        if tally.logins.len() >= MOST_NAMES && !tally.logins.contains_key(&key) {
            key.1 = String::from("(others)");
        }
        *tally.logins.entry(key).or_default() += 1;
    }

    pub fn count_failure(&self) {
        self.tally().failures += 1;
    }

    pub fn count_lock(&self, service: &str, user: &str) {
        self.tally().locked.insert((service.to_owned(), user.to_owned()));
    }

    pub fn counters(&self) -> Counters {
        let tally = self.tally();
        Counters {
            connections: tally.connections,
            reset: tally.reset,
            open: tally.live,
            most_open: tally.most_live,
            logins: tally.logins.clone(),
            failed_logins: tally.failures,
            locked: tally.locked.clone(),
            alive: *self.power.borrow() == Power::On,
        }
    }

    /// Brings the device back after each flood; runs as long as the device does.
    pub async fn reboot_when_flooded(self: Arc<Self>) {
        let mut power = self.power();
        while power.wait_for(|power| *power == Power::Off).await.is_ok() {
            tokio::time::sleep(REBOOT).await;
            self.power.send_replace(Power::On);
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    /// Counts a connection and tells how many there were in this second.
    fn tick(&mut self) -> u32 {
        let now = Instant::now();
        if self.second.is_none_or(|start| now.duration_since(start) >= SECOND) {
            self.second = Some(now);
            self.in_second = 0;
        }
        self.in_second = self.in_second.saturating_add(1);
        self.in_second
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut tally = self.stage.tally();
        tally.live = tally.live.saturating_sub(1);
    }
}
