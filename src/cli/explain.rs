//! `explain`: the page behind any id.
use super::{Done, Exit, Failure, output, source};
use patuh::{
    judge::{
        CHECKS,
        profile::{BUILTIN, Catalogue, Method, common, nearest, steps, thresholds},
    },
    model::declarations::{Edition, Form},
    scan::{PROBES, capture, lab, public},
};
use std::fmt::Write;

pub fn run(id: &str) -> Done {
    let mut out = String::new();
    if let Some(c) = CHECKS.iter().find(|c| c.id == id) {
        let _ = write!(out, "{}\n\n{}", c.title, c.page);
        let _ = writeln!(out, "\nNeeds the probes: {}", c.needs.join(", "));
    }
    if let Some(step) = steps::find(id) {
        let _ = write!(out, "{step}");
    }
    if let Some(p) = PROBES.iter().find(|p| p.id == id) {
        out.push_str(p.page);
    }
    if let Some(r) = lab::RUNS.iter().chain([&public::RUN, &capture::RUN]).find(|r| r.id == id) {
        out.push_str(r.page);
    }
    for c in Catalogue::all() {
        for p in c.provisions.iter().filter(|p| p.id == id) {
            let _ = writeln!(out, "{} of {} ({}), status {}\n  {}", p.id, c.title, c.source, p.status, p.text);
            let _ = writeln!(out, "  our own words; confidence {}", c.confidence);
        }
    }
    for m in Method::all() {
        for (g, c, u) in m.units().filter(|(_, _, u)| u.id == id) {
            let _ = writeln!(out, "{} of {} ({}): group {}, case {} ({})", u.id, m.title, m.source, g.id, c.id, u.kind);
            let _ = writeln!(out, "  {}\n  case: {}\n  confidence {}", u.does, c.purpose, m.confidence);
            if let Some(network) = u.network {
                let _ = writeln!(out, "  concerns the network; tools that decide it: {} (tcsfw)", network.word());
            }
            for check in &u.decides {
                let _ = writeln!(out, "  decided by: {check}");
            }
            let finding = if u.decides.is_empty() { "decided by" } else { "violations are found by" };
            for check in u.checks.iter().filter(|c| !u.decides.contains(c)) {
                let _ = writeln!(out, "  {finding}: {check}");
            }
            if let Some(step) = &u.completes {
                let _ = writeln!(out, "  completed by an assessor: {step}");
            }
            if let Some(a) = &u.attest {
                let _ = writeln!(out, "  assessor: {a}");
            }
            if let Some(s) = &u.same_as {
                let _ = writeln!(out, "  repeats: {s}");
            }
        }
    }
    for edition in Edition::ALL {
        let form = Form::of(edition);
        if let Some(t) = form.table(id) {
            let _ = writeln!(out, "{}: {} (IXIT, TS 103 701 V{})\n  {}", t.key, t.name, edition.word(), t.holds);
            for f in &t.fields {
                let _ = writeln!(out, "  {:<26} {} ({})", f.key, f.holds, seen(&f.seen));
            }
            match t.official() {
                true => {
                    let _ = writeln!(out, "  source: {}\n  our own words; confidence {}", form.source, form.confidence);
                }
                false => {
                    out.push_str("  source: a table of this project, which no laboratory's form has; confidence high\n")
                }
            }
        }
    }
    if BUILTIN.iter().any(|(b, _)| *b == id) {
        out.push_str(&super::profile::about(&source::profile(id)?));
    }
    // A provision has said its own already.
    if let Some(row) = common::find(id).filter(|_| out.is_empty()) {
        let _ = writeln!(
            out,
            "{}: {}\n  a topic that regional schemes add to EN 303 645; our own words\n  source: the profiles that ask for it, as `patuh profile crosswalk` shows them; confidence medium",
            row.id, row.text
        );
    }
    if let Some(t) = thresholds::find(id) {
        let _ = writeln!(out, "{}: {} (a {})", t.id, t.text, t.kind.word());
    }
    if out.is_empty() {
        let looked =
            PROBES.iter().map(|p| p.id).chain(lab::RUNS.iter().chain([&public::RUN, &capture::RUN]).map(|r| r.id));
        let known = CHECKS
            .iter()
            .map(|c| c.id)
            .chain(steps::all().iter().map(|s| s.id.as_str()))
            .chain(looked)
            .chain(BUILTIN.iter().map(|b| b.0));
        return Err(Failure::new(Exit::Usage, format!("nothing is known as `{id}`{}", nearest(id, known))));
    }
    output::result(&out)?;
    Ok(Exit::Passed)
}

/// Where a field's name was found, in words.
fn seen(word: &str) -> &str {
    match word {
        "test-units" => "named by the test units",
        "vendor-form" => "named by a maker's filled-in form",
        "recalled" => "recalled, not seen: low confidence",
        "own" => "a field of this project",
        other => other,
    }
}
