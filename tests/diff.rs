//! A difference names what changed and why, and its exit code says whether anything is worse.
#![expect(clippy::unwrap_used, reason = "tests")]
#[path = "support/sealing.rs"]
mod support;
use patuh::bundle::{Interim, ProfileSource, Sealing, Source, keygen, seal};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use support::{PROFILE, lines, profile, views};

struct Lab(tempfile::TempDir);

impl Lab {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn seal(&self, name: &str, lines: &[String], profile: ProfileSource) -> PathBuf {
        let (recording, out) = (self.0.path().join(format!("{name}.rec")), self.0.path().join(name));
        fs::create_dir_all(&recording).unwrap();
        fs::write(recording.join("recording.jsonl"), lines.join("\n") + "\n").unwrap();
        fs::write(recording.join("transcripts.jsonl"), format!("{}\n", support::TRANSCRIPT)).unwrap();
        let key = keygen(&self.0.path().join(format!("{name}.key"))).unwrap();
        seal(&Sealing {
            source: Source::open(&recording).unwrap(),
            profiles: vec![profile],
            keys: &[key],
            out: &out,
            interim: Interim::Yes,
            sealed_at: "2026-01-02T03:04:05Z".to_owned(),
            views,
            amendment: None,
            cms: None,
            confidential: None,
        })
        .unwrap();
        out
    }
}

fn diff(old: &Path, new: &Path) -> (i32, Value) {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_patuh"));
    let out = tool.arg("diff").args([old, new]).args(["--format", "json"]).output().unwrap();
    let code = out.status.code().unwrap();
    let shown = serde_json::from_slice(&out.stdout);
    assert!(shown.is_ok(), "{out:?}");
    (code, shown.unwrap())
}

fn bad(says: &str) -> Vec<String> {
    lines(says).iter().map(|l| l.replace("\"asks\":\"yes\"", "\"asks\":\"no\"")).collect()
}

#[test]
fn the_same_recording_is_the_same() {
    let lab = Lab::new();
    let (a, b) = (lab.seal("a", &lines("x"), profile()), lab.seal("b", &lines("x"), profile()));
    let (code, d) = diff(&a, &b);
    assert_eq!((code, &d["result"]), (0, &Value::from("same")), "{d}");
}

#[test]
fn another_address_is_no_change() {
    let lab = Lab::new();
    let moved: Vec<String> = lines("x").iter().map(|l| l.replace("127.0.0.1", "127.0.0.9")).collect();
    let (a, b) = (lab.seal("a", &lines("x"), profile()), lab.seal("b", &moved, profile()));
    let (code, d) = diff(&a, &b);
    assert_eq!(code, 0, "{d}");
}

/// Two scans of one device: controls ask other ports each time.
#[test]
fn what_a_control_happened_to_ask_is_no_fact_about_the_device() {
    let lab = Lab::new();
    let scan = |ports: &str| {
        let mut lines = lines("x");
        let at = lines.iter().position(|l| l.contains("run-finished")).unwrap();
        lines.insert(
            at,
            format!(
                r#"{{"line":"record","id":"r99","run":"p0","subject":"host/127.0.0.1","at":"2026-01-01T00:00:00Z","observation":{{"kind":"wildcard-control","asked":[{ports}],"accepted":[]}}}}"#
            ),
        );
        lines
    };
    let (a, b) = (lab.seal("a", &scan("40001,40002"), profile()), lab.seal("b", &scan("50001,50002"), profile()));
    let (code, d) = diff(&a, &b);
    assert_eq!(code, 0, "{d}");
}

#[test]
fn what_a_worse_twin_does_is_the_devices_cause_and_its_facts_are_named() {
    let lab = Lab::new();
    let (good, worse) = (lab.seal("good", &lines("x"), profile()), lab.seal("worse", &bad("x"), profile()));
    let (code, d) = diff(&good, &worse);
    assert_eq!(code, 2, "{d}");
    let verdict = &d["verdicts"][0];
    assert_eq!((&verdict["old"], &verdict["new"]), (&Value::from("PASS"), &Value::from("FAIL")));
    assert_eq!(verdict["cause"], "device");
    let because = verdict["because"].to_string();
    assert!(because.contains("tcp/host1:2323") && because.contains("telnet"), "{because}");
    let (code, d) = diff(&worse, &good);
    assert_eq!((code, &d["verdicts"][0]["worse"]), (1, &Value::from(false)), "{d}");
}

#[test]
fn another_text_of_the_profile_is_the_questions_cause() {
    let lab = Lab::new();
    let other =
        PROFILE.replace("checks = [\"telnet-noauth-shell\"]", "checks = [\"telnet-noauth-shell\", \"mqtt-anonymous\"]");
    let check = patuh::judge::CHECKS.iter().find(|c| c.id.starts_with("mqtt")).unwrap().id;
    let other = ProfileSource::written("t.toml", &other.replace("mqtt-anonymous", check), None).unwrap();
    let (a, b) = (lab.seal("a", &lines("x"), profile()), lab.seal("b", &lines("x"), other));
    let (code, d) = diff(&a, &b);
    let verdict = &d["verdicts"][0];
    assert_eq!((&verdict["check"], &verdict["cause"]), (&Value::from(check), &Value::from("question")), "{d}");
    assert!(verdict["because"].to_string().contains("profile `test-profile` is another text or level"), "{d}");
    assert_eq!(d["facts"]["gone"].as_array().unwrap().len() + d["facts"]["added"].as_array().unwrap().len(), 0);
    assert!(code == 1 || code == 2);
}

#[test]
fn a_probe_of_another_version_is_the_instruments_cause() {
    let lab = Lab::new();
    let newer: Vec<String> = bad("x").iter().map(|l| l.replace("\"version\":1", "\"version\":2")).collect();
    let (a, b) = (lab.seal("a", &lines("x"), profile()), lab.seal("b", &newer, profile()));
    let (_, d) = diff(&a, &b);
    assert_eq!(d["verdicts"][0]["cause"], "instrument", "{d}");
    assert!(d["verdicts"][0]["because"].to_string().contains("is of version 2 instead of 1"), "{d}");
}

#[test]
fn bundles_without_a_profile_in_common_are_not_comparable() {
    let lab = Lab::new();
    let builtin = ProfileSource::builtin("etsi-en303645-v2").unwrap();
    let (a, b) = (lab.seal("a", &lines("x"), profile()), lab.seal("b", &lines("x"), builtin));
    assert_eq!(diff(&a, &b).0, 3);
}

#[test]
fn a_changed_bundle_is_not_compared() {
    let lab = Lab::new();
    let (a, b) = (lab.seal("a", &lines("x"), profile()), lab.seal("b", &lines("x"), profile()));
    fs::write(b.join("bagit.txt"), "x").unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_patuh")).arg("diff").args([&a, &b]).output().unwrap();
    assert_eq!(out.status.code(), Some(65));
    assert!(String::from_utf8_lossy(&out.stderr).contains("`bagit.txt` was changed"));
}
