//! Every check's page is its documentation and its test: its examples are judged here, each with that check alone.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
use patuh::judge::{CHECKS, Check, Decision, Evidence, Verdict};
use patuh::model::{Ics, Ixit, Recording};
use std::collections::BTreeMap;
use std::fmt::Write;

/// `### VERDICT` and its fenced blocks by info string.
fn examples(page: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let mut out: Vec<(String, BTreeMap<String, String>)> = Vec::new();
    let mut fence: Option<String> = None;
    for line in page.lines() {
        if let Some(info) = &fence {
            if line == "```" {
                fence = None;
            } else if let Some((_, blocks)) = out.last_mut() {
                let _ = writeln!(blocks.entry(info.clone()).or_default(), "{line}");
            }
        } else if let Some(v) = line.strip_prefix("### ") {
            out.push((v.to_owned(), BTreeMap::new()));
        } else if let Some(info) = line.strip_prefix("```") {
            if let Some((_, blocks)) = out.last_mut() {
                blocks.entry(info.to_owned()).or_default();
            }
            fence = Some(info.to_owned());
        }
    }
    out
}

/// A recording from the short form of a page: `SUBJECT OBSERVATION`, `gap PROBE[:TOPIC] WHY`, `missing PROBE`,
/// `probe PROBE` to say which needed probe the following lines come from (the first one when not said).
fn recording(check: &Check, short: &str, leave_out: Option<&str>) -> Recording {
    let plan: Vec<&str> = check.needs.to_vec();
    let mut lines = vec![
        serde_json::json!({"line":"header","format":"recording/1","tool":{"name":"patuh","version":"0"},
        "targets":["127.0.0.1"],"hosts":["127.0.0.1"],"plan":plan,"started":"2026-01-01T00:00:00Z",
        "scope":{"authorised_by":"test","hosts":["127.0.0.1/32"]}})
        .to_string(),
    ];
    let missing: Vec<&str> = short.lines().filter_map(|l| l.strip_prefix("missing ")).chain(leave_out).collect();
    let mut n = 0;
    for (p, probe) in plan.iter().enumerate().filter(|(_, p)| !missing.contains(*p)) {
        let at = "2026-01-01T00:00:00Z";
        lines.push(serde_json::json!({"line":"run-started","run":format!("p{p}"),"probe":probe,"version":1,"subjects_from":[],"at":at}).to_string());
        let mut current = plan.first().copied().unwrap_or_default();
        for line in short.lines().filter(|l| !l.trim().is_empty()) {
            let (head, rest) = line.split_once(' ').unwrap_or((line, ""));
            match head {
                "missing" => {}
                "probe" => current = rest,
                "gap" => {
                    let (wanted, why) = rest.split_once(' ').expect("gap PROBE WHY");
                    if wanted.split(':').next() == Some(*probe) {
                        lines.push(
                            serde_json::json!({"line":"gap","run":format!("p{p}"),"gap":{"wanted":wanted,"why":why}})
                                .to_string(),
                        );
                    }
                }
                subject if current == *probe => {
                    n += 1;
                    let o: serde_json::Value =
                        serde_json::from_str(rest).unwrap_or_else(|e| panic!("{}: {line}: {e}", check.id));
                    lines.push(serde_json::json!({"line":"record","id":format!("r{n}"),"run":format!("p{p}"),"subject":subject,"at":at,"observation":o}).to_string());
                }
                _ => {}
            }
        }
        lines.push(serde_json::json!({"line":"run-finished","run":format!("p{p}"),"at":at}).to_string());
    }
    lines.push(r#"{"line":"finished","at":"2026-01-01T00:10:00Z"}"#.to_owned());
    let text = lines.join("\n") + "\n";
    Recording::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{}: {e}\n{text}", check.id))
}

fn judge(check: &Check, blocks: &BTreeMap<String, String>, leave_out: Option<&str>) -> &'static str {
    let text = |k: &str| blocks.get(k);
    let parameters = text("parameters").map(|t| toml::from_str(t).unwrap()).unwrap_or_default();
    let judge = (check.bind)(parameters).unwrap_or_else(|e| panic!("{}: {e}", check.id));
    let samples: Vec<Recording> = text("sample").iter().map(|t| recording(check, t, leave_out)).collect();
    let factory = text("factory").map(|t| recording(check, t, leave_out));
    let beside = ["wan", "wan-factory", "guest"].iter().filter_map(|side| {
        let (vantage, state) = side.split_once('-').unwrap_or((side, "initialised"));
        let mut from = recording(check, text(side)?, leave_out);
        from.header.scope = serde_json::from_value(
            serde_json::json!({"authorised_by": "test", "hosts": [], "vantage": vantage, "state": state}),
        )
        .unwrap();
        Some(from)
    });
    let sides: Vec<Recording> = beside.collect();
    let recording = text("recording").unwrap_or_else(|| panic!("{}: an example without recording", check.id));
    let recording = self::recording(check, recording, leave_out);
    let ics = text("ics").map(|t| Ics::parse("ics", t).unwrap());
    let ixit = text("ixit").map(|t| Ixit::parse("ixit", t).unwrap_or_else(|e| panic!("{}: {e}", check.id)));
    match judge.judge(
        &Evidence::new(&recording, ics.as_ref(), ixit.as_ref())
            .with_samples(&samples)
            .with_factory(factory.as_ref())
            .with_sides(&sides),
    ) {
        Decision::Absent { .. } => "NOT_APPLICABLE",
        Decision::Judged(j) => match j.verdict() {
            Verdict::Pass => "PASS",
            Verdict::Inconclusive => "INCONCLUSIVE",
            Verdict::Fail => "FAIL",
        },
    }
}

