//! Whether guessing passwords is slowed: what was sent, and what came of it.
use super::{Answer, Mechanism};
use serde::{Deserialize, Serialize};

/// Whose password was guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guessed {
    /// A name that was made up: what counts by account may not count it.
    MadeUp,
    /// An account that the scope names.
    Named,
}

/// What is asked around the guesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Around {
    /// The right secret of the named account, before any guess.
    OwnerBefore,
    /// One guess for another name, right after.
    OtherName,
    /// The right secret, right after.
    OwnerAfter,
    /// The right secret, or where there is none one more guess, after a wait.
    Recovery,
}

impl Around {
    pub fn words(self) -> &'static str {
        match self {
            Self::OwnerBefore => "the right secret before",
            Self::OtherName => "another name after",
            Self::OwnerAfter => "the right secret after",
            Self::Recovery => "recovery",
        }
    }
}

/// One event, in the order in which it happened. What is sent is written before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Guess {
    /// A guess is about to be sent: the `n`th of at most `most`.
    Sent { n: u32, most: u32 },
    /// What came of it, how long that took, and how long a question took that is no log-in.
    Answered { n: u32, answer: Answer, ms: u64, neutral_ms: u64 },
    /// Something around the guesses is about to be sent.
    Asking { what: Around },
    /// What came of something around the guesses, so many milliseconds after the last of them.
    Around { what: Around, answer: Answer, after_ms: u64 },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guessing {
    pub mechanism: Mechanism,
    pub account: Guessed,
    pub guess: Guess,
}
