//! Floor 0: what is written down. Data and parsing only; no I/O, no clock, no verdicts.
pub mod attestation;
pub mod chain;
pub mod declarations;
pub mod digest;
pub mod gap;
pub mod nearest;
pub mod observation;
pub mod opening;
pub mod plan;
pub mod recording;
pub mod scope;
pub mod shared;
pub mod subject;

pub use attestation::Attestations;
pub use chain::Chain;
pub use declarations::{Ics, Ixit};
pub use digest::Sha256Digest;
pub use observation::Observation;
pub use opening::{Mask, Opening, Way};
pub use plan::Plan;
pub use recording::{Gap, Header, Line, Record, Recording, Run, Why};
pub use scope::{Admitted, Scope, State, Touch, Vantage};
pub use shared::Shared;
pub use subject::{Endpoint, Subject, Transport};
