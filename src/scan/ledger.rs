//! Failed log-ins per device and account, over all scans: so that scanning again never locks a device.
//!
//! One append-only file of JSON Lines, under a lock while it is read and written. An attempt is written before it is
//! sent, so that a kill at any moment charges too much and never too little.
use super::clock;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};
use thiserror::Error;

pub const FILE: &str = "attempts.jsonl";

#[derive(Debug, Error)]
pub enum LedgerError {
    #[error("`{file}`: {source}; the ledger of log-in attempts needs a writable directory: name one with --ledger DIR")]
    Io { file: String, source: io::Error },
    #[error("`{file}` line {line}: {message}; it must not be edited; move it away if no device was tried lately")]
    Line { file: String, line: usize, message: String },
}

/// By what a device is known: `mac:..`, `tls:..` and `ssh:..` (digests of its public keys), `address:..`.
pub type Traits = BTreeSet<String>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    /// RFC 3339, UTC.
    at: String,
    device: Traits,
    #[serde(flatten)]
    event: Event,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Event {
    /// About to be sent. `scan` tells whose it is.
    Attempt {
        id: String,
        scan: String,
        account: String,
    },
    /// The attempt was no failure: it gives the charge back. The credential by its id in the list, if it has one.
    Accepted {
        id: String,
        credential: Option<String>,
    },
    LockSign {
        scan: String,
    },
}

/// Why an attempt must not be made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Withheld {
    /// By this scan.
    Spent,
    /// By this and earlier scans.
    SpentEarlier,
    /// An earlier scan saw the device about to lock.
    LockedEarlier,
    /// What cannot be charged must not be tried.
    NoLedger(String),
}

/// One charged attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket(String);

/// What may be spent.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    pub per_account: u8,
    pub window_minutes: u32,
}

pub struct Ledger {
    path: PathBuf,
    scan: String,
}

impl Ledger {
    /// Opens the ledger of a directory, which is made if it is missing, and reads it once: a broken one must be known
    /// before a scan starts.
    pub fn open(dir: &Path) -> Result<Self, LedgerError> {
        use std::os::unix::fs::DirBuilderExt;
        let path = dir.join(FILE);
        let ledger = Self { path, scan: format!("{:016x}", rand::random::<u64>()) };
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.map_err(|e| ledger.io(e))?;
        let mut file = ledger.locked()?;
        ledger.read(&mut file)?;
        Ok(ledger)
    }

    fn io(&self, source: io::Error) -> LedgerError {
        LedgerError::Io { file: self.path.display().to_string(), source }
    }

