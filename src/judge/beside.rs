//! Recordings that are judged beside the first. Each says itself from which side and in which state it was made; none is
//! taken for another.
use crate::model::{Recording, State, Vantage};
use std::{collections::BTreeSet, fmt};
use thiserror::Error;

/// Recordings to compare with.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// Of further samples of the same model.
    pub samples: Vec<Recording>,
    /// Of the same device, as it came from the factory.
    pub factory: Option<Recording>,
    /// Of the same device, from other sides, at most one for each side and state.
    pub sides: Vec<Recording>,
}

/// From where a recording was made, and in which state the device was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Side {
    pub vantage: Vantage,
    pub state: State,
}

impl Side {
    /// A recording that says nothing of the state is of a device that was set up.
    pub fn of(recording: &Recording) -> Self {
        let scope = &recording.header.scope;
        Self { vantage: scope.vantage, state: scope.state.unwrap_or(State::Initialised) }
    }

    /// The word before everything that is cited of it: `wan`, `wan-factory`.
    pub fn short(self) -> String {
        match self.state {
            State::Factory => format!("{}-factory", self.vantage.word()),
            State::Initialised => self.vantage.word().to_owned(),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name(self.vantage))?;
        f.write_str(if self.state == State::Factory { " in the factory state" } else { "" })
    }
}

/// As people call a side.
pub fn name(vantage: Vantage) -> &'static str {
    match vantage {
        Vantage::Lan => "LAN side",
        Vantage::Wan => "WAN side",
        Vantage::Guest => "guest side",
    }
}

#[derive(Debug, Error, PartialEq, Eq)]
pub enum BesideError {
    #[error("the first recording says that it is of the factory state; name the one after the set-up first")]
    FirstIsFactory,
    #[error("two recordings are of the factory state; name one of them")]
    TwoFactories,
    #[error("the recording of the factory state says that the device was set up; scan it with --state factory")]
    NotFactory,
    #[error("the recording of the factory state is of the {0}, and the first of the {1}; compare one side with itself")]
    OtherSide(&'static str, &'static str),
    #[error("sample {0} is of the {1}, and the first of the {2}; compare samples from the same side and state")]
    OtherSample(usize, Side, Side),
    #[error(
        "a recording from another side says that it is of the {0}, as the first; scan it with --vantage wan or guest"
    )]
    SameSide(&'static str),
    #[error("two recordings are of the {0}; name one of them")]
    Twice(Side),
}

impl Beside {
    /// Refuses recordings that are not what they are taken for beside `first`.
    pub fn checked(self, first: &Recording) -> Result<Self, BesideError> {
        let own = Side::of(first);
        if let Some(factory) = &self.factory {
            let side = Side::of(factory);
            if own.state == State::Factory {
                return Err(BesideError::FirstIsFactory);
            }
            if factory.header.scope.state == Some(State::Initialised) {
                return Err(BesideError::NotFactory);
            }
            if side.vantage != own.vantage {
                return Err(BesideError::OtherSide(name(side.vantage), name(own.vantage)));
            }
        }
        for (number, side) in (2..).zip(self.samples.iter().map(Side::of)) {
            if side != own {
                return Err(BesideError::OtherSample(number, side, own));
            }
        }
        let mut seen = BTreeSet::new();
        for side in self.sides.iter().map(Side::of) {
            if side.vantage == own.vantage {
                return Err(BesideError::SameSide(name(side.vantage)));
            }
            if !seen.insert(side) {
                return Err(BesideError::Twice(side));
            }
        }
        Ok(self)
    }
}
