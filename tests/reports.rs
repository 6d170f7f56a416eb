//! A report drops nothing, repeats nothing, trusts nothing that a device says, and is the same every time.
#![expect(clippy::unwrap_used, reason = "tests")]
#[path = "support/judged.rs"]
mod judged;
#[path = "support/sealing.rs"]
mod support;
use judged::judged;
use patuh::bundle::{Content, Interim};
use patuh::judge::Assessment;
use patuh::model::Recording;
use patuh::report::{Report, Standing, csv, html, json, text, words};
use std::collections::BTreeSet;
use support::{lines, views};

const HOSTILE: &str = "</td><script>alert(1)</script>\u{202e}\"'&<img src=x onerror=alert(2)>";

fn page(recording: &Recording, assessments: &[Assessment]) -> String {
    html(&Report { recording, assessments, standing: Standing::Interim, replaces: None, laboratory: None }).unwrap()
}

/// The ids of the elements of a class, each as often as it stands there.
fn ids(page: &str, class: &str) -> Vec<String> {
    let marker = format!("class=\"{class}\" id=\"");
    page.split(&marker).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[test]
fn what_a_device_says_is_escaped_and_its_hidden_characters_are_shown() {
    let (recording, assessments) = judged(&lines(HOSTILE), None);
    let page = page(&recording, &assessments);
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains('\u{202e}'));
    assert!(page.contains("&lt;script&gt;alert(1)"), "the banner itself is there");
    assert!(page.contains("Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'"));
    for remote in ["@import", "url(", "<link", "<iframe", "<object", "href=\"http"] {
        assert!(!page.contains(remote), "{remote}");
    }
    assert_eq!(page.matches("<!DOCTYPE html>").count(), 1);
}

#[test]
fn no_line_of_the_text_holds_an_escape_sequence_or_is_wider_than_a_hundred_columns() {
    let (_, assessments) = judged(&lines(&format!("\u{1b}[31m{}", "w".repeat(300))), None);
    for a in &assessments {
        for line in text(a).lines() {
            assert!(line.chars().count() <= 100 && !line.chars().any(char::is_control), "{line:?}");
        }
    }
}

#[test]
fn every_requirement_and_result_is_shown_exactly_once() {
    let (recording, assessments) = judged(&lines("BusyBox telnetd"), None);
    let page = page(&recording, &assessments);
    let mut requirements: Vec<String> = Vec::new();
    let mut results: Vec<String> = Vec::new();
    for (n, a) in assessments.iter().enumerate() {
        requirements.extend(a.requirements.iter().map(|r| format!("p{}-{}", n + 1, r.id)));
        results.extend(a.results.iter().map(|r| format!("p{}-check-{}", n + 1, r.check)));
    }
    let sorted = |mut v: Vec<String>| {
        v.sort();
        v
    };
    assert!(requirements.len() > 10);
    assert_eq!(sorted(ids(&page, "requirement")), sorted(requirements));
    assert_eq!(sorted(ids(&page, "result")), sorted(results));
    let evidence: Vec<String> = recording.records().map(|r| format!("ev-{}", r.id)).collect();
    assert_eq!(ids(&page, "evidence"), evidence);
    let runs: Vec<String> = recording.runs.iter().map(|r| format!("ev-{}", r.id)).collect();
    assert_eq!(ids(&page, "run"), runs);
}

#[test]
fn of_thousands_of_records_a_page_names_the_first_and_counts_the_rest() {
    let mut all: Vec<String> = lines("x").iter().map(|l| l.replace("\"asks\":\"yes\"", "\"asks\":\"no\"")).collect();
    let at = all.iter().position(|l| l.contains("\"id\":\"r1\"")).unwrap();
    let (surface, service) = (all[at].clone(), all[at + 1].clone());
    let record = |n: usize| {
        let (of, id) = if n.is_multiple_of(2) { (&service, "r2") } else { (&surface, "r1") };
        of.replace(&format!("\"{id}\""), &format!("\"r{n}\""))
            .replace(":2323\"", &format!(":{}\"", 10_000 + n))
            .replace("login:", &format!("login {n}:"))
    };
    all.splice(at + 2..at + 2, (3..6003).map(record));
    let (recording, assessments) = judged(&all, None);
    let row = assessments[1].results.iter().find(|r| r.check == "telnet-noauth-shell").unwrap();
    let failing = recording.records().filter(|r| words::words(&r.observation).contains("log-in")).count();
    assert!(failing > 3000, "{failing}");
    assert_eq!((row.reasons.len(), row.reasons.last().unwrap().as_str()), (101, "and 2901 more"));
    // The assessment cites all of them, and views the first.
    assert!(recording.records().step_by(2).all(|r| row.evidence.contains(&r.id)));
    assert!(json(&assessments).contains("\"r6001\"") && csv(&assessments).contains(" and 2902 more\""));
    let page = page(&recording, &assessments);
    let (shown, total) = (ids(&page, "evidence"), recording.records().count());
    assert!(shown.len() < 3000, "{}", shown.len());
    assert!(page.contains(&format!("The {} records that are named above; {} more", shown.len(), total - shown.len())));
    assert!(page.contains("And 1001 endpoints more"), "{page}");
    for link in page.split("href=\"#ev-").skip(1) {
        let id = link.split('"').next().unwrap();
        assert!(page.contains(&format!("id=\"ev-{id}\"")), "{id} leads nowhere");
    }
}

