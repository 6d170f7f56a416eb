//! `report`: a sealed bundle or a recording, in a form that others read.
use super::{
    Done, Exit, Failure,
    args::{ReportArgs, ReportFormat},
    bundle::opened,
    output, source,
};
use patuh::{
    bundle::{Interim, open, open::is_zip, payload},
    model::declarations::{Laboratory, laboratory},
    report::{self, Report, Standing},
};

pub fn run(a: &ReportArgs) -> Done {
    if matches!(a.format, ReportFormat::Pcapng) {
        return pcapng(a);
    }
    let sealed = a.source.join("bagit.txt").exists() || is_zip(&a.source);
    if !a.profile.is_empty() || !sealed {
        return unsealed(a);
    }
    // Judged again just now, never read from the file.
    let bundle = open(&a.source).map_err(|e| Failure::new(Exit::BadInput, e.to_string()))?;
    let standing = if bundle.interim() == Interim::Yes { Standing::Interim } else { Standing::Sealed };
    let replaces = bundle.from.supersedes.as_ref().map(|s| (s.bundle_id.as_str(), s.reason.as_str()));
    let (recording, assessments) = (bundle.recording(), bundle.assessments());
    let laboratory = bundle.from.laboratory.as_deref().map(tested_by).transpose()?;
    show(a, &Report { recording, assessments, standing, replaces, laboratory: laboratory.as_ref() })
}

/// A report of a recording that is in no bundle yet, under the named profiles (or all).
fn unsealed(a: &ReportArgs) -> Done {
    let names = if a.profile.is_empty() { vec![source::ALL.to_owned()] } else { a.profile.clone() };
    let recording = source::recording(&a.source)?;
    let profiles = source::profiles_on(&names, &source::Day::of(&recording, a.as_of)?)?;
    let (ics, ixit) = (source::ics(None, &a.source)?, source::ixit(None, &a.source)?);
    let said = source::attestations(&a.source)?;
    let all = super::judge::all_attested(&recording, ics.as_ref(), ixit.as_ref(), said.as_ref(), &profiles);
    let beside = a.source.join(laboratory::FILE);
    let laboratory = beside.exists().then(|| tested_by(&source::read(&beside)?)).transpose()?;
    let (standing, laboratory) = (Standing::Unsealed, laboratory.as_ref());
    show(a, &Report { recording: &recording, assessments: &all, standing, replaces: None, laboratory })
}

/// What the laboratory says of itself.
fn tested_by(bytes: &[u8]) -> Result<Laboratory, Failure> {
    let read = payload::read(laboratory::FILE, bytes, Laboratory::parse);
    Ok(read.map_err(|e| Failure::new(Exit::BadInput, e.to_string()))?.value)
}

fn show(a: &ReportArgs, report: &Report<'_>) -> Done {
    let ours = |e: report::ReportError| Failure::new(Exit::Ours, e.to_string());
    let text = match a.format {
        ReportFormat::Html => report::html(report).map_err(ours)?,
        ReportFormat::Json => report::json(report.assessments),
        ReportFormat::Text => report.assessments.iter().map(report::text).collect::<Vec<_>>().join("\n"),
        ReportFormat::Csv => report::csv(report.assessments),
        ReportFormat::Junit => report::junit(report).map_err(ours)?,
        ReportFormat::Sarif => report::sarif(report, a.sarif_anchor.as_deref()),
        ReportFormat::Cyclonedx => report::cyclonedx(report),
        ReportFormat::Oscal => return oscal(a, report),
        ReportFormat::Pdf => return pdf(a, report),
        // Packets are of the recording alone; see `run_report`.
        ReportFormat::Pcapng => return pcapng(a),
    };
    match &a.out {
        None => output::result(&text)?,
        Some(path) => output::file(path, text.as_bytes())?,
    }
    Ok(Exit::Passed)
}

/// What was said over each connection, whoever judges it.
fn pcapng(a: &ReportArgs) -> Done {
    let Some(path) = &a.out else {
        return Err(Failure::new(Exit::Usage, "--format pcapng is no text; name a file with --out FILE"));
    };
    let source = opened(&a.source)?;
    let bad = |e: String| Failure::new(Exit::BadInput, format!("{}: {e}", a.source.display()));
    let transcripts = source.from.transcripts.to_vec().map_err(|e| bad(e.to_string()))?;
    let packets = report::pcapng(source.recording(), &transcripts).map_err(|e| bad(e.to_string()))?;
    output::file(path, &packets)?;
    Ok(Exit::Passed)
}

fn pdf(a: &ReportArgs, report: &Report<'_>) -> Done {
    let Some(path) = &a.out else {
        return Err(Failure::new(Exit::Usage, "--format pdf is no text; name a file with --out FILE"));
    };
    let ours = |e: report::ReportError| Failure::new(Exit::Ours, e.to_string());
    output::file(path, &report::pdf(report).map_err(ours)?)?;
    Ok(Exit::Passed)
}

/// OSCAL is four files that refer to each other, so that it needs a directory.
fn oscal(a: &ReportArgs, report: &Report<'_>) -> Done {
    let Some(dir) = &a.out else {
        let message = "--format oscal writes four files; name a directory with --out DIR";
        return Err(Failure::new(Exit::Usage, message));
    };
    std::fs::create_dir_all(dir).map_err(|e| Failure::new(Exit::Io, format!("`{}`: {e}", dir.display())))?;
    for (name, text) in report::oscal(report) {
        output::file(&dir.join(name), text.as_bytes())?;
    }
    Ok(Exit::Passed)
}
