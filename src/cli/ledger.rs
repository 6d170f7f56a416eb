//! Where the ledger of failed log-ins lies.
use super::{Exit, Failure};
use patuh::scan::ledger::{Ledger, LedgerError};
use std::path::{Path, PathBuf};

/// The named directory, or PATUH_LEDGER, or the user's state directory (XDG base directories).
pub fn directory(named: Option<&PathBuf>) -> Option<PathBuf> {
    let var = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let state =
        || var("XDG_STATE_HOME").filter(|p| p.is_absolute()).or_else(|| Some(var("HOME")?.join(".local/state")));
    named.cloned().or_else(|| var("PATUH_LEDGER")).or_else(|| state().map(|s| s.join("patuh")))
}

/// Opens it; a scan that may log in must not start without one.
pub fn open(dir: Option<&Path>) -> Result<Ledger, Failure> {
    let Some(dir) = dir else {
        let message = "no directory for the ledger of log-in attempts: HOME is not set; name one with --ledger DIR, or \
                       scan with --most ask";
        return Err(Failure::new(Exit::Io, message));
    };
    Ledger::open(dir).map_err(|e| {
        let exit = match e {
            LedgerError::Io { .. } => Exit::Io,
            LedgerError::Line { .. } => Exit::BadInput,
        };
        Failure::new(exit, e.to_string())
    })
}
