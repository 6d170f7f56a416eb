//! `ixit new|check|convert|import-sbom`: the extra information for testing.
use super::{Done, Exit, Failure, args::Format, declared, output, source};
use clap::{Args, Subcommand, ValueEnum};
use patuh::{
    judge::plausible,
    model::{
        Ics, Ixit, Sha256Digest,
        declarations::{
            Edition, Supplied, observed, sbom,
            write::{self, Explained},
        },
    },
};
use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
};

#[derive(Args)]
pub struct IxitArgs {
    #[command(subcommand)]
    command: IxitCommand,
}

#[derive(Clone, Copy, ValueEnum)]
enum EditionArg {
    #[value(name = "1.1.1")]
    V1,
    #[value(name = "2.1.1")]
    V2,
}

#[derive(Subcommand)]
enum IxitCommand {
    /// A form to fill in: every table and field, explained in our own words
    #[command(
        after_help = "What --from fills in is marked `x-observed = true` and does not count as declared until that line is removed.\n\nExamples:\n  patuh ixit new --out ixit.toml\n  patuh ixit new --from camera --out ixit.toml"
    )]
    New {
        /// Of TS 103 701
        #[arg(long, value_enum, default_value = "1.1.1")]
        edition: EditionArg,
        /// Fill in what a recording shows, marked as observed
        #[arg(long, value_name = "RECORDING")]
        from: Option<PathBuf>,
        /// Write it here; an existing file is left alone
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Find gaps and contradictions before any packet is sent
    #[command(
        after_help = "Exit codes: 0 nothing to put right, 1 contradictions, 2 gaps only, 65 not readable.\n\nExamples:\n  patuh ixit check ixit.toml --ics ics.toml\n  patuh ixit check form.xlsx --format json"
    )]
    Check {
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Tables that only provisions claimed not applicable need are not asked for
        #[arg(long, value_name = "FILE")]
        ics: Option<PathBuf>,
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// From one format to another, by extension: .toml, .xlsx, .csv
    #[command(
        after_help = "Examples:\n  patuh ixit convert form.xlsx ixit.toml\n  patuh ixit convert ixit.toml form.xlsx"
    )]
    Convert { from: PathBuf, to: PathBuf },
    /// Software components from an SBOM (CycloneDX or SPDX 2.x, JSON) into table 6-SoftComp
    #[command(
        after_help = "Examples:\n  patuh ixit import-sbom bom.cdx.json\n  patuh ixit import-sbom bom.spdx.json --into ixit.toml"
    )]
    ImportSbom {
        #[arg(value_name = "SBOM")]
        sbom: PathBuf,
        /// Append to this IXIT; without it they are printed
        #[arg(long, value_name = "IXIT")]
        into: Option<PathBuf>,
    },
}

pub fn run(a: &IxitArgs) -> Done {
    match &a.command {
        IxitCommand::New { edition, from, out } => {
            let edition = match edition {
                EditionArg::V1 => Edition::V1,
                EditionArg::V2 => Edition::V2,
            };
            let recording = from.as_ref().map(|f| source::recording(f)).transpose()?;
            let empty = Ixit { edition, ..Ixit::default() };
            let ixit = recording.map_or(empty, |r| observed::ixit(&r, edition));
            declared::put(out.as_deref(), write::toml(&ixit, Explained::Yes).as_bytes())?;
            Ok(Exit::Passed)
        }
        IxitCommand::Check { file, ics, format } => {
            let ics = ics.as_ref().map(|f| self::ics(f)).transpose()?;
            let found = plausible::ixit(&declared::ixit(file)?, ics.as_ref());
            declared::findings(&file.display().to_string(), &found, *format)
        }
        IxitCommand::Convert { from, to } => {
            declared::put(Some(to), &declared::written(&declared::ixit(from)?, to)?)?;
            Ok(Exit::Passed)
        }
        IxitCommand::ImportSbom { sbom, into } => import(sbom, into.as_deref()),
    }
}

fn ics(file: &Path) -> Result<Ics, Failure> {
    let parsed = Ics::parse(&file.display().to_string(), &source::text(file)?);
    parsed.map_err(|e| Failure::new(Exit::BadInput, e.to_string()))
}

fn import(file: &Path, into: Option<&Path>) -> Done {
    let bytes = source::read(file)?;
    let components = sbom::components(&file.display().to_string(), &bytes)
        .map_err(|e| Failure::new(Exit::BadInput, e.to_string()))?;
    let there = into.map(declared::ixit).transpose()?.unwrap_or_default();
    if let (Some(into), Supplied::None) = (into, there.supplied("6-SoftComp")) {
        let message = format!("`{}` says 6-SoftComp = [], that there is no software; remove that line", into.display());
        return Err(Failure::new(Exit::BadInput, message));
    }
    let before = there.tables.get("6-SoftComp").map(Vec::as_slice).unwrap_or_default();
    let new = sbom::entries(&components, &Sha256Digest::of(&bytes), before);
    let added = new.len();
    let tables = BTreeMap::from([("6-SoftComp".to_owned(), new)]);
    let text = if added == 0 { String::new() } else { write::toml(&Ixit { tables, ..Ixit::default() }, Explained::No) };
    match into {
        None => output::result(&text)?,
        Some(into) if into.extension().is_some_and(|e| e == "toml") => {
            // Appended, so that the maker's own text and comments stay as they are.
            let appended =
                std::fs::OpenOptions::new().append(true).open(into).and_then(|mut f| f.write_all(text.as_bytes()));
            appended.map_err(|e| Failure::new(Exit::Io, format!("`{}`: {e}", into.display())))?;
        }
        Some(into) => {
            let message = format!("`{}` is not TOML; convert it first with `patuh ixit convert`", into.display());
            return Err(Failure::new(Exit::Usage, message));
        }
    }
    output::note(&format!("{added} components added, {} were there already", components.len() - added));
    Ok(Exit::Passed)
}
