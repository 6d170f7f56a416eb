//! The report for paper and archives: what the page says, as tagged PDF/A-2a that reads aloud (PDF/UA-1).
//!
//! The document's date and name come from the recording, so that the same report gives the same bytes.
mod draw;
mod face;
mod profile;
mod sheet;
mod table;

use super::{
    html::{self, Report, ReportError, Section, Standing},
    page::Tables,
};
use crate::judge::assess::{Outcome, tool};
use crate::model::{Sha256Digest, observation::clean};
use face::Face;
use krilla::metadata::{DateTime, Metadata};
use profile::profile;
use sheet::{BODY, Column, INK, Rgb, SMALL, Sheet, Style, cell, strong};

/// Why no document could be made.
pub(super) struct Failed(String);

impl From<Failed> for ReportError {
    fn from(Failed(why): Failed) -> Self {
        Self(why)
    }
}

pub fn pdf(report: &Report<'_>) -> Result<Vec<u8>, ReportError> {
    let face = |bytes| Face::new(bytes).ok_or_else(|| Failed("a font cannot be read".to_owned()));
    let regular = face(dejavu::sans_condensed::regular())?;
    let mut sheet = Sheet::new(regular, face(dejavu::sans_condensed::bold())?);
    let title = format!("Conformance report: {}", shown(&report.recording.header.targets.join(", ")));
    first(&mut sheet, report, &title);
    let sections: Vec<Section<'_>> =
        report.assessments.iter().enumerate().map(|(n, a)| html::section(n + 1, a)).collect();
    uncovered(&mut sheet, report, &sections);
    judged(&mut sheet, report);
    for s in &sections {
        profile(&mut sheet, s);
    }
    evidence(&mut sheet, report, &sections);
    verifying(&mut sheet, report);
    Ok(draw::draw(sheet, &title, metadata(report, &title)?)?)
}

/// Hidden characters are shown as `.`.
fn shown(text: &str) -> String {
    clean(text, usize::MAX)
}

fn ink(outcome: Outcome) -> Rgb {
    match outcome {
        Outcome::Pass => (0x0b, 0x6b, 0x3a),
        Outcome::Fail => (0xa8, 0x07, 0x1a),
        Outcome::Inconclusive => (0x7a, 0x4b, 0x00),
        Outcome::AwaitingAssessor => (0x0b, 0x4f, 0x9e),
        Outcome::NotApplicable => (0x4a, 0x55, 0x60),
    }
}

fn word(outcome: Outcome) -> String {
    outcome.word().replace('_', " ")
}

fn metadata(report: &Report<'_>, title: &str) -> Result<Metadata, Failed> {
    let at = report.recording.as_of();
    let time: jiff::Timestamp = at.parse().map_err(|_| Failed(format!("`{at}` is no time")))?;
    let day = jiff::tz::Offset::UTC.to_datetime(time);
    let part = |n: i8| u8::try_from(n).unwrap_or_default();
    let date = DateTime::new(u16::try_from(day.year()).unwrap_or_default())
        .month(part(day.month()))
        .day(part(day.day()))
        .hour(part(day.hour()))
        .minute(part(day.minute()))
        .second(part(day.second()))
        .utc_offset_hour(0);
    let judged = super::json(report.assessments);
    let name = format!("{} {}", report.recording.digest, Sha256Digest::of(judged.as_bytes()));
    Ok(Metadata::new()
        .title(title.to_owned())
        .language("en".to_owned())
        .creator(format!("{} {}", tool().name, tool().version))
        .creation_date(date)
        .document_id(name))
}

fn line(text: impl Into<String>) -> Vec<(String, Style)> {
    vec![(shown(&text.into()), BODY)]
}

fn first(sheet: &mut Sheet, report: &Report<'_>, title: &str) {
    sheet.heading(1, title, INK);
    if let Some((bundle, why)) = report.replaces {
        sheet.note(&shown(&format!("Amended. This bundle replaces {bundle}: {why}")));
    }
    match report.standing {
        Standing::Interim => sheet.note(
            "Interim. This bundle was sealed before everything planned was finished or attested. It is no final result.",
        ),
        Standing::Unsealed => sheet.note("Not sealed. Nothing protects this document against changes."),
        Standing::Sealed => {}
    }
    sheet.heading(2, "Verdicts", INK);
    for a in report.assessments {
        let p = &a.profile;
        let verdict = format!("{}, level {}, edition {}: {}", p.title, p.level, p.edition, word(a.verdict));
        sheet.outcome(&shown(&verdict), ink(a.verdict));
        sheet.paragraph(&shown(&format!("{} Legal status: {}.", p.disclaimer, p.legal_status)), SMALL);
        if p.standing != "in force" {
            sheet.note(&shown(&p.standing));
        }
    }
}

fn judged(sheet: &mut Sheet, report: &Report<'_>) {
    let (recording, header) = (report.recording, &report.recording.header);
    sheet.heading(2, "What was judged", INK);
    let mut rows = vec![
        ("Targets", line(header.targets.join(", "))),
        ("Hosts", line(header.hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))),
        ("Authorised by", line(&header.scope.authorised_by)),
    ];
    rows.extend(html::scope(recording).into_iter().map(|(label, value)| (label, line(value))));
    let ended = match &recording.finished {
        Some(at) => at.clone(),
        None => format!("{} (not finished)", recording.as_of()),
    };
    rows.extend([
        ("Recorded", line(format!("{} to {ended}", header.started))),
        ("Recorded with", line(format!("{} {}", header.tool.name, header.tool.version))),
        ("Judged with", line(format!("{} {}", tool().name, tool().version))),
        ("Recording", line(recording.digest.to_string())),
    ]);
    sheet.terms(&rows);
    if let Some(laboratory) = report.laboratory {
        sheet.heading(3, "By whom, with what", INK);
        let rows: Vec<_> = laboratory.rows().into_iter().map(|(label, value)| (label, line(value))).collect();
        sheet.terms(&rows);
        sheet.paragraph("As the laboratory states it.", SMALL);
    }
}

