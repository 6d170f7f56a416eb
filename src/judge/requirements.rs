//! A requirement's outcome: from its checks, its claims and what people attested.
use super::{
    applies::{Claimed, Statement},
    assess::{CheckRow, Outcome},
    attested::{Attesting, said},
    judgement::Verdict,
    profile::{Binding, Requirement},
    units::{UnitRow, combine},
};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Debug, Serialize)]
pub struct RequirementRow {
    pub id: String,
    pub level: &'static str,
    pub text: String,
    pub outcome: Outcome,
    pub reasons: Vec<String>,
    pub cites: Vec<String>,
    /// Where it stands on the list that all regions share.
    pub provisions: Vec<String>,
    pub results: Vec<String>,
    pub attest: String,
}

/// A requirement with everything that bears on it.
pub(super) struct Requiring<'a> {
    pub r: &'a Requirement,
    pub results: &'a BTreeMap<&'static str, CheckRow>,
    pub units: &'a [UnitRow],
    pub attesting: &'a Attesting<'a>,
}

impl Requiring<'_> {
    pub fn row(&self, claimed: Claimed, statement: &mut Statement<'_>) -> RequirementRow {
        let r = self.r;
        let checks = combine(self.rows(), !r.attest.is_empty());
        let mut reasons = self.reasons();
        let mut outcome = self.attested(checks, &mut reasons);
        match claimed {
            Claimed::Applies => {}
            Claimed::Unmet(reason) => {
                outcome = Outcome::Fail;
                reasons.push(reason);
            }
            Claimed::NotApplicable(reason) if outcome == Outcome::Fail => {
                let evidence = self
                    .rows()
                    .filter(|row| fails(row))
                    .flat_map(|row| &row.evidence)
                    .map(ToString::to_string)
                    .collect();
                let failing: Vec<&str> = self.rows().filter(|row| fails(row)).map(|row| row.check).collect();
                let observed = format!("it applies and fails: {}", failing.join(", "));
                statement.contradict(&r.id, format!("not applicable: {reason}"), observed, evidence);
                reasons.push(format!("the declaration says not applicable ({reason}), the device shows otherwise"));
            }
            Claimed::NotApplicable(reason) => {
                outcome = Outcome::NotApplicable;
                reasons = vec![format!("declared: {reason}")];
            }
        }
        if outcome == Outcome::AwaitingAssessor {
            reasons.push("what the checks show must be completed by an assessor".to_owned());
        }
        if outcome == Outcome::Inconclusive && reasons.is_empty() {
            reasons.push("its checks found nothing to judge, which is no pass".to_owned());
        }
        reasons.extend(self.attesting.waived(&r.id));
        RequirementRow {
            id: r.id.clone(),
            level: match r.binding {
                Binding::Mandatory => "M",
                Binding::Recommended => "R",
            },
            text: r.text.clone(),
            outcome,
            reasons,
            cites: r.cites.clone(),
            results: r.checks.clone(),
            attest: r.step(),
            provisions: r.rows.clone(),
        }
    }

    fn rows(&self) -> impl Iterator<Item = &CheckRow> {
        self.r.checks.iter().filter_map(|c| self.results.get(c.as_str()))
    }

    fn reasons(&self) -> Vec<String> {
        let reason = |row: &CheckRow| match row.verdict {
            Outcome::Fail | Outcome::Inconclusive => {
                let why = if row.observed.is_empty() { row.gaps.join("; ") } else { row.observed.clone() };
                Some(format!("{}: {why}", row.check))
            }
            Outcome::Pass | Outcome::NotApplicable | Outcome::AwaitingAssessor => None,
        };
        self.rows().filter_map(reason).collect()
    }

    /// What people attested of the requirement itself, and what its checks and people came to for each unit of what it
    /// cites. Only what awaits an assessor can become PASS, and only when every unit is.
    fn attested(&self, checks: Outcome, reasons: &mut Vec<String>) -> Outcome {
        let units: Vec<&UnitRow> = self.units.iter().filter(|u| self.r.cites.contains(&u.group)).collect();
        let whole = self.attesting.of(&self.r.id);
        let of_units: Vec<_> = units.iter().filter_map(|u| self.attesting.of(&u.id)).collect();
        for (_, all) in whole.iter().chain(&of_units) {
            reasons.extend(all.iter().map(|a| said(a)));
        }
        let worst = whole.iter().chain(&of_units).map(|(v, _)| *v).max();
        let passed = units.iter().any(|u| u.verdict == Outcome::Pass)
            && units.iter().all(|u| u.verdict == Outcome::Pass || u.idle)
            && self.r.cites.iter().all(|c| units.iter().any(|u| u.group == *c));
        let complete = passed || matches!(whole, Some((Verdict::Pass, _)));
        match (checks, worst) {
            (Outcome::Fail, _) | (_, Some(Verdict::Fail)) => Outcome::Fail,
            (Outcome::Inconclusive, _) | (_, Some(Verdict::Inconclusive)) => Outcome::Inconclusive,
            (Outcome::AwaitingAssessor, _) if complete => Outcome::Pass,
            (other, Some(Verdict::Pass) | None) => other,
        }
    }
}

/// Whether a check found the requirement broken.
pub(super) fn fails(row: &CheckRow) -> bool {
    row.verdict == Outcome::Fail
}

/// FAIL if a mandatory one fails, else INCONCLUSIVE if any is open, else PASS. Nothing judged is never a pass.
pub(super) fn overall(rows: &[RequirementRow]) -> Outcome {
    let mandatory = || rows.iter().filter(|r| r.level == "M" && r.outcome != Outcome::NotApplicable);
    if mandatory().any(|r| r.outcome == Outcome::Fail) {
        return Outcome::Fail;
    }
    let open = |r: &RequirementRow| r.outcome != Outcome::Pass;
    if mandatory().next().is_none() || mandatory().any(open) { Outcome::Inconclusive } else { Outcome::Pass }
}
