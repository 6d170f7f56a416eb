//! What assessors attested, and what of it counts now. A judgement of a person completes what checks leave open;
//! it never lifts what a check found.
use super::judgement::Verdict;
use crate::model::{
    Attestations,
    attestation::{Attachment, Attestation, Attested, Waiver},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// How an attestation stands in this assessment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    Counts,
    /// Past its last day at the time of the recording.
    Expired,
    /// The same person said something newer of the same unit.
    Superseded,
    /// It says PASS, and a check found otherwise.
    Contradicted,
    /// The profile has no such unit or requirement.
    Elsewhere,
}

impl Standing {
    pub fn word(self) -> &'static str {
        match self {
            Self::Counts => "counts",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
            Self::Contradicted => "contradicted",
            Self::Elsewhere => "elsewhere",
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct AttestationRow {
    pub unit: String,
    /// PASS, FAIL or INCONCLUSIVE.
    pub verdict: &'static str,
    pub by: String,
    pub second: Option<String>,
    pub at: String,
    pub expires: Option<String>,
    pub why: String,
    pub attachment: Option<Attachment>,
    pub standing: Standing,
}

#[derive(Clone, Debug, Serialize)]
pub struct WaiverRow {
    pub requirement: String,
    pub by: String,
    pub at: String,
    pub expires: String,
    pub why: String,
    pub standing: Standing,
}

/// The attestations as of a recording's time.
pub struct Attesting<'a> {
    rows: Vec<(&'a Attestation, Standing)>,
    waived: Vec<(&'a Waiver, Standing)>,
}

impl<'a> Attesting<'a> {
    /// `as_of` is RFC 3339; an attestation counts up to and on its last day.
    pub fn new(all: Option<&'a Attestations>, as_of: &str) -> Self {
        let today = as_of.get(..10).unwrap_or(as_of);
        let mut newest: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        let attested = all.map(|a| a.attested.as_slice()).unwrap_or_default();
        for (n, a) in attested.iter().enumerate() {
            newest.insert((&a.unit, &a.by), n);
        }
        let standing = |n: usize, a: &Attestation| {
            if a.expires.as_deref().is_some_and(|day| day < today) {
                Standing::Expired
            } else if newest.get(&(a.unit.as_str(), a.by.as_str())) != Some(&n) {
                Standing::Superseded
            } else {
                Standing::Counts
            }
        };
        let waiver = |w: &Waiver| if w.expires.as_str() < today { Standing::Expired } else { Standing::Counts };
        Self {
            rows: attested.iter().enumerate().map(|(n, a)| (a, standing(n, a))).collect(),
            waived: all.into_iter().flat_map(|a| &a.waived).map(|w| (w, waiver(w))).collect(),
        }
    }

    /// What counts of one unit or requirement. Several people: the worst, so that nobody outvotes a doubt.
    pub fn of(&self, id: &str) -> Option<(Verdict, Vec<&'a Attestation>)> {
        let said: Vec<&Attestation> = self.counting(id).collect();
        let worst = said.iter().map(|a| verdict(a.verdict)).max()?;
        Some((worst, said))
    }

    fn counting(&self, id: &str) -> impl Iterator<Item = &'a Attestation> {
        self.rows.iter().filter(move |(a, s)| a.unit == id && *s == Standing::Counts).map(|(a, _)| *a)
    }

    /// `known` says whether the profile has a unit or requirement; `refuted`, whether a check found otherwise.
    pub fn rows(&self, known: impl Fn(&str) -> bool, refuted: impl Fn(&str) -> bool) -> Vec<AttestationRow> {
        let row = |(a, standing): &(&Attestation, Standing)| AttestationRow {
            unit: a.unit.clone(),
            verdict: word(a.verdict),
            by: a.by.clone(),
            second: a.second.clone(),
            at: a.at.clone(),
            expires: a.expires.clone(),
            why: a.why.clone(),
            attachment: a.attachment.clone(),
            standing: match standing {
                Standing::Counts if !known(&a.unit) => Standing::Elsewhere,
                Standing::Counts if a.verdict == Attested::Pass && refuted(&a.unit) => Standing::Contradicted,
                other => *other,
            },
        };
        self.rows.iter().map(row).collect()
    }

    pub fn waivers(&self, known: impl Fn(&str) -> bool) -> Vec<WaiverRow> {
        let row = |(w, standing): &(&Waiver, Standing)| WaiverRow {
            requirement: w.requirement.clone(),
            by: w.by.clone(),
            at: w.at.clone(),
            expires: w.expires.clone(),
            why: w.why.clone(),
            standing: if known(&w.requirement) { *standing } else { Standing::Elsewhere },
        };
        self.waived.iter().map(row).collect()
    }

    /// In words, for the requirement's row.
    pub fn waived(&self, requirement: &str) -> Vec<String> {
        let of = self.waived.iter().filter(|(w, _)| w.requirement == requirement);
        of.map(|(w, standing)| match standing {
            Standing::Expired => format!("a waiver by {} ran out on {}: {}", w.by, w.expires, w.why),
            Standing::Counts | Standing::Superseded | Standing::Contradicted | Standing::Elsewhere => {
                format!("waived by {} until {}, which changes no outcome: {}", w.by, w.expires, w.why)
            }
        })
        .collect()
    }
}

/// In words, for the rows that it completes.
pub fn said(a: &Attestation) -> String {
    let second = a.second.as_ref().map(|s| format!(" and {s}")).unwrap_or_default();
    let day = a.at.get(..10).unwrap_or(&a.at);
    format!("{}: {} attested by {}{second} on {day}: {}", a.unit, word(a.verdict), a.by, a.why)
}

fn verdict(a: Attested) -> Verdict {
    match a {
        Attested::Pass => Verdict::Pass,
        Attested::Inconclusive => Verdict::Inconclusive,
        Attested::Fail => Verdict::Fail,
    }
}

fn word(a: Attested) -> &'static str {
    match a {
        Attested::Pass => "PASS",
        Attested::Inconclusive => "INCONCLUSIVE",
        Attested::Fail => "FAIL",
    }
}
