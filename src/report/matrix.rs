//! Many regions from one recording: each row of the common list against each profile, and what to fix first.
use super::{
    html::{ReportError, environment},
    text::{Page, WIDTH},
};
use crate::judge::{
    Assessment,
    assess::{CheckRow, Outcome, RequirementRow, tool},
    check::Severity,
    profile::common,
};
use crate::model::Recording;
use minijinja::context;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Serialize)]
pub struct Matrix<'a> {
    pub columns: Vec<Column<'a>>,
    pub rows: Vec<Row<'a>>,
    pub fixes: Vec<Fix<'a>>,
}

#[derive(Debug, Serialize)]
pub struct Column<'a> {
    pub number: usize,
    pub a: &'a Assessment,
}

#[derive(Debug, Serialize)]
pub struct Row<'a> {
    /// Of the common list, or a requirement's own where it stands on no row.
    pub id: &'a str,
    pub text: &'a str,
    /// One per column; `None`: not asked.
    pub cells: Vec<Option<Cell<'a>>>,
}

#[derive(Debug, Serialize)]
pub struct Cell<'a> {
    pub outcome: Outcome,
    pub mandatory: Mandatory,
    pub cause: Cause,
    pub requirements: Vec<&'a str>,
}

/// A requirement that stands on several rows may fail for the sake of one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    Elsewhere,
    Here,
}

/// Whether a failure here fails the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mandatory {
    Yes,
    No,
}

/// A failing check, the profiles that it fails, and those that no failure is left in once it and all above it are mended.
#[derive(Debug, Serialize)]
pub struct Fix<'a> {
    pub check: &'static str,
    pub title: &'static str,
    pub severity: Severity,
    pub remedy: &'static str,
    pub observed: &'a str,
    pub blocks: Vec<&'a str>,
    pub frees: Vec<&'a str>,
}

pub fn matrix(all: &[Assessment]) -> Matrix<'_> {
    let columns: Vec<Column<'_>> = all.iter().enumerate().map(|(n, a)| Column { number: n + 1, a }).collect();
    let common = common::list().iter().map(|row| Row {
        id: row.id,
        text: row.text,
        cells: all.iter().map(|a| cell(a, row.id, |r| r.provisions.iter().any(|p| p == row.id))).collect(),
    });
    let mut rows: Vec<Row<'_>> = common.collect();
    rows.extend(all.iter().enumerate().flat_map(|(n, a)| {
        let own = a.requirements.iter().filter(|r| r.provisions.is_empty());
        own.map(move |own| {
            let here = |(m, a)| if m == n { cell(a, "", |r| r.id == own.id) } else { None };
            Row { id: &own.id, text: &own.text, cells: all.iter().enumerate().map(here).collect() }
        })
    }));
    rows.retain(|r| r.cells.iter().any(Option::is_some));
    Matrix { columns, rows, fixes: fixes(all) }
}

/// The most urgent of several requirements on one row; a failing recommendation does not hide a mandatory one.
fn cell<'a>(a: &'a Assessment, row: &str, on_row: impl Fn(&RequirementRow) -> bool) -> Option<Cell<'a>> {
    let here: Vec<&RequirementRow> = a.requirements.iter().filter(|r| on_row(r)).collect();
    let worst = here.iter().max_by_key(|r| (r.level == "M", urgency(r.outcome), cause(a, r, row)))?;
    Some(Cell {
        outcome: worst.outcome,
        mandatory: if worst.level == "M" { Mandatory::Yes } else { Mandatory::No },
        cause: cause(a, worst, row),
        requirements: here.iter().map(|r| r.id.as_str()).collect(),
    })
}

/// Whether what fails a requirement concerns this row. Where that cannot be told, every provision of it is shown to fail.
fn cause(a: &Assessment, r: &RequirementRow, row: &str) -> Cause {
    if r.outcome != Outcome::Fail || r.provisions.len() < 2 {
        return Cause::Here;
    }
    let failing = a.results.iter().filter(|c| c.verdict == Outcome::Fail && r.results.iter().any(|id| id == c.check));
    let concerned = |check: &str| r.provisions.iter().any(|p| common::concerns(check, p));
    let here = failing
        .map(|c| c.check)
        .any(|check| common::concerns(check, row) || !concerned(check) && !common::is_topic(row));
    let only_topics = r.provisions.iter().all(|p| common::is_topic(p));
    if here || only_topics { Cause::Here } else { Cause::Elsewhere }
}

fn urgency(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::NotApplicable => 0,
        Outcome::Pass => 1,
        Outcome::AwaitingAssessor => 2,
        Outcome::Inconclusive => 3,
        Outcome::Fail => 4,
    }
}

/// The failing checks that stand behind a mandatory requirement that fails.
fn blockers(a: &Assessment) -> impl Iterator<Item = &CheckRow> {
    let failing = |r: &&RequirementRow| r.level == "M" && r.outcome == Outcome::Fail;
    let named: BTreeSet<&str> =
        a.requirements.iter().filter(failing).flat_map(|r| r.results.iter().map(String::as_str)).collect();
    a.results.iter().filter(move |c| c.verdict == Outcome::Fail && named.contains(c.check))
}

