//! `ics new|check|convert`: the implementation conformance statement.
use super::{Done, Exit, Failure, args::Format, declared, source};
use clap::{Args, Subcommand};
use patuh::{
    judge::{
        conditions::shown,
        plausible,
        profile::{Catalogue, nearest},
    },
    model::Ics,
};
use std::{fmt::Write, path::PathBuf};

#[derive(Args)]
pub struct IcsArgs {
    #[command(subcommand)]
    command: IcsCommand,
}

#[derive(Subcommand)]
enum IcsCommand {
    /// A form to fill in: every provision, explained in our own words
    #[command(after_help = "Examples:\n  patuh ics new --out ics.toml\n  patuh ics new --from camera --out ics.toml")]
    New {
        /// Whose provisions are claimed
        #[arg(long, value_name = "ID", default_value = "en303645-v2")]
        catalogue: String,
        /// Note which conditions a recording shows to hold
        #[arg(long, value_name = "RECORDING")]
        from: Option<PathBuf>,
        /// Write it here; an existing file is left alone
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Find gaps and contradictions before any packet is sent
    #[command(
        after_help = "Exit codes: 0 nothing to put right, 1 contradictions or mandatory provisions declared as not met, 2 gaps only, 65 not readable.\n\nExamples:\n  patuh ics check ics.toml\n  patuh ics check ics.toml --ixit ixit.toml --format json"
    )]
    Check {
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Compare with this IXIT
        #[arg(long, value_name = "FILE")]
        ixit: Option<PathBuf>,
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// From one format to another, by extension: .toml, .xlsx, .csv; comments are not kept
    #[command(after_help = "Examples:\n  patuh ics convert ics.toml form.xlsx\n  patuh ics convert form.xlsx ics.toml")]
    Convert { from: PathBuf, to: PathBuf },
}

pub fn run(a: &IcsArgs) -> Done {
    match &a.command {
        IcsCommand::New { catalogue, from, out } => {
            let recording = from.as_ref().map(|f| source::recording(f)).transpose()?;
            declared::put(out.as_deref(), form(find(catalogue)?, recording.as_ref()).as_bytes())?;
            Ok(Exit::Passed)
        }
        IcsCommand::Convert { from, to } => {
            declared::put(Some(to), &declared::ics_written(&declared::ics(from)?, to)?)?;
            Ok(Exit::Passed)
        }
        IcsCommand::Check { file, ixit, format } => {
            source::ics_is_toml(file)?;
            let text = source::text(file)?;
            let name = file.display().to_string();
            let bad = |message: String| Failure::new(Exit::BadInput, message);
            let ics = Ics::parse(&name, &text).map_err(|e| bad(e.to_string()))?;
            let catalogue = find(ics.catalogue.as_deref().unwrap_or("en303645-v2"))?;
            if let Some((line, message)) = plausible::unknown_claim(&ics, &text, catalogue) {
                return Err(bad(format!("{name}:{line}: {message}")));
            }
            let ixit = ixit.as_ref().map(|f| declared::ixit(f)).transpose()?;
            declared::findings(&name, &plausible::ics(&ics, &text, catalogue, ixit.as_ref()), *format)
        }
    }
}

fn find(id: &str) -> Result<&'static Catalogue, Failure> {
    Catalogue::find(id).ok_or_else(|| {
        let near = nearest(id, Catalogue::all().iter().map(|c| c.id.as_str()));
        let known: Vec<&str> = Catalogue::all().iter().map(|c| c.id.as_str()).collect();
        Failure::new(Exit::Usage, format!("no catalogue `{id}`{near}; there are {}", known.join(", ")))
    })
}

/// Nothing in it is claimed until a line's comment mark is taken away.
fn form(catalogue: &Catalogue, recording: Option<&patuh::model::Recording>) -> String {
    let mut out = format!(
        "# ICS: what the maker claims of each provision of {} ({}). Texts are our own words.\n#\n\
         # Take away the `#` before a line to claim it. support: yes, no, or not-applicable. A provision may be\n\
         # not applicable only where a condition of it does not hold; say so under [conditions]. Give a reason for\n\
         # every no and every not-applicable.\ncatalogue = \"{}\"\n\n[conditions]\n",
        catalogue.title, catalogue.source, catalogue.id
    );
    for c in catalogue.conditions.iter().chain(&catalogue.features) {
        let _ = writeln!(out, "# {}: {}", c.id, c.text);
        if let Some(shown) = recording.and_then(|r| shown(r, &c.id)) {
            let _ = writeln!(out, "# observed, not declared: {} ({})", shown.what, shown.evidence.join(", "));
        }
        let _ = writeln!(out, "# \"{}\" = true", c.id);
    }
    out.push_str("\n[claims]\n");
    for p in &catalogue.provisions {
        let _ = writeln!(
            out,
            "# {} [{}] {}\n# \"{}\" = {{ support = \"yes\", reason = \"\" }}",
            p.id, p.status, p.text, p.id
        );
    }
    out
}
