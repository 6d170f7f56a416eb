//! Validators that others wrote accept what we write. `scripts/test` installs them into target/validators-venv.
#![expect(clippy::unwrap_used, reason = "tests")]
#[path = "support/scans.rs"]
#[expect(dead_code, clippy::indexing_slicing, clippy::panic, clippy::print_stderr, reason = "what other tests need")]
mod scans;
#[path = "support/sealing.rs"]
mod support;
use patuh::bundle::{Interim, ProfileSource, Sealing, Source, keygen, seal};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};
use support::{lines, profile, views};

fn python() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/validators-venv/bin/python");
    if !python.exists() {
        scans::not_run("target/validators-venv is not there; scripts/test makes it");
        return None;
    }
    Some(python)
}

fn validate(python: &Path, bundle: &Path) -> Output {
    let work = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/validators.py");
    Command::new(python).arg(script).args([bundle, work.path()]).output().unwrap()
}

/// Where npm put what `scripts/test` installs.
fn node() -> Option<PathBuf> {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/validators-node/node_modules");
    if !modules.join("axe-core").exists() || !Path::new("/usr/bin/chromium").exists() {
        scans::not_run("target/validators-node or chromium is not there; scripts/test installs them");
        return None;
    }
    Some(modules)
}

/// A bundle of the small recording in which a Telnet service shows `says`.
fn sealed(dir: &Path, says: &str, recording: &[String], interim: Interim) -> PathBuf {
    let (from, out) = (dir.join(says), dir.join(format!("{says}.bundle")));
    fs::create_dir(&from).unwrap();
    fs::write(from.join("recording.jsonl"), recording.join("\n") + "\n").unwrap();
    fs::write(from.join("transcripts.jsonl"), format!("{}\n", support::TRANSCRIPT)).unwrap();
    let keys = [keygen(&dir.join(format!("{says}.key"))).unwrap()];
    let builtin = ProfileSource::builtin("etsi-en303645-v2").unwrap();
    let profiles = if interim == Interim::Yes { vec![builtin, profile()] } else { vec![profile()] };
    let (source, sealed_at) = (Source::open(&from).unwrap(), "2026-01-02T03:04:05Z".to_owned());
    let (amendment, cms, confidential, out_path) = (None, None, None, out.as_path());
    seal(&Sealing {
        source,
        profiles,
        keys: &keys,
        out: out_path,
        interim,
        sealed_at,
        views,
        amendment,
        cms,
        confidential,
    })
    .unwrap();
    out
}

fn open_telnet(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|l| l.replace("\"asks\":\"yes\"", "\"asks\":\"no\"")).collect()
}

