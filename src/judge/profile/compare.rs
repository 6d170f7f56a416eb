//! Two profiles side by side: what corresponds, what only one asks, which numbers differ.
use super::{Profile, Requirement, common, recognition, recognition::Recognition};
use crate::judge::Assessment;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Serialize)]
pub struct Comparison {
    pub schema: &'static str,
    pub a: Side,
    pub b: Side,
    pub recognition: Vec<&'static Recognition>,
    pub corresponding: Vec<Pair>,
    pub only_a: Vec<Only>,
    pub only_b: Vec<Only>,
    pub parameters: Vec<Difference>,
    /// Of one recording, where one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdicts: Option<Verdicts>,
}

#[derive(Debug, Serialize)]
pub struct Side {
    pub id: String,
    pub level: String,
    pub title: String,
    pub edition: String,
    pub valid_from: String,
    pub valid_to: Option<String>,
    pub confidence: String,
    pub requirements: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    Provisions,
    /// What schemes add to the provisions.
    Topics,
    Checks,
}

#[derive(Debug, Serialize)]
pub struct Pair {
    pub a: String,
    pub b: String,
    pub via: Via,
    pub shared: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Only {
    pub id: String,
    pub text: String,
}

/// A parameter of a check, or a threshold of the assessor on a shared row. `None`: it sets none.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub of: String,
    pub name: String,
    pub a: Option<String>,
    pub b: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Verdicts {
    pub recording: String,
    pub a: &'static str,
    pub a_standing: String,
    pub b: &'static str,
    pub b_standing: String,
    pub differing: Vec<Differing>,
}

#[derive(Debug, Serialize)]
pub struct Differing {
    pub a: String,
    pub a_outcome: &'static str,
    pub b: String,
    pub b_outcome: &'static str,
}

/// With the assessments of one recording under both, also where the verdicts differ.
pub fn compare(a: &Profile, b: &Profile, judged: Option<(&Assessment, &Assessment)>) -> Comparison {
    let corresponding = pairs(a, b);
    let only = |p: &Profile, paired: BTreeSet<&String>| {
        let alone = p.requirements.iter().filter(|r| !paired.contains(&r.id));
        alone.map(|r| Only { id: r.id.clone(), text: r.text.clone() }).collect()
    };
    let (only_a, only_b) =
        (only(a, corresponding.iter().map(|p| &p.a).collect()), only(b, corresponding.iter().map(|p| &p.b).collect()));
    Comparison {
        schema: "comparison/1",
        a: side(a),
        b: side(b),
        recognition: if a.id == b.id { Vec::new() } else { recognition::between(&a.id, &b.id).collect() },
        parameters: differences(a, b, &corresponding),
        verdicts: judged.map(|(x, y)| verdicts(x, y, &corresponding)),
        corresponding,
        only_a,
        only_b,
    }
}

fn side(p: &Profile) -> Side {
    Side {
        id: p.id.clone(),
        level: p.level.clone(),
        title: p.title.clone(),
        edition: p.edition.clone(),
        valid_from: p.valid_from.to_string(),
        valid_to: p.valid_to.map(|d| d.to_string()),
        confidence: p.confidence.clone(),
        requirements: p.requirements.len(),
    }
}

fn shared(x: &[String], y: &[String]) -> Vec<String> {
    x.iter().filter(|i| y.contains(i)).cloned().collect()
}

/// By shared provisions; then by shared topics, where one has no counterpart yet; then by shared checks, where
/// neither has.
fn pairs(a: &Profile, b: &Profile) -> Vec<Pair> {
    let all = |via: Via, list: fn(&Requirement) -> Vec<String>| {
        let both = a.requirements.iter().flat_map(|x| b.requirements.iter().map(move |y| (x, y)));
        both.filter_map(move |(x, y)| {
            let shared = shared(&list(x), &list(y));
            (!shared.is_empty()).then(|| Pair { a: x.id.clone(), b: y.id.clone(), via, shared })
        })
    };
    let paired = |found: &[Pair]| -> (BTreeSet<String>, BTreeSet<String>) {
        found.iter().map(|p| (p.a.clone(), p.b.clone())).unzip()
    };
    let mut found: Vec<Pair> = all(Via::Provisions, provisions).collect();
    let (in_a, in_b) = paired(&found);
    found.extend(all(Via::Topics, topics).filter(|p| !in_a.contains(&p.a) || !in_b.contains(&p.b)));
    let (in_a, in_b) = paired(&found);
    found.extend(all(Via::Checks, |r| r.checks.clone()).filter(|p| !in_a.contains(&p.a) && !in_b.contains(&p.b)));
    found
}

fn provisions(r: &Requirement) -> Vec<String> {
    r.rows.iter().filter(|row| !common::is_topic(row)).cloned().collect()
}

fn topics(r: &Requirement) -> Vec<String> {
    r.rows.iter().filter(|row| common::is_topic(row)).cloned().collect()
}

fn differences(a: &Profile, b: &Profile, pairs: &[Pair]) -> Vec<Difference> {
    let mut found = Vec::new();
    let ids: BTreeSet<&str> = a.checks().chain(b.checks()).map(|(c, _)| c.id).collect();
    let uses = |p: &Profile, id: &str| p.checks().any(|(c, _)| c.id == id);
    for id in ids.into_iter().filter(|id| uses(a, id) && uses(b, id)) {
        let of = |p: &Profile| {
            let table = p.parameters.get(id).into_iter().flatten();
            table.map(|(k, v)| (k.clone(), super::thresholds::shown(v))).collect::<BTreeMap<_, _>>()
        };
        found.extend(unequal(&format!("check {id}"), &of(a), &of(b)));
    }
    for pair in pairs.iter().filter(|p| p.via != Via::Checks) {
        let of = |p: &Profile, id: &str| {
            let set = p.requirements.iter().find(|r| r.id == id).map(|r| &r.thresholds).into_iter().flatten();
            set.map(|(k, v)| (k.clone(), super::thresholds::shown(v))).collect::<BTreeMap<_, _>>()
        };
        found.extend(unequal(&format!("{} / {}", pair.a, pair.b), &of(a, &pair.a), &of(b, &pair.b)));
    }
    found
}

fn unequal(of: &str, a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> Vec<Difference> {
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let differ = names.into_iter().filter(|n| a.get(*n) != b.get(*n));
    differ
        .map(|n| Difference { of: of.to_owned(), name: n.clone(), a: a.get(n).cloned(), b: b.get(n).cloned() })
        .collect()
}

fn verdicts(a: &Assessment, b: &Assessment, pairs: &[Pair]) -> Verdicts {
    let outcome = |x: &Assessment, id: &str| x.requirements.iter().find(|r| r.id == id).map(|r| r.outcome);
    let differing = pairs.iter().filter_map(|p| {
        let (x, y) = (outcome(a, &p.a)?, outcome(b, &p.b)?);
        (x != y).then(|| Differing { a: p.a.clone(), a_outcome: x.word(), b: p.b.clone(), b_outcome: y.word() })
    });
    Verdicts {
        recording: a.inputs.recording.to_string(),
        a: a.verdict.word(),
        a_standing: a.profile.standing.clone(),
        b: b.verdict.word(),
        b_standing: b.profile.standing.clone(),
        differing: differing.collect(),
    }
}
