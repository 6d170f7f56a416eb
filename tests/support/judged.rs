//! A small recording, judged as a bundle judges it.
use crate::support::{TRANSCRIPT, profile};
use patuh::bundle::{Bracket, Ingredients, Interim, ProfileSource, Recorded, payload};
use patuh::{judge::Assessment, model::Recording};
use std::sync::Arc;

/// What a recording of these lines and one transcript comes to, under a built-in profile and our own.
pub fn judged(lines: &[String], ics: Option<&str>) -> (Recording, Vec<Assessment>) {
    let bytes = (lines.join("\n") + "\n").into_bytes();
    let from = Ingredients {
        bracket: Bracket::default(),
        beside: Vec::new(),
        recorded: Arc::new(Recorded::read(bytes.into()).unwrap()),
        transcripts: format!("{TRANSCRIPT}\n").into(),
        ics: ics.map(|t| t.as_bytes().to_vec()),
        ixit: None,
        laboratory: None,
        attested: None,
        profiles: vec![ProfileSource::builtin("etsi-en303645-v2").unwrap(), profile()],
        interim: Interim::Yes,
        supersedes: None,
    };
    let judged = payload::judge(&from).unwrap();
    drop(from);
    (Arc::into_inner(judged.recorded).unwrap().value, judged.assessments)
}
