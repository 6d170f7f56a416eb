//! The crosswalk: which requirement of which profile stands on which row of the common list.
use super::{Profile, common};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct Crosswalk {
    pub schema: &'static str,
    pub profiles: Vec<Column>,
    pub rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
pub struct Column {
    pub id: String,
    pub title: String,
    pub edition: String,
    pub jurisdiction: String,
    pub confidence: String,
}

#[derive(Debug, Serialize)]
pub struct Row {
    pub id: &'static str,
    pub text: &'static str,
    /// One per profile, in their order.
    pub cells: Vec<Vec<Entry>>,
}

#[derive(Debug, Serialize)]
pub struct Entry {
    pub id: String,
    /// Where the profile has more than one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
}

impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.level {
            Some(level) => write!(f, "{} (L{level})", self.id),
            None => write!(f, "{}", self.id),
        }
    }
}

/// Rows that no profile asks for are left out.
pub fn crosswalk(profiles: &[Profile]) -> Crosswalk {
    let column = |p: &Profile| Column {
        id: p.id.clone(),
        title: p.title.clone(),
        edition: p.edition.clone(),
        jurisdiction: p.jurisdiction.clone(),
        confidence: p.confidence.clone(),
    };
    let rows = common::list().iter().map(|row| Row {
        id: row.id,
        text: row.text,
        cells: profiles.iter().map(|p| entries(p, row.id)).collect(),
    });
    Crosswalk {
        schema: "crosswalk/1",
        profiles: profiles.iter().map(column).collect(),
        rows: rows.filter(|r| r.cells.iter().any(|c| !c.is_empty())).collect(),
    }
}

fn entries(profile: &Profile, row: &str) -> Vec<Entry> {
    let level = |l: &str| (profile.levels.len() > 1).then(|| l.to_owned());
    let here = profile.requirements.iter().filter(|r| r.rows.iter().any(|x| x == row));
    here.map(|r| Entry { id: r.id.clone(), level: level(&r.level) }).collect()
}
