//! Floor 1b: how it is decided. Pure: no network, clock, file, randomness or hash order.
pub mod assess;
pub mod check;
pub mod evidence;
pub mod judgement;
pub mod profile;

pub use assess::{Assessment, Inputs, assess};
pub use check::{CHECKS, Check};
pub use evidence::{Evidence, Known, Seen};
pub use judgement::{Decision, Judgement, Verdict};
pub use profile::Profile;
