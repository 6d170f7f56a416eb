//! What assessors attested travels with the evidence, is judged again from the bundle, and cannot be changed unseen.
#![expect(clippy::unwrap_used, reason = "tests")]
#[path = "support/sealing.rs"]
mod support;
use patuh::{
    bundle::{
        Body, Interim, PayloadError, ProfileSource, Records, SealError, Sealing, Source, keygen, layout, open, seal,
        verify,
    },
    judge::assess::Outcome,
    model::Sha256Digest,
};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};
use support::{lines, views};

const LABEL: &[u8] = b"the label, photographed";

/// The profile of the other tests, and a requirement that only a person can decide.
fn profile() -> ProfileSource {
    let text = support::profile().text
        + "[[requirement]]\nid = \"T-2\"\nlevel = \"1\"\nbinding = \"mandatory\"\ntext = \"The label says who made it.\"\n\
           cites = []\nchecks = []\nattest = \"read the label\"\n";
    ProfileSource::written("test-profile.toml", &text, None).unwrap()
}

struct Lab(tempfile::TempDir);

impl Lab {
    fn new() -> Self {
        let lab = Self(tempfile::tempdir().unwrap());
        keygen(&lab.path("key")).unwrap();
        fs::create_dir_all(lab.path("recording")).unwrap();
        fs::write(lab.path("recording/recording.jsonl"), lines("telnetd").join("\n") + "\n").unwrap();
        fs::write(lab.path("recording/transcripts.jsonl"), format!("{}\n", support::TRANSCRIPT)).unwrap();
        fs::write(lab.path("own.toml"), profile().text).unwrap();
        fs::write(lab.path("Label.jpg"), LABEL).unwrap();
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn patuh(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_patuh")).current_dir(self.0.path()).args(args).output().unwrap()
    }

    fn done(&self, args: &[&str]) {
        let out = self.patuh(args);
        assert_eq!(out.status.code(), Some(0), "{args:?}: {out:?}");
    }

    fn attest(&self, verdict: &str, why: &str) {
        self.done(&[
            "attest",
            "recording",
            "--unit",
            "T-2",
            "--verdict",
            verdict,
            "--by",
            "A. Tan",
            "--why",
            why,
            "--attach",
            "Label.jpg",
            "--profile",
            "own.toml",
        ]);
    }

    fn seal(&self, name: &str) -> Result<PathBuf, SealError> {
        let key = patuh::bundle::SigningKey::load(&self.path("key"), None).unwrap();
        seal(&Sealing {
            source: Source::open(&self.path("recording"))?,
            profiles: vec![profile()],
            keys: &[key],
            out: &self.path(name),
            interim: Interim::No,
            sealed_at: "2026-01-02T03:04:05Z".to_owned(),
            views,
            amendment: None,
            cms: None,
            confidential: None,
        })
        .map(|s| s.path)
    }

    fn amend(&self, attested: &str) -> Output {
        self.patuh(&["amend", "old", "--reason", "read again", "--attested", attested, "--key", "key", "--out", "new"])
    }
}

fn outcome(bundle: &Path) -> Outcome {
    let opened = open(bundle).unwrap();
    opened.assessments().iter().flat_map(|a| &a.requirements).find(|r| r.id == "T-2").unwrap().outcome
}

/// What verifying and opening say of a bundle that they refuse.
fn refused(bundle: &Path) -> String {
    let v = verify(bundle, &Records::default(), views);
    assert_eq!(v.code(), 1, "{v:?}");
    format!("{v:?} {}", open(bundle).unwrap_err())
}

#[test]
fn a_bundle_is_final_once_everything_is_attested() {
    let lab = Lab::new();
    let error = lab.seal("early").unwrap_err();
    assert!(matches!(error, SealError::Payload(PayloadError::AwaitingAssessor { .. })), "{error}");
    lab.attest("pass", "the label names the maker");
    let bundle = lab.seal("bundle").unwrap();
    let v = verify(&bundle, &Records::default(), views);
    assert_eq!(v.code(), 0, "{v:?}");
    assert_eq!(outcome(&bundle), Outcome::Pass);
    let files = layout::load(&bundle).unwrap();
    let kept = files.get("data/attestations/attestations.jsonl").unwrap();
    assert_eq!(kept.to_vec().unwrap(), fs::read(lab.path("recording/attestations.jsonl")).unwrap());
    let name = format!("data/attestations/attachments/{}-label.jpg", &Sha256Digest::of(LABEL).hex()[..12]);
    assert_eq!(files.get(&name).and_then(Body::held), Some(LABEL), "{:?}", files.keys());
    let index: Value = serde_json::from_slice(layout::bytes(&files, layout::INDEX)).unwrap();
    assert_eq!((&index["attestations"], &index["attachments"]), (&json!(layout::ATTESTATIONS), &json!([name])));
    let page = String::from_utf8(files.get("data/report/report.html").unwrap().to_vec().unwrap()).unwrap();
    assert!(page.contains("A. Tan") && page.contains("the label names the maker"));
    // Judging the bundle again, from a directory or packed, uses what is in it.
    for source in ["bundle", "recording"] {
        let out = lab.patuh(&["judge", source, "--profile", "own.toml", "--format", "json"]);
        assert_eq!(out.status.code(), Some(0), "{source}: {out:?}");
    }
}

#[test]
fn a_changed_attachment_or_line_is_refused_by_name() {
    let lab = Lab::new();
    lab.attest("pass", "the label names the maker");
    let bundle = lab.seal("bundle").unwrap();
    let name = layout::attachment_path(&format!("{}-label.jpg", &Sha256Digest::of(LABEL).hex()[..12]));
    for (file, from, to) in [(name.as_str(), "label", "lapel"), (layout::ATTESTATIONS, "A. Tan", "B. Lim")] {
        let whole = fs::read_to_string(bundle.join(file)).unwrap();
        fs::write(bundle.join(file), whole.replacen(from, to, 1)).unwrap();
        assert!(refused(&bundle).contains(&format!("`{file}` was changed")), "{}", refused(&bundle));
        let away = lab.path("away");
        fs::rename(bundle.join(file).parent().unwrap(), &away).unwrap();
        assert!(refused(&bundle).contains("` is missing"), "{}", refused(&bundle));
        fs::rename(&away, bundle.join(file).parent().unwrap()).unwrap();
        fs::write(bundle.join(file), whole).unwrap();
    }
    fs::write(bundle.join("data/attestations/attachments/more.jpg"), "x").unwrap();
    assert!(refused(&bundle).contains("more.jpg` was added"));
}

#[test]
fn what_was_changed_beside_the_recording_is_not_sealed() {
    let lab = Lab::new();
    lab.attest("pass", "the label names the maker");
    let kept = format!("recording/attachments/{}-label.jpg", &Sha256Digest::of(LABEL).hex()[..12]);
    for (change, says) in [(Some("another label"), "its digest differs"), (None, "is missing")] {
        match change {
            Some(text) => fs::write(lab.path(&kept), text).unwrap(),
            None => fs::remove_file(lab.path(&kept)).unwrap(),
        }
        let error = lab.seal("bundle").unwrap_err().to_string();
        assert!(error.contains(&format!("{}/attachments/", lab.text("recording"))) && error.contains(says), "{error}");
        let out = lab.patuh(&["judge", "recording", "--profile", "own.toml"]);
        assert_eq!(out.status.code(), Some(65), "{out:?}");
    }
    fs::write(lab.path(&kept), LABEL).unwrap();
    let file = lab.path("recording/attestations.jsonl");
    fs::write(&file, fs::read_to_string(&file).unwrap().replace("\"pass\"", "\"passed\"")).unwrap();
    let error = lab.seal("bundle").unwrap_err().to_string();
    assert!(error.contains("attestations.jsonl:1: unknown variant `passed`"), "{error}");
    assert!(!lab.path("bundle").exists());
}

#[test]
fn an_amendment_adds_what_was_attested_since_and_a_difference_names_the_assessor() {
    let lab = Lab::new();
    lab.attest("pass", "the label names the maker");
    lab.seal("old").unwrap();
    lab.attest("fail", "it names the importer");
    let out = lab.amend("recording");
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    assert_eq!(verify(&lab.path("new"), &Records::default(), views).code(), 0);
    assert_eq!((outcome(&lab.path("old")), outcome(&lab.path("new"))), (Outcome::Pass, Outcome::Fail));
    assert_eq!(open(&lab.path("new")).unwrap().from.supersedes.unwrap().changed, [layout::ATTESTATIONS]);
    let out = lab.patuh(&["diff", "old", "new", "--format", "json"]);
    let d: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((out.status.code(), &d["result"]), (Some(2), &json!("worse")), "{d}");
    assert_eq!(d["verdicts"].as_array().unwrap().len(), 1, "{d}");
    let change = &d["verdicts"][0];
    assert_eq!((&change["cause"], &change["requirements"]), (&json!("assessor"), &json!(["T-2"])));
    assert_eq!((&change["old"], &change["new"], &change["worse"]), (&json!("PASS"), &json!("FAIL"), &json!(true)));
    assert!(change["because"][0].as_str().unwrap().contains("it names the importer"), "{d}");
    let text = String::from_utf8(lab.patuh(&["diff", "old", "new"]).stdout).unwrap();
    assert!(text.contains("test-profile T-2: PASS -> FAIL (cause: assessor, worse)"), "{text}");
}

#[test]
fn an_amendment_takes_no_rewritten_history_and_no_other_recordings_attestations() {
    let lab = Lab::new();
    lab.attest("pass", "the label names the maker");
    lab.seal("old").unwrap();
    let file = lab.path("recording/attestations.jsonl");
    fs::write(&file, fs::read_to_string(&file).unwrap().replace("names the maker", "names the owner")).unwrap();
    let out = lab.amend("recording");
    assert_eq!(out.status.code(), Some(65), "{out:?}");
    assert!(String::from_utf8_lossy(&out.stderr).contains("attestations.jsonl:1: was changed or removed"), "{out:?}");
    fs::create_dir(lab.path("other")).unwrap();
    fs::write(lab.path("other/recording.jsonl"), lines("another").join("\n") + "\n").unwrap();
    fs::write(lab.path("other/attestations.jsonl"), "").unwrap();
    let out = lab.amend("other");
    assert_eq!(out.status.code(), Some(65), "{out:?}");
    assert!(String::from_utf8_lossy(&out.stderr).contains("of another recording"), "{out:?}");
    assert!(!lab.path("new").exists());
}

/// Makes a key of this name, and the line of a certifier's records that lets it be used for `namespaces`.
fn person(lab: &Lab, name: &str, namespaces: &str) -> String {
    keygen(&lab.path(name)).unwrap();
    let public = fs::read_to_string(lab.path(&format!("{name}.pub"))).unwrap();
    format!("{name} namespaces=\"{namespaces}\" {}\n", public.trim())
}

/// What the tool and the stock script say of the bundle, by these records.
fn both(lab: &Lab, bundle: &str, records: &str) -> [(bool, String); 2] {
    fs::write(lab.path("allowed"), records).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/verify-bundle.sh");
    let stock = Command::new("sh").args([script, &lab.text(bundle), &lab.text("allowed")]).output().unwrap();
    let ours = lab.patuh(&["verify", bundle, "--signers", "allowed"]);
    [ours, stock].map(|o| (o.status.success(), String::from_utf8_lossy(&o.stdout).into_owned()))
}

#[test]
fn an_assessors_own_signature_is_checked_for_its_purpose_by_the_tool_and_by_stock_tools() {
    let lab = Lab::new();
    let public = fs::read_to_string(lab.path("key.pub")).unwrap();
    let seals = format!("lab namespaces=\"patuh-evidence-bundle\" {}\n", public.trim());
    let judges = person(&lab, "tan", "patuh-judgement");
    lab.attest("pass", "seen, nobody signed");
    let attest =
        ["attest", "recording", "--unit", "T-2", "--verdict", "pass", "--by", "A. Tan", "--profile", "own.toml"];
    lab.done(&[&attest[..], &["--why", "l\u{fc}ckenlos \"and\" \\ complete", "--key", "tan"]].concat());
    lab.seal("bundle").unwrap();
    for (good, said) in both(&lab, "bundle", &format!("{seals}{judges}")) {
        assert!(good, "{said}");
        assert!(
            said.contains("judgements: 1 signed by A. Tan, 1 not signed") || said.contains("1 of 2 signed"),
            "{said}"
        );
    }
    // Whoever may seal, may not judge, and the other way round.
    let as_seal = judges.replace("patuh-judgement", "patuh-evidence-bundle");
    for records in [seals.clone(), format!("{seals}{as_seal}")] {
        for (good, said) in both(&lab, "bundle", &records) {
            assert!(!good && (said.contains("attestations.jsonl:2")), "{said}");
        }
    }
    // The laboratory puts other words over the assessor's name, and seals them well.
    let path = lab.path("recording/attestations.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("complete", "incomplete")).unwrap();
    lab.seal("forged").unwrap();
    for (good, said) in both(&lab, "forged", &format!("{seals}{judges}")) {
        assert!(!good && said.contains("does not fit"), "{said}");
    }
}

#[test]
fn what_the_laboratory_says_of_itself_is_sealed_shown_and_replaced_by_an_amendment_alone() {
    let lab = Lab::new();
    lab.attest("pass", "the label names the maker");
    let says = "name = \"Lab of the test\"\naccreditation = \"LAB-7\"\n[[person]]\nname = \"A. Tan\"\nrole = \"engineer\"\n\
                [[sample]]\nid = \"S1\"\nserial = \"A1B2C3\"\n";
    fs::write(lab.path("recording/laboratory.toml"), says.replace("role", "rule")).unwrap();
    let error = lab.seal("wrong").unwrap_err().to_string();
    assert!(error.starts_with("laboratory.toml:5: unknown field `rule`"), "{error}");
    fs::write(lab.path("recording/laboratory.toml"), says).unwrap();
    let bundle = lab.seal("old").unwrap();
    assert_eq!(fs::read_to_string(bundle.join(layout::LABORATORY)).unwrap(), says);
    let page = fs::read_to_string(bundle.join("data/report/report.html")).unwrap();
    for said in ["Lab of the test", "LAB-7", "A. Tan, engineer", "S1, serial number A1B2C3"] {
        assert!(page.contains(said), "{said}");
    }
    // Of the recording alone, too.
    let out = lab.patuh(&["report", "recording", "--profile", "own.toml", "--format", "html"]);
    assert!(String::from_utf8_lossy(&out.stdout).contains("Lab of the test"), "{out:?}");
    fs::write(bundle.join(layout::LABORATORY), says.replace("LAB-7", "LAB-8")).unwrap();
    refused(&bundle);
    fs::write(bundle.join(layout::LABORATORY), says).unwrap();
    fs::write(lab.path("new.toml"), says.replace("LAB-7", "LAB-8")).unwrap();
    lab.done(&["amend", "old", "--reason", "number", "--laboratory", "new.toml", "--key", "key", "--out", "new"]);
    let index = fs::read_to_string(lab.path("new").join(layout::INDEX)).unwrap();
    assert!(index.contains(r#""changed":["data/laboratory/laboratory.toml"]"#), "{index}");
    assert!(fs::read_to_string(lab.path("new/data/report/report.html")).unwrap().contains("LAB-8"));
    assert_eq!(verify(&lab.path("new"), &Records::default(), views).code(), 0);
}
