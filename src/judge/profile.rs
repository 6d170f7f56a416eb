//! Profiles: a region's requirements as data. Which check verifies which requirement, with which thresholds.
use super::check::{self, CHECKS, Check, Judge};
pub use crate::model::nearest::nearest;
use crate::model::{Sha256Digest, declarations::located};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

#[derive(Debug, Error, PartialEq, Eq)]
#[error("{file}:{line}: {message}")]
pub struct ProfileError {
    pub file: String,
    pub line: usize,
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Binding {
    Mandatory,
    Recommended,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    pub id: String,
    pub title: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    pub id: String,
    pub level: String,
    pub binding: Binding,
    pub text: String,
    #[serde(default)]
    pub cites: Vec<String>,
    #[serde(default)]
    pub checks: Vec<String>,
    /// What a person must still look at. Empty: the checks alone complete it.
    #[serde(default)]
    pub attest: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    title: String,
    edition: String,
    jurisdiction: String,
    legal_status: String,
    valid_from: String,
    valid_to: Option<String>,
    disclaimer: String,
    confidence: String,
    catalogue: String,
    method: Option<String>,
    sources: Vec<String>,
    #[serde(rename = "level")]
    levels: Vec<Level>,
    #[serde(default)]
    parameters: BTreeMap<String, toml::Table>,
    #[serde(rename = "requirement")]
    requirements: Vec<Requirement>,
}

/// A profile whose every check exists and whose every parameter is read.
pub struct Profile {
    pub id: String,
    pub title: String,
    pub edition: String,
    pub jurisdiction: String,
    pub legal_status: String,
    pub valid_from: String,
    pub valid_to: Option<String>,
    pub disclaimer: String,
    pub confidence: String,
    pub sources: Vec<String>,
    pub levels: Vec<Level>,
    /// The level judged; requirements of higher levels are left out.
    pub level: String,
    pub requirements: Vec<Requirement>,
    pub catalogue: &'static Catalogue,
    pub method: Option<&'static Method>,
    pub digest: Sha256Digest,
    checks: BTreeMap<&'static str, (&'static Check, Box<dyn Judge>)>,
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Profile").field("id", &self.id).field("level", &self.level).finish_non_exhaustive()
    }
}

impl Profile {
    /// Reads a profile at its lowest level, or at `level`.
    pub fn parse(file: &str, text: &str, level: Option<&str>) -> Result<Self, ProfileError> {
        let at = |needle: &str, message: String| ProfileError {
            file: file.to_owned(),
            line: line_of(text, needle),
            message,
        };
        let w: Written = toml::from_str(text).map_err(|e| {
            let d = located(file, text, &e);
            ProfileError { file: d.file, line: d.line, message: d.message }
        })?;
        let catalogue = Catalogue::find(&w.catalogue)
            .ok_or_else(|| at(&format!("\"{}\"", w.catalogue), format!("no catalogue `{}`", w.catalogue)))?;
        let method = match &w.method {
            None => None,
            Some(m) => Some(Method::find(m).ok_or_else(|| at(&format!("\"{m}\""), format!("no method `{m}`")))?),
        };
        let rank = |l: &str| w.levels.iter().position(|x| x.id == l);
        let chosen = match level {
            Some(l) => l.to_owned(),
            None => w
                .levels
                .first()
                .map(|l| l.id.clone())
                .ok_or_else(|| at("", "no `[[level]]`; add at least one".to_owned()))?,
        };
        let known: Vec<&str> = w.levels.iter().map(|l| l.id.as_str()).collect();
        let top = rank(&chosen)
            .ok_or_else(|| at("[[level]]", format!("no level `{chosen}`; it has {}", known.join(", "))))?;
        let mut ids = BTreeSet::new();
        let mut used = BTreeSet::new();
        for r in &w.requirements {
            let here = format!("id = \"{}\"", r.id);
            if !ids.insert(&r.id) {
                return Err(at(&here, format!("requirement `{}` stands twice; remove one", r.id)));
            }
            if rank(&r.level).is_none() {
                return Err(at(
                    &here,
                    format!("requirement `{}` has unknown level `{}`; use {}", r.id, r.level, known.join(", ")),
                ));
            }
            if r.checks.is_empty() && r.attest.is_empty() {
                return Err(at(&here, format!("requirement `{}` maps to nothing; give it checks or attest", r.id)));
            }
            for c in &r.cites {
                if !catalogue.provisions.iter().any(|p| p.id == *c) {
                    let near = nearest(c, catalogue.provisions.iter().map(|p| p.id.as_str()));
                    return Err(at(
                        &here,
                        format!("requirement `{}` cites unknown provision `{c}` of `{}`{near}", r.id, w.catalogue),
                    ));
                }
            }
            for c in &r.checks {
                let check = check::find(c).ok_or_else(|| {
                    let near = nearest(c, CHECKS.iter().map(|c| c.id));
                    at(&format!("\"{c}\""), format!("requirement `{}` names unknown check `{c}`{near}", r.id))
                })?;
                used.insert(check.id);
            }
        }
        let mut checks = BTreeMap::new();
        for (id, parameters) in &w.parameters {
            let here = format!("[parameters.{id}]");
            let check = used.get(id.as_str()).and_then(|id| check::find(id)).ok_or_else(|| {
                at(
                    &here,
                    format!("parameters for `{id}`, which no requirement uses{}", nearest(id, used.iter().copied())),
                )
            })?;
            let bound =
                (check.bind)(parameters.clone()).map_err(|e| at(&here, format!("parameters of `{id}`: {e}")))?;
            checks.insert(check.id, (check, bound));
        }
        for id in used {
            let Some(check) = check::find(id) else { continue };
            if !checks.contains_key(id) {
                let bound = (check.bind)(toml::Table::new())
                    .map_err(|e| at("", format!("check `{id}` needs parameters: {e}")))?;
                checks.insert(check.id, (check, bound));
            }
        }
        let requirements = w
            .requirements
            .into_iter()
            .filter(|r| w.levels.iter().position(|x| x.id == r.level).is_some_and(|n| n <= top));
        let requirements: Vec<_> = requirements.collect();
        let needed: BTreeSet<&str> = requirements.iter().flat_map(|r| r.checks.iter().map(String::as_str)).collect();
        checks.retain(|id, _| needed.contains(id));
        Ok(Self {
            id: w.id,
            title: w.title,
            edition: w.edition,
            jurisdiction: w.jurisdiction,
            legal_status: w.legal_status,
            valid_from: w.valid_from,
            valid_to: w.valid_to,
            disclaimer: w.disclaimer,
            confidence: w.confidence,
            sources: w.sources,
            level: chosen,
            requirements,
            levels: w.levels,
            catalogue,
            method,
            digest: Sha256Digest::of(text.as_bytes()),
            checks,
        })
    }

