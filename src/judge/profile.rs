//! Profiles: a region's requirements as data. Which check verifies which requirement, with which thresholds.
use super::check::{Check, Judge};
use crate::model::Sha256Digest;
pub use crate::model::nearest::nearest;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

pub mod common;
pub mod compare;
pub mod crosswalk;
mod read;
pub mod recognition;
pub mod standing;
pub mod steps;
pub mod table;
pub mod thresholds;

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

#[derive(Clone, Debug, Serialize)]
pub struct Requirement {
    pub id: String,
    pub level: String,
    pub binding: Binding,
    pub text: String,
    /// Provisions of the profile's catalogue that the scheme itself adopts: they carry applicability and test units.
    pub cites: Vec<String>,
    /// Rows of the common list that ask for the same, in our judgement: for comparing only.
    pub relates: Vec<String>,
    /// Where it stands on the common list, by both.
    #[serde(rename = "provisions")]
    pub rows: Vec<String>,
    pub checks: Vec<String>,
    /// What a person must still look at. Empty: the checks alone complete it.
    pub attest: String,
    /// What the assessor applies where no check reads a number.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub thresholds: BTreeMap<String, toml::Value>,
    /// Steps of the catalogue of checks that belong to what a person does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<String>,
}

impl Requirement {
    /// The assessor's step with its thresholds and the steps of the catalogue.
    pub fn step(&self) -> String {
        let limits: Vec<String> =
            self.thresholds.iter().map(|(id, value)| format!("{id} {}", thresholds::shown(value))).collect();
        let titles = self.steps.iter().filter_map(|id| steps::find(id));
        let titles: Vec<String> = titles.map(|s| format!("{} (patuh explain {})", s.title, s.id)).collect();
        let told = |what: &str, list: &[String]| match list {
            [] => String::new(),
            _ => format!(" {what}: {}.", list.join("; ")),
        };
        format!("{}{}{}", self.attest, told("Limits", &limits), told("Carry out", &titles))
    }
}

/// A profile whose every check exists and whose every parameter is read.
pub struct Profile {
    pub id: String,
    pub title: String,
    pub edition: String,
    pub jurisdiction: String,
    pub legal_status: String,
    /// The products that it is for.
    pub applies_to: String,
    pub valid_from: Date,
    pub valid_to: Option<Date>,
    /// The profile that took its place.
    pub superseded_by: Option<String>,
    pub disclaimer: String,
    pub confidence: String,
    pub sources: Vec<String>,
    pub levels: Vec<Level>,
    /// The level judged; requirements of higher levels are left out.
    pub level: String,
    pub requirements: Vec<Requirement>,
    /// Parameters of checks, as written.
    pub parameters: BTreeMap<String, toml::Table>,
    pub catalogue: Option<&'static Catalogue>,
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
        read::read(file, text, level)
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

/// The built-in profiles, sorted: id and text.
pub static BUILTIN: &[(&str, &str)] = &[
    ("5g-edge", include_str!("../../profiles/region/5g-edge.toml")),
    ("asean-baseline", include_str!("../../profiles/region/asean-baseline.toml")),
    ("au-smart-devices", include_str!("../../profiles/region/au-smart-devices.toml")),
    ("de-itsik-tr03148", include_str!("../../profiles/region/de-itsik-tr03148.toml")),
    ("etsi-en303645-v2", include_str!("../../profiles/region/etsi-en303645-v2.toml")),
    ("etsi-en303645-v3", include_str!("../../profiles/region/etsi-en303645-v3.toml")),
    ("eu-red-18031", include_str!("../../profiles/region/eu-red-18031.toml")),
    ("jp-jcstar-1", include_str!("../../profiles/region/jp-jcstar-1.toml")),
    ("kr-cic", include_str!("../../profiles/region/kr-cic.toml")),
    ("sg-cls-iot", include_str!("../../profiles/region/sg-cls-iot.toml")),
    ("sg-cls-iot-hg", include_str!("../../profiles/region/sg-cls-iot-hg.toml")),
    ("sg-imda-rgsec", include_str!("../../profiles/region/sg-imda-rgsec.toml")),
    ("uk-psti", include_str!("../../profiles/region/uk-psti.toml")),
    ("us-8425", include_str!("../../profiles/region/us-8425.toml")),
    ("vn-qcvn11-2026", include_str!("../../profiles/region/vn-qcvn11-2026.toml")),
    ("vn-qcvn135", include_str!("../../profiles/region/vn-qcvn135.toml")),
    ("vn-qd724-2024", include_str!("../../profiles/region/vn-qd724-2024.toml")),
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
    /// Beside checks: what they cannot reach, so that a person looks at it even when all of them pass.
    #[serde(default)]
    pub completes: Option<String>,
    /// Checks that decide it: where all pass, nobody need complete it. Where one of them could not decide, the assessor's
    /// step stands.
    #[serde(default)]
    pub decides: Vec<String>,
    /// One of the 56 units that concern the network, and how tools could decide it.
    #[serde(default)]
    pub network: Option<table::Network>,
    /// The fewest devices of the type that it compares.
    #[serde(default = "one")]
    pub samples: u32,
}

fn one() -> u32 {
    1
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