fn uncovered(sheet: &mut Sheet, report: &Report<'_>, sections: &[Section<'_>]) {
    sheet.heading(2, "What was not covered", INK);
    let gaps: Vec<String> = report.recording.gaps().iter().map(|g| shown(&g.to_string())).collect();
    let awaiting: usize = sections.iter().map(|s| s.awaiting.len()).sum();
    let inconclusive: usize = sections.iter().map(|s| s.inconclusive.len()).sum();
    if gaps.is_empty() && awaiting == 0 && inconclusive == 0 {
        let text = "Everything planned was looked at, and nobody is waited for. What the plan left out is not known to this document.";
        sheet.paragraph(text, BODY);
    } else {
        let counts =
            format!("{} not looked at, {awaiting} awaiting an assessor, {inconclusive} inconclusive.", gaps.len());
        sheet.paragraph(&counts, BODY);
    }
    for s in sections {
        for (what, rows) in [("awaiting an assessor", &s.awaiting), ("inconclusive", &s.inconclusive)] {
            if !rows.is_empty() {
                let ids: Vec<&str> = rows.iter().map(|r| r.id.as_str()).collect();
                sheet.paragraph(&shown(&format!("{}, {what}: {}", s.a.profile.id, ids.join(", "))), BODY);
            }
        }
    }
    if !gaps.is_empty() {
        sheet.list(&gaps);
    }
}

fn evidence(sheet: &mut Sheet, report: &Report<'_>, sections: &[Section<'_>]) {
    sheet.heading(2, "Open endpoints", INK);
    let tables = Tables::of(report.recording, sections);
    if tables.endpoints.is_empty() {
        sheet.paragraph("No open endpoint was recorded. See above for what was not looked at.", BODY);
    } else {
        let columns =
            [("Endpoint", 0.3), ("Service", 0.5), ("Evidence", 0.2)].map(|(head, share)| Column { head, share });
        let row = |e: &html::EndpointRow| {
            let cited = e.evidence.join(", ");
            let services = e.services.iter().flat_map(|s| cell(shown(s))).collect::<Vec<_>>();
            let services = if services.is_empty() { cell("unknown") } else { services };
            vec![
                strong(shown(&e.subject), INK),
                services,
                cell(if e.more == 0 { cited } else { format!("{cited} and {} more", e.more) }),
            ]
        };
        let rows: Vec<_> = tables.endpoints.iter().map(row).collect();
        sheet.table("What answered, and what it says that it is.", &columns, &rows);
        if tables.more_endpoints > 0 {
            let more = format!("And {} endpoints more, which patuh inventory lists.", tables.more_endpoints);
            sheet.paragraph(&more, BODY);
        }
    }
    sheet.heading(2, "Evidence", INK);
    sheet.heading(3, "Probe runs", INK);
    let columns = [("Run", 0.08), ("Probe", 0.28), ("Time", 0.44), ("Records", 0.1), ("Gaps", 0.1)]
        .map(|(head, share)| Column { head, share });
    let row = |r: &html::RunRow| {
        let time = format!("{} to {}", r.started, r.finished.as_deref().unwrap_or("(not finished)"));
        let (records, gaps) = (r.records.to_string(), r.gaps.to_string());
        vec![strong(shown(&r.id), INK), cell(shown(&r.probe)), cell(shown(&time)), cell(records), cell(gaps)]
    };
    let rows: Vec<_> = html::runs(report.recording).iter().map(row).collect();
    let caption = "Every time that something was looked for. A run that found nothing is evidence, too.";
    sheet.table(caption, &columns, &rows);
    sheet.heading(3, "Records", INK);
    let columns = [("Record", 0.09), ("Time", 0.24), ("Subject", 0.19), ("What was seen", 0.3), ("Transcript", 0.18)]
        .map(|(head, share)| Column { head, share });
    let row = |e: &html::EvidenceRow| {
        let transcript = if e.transcript.is_empty() { "none" } else { &e.transcript };
        vec![
            strong(shown(&e.id), INK),
            cell(shown(&e.at)),
            cell(shown(&e.subject)),
            cell(shown(&e.words)),
            cell(transcript),
        ]
    };
    let rows: Vec<_> = tables.records.iter().map(row).collect();
    sheet.table(&tables.caption(), &columns, &rows);
}

fn verifying(sheet: &mut Sheet, report: &Report<'_>) {
    sheet.heading(2, "How to verify", INK);
    if report.standing == Standing::Unsealed {
        sheet.paragraph("This document is about no bundle. Seal the recording first: patuh seal RECORDING --profile ID --out BUNDLE", BODY);
    } else {
        let text = "In the bundle's directory, with stock tools; the laboratory's key comes from your own records (the file \
            allowed_signers), never from the bundle.";
        sheet.paragraph(text, BODY);
        sheet.list(&[
            "sha256sum --strict -c manifest-sha256.txt".to_owned(),
            "sha256sum --strict -c tagmanifest-sha256.txt".to_owned(),
            "sha256sum tagmanifest-sha256.txt, which must be the digest in seal/statement.json".to_owned(),
            "ssh-keygen -Y verify -f allowed_signers -I ID -n patuh-evidence-bundle -s seal/statement.json.sshsig < seal/statement.json".to_owned(),
            "patuh verify BUNDLE --signers allowed_signers, which also judges everything again".to_owned(),
        ]);
    }
    sheet.paragraph("The results relate only to the items tested. End of report.", SMALL);
}
