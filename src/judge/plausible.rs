//! Whether declarations can be true at all: gaps and contradictions that are found before any packet is sent.
use super::profile::{Binding, Catalogue, Method, Provision, nearest};
use crate::model::{
    Ics, Ixit,
    declarations::{
        Claim, Entry, Supplied, Support, Value,
        form::{Form, Kind, Table},
    },
};
use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// Two statements that cannot both be true, or one that the form does not allow.
    Contradiction,
    /// The maker says that something mandatory is not met.
    Unmet,
    /// Something is not said.
    Gap,
}

impl Grade {
    pub fn word(self) -> &'static str {
        match self {
            Self::Contradiction => "contradiction",
            Self::Unmet => "unmet",
            Self::Gap => "gap",
        }
    }
}

/// One thing to put right, with the line on which it stands (1 when something is missing).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    pub grade: Grade,
    pub line: usize,
    pub about: String,
    pub message: String,
}

/// A claim or condition that the catalogue does not have, with the nearest that it has.
pub fn unknown_claim(ics: &Ics, text: &str, catalogue: &Catalogue) -> Option<(usize, String)> {
    let claims = ics.claims.keys().find(|id| catalogue.provision(id).is_none());
    if let Some(id) = claims {
        let near = nearest(id, catalogue.provisions.iter().map(|p| p.id.as_str()));
        return Some((Ics::line_of(text, id), format!("unknown provision `{id}` of {}{near}", catalogue.id)));
    }
    let id = ics.conditions.keys().find(|id| catalogue.condition(id).is_none())?;
    let known: Vec<&str> = catalogue.conditions.iter().chain(&catalogue.features).map(|c| c.id.as_str()).collect();
    let message = format!("unknown condition `{id}` of {}; it has {}", catalogue.id, known.join(", "));
    Some((Ics::line_of(text, id), message))
}

/// What is missing or wrong in an ICS. `ixit` is compared with it when there is one.
pub fn ics(ics: &Ics, text: &str, catalogue: &Catalogue, ixit: Option<&Ixit>) -> Vec<Finding> {
    let mut found = Vec::new();
    for p in &catalogue.provisions {
        let (grade, message) = match ics.claims.get(&p.id) {
            None => (Grade::Gap, format!("{} provision without a claim; say yes, no or not-applicable", binding(p))),
            Some(claim) => match claimed(ics, p, claim) {
                Some(finding) => finding,
                None => continue,
            },
        };
        let line = if ics.claims.contains_key(&p.id) { Ics::line_of(text, &p.id) } else { 1 };
        found.push(Finding { grade, line, about: p.id.clone(), message });
    }
    for (condition, table) in TABLES {
        found.extend(against_table(ics, text, condition, table, ixit));
    }
    found.sort();
    found
}

fn binding(p: &Provision) -> &'static str {
    match p.binding {
        Binding::Mandatory => "mandatory",
        Binding::Recommended => "recommended",
    }
}

fn claimed(ics: &Ics, p: &Provision, claim: &Claim) -> Option<(Grade, String)> {
    let conditions = p.conditions();
    let is = |c: &&str, holds: bool| ics.conditions.get(*c) == Some(&holds);
    let not_true: Vec<&str> = conditions.iter().filter(|c| !is(c, true)).copied().collect();
    match claim.support {
        Support::Yes => {
            let c = conditions.iter().find(|c| is(c, false))?;
            Some((Grade::Contradiction, format!("claimed, although its condition {c} is declared not to hold")))
        }
        Support::No if p.binding == Binding::Mandatory => {
            Some((Grade::Unmet, "mandatory, and declared as not met: the baseline cannot be passed".to_owned()))
        }
        Support::No if claim.reason.trim().is_empty() => {
            Some((Grade::Gap, "a recommendation that is not met needs a reason (4-1); add reason = \"...\"".to_owned()))
        }
        Support::No => None,
        Support::NotApplicable if conditions.is_empty() => Some((
            Grade::Contradiction,
            "claimed not applicable, although it depends on no condition; say yes, or no with a reason".to_owned(),
        )),
        Support::NotApplicable if conditions.iter().any(|c| is(c, false)) => None,
        Support::NotApplicable if not_true.is_empty() => Some((
            Grade::Contradiction,
            format!("claimed not applicable, although its condition {} is declared to hold", conditions.join(", ")),
        )),
        Support::NotApplicable => Some((
            Grade::Contradiction,
            format!(
                "claimed not applicable, although no condition of it is declared false; add \"{}\" = false under [conditions], or say yes or no",
                not_true.join("\" or \"")
            ),
        )),
    }
}

