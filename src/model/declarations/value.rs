//! A field's value: what was written, and what it means by the form.
use super::{
    form::{Field, Kind},
    secret,
};
use std::fmt;

/// As it stands in a file, before the form is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    Text(String),
    Flag(bool),
    Number(i64),
    List(Vec<String>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Flag(bool),
    Number(i64),
    List(Vec<String>),
}

impl Value {
    /// What was written, read as this field; `None` when it is empty.
    pub(super) fn read(field: &Field, written: Written) -> Result<Option<Self>, String> {
        let key = &field.key;
        let written = match written {
            Written::Text(t) => Written::Text(t.replace("\r\n", "\n")),
            Written::Flag(_) | Written::Number(_) | Written::List(_) => written,
        };
        let value = match (field.kind, written) {
            (Kind::List | Kind::Refs, w) => Self::List(items(field, w)?),
            (Kind::YesNo, Written::Flag(b)) => Self::Flag(b),
            (Kind::YesNo, Written::Text(t)) => match t.trim().to_lowercase().as_str() {
                "yes" => Self::Flag(true),
                "no" => Self::Flag(false),
                _ => Self::Text(t.trim().to_owned()),
            },
            (Kind::Number, Written::Number(n)) => Self::Number(n),
            (Kind::Number, Written::Text(t)) if t.trim().is_empty() => return Ok(None),
            (Kind::Number, Written::Text(t)) => {
                Self::Number(t.trim().parse().map_err(|_| format!("`{key}` must be a number, not `{t}`"))?)
            }
            (Kind::Text | Kind::Id | Kind::Secret, Written::Text(t)) => Self::Text(t.trim().to_owned()),
            (Kind::Text | Kind::Id | Kind::YesNo, Written::Number(n)) => Self::Text(n.to_string()),
            (Kind::Number, _) => return Err(format!("`{key}` must be a number")),
            (Kind::Text | Kind::Id | Kind::Secret | Kind::YesNo, _) => return Err(format!("`{key}` must be a text")),
        };
        value.allowed(field)?;
        Ok(Some(value).filter(|v| !v.is_empty()))
    }

    fn allowed(&self, field: &Field) -> Result<(), String> {
        let key = &field.key;
        if let (Kind::Secret, Self::Text(t)) = (field.kind, self)
            && !t.is_empty()
            && !secret::is_reference(t)
        {
            return Err(format!(
                "`{key}` holds a secret in clear; keep it outside and write `env:NAME` or `file:PATH` here"
            ));
        }
        if self.texts().any(|t| t.chars().any(|c| c.is_control() && c != '\n' && c != '\t')) {
            return Err(format!("`{key}` holds a control character; remove it"));
        }
        if self.texts().any(secret::in_clear) {
            return Err(format!("`{key}` seems to hold a secret in clear; take it out and refer to where it is kept"));
        }
        // Words of this project are compared by machine: a misspelt one must not pass for another.
        if let (true, Self::Text(t)) = (field.own() && !field.words.is_empty(), self)
            && !t.is_empty()
            && !field.words.contains(t)
        {
            let near = crate::model::nearest::nearest(t, field.words.iter().map(String::as_str));
            return Err(format!("`{key}` cannot be `{t}`{near}; use {}", field.words.join(", ")));
        }
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(t) => t.is_empty(),
            Self::List(l) => l.is_empty(),
            Self::Flag(_) | Self::Number(_) => false,
        }
    }

    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let (one, many) = match self {
            Self::Text(t) => (Some(t), None),
            Self::List(l) => (None, Some(l)),
            Self::Flag(_) | Self::Number(_) => (None, None),
        };
        one.into_iter().chain(many.into_iter().flatten()).map(String::as_str)
    }
}

/// One line each; references may also be parted by commas.
fn items(field: &Field, written: Written) -> Result<Vec<String>, String> {
    let parts: Vec<String> = match written {
        Written::Text(t) if field.kind == Kind::Refs => t.split([',', '\n']).map(str::to_owned).collect(),
        Written::Text(t) => vec![t],
        Written::List(l) => l,
        Written::Number(n) => vec![n.to_string()],
        Written::Flag(_) => return Err(format!("`{}` must be a list of texts", field.key)),
    };
    let lines = parts.iter().flat_map(|p| p.lines()).map(str::trim).filter(|l| !l.is_empty());
    Ok(lines.map(str::to_owned).collect())
}

/// As it stands in a cell.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(t) => f.write_str(t),
            Self::Flag(true) => f.write_str("yes"),
            Self::Flag(false) => f.write_str("no"),
            Self::Number(n) => write!(f, "{n}"),
            Self::List(l) => f.write_str(&l.join("\n")),
        }
    }
}
