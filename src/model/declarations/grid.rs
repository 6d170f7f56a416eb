//! From what any file says, table by table and cell by cell, to an IXIT that is right by its form.
use super::{
    DeclarationError,
    form::{Edition, Form, Table},
    ixit::{Entry, Ixit, OBSERVED},
    secret,
    value::{Value, Written},
};
use crate::model::nearest::nearest;
use std::collections::{BTreeMap, BTreeSet};

/// Where something stands: a line, and the sheet and cell for those who look at a spreadsheet.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    pub line: usize,
    /// Empty, or `sheet `x`, cell C3: `.
    pub cell: String,
}

pub(super) struct RawField {
    pub key: String,
    pub place: Place,
    pub written: Written,
}

pub(super) struct RawEntry {
    pub place: Place,
    pub fields: Vec<RawField>,
}

pub(super) struct RawTable {
    pub key: String,
    pub place: Place,
    pub entries: Vec<RawEntry>,
}

pub(super) fn wrong(file: &str, place: &Place, message: &str) -> DeclarationError {
    DeclarationError { file: file.to_owned(), line: place.line, message: format!("{}{message}", place.cell) }
}

pub(super) fn edition(file: &str, place: &Place, word: &str) -> Result<Edition, DeclarationError> {
    let message = || format!("edition `{word}` is not known; use \"1.1.1\" or \"2.1.1\"");
    Edition::parse(word).ok_or_else(|| wrong(file, place, &message()))
}

/// The table of that key, or an error that says which was meant.
pub(super) fn table(file: &str, place: &Place, form: &Form, key: &str) -> Result<Table, DeclarationError> {
    if let Some(t) = form.table(key) {
        return Ok(t.clone());
    }
    let here = Edition::parse(&form.edition).unwrap_or_default();
    let message = if Form::of(here.other()).table(key).is_some() {
        let other = here.other().word();
        format!("table `{key}` belongs to edition {other} of the form; add edition = \"{other}\" at the top")
    } else if secret::is_name(key) {
        format!("`{key}` looks like a secret; take it out and refer to it by x-secret = \"env:NAME\" or \"file:PATH\"")
    } else {
        let near = nearest(key, form.tables.iter().map(|t| t.key.as_str()));
        let remedy = if near.is_empty() {
            "; tables are named by their key, such as `1-AuthMech`; remove others"
        } else {
            &near
        };
        format!("unknown table `{key}`{remedy}")
    };
    Err(wrong(file, place, &message))
}

pub(super) fn build(file: &str, edition: Edition, raw: Vec<RawTable>) -> Result<Ixit, DeclarationError> {
    let form = Form::of(edition);
    let mut tables = BTreeMap::new();
    for t in raw {
        let table = table(file, &t.place, form, &t.key)?;
        let entries: Result<Vec<Entry>, _> = t.entries.into_iter().map(|e| entry(file, &table, e)).collect();
        let entries = entries?;
        ids(file, &table, &entries)?;
        if tables.insert(t.key, entries).is_some() {
            return Err(wrong(file, &t.place, &format!("table `{}` stands twice; join them", table.key)));
        }
    }
    Ixit::of(edition, tables).map_err(|(line, message)| {
        let place = Place { line, cell: String::new() };
        wrong(file, &place, &message)
    })
}

fn entry(file: &str, table: &Table, raw: RawEntry) -> Result<Entry, DeclarationError> {
    let mut entry = Entry { line: raw.place.line, ..Entry::default() };
    for f in raw.fields {
        if f.key == OBSERVED {
            entry.observed = match f.written {
                Written::Flag(b) => b,
                Written::Text(t) if t.is_empty() || t == "no" => false,
                Written::Text(t) if t == "yes" => true,
                _ => return Err(wrong(file, &f.place, &format!("`{OBSERVED}` must be true or false"))),
            };
            continue;
        }
        let Some(field) = table.field(&f.key) else {
            return Err(wrong(file, &f.place, &unknown_field(table, &f.key)));
        };
        let value = Value::read(field, f.written).map_err(|m| wrong(file, &f.place, &format!("{}: {m}", table.key)))?;
        if let Some(value) = value {
            entry.fields.insert(f.key, value);
        }
    }
    if entry.fields.is_empty() && !table.repeating {
        let message =
            format!("table `{0}` has nothing filled in; fill it, remove it, or write {0} = [] for none", table.key);
        return Err(wrong(file, &raw.place, &message));
    }
    if table.field("id").is_some() && entry.text("id").is_empty() {
        let message = format!("{}: an entry has no `id`; give it one, such as \"{}\"", table.key, example_id(table));
        return Err(wrong(file, &raw.place, &message));
    }
    Ok(entry)
}

fn unknown_field(table: &Table, key: &str) -> String {
    if secret::is_name(key) {
        return format!(
            "{}: `{key}` would hold a secret in clear; keep it outside and refer to it by x-secret = \"env:NAME\" or \"file:PATH\"",
            table.key
        );
    }
    format!(
        "{}: unknown field `{key}`{}",
        table.key,
        nearest(key, table.fields.iter().map(|f| f.key.as_str()).chain([OBSERVED]))
    )
}

/// `AuthMech-1`.
pub(super) fn example_id(table: &Table) -> String {
    format!("{}-1", table.key.split_once('-').map_or(table.key.as_str(), |(_, name)| name))
}

fn ids(file: &str, table: &Table, entries: &[Entry]) -> Result<(), DeclarationError> {
    let mut seen = BTreeSet::new();
    for e in entries.iter().filter(|e| !e.text("id").is_empty()) {
        if !seen.insert(e.text("id")) {
            let place = Place { line: e.line, cell: String::new() };
            let message = format!("{}: id `{}` stands twice; give one of them another", table.key, e.text("id"));
            return Err(wrong(file, &place, &message));
        }
    }
    match (table.repeating, entries) {
        (false, [_, second, ..]) => {
            let place = Place { line: second.line, cell: String::new() };
            Err(wrong(file, &place, &format!("table `{}` has one entry only; join them", table.key)))
        }
        (true | false, _) => Ok(()),
    }
}
