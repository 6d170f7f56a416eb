//! Recordings that a bundle holds beside its own: of the factory state, of other sides, of further samples. Each is whole, and
//! judged with it.
use super::{
    body::Body,
    ingredients::{Bracket, Ingredients, Recorded},
    layout::{self, Files},
    open::{Source, SourceError},
    payload::PayloadError,
};
use crate::judge::{Beside, BesideError};
use serde::{Deserialize, Serialize};
use std::{path::Path, sync::Arc};

/// What a recording is beside the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Sample,
    Factory,
    Side,
}

#[derive(Clone, Debug)]
pub struct Companion {
    pub role: Role,
    pub recorded: Arc<Recorded>,
    pub transcripts: Body,
    /// Its plan and the authorities' answers, kept as they are; the time that verifying tells is the first recording's.
    pub bracket: Bracket,
}

/// Where one stands, in bundle.json.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexCompanion {
    pub role: Role,
    pub recording: String,
    pub transcripts: String,
}

impl Companion {
    /// A directory made by `scan --out`, or a bundle, of which the first recording is taken.
    pub fn open(role: Role, path: &Path) -> Result<Self, SourceError> {
        let from = Source::open(path)?.from;
        Ok(Self { role, recorded: from.recorded, transcripts: from.transcripts, bracket: from.bracket })
    }

    /// Its files, by their paths in a bundle where it is number `n`, from 1.
    pub fn files(&self, n: usize) -> Vec<(String, Body)> {
        let mut files = vec![
            (layout::beside(n, layout::RECORDING), self.recorded.body.clone()),
            (layout::beside(n, layout::TRANSCRIPTS), self.transcripts.clone()),
        ];
        files.extend(self.bracket.files().map(|(path, bytes)| (layout::beside(n, path), bytes.clone().into())));
        files
    }

    pub fn index(&self, n: usize) -> IndexCompanion {
        let (recording, transcripts) = (layout::beside(n, layout::RECORDING), layout::beside(n, layout::TRANSCRIPTS));
        IndexCompanion { role: self.role, recording, transcripts }
    }

    /// Number `n` of a bundle.
    pub fn read(role: Role, n: usize, files: &Files) -> Result<Self, PayloadError> {
        let log = |path: &str| files.get(&layout::beside(n, path)).cloned().unwrap_or_else(|| Vec::new().into());
        let small = |path: &str| files.get(&layout::beside(n, path)).and_then(Body::held).map(<[u8]>::to_vec);
        Ok(Self {
            role,
            recorded: Arc::new(Recorded::read(log(layout::RECORDING))?),
            transcripts: log(layout::TRANSCRIPTS),
            bracket: Bracket { plan: small(layout::PLAN), before: small(layout::BEFORE), after: small(layout::AFTER) },
        })
    }
}

impl Ingredients {
    /// What is judged beside the first recording.
    pub fn judged_beside(&self) -> Result<Beside, BesideError> {
        let of = |role: Role| self.beside.iter().filter(move |c| c.role == role).map(|c| c.recorded.value.clone());
        if of(Role::Factory).count() > 1 {
            return Err(BesideError::TwoFactories);
        }
        let (samples, sides) = (of(Role::Sample).collect(), of(Role::Side).collect());
        Beside { samples, factory: of(Role::Factory).next(), sides }.checked(&self.recorded.value)
    }
}
