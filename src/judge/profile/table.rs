//! The test method as one table: for every unit, what decides it and what that needs. Made of the method and of what
//! the checks say of themselves, so that it cannot fall behind them.
use super::{Case, Group, Method, Unit};
use crate::{
    judge::check::{self, Check, Proves},
    model::Touch,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

pub const SCHEMA: &str = "method-table/1";

/// What it takes to decide a unit that concerns the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// Common tools.
    Basic,
    /// A tool that cuts, floods or reads code.
    Advanced,
    /// A tool made for it.
    Custom,
}

impl Network {
    pub fn word(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Advanced => "advanced",
            Self::Custom => "custom",
        }
    }
}

#[derive(Debug, Serialize)]
pub struct Table {
    pub schema: &'static str,
    pub method: MethodRef,
    pub counts: Counts,
    pub units: Vec<Row>,
}

#[derive(Debug, Serialize)]
pub struct MethodRef {
    pub id: &'static str,
    pub title: &'static str,
    pub source: &'static str,
    pub confidence: &'static str,
}

#[derive(Debug, Default, Serialize)]
pub struct Counts {
    pub units: usize,
    pub checks: usize,
    pub assessor: usize,
    pub repeats: usize,
    /// Of these, the units that concern the network.
    pub network: usize,
    pub network_checks: usize,
    /// Those of `network_checks` that no person need complete where all checks pass.
    pub network_alone: usize,
}

#[derive(Debug, Serialize)]
pub struct Row {
    pub unit: &'static str,
    pub case: &'static str,
    pub group: &'static str,
    pub kind: &'static str,
    pub does: &'static str,
    pub network: Option<Network>,
    #[serde(flatten)]
    pub decided: Decided,
    pub inputs: Needs,
}

/// What decides a unit.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "decided_by", rename_all = "kebab-case")]
pub enum Decided {
    Checks {
        checks: Vec<&'static str>,
        pass: Pass,
        /// Those of them that decide it; the others only find violations.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        decides: Vec<&'static str>,
        /// What the person looks at who completes it, or who decides what the checks could not.
        #[serde(skip_serializing_if = "Option::is_none")]
        step: Option<&'static str>,
    },
    Assessor {
        step: &'static str,
    },
    Unit {
        repeats: &'static str,
    },
}

/// How far the checks of a unit carry. Their FAIL is always the unit's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pass {
    /// Where all pass, the unit passes.
    Alone,
    /// Where all pass, an assessor completes it.
    Completed,
}

/// What must be there before the unit can be decided.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Needs {
    /// Tables that the method names for its case.
    pub ixit: Vec<&'static str>,
    /// Tables that its checks read.
    pub read: BTreeSet<&'static str>,
    pub probes: BTreeSet<&'static str>,
    /// The most intrusive thing that its probes do, which the scope must allow.
    pub touch: Option<Touch>,
    /// The fewest devices of the type.
    pub samples: u32,
}

impl Method {
    /// Every unit once, in the method's order. `touch` says how intrusive a probe is.
    pub fn table(&'static self, touch: impl Fn(&str) -> Option<Touch>) -> Table {
        let units: Vec<Row> = self.units().filter_map(|of| self.row(of, &touch)).collect();
        Table {
            schema: SCHEMA,
            method: MethodRef { id: &self.id, title: &self.title, source: &self.source, confidence: &self.confidence },
            counts: counts(&units),
            units,
        }
    }

    /// None: the unit is bound to nothing, or repeats a unit that is not there. A test keeps the method free of both.
    fn row(
        &'static self,
        (group, case, unit): (&'static Group, &'static Case, &'static Unit),
        touch: impl Fn(&str) -> Option<Touch>,
    ) -> Option<Row> {
        let origin = match &unit.same_as {
            Some(of) => self.units().map(|(_, _, u)| u).find(|u| u.id == *of)?,
            None => unit,
        };
        let ids: Vec<&String> =
            origin.checks.iter().chain(origin.decides.iter().filter(|d| !origin.checks.contains(d))).collect();
        let checks = || ids.iter().filter_map(|id| check::find(id));
        let probes: BTreeSet<&str> = checks().flat_map(|c| c.needs.iter().copied()).collect();
        let inputs = Needs {
            ixit: case.ixit.iter().map(String::as_str).collect(),
            read: checks().flat_map(|c| c.tables().iter().copied()).collect(),
            touch: probes.iter().filter_map(|p| touch(p)).max(),
            probes,
            samples: unit.samples,
        };
        let (unit_id, case_id, group_id) = (unit.id.as_str(), case.id.as_str(), group.id.as_str());
        let (kind, does) = (unit.kind.as_str(), unit.does.as_str());
        let (decided, network) = (decided(unit, checks().collect())?, unit.network);
        Some(Row { unit: unit_id, case: case_id, group: group_id, kind, does, network, decided, inputs })
    }
}

fn decided(unit: &'static Unit, checks: Vec<&'static Check>) -> Option<Decided> {
    if let Some(repeats) = &unit.same_as {
        return Some(Decided::Unit { repeats });
    }
    let step = unit.attest.as_deref().or(unit.completes.as_deref());
    if checks.is_empty() {
        return step.map(|step| Decided::Assessor { step });
    }
    let alone = step.is_none() && checks.iter().all(|c| c.pass == Proves::Full);
    Some(Decided::Checks {
        pass: if alone || !unit.decides.is_empty() { Pass::Alone } else { Pass::Completed },
        decides: unit.decides.iter().map(String::as_str).collect(),
        step,
        checks: checks.into_iter().map(|c| c.id).collect(),
    })
}

fn counts(units: &[Row]) -> Counts {
    let mut counts = Counts { units: units.len(), ..Counts::default() };
    for row in units {
        let network = usize::from(row.network.is_some());
        counts.network += network;
        match &row.decided {
            Decided::Checks { pass, .. } => {
                counts.checks += 1;
                counts.network_checks += network;
                counts.network_alone += if *pass == Pass::Alone { network } else { 0 };
            }
            Decided::Assessor { .. } => counts.assessor += 1,
            Decided::Unit { .. } => counts.repeats += 1,
        }
    }
    counts
}
