//! Which documents can be drafted, and what the maker says for them.
use crate::model::{declarations::DeclarationError, nearest::nearest};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::LazyLock};
use toml::Spanned;

/// A document as a form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    pub id: String,
    pub title: String,
    /// The profiles under which it may be made; the first is meant when none is named.
    pub profile: Vec<String>,
    /// The requirement that the document itself answers once it is signed.
    #[serde(default)]
    pub itself: String,
    /// Where it goes and how long it is kept.
    #[serde(rename = "use")]
    pub purpose: String,
    pub confidence: String,
    pub sources: Vec<String>,
    pub fields: Vec<Field>,
    /// What the scheme wants to see beside a requirement.
    #[serde(default)]
    pub artefacts: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    pub key: String,
    pub label: String,
    /// A field of the IXIT's table `dut` that fills it.
    #[serde(default)]
    pub from: String,
    /// Only a person may fill it in, on the document: nobody signs by a file.
    #[serde(default, rename = "by-hand")]
    pub by_hand: bool,
    pub confidence: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "statement")]
    statements: Vec<Form>,
}

impl Form {
    pub fn all() -> &'static [Self] {
        static FILE: LazyLock<File> = LazyLock::new(|| {
            toml::from_str(include_str!("../../../profiles/data/statements.toml")).unwrap_or_default()
        });
        &FILE.statements
    }

    pub fn find(id: &str) -> Option<&'static Self> {
        Self::all().iter().find(|f| f.id == id)
    }

    /// Whether it may be made under a profile.
    pub fn allows(&self, profile: &str) -> bool {
        self.profile.iter().any(|p| p == profile)
    }
}

/// What the maker says for the documents, by field. One file serves all of them.
#[derive(Debug, Default)]
pub struct Maker(BTreeMap<String, String>);

impl Maker {
    /// Empty texts say nothing.
    pub fn parse(file: &str, text: &str) -> Result<Self, DeclarationError> {
        let written: BTreeMap<Spanned<String>, String> =
            toml::from_str(text).map_err(|e| crate::model::declarations::located(file, text, &e))?;
        let fields = || Form::all().iter().flat_map(|f| &f.fields);
        let mut said = BTreeMap::new();
        for (key, value) in written {
            let line = text.get(..key.span().start).map_or(1, |t| t.matches('\n').count() + 1);
            let key = key.into_inner();
            let wrong = |message| DeclarationError { file: file.to_owned(), line, message };
            let Some(field) = fields().find(|f| f.key == key) else {
                let near = nearest(&key, fields().filter(|f| !f.by_hand).map(|f| f.key.as_str()));
                return Err(wrong(format!("unknown field `{key}`{near}")));
            };
            if field.by_hand {
                return Err(wrong(format!("`{key}` is filled in by hand, on the document; remove it here")));
            }
            if !value.trim().is_empty() {
                said.insert(key, value.trim().to_owned());
            }
        }
        Ok(Self(said))
    }

    pub(super) fn of(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
}
