//! What a terminal asks for, and how it says no. The patterns are data with provenance and an example each.
use super::data::{pattern, rows};
use regex::Regex;
use serde::Deserialize;
use std::sync::LazyLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Lockout,
    Failure,
    Password,
    Login,
    Shell,
    Menu,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    kind: Kind,
    pattern: String,
}

static RULES: LazyLock<Vec<(Kind, Regex)>> = LazyLock::new(|| {
    let rows: Vec<Row> = rows("prompts.toml", include_str!("../../profiles/data/prompts.toml"), "prompt");
    let mut all: Vec<_> = rows.iter().map(|r| (r.kind, pattern(&r.id, &r.pattern))).collect();
    all.sort_by_key(|r| r.0);
    all
});

/// What the last thing said asks for: `Password`, `Login`, `Shell` or `Menu`.
pub fn asked(text: &str) -> Option<Kind> {
    let last = text.lines().rev().find(|l| !l.trim().is_empty())?;
    let of_line = |k: Kind| matches!(k, Kind::Password | Kind::Login | Kind::Shell | Kind::Menu);
    let hit = RULES.iter().find(|(k, r)| of_line(*k) && r.is_match(last));
    // A menu is told by several of its lines.
    hit.or_else(|| RULES.iter().find(|(k, r)| matches!(k, Kind::Shell | Kind::Menu) && r.is_match(text))).map(|r| r.0)
}

/// Whether an answer to an attempt says no: `Lockout` or `Failure`, wherever it stands in the answer.
pub fn refused(text: &str) -> Option<Kind> {
    RULES.iter().find(|(k, r)| matches!(k, Kind::Lockout | Kind::Failure) && r.is_match(text)).map(|r| r.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prompt_is_told_by_its_example_and_not_by_its_counter_example() {
        let text = include_str!("../../profiles/data/prompts.toml");
        crate::scan::data::examples_hold(text, "prompt", RULES.len());
    }

    #[test]
    fn prompts_are_told_apart() {
        for (text, is) in [
            ("cam login: ", Some(Kind::Login)),
            ("\r\nPassword:", Some(Kind::Password)),
            ("BusyBox v1.31\r\n~ # ", Some(Kind::Shell)),
            ("root@cam:~# ", Some(Kind::Shell)),
            ("Login incorrect\r\ncam login: ", Some(Kind::Login)),
            ("Unauthorised access denied.\r\nlogin: ", Some(Kind::Login)),
            ("Router> ", Some(Kind::Menu)),
            ("hello", None),
        ] {
            assert_eq!(asked(text), is, "{text}");
        }
        assert_eq!(refused("\r\nLogin incorrect\r\ncam login: "), Some(Kind::Failure));
        assert_eq!(refused("Account has been locked"), Some(Kind::Lockout));
        assert_eq!(refused("\r\nWelcome\r\n~ # "), None);
    }
}
