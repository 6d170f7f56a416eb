//! What one profile came to: its requirements, what people said, and every check.
use super::{
    html::Section,
    ink, line,
    sheet::{BODY, Cell, Column, INK, SMALL, Sheet, cell, strong},
    shown, word,
};
use crate::judge::{
    Assessment,
    assess::{CheckRow, Outcome, RequirementRow},
    check::EntryRow,
};
use crate::report::case::named;

pub(super) fn profile(sheet: &mut Sheet, s: &Section<'_>) {
    let (a, p) = (s.a, &s.a.profile);
    sheet.heading(2, &shown(&format!("{}: {}", p.title, word(a.verdict))), ink(a.verdict));
    let named = format!("Profile {}, level {}, edition {}, sha256:{}", p.id, p.level, p.edition, p.sha256);
    sheet.paragraph(&shown(&named), SMALL);
    let counts: Vec<String> =
        s.bar.iter().map(|b| format!("{} {}", b.count, b.word.to_lowercase().replace('_', " "))).collect();
    sheet.paragraph(&format!("{} requirements: {}.", s.total, counts.join(", ")), BODY);
    sheet.heading(3, "Requirements", INK);
    let columns = [
        Column { head: "Id", share: 0.09 },
        Column { head: "Requirement", share: 0.25 },
        Column { head: "Level", share: 0.06 },
        Column { head: "Outcome", share: 0.13 },
        Column { head: "Reasons", share: 0.47 },
    ];
    let rows: Vec<_> = a.requirements.iter().map(requirement).collect();
    sheet.table("M is mandatory, R is recommended. Requirements in our own words.", &columns, &rows);
    said(sheet, a);
    sheet.heading(3, "Check results", INK);
    for c in &s.results {
        result(sheet, c);
    }
}

fn requirement(r: &RequirementRow) -> Vec<Cell> {
    let mut reasons: Vec<String> = r.reasons.iter().map(|w| shown(w)).collect();
    if !r.attest.is_empty() && r.outcome == Outcome::AwaitingAssessor {
        reasons.push(shown(&format!("To do: {}", r.attest)));
    }
    if !r.results.is_empty() {
        reasons.push(format!("Checks: {}", r.results.join(", ")));
    }
    let reasons = reasons.into_iter().flat_map(cell).collect();
    vec![
        strong(shown(&r.id), INK),
        cell(shown(&r.text)),
        cell(r.level),
        strong(word(r.outcome), ink(r.outcome)),
        reasons,
    ]
}

/// What the maker declared and what people judged.
fn said(sheet: &mut Sheet, a: &Assessment) {
    let contradictions = a.contradictions.iter().map(|c| {
        let evidence = if c.evidence.is_empty() { String::new() } else { format!(" ({})", named(&c.evidence, ", ")) };
        format!("{}: declared {}; observed: {}{evidence}", c.about, c.declared, c.observed)
    });
    let attested = a.attestations.iter().map(|t| {
        let second = t.second.as_ref().map(|s| format!(" and {s}")).unwrap_or_default();
        let until = t.expires.as_ref().map(|d| format!(", until {d}")).unwrap_or_default();
        let kept = t.attachment.as_ref().map(|f| format!(" [{} {}]", f.name, f.sha256)).unwrap_or_default();
        format!(
            "{}: {} by {}{second}, {}{until} ({}): {}{kept}",
            t.unit,
            t.verdict,
            t.by,
            t.at,
            t.standing.word(),
            t.why
        )
    });
    let waived = a.waivers.iter().map(|w| {
        let (r, by, at, until) = (&w.requirement, &w.by, &w.at, &w.expires);
        format!("{r} by {by}, {at}, until {until} ({}), which changes no outcome: {}", w.standing.word(), w.why)
    });
    let lists: [(&str, Vec<String>); 3] = [
        ("Declared otherwise than observed", contradictions.collect()),
        ("Attested", attested.collect()),
        ("Waived", waived.collect()),
    ];
    for (head, lines) in lists {
        if !lines.is_empty() {
            sheet.heading(3, head, INK);
            sheet.list(&lines.iter().map(|l| shown(l)).collect::<Vec<_>>());
        }
    }
}

fn result(sheet: &mut Sheet, c: &CheckRow) {
    sheet.heading(4, &shown(&format!("{}: {}", word(c.verdict), c.title)), ink(c.verdict));
    let severity = format!("{:?}", c.severity).to_lowercase();
    let about = |what: &str, ids: &[String]| {
        if ids.is_empty() { String::new() } else { format!(", {what} {}", ids.join(", ")) }
    };
    let heading =
        format!("{}, severity {severity}{}{}", c.check, about("for", &c.requirements), about("units", &c.units));
    let observed = if c.reasons.is_empty() {
        line(if c.observed.is_empty() { "nothing" } else { &c.observed })
    } else {
        c.reasons.iter().flat_map(line).collect()
    };
    let mut rows = vec![("Check", line(heading)), ("Expected", line(c.expected)), ("Observed", observed)];
    let lists = [
        ("Subjects", named(&c.subjects, ", ")),
        ("Evidence", named(&c.evidence, ", ")),
        ("Missing", c.gaps.join("; ")),
    ];
    rows.extend(lists.into_iter().filter(|(_, all)| !all.is_empty()).map(|(label, all)| (label, line(all))));
    if !c.entries.is_empty() {
        let entry = |e: &EntryRow| line(format!("{} {}: {}, {}", e.table, e.entry, word(e.verdict), e.observed));
        rows.push(("Declared entries", c.entries.iter().flat_map(entry).collect()));
    }
    if matches!(c.verdict, Outcome::Fail | Outcome::Inconclusive) {
        rows.push(("Remedy", line(c.remedy)));
    }
    sheet.terms(&rows);
}