fn fixes(all: &[Assessment]) -> Vec<Fix<'_>> {
    let mut found: BTreeMap<&str, Fix<'_>> = BTreeMap::new();
    for a in all {
        for c in blockers(a) {
            let fix = found.entry(c.check).or_insert_with(|| Fix {
                check: c.check,
                title: c.title,
                severity: c.severity,
                remedy: c.remedy,
                observed: &c.observed,
                blocks: Vec::new(),
                frees: Vec::new(),
            });
            fix.blocks.push(&a.profile.id);
        }
    }
    let mut fixes: Vec<Fix<'_>> = found.into_values().collect();
    fixes.sort_by_key(|f| (std::cmp::Reverse((f.blocks.len(), f.severity)), f.check));
    let mut mended = BTreeSet::new();
    for fix in &mut fixes {
        mended.insert(fix.check);
        let freed = all.iter().filter(|a| {
            let left: Vec<&str> = blockers(a).map(|c| c.check).collect();
            left.contains(&fix.check) && left.iter().all(|c| mended.contains(c))
        });
        fix.frees = freed.map(|a| a.profile.id.as_str()).collect();
    }
    fixes
}

/// At most 100 columns, no colour.
pub fn text(all: &[Assessment]) -> String {
    let m = matrix(all);
    let mut page = Page::default();
    let as_of = all.first().map(|a| a.as_of.as_str()).unwrap_or_default();
    page.put("", &format!("{} profiles, judged from one recording of {as_of}", m.columns.len()));
    page.0.push('\n');
    for c in &m.columns {
        let (p, n) = (&c.a.profile, &c.a.counts);
        page.line(&format!(
            "{:>3}  {:<20} {:<13} {:>3} pass {:>3} fail {:>3} inconclusive {:>3} to attest",
            c.number,
            format!("{} {}", p.id, if p.level == "baseline" { "" } else { &p.level }),
            c.a.verdict.word(),
            n.pass,
            n.fail,
            n.inconclusive,
            n.awaiting_assessor
        ));
        if p.standing != "in force" {
            page.put("     ", &p.standing);
        }
    }
    page.0.push('\n');
    page.line("F fails   o its requirement fails for another row   f fails a recommendation   ? inconclusive");
    page.line("a awaits an assessor   P passes   - declared not applicable   . not asked");
    for block in blocks(m.columns.len()) {
        grid(&mut page, &m, block);
    }
    first(&mut page, &m.fixes, all.len());
    page.0.push('\n');
    page.put("", "Each profile is an unofficial reading and gives no right to a label. One in full: `patuh judge RECORDING --profile ID`; what a row asks: `patuh explain ROW`.");
    page.0
}

const LABEL: usize = 16;
const CELL: usize = 3;

/// Columns that fit side by side.
fn blocks(columns: usize) -> Vec<std::ops::Range<usize>> {
    let most = (WIDTH - LABEL) / CELL;
    (0..columns.div_ceil(most)).map(|n| n * most..columns.min((n + 1) * most)).collect()
}

fn grid(page: &mut Page, m: &Matrix<'_>, block: std::ops::Range<usize>) {
    page.0.push('\n');
    let numbers = m.columns.iter().filter(|c| block.contains(&(c.number - 1)));
    page.line(&format!("{:<LABEL$}{}", "", numbers.map(|c| format!("{:>CELL$}", c.number)).collect::<String>()));
    let left = WIDTH - LABEL - block.len() * CELL - 2;
    for row in &m.rows {
        let cells = row.cells.iter().enumerate().filter(|(n, _)| block.contains(n));
        let marks: String = cells.map(|(_, c)| format!("{:>CELL$}", c.as_ref().map_or('.', mark))).collect();
        let id: String = row.id.chars().take(LABEL - 1).collect();
        let text: String = row.text.chars().take(left).collect();
        let cut = if row.text.chars().count() > left { "~" } else { "" };
        let text = if left < 12 {
            String::new()
        } else {
            format!("  {}{cut}", text.chars().take(left - 1).collect::<String>())
        };
        page.line(format!("{id:<LABEL$}{marks}{text}").trim_end());
    }
}

fn mark(cell: &Cell<'_>) -> char {
    match (cell.outcome, cell.mandatory, cell.cause) {
        (Outcome::Fail, _, Cause::Elsewhere) => 'o',
        (Outcome::Fail, Mandatory::Yes, Cause::Here) => 'F',
        (Outcome::Fail, Mandatory::No, Cause::Here) => 'f',
        (Outcome::Inconclusive, ..) => '?',
        (Outcome::AwaitingAssessor, ..) => 'a',
        (Outcome::Pass, ..) => 'P',
        (Outcome::NotApplicable, ..) => '-',
    }
}

fn first(page: &mut Page, fixes: &[Fix<'_>], of: usize) {
    if fixes.is_empty() {
        page.head("Nothing that was checked stands against any of these profiles; what is open is for an assessor.");
        return;
    }
    page.head("what to fix first to gain most labels");
    for (n, f) in fixes.iter().enumerate() {
        let severity = format!("{:?}", f.severity).to_lowercase();
        page.put(
            "",
            &format!(
                "{:>2}. {} ({severity}) fails {} of {of}: {}",
                n + 1,
                f.check,
                f.blocks.len(),
                f.blocks.join(", ")
            ),
        );
        page.put("      ", &format!("observed: {}", f.observed));
        page.put("      ", &format!("remedy: {}", f.remedy));
        if !f.frees.is_empty() {
            page.put("      ", &format!("with those above: no failure is left in {}", f.frees.join(", ")));
        }
    }
}

/// The same as one page that needs no network and no script.
pub fn html(recording: &Recording, all: &[Assessment]) -> Result<String, ReportError> {
    let env = environment("matrix.html", include_str!("matrix.html.j2"))?;
    let m = matrix(all);
    Ok(env.get_template("matrix.html")?.render(context! {
        header => recording.header,
        as_of => recording.as_of(),
        recording_digest => recording.digest.to_string(),
        gaps => recording.gaps().iter().map(ToString::to_string).collect::<Vec<_>>(),
        tool => tool(),
        columns => m.columns,
        rows => m.rows,
        fixes => m.fixes,
    })?)
}
