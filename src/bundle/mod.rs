//! Floor 2: how it is sealed. A bundle is a BagIt 1.0 directory whose one signed statement names everything in it.
//!
//! Sealing and verifying build the same payload from the same inputs ([`payload`]): verifying is doing it again.
pub mod agent;
pub mod amend;
pub mod archive;
pub mod attested;
pub mod body;
mod bracket;
pub mod cms;
pub mod companion;
pub mod confidential;
pub mod dsse;
pub mod ingredients;
pub mod integrity;
pub mod judgements;
pub mod layout;
pub mod lock;
pub mod logs;
pub mod open;
pub mod payload;
pub mod seal;
pub mod sign;
pub mod signed;
pub mod signers;
pub mod statement;
pub mod timestamp;
pub mod trust;
pub mod verify;

pub use amend::Amendment;
pub use attested::{Attested, AttestedError};
pub use body::Body;
pub use cms::CmsKey;
pub use companion::{Companion, Role};
pub use confidential::{Bag, ConfidentialError};
pub use ingredients::{Bracket, Ingredients, Interim, ProfileSource, Recorded, Supersedes};
pub use lock::{Identity, LockError, Recipients};
pub use open::{Source, SourceError, VerifiedBundle, open};
pub use payload::{Content, PayloadError, Views};
pub use seal::{Container, SealError, Sealing, seal};
pub use sign::{KeyError, SigningKey, keygen};
pub use verify::{LineOutcome, Records, Verification, VerificationLine, verify, verify_files};
