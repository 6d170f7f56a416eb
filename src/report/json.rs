//! Assessments for programs: `assessment/1` objects as the contract has them.
use crate::judge::Assessment;

/// One object for one profile, an array for several; indented, with a newline at the end.
pub fn json(assessments: &[Assessment]) -> String {
    let text = match assessments {
        [one] => serde_json::to_string_pretty(one),
        all => serde_json::to_string_pretty(all),
    };
    // Plain data with text keys: writing it to memory cannot fail.
    text.unwrap_or_default() + "\n"
}
