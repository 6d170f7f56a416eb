//! The lists that are built in: data with provenance, in `profiles/data`.
use serde::de::DeserializeOwned;

/// Reads a built-in list. One that does not parse would silently find nothing, so that ends the program at once; the
/// tests read every list.
#[expect(clippy::panic, reason = "a built-in list that cannot be read is a broken build, never a clean device")]
pub fn builtin<T: DeserializeOwned>(name: &str, text: &str) -> T {
    toml::from_str(text).unwrap_or_else(|e| panic!("built-in list `{name}`: {e}"))
}

/// The rows of one table of a built-in list, as strictly as [`builtin`].
#[expect(clippy::panic, reason = "as for `builtin`")]
pub fn rows<T: DeserializeOwned>(name: &str, text: &str, table: &str) -> Vec<T> {
    let mut all: toml::Table = builtin(name, text);
    let rows = all.remove(table).unwrap_or_else(|| panic!("built-in list `{name}`: no `[[{table}]]`"));
    rows.try_into().unwrap_or_else(|e| panic!("built-in list `{name}`, `[[{table}]]`: {e}"))
}

/// As [`pattern`], for what need not be text.
#[expect(clippy::panic, reason = "as for `builtin`")]
pub fn byte_pattern(id: &str, text: &str) -> regex::bytes::Regex {
    regex::bytes::Regex::new(text).unwrap_or_else(|e| panic!("built-in pattern `{id}`: {e}"))
}

/// Compiles a pattern of a built-in list, as strictly as [`builtin`].
#[expect(clippy::panic, reason = "as for `builtin`")]
pub fn pattern(id: &str, text: &str) -> regex::Regex {
    regex::Regex::new(text).unwrap_or_else(|e| panic!("built-in pattern `{id}`: {e}"))
}

/// Every row of a list of patterns matches its example and not its counter-example.
#[cfg(test)]
pub fn examples_hold(text: &str, table: &str, rules: usize) {
    let all: toml::Table = toml::from_str(text).unwrap();
    let rows = all[table].as_array().unwrap();
    assert_eq!(rows.len(), rules);
    for row in rows {
        let get = |k: &str| row[k].as_str().unwrap();
        let regex = pattern(get("id"), get("pattern"));
        assert!(regex.is_match(get("example")), "{row}");
        assert!(!regex.is_match(get("counter")), "{row}");
    }
}
