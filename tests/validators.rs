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
    seal(&Sealing { source, profiles, keys: &keys, out: &out, interim, sealed_at, views, amendment, cms, confidential: None }).unwrap();
    let done = validate(&python, &out);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{done:?}");
    assert!(said.contains("bagit: valid") && said.contains("cyclonedx: valid"), "{said}");
    assert_eq!(said.matches("VALID: Model ").count(), 4, "{said}");
    fs::write(out.join("data/views/junit.xml"), "<testsuites/>").unwrap();
    let done = validate(&python, &out);
    assert!(!done.status.success() && String::from_utf8_lossy(&done.stderr).contains("BagValidationError"), "{done:?}");
}
