//! Floor 1a: how it is observed. The only part that touches a network; it never says good or bad.
pub mod capture;
pub mod clock;
pub mod codec;

mod credentials;
mod data;
pub mod engine;
mod fingerprint;
pub mod journal;
pub mod lab;
pub mod labels;
pub mod ledger;
pub mod net;
pub mod probe;
mod prompt;
pub mod public;
pub mod resolve;
mod sensitive;
pub mod session;
mod tokens;

pub use engine::{Progress, ScanError, Target, scan};
pub use probe::{PROBES, Probe};
