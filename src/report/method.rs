//! The table of a test method, for people and for spreadsheets.
use super::{csv::quoted, text::Page};
use crate::{
    judge::profile::table::{Decided, Needs, Network, Pass, Row, Table},
    model::Touch,
};
use std::collections::BTreeSet;

/// At most 100 columns: per unit, what decides it and what that needs.
pub fn text(table: &Table) -> String {
    let mut page = Page::default();
    let (m, c) = (&table.method, &table.counts);
    page.put("", &format!("{} ({}; confidence {})", m.title, m.source, m.confidence));
    page.put(
        "",
        &format!(
            "{} test units: {} decided by checks, {} by an assessor, {} by the unit that they repeat",
            c.units, c.checks, c.assessor, c.repeats
        ),
    );
    page.put(
        "",
        &format!(
            "{} concern the network: checks find violations of {}; {} of these pass without a person",
            c.network, c.network_checks, c.network_alone
        ),
    );
    for row in &table.units {
        let network = row.network.map(|n| format!("; network, {}", n.word())).unwrap_or_default();
        page.head(&format!("{}  {}{network}: {}", row.unit, row.kind, row.does));
        page.put("  ", &decided(&row.decided));
        if let Some(step) = step(&row.decided) {
            let who = match &row.decided {
                Decided::Checks { pass: Pass::Alone, .. } => "without those inputs, an assessor",
                Decided::Checks { .. } | Decided::Assessor { .. } | Decided::Unit { .. } => "assessor",
            };
            page.put("  ", &format!("{who}: {step}"));
        }
        let needs = needs(&row.inputs);
        if !needs.is_empty() {
            page.put("  ", &format!("needs: {}", needs.join("; ")));
        }
    }
    page.0
}

fn decided(by: &Decided) -> String {
    match by {
        Decided::Checks { checks, decides, pass, .. } => {
            let all = checks.join(", ");
            match pass {
                Pass::Alone if !decides.is_empty() => {
                    let others: Vec<&str> = checks.iter().filter(|c| !decides.contains(c)).copied().collect();
                    let others = match others.is_empty() {
                        true => String::new(),
                        false => format!("; violations are found by {}, too", others.join(", ")),
                    };
                    format!("decided by {}{others}", decides.join(", "))
                }
                Pass::Alone => format!("decided by {all}"),
                Pass::Completed => format!("checks: {all} (they find violations; an assessor completes a pass)"),
            }
        }
        Decided::Assessor { .. } => "decided by an assessor".to_owned(),
        Decided::Unit { repeats } => format!("repeats {repeats} and takes its verdict"),
    }
}

fn step(by: &Decided) -> Option<&'static str> {
    match by {
        Decided::Checks { step, .. } => *step,
        Decided::Assessor { step } => Some(step),
        Decided::Unit { .. } => None,
    }
}

fn needs(n: &Needs) -> Vec<String> {
    let tables: BTreeSet<&str> = n.ixit.iter().chain(&n.read).copied().collect();
    let tables: Vec<&str> = n.ixit.iter().copied().chain(tables.into_iter().filter(|t| !n.ixit.contains(t))).collect();
    let mut all = Vec::new();
    if !tables.is_empty() {
        all.push(format!("IXIT {}", tables.join(", ")));
    }
    if !n.probes.is_empty() {
        all.push(format!("probes {}", joined(&n.probes)));
    }
    if let Some(touch) = n.touch {
        all.push(format!("a scope that allows `{}`", touch_word(touch)));
    }
    if n.samples > 1 {
        all.push(format!("{} devices or more", n.samples));
    }
    all
}

fn joined(words: &BTreeSet<&str>) -> String {
    words.iter().copied().collect::<Vec<_>>().join(", ")
}

/// As `--most` takes it.
fn touch_word(touch: Touch) -> &'static str {
    match touch {
        Touch::Listen => "listen",
        Touch::Connect => "connect",
        Touch::Ask => "ask",
        Touch::LogIn => "log-in",
        Touch::Stress => "stress",
        Touch::Alter => "alter",
    }
}

/// One `method-table/1` object.
pub fn json(table: &Table) -> String {
    // Plain data with text keys: writing it to memory cannot fail.
    serde_json::to_string_pretty(table).unwrap_or_default() + "\n"
}

const HEAD: &str = "unit,case,kind,network,does,decided by,checks,without a person,repeats,step,ixit,tables read,probes,touch,samples\r\n";

/// One line per unit, RFC 4180.
pub fn csv(table: &Table) -> String {
    let mut out = HEAD.to_owned();
    for row in &table.units {
        let line: Vec<String> = cells(row).iter().map(|f| quoted(f)).collect();
        out.push_str(&line.join(","));
        out.push_str("\r\n");
    }
    out
}

fn cells(row: &Row) -> [String; 15] {
    let (by, checks, alone, repeats) = match &row.decided {
        Decided::Checks { checks, pass, .. } => {
            ("checks", checks.join(" "), if *pass == Pass::Alone { "yes" } else { "no" }, "")
        }
        Decided::Assessor { .. } => ("assessor", String::new(), "", ""),
        Decided::Unit { repeats } => ("unit", String::new(), "", *repeats),
    };
    let n = &row.inputs;
    [
        row.unit.to_owned(),
        row.case.to_owned(),
        row.kind.to_owned(),
        row.network.map(Network::word).unwrap_or_default().to_owned(),
        row.does.to_owned(),
        by.to_owned(),
        checks,
        alone.to_owned(),
        repeats.to_owned(),
        step(&row.decided).unwrap_or_default().to_owned(),
        n.ixit.join(" "),
        joined(&n.read).replace(", ", " "),
        joined(&n.probes).replace(", ", " "),
        n.touch.map(touch_word).unwrap_or_default().to_owned(),
        n.samples.to_string(),
    ]
}