    /// A built-in profile named `id` or `id:level`.
    pub fn builtin(name: &str) -> Result<Self, ProfileError> {
        let (id, level) = name.split_once(':').map_or((name, None), |(i, l)| (i, Some(l)));
        let text = BUILTIN.iter().find(|(b, _)| *b == id).map(|(_, t)| *t).ok_or_else(|| ProfileError {
            file: "profiles".to_owned(),
            line: 0,
            message: format!(
                "no profile `{id}`{}; see `patuh profile list`",
                nearest(id, BUILTIN.iter().map(|(b, _)| *b))
            ),
        })?;
        Self::parse(&format!("profiles/region/{id}.toml"), text, level)
    }

    pub fn checks(&self) -> impl Iterator<Item = (&'static Check, &dyn Judge)> {
        self.checks.values().map(|(c, j)| (*c, j.as_ref()))
    }
}

fn line_of(text: &str, needle: &str) -> usize {
    text.lines().position(|l| l.contains(needle)).map_or(1, |n| n + 1)
}

/// The built-in profiles: id and text.
pub static BUILTIN: &[(&str, &str)] = &[
    ("asean-baseline", include_str!("../../profiles/region/asean-baseline.toml")),
    ("etsi-en303645-v2", include_str!("../../profiles/region/etsi-en303645-v2.toml")),
    ("sg-cls-iot", include_str!("../../profiles/region/sg-cls-iot.toml")),
];

/// Every provision of a source document, in our own words.
#[derive(Deserialize)]
pub struct Catalogue {
    pub id: String,
    pub title: String,
    pub source: String,
    pub confidence: String,
    #[serde(default, rename = "condition")]
    pub conditions: Vec<Condition>,
    /// Lettered features, which the newer edition has beside its conditions.
    #[serde(default, rename = "feature")]
    pub features: Vec<Condition>,
    #[serde(rename = "provision")]
    pub provisions: Vec<Provision>,
}

#[derive(Deserialize)]
pub struct Condition {
    pub id: String,
    pub text: String,
}

#[derive(Deserialize)]
pub struct Provision {
    pub id: String,
    pub status: String,
    pub binding: Binding,
    pub text: String,
}

impl Catalogue {
    pub fn all() -> &'static [Self] {
        static ALL: std::sync::LazyLock<Vec<Catalogue>> = std::sync::LazyLock::new(|| {
            let texts = [
                include_str!("../../profiles/catalogue/en303645-v2.toml"),
                include_str!("../../profiles/catalogue/en303645-v3.toml"),
            ];
            texts.iter().filter_map(|t| toml::from_str(t).ok()).collect()
        });
        &ALL
    }

    pub fn find(id: &str) -> Option<&'static Self> {
        Self::all().iter().find(|c| c.id == id)
    }
}

/// A test method: groups of cases of units, each unit bound to checks, an assessor step or another unit.
#[derive(Debug, Deserialize)]
pub struct Method {
    pub id: String,
    pub title: String,
    pub source: String,
    pub confidence: String,
    #[serde(rename = "group")]
    pub groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
pub struct Group {
    pub id: String,
    #[serde(rename = "case")]
    pub cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
pub struct Case {
    pub id: String,
    pub kind: String,
    pub purpose: String,
    /// Tables of the IXIT that it reads.
    #[serde(default)]
    pub ixit: Vec<String>,
    #[serde(rename = "unit")]
    pub units: Vec<Unit>,
}

#[derive(Debug, Deserialize)]
pub struct Unit {
    pub id: String,
    pub kind: String,
    pub does: String,
    #[serde(default)]
    pub checks: Vec<String>,
    #[serde(default)]
    pub attest: Option<String>,
    #[serde(default)]
    pub same_as: Option<String>,
}

impl Method {
    pub fn all() -> &'static [Self] {
        static ALL: std::sync::LazyLock<Vec<Method>> = std::sync::LazyLock::new(|| {
            let texts = [include_str!("../../profiles/method/ts103701-v1.toml")];
            texts.iter().filter_map(|t| toml::from_str(t).ok()).collect()
        });
        &ALL
    }

    pub fn find(id: &str) -> Option<&'static Self> {
        Self::all().iter().find(|m| m.id == id)
    }

    pub fn units(&self) -> impl Iterator<Item = (&Group, &Case, &Unit)> {
        self.groups.iter().flat_map(|g| g.cases.iter().flat_map(move |c| c.units.iter().map(move |u| (g, c, u))))
    }
}
