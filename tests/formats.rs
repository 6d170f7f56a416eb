//! Samples of every format that was ever written are read, verify, and judge to the same bytes.
//!
//! A recording there never changes. What is sealed of it changes with the words of this version until that is released:
//! `PATUH_RESEAL=1 cargo test --test formats` seals the samples again; look at what changed before you commit it.
#![expect(clippy::unwrap_used, reason = "tests")]
#[path = "support/sealing.rs"]
#[expect(dead_code, reason = "another test uses the rest")]
mod support;
use patuh::{
    bundle::{Interim, LineOutcome, Records, Sealing, Source, Verification, keygen, open, seal, signers, verify},
    model::Recording,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use support::{profile, views};

/// Each format of a recording, and of a bundle.
const SAMPLES: [(&str, &str); 2] = [("recording-1", "bundle-1-recording-1"), ("recording-2", "bundle-1-recording-2")];

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats").join(name)
}

/// Seals a sample of this version, with a key that is then thrown away.
fn reseal(recording: &Path, bundle: &Path) {
    let dir = tempfile::tempdir().unwrap();
    let key = keygen(&dir.path().join("key")).unwrap();
    let _ = fs::remove_dir_all(bundle);
    let public = key.public_line().unwrap();
    fs::write(bundle.with_extension("allowed_signers"), signers::line("sample@lab", &public)).unwrap();
    seal(&Sealing {
        source: Source::open(recording).unwrap(),
        profiles: vec![profile()],
        keys: &[key],
        out: bundle,
        interim: Interim::No,
        sealed_at: "2026-01-02T03:04:05Z".to_owned(),
        views,
        amendment: None,
        cms: None,
        confidential: None,
    })
    .unwrap();
}

fn checked(bundle: &Path) -> Verification {
    let allowed = fs::read_to_string(bundle.with_extension("allowed_signers")).unwrap();
    verify(bundle, &Records { signers: Some(&allowed), ..Records::default() }, views)
}

#[test]
fn a_bundle_of_every_format_verifies_and_judges_to_the_same_bytes() {
    for (recording, bundle) in SAMPLES {
        let (recording, bundle) = (sample(recording), sample(bundle));
        if std::env::var_os("PATUH_RESEAL").is_some() {
            reseal(&recording, &bundle);
        }
        let v = checked(&bundle);
        let [integrity, authenticity, _, again] = &v.lines;
        assert_eq!((integrity.outcome, authenticity.outcome), (LineOutcome::Ok, LineOutcome::Ok), "{v:?}");
        assert_eq!(again.outcome, LineOutcome::Ok, "{}: {}; see above", bundle.display(), again.detail);
        let opened = open(&bundle).unwrap();
        assert_eq!(opened.assessments().first().unwrap().verdict.word(), "PASS");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify-bundle.sh");
        let mut stock = Command::new("sh");
        let out = stock.arg(script).arg(&bundle).arg(bundle.with_extension("allowed_signers")).output().unwrap();
        assert!(out.status.success(), "{out:?}");
        for file in ["recording.jsonl", "transcripts.jsonl"] {
            let sealed = fs::read(bundle.join("data/recording").join(file)).unwrap();
            assert_eq!(sealed, fs::read(recording.join(file)).unwrap(), "{file}");
        }
    }
}

#[test]
fn every_format_of_a_recording_has_a_sample() {
    let formats: Vec<String> = SAMPLES
        .iter()
        .map(|(name, _)| fs::read(sample(name).join("recording.jsonl")).unwrap())
        .map(|bytes| Recording::parse(&bytes).unwrap().header.format)
        .collect();
    assert_eq!(formats, [patuh::model::recording::UNCHAINED, patuh::model::recording::FORMAT]);
    assert_eq!(patuh::bundle::payload::SCHEMA, "bundle/1", "a new format needs a sample");
    assert!(sample("recording-2").join(patuh::model::plan::FILE).exists());
}