    /// The file under its lock, which closing it gives up.
    fn locked(&self) -> Result<File, LedgerError> {
        use std::os::unix::fs::OpenOptionsExt;
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&self.path);
        let file = file.map_err(|e| self.io(e))?;
        file.lock().map_err(|e| self.io(e))?;
        Ok(file)
    }

    /// Every whole line. A line cut off by a kill was never acted on, and is taken away.
    fn read(&self, file: &mut File) -> Result<Vec<Entry>, LedgerError> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|e| self.io(e))?;
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
        if whole < bytes.len() {
            file.set_len(whole as u64).map_err(|e| self.io(e))?;
        }
        let line = |(n, text): (usize, &[u8])| {
            serde_json::from_slice(text).map_err(|e| LedgerError::Line {
                file: self.path.display().to_string(),
                line: n + 1,
                message: e.to_string(),
            })
        };
        let whole = bytes.get(..whole).unwrap_or_default();
        whole.split(|b| *b == b'\n').enumerate().filter(|(_, l)| !l.is_empty()).map(line).collect()
    }

    fn write(&self, file: &mut File, device: &Traits, event: Event) -> Result<(), LedgerError> {
        let entry = Entry { at: clock::now(), device: device.clone(), event };
        let text = serde_json::to_string(&entry).map_err(|e| self.io(io::Error::other(e)))?;
        file.write_all(format!("{text}\n").as_bytes()).and_then(|()| file.sync_data()).map_err(|e| self.io(e))
    }

    /// Charges one attempt, or says why it must not be made.
    pub fn charge(&self, device: &Traits, account: &str, allowed: Allowance) -> Result<Ticket, Withheld> {
        self.charged(device, account, allowed).unwrap_or_else(|e| Err(Withheld::NoLedger(e.to_string())))
    }

    fn charged(
        &self,
        device: &Traits,
        account: &str,
        allowed: Allowance,
    ) -> Result<Result<Ticket, Withheld>, LedgerError> {
        let mut file = self.locked()?;
        let lately = self.lately(&mut file, device, allowed.window_minutes)?;
        let spent = spent(&lately, account);
        let ours = spent.iter().filter(|scan| **scan == self.scan).count();
        let locked = |e: &Entry| matches!(&e.event, Event::LockSign { scan } if *scan != self.scan);
        if lately.iter().any(locked) {
            return Ok(Err(Withheld::LockedEarlier));
        }
        if spent.len() >= usize::from(allowed.per_account) {
            return Ok(Err(if ours == spent.len() { Withheld::Spent } else { Withheld::SpentEarlier }));
        }
        let id = format!("{:016x}", rand::random::<u64>());
        let (scan, account) = (self.scan.clone(), account.to_owned());
        self.write(&mut file, device, Event::Attempt { id: id.clone(), scan, account })?;
        Ok(Ok(Ticket(id)))
    }

    /// What is known of this device within the window.
    fn lately(&self, file: &mut File, device: &Traits, minutes: u32) -> Result<Vec<Entry>, LedgerError> {
        let window = jiff::SignedDuration::from_mins(i64::from(minutes));
        let since = now().and_then(|n| n.checked_sub(window).ok());
        let mut all = self.read(file)?;
        // What has no time that we can read counts, and so does the future: a clock was put back.
        let past = |e: &Entry| e.at.parse::<jiff::Timestamp>().ok().zip(since).is_some_and(|(at, since)| at < since);
        all.retain(|e| !past(e) && same(&e.device, device));
        Ok(all)
    }

    /// The attempt was accepted: no failure was counted. A ledger that cannot be written keeps the charge.
    pub fn accepted(&self, device: &Traits, ticket: Ticket, credential: Option<String>) {
        let written = self.locked();
        let _ = written.and_then(|mut f| self.write(&mut f, device, Event::Accepted { id: ticket.0, credential }));
    }

    /// The device seems about to lock: no scan within the window may try again.
    pub fn lock_sign(&self, device: &Traits) {
        let written = self.locked();
        let _ = written.and_then(|mut f| self.write(&mut f, device, Event::LockSign { scan: self.scan.clone() }));
    }

    /// The credentials that this device once accepted: to be tried before others, so that a finding shows again.
    pub fn accepted_before(&self, device: &Traits) -> BTreeSet<String> {
        let all = self.locked().and_then(|mut f| self.read(&mut f)).unwrap_or_default();
        let of = |e: Entry| match e.event {
            Event::Accepted { credential, .. } if same(&e.device, device) => credential,
            Event::Accepted { .. } | Event::Attempt { .. } | Event::LockSign { .. } => None,
        };
        all.into_iter().filter_map(of).collect()
    }
}

fn now() -> Option<jiff::Timestamp> {
    clock::now().parse().ok()
}

/// The scans that charged an account, once for each failure.
fn spent<'a>(entries: &'a [Entry], account: &str) -> Vec<&'a str> {
    let mut open = BTreeMap::new();
    for e in entries {
        match &e.event {
            Event::Attempt { id, scan, account: of } if of == account => drop(open.insert(id, scan.as_str())),
            Event::Accepted { id, .. } => drop(open.remove(id)),
            Event::Attempt { .. } | Event::LockSign { .. } => {}
        }
    }
    open.into_values().collect()
}

