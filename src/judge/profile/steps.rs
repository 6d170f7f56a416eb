//! Questions of the catalogue of checks that an assessor puts with stock tools: a closed list, so that a misspelt one is found.
use serde::Deserialize;
use std::{fmt, sync::LazyLock};

/// One question, and how an assessor answers it. All texts are ours.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its id in the catalogue of checks.
    pub id: String,
    pub title: String,
    /// What the assessor has to have.
    pub needs: String,
    /// What to do, in order.
    pub how: Vec<String>,
    pub pass: String,
    pub fail: String,
    /// When it stays INCONCLUSIVE.
    pub undecided: String,
    /// When it does not concern the device.
    pub absent: String,
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "step")]
    steps: Vec<Step>,
}

/// Every step, sorted by id.
pub fn all() -> &'static [Step] {
    static ALL: LazyLock<Vec<Step>> = LazyLock::new(|| {
        let read = toml::from_str::<File>(include_str!("../../../profiles/data/steps.toml"));
        read.map(|f| f.steps).unwrap_or_default()
    });
    &ALL
}

pub fn find(id: &str) -> Option<&'static Step> {
    all().iter().find(|s| s.id == id)
}

/// Its page, as `explain` prints it.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}\n\n# {}\n\nAn assessor decides this; no scan can.\n\nNeeds {}.\n",
            self.title, self.id, self.needs
        )?;
        for (n, line) in (1..).zip(&self.how) {
            writeln!(f, "{n}. {line}")?;
        }
        writeln!(f, "\nPASS when {}.\nFAIL when {}.", self.pass, self.fail)?;
        writeln!(f, "INCONCLUSIVE when {}.\nNot applicable when {}.", self.undecided, self.absent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::CHECKS;

    #[test]
    fn every_step_is_whole_and_no_check_decides_it() {
        let ids: Vec<&str> = all().iter().map(|s| s.id.as_str()).collect();
        assert!(!ids.is_empty() && ids.is_sorted_by(|a, b| a < b), "{ids:?}");
        for s in all() {
            assert!(CHECKS.iter().all(|c| c.id != s.id), "{}", s.id);
            let texts = [&s.title, &s.needs, &s.pass, &s.fail, &s.undecided, &s.absent];
            assert!(s.how.len() >= 2 && texts.iter().all(|t| !t.is_empty()), "{}", s.id);
        }
    }
}