#[test]
fn every_example_on_a_page_comes_out_as_it_says() {
    for check in CHECKS {
        for (n, (expected, blocks)) in examples(check.page).iter().enumerate() {
            let want = expected.split_whitespace().next().unwrap();
            assert_eq!(judge(check, blocks, None), want, "{} example {} ({expected})", check.id, n + 1);
        }
    }
}

#[test]
fn every_page_has_its_sections_and_examples() {
    for check in CHECKS {
        assert!(check.page.starts_with(&format!("# {}\n", check.id)), "{}: the page's title", check.id);
        for section in ["## What it asks", "## Why", "## How it is decided", "## Remedy", "## Examples"] {
            assert!(check.page.contains(section), "{}: no `{section}`", check.id);
        }
        let shown: Vec<String> = examples(check.page).into_iter().map(|e| e.0).collect();
        // A check that only says whether we looked never fails a device.
        let wanted: &[&str] = match check.pass {
            patuh::judge::check::Proves::Nothing => &["PASS", "INCONCLUSIVE"],
            _ => &["PASS", "FAIL", "INCONCLUSIVE"],
        };
        for v in wanted {
            assert!(shown.iter().any(|s| s.starts_with(v)), "{}: no {v} example", check.id);
        }
    }
}

#[test]
fn a_pass_is_destroyed_by_leaving_out_any_run_that_the_check_needs() {
    for check in CHECKS {
        for (_, blocks) in examples(check.page).iter().filter(|(v, _)| v.starts_with("PASS")) {
            for probe in check.needs {
                let got = judge(check, blocks, Some(probe));
                assert_ne!(got, "PASS", "{} passes without {probe}", check.id);
                assert_ne!(got, "NOT_APPLICABLE", "{} calls itself absent without {probe}", check.id);
            }
        }
    }
}

/// The TOML of an IXIT without one table.
fn without(ixit: &str, table: &str) -> String {
    let mut all: toml::Table = toml::from_str(ixit).unwrap();
    all.remove(table);
    toml::to_string(&all).unwrap()
}

#[test]
fn a_check_reads_the_tables_of_the_ixit_that_it_names_and_no_other() {
    for check in CHECKS {
        let mut told: std::collections::BTreeSet<String> = std::collections::BTreeSet::new();
        for (expected, blocks) in examples(check.page) {
            let Some(ixit) = blocks.get("ixit") else { continue };
            let tables: toml::Table = toml::from_str(ixit).unwrap();
            for table in tables.keys() {
                let mut fewer = blocks.clone();
                fewer.insert("ixit".to_owned(), without(ixit, table));
                let changed = judge(check, &fewer, None) != expected.split_whitespace().next().unwrap();
                let named = check.tables().contains(&table.as_str());
                assert!(named || !changed, "{}: `{table}` changes {expected}, and tables() does not name it", check.id);
                told.extend(changed.then(|| table.clone()));
            }
        }
        // Where log-ins are declared for certain endpoints, the table of endpoints only places them.
        let named = check.tables().iter().filter(|t| check.tables().len() == 1 || **t != "x-endpoints");
        // What a default credential proves does not depend on what is declared; the entries do.
        if !check.id.ends_with("-default-creds") {
            for table in named {
                assert!(told.contains(*table), "{}: no example shows that `{table}` is read", check.id);
            }
        }
    }
}

#[test]
fn checks_are_sorted_unique_and_named_like_their_files() {
    let ids: Vec<_> = CHECKS.iter().map(|c| c.id).collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(ids, sorted);
    // Checks of one shape share a module; each has its page, which one module reads.
    let dir = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/judge/check")).unwrap();
    let paths = dir.map(|e| e.unwrap().path()).filter(|p| p.extension().is_some_and(|x| x == "rs"));
    let modules: Vec<String> = paths.map(|p| std::fs::read_to_string(p).unwrap()).collect();
    for id in ids {
        let page = format!("include_str!(\"{}.md\")", id.replace('-', "_"));
        assert_eq!(modules.iter().filter(|m| m.contains(&page)).count(), 1, "{page}");
    }
}
