//! The form of the IXIT as data: which tables there are in each edition, and which fields they have.
use serde::Deserialize;
use std::sync::LazyLock;

/// An edition of the form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edition {
    /// TS 103 701 V1.1.1, for EN 303 645 V2.1.1.
    #[default]
    V1,
    /// TS 103 701 V2.1.1, for EN 303 645 V3.1.3.
    V2,
}

impl Edition {
    pub const ALL: [Self; 2] = [Self::V1, Self::V2];

    pub fn word(self) -> &'static str {
        match self {
            Self::V1 => "1.1.1",
            Self::V2 => "2.1.1",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|e| e.word() == word)
    }

    pub fn other(self) -> Self {
        match self {
            Self::V1 => Self::V2,
            Self::V2 => Self::V1,
        }
    }
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Id,
    Text,
    List,
    /// Yes or no, or a remark in place of it.
    YesNo,
    /// Ids of entries of other tables.
    Refs,
    Number,
    /// Where a secret is kept: `env:NAME` or `file:PATH`.
    Secret,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    pub key: String,
    pub label: String,
    pub kind: Kind,
    /// In our own words.
    pub holds: String,
    /// Where its name was found: test-units, vendor-form, recalled, own.
    pub seen: String,
    #[serde(default)]
    pub refs: Vec<String>,
    #[serde(default)]
    pub words: Vec<String>,
    #[serde(default)]
    pub optional: bool,
}

impl Field {
    /// A field of this project, which no laboratory's form has.
    pub fn own(&self) -> bool {
        self.seen == "own"
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    pub key: String,
    /// 0 for tables of this project.
    pub number: u32,
    pub name: String,
    pub repeating: bool,
    pub holds: String,
    pub fields: Vec<Field>,
    /// Written in TOML as a list of texts.
    #[serde(default)]
    pub bare: bool,
}

impl Table {
    pub fn field(&self, key: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.key == key)
    }

    pub fn official(&self) -> bool {
        self.number > 0
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Extra {
    table: String,
    fields: Vec<Field>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    pub id: String,
    pub edition: String,
    pub source: String,
    pub confidence: String,
    #[serde(rename = "table")]
    pub tables: Vec<Table>,
    #[serde(default, rename = "extra")]
    extras: Vec<Extra>,
}

impl Form {
    pub fn of(edition: Edition) -> &'static Self {
        static V1: LazyLock<Form> = LazyLock::new(|| Form::read(include_str!("../../../profiles/method/ixit-v1.toml")));
        static V2: LazyLock<Form> = LazyLock::new(|| Form::read(include_str!("../../../profiles/method/ixit-v2.toml")));
        match edition {
            Edition::V1 => &V1,
            Edition::V2 => &V2,
        }
    }

    pub fn table(&self, key: &str) -> Option<&Table> {
        self.tables.iter().find(|t| t.key == key)
    }

    /// The form with this project's tables before and its fields behind, but for those that refer to a table which this
    /// edition does not have. That both texts can be read is tested.
    fn read(text: &str) -> Self {
        let own: Self = toml::from_str(include_str!("../../../profiles/method/ixit-own.toml")).unwrap_or_default();
        let mut form: Self = toml::from_str(text).unwrap_or_default();
        for extra in own.extras {
            if let Some(table) = form.tables.iter_mut().find(|t| t.key == extra.table) {
                table.fields.extend(extra.fields);
            }
        }
        let mut ours = own.tables;
        for table in &mut ours {
            table.fields.retain(|f| f.refs.iter().all(|to| form.table(to).is_some()));
        }
        form.tables.splice(0..0, ours);
        form
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_edition_has_its_twenty_nine_tables_in_order_and_every_reference_leads_to_one() {
        for (edition, fields) in [(Edition::V1, 127), (Edition::V2, 140)] {
            let form = Form::of(edition);
            assert_eq!(form.edition, edition.word());
            let official: Vec<_> = form.tables.iter().filter(|t| t.official()).collect();
            assert!(official.iter().map(|t| t.number).eq(1..=29), "{edition:?}");
            let counted: usize = official.iter().map(|t| t.fields.iter().filter(|f| !f.own()).count()).sum();
            assert_eq!(counted, fields);
            for table in &form.tables {
                assert!(table.key.len() <= 31, "a sheet's name has at most 31 characters");
                let keys: BTreeSet<_> = table.fields.iter().map(|f| &f.key).collect();
                let labels: BTreeSet<_> = table.fields.iter().map(|f| &f.label).collect();
                assert_eq!((keys.len(), labels.len()), (table.fields.len(), table.fields.len()), "{}", table.key);
                assert_eq!(table.repeating && table.official(), table.field("id").is_some(), "{}", table.key);
                for field in &table.fields {
                    assert_eq!(field.kind == Kind::Refs, !field.refs.is_empty(), "{}.{}", table.key, field.key);
                    for to in &field.refs {
                        assert!(form.table(to).is_some(), "{}.{} leads to {to}", table.key, field.key);
                    }
                }
            }
        }
    }
}
