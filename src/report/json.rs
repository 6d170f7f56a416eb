//! Assessments for programs: `assessment/1` objects as the contract has them.
use crate::judge::Assessment;
use serde::{Serialize, Serializer};
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

/// A list whose members are made one at a time, while they are written.
pub fn each<T, V: Serialize>(items: Vec<T>, of: impl Fn(&T) -> V) -> impl Serialize {
    Each { items, of }
}

struct Each<T, F> {
    items: Vec<T>,
    of: F,
}

impl<T, V: Serialize, F: Fn(&T) -> V> Serialize for Each<T, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.items.iter().map(&self.of))
    }
}
