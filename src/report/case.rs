//! The one model behind every view for machines: an assessment as a list of cases, each with its outcome.
use super::html::Standing;
use crate::judge::{
    Assessment,
    assess::{CheckRow, Outcome, RequirementRow},
};
use crate::model::{Shared, observation::clean};

/// What a case rests on.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// A check of the tool.
    Check(&'a CheckRow),
    /// What a person looks at, or what nothing was found to decide.
    Person,
}

/// One requirement, put to one check or to a person.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    pub assessment: &'a Assessment,
    pub requirement: &'a RequirementRow,
    pub step: Step<'a>,
    pub outcome: Outcome,
}

/// The word for a person's part where a check's id would stand.
pub const ASSESSOR: &str = "assessor";

impl<'a> Case<'a> {
    /// The check's id, or [`ASSESSOR`].
    pub fn name(&self) -> &str {
        match self.step {
            Step::Check(row) => row.check,
            Step::Person => ASSESSOR,
        }
    }

    pub fn title(&self) -> String {
        match self.step {
            Step::Check(row) => row.title.to_owned(),
            Step::Person => self.requirement.text.clone(),
        }
    }

    /// What was seen, or what is still to be done; one line, without hidden characters.
    pub fn said(&self) -> String {
        let text = match self.step {
            _ if self.outcome == Outcome::NotApplicable && self.requirement.outcome == Outcome::NotApplicable => {
                self.requirement.reasons.join("; ")
            }
            Step::Check(row) if row.observed.is_empty() => row.gaps.join("; "),
            Step::Check(row) => row.observed.clone(),
            Step::Person if self.requirement.attest.is_empty() => self.requirement.reasons.join("; "),
            Step::Person => format!("to do: {}", self.requirement.attest),
        };
        clean(&text, usize::MAX)
    }

    pub fn expected(&self) -> &str {
        match self.step {
            Step::Check(row) => row.expected,
            Step::Person => "an assessor's judgement",
        }
    }

    pub fn remedy(&self) -> &str {
        match self.step {
            Step::Check(row) => row.remedy,
            Step::Person => "",
        }
    }

    pub fn severity(&self) -> String {
        match self.step {
            Step::Check(row) => format!("{:?}", row.severity).to_lowercase(),
            Step::Person => String::new(),
        }
    }

    pub fn subjects(&self) -> &'a [String] {
        match self.step {
            Step::Check(row) => &row.subjects,
            Step::Person => &[],
        }
    }

    pub fn evidence(&self) -> &'a [Shared] {
        match self.step {
            Step::Check(row) => &row.evidence,
            Step::Person => &[],
        }
    }

    pub fn gaps(&self) -> &'a [String] {
        match self.step {
            Step::Check(row) => &row.gaps,
            Step::Person => &[],
        }
    }
}

/// Every case of an assessment, in the profile's order. No requirement is without a case, and none looks
/// better in its cases than it is.
pub fn cases(assessment: &Assessment) -> Vec<Case<'_>> {
    let mut all = Vec::new();
    for requirement in &assessment.requirements {
        let case = |step, outcome| Case { assessment, requirement, step, outcome };
        let rows = assessment.results.iter().filter(|row| requirement.results.iter().any(|c| c == row.check));
        let excluded = requirement.outcome == Outcome::NotApplicable;
        let mut own: Vec<Case<'_>> = rows
            .map(|row| case(Step::Check(row), if excluded { Outcome::NotApplicable } else { row.verdict }))
            .collect();
        let told = own.iter().any(|c| c.outcome == requirement.outcome);
        if !requirement.attest.is_empty() || !told {
            own.push(case(Step::Person, person(requirement, told)));
        }
        all.extend(own);
    }
    all
}

/// How a person's part of a requirement stands. Where a check failed already, the person is still waited for.
fn person(requirement: &RequirementRow, told: bool) -> Outcome {
    match requirement.outcome {
        Outcome::Fail | Outcome::Inconclusive if told => Outcome::AwaitingAssessor,
        Outcome::Pass | Outcome::Fail | Outcome::Inconclusive | Outcome::NotApplicable | Outcome::AwaitingAssessor => {
            requirement.outcome
        }
    }
}

/// As many of a list a view names, and counts the rest. An assessment as JSON names all.
pub const NAMED: usize = 100;

/// The first of a list, and how many more there are.
pub fn first<T>(all: &[T]) -> (&[T], usize) {
    all.split_at_checked(NAMED).map_or((all, 0), |(first, more)| (first, more.len()))
}

/// A list as text: `r1, r2 and 7 more`.
pub fn named<T: AsRef<str>>(all: &[T], between: &str) -> String {
    let (first, more) = first(all);
    let text = first.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(between);
    if more == 0 { text } else { format!("{text} and {more} more") }
}

/// One word for what stands in no sealed bundle, or not in a final one.
pub fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Unsealed => "unsealed",
        Standing::Interim => "interim",
        Standing::Sealed => "sealed",
    }
}
