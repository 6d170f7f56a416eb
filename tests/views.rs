//! Every view for machines is valid, complete, tells no better tale than the assessment, and is the same each time.
#![expect(clippy::unwrap_used, reason = "tests")]
#[path = "support/judged.rs"]
mod judged;
#[path = "support/sealing.rs"]
mod support;
use judged::judged;
use patuh::bundle::{Content, Interim};
use patuh::judge::{Assessment, assess::Outcome};
use patuh::model::Recording;
use patuh::report::{Report, Standing, case::cases, csv, cyclonedx, expect::Expected, junit, oscal, sarif};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};
use support::{lines, views};

const HOSTILE: &str = "</failure>]]>\u{1b}[2J\u{0}\u{202e}\"'&<script>alert(1)</script>";

/// A recording in which the Telnet service gives a shell to everybody.
fn failing() -> Vec<String> {
    lines(HOSTILE).iter().map(|l| l.replace("\"asks\":\"yes\"", "\"asks\":\"no\"")).collect()
}

fn report<'a>(recording: &'a Recording, assessments: &'a [Assessment]) -> Report<'a> {
    Report { recording, assessments, standing: Standing::Interim, replaces: None, laboratory: None }
}

fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn oscal_files(report: &Report<'_>) -> BTreeMap<&'static str, Value> {
    oscal(report).into_iter().map(|(name, text)| (name, serde_json::from_str(&text).unwrap())).collect()
}

#[test]
fn the_oscal_files_are_valid() {
    let not_applicable = "[claims]\n\"5.1-1\" = { support = \"not-applicable\", reason = \"it has no passwords\" }\n";
    for ics in [None, Some(not_applicable)] {
        let (recording, assessments) = judged(&failing(), ics);
        for (name, value) in oscal_files(&report(&recording, &assessments)) {
            let schema = schema(&format!("oscal_{}", name.replace(".json", "_schema.json")));
            let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
            let errors: Vec<String> =
                validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert!(errors.is_empty(), "{name}: {errors:#?}");
        }
    }
}

#[test]
fn the_sarif_file_is_valid() {
    let validator = jsonschema::options().should_validate_formats(true).build(&schema("sarif-2.1.0.json")).unwrap();
    let (recording, assessments) = judged(&failing(), None);
    for anchor in [None, Some("firmware/product.toml")] {
        let value: Value = serde_json::from_str(&sarif(&report(&recording, &assessments), anchor)).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

#[test]
fn every_requirement_is_declared_once_and_only_what_was_decided_is_claimed() {
    let (recording, assessments) = judged(&failing(), None);
    let bom: Value = serde_json::from_str(&cyclonedx(&report(&recording, &assessments))).unwrap();
    let list = |value: &Value| value.as_array().unwrap().clone();
    let mut claims = 0;
    for (a, attested) in assessments.iter().zip(list(&bom["declarations"]["attestations"])) {
        let rows = list(&attested["map"]);
        assert_eq!(rows.len(), a.requirements.len());
        for (r, row) in a.requirements.iter().zip(rows) {
            let score = match r.outcome {
                Outcome::Pass => Some(1),
                Outcome::Fail => Some(0),
                Outcome::Inconclusive | Outcome::NotApplicable | Outcome::AwaitingAssessor => None,
            };
            assert_eq!(row["conformance"]["score"].as_i64(), score, "{row}");
            for key in ["claims", "counterClaims"] {
                claims += row.get(key).map_or(0, |c| list(c).len());
            }
        }
    }
    assert_eq!(claims, list(&bom["declarations"]["claims"]).len());
    let all = assessments.iter().flat_map(cases);
    assert_eq!(claims, all.filter(|c| matches!(c.outcome, Outcome::Pass | Outcome::Fail)).count());
    // References lead somewhere, and no name stands twice.
    let text = bom.to_string();
    let (mut names, mut cited) = (Vec::new(), Vec::new());
    collect(&bom, &mut names, &mut cited);
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{text}");
    assert!(cited.iter().all(|c| names.contains(c)), "{cited:?}");
    assert!(!text.contains('\u{202e}') && !text.contains("\\u001b"), "hidden characters are shown as dots");
}

/// The names of things, and what refers to them.
fn collect<'a>(value: &'a Value, names: &mut Vec<&'a str>, cited: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => {
            for (key, member) in map {
                match (key.as_str(), member) {
                    ("bom-ref", Value::String(name)) => names.push(name),
                    ("target" | "requirement" | "assessor", Value::String(name)) => cited.push(name),
                    ("claims" | "counterClaims" | "evidence" | "counterEvidence", Value::Array(all)) => {
                        cited.extend(all.iter().filter_map(Value::as_str));
                        all.iter().for_each(|v| collect(v, names, cited));
                    }
                    (_, other) => collect(other, names, cited),
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|v| collect(v, names, cited)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Every value of a key, anywhere.
fn all<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(k, v)| {
            found.extend(v.as_str().filter(|_| k == key));
            all(v, key, found);
        }),
        Value::Array(items) => items.iter().for_each(|v| all(v, key, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn values<'a>(value: &'a Value, key: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    all(value, key, &mut found);
    found
}

#[test]
fn oscal_findings_are_those_of_the_assessment_and_every_link_leads_somewhere() {
    let (recording, assessments) = judged(&failing(), None);
    let files = oscal_files(&report(&recording, &assessments));
    let results = &files["assessment-results.json"]["assessment-results"];
    let objectives: BTreeSet<&str> = values(&files["catalog.json"], "id").into_iter().collect();
    for (a, shown) in assessments.iter().zip(results["results"].as_array().unwrap()) {
        let findings = shown["findings"].as_array().unwrap();
        assert_eq!(findings.len(), a.requirements.len());
        for (r, finding) in a.requirements.iter().zip(findings) {
            assert!(objectives.contains(finding["target"]["target-id"].as_str().unwrap()), "{finding}");
            let satisfied = finding["target"]["status"]["state"] == "satisfied";
            assert_eq!(satisfied, r.outcome == Outcome::Pass, "{}", r.id);
        }
    }
    for (name, file) in &files {
        let own = values(file, "uuid");
        assert_eq!(own.len(), own.iter().collect::<BTreeSet<_>>().len(), "{name}: an identifier stands twice");
    }
    // What the results refer to stands in them, or in the plan that they import.
    let plan = &files["assessment-plan.json"];
    let there: BTreeSet<&str> = values(results, "uuid").into_iter().chain(values(plan, "uuid")).collect();
    for used in values(plan, "subject-uuid").into_iter().chain(values(plan, "component-uuid")) {
        assert!(values(plan, "uuid").contains(&used), "{used}");
    }
    for key in ["observation-uuid", "subject-uuid", "component-uuid", "actor-uuid"] {
        for used in values(results, key) {
            assert!(there.contains(used), "{key} {used}");
        }
    }
    for href in values(results, "href").into_iter().filter_map(|h| h.strip_prefix('#')) {
        assert!(there.contains(href), "{href}");
    }
    let observations: BTreeSet<&str> = values(results, "observation-uuid").into_iter().collect();
    let shown: usize =
        results["results"].as_array().unwrap().iter().map(|r| r["observations"].as_array().unwrap().len()).sum();
    assert_eq!(observations.len(), shown, "each observation belongs to one finding");
    let imported: BTreeSet<&str> = files["profile.json"]["profile"]["imports"][0]["include-controls"][0]["with-ids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_str().unwrap())
        .collect();
    assert_eq!(imported.len(), assessments.iter().map(|a| a.requirements.len()).sum::<usize>());
    assert!(imported.is_subset(&objectives));
}

#[test]
fn junit_is_valid_and_counts_what_the_assessment_counts() {
    let (recording, assessments) = judged(&failing(), None);
    let text = junit(&report(&recording, &assessments)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("junit.xml");
    fs::write(&file, &text).unwrap();
    let xsd = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas/junit-10.xsd");
    let mut tool = Command::new("xmllint");
    let out = tool.args(["--noout", "--nonet", "--schema"]).arg(xsd).arg(&file).output();
    let out = out.expect("xmllint is needed (Debian: libxml2-utils)");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let all: Vec<_> = assessments.iter().flat_map(cases).collect();
    let of = |o: Outcome| all.iter().filter(|c| c.outcome == o).count();
    assert_eq!(text.matches("<testcase ").count(), all.len());
    assert_eq!(text.matches("<failure ").count(), of(Outcome::Fail));
    assert_eq!(text.matches("<error ").count(), of(Outcome::Inconclusive));
    assert!(of(Outcome::Fail) > 0 && of(Outcome::Inconclusive) > 0);
    let head =
        format!("tests=\"{}\" failures=\"{}\" errors=\"{}\">", all.len(), of(Outcome::Fail), of(Outcome::Inconclusive));
    assert!(text.contains(&head), "{head}");
    assert!(!text.contains("<script") && !text.contains('\u{1b}') && !text.contains('\u{202e}'));
}

#[test]
fn no_requirement_is_without_a_case_or_looks_better_in_its_cases() {
    for lines in [failing(), lines("x"), lines("x").into_iter().filter(|l| !l.contains("run-finished")).collect()] {
        let (_, assessments) = judged(&lines, None);
        for a in &assessments {
            let all = cases(a);
            for r in &a.requirements {
                let own: Vec<Outcome> = all.iter().filter(|c| c.requirement.id == r.id).map(|c| c.outcome).collect();
                assert!(own.contains(&r.outcome), "{}: {:?} of {own:?}", r.id, r.outcome);
            }
        }
    }
}

#[test]
fn sarif_shows_failures_only_and_the_same_flaw_keeps_its_fingerprint() {
    let (recording, assessments) = judged(&failing(), None);
    let log: Value =
        serde_json::from_str(&sarif(&report(&recording, &assessments), Some("firmware/product.toml"))).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let mut shown = 0;
    for (a, run) in assessments.iter().zip(log["runs"].as_array().unwrap()) {
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), a.results.iter().filter(|r| r.verdict == Outcome::Fail).count());
        for r in results {
            shown += 1;
            let rule = &run["tool"]["driver"]["rules"][usize::try_from(r["ruleIndex"].as_u64().unwrap()).unwrap()];
            assert_eq!(rule["id"], r["ruleId"]);
            assert_eq!(r["kind"], "fail");
            assert_eq!(r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "firmware/product.toml");
            assert!(r["locations"][0]["logicalLocations"][0]["fullyQualifiedName"].as_str().unwrap().contains("2323"));
        }
    }
    assert!(shown > 0);
    let elsewhere: Vec<String> = failing().iter().map(|l| l.replace("127.0.0.1", "127.0.0.9")).collect();
    let moved = judged(&elsewhere, None);
    let moved: Value = serde_json::from_str(&sarif(&report(&moved.0, &moved.1), None)).unwrap();
    let print = |log: &Value| log["runs"][1]["results"][0]["partialFingerprints"]["patuhFinding/v1"].clone();
    assert!(print(&log).is_string());
    assert_eq!(print(&log), print(&moved), "another address on another day is the same flaw");
}

#[test]
fn csv_has_a_line_for_each_case_and_no_formula() {
    let (_, assessments) = judged(&failing(), None);
    let text = csv(&assessments);
    assert_eq!(text.lines().count(), 1 + assessments.iter().map(|a| cases(a).len()).sum::<usize>());
    assert!(text.lines().skip(1).all(|l| l.starts_with('"') && l.ends_with('"')));
    assert!(!text.contains(",\"=") && !text.contains(",\"@"));
}

#[test]
fn the_bag_holds_every_view_and_the_same_content_gives_the_same_bytes() {
    let make = || {
        let (recording, assessments) = judged(&failing(), None);
        let content = Content {
            recording: &recording,
            assessments: &assessments,
            interim: Interim::Yes,
            supersedes: None,
            laboratory: None,
        };
        views(&content).unwrap()
    };
    let names: Vec<String> = make().into_iter().map(|(name, _)| name).collect();
    for name in ["junit.xml", "results.csv", "results.sarif", "oscal/catalog.json", "oscal/assessment-results.json"] {
        assert!(names.contains(&format!("views/{name}")), "{name} of {names:?}");
    }
    assert_eq!(make(), make());
}

#[test]
fn only_the_failures_that_were_expected_are_no_surprise() {
    let known = "[[failure]]\ncheck = \"telnet-noauth-shell\"\nprofile = \"test-profile\"\nreason = \"until 2.4\"\n";
    let known = Expected::parse("known.toml", known).unwrap();
    let (_, failing) = judged(&failing(), None);
    let (_, mended) = judged(&lines("x"), None);
    assert_eq!(known.surprises(&failing[1..]), Vec::<String>::new());
    assert_eq!(known.surprises(&mended[1..]), ["test-profile: `telnet-noauth-shell` was expected to fail and is PASS"]);
    assert_eq!(
        Expected::default().surprises(&failing[1..]),
        ["test-profile: `telnet-noauth-shell` fails and was not expected to"]
    );
    let elsewhere = known.surprises(&mended[..1]);
    assert!(elsewhere.iter().any(|s| s.contains("was not judged under any profile named")), "{elsewhere:?}");
}

/// 0 when everything is as expected, 1 at any surprise, whichever way.
#[test]
fn the_exit_code_tells_a_build_server_whether_anything_was_unexpected() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("p.toml"), support::PROFILE).unwrap();
    fs::write(dir.path().join("none.toml"), "").unwrap();
    let known = "[[failure]]\ncheck = \"telnet-noauth-shell\"\nreason = \"until 2.4\"\n";
    fs::write(dir.path().join("known.toml"), known).unwrap();
    fs::write(dir.path().join("wrong.toml"), "[[failure]]\ncheck = \"telnet\"\nreason = \"x\"\n").unwrap();
    for (name, lines) in [("bad", failing()), ("good", lines("x"))] {
        fs::create_dir(dir.path().join(name)).unwrap();
        fs::write(dir.path().join(name).join("recording.jsonl"), lines.join("\n") + "\n").unwrap();
    }
    let code = |recording: &str, expect: &str| {
        let mut tool = Command::new(env!("CARGO_BIN_EXE_patuh"));
        tool.args(["judge", recording, "--profile", "p.toml", "--expect", expect]).current_dir(dir.path());
        tool.output().unwrap().status.code()
    };
    assert_eq!(code("bad", "known.toml"), Some(0));
    assert_eq!(code("good", "none.toml"), Some(0));
    assert_eq!(code("bad", "none.toml"), Some(1));
    assert_eq!(code("good", "known.toml"), Some(1));
    assert_eq!(code("good", "wrong.toml"), Some(65));
}

#[test]
fn a_mistake_in_the_expected_failures_is_told_with_its_line() {
    for (text, cause) in [
        (
            "[[failure]]\ncheck = \"telnet-noauth-shel\"\nreason = \"x\"\n",
            "known.toml:2: no check `telnet-noauth-shel`",
        ),
        (
            "[[failure]]\ncheck = \"telnet-noauth-shell\"\nreason = \" \"\n",
            "known.toml:2: `telnet-noauth-shell` is expected to fail without a reason",
        ),
        ("[[failure]]\nchek = \"x\"\n", "known.toml:2: unknown field `chek`"),
    ] {
        let error = Expected::parse("known.toml", text).unwrap_err().to_string();
        assert!(error.starts_with(cause), "{error}");
    }
}
