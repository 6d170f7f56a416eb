//! `diff`: two sealed bundles, both checked first.
use super::{
    Done, Exit, Failure,
    args::{DiffArgs, Format},
    output,
};
use patuh::{
    bundle::{VerifiedBundle, open, payload},
    judge::assess::Read,
    model::{Attestations, Ics, Ixit},
    report::diff::{self, Comparison, Side},
};
use std::path::Path;

pub fn run(a: &DiffArgs) -> Done {
    let (old, new) = (Opened::open(&a.old)?, Opened::open(&a.new)?);
    let diff = diff::diff(&old.side(), &new.side());
    output::result(&match a.format {
        Format::Json => diff::json(&diff),
        Format::Text => diff::text(&diff),
    })?;
    // This command's own meaning of 0 to 3; see its help.
    Ok(match diff.result {
        Comparison::Same => Exit::Passed,
        Comparison::Changed => Exit::Failed,
        Comparison::Worse => Exit::Inconclusive,
        Comparison::NotComparable => Exit::NotComparable,
    })
}

struct Opened {
    bundle: VerifiedBundle,
    ics: Option<Read<Ics>>,
    ixit: Option<Read<Ixit>>,
    attested: Option<Read<Attestations>>,
}

impl Opened {
    fn open(path: &Path) -> Result<Self, Failure> {
        if !path.exists() {
            return Err(Failure::new(Exit::NoInput, format!("`{}`: no such bundle", path.display())));
        }
        let bundle = open(path).map_err(|e| Failure::new(Exit::BadInput, e.to_string()))?;
        let bad = |e: payload::PayloadError| Failure::new(Exit::BadInput, format!("{}: {e}", path.display()));
        let ics = bundle.from.ics.as_deref().map(|b| payload::read("ics.toml", b, Ics::parse)).transpose();
        let ixit = bundle.from.ixit.as_deref().map(|b| payload::read("ixit.toml", b, Ixit::parse)).transpose();
        let attested = bundle.from.attested.as_ref().map(|a| a.read().map_err(Into::into)).transpose();
        Ok(Self { ics: ics.map_err(bad)?, ixit: ixit.map_err(bad)?, attested: attested.map_err(bad)?, bundle })
    }

    fn side(&self) -> Side<'_> {
        Side {
            recording: self.bundle.recording(),
            ics: self.ics.as_ref(),
            ixit: self.ixit.as_ref(),
            attested: self.attested.as_ref(),
            profiles: self.bundle.profiles(),
            assessments: self.bundle.assessments(),
        }
    }
}
