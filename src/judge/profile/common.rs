//! The common list, on which requirements of different schemes meet: the provisions of EN 303 645 V3.1.3 and the
//! topics that schemes add to them.
use super::{Catalogue, Profile};
use serde::Deserialize;
use std::{collections::BTreeSet, sync::LazyLock};

/// The edition that has the finest provisions; older ones map onto it.
const NEWEST: &str = "en303645-v3";

/// Ids of V2.1.1 that V3.1.3 split or renumbered.
const SINCE_V2: &[(&str, &[&str])] = &[
    ("4-1", &["5.0-1"]),
    ("5.3-4", &["5.3-4A", "5.3-4B"]),
    ("5.3-6", &["5.3-6A", "5.3-6B"]),
    ("5.3-15", &["5.3-15A", "5.3-15B"]),
    ("5.6-4", &["5.6-4A"]),
    ("5.13-1", &["5.13-1A", "5.13-1B"]),
    ("6-3", &["6-3A"]),
];

/// One row of the common list.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub id: &'static str,
    pub text: &'static str,
}

#[derive(Deserialize)]
struct Topics {
    #[serde(rename = "topic")]
    topics: Vec<Topic>,
}

#[derive(Deserialize)]
struct Topic {
    id: String,
    text: String,
}

/// Provisions in the order of the standard, then the added topics.
pub fn list() -> &'static [Row] {
    static TOPICS: LazyLock<Vec<Topic>> = LazyLock::new(|| {
        let read = toml::from_str::<Topics>(include_str!("../../../profiles/data/topics.toml"));
        read.map(|t| t.topics).unwrap_or_default()
    });
    static LIST: LazyLock<Vec<Row>> = LazyLock::new(|| {
        let provisions = Catalogue::find(NEWEST).map(|c| c.provisions.as_slice()).unwrap_or_default();
        let provisions = provisions.iter().map(|p| Row { id: &p.id, text: &p.text });
        provisions.chain(TOPICS.iter().map(|t| Row { id: &t.id, text: &t.text })).collect()
    });
    &LIST
}

pub fn find(id: &str) -> Option<Row> {
    list().iter().copied().find(|r| r.id == id)
}

/// Whether a row is a topic that schemes add.
pub fn is_topic(id: &str) -> bool {
    id.starts_with("X-")
}

/// Whether a check says something about this very provision. A requirement of a scheme often stands on several rows,
/// and its checks do not concern all of them; the profile that has one requirement per provision tells them apart.
pub fn concerns(check: &str, row: &str) -> bool {
    static CHECKS: LazyLock<BTreeSet<(String, String)>> = LazyLock::new(|| {
        let finest = Profile::builtin("etsi-en303645-v3").ok();
        let requirements = finest.into_iter().flat_map(|p| p.requirements);
        requirements.flat_map(|r| r.checks.into_iter().map(move |c| (c, r.id.clone()))).collect()
    });
    CHECKS.contains(&(check.to_owned(), row.to_owned()))
}

/// Where a requirement stands on the list, in its order: what it cites, and what it is related to.
pub fn rows(catalogue: Option<&str>, cites: &[String], relates: &[String]) -> Vec<String> {
    let mut wanted: Vec<&str> = relates.iter().map(String::as_str).collect();
    for cite in cites {
        match SINCE_V2.iter().find(|(old, _)| old == cite) {
            Some((_, new)) if catalogue != Some(NEWEST) => wanted.extend(new.iter()),
            Some(_) | None => wanted.push(cite),
        }
    }
    list().iter().filter(|row| wanted.contains(&row.id)).map(|row| row.id.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provision_of_the_older_edition_has_a_place_on_the_list() {
        for p in &Catalogue::find("en303645-v2").unwrap().provisions {
            assert!(!rows(Some("en303645-v2"), std::slice::from_ref(&p.id), &[]).is_empty(), "{}", p.id);
        }
    }

    #[test]
    fn no_row_stands_twice_and_every_topic_was_read() {
        let ids: std::collections::BTreeSet<&str> = list().iter().map(|r| r.id).collect();
        assert_eq!(ids.len(), list().len());
        let topics = include_str!("../../../profiles/data/topics.toml").matches("[[topic]]").count();
        assert_eq!(list().len(), 78 + topics);
        assert!(topics > 30);
    }
}
