//! Assessments for programs: `assessment/1` objects as the contract has them.
use crate::judge::Assessment;
use serde_json::Value;

/// One object for one profile, an array for several; indented, with a newline at the end.
pub fn json(assessments: &[Assessment]) -> String {
    let text = match assessments {
        [one] => serde_json::to_string_pretty(one),
        all => serde_json::to_string_pretty(all),
    };
    // Plain data with text keys: writing it to memory cannot fail.
    text.unwrap_or_default() + "\n"
}

/// An object with one more member, where there is something to say: formats tell an absent member from an empty one.
pub fn with(mut object: Value, key: &str, member: Option<Value>) -> Value {
    if let (Value::Object(map), Some(member)) = (&mut object, member) {
        map.insert(key.to_owned(), member);
    }
    object
}

/// A list that says something.
pub fn some(list: Vec<Value>) -> Option<Value> {
    (!list.is_empty()).then_some(Value::Array(list))
}
