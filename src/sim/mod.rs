//! Simulated devices: real sockets that behave like good, bad and treacherous IoT products.
//!
//! A device is a TOML file. [`list`] gives the built-in ones, [`Device::parse`] reads any other, and [`start`] brings one
//! up on an address of this machine. Nothing here knows how a device is tested or judged.

mod account;
mod builtin;
mod clock;
mod device;
mod error;
mod fill;
mod health;
mod listen;
mod service;
mod stage;
mod text;
mod updater;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::task::JoinSet;

pub use account::{Accept, LockAnswer, Lockout, User};
pub use builtin::{Builtin, find, list};
pub use device::{Device, Faults, Identity, Supplied, Twin};
pub use error::SimError;
pub use service::Service;
pub use updater::{Delivery, Home, RunningUpdater, UPDATERS, Updater};

use listen::Raising;
use stage::Stage;

/// Brings up every service of `device` on `host`.
///
/// # Errors
/// Any port that cannot be had, each reason being its own [`SimError`]; what was already up goes down again.
pub async fn start(device: &Device, host: IpAddr, shift: PortShift) -> Result<Running, SimError> {
    let stage = Arc::new(Stage::new(host, shift, device.identity.clone(), device.faults.clone()));
    let mut raising = Raising { stage: Arc::clone(&stage), tasks: JoinSet::new(), endpoints: Vec::new() };
    raising.tasks.spawn(Arc::clone(&stage).reboot_when_flooded());
    for service in &device.services {
        service.raise(&mut raising).await?;
    }
    let Raising { tasks, mut endpoints, .. } = raising;
    endpoints.sort_unstable();
    Ok(Running { stage, tasks, endpoints })
}

/// What to add to the ports of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortShift {
    /// Nothing: port 80 is port 80, which needs privilege on most systems.
    None,
    /// This number, to ports below 1024 only.
    By(u16),
}

/// The transport of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    Tcp,
    Udp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

/// A device that is up. Dropping it takes it down.
pub struct Running {
    stage: Arc<Stage>,
    tasks: JoinSet<()>,
    endpoints: Vec<(Transport, u16)>,
}

impl Running {
    /// The address that the device has.
    pub fn host(&self) -> IpAddr {
        self.stage.host
    }

    /// What is bound, in order.
    pub fn endpoints(&self) -> &[(Transport, u16)] {
        &self.endpoints
    }

    /// What the device went through so far.
    pub fn counters(&self) -> Counters {
        self.stage.counters()
    }

    /// Takes the device down; when this returns its ports are free.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

/// What a running device went through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counters {
    /// TCP connections that arrived, those it threw out included.
    pub connections: u64,
    /// TCP connections that it threw out because of a fault.
    pub reset: u64,
    /// TCP connections open now.
    pub open: u32,
    /// The most TCP connections that were ever open at a time.
    pub most_open: u32,
    /// Login attempts by service (such as `telnet:2323`, with the port of the device file) and user.
    pub logins: BTreeMap<(String, String), u64>,
    /// Login attempts that were refused.
    pub failed_logins: u64,
    /// Accounts that were locked at any time, by service and user.
    pub locked: BTreeSet<(String, String)>,
    /// Whether the device is there, not away after a flood.
    pub alive: bool,
}

#[cfg(test)]
mod tests;
