//! `passwords`: the passwords of labels, compared. They are never printed.
use super::{Done, Exit, Failure, args::Format, output, source};
use clap::Args;
use patuh::judge::labels::{self, Compared, Needs, Outcome};
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
    pub samples: usize,
    /// How many bits a generator must have at least
    #[arg(long, value_name = "N", default_value_t = 40)]
    pub bits: u32,
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

pub fn run(a: &PasswordsArgs) -> Done {
    let bytes = source::read(&a.file)?;
    let labels =
        labels::read(&bytes).map_err(|e| Failure::new(Exit::BadInput, format!("`{}`: {e}", a.file.display())))?;
    let compared = labels::compare(&labels, Needs { samples: a.samples, bits: a.bits });
    output::result(&match a.format {
        Format::Text => text(&compared),
        Format::Json => {
            let json = serde_json::to_string_pretty(&compared);
            json.map_err(|e| Failure::new(Exit::Ours, e.to_string()))? + "\n"
        }
    })?;
    Ok(match compared.verdict {
        Outcome::Pass => Exit::Passed,
        Outcome::Inconclusive => Exit::Inconclusive,
        Outcome::Fail => Exit::Failed,
    })
}

fn text(c: &Compared) -> String {
    let mut out = String::new();
    let lengths =
        if c.shortest == c.longest { c.longest.to_string() } else { format!("{} to {}", c.shortest, c.longest) };
    let _ = writeln!(
        out,
        "{} samples of {lengths} characters ({}), {} bits at most",
        c.samples,
        c.classes.join(", "),
        c.bits_at_most
    );
    for row in &c.results {
        let word = match row.verdict {
            Outcome::Pass => "PASS",
            Outcome::Inconclusive => "INCONCLUSIVE",
            Outcome::Fail => "FAIL",
        };
        let _ = writeln!(out, "{word:<13} {}", row.check);
        for line in &row.observed {
            let _ = writeln!(out, "  {line}");
        }
    }
    out
}
