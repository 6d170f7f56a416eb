//! What a bundle is made of: bytes that were recorded, declared, attested or asked for. Nothing in it is a verdict.
use super::{attested::Attested, body::Body, companion::Companion, layout, payload::PayloadError};
use crate::judge::{
    Profile,
    profile::{BUILTIN, ProfileError},
};
use crate::model::Recording;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Whether a bundle may be sealed, and was sealed, before everything was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interim {
    No,
    Yes,
}

/// A profile's text, and the level to judge it at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileSource {
    pub id: String,
    /// `None`: the profile's lowest level.
    pub level: Option<String>,
    pub text: String,
}

impl ProfileSource {
    /// A built-in profile named `id` or `id:level`.
    pub fn builtin(name: &str) -> Result<Self, ProfileError> {
        let profile = Profile::builtin(name)?;
        let text = BUILTIN.iter().find(|(id, _)| *id == profile.id).map_or("", |(_, text)| *text);
        Ok(Self { id: profile.id, level: Some(profile.level), text: text.to_owned() })
    }

    /// A profile that somebody wrote; its own `id` names it.
    pub fn written(file: &str, text: &str, level: Option<&str>) -> Result<Self, ProfileError> {
        let profile = Profile::parse(file, text, level)?;
        Ok(Self { id: profile.id, level: Some(profile.level), text: text.to_owned() })
    }
}

/// What an amended bundle replaces, and why (ISO/IEC 17025:2017, 7.8.8). The older one is never rewritten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Supersedes {
    pub bundle_id: String,
    pub tagmanifest_sha256: String,
    pub reason: String,
    /// The files that sealing was given anew.
    pub changed: Vec<String>,
}

/// What holds a recording in time; one of `recording/1` has none of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bracket {
    /// What was about to be done.
    pub plan: Option<Vec<u8>>,
    /// An authority's answer over the plan.
    pub before: Option<Vec<u8>>,
    /// An authority's answer over the recording's last line.
    pub after: Option<Vec<u8>>,
}

impl Bracket {
    /// Each file of it with its path in a bundle.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, &Vec<u8>)> {
        [(layout::PLAN, &self.plan), (layout::BEFORE, &self.before), (layout::AFTER, &self.after)]
            .into_iter()
            .filter_map(|(path, bytes)| Some((path, bytes.as_ref()?)))
    }
}

/// A recording's file, and what it says.
#[derive(Debug)]
pub struct Recorded {
    pub body: Body,
    pub value: Recording,
}

impl Recorded {
    pub fn read(body: Body) -> Result<Self, PayloadError> {
        let read = body.read_hashing(|from| match Recording::read(from) {
            Ok(value) => {
                let digest = value.digest.clone();
                Ok((Ok(value), digest))
            }
            Err(wrong) => Ok((Err(wrong), body.digest().clone())),
        });
        let value = read.map_err(|error| PayloadError::Log { file: "recording.jsonl", error })??;
        Ok(Self { body, value })
    }
}

/// What goes into a bundle, as bytes. Nothing in it is a verdict.
#[derive(Clone, Debug)]
pub struct Ingredients {
    pub recorded: Arc<Recorded>,
    pub transcripts: Body,
    pub bracket: Bracket,
    /// Recordings that are judged beside it.
    pub beside: Vec<Companion>,
    pub ics: Option<Vec<u8>>,
    pub ixit: Option<Vec<u8>>,
    /// Who tested, with what and on which samples.
    pub laboratory: Option<Vec<u8>>,
    pub attested: Option<Attested>,
    pub profiles: Vec<ProfileSource>,
    pub interim: Interim,
    pub supersedes: Option<Supersedes>,
}
