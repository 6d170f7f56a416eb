//! `profile list|show|check|compare|crosswalk`.
use super::{
    Done, Exit, Failure,
    args::{Format, ProfileCommand, TableFormat},
    judge, output, source,
};
use patuh::{
    judge::profile::{BUILTIN, Binding, Profile, compare::compare, crosswalk::crosswalk, recognition},
    report::profiles as show_profiles,
};
use serde_json::{Value, json};
use std::fmt::Write;

pub fn run(command: &ProfileCommand) -> Done {
    match command {
        ProfileCommand::List { format } => list(*format),
        ProfileCommand::Show { id, format } => show(id, *format),
        ProfileCommand::Check { id } => check(id.as_deref()),
        ProfileCommand::Compare { a, b, recording, format } => side_by_side(a, b, recording.as_deref(), *format),
        ProfileCommand::Crosswalk { format } => on_one_list(*format),
    }
}

fn head(p: &Profile) -> Value {
    json!({"id": p.id, "title": p.title, "edition": p.edition, "jurisdiction": p.jurisdiction, "legal_status": p.legal_status,
        "applies_to": p.applies_to, "valid_from": p.valid_from.to_string(), "valid_to": p.valid_to.map(|d| d.to_string()),
        "superseded_by": p.superseded_by, "levels": p.levels})
}

fn pretty(v: &Value) -> String {
    serde_json::to_string_pretty(v).unwrap_or_default() + "\n"
}

fn list(format: Format) -> Done {
    let all: Result<Vec<Profile>, _> = BUILTIN.iter().map(|(id, _)| source::profile(id)).collect();
    let all = all?;
    output::result(&match format {
        Format::Json => pretty(&Value::Array(all.iter().map(head).collect())),
        Format::Text => all.iter().fold(String::new(), |mut out, p| {
            let levels: Vec<&str> = p.levels.iter().map(|l| l.id.as_str()).collect();
            let _ = writeln!(
                out,
                "{:<18} {} ({}; levels {}; {}; {})",
                p.id,
                p.title,
                p.jurisdiction,
                levels.join(", "),
                validity(p),
                p.legal_status
            );
            out
        }),
    })?;
    Ok(Exit::Passed)
}

fn show(id: &str, format: Format) -> Done {
    let p = source::profile(id)?;
    let cited: Vec<&str> = p.requirements.iter().flat_map(|r| r.cites.iter().map(String::as_str)).collect();
    let units: Vec<Value> = p
        .method
        .iter()
        .flat_map(|m| m.units())
        .filter(|(g, _, _)| cited.contains(&g.id.as_str()))
        .map(|(_, case, u)| {
            let mut row = json!({"id": u.id, "case": case.id, "kind": u.kind});
            if let Some(map) = row.as_object_mut() {
                match (&u.same_as, &u.attest) {
                    (Some(s), _) => map.insert("same_as".to_owned(), json!(s)),
                    (None, Some(a)) => map.insert("attest".to_owned(), json!(a)),
                    (None, None) => map.insert("checks".to_owned(), json!(u.checks)),
                };
                if !u.decides.is_empty() {
                    map.insert("decides".to_owned(), json!(u.decides));
                }
                if let Some(step) = &u.completes {
                    map.insert("completes".to_owned(), json!(step));
                }
            }
            row
        })
        .collect();
    if format == Format::Json {
        let mut v = head(&p);
        if let Some(map) = v.as_object_mut() {
            map.insert("level".to_owned(), json!(p.level));
            map.insert("requirements".to_owned(), json!(p.requirements));
            map.insert("units".to_owned(), Value::Array(units));
            map.insert("parameters".to_owned(), json!(p.parameters));
            map.insert("sources".to_owned(), json!(p.sources));
            map.insert("confidence".to_owned(), json!(p.confidence));
            map.insert("recognition".to_owned(), json!(recognition::of(&p.id).collect::<Vec<_>>()));
        }
        output::result(&pretty(&v))?;
        return Ok(Exit::Passed);
    }
    let mut out = about(&p) + "\n";
    for r in &p.requirements {
        let level = if r.binding == Binding::Mandatory { "M" } else { "R" };
        let _ = writeln!(out, "{:<9} {level} {}", r.id, r.text);
        if !r.checks.is_empty() {
            let _ = writeln!(out, "            checks: {}", r.checks.join(", "));
        }
        if !r.attest.is_empty() {
            let _ = writeln!(out, "            assessor: {}", r.step());
        }
        if let Some(c) = &r.confidence {
            let _ = writeln!(out, "            confidence {c}");
        }
    }
    output::result(&out)?;
    Ok(Exit::Passed)
}

