//! The floors: who may use whom. Read off every `crate::` path of the sources.
#![expect(clippy::unwrap_used, reason = "tests")]
use std::{collections::BTreeMap, fs, path::Path};

/// Floor and the floors that it may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &["model"]),
    ("scan", &["scan", "model"]),
    ("judge", &["judge", "model"]),
    ("image", &["image", "model"]),
    ("sim", &["sim"]),
    ("report", &["report", "judge", "model"]),
    ("bundle", &["bundle", "judge", "model"]),
];

fn sources(dir: &Path, into: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
}

fn of(floor: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(floor), &mut all);
    all
}

/// The first names after `crate::`, one or those of a group.
fn names(path: &str) -> Vec<String> {
    let word = |t: &str| t.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = path.strip_prefix('{') else { return vec![word(path)] };
    let (mut depth, mut start, mut all) = (0, 0, Vec::new());
    for (n, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                all.push(word(&group[start..n]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                all.push(word(&group[start..n]));
                start = n + 1;
            }
            _ => {}
        }
    }
    all.retain(|w| !w.is_empty());
    all
}

#[test]
fn no_floor_uses_one_that_it_may_not() {
    let table: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut checked = 0;
    for (floor, allowed) in &table {
        for (file, text) in of(floor) {
            for path in text.split("crate::").skip(1) {
                for used in names(path) {
                    assert!(allowed.contains(&used.as_str()), "{file}: {floor} may not use {used}");
                }
                checked += 1;
            }
        }
    }
    assert!(checked > 50, "{checked}");
}

#[test]
fn only_the_floors_that_look_touch_the_network_or_the_clock() {
    for floor in ["model", "judge", "image", "report", "bundle"] {
        for (file, text) in of(floor) {
            for word in
                ["tokio::", "std::net::Tcp", "std::net::Udp", "SystemTime", "Instant::now", "Timestamp::now", "rand::"]
            {
                // The maker of a key needs randomness; nothing that is judged or sealed does.
                let key = file.ends_with("bundle/sign.rs") && word == "rand::";
                assert!(key || !text.contains(word), "{file} uses {word}");
            }
        }
    }
}

#[test]
fn a_judge_opens_no_file() {
    for floor in ["model", "judge", "image", "report"] {
        for (file, text) in of(floor) {
            assert!(!text.contains("std::fs") && !text.contains("File::open"), "{file}");
        }
    }
}
