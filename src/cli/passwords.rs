//! `passwords`: the passwords of labels, compared. They are never printed.
use super::{Done, Exit, Failure, args::Format, output, source};
use clap::Args;
use patuh::{
    judge::{
        check::labels::{Derivable, Pattern},
        judgement::Point,
    },
    model::observation::labels::{Characters, Labels},
    scan::labels,
};
use serde::Serialize;
use std::{fmt::Write, path::PathBuf};

#[derive(Args)]
#[command(
    after_help = "The file has a header, one row per device, a column `password`, and columns with what anybody may read: mac, serial,\nssid, model or others. Nothing of a password is printed. Attach the result to the test units of 5.1-2-1.\n\nExamples:\n  patuh passwords labels.csv\n  patuh passwords labels.csv --samples 2 --format json\n\nExit codes: 0 no regularity and enough samples; 1 a regularity, a derivable password, or too little room; 2 nothing\nfound in too few samples, or chance may have made what was found."
)]
pub struct PasswordsArgs {
    #[arg(value_name = "LABELS.csv")]
    pub file: PathBuf,
    /// How many devices a PASS needs; Singapore's CLS asks for ten
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub samples: u32,
    /// How many bits a generator must have at least
    #[arg(long, value_name = "N", default_value_t = 40)]
    pub bits: u32,
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

/// Form `passwords/1`.
#[derive(Serialize)]
struct Compared {
    schema: &'static str,
    samples: u32,
    /// How many a PASS needs.
    samples_needed: u32,
    shortest: u32,
    longest: u32,
    characters: Vec<Characters>,
    bits_at_most: u32,
    bits_needed: u32,
    verdict: Word,
    results: Vec<Row>,
}

/// One question, by the id of its check.
#[derive(Serialize)]
struct Row {
    check: &'static str,
    verdict: Word,
    observed: String,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Word {
    Pass,
    Inconclusive,
    Fail,
}

fn row(check: &'static str, point: Point) -> Row {
    let (verdict, observed) = match point {
        Point::Good(said) => (Word::Pass, said),
        Point::Unclear(said) => (Word::Inconclusive, said),
        Point::Bad(said) => (Word::Fail, said),
    };
    Row { check, verdict, observed }
}

fn compared(labels: Labels, samples: u32, bits: u32) -> Compared {
    let results = vec![
        row("dev-password-derivable", Derivable { samples }.point(&labels)),
        row("dev-password-pattern", Pattern { samples, bits }.point(&labels)),
    ];
    Compared {
        schema: "passwords/1",
        samples: labels.samples,
        samples_needed: samples,
        shortest: labels.shortest,
        longest: labels.longest,
        characters: labels.characters,
        bits_at_most: labels.bits_at_most,
        bits_needed: bits,
        verdict: results.iter().map(|r| r.verdict).max().unwrap_or(Word::Inconclusive),
        results,
    }
}

pub fn run(a: &PasswordsArgs) -> Done {
    let bytes = source::read(&a.file)?;
    let rows =
        labels::read(&bytes).map_err(|e| Failure::new(Exit::BadInput, format!("`{}`: {e}", a.file.display())))?;
    let compared = compared(labels::compare(&rows), a.samples, a.bits);
    output::result(&match a.format {
        Format::Text => text(&compared),
        Format::Json => {
            let json = serde_json::to_string_pretty(&compared);
            json.map_err(|e| Failure::new(Exit::Ours, e.to_string()))? + "\n"
        }
    })?;
    Ok(match compared.verdict {
        Word::Pass => Exit::Passed,
        Word::Inconclusive => Exit::Inconclusive,
        Word::Fail => Exit::Failed,
    })
}

fn text(c: &Compared) -> String {
    let mut out = String::new();
    let lengths =
        if c.shortest == c.longest { c.longest.to_string() } else { format!("{} to {}", c.shortest, c.longest) };
    let kinds: Vec<&str> = c.characters.iter().map(|k| k.word()).collect();
    let (samples, bits) = (c.samples, c.bits_at_most);
    let _ = writeln!(out, "{samples} samples of {lengths} characters ({}), {bits} bits at most", kinds.join(", "));
    for row in &c.results {
        let word = match row.verdict {
            Word::Pass => "PASS",
            Word::Inconclusive => "INCONCLUSIVE",
            Word::Fail => "FAIL",
        };
        let _ = writeln!(out, "{word:<13} {}\n  {}", row.check, row.observed.replace("; ", "\n  "));
    }
    out
}
