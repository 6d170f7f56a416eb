//! Expected failures, for build servers: a device with known flaws passes as long as it fails as it is known to.
//!
//! An expected failure that does not happen is as much a surprise as one that was not expected.
use crate::judge::{Assessment, assess::Outcome, check::CHECKS, profile::nearest};
use crate::model::declarations::located;
use serde::Deserialize;
use std::collections::BTreeSet;
use thiserror::Error;

#[derive(Debug, Error)]
#[error("{file}:{line}: {message}")]
pub struct ExpectError {
    pub file: String,
    pub line: usize,
    pub message: String,
}

/// Which checks are known to fail.
///
/// ```toml
/// [[failure]]
/// check = "telnet-noauth-shell"
/// reason = "gone with firmware 2.4"
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    #[serde(default, rename = "failure")]
    failures: Vec<Failure>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Failure {
    check: String,
    /// Only under this profile; without it under every profile that has the check.
    profile: Option<String>,
    /// Why it is borne, for the reader.
    reason: String,
}

impl Expected {
    pub fn parse(file: &str, text: &str) -> Result<Self, ExpectError> {
        let expected: Self = toml::from_str(text).map_err(|e| {
            let e = located(file, text, &e);
            let message = format!("{}; write [[failure]] tables with check and reason", e.message);
            ExpectError { file: e.file, line: e.line, message }
        })?;
        let wrong = |needle: &str, message: String| {
            let line = text.lines().position(|l| l.contains(needle)).map_or(1, |n| n + 1);
            Err(ExpectError { file: file.to_owned(), line, message })
        };
        let mut seen = BTreeSet::new();
        for f in &expected.failures {
            let quoted = format!("\"{}\"", f.check);
            if !CHECKS.iter().any(|c| c.id == f.check) {
                let near = nearest(&f.check, CHECKS.iter().map(|c| c.id));
                return wrong(&quoted, format!("no check `{}`{near}", f.check));
            }
            if f.reason.trim().is_empty() {
                return wrong(&quoted, format!("`{}` is expected to fail without a reason; add one", f.check));
            }
            if !seen.insert((&f.check, &f.profile)) {
                return wrong(&quoted, format!("`{}` stands twice; remove one", f.check));
            }
        }
        Ok(expected)
    }

    /// What happened otherwise than expected, one line each; nothing when all is as expected.
    pub fn surprises(&self, assessments: &[Assessment]) -> Vec<String> {
        let mut out = Vec::new();
        let covers = |f: &Failure, a: &Assessment| f.profile.as_ref().is_none_or(|p| *p == a.profile.id);
        for a in assessments {
            for row in &a.results {
                let expected = self.failures.iter().any(|f| f.check == row.check && covers(f, a));
                let (id, word) = (&a.profile.id, row.verdict.word());
                match (row.verdict == Outcome::Fail, expected) {
                    (true, false) => out.push(format!("{id}: `{}` fails and was not expected to", row.check)),
                    (false, true) => out.push(format!("{id}: `{}` was expected to fail and is {word}", row.check)),
                    (true, true) | (false, false) => {}
                }
            }
        }
        for f in &self.failures {
            let judged = |a: &Assessment| covers(f, a) && a.results.iter().any(|r| r.check == f.check);
            if !assessments.iter().any(judged) {
                out.push(format!("`{}` was expected to fail and was not judged under any profile named", f.check));
            }
        }
        out
    }
}
