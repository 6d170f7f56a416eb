//! An assessment for the terminal: what fails comes first, and every requirement is named once.
use super::case::named;
use crate::judge::{
    Assessment,
    assess::{CheckRow, Outcome, RequirementRow},
};
use crate::model::observation::clean;

pub(super) const WIDTH: usize = 100;

/// What needs somebody to act, most urgent first; then the rest.
const ORDER: [Outcome; 5] =
    [Outcome::Fail, Outcome::Inconclusive, Outcome::AwaitingAssessor, Outcome::Pass, Outcome::NotApplicable];

/// At most 100 columns, no colour, a newline at the end.
pub fn text(a: &Assessment) -> String {
    let mut page = Page::default();
    let p = &a.profile;
    page.put("", &format!("{} ({}, level {}, edition {})", p.title, p.id, p.level, p.edition));
    page.put("", &format!("verdict: {}", a.verdict.word()));
    let c = &a.counts;
    let counts = format!(
        "requirements: {} pass, {} fail, {} inconclusive, {} not applicable, {} awaiting assessor",
        c.pass, c.fail, c.inconclusive, c.not_applicable, c.awaiting_assessor
    );
    page.put("", &counts);
    page.put("", &p.disclaimer);
    if p.standing != "in force" {
        page.put("", &p.standing);
    }
    for outcome in ORDER {
        let rows: Vec<_> = a.requirements.iter().filter(|r| r.outcome == outcome).collect();
        if !rows.is_empty() {
            page.head(&format!("{} ({})", outcome.word(), rows.len()));
            rows.iter().for_each(|r| requirement(&mut page, r));
        }
    }
    for outcome in ORDER {
        let rows: Vec<_> = a.results.iter().filter(|r| r.verdict == outcome).collect();
        if !rows.is_empty() {
            page.head(&format!("checks: {} ({})", outcome.word(), rows.len()));
            rows.iter().for_each(|r| check(&mut page, r));
        }
    }
    if !a.contradictions.is_empty() {
        page.head(&format!("declared otherwise than observed ({})", a.contradictions.len()));
        for c in &a.contradictions {
            page.put("  ", &format!("{}: declared: {}", c.about, c.declared));
            page.labelled("observed", &c.observed);
            page.labelled("evidence", &named(&c.evidence, ", "));
        }
    }
    people(&mut page, a);
    if !a.gaps.is_empty() {
        page.head(&format!("not looked at ({})", a.gaps.len()));
        a.gaps.iter().for_each(|g| page.put("  ", g));
    }
    page.0
}

/// What assessors attested and who waived what, with how it stands.
fn people(page: &mut Page, a: &Assessment) {
    if !a.attestations.is_empty() {
        page.head(&format!("attested ({})", a.attestations.len()));
        for t in &a.attestations {
            let second = t.second.as_ref().map(|s| format!(" and {s}")).unwrap_or_default();
            let until = t.expires.as_ref().map(|d| format!(", until {d}")).unwrap_or_default();
            let head =
                format!("{} {} by {}{second} at {}{until} ({})", t.unit, t.verdict, t.by, t.at, t.standing.word());
            page.put("  ", &head);
            page.labelled("why", &t.why);
            if let Some(file) = &t.attachment {
                page.labelled("attached", &format!("{} {}", file.name, file.sha256));
            }
        }
    }
    if !a.waivers.is_empty() {
        page.head(&format!("waived, which changes no outcome ({})", a.waivers.len()));
        for w in &a.waivers {
            page.put("  ", &format!("{} by {} until {} ({})", w.requirement, w.by, w.expires, w.standing.word()));
            page.labelled("why", &w.why);
        }
    }
}

fn requirement(page: &mut Page, r: &RequirementRow) {
    page.put("  ", &format!("{} [{}] {}", r.id, r.level, r.text));
    if matches!(r.outcome, Outcome::Pass) {
        return;
    }
    r.reasons.iter().for_each(|why| page.put("      ", why));
    if r.outcome == Outcome::AwaitingAssessor && !r.attest.is_empty() {
        page.put("      ", &format!("to do: {}", r.attest));
    }
}

fn check(page: &mut Page, r: &CheckRow) {
    let severity = format!("{:?}", r.severity).to_lowercase();
    page.put("  ", &format!("{} ({severity}): {}", r.check, r.title));
    if !matches!(r.verdict, Outcome::Fail | Outcome::Inconclusive) {
        return;
    }
    page.labelled("expected", r.expected);
    page.labelled("observed", &r.observed);
    page.labelled("subjects", &named(&r.subjects, ", "));
    page.labelled("evidence", &named(&r.evidence, ", "));
    page.labelled("missing", &r.gaps.join("; "));
    for e in r.entries.iter().filter(|e| e.verdict != Outcome::Pass) {
        page.labelled(&format!("{} {}", e.table, e.entry), &format!("{}: {}", e.verdict.word(), e.observed));
    }
    page.labelled("remedy", r.remedy);
}

#[derive(Default)]
pub(super) struct Page(pub(super) String);

impl Page {
    pub(super) fn head(&mut self, title: &str) {
        self.0.push('\n');
        self.put("", title);
    }

    pub(super) fn labelled(&mut self, label: &str, value: &str) {
        if !value.is_empty() {
            self.put("      ", &format!("{label}: {value}"));
        }
    }

    /// One paragraph, wrapped; its later lines stand two columns further in.
    pub(super) fn put(&mut self, indent: &str, paragraph: &str) {
        let mut line = indent.to_owned();
        let mut empty = true;
        for word in clean(paragraph, usize::MAX).split_whitespace().flat_map(|w| cut(w, WIDTH - indent.len() - 2)) {
            let space = usize::from(!empty);
            if !empty && line.chars().count() + space + word.chars().count() > WIDTH {
                self.line(&line);
                line = format!("{indent}  ");
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(&word);
            empty = false;
        }
        if !empty {
            self.line(&line);
        }
    }

    pub(super) fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }
}

/// A word in pieces of at most `most` characters.
fn cut(word: &str, most: usize) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    letters.chunks(most.max(1)).map(|c| c.iter().collect()).collect()
}