#[test]
fn axe_finds_no_barrier_in_a_pass_a_fail_and_an_interim_report_at_two_widths() {
    let Some(modules) = node() else { return };
    let dir = tempfile::tempdir().unwrap();
    let pages = [
        sealed(dir.path(), "pass", &lines("pass"), Interim::No),
        sealed(dir.path(), "fail", &open_telnet(lines("fail")), Interim::No),
        sealed(dir.path(), "interim", &open_telnet(lines("interim")), Interim::Yes),
    ]
    .map(|bundle| bundle.join("data/report/report.html"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/axe.mjs");
    let axe = |pages: &[PathBuf]| {
        Command::new("timeout").args(["300", "node"]).arg(&script).arg(&modules).args(pages).output().unwrap()
    };
    let done = axe(&pages);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success() && said.matches(" 0 violated").count() == 6, "{said}{done:?}");
    // It sees what a reader could not: text that fades into the page, and a line that is wider than a phone.
    let text = fs::read_to_string(&pages[0]).unwrap();
    let faint = dir.path().join("faint.html");
    fs::write(&faint, text.replace("--dim: #4a5560", "--dim: #dddddd")).unwrap();
    let wide = dir.path().join("wide.html");
    fs::write(&wide, text.replace("<footer>", "<footer style=\"width: 60rem\">")).unwrap();
    for (page, cause) in [(faint, "color-contrast"), (wide, "px wide")] {
        let done = axe(&[page]);
        assert!(!done.status.success() && String::from_utf8_lossy(&done.stdout).contains(cause), "{done:?}");
    }
}

#[test]
fn sarif_multitool_finds_no_error() {
    let Some(modules) = node() else { return };
    let dir = tempfile::tempdir().unwrap();
    let bundle = sealed(dir.path(), "sarif", &open_telnet(lines("sarif")), Interim::Yes);
    let tool = modules.join("@microsoft/sarif-multitool-linux/Sarif.Multitool");
    let levels = |file: &Path| {
        let out = dir.path().join("said.sarif");
        let run = Command::new(&tool)
            .env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1")
            .args(["validate", "--log", "ForceOverwrite", "--rule-kind", "Sarif;Ghas", "-o"])
            .args([&out, file])
            .output()
            .unwrap();
        let said = fs::read(&out).unwrap_or_else(|e| panic!("{e}: {run:?}"));
        let said: serde_json::Value = serde_json::from_slice(&said).unwrap();
        let results = said["runs"][0]["results"].as_array().cloned().unwrap_or_default();
        results.iter().filter(|r| r["level"] == "error").map(|r| r["ruleId"].to_string()).collect::<Vec<_>>()
    };
    let file = bundle.join("data/views/results.sarif");
    assert!(fs::read_to_string(&file).unwrap().contains("telnet-noauth-shell"), "nothing failed");
    assert_eq!(levels(&file), Vec::<String>::new());
    let broken = dir.path().join("broken.sarif");
    fs::write(&broken, fs::read_to_string(&file).unwrap().replace("\"ruleIndex\": 0", "\"ruleIndex\": 99")).unwrap();
    assert_ne!(levels(&broken), Vec::<String>::new(), "the tool saw no error in a broken file");
}

#[test]
fn bagit_trestle_and_cyclonedx_accept_a_bundle_and_refuse_a_changed_one() {
    let Some(python) = python() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (recording, out) = (dir.path().join("recording"), dir.path().join("bundle"));
    fs::create_dir(&recording).unwrap();
    let hostile =
        lines("</td>\u{1b}[2J\u{202e}\"'&").into_iter().map(|l| l.replace("\"asks\":\"yes\"", "\"asks\":\"no\""));
    fs::write(recording.join("recording.jsonl"), hostile.collect::<Vec<_>>().join("\n") + "\n").unwrap();
    fs::write(recording.join("transcripts.jsonl"), format!("{}\n", support::TRANSCRIPT)).unwrap();
    let keys = [keygen(&dir.path().join("key")).unwrap()];
    let profiles = vec![ProfileSource::builtin("etsi-en303645-v2").unwrap(), profile()];
    let (source, sealed_at) = (Source::open(&recording).unwrap(), "2026-01-02T03:04:05Z".to_owned());
    let (interim, amendment, cms) = (Interim::Yes, None, None);
    seal(&Sealing {
        source,
        profiles,
        keys: &keys,
        out: &out,
        interim,
        sealed_at,
        views,
        amendment,
        cms,
        confidential: None,
    })
    .unwrap();
    let done = validate(&python, &out);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{done:?}");
    assert!(said.contains("bagit: valid") && said.contains("cyclonedx: valid"), "{said}");
    assert_eq!(said.matches("VALID: Model ").count(), 4, "{said}");
    assert_eq!(said.matches("check-jsonschema: ").count(), 5, "{said}");
    assert!(said.contains("xmlschema: junit.xml is valid"), "{said}");
    fs::write(out.join("data/views/junit.xml"), "<testsuites/>").unwrap();
    let done = validate(&python, &out);
    assert!(!done.status.success() && String::from_utf8_lossy(&done.stderr).contains("BagValidationError"), "{done:?}");
}
