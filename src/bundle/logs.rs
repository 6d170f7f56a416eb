//! Whether the logs are whole: every transcript that a record cites is there, and the chains of `recording/2` lead from
//! the plan over every line to the end.
use super::{
    body::Body,
    payload::{Bracket, Ingredients},
};
use crate::model::{
    Chain, Plan, Recording, Sha256Digest,
    chain::{Broken, read_line},
    plan::{FILE, PlanError, TOKEN},
};
use std::{
    collections::BTreeMap,
    io::{self, BufRead},
};
use thiserror::Error;

const LOG: &str = "transcripts.jsonl";

#[derive(Debug, Error)]
pub enum LogError {
    #[error("{LOG}: {0}")]
    Io(#[from] io::Error),
    #[error("{LOG}: no line has the digest {digest} that record `{record}` cites; scan again")]
    NoTranscript { record: String, digest: Sha256Digest },
    #[error("{LOG}:{line}: {broken}; take the recording from its source again")]
    Chain { line: usize, broken: Broken },
    #[error("beside/{n}/{error}")]
    Beside { n: usize, error: Box<LogError> },
    #[error("{LOG}: its first line is of another recording")]
    OtherStart,
    #[error("{LOG}: its last line is not the one that the recording ends with: lines at the end were removed or added")]
    OtherEnd,
    #[error("recording.jsonl: the scan finished without saying where the transcripts end")]
    NoEnd,
    #[error("{FILE}: {0}")]
    Plan(#[from] PlanError),
    #[error("{FILE}: is missing, and the recording begins with it; put it back")]
    NoPlan,
    #[error("{FILE}: stands beside a recording that was made without one")]
    Unplanned,
    #[error("{FILE}: the recording was made by another plan")]
    OtherPlan,
    #[error("recording.jsonl:1: the chain does not begin with {0}: it is another one, or lines were removed")]
    Seed(&'static str),
}

pub fn check(from: &Ingredients) -> Result<(), LogError> {
    check_one(&from.recorded.value, &from.transcripts, &from.bracket)?;
    for (n, c) in (1..).zip(&from.beside) {
        let checked = check_one(&c.recorded.value, &c.transcripts, &c.bracket);
        checked.map_err(|error| LogError::Beside { n, error: Box::new(error) })?;
    }
    Ok(())
}

fn check_one(recording: &Recording, transcripts: &Body, bracket: &Bracket) -> Result<(), LogError> {
    if let Some(chain) = &recording.chain {
        begun(recording, bracket, chain)?;
    } else if bracket.files().next().is_some() {
        return Err(LogError::Unplanned);
    }
    let mut missing: BTreeMap<&Sha256Digest, &str> =
        recording.records().rev().filter_map(|r| Some((r.transcript.as_ref()?, r.id.as_str()))).collect();
    let mut chain = recording.chain.as_ref().map(|_| Chain::default());
    transcripts.read(|file| Ok(lines(file, &mut chain, &mut missing)))??;
    if let Some((digest, record)) = missing.into_iter().next() {
        return Err(LogError::NoTranscript { record: record.to_owned(), digest: digest.clone() });
    }
    let (Some(own), Some(chain)) = (&recording.chain, chain) else { return Ok(()) };
    if chain.seed.is_some() && chain.seed != own.first {
        return Err(LogError::OtherStart);
    }
    match (&recording.finished, &recording.transcripts) {
        (Some(_), None) => Err(LogError::NoEnd),
        (Some(_), end) if *end != chain.last.or(own.first.clone()) => Err(LogError::OtherEnd),
        (Some(_) | None, _) => Ok(()),
    }
}

/// The chain begins with the authority's answer over the plan, or with the plan where no authority was asked.
fn begun(recording: &Recording, bracket: &Bracket, chain: &Chain) -> Result<(), LogError> {
    let plan = bracket.plan.as_ref().ok_or(LogError::NoPlan)?;
    if !Plan::parse(plan)?.is_of(&recording.header) {
        return Err(LogError::OtherPlan);
    }
    let (file, start) = bracket.before.as_ref().map_or((FILE, plan), |token| (TOKEN, token));
    if chain.seed.as_ref() == Some(&Sha256Digest::of(start)) { Ok(()) } else { Err(LogError::Seed(file)) }
}

/// A last line without its newline was cut off by a kill and is left out.
fn lines(
    file: &mut dyn BufRead,
    chain: &mut Option<Chain>,
    missing: &mut BTreeMap<&Sha256Digest, &str>,
) -> Result<(), LogError> {
    let mut bytes = Vec::new();
    for line in 1.. {
        read_line(file, &mut bytes)?;
        let Some(text) = bytes.strip_suffix(b"\n") else { break };
        let digest = match chain {
            None => Some(Sha256Digest::of(text)),
            Some(chain) => {
                chain.take(text).map_err(|broken| LogError::Chain { line, broken })?;
                chain.last.clone()
            }
        };
        digest.and_then(|d| missing.remove(&d));
    }
    Ok(())
}
