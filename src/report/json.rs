//! Assessments for programs: `assessment/1` objects as the contract has them.
use crate::judge::Assessment;

/// One object for one profile, an array for several; indented, with a newline at the end.
pub fn json(assessments: &[Assessment]) -> Result<String, serde_json::Error> {
    let text = match assessments {
        [one] => serde_json::to_string_pretty(one),
        all => serde_json::to_string_pretty(all),
    };
    text.map(|t| t + "\n")
}
