//! `profile list|show|check`.
use super::{
    Done, Exit,
    args::{Format, ProfileCommand},
    output, source,
};
use patuh::judge::profile::{BUILTIN, Binding, Profile};
use serde_json::{Value, json};
use std::fmt::Write;

pub fn run(command: &ProfileCommand) -> Done {
    match command {
        ProfileCommand::List { format } => list(*format),
        ProfileCommand::Show { id, format } => show(id, *format),
        ProfileCommand::Check { id } => check(id.as_deref()),
    }
}

fn head(p: &Profile) -> Value {
    json!({"id": p.id, "title": p.title, "edition": p.edition, "jurisdiction": p.jurisdiction, "legal_status": p.legal_status,
        "valid_from": p.valid_from, "valid_to": p.valid_to, "levels": p.levels})
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
                "{:<18} {} ({}; levels {}; {})",
                p.id,
                p.title,
                p.jurisdiction,
                levels.join(", "),
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
        }
        output::result(&pretty(&v))?;
        return Ok(Exit::Passed);
    }
    let mut out =
        format!("{} - {}\n{}\n{}\nlegal status: {}\n\n", p.id, p.title, p.edition, p.disclaimer, p.legal_status);
    for r in &p.requirements {
        let level = if r.binding == Binding::Mandatory { "M" } else { "R" };
        let _ = writeln!(out, "{:<9} {level} {}", r.id, r.text);
        if !r.checks.is_empty() {
            let _ = writeln!(out, "            checks: {}", r.checks.join(", "));
        }
        if !r.attest.is_empty() {
            let _ = writeln!(out, "            assessor: {}", r.attest);
        }
    }
    output::result(&out)?;
    Ok(Exit::Passed)
}

fn check(id: Option<&str>) -> Done {
    let ids: Vec<&str> = match id {
        Some(i) => vec![i],
        None => BUILTIN.iter().map(|(i, _)| *i).collect(),
    };
    for id in ids {
        let p = source::profile(id)?;
        let top = p.levels.last().map(|l| format!("{}:{}", p.id, l.id)).unwrap_or_default();
        let all = if id.ends_with(".toml") { p } else { source::profile(&top)? };
        output::result(&format!(
            "{}: ok, {} requirements in {} levels\n",
            all.id,
            all.requirements.len(),
            all.levels.len()
        ))?;
    }
    Ok(Exit::Passed)
}
