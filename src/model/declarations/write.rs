//! The IXIT as TOML that people go on with: every table and field explained in our own words.
use super::{
    form::{Edition, Field, Form, Kind, Table},
    grid::example_id,
    ixit::{Entry, Ixit, OBSERVED, Supplied},
    value::Value,
};
use std::fmt::Write;

const HEAD: &str = "\
# IXIT: what a laboratory needs to know about the device to test it, by the tables of ETSI TS 103 701.
#
# A table that is missing was not supplied: whatever needs it stays undecided. Where the device has nothing of the kind,
# say so: `1-AuthMech = []`. No secret belongs in here; x-secret says where one is kept (`env:NAME`, `file:PATH`).
# An entry with `x-observed = true` was filled in by a tool from a recording. It does not count as declared until
# somebody who knows the device has checked it and removed that line.
";

/// Whether each table and field is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Explained {
    No,
    Yes,
}

/// The file: the tables that `ixit` has, the others as commented forms where `explained`.
pub fn toml(ixit: &Ixit, explained: Explained) -> String {
    let mut out = String::new();
    if explained == Explained::Yes {
        out.push_str(HEAD);
    }
    if ixit.edition != Edition::default() || explained == Explained::Yes {
        let _ = writeln!(out, "edition = {}", quoted(ixit.edition.word()));
    }
    // Keys without a header of their own must stand before the first header.
    let form = Form::of(ixit.edition);
    let (plain, headed): (Vec<&Table>, Vec<&Table>) =
        form.tables.iter().partition(|t| t.bare || ixit.supplied(&t.key) == Supplied::None);
    for table in plain.into_iter().chain(headed) {
        self::table(&mut out, ixit, table, explained);
    }
    out
}

fn table(out: &mut String, ixit: &Ixit, table: &Table, explained: Explained) {
    let supplied = ixit.supplied(&table.key);
    if explained == Explained::No && supplied == Supplied::NotSupplied {
        return;
    }
    let _ = writeln!(out);
    if explained == Explained::Yes {
        let _ = writeln!(out, "# ---- {}: {} ----\n# {}.", table.key, table.name, capital(&table.holds));
        if !table.bare {
            table.fields.iter().for_each(|f| explain(out, f));
        }
    }
    match supplied {
        Supplied::NotSupplied => form(out, table),
        Supplied::None => drop(writeln!(out, "{} = []", table.key)),
        Supplied::Entries(entries) if table.bare => {
            let items: Vec<String> = entries.iter().map(|e| quoted(e.text("item"))).collect();
            let _ = writeln!(out, "{} = [{}]", table.key, items.join(", "));
        }
        Supplied::Entries(entries) => {
            for e in entries {
                entry(out, table, e);
            }
        }
    }
}

fn explain(out: &mut String, f: &Field) {
    let kind = match f.kind {
        Kind::Id => "text, unique in this table".to_owned(),
        Kind::Text => "text".to_owned(),
        Kind::List => "list of texts".to_owned(),
        Kind::YesNo => "true, false, or a text".to_owned(),
        Kind::Refs => format!("list of ids of {}", f.refs.join(", ")),
        Kind::Number => "number".to_owned(),
        Kind::Secret => "env:NAME or file:PATH".to_owned(),
    };
    let optional = if f.optional { ", where it applies" } else { "" };
    let words = if f.words.is_empty() { String::new() } else { format!(" [{}]", f.words.join(" | ")) };
    let _ = writeln!(out, "#   {}: {} ({kind}{optional}){words}", f.key, f.holds);
}

/// An entry to fill in, commented out so that nothing is declared by accident.
fn form(out: &mut String, table: &Table) {
    if table.bare {
        let _ = writeln!(out, "# {} = []", table.key);
        return;
    }
    let _ = writeln!(out, "# {}", header(table));
    for f in table.fields.iter().filter(|f| !f.own() || !table.official()) {
        let empty = match f.kind {
            Kind::Id => quoted(&example_id(table)),
            Kind::List | Kind::Refs => "[]".to_owned(),
            Kind::Number => "0".to_owned(),
            Kind::Text | Kind::YesNo | Kind::Secret => "\"\"".to_owned(),
        };
        let _ = writeln!(out, "# {} = {empty}", f.key);
    }
}

fn entry(out: &mut String, table: &Table, e: &Entry) {
    let _ = writeln!(out, "{}", header(table));
    if e.observed {
        let _ = writeln!(out, "{OBSERVED} = true");
    }
    for f in &table.fields {
        if let Some(v) = e.fields.get(&f.key) {
            let _ = writeln!(out, "{} = {}", f.key, value(v));
        }
    }
}

fn header(table: &Table) -> String {
    if table.repeating { format!("[[{}]]", table.key) } else { format!("[{}]", table.key) }
}

fn value(v: &Value) -> String {
    match v {
        Value::Text(t) => quoted(t),
        Value::Flag(b) => b.to_string(),
        Value::Number(n) => n.to_string(),
        Value::List(l) => format!("[{}]", l.iter().map(|i| quoted(i)).collect::<Vec<_>>().join(", ")),
    }
}

/// A basic string of TOML.
pub fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