#[test]
fn the_text_names_every_requirement_once_and_what_fails_first() {
    let failing: Vec<String> = lines("x").iter().map(|l| l.replace("\"asks\":\"yes\"", "\"asks\":\"no\"")).collect();
    let (_, assessments) = judged(&failing, None);
    for a in &assessments {
        let shown = text(a);
        for r in &a.requirements {
            let heads = shown.lines().filter(|l| l.starts_with(&format!("  {} [{}]", r.id, r.level))).count();
            assert_eq!(heads, 1, "{}", r.id);
        }
        for r in &a.results {
            let heads = shown.lines().filter(|l| l.starts_with(&format!("  {} (", r.check))).count();
            assert_eq!(heads, 1, "{}", r.check);
        }
    }
    let own = text(&assessments[1]);
    assert!(own.contains("verdict: FAIL\n") && own.contains("evidence: p0, r1") && own.contains("remedy: "), "{own}");
    let all = text(&assessments[0]);
    let at = |word: &str| all.find(&format!("\n{word} (")).unwrap();
    assert!(at("FAIL") < at("AWAITING_ASSESSOR"), "{all}");
}

#[test]
fn the_first_screen_says_what_was_not_covered() {
    let cut: Vec<String> = lines("x").into_iter().filter(|l| !l.contains("run-finished")).collect();
    let (recording, assessments) = judged(&cut, None);
    let page = page(&recording, &assessments);
    let (uncovered, requirements) =
        (page.find("What was not covered").unwrap(), page.find("<h3>Requirements").unwrap());
    assert!(uncovered < requirements);
    for gap in recording.gaps() {
        let line = format!("<li>{gap}</li>");
        assert!(page[uncovered..requirements].contains(&line), "{line}");
    }
}

#[test]
fn json_is_one_object_for_one_profile_and_an_array_for_several() {
    let (_, assessments) = judged(&lines("x"), None);
    let one: serde_json::Value = serde_json::from_str(&json(&assessments[1..])).unwrap();
    assert_eq!(one["schema"], "assessment/1");
    let several: serde_json::Value = serde_json::from_str(&json(&assessments)).unwrap();
    let several = several.as_array().unwrap();
    assert_eq!(several.len(), 2);
    for (a, shown) in assessments.iter().zip(several) {
        let count = |key: &str| shown[key].as_array().unwrap().len();
        assert_eq!((count("requirements"), count("results")), (a.requirements.len(), a.results.len()));
    }
    assert!(json(&assessments).ends_with("]\n"));
}

#[test]
fn the_same_content_gives_the_same_bytes() {
    let make = || {
        let (recording, assessments) = judged(&lines(HOSTILE), None);
        let content = Content {
            recording: &recording,
            assessments: &assessments,
            interim: Interim::Yes,
            supersedes: None,
            laboratory: None,
        };
        let texts: Vec<String> = assessments.iter().map(text).collect();
        (views(&content).unwrap(), json(&assessments), texts)
    };
    assert_eq!(make(), make());
}

#[test]
fn every_link_within_the_page_leads_somewhere() {
    let (recording, assessments) = judged(&lines("x"), None);
    let page = page(&recording, &assessments);
    let after = |marker: &str| -> BTreeSet<String> {
        page.split(marker).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let (links, anchors) = (after("href=\"#"), after(" id=\""));
    assert!(links.is_subset(&anchors), "{:?}", links.difference(&anchors).collect::<Vec<_>>());
}
