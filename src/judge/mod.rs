//! Floor 1b: how it is decided. Pure: no network, clock, file, randomness or hash order.
pub mod applies;
pub mod assess;
pub mod attested;
pub mod beside;
pub mod check;
pub mod conditions;
mod crypto;
pub mod evidence;
pub mod judgement;
pub mod plausible;
pub mod profile;
mod requirements;
mod row;
mod units;

pub use assess::{Assessment, Inputs, assess, assess_attested, assess_beside};
pub use beside::{Beside, BesideError};
pub use check::{CHECKS, Check};
pub use evidence::{Evidence, Known, Seen};
pub use judgement::{Decision, Judgement, Verdict};
pub use profile::Profile;
