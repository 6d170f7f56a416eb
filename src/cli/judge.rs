//! `judge` and `inventory`: from a file, offline.
use super::{
    Done, Exit, Failure,
    args::{InventoryArgs, InventoryFormat, JudgeArgs, JudgeFormat},
    output, source,
};
use patuh::{
    judge::{
        Assessment, Inputs, Profile,
        assess::{Outcome, Read},
        assess_attested, assess_beside,
    },
    model::{Attestations, Ics, Ixit, Recording},
    report::{self, expect::Expected, inventory},
};
use std::path::PathBuf;

pub fn run(a: &JudgeArgs) -> Done {
    let expected = expected(a.expect.as_ref())?;
    // A mistake in a profile is told first; which day it must be in force is known only from the recording.
    let named: Vec<String> = a.profile.iter().filter(|p| *p != source::ALL).cloned().collect();
    source::profiles(&named)?;
    let recording = source::recording(&a.source)?;
    let profiles = source::profiles_on(&a.profile, &source::Day::of(&recording, a.as_of)?)?;
    let (ics, ixit) = (source::ics(a.ics.as_ref(), &a.source)?, source::ixit(a.ixit.as_ref(), &a.source)?);
    let said = source::attestations(&a.source)?;
    let beside = source::beside(&a.beside, &a.source, &recording)?;
    let inputs = Inputs { recording: &recording, ics: ics.as_ref(), ixit: ixit.as_ref() };
    let all: Vec<_> = profiles.iter().map(|p| assess_beside(&inputs, &beside, said.as_ref(), p)).collect();
    show(&recording, &all, a.format)?;
    Ok(outcome(&all, expected.as_ref()))
}

/// The file of `--expect`, read before anything is judged.
pub fn expected(file: Option<&PathBuf>) -> Result<Option<Expected>, Failure> {
    let Some(file) = file else { return Ok(None) };
    let text = String::from_utf8_lossy(&source::read(file)?).into_owned();
    let read = Expected::parse(&file.display().to_string(), &text);
    read.map(Some).map_err(|e| Failure::new(Exit::BadInput, e.to_string()))
}

/// The exit code: the worst verdict, or, with expected failures, whether everything was as expected. What
/// is open stays open.
pub fn outcome(all: &[Assessment], expected: Option<&Expected>) -> Exit {
    let Some(expected) = expected else { return worst(all) };
    let surprises = expected.surprises(all);
    for surprise in &surprises {
        output::note(surprise);
    }
    let open = |a: &Assessment| a.requirements.iter().any(|r| r.level == "M" && open(r.outcome));
    if !surprises.is_empty() {
        Exit::Failed
    } else if all.is_empty() || all.iter().any(open) {
        Exit::Inconclusive
    } else {
        Exit::Passed
    }
}

fn open(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Inconclusive | Outcome::AwaitingAssessor)
}

pub fn all(
    recording: &Recording,
    ics: Option<&Read<Ics>>,
    ixit: Option<&Read<Ixit>>,
    profiles: &[Profile],
) -> Vec<Assessment> {
    all_attested(recording, ics, ixit, None, profiles)
}

pub fn all_attested(
    recording: &Recording,
    ics: Option<&Read<Ics>>,
    ixit: Option<&Read<Ixit>>,
    attestations: Option<&Read<Attestations>>,
    profiles: &[Profile],
) -> Vec<Assessment> {
    let inputs = Inputs { recording, ics, ixit };
    profiles.iter().map(|p| assess_attested(&inputs, attestations, p)).collect()
}

/// One profile in full; several as one matrix.
pub fn show(recording: &Recording, all: &[Assessment], format: JudgeFormat) -> Result<(), Failure> {
    output::result(&match (format, all) {
        (JudgeFormat::Json, all) => report::json(all),
        (JudgeFormat::Text, [one]) => report::text(one),
        (JudgeFormat::Text, all) => report::matrix::text(all),
        (JudgeFormat::Html, all) => {
            report::matrix::html(recording, all).map_err(|e| Failure::new(Exit::Ours, e.to_string()))?
        }
    })
}

/// The worst of several profiles: a failure before anything open, before a pass.
pub fn worst(all: &[Assessment]) -> Exit {
    let code = |a: &Assessment| match a.verdict {
        Outcome::Pass => Exit::Passed,
        Outcome::Fail => Exit::Failed,
        Outcome::Inconclusive | Outcome::NotApplicable | Outcome::AwaitingAssessor => Exit::Inconclusive,
    };
    all.iter().map(code).max().unwrap_or(Exit::Inconclusive)
}

pub fn inventory(a: &InventoryArgs) -> Done {
    let inventory = inventory::inventory(&source::recording(&a.source)?);
    output::result(&match a.format {
        InventoryFormat::Text => inventory::text(&inventory),
        InventoryFormat::Json => inventory::json(&inventory),
        InventoryFormat::Csv => inventory::csv(&inventory),
    })?;
    Ok(Exit::Passed)
}