/// Where both know a MAC address it decides, since devices of one model may share keys. Else anything in common will do:
/// too many attempts withheld is a gap, too few is a locked device.
fn same(a: &Traits, b: &Traits) -> bool {
    let macs = |t: &Traits| t.iter().filter(|x| x.starts_with("mac:")).cloned().collect::<Traits>();
    let (ours, theirs) = (macs(a), macs(b));
    match ours.is_empty() || theirs.is_empty() {
        true => !a.is_disjoint(b),
        false => !ours.is_disjoint(&theirs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(traits: &[&str]) -> Traits {
        traits.iter().map(ToString::to_string).collect()
    }

    const TWO: Allowance = Allowance { per_account: 2, window_minutes: 60 };

    #[test]
    fn two_scans_together_never_spend_more_than_one_may() {
        let dir = tempfile::tempdir().unwrap();
        let cam = device(&["address:10.0.0.7", "tls:aa"]);
        let first = Ledger::open(dir.path()).unwrap();
        assert!(first.charge(&cam, "admin", TWO).is_ok());
        let second = Ledger::open(dir.path()).unwrap();
        assert!(second.charge(&cam, "admin", TWO).is_ok());
        assert_eq!(first.charge(&cam, "admin", TWO), Err(Withheld::SpentEarlier));
        assert!(first.charge(&cam, "root", TWO).is_ok() && first.charge(&cam, "root", TWO).is_ok());
        assert_eq!(first.charge(&cam, "root", TWO), Err(Withheld::Spent));
    }

    #[test]
    fn a_device_is_known_again_at_another_address_and_its_sibling_is_not_taken_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path()).unwrap();
        let one = Allowance { per_account: 1, ..TWO };
        assert!(ledger.charge(&device(&["mac:1", "tls:aa", "address:10.0.0.7"]), "admin", one).is_ok());
        assert!(ledger.charge(&device(&["mac:1", "address:10.0.0.8"]), "admin", one).is_err());
        assert!(ledger.charge(&device(&["tls:aa", "address:10.0.0.9"]), "admin", one).is_err());
        assert!(ledger.charge(&device(&["mac:2", "tls:aa", "address:10.0.0.7"]), "admin", one).is_ok());
    }

    #[test]
    fn a_success_is_no_failure_and_is_remembered_for_the_next_scan() {
        let dir = tempfile::tempdir().unwrap();
        let (ledger, cam) = (Ledger::open(dir.path()).unwrap(), device(&["address:10.0.0.7"]));
        for _ in 0..5 {
            let ticket = ledger.charge(&cam, "admin", TWO).unwrap();
            ledger.accepted(&cam, ticket, Some("cred-0007".to_owned()));
        }
        let next = Ledger::open(dir.path()).unwrap();
        assert_eq!(next.accepted_before(&cam), BTreeSet::from(["cred-0007".to_owned()]));
    }

    #[test]
    fn after_a_sign_of_a_lock_no_later_scan_tries_within_the_window() {
        let dir = tempfile::tempdir().unwrap();
        let cam = device(&["address:10.0.0.7"]);
        Ledger::open(dir.path()).unwrap().lock_sign(&cam);
        let next = Ledger::open(dir.path()).unwrap();
        assert_eq!(next.charge(&cam, "guest", TWO), Err(Withheld::LockedEarlier));
        let file = dir.path().join(FILE);
        let old = std::fs::read_to_string(&file).unwrap();
        let at = serde_json::from_str::<serde_json::Value>(&old).unwrap()["at"].as_str().unwrap().to_owned();
        std::fs::write(&file, old.replace(&at, "2020-01-01T00:00:00Z")).unwrap();
        assert!(next.charge(&cam, "guest", TWO).is_ok(), "the window is over");
    }

    #[test]
    fn a_line_cut_off_by_a_kill_is_taken_away_and_a_broken_ledger_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let cam = device(&["address:10.0.0.7"]);
        let ledger = Ledger::open(dir.path()).unwrap();
        ledger.charge(&cam, "admin", TWO).unwrap();
        let file = dir.path().join(FILE);
        let whole = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{whole}{{\"at\":\"20")).unwrap();
        ledger.charge(&cam, "admin", TWO).unwrap();
        assert!(ledger.charge(&cam, "admin", TWO).is_err());
        std::fs::write(&file, format!("nonsense\n{whole}")).unwrap();
        let error = Ledger::open(dir.path()).err().unwrap().to_string();
        assert!(error.contains("attempts.jsonl` line 1"), "{error}");
        assert!(matches!(ledger.charge(&cam, "root", TWO), Err(Withheld::NoLedger(_))));
    }
}