/// Conditions of EN 303 645 V2.1.1 that say the same as whether a table has entries.
const TABLES: [(&str, &str); 4] = [("1", "1-AuthMech"), ("6", "24-TelData"), ("8", "1-AuthMech"), ("12", "7-UpdMech")];

fn against_table(ics: &Ics, text: &str, condition: &str, table: &str, ixit: Option<&Ixit>) -> Option<Finding> {
    let holds = *ics.conditions.get(condition)?;
    let has = ixit?.declared(table).map(|l| !l.is_empty())?;
    // A device may have log-ins without passwords or users, so that entries alone contradict nothing there.
    let says = match (holds, has) {
        (true, false) => format!("declared to hold, but the IXIT says that there is nothing for table {table}"),
        (false, true) if table != "1-AuthMech" => {
            format!("declared not to hold, but the IXIT has entries in table {table}")
        }
        (true | false, _) => return None,
    };
    let (line, about) = (Ics::line_of(text, condition), format!("condition {condition}"));
    Some(Finding { grade: Grade::Contradiction, line, about, message: says })
}

/// What is missing or wrong in an IXIT. With an ICS, tables that only provisions claimed not applicable need are not
/// asked for.
pub fn ixit(ixit: &Ixit, ics: Option<&Ics>) -> Vec<Finding> {
    let form = Form::of(ixit.edition);
    let mut found = Vec::new();
    for table in &form.tables {
        match ixit.supplied(&table.key) {
            Supplied::NotSupplied => found.extend(not_supplied(table, ics)),
            Supplied::None => {}
            Supplied::Entries(entries) => entries.iter().for_each(|e| entry(&mut found, ixit, table, e)),
        }
    }
    found.sort();
    found
}

fn not_supplied(table: &Table, ics: Option<&Ics>) -> Option<Finding> {
    let own = matches!(table.key.as_str(), "dut" | "x-endpoints");
    if !table.official() && !own {
        return None;
    }
    let cases = || Method::all().iter().flat_map(|m| &m.groups).flat_map(|g| g.cases.iter().map(move |c| (g, c)));
    let reading: Vec<_> = cases().filter(|(_, c)| c.ixit.contains(&table.key)).collect();
    let claims = ics.map(|i| &i.claims);
    let waived = |id: &String| claims.and_then(|c| c.get(id)).is_some_and(|c| c.support == Support::NotApplicable);
    let needed: Vec<&str> = reading.iter().filter(|(g, _)| !waived(&g.id)).map(|(_, c)| c.id.as_str()).collect();
    if !reading.is_empty() && needed.is_empty() {
        return None;
    }
    let by = if needed.is_empty() { String::new() } else { format!(", which the cases {} read", needed.join(", ")) };
    let message = format!("table not supplied{by}; fill it in, or write {} = [] for none", table.key);
    Some(Finding { grade: Grade::Gap, line: 1, about: table.key.clone(), message })
}

fn entry(found: &mut Vec<Finding>, ixit: &Ixit, table: &Table, e: &Entry) {
    let name = e.name();
    let about = if name.is_empty() { table.key.clone() } else { format!("{} {name}", table.key) };
    let mut say = |grade, message| found.push(Finding { grade, line: e.line, about: about.clone(), message });
    if e.observed {
        say(Grade::Gap, "observed, not declared; check it and remove x-observed".to_owned());
    }
    for f in table.fields.iter().filter(|f| !f.optional && !e.fields.contains_key(&f.key)) {
        say(Grade::Gap, format!("field `{}` is empty ({}); fill it in", f.key, f.holds));
    }
    for f in &table.fields {
        let Some(value) = e.fields.get(&f.key) else { continue };
        if f.kind == Kind::Refs {
            for id in value.texts().filter(|id| !leads(ixit, &f.refs, id)) {
                let to = f.refs.join(" or ");
                let ids = f.refs.iter().filter_map(|t| ixit.tables.get(t)).flatten().map(|e| e.text("id"));
                let message =
                    format!("field `{}` refers to `{id}`, which table {to} does not have{}", f.key, nearest(id, ids));
                say(Grade::Contradiction, message);
            }
        }
        if let (false, Value::Text(t)) = (f.words.is_empty(), value)
            && !f.words.iter().any(|w| t.to_lowercase().contains(w))
        {
            say(Grade::Gap, format!("field `{}` says none of {}; say which it is", f.key, f.words.join(", ")));
        }
    }
}

/// Whether a reference is an id of one of these tables. Where a table was not supplied, that is its own gap.
fn leads(ixit: &Ixit, tables: &[String], id: &str) -> bool {
    let supplied = tables.iter().filter_map(|t| ixit.tables.get(t));
    let unsupplied = tables.iter().any(|t| !ixit.tables.contains_key(t));
    unsupplied || supplied.flatten().any(|e| e.text("id") == id)
}
