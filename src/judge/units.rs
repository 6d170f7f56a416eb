//! A test unit's verdict: from its checks, from people, or from the unit that it repeats.
use super::{
    assess::{CheckRow, Outcome},
    attested::Attesting,
    check::Proves,
    judgement::Verdict,
    profile::Profile,
};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Debug, Serialize)]
pub struct UnitRow {
    pub id: String,
    /// The group of its case: the provision that it tests.
    #[serde(skip)]
    pub(super) group: String,
    pub case: String,
    pub kind: String,
    pub verdict: Outcome,
    pub by: Vec<String>,
    /// The people whose judgement counts for it.
    pub attested_by: Vec<String>,
    /// What its checks alone come to.
    #[serde(skip)]
    pub(super) checks: Outcome,
    /// Its checks found nothing to judge.
    #[serde(skip)]
    pub(super) idle: bool,
}

pub(super) fn units(
    profile: &Profile,
    results: &mut BTreeMap<&str, CheckRow>,
    attesting: &Attesting<'_>,
) -> Vec<UnitRow> {
    let cited: std::collections::BTreeSet<&str> =
        profile.requirements.iter().flat_map(|r| r.cites.iter().map(String::as_str)).collect();
    let Some(method) = profile.method else { return Vec::new() };
    let mut rows = Vec::new();
    for (group, case, unit) in method.units().filter(|(g, _, _)| cited.contains(g.id.as_str())) {
        let named = |list: &[String]| -> Vec<String> {
            list.iter().filter(|c| results.contains_key(c.as_str())).cloned().collect()
        };
        let (finding, deciding) = (named(&unit.checks), named(&unit.decides));
        let mut by = finding.clone();
        by.extend(deciding.iter().filter(|c| !finding.contains(c)).cloned());
        for c in &by {
            if let Some(row) = results.get_mut(c.as_str()) {
                row.units.push(unit.id.clone());
            }
        }
        let of = || by.iter().filter_map(|c| results.get(c.as_str()));
        let rows_of = |list: &[String]| list.iter().filter_map(|c| results.get(c.as_str())).collect::<Vec<_>>();
        // A profile that leaves out one of those that decide asks less than the unit: a person decides it there.
        let decides = !deciding.is_empty() && deciding.len() == unit.decides.len();
        let checks = match deciding.is_empty() {
            true => combine(of(), unit.checks.is_empty() || unit.completes.is_some()),
            false => match decided(&rows_of(&finding), &rows_of(&deciding)) {
                Outcome::Pass if !decides => Outcome::AwaitingAssessor,
                outcome => outcome,
            },
        };
        let judged = |row: &CheckRow| {
            let counts = match row.verdict {
                Outcome::NotApplicable => false,
                Outcome::Pass => row.proves != Proves::Nothing,
                Outcome::Fail | Outcome::Inconclusive | Outcome::AwaitingAssessor => true,
            };
            counts && !row.left
        };
        // Where a person completes it, they look at what the checks do not reach, whatever those found.
        let whole = unit.completes.is_none() || decides;
        let idle = whole && !by.is_empty() && !of().any(judged);
        let attested = attesting.of(&unit.id);
        let verdict = match (checks, attested.as_ref().map(|(v, _)| *v)) {
            (Outcome::Fail, _) | (_, Some(Verdict::Fail)) => Outcome::Fail,
            (Outcome::Inconclusive, _) | (_, Some(Verdict::Inconclusive)) => Outcome::Inconclusive,
            (Outcome::AwaitingAssessor, Some(Verdict::Pass)) => Outcome::Pass,
            (other, Some(Verdict::Pass) | None) => other,
        };
        let attested_by = attested.iter().flat_map(|(_, all)| all.iter().map(|a| a.by.clone())).collect();
        let (id, group, case, kind) = (unit.id.clone(), group.id.clone(), case.id.clone(), unit.kind.clone());
        rows.push(UnitRow { id, group, case, kind, verdict, by, attested_by, checks, idle });
    }
    // A unit that repeats another takes its verdict where that one is in the profile, too.
    let verdicts: BTreeMap<String, (Outcome, bool)> =
        rows.iter().map(|r| (r.id.clone(), (r.verdict, r.idle))).collect();
    for (_, _, unit) in method.units() {
        let Some(of) = unit.same_as.as_ref().and_then(|s| verdicts.get(s)) else { continue };
        if let Some(row) = rows.iter_mut().find(|r| r.id == unit.id) {
            (row.verdict, row.idle) = *of;
        }
    }
    rows
}

/// A unit that checks decide: what the others find speaks against it, and it passes where every deciding one does. What
/// those could not decide, a person may.
fn decided(finding: &[&CheckRow], deciding: &[&CheckRow]) -> Outcome {
    let counts = |row: &&&CheckRow| !row.left;
    let any = |rows: &[&CheckRow], outcome: Outcome| rows.iter().filter(counts).any(|r| r.verdict == outcome);
    if any(finding, Outcome::Fail) || any(deciding, Outcome::Fail) {
        return Outcome::Fail;
    }
    if any(finding, Outcome::Inconclusive) {
        return Outcome::Inconclusive;
    }
    let passes = |r: &&CheckRow| !r.left && matches!(r.verdict, Outcome::Pass | Outcome::NotApplicable);
    match deciding.iter().all(passes) && any(deciding, Outcome::Pass) {
        true => Outcome::Pass,
        false => Outcome::AwaitingAssessor,
    }
}

/// One requirement or unit from its checks. `person` says whether somebody must still look.
pub(super) fn combine<'a>(rows: impl Iterator<Item = &'a CheckRow>, person: bool) -> Outcome {
    let (mut worst, mut full) = (None::<Verdict>, false);
    for row in rows.filter(|r| !r.left) {
        let verdict = match row.verdict {
            Outcome::Pass if row.proves == Proves::Nothing => continue,
            Outcome::Pass => Verdict::Pass,
            Outcome::Fail => Verdict::Fail,
            Outcome::Inconclusive => Verdict::Inconclusive,
            Outcome::NotApplicable | Outcome::AwaitingAssessor => continue,
        };
        full = (worst.is_none() || full) && row.proves == Proves::Full;
        worst = Some(worst.map_or(verdict, |w| w.max(verdict)));
    }
    match worst {
        Some(Verdict::Fail) => Outcome::Fail,
        Some(Verdict::Inconclusive) => Outcome::Inconclusive,
        Some(Verdict::Pass) if full && !person => Outcome::Pass,
        Some(Verdict::Pass) => Outcome::AwaitingAssessor,
        None if person => Outcome::AwaitingAssessor,
        None => Outcome::Inconclusive,
    }
}

/// Whether a unit belongs to the group of a cited provision.
pub(super) fn in_group(unit: &str, group: &str, units: &[UnitRow]) -> bool {
    units.iter().any(|u| u.id == unit && u.group == group)
}