fn validity(p: &Profile) -> String {
    let to = p.valid_to.map_or_else(String::new, |d| format!(" to {d}"));
    let by = p.superseded_by.as_ref().map_or_else(String::new, |s| format!(", superseded by {s}"));
    format!("valid from {}{to}{by}", p.valid_from)
}

/// What a profile is, where it comes from, and what stands in for it.
pub fn about(p: &Profile) -> String {
    let mut out = format!(
        "{} - {}\n{}\n{}\nlegal status: {}\n{}\nfor: {}\nlevel {}; it has {}\n",
        p.id,
        p.title,
        p.edition,
        p.disclaimer,
        p.legal_status,
        validity(p),
        p.applies_to,
        p.level,
        p.levels.iter().map(|l| format!("{} ({})", l.id, l.title)).collect::<Vec<_>>().join(", ")
    );
    for (check, table) in &p.parameters {
        for (key, value) in table {
            let _ = writeln!(out, "parameter of {check}: {key} = {value}");
        }
    }
    let _ = writeln!(out, "confidence {}\nsources:", p.confidence);
    for s in &p.sources {
        let _ = writeln!(out, "  {s}");
    }
    for r in recognition::of(&p.id) {
        let _ = writeln!(out, "recognition: {r}\n  source: {}", r.sources.join("; "));
    }
    out
}

fn side_by_side(a: &str, b: &str, recording: Option<&std::path::Path>, format: Format) -> Done {
    let both = source::profiles(&[a.to_owned(), b.to_owned()])?;
    let judged = match recording {
        None => None,
        Some(dir) => {
            let recording = source::recording(dir)?;
            let (ics, ixit) = (source::ics(None, dir)?, source::ixit(None, dir)?);
            Some(judge::all(&recording, ics.as_ref(), ixit.as_ref(), &both))
        }
    };
    let [a, b] = both.as_slice() else {
        return Err(Failure::new(Exit::Ours, "two profiles were named and not two were read; please report this"));
    };
    let comparison = compare(
        a,
        b,
        judged.as_deref().and_then(|j| match j {
            [x, y] => Some((x, y)),
            _ => None,
        }),
    );
    output::result(&match format {
        Format::Json => pretty(&json!(comparison)),
        Format::Text => show_profiles::compare_text(&comparison),
    })?;
    Ok(Exit::Passed)
}

/// Every built-in profile with all its levels, also those that are no longer in force.
fn on_one_list(format: TableFormat) -> Done {
    let all: Result<Vec<Profile>, Failure> = BUILTIN.iter().map(|(id, _)| at_top(id)).collect();
    let crosswalk = crosswalk(&all?);
    output::result(&match format {
        TableFormat::Text => show_profiles::crosswalk_text(&crosswalk),
        TableFormat::Csv => show_profiles::crosswalk_csv(&crosswalk),
        TableFormat::Html => {
            show_profiles::crosswalk_html(&crosswalk).map_err(|e| Failure::new(Exit::Ours, e.to_string()))?
        }
    })?;
    Ok(Exit::Passed)
}

/// A profile with the requirements of all its levels.
fn at_top(id: &str) -> Result<Profile, Failure> {
    let lowest = source::profile(id)?;
    match lowest.levels.last() {
        Some(top) if top.id != lowest.level => source::profile(&format!("{}:{}", lowest.id, top.id)),
        Some(_) | None => Ok(lowest),
    }
}

fn check(id: Option<&str>) -> Done {
    let ids: Vec<&str> = match id {
        Some(i) => vec![i],
        None => BUILTIN.iter().map(|(i, _)| *i).collect(),
    };
    for id in ids {
        let all = if id.ends_with(".toml") { source::profile(id)? } else { at_top(id)? };
        output::result(&format!(
            "{}: ok, {} requirements in {} levels\n",
            all.id,
            all.requirements.len(),
            all.levels.len()
        ))?;
    }
    Ok(Exit::Passed)
}
