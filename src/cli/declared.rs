//! What `ics` and `ixit` share: reading and writing by extension, and showing findings.
use super::{Done, Exit, Failure, args::Format, output, source};
use patuh::{
    judge::plausible::{Finding, Grade},
    model::{
        Ics, Ixit,
        declarations::{
            csv, ics_table,
            write::{self, Explained},
            xlsx,
        },
    },
};
use serde_json::json;
use std::{fmt::Write as _, io::Write as _, path::Path};

fn extension(path: &Path) -> String {
    path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn unknown(path: &Path) -> Failure {
    let message = format!("`{}`: the format is told by the extension; use .toml, .xlsx or .csv", path.display());
    Failure::new(Exit::Usage, message)
}

/// An IXIT in any of its formats.
pub fn ixit(path: &Path) -> Result<Ixit, Failure> {
    let name = path.display().to_string();
    let read = match extension(path).as_str() {
        "toml" => Ixit::parse(&name, &source::text(path)?),
        "xlsx" => xlsx::read(&name, &source::read(path)?),
        "csv" => csv::read(&name, &source::read(path)?),
        _ => return Err(unknown(path)),
    };
    read.map_err(|e| Failure::new(Exit::BadInput, e.to_string()))
}

/// The IXIT in the format of the path.
pub fn written(ixit: &Ixit, path: &Path) -> Result<Vec<u8>, Failure> {
    let bad = |e: String| Failure::new(Exit::BadInput, format!("`{}` cannot be made: {e}", path.display()));
    match extension(path).as_str() {
        "toml" => Ok(write::toml(ixit, Explained::No).into_bytes()),
        "xlsx" => xlsx::write(ixit).map_err(|e| bad(e.to_string())),
        "csv" => csv::write(ixit).map_err(|e| bad(e.to_string())),
        _ => Err(unknown(path)),
    }
}

/// An ICS in any of its formats.
pub fn ics(path: &Path) -> Result<Ics, Failure> {
    let name = path.display().to_string();
    let read = match extension(path).as_str() {
        "toml" => Ics::parse(&name, &source::text(path)?),
        "xlsx" => ics_table::read_xlsx(&name, &source::read(path)?),
        "csv" => ics_table::read_csv(&name, &source::read(path)?),
        _ => return Err(unknown(path)),
    };
    read.map_err(|e| Failure::new(Exit::BadInput, e.to_string()))
}

/// The ICS in the format of the path.
pub fn ics_written(ics: &Ics, path: &Path) -> Result<Vec<u8>, Failure> {
    let bad = |e: String| Failure::new(Exit::BadInput, format!("`{}` cannot be made: {e}", path.display()));
    match extension(path).as_str() {
        "toml" => Ok(ics.toml().into_bytes()),
        "xlsx" => ics_table::write_xlsx(ics).map_err(|e| bad(e.to_string())),
        "csv" => ics_table::write_csv(ics).map_err(|e| bad(e.to_string())),
        _ => Err(unknown(path)),
    }
}

/// Writes a new file, or to stdout. What somebody wrote is never overwritten.
pub fn put(out: Option<&Path>, bytes: &[u8]) -> Result<(), Failure> {
    let Some(path) = out else { return output::result(&String::from_utf8_lossy(bytes)) };
    let made = std::fs::File::create_new(path).and_then(|mut f| f.write_all(bytes));
    made.map_err(|e| match e.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::new(Exit::Io, format!("`{}` exists already; name another file", path.display()))
        }
        _ => Failure::new(Exit::Io, format!("`{}`: {e}", path.display())),
    })?;
    output::note(&format!("{} written", path.display()));
    Ok(())
}

/// Shows what is to be put right. 0: nothing, 2: gaps, 1: contradictions or unmet claims.
pub fn findings(file: &str, all: &[Finding], format: Format) -> Done {
    let count = |g: Grade| all.iter().filter(|f| f.grade == g).count();
    let (contradictions, unmet, gaps) = (count(Grade::Contradiction), count(Grade::Unmet), count(Grade::Gap));
    let text = match format {
        Format::Json => {
            let value = json!({"schema": "declaration-check/1", "file": file, "findings": all,
                "counts": {"contradictions": contradictions, "unmet": unmet, "gaps": gaps}});
            serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"
        }
        Format::Text => {
            let mut out = String::new();
            for f in all {
                let _ = writeln!(out, "{file}:{}: {}: {}: {}", f.line, f.grade.word(), f.about, f.message);
            }
            let _ = writeln!(out, "{file}: {contradictions} contradictions, {unmet} unmet, {gaps} gaps");
            out
        }
    };
    output::result(&text)?;
    Ok(match (contradictions + unmet, gaps) {
        (0, 0) => Exit::Passed,
        (0, _) => Exit::Inconclusive,
        (_, _) => Exit::Failed,
    })
}
