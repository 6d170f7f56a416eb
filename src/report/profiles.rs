//! Profiles for people: the crosswalk and two profiles side by side.
use super::{
    html::{ReportError, environment},
    text::Page,
};
use crate::judge::profile::{
    compare::{Comparison, Difference, Only, Side, Via},
    crosswalk::{Crosswalk, Entry},
};
use minijinja::context;
use std::fmt::Write;

fn entries(cell: &[Entry]) -> String {
    cell.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// At most 100 columns: per row, who asks it under which number.
pub fn crosswalk_text(c: &Crosswalk) -> String {
    let mut page = Page::default();
    page.put("", "Where the requirements of each profile stand on the common list: the provisions of EN 303 645 V3.1.3 and the topics that schemes add. Our own reading, not official.");
    for row in &c.rows {
        page.head(&format!("{}  {}", row.id, row.text));
        for (p, cell) in c.profiles.iter().zip(&row.cells).filter(|(_, cell)| !cell.is_empty()) {
            page.put("  ", &format!("{}: {}", p.id, entries(cell)));
        }
    }
    page.0
}

/// One line per row, one column per profile.
pub fn crosswalk_csv(c: &Crosswalk) -> String {
    let quote = |f: &str| {
        // A leading = + - @ would be a formula to a spreadsheet.
        let guard = if f.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
        format!("\"{guard}{}\"", f.replace('"', "\"\""))
    };
    let mut out = "row,meaning".to_owned();
    for p in &c.profiles {
        let _ = write!(out, ",{}", p.id);
    }
    out.push_str("\r\n");
    for row in &c.rows {
        let _ = write!(out, "{},{}", quote(row.id), quote(row.text));
        for cell in &row.cells {
            let _ = write!(out, ",{}", quote(&entries(cell)));
        }
        out.push_str("\r\n");
    }
    out
}

/// One page that needs no network and no script.
pub fn crosswalk_html(c: &Crosswalk) -> Result<String, ReportError> {
    let env = environment("crosswalk.html", include_str!("crosswalk.html.j2"))?;
    let rows: Vec<_> = c
        .rows
        .iter()
        .map(|r| context! { id => r.id, text => r.text, cells => r.cells.iter().map(|x| entries(x)).collect::<Vec<_>>() })
        .collect();
    Ok(env.get_template("crosswalk.html")?.render(context! { profiles => c.profiles, rows => rows })?)
}

pub fn compare_text(c: &Comparison) -> String {
    let mut page = Page::default();
    for (letter, side) in [("A", &c.a), ("B", &c.b)] {
        page.put("", &head(letter, side));
    }
    if !c.recognition.is_empty() {
        page.head("recognition");
        c.recognition.iter().for_each(|r| page.put("  ", &r.to_string()));
    }
    page.head(&format!("correspond ({})", c.corresponding.len()));
    for p in &c.corresponding {
        let via = match p.via {
            Via::Provisions | Via::Topics => "",
            Via::Checks => "by checks ",
        };
        page.put("  ", &format!("{} ~ {}  {via}({})", p.a, p.b, p.shared.join(", ")));
    }
    for (side, only) in [(&c.a, &c.only_a), (&c.b, &c.only_b)] {
        page.head(&format!("only in {} ({})", side.id, only.len()));
        only.iter().for_each(|o: &Only| page.put("  ", &format!("{} {}", o.id, o.text)));
    }
    page.head(&format!("parameters that differ ({})", c.parameters.len()));
    for d in &c.parameters {
        page.put("  ", &difference(d));
    }
    if let Some(v) = &c.verdicts {
        page.head(&format!("verdicts: {} {}, {} {}", c.a.id, v.a, c.b.id, v.b));
        for standing in [&v.a_standing, &v.b_standing].into_iter().filter(|s| *s != "in force") {
            page.put("  ", standing);
        }
        for d in &v.differing {
            page.put("  ", &format!("{} {} but {} {}", d.a, d.a_outcome, d.b, d.b_outcome));
        }
    }
    page.0
}

fn head(letter: &str, s: &Side) -> String {
    let to = s.valid_to.as_ref().map_or_else(String::new, |d| format!(" to {d}"));
    format!(
        "{letter}  {}, level {}: {} ({}; valid from {}{to}; {} requirements; confidence {})",
        s.id, s.level, s.title, s.edition, s.valid_from, s.requirements, s.confidence
    )
}

fn difference(d: &Difference) -> String {
    let shown = |v: &Option<String>| v.clone().unwrap_or_else(|| "not set".to_owned());
    format!("{}: {}: {} / {}", d.of, d.name, shown(&d.a), shown(&d.b))
}
