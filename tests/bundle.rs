//! A bundle that was changed in any way is refused, and the refusal names what was changed.
#![expect(clippy::unwrap_used, reason = "tests")]
#[path = "support/sealing.rs"]
mod support;
use patuh::bundle::{
    Interim, LineOutcome, PayloadError, ProfileSource, Records, SealError, Sealing, SigningKey, Source, Verification,
    keygen, layout, open, seal, sign, signers, verify,
};
use proptest::prelude::*;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use support::{lines, profile, views};

struct Lab {
    dir: tempfile::TempDir,
    key: SigningKey,
}

impl Lab {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = keygen(&dir.path().join("key")).unwrap();
        write(&dir.path().join("recording"), &lines("BusyBox telnetd"));
        Self { dir, key }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn try_seal(&self, name: &str, profiles: Vec<ProfileSource>, interim: Interim) -> Result<PathBuf, SealError> {
        let (recording, out) = (self.path("recording"), self.path(name));
        let sealed_at = "2026-01-02T03:04:05Z".to_owned();
        let (keys, source) = (std::slice::from_ref(&self.key), Source::open(&recording)?);
        seal(&Sealing {
            source,
            profiles,
            keys,
            out: &out,
            interim,
            sealed_at,
            views,
            amendment: None,
            cms: None,
            confidential: None,
        })
        .map(|s| s.path)
    }

    fn seal(&self) -> PathBuf {
        self.try_seal("bundle", vec![profile()], Interim::No).unwrap()
    }
}

/// Writes a recording directory.
fn write(dir: &Path, lines: &[String]) {
    fs::create_dir_all(dir).unwrap();
    fs::write(dir.join("recording.jsonl"), lines.join("\n") + "\n").unwrap();
    fs::write(dir.join("transcripts.jsonl"), format!("{}\n", support::TRANSCRIPT)).unwrap();
    fs::write(dir.join("ics.toml"), "[claims]\n\"5.1-1\" = { support = \"yes\" }\n").unwrap();
}

/// Verifies with a reader's own allowed_signers.
fn known_to(bundle: &Path, signers: &str) -> Verification {
    verify(bundle, &Records { signers: Some(signers), anchors: None, ..Records::default() }, views)
}

fn detail<'a>(v: &'a Verification, name: &str) -> (LineOutcome, &'a str) {
    let line = v.lines.iter().find(|l| l.name == name).unwrap();
    (line.outcome, line.detail.as_str())
}

/// The bundle is refused by verifying and by opening, and both say `cause`.
fn refused(bundle: &Path, name: &str, cause: &str) {
    let v = verify(bundle, &Records::default(), views);
    assert_eq!(v.code(), 1, "{v:?}");
    let (outcome, why) = detail(&v, name);
    assert_eq!(outcome, LineOutcome::Failed, "{v:?}");
    assert!(why.contains(cause), "{why}");
    let error = open(bundle).unwrap_err().to_string();
    assert!(error.contains(cause), "{error}");
}

/// Makes the manifests again, as a forger would.
fn remake(bundle: &Path) {
    let files = layout::load(bundle).unwrap();
    let data = files.into_iter().filter(|(p, _)| p.starts_with("data/")).collect();
    for (name, body) in layout::with_tags(data, "2026-01-02T03:04:05Z") {
        fs::write(bundle.join(name), body.to_vec().unwrap()).unwrap();
    }
}

fn change(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{} holds no {from}", file.display());
    fs::write(file, text.replacen(from, to, 1)).unwrap();
}

/// Signs the statement of `bundle` again, with stock tools.
fn sign_again(bundle: &Path, key: &Path, namespace: &str) {
    let statement = bundle.join("seal/statement.json");
    let mut tool = Command::new("ssh-keygen");
    let made = tool.args(["-q", "-Y", "sign", "-n", namespace, "-f"]).arg(key).arg(&statement).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    fs::rename(bundle.join("seal/statement.json.sig"), bundle.join(layout::SIGNATURE)).unwrap();
}

#[test]
fn an_untouched_bundle_is_accepted() {
    let lab = Lab::new();
    let bundle = lab.seal();
    let v = verify(&bundle, &Records::default(), views);
    assert_eq!(v.code(), 0, "{v:?}");
    assert_eq!(detail(&v, "integrity").0, LineOutcome::Ok);
    assert_eq!(detail(&v, "re-derivation").0, LineOutcome::Ok);
    assert_eq!(detail(&v, "time").0, LineOutcome::NotChecked);
    let (outcome, why) = detail(&v, "authenticity");
    assert_eq!(outcome, LineOutcome::NotChecked);
    assert!(why.contains(&lab.key.fingerprint()) && why.contains("not compared with your records"), "{why}");
    let opened = open(&bundle).unwrap();
    assert_eq!(opened.assessments().len(), 1);
    assert_eq!(opened.assessments()[0].verdict.word(), "PASS");
    assert_eq!(opened.interim(), Interim::No);
}

#[test]
fn a_recording_and_its_bundle_give_the_same_bytes() {
    let lab = Lab::new();
    let bundle = lab.seal();
    let (a, b) = (Source::open(&lab.path("recording")).unwrap(), Source::open(&bundle).unwrap());
    let files = |s: &Source| {
        let from = &s.from;
        (from.recorded.body.clone(), from.transcripts.clone(), from.ics.clone(), from.ixit.clone())
    };
    assert_eq!(files(&a), files(&b));
    assert!(a.bundle.is_none() && b.bundle.is_some());
    let absent = Source::open(&lab.path("none")).unwrap_err().to_string();
    assert!(absent.contains("none: there is nothing of that name"), "{absent}");
    fs::create_dir(lab.path("empty")).unwrap();
    assert!(Source::open(&lab.path("empty")).unwrap_err().to_string().contains("neither recording.jsonl nor"));
}

#[test]
fn the_readers_own_records_decide_whose_key_it_is() {
    let lab = Lab::new();
    let bundle = lab.seal();
    let public = lab.key.public_line().unwrap();
    let known = signers::line("mgr@lab.example", &public);
    let v = known_to(&bundle, &format!("# our labs\n\n{known}"));
    assert_eq!(v.code(), 0, "{v:?}");
    assert!(detail(&v, "authenticity").1.contains("mgr@lab.example"));
    let other = keygen(&lab.path("other")).unwrap().public_line().unwrap();
    let bad = [
        (signers::line("mgr@lab.example", &other), "no line of the allowed signers has the key"),
        (format!("m namespaces=\"git,file\" {public}"), "may not sign for namespace"),
        (format!("m valid-before=\"20251231\" {public}"), "was not valid at 2026-01-02T03:04:05Z"),
        (format!("m valid-after=\"20260103Z\" {public}"), "was not valid at"),
        (format!("m cert-authority {public}"), "no line of the allowed signers has the key"),
        ("m nonsense\n".to_owned(), "allowed signers, line 1"),
        (String::new(), "no line of the allowed signers has the key"),
    ];
    for (text, cause) in bad {
        let v = known_to(&bundle, &text);
        assert_eq!((v.code(), detail(&v, "authenticity").0), (1, LineOutcome::Failed), "{text}");
        assert!(detail(&v, "authenticity").1.contains(cause), "{v:?}");
    }
    let v = known_to(&bundle, &format!("\"m,n\" namespaces=\"git,patuh-*\",valid-after=\"20260102\" {public}"));
    assert_eq!(v.code(), 0, "{v:?}");
}

#[test]
fn a_revoked_key_is_refused_by_the_tool_and_by_stock_ssh_keygen() {
    let lab = Lab::new();
    let bundle = lab.seal();
    let public = lab.key.public_line().unwrap();
    let known = signers::line("mgr@lab.example", &public);
    let other = keygen(&lab.path("other")).unwrap().public_line().unwrap();
    let told = |revoked: &str| {
        fs::write(lab.path("known"), &known).unwrap();
        fs::write(lab.path("revoked"), revoked).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify-bundle.sh");
        let files = [bundle.clone(), lab.path("known"), PathBuf::new(), PathBuf::new(), lab.path("revoked")];
        let stock = Command::new("sh").arg(script).args(files).output().unwrap();
        let records = Records { signers: Some(&known), revoked: Some(revoked), ..Records::default() };
        let v = verify(&bundle, &records, views);
        assert_eq!(stock.status.success(), v.code() == 0, "{stock:?} {v:?}");
        detail(&v, "authenticity").1.to_owned()
    };
    assert!(told(&other).contains("signed by mgr@lab.example"));
    assert!(told(&format!("# stolen\n{other}{public}")).contains("was revoked (line 3"));
    let broken = verify(&bundle, &Records { revoked: Some("SSHKRL\n"), ..Records::default() }, views);
    assert!(broken.code() == 1 && detail(&broken, "authenticity").1.contains("revoked keys, line 1"), "{broken:?}");
}

#[test]
fn newer_formats_are_refused_and_say_so() {
    for (file, from, to, cause) in [
        ("data/bundle.json", "bundle/1", "bundle/2", "schema `bundle/2` is not known"),
        ("data/recording/recording.jsonl", "recording/1", "recording/3", "format `recording/3` is not known"),
    ] {
        let lab = Lab::new();
        let bundle = lab.seal();
        change(&bundle.join(file), from, to);
        remake(&bundle);
        let v = verify(&bundle, &Records::default(), views);
        assert!(v.code() == 1 && detail(&v, "re-derivation").1.contains(cause), "{file}: {v:?}");
    }
}

#[test]
fn a_changed_file_is_named() {
    let lab = Lab::new();
    let bundle = lab.seal();
    change(&bundle.join(layout::RECORDING), "BusyBox", "BusyBux");
    refused(&bundle, "integrity", "`data/recording/recording.jsonl` was changed");
}

#[test]
fn a_removed_file_is_named() {
    for (file, cause) in [
        ("data/recording/transcripts.jsonl", "`data/recording/transcripts.jsonl` is missing"),
        ("data/declarations/ics.toml", "`data/declarations/ics.toml` is missing"),
        ("bag-info.txt", "`bag-info.txt` is missing"),
        ("seal/signer.pub", "`seal/signer.pub` is missing"),
    ] {
        let lab = Lab::new();
        let bundle = lab.seal();
        fs::remove_file(bundle.join(file)).unwrap();
        if file.contains("declarations") {
            fs::remove_dir(bundle.join("data/declarations")).unwrap();
        }
        refused(&bundle, "integrity", cause);
    }
}

#[test]
fn an_added_file_is_named_wherever_it_is() {
    for file in ["data/results/zz.json", "data/FINAL.html", "FINAL-REPORT.html", "seal/statement2.json", ".hidden"] {
        let lab = Lab::new();
        let bundle = lab.seal();
        fs::write(bundle.join(file), "all passed").unwrap();
        refused(&bundle, "integrity", &format!("`{file}`"));
    }
    let lab = Lab::new();
    let bundle = lab.seal();
    fs::create_dir(bundle.join("data/empty")).unwrap();
    refused(&bundle, "integrity", "`data/empty/`");
}

#[test]
fn a_hostile_file_name_cannot_steer_the_terminal() {
    let lab = Lab::new();
    let bundle = lab.seal();
    fs::write(bundle.join("data/\u{1b}[2Jall ok"), "").unwrap();
    refused(&bundle, "integrity", "`data/.[2Jall ok`");
}

#[test]
fn a_renamed_file_is_named_with_both_names() {
    let lab = Lab::new();
    let bundle = lab.seal();
    fs::rename(bundle.join("data/results/test-profile.json"), bundle.join("data/results/other.json")).unwrap();
    refused(&bundle, "integrity", "`data/results/test-profile.json` was renamed to `data/results/other.json`");
}

#[test]
fn a_link_is_refused_even_to_the_same_bytes() {
    let lab = Lab::new();
    let bundle = lab.seal();
    let file = bundle.join("data/results/test-profile.json");
    fs::rename(&file, lab.path("elsewhere.json")).unwrap();
    std::os::unix::fs::symlink(lab.path("elsewhere.json"), &file).unwrap();
    refused(&bundle, "integrity", "`data/results/test-profile.json` is neither a plain file nor a directory");
}

#[test]
fn an_edited_verdict_is_refused_however_well_the_manifests_are_made() {
    let lab = Lab::new();
    let bundle = lab.seal();
    change(&bundle.join("data/results/test-profile.json"), "\"verdict\": \"PASS\"", "\"verdict\": \"FAIL\"");
    remake(&bundle);
    refused(&bundle, "integrity", "`tagmanifest-sha256.txt` is not the one that `seal/statement.json` names");
    let v = verify(&bundle, &Records::default(), views);
    let (outcome, why) = detail(&v, "re-derivation");
    assert_eq!(outcome, LineOutcome::Failed);
    assert!(why.contains("`data/results/test-profile.json` is not what judging again gives"), "{why}");
}

/// The laboratory itself lies: everything is sealed anew with its own key. Only judging again shows it.
#[test]
fn a_laboratory_cannot_seal_a_verdict_that_the_recording_does_not_give() {
    for file in ["data/results/test-profile.json", "data/report/report.html"] {
        let lab = Lab::new();
        let bundle = lab.seal();
        change(&bundle.join(file), "PASS", "FAIL");
        let old = patuh::model::Sha256Digest::of(&fs::read(bundle.join(layout::TAG_MANIFEST)).unwrap());
        let id = layout::identifier(&fs::read(bundle.join(layout::MANIFEST)).unwrap());
        remake(&bundle);
        let new = patuh::model::Sha256Digest::of(&fs::read(bundle.join(layout::TAG_MANIFEST)).unwrap());
        change(&bundle.join(layout::STATEMENT), &old.hex(), &new.hex());
        let new_id = layout::identifier(&fs::read(bundle.join(layout::MANIFEST)).unwrap());
        change(&bundle.join(layout::STATEMENT), &id, &new_id);
        sign_again(&bundle, &lab.path("key"), sign::NAMESPACE);
        let statement = fs::read(bundle.join(layout::STATEMENT)).unwrap();
        let envelope = patuh::bundle::dsse::write(&statement, std::slice::from_ref(&lab.key)).unwrap();
        fs::write(bundle.join(layout::ENVELOPE), envelope).unwrap();
        let v = verify(&bundle, &Records::default(), views);
        assert_eq!(detail(&v, "integrity").0, LineOutcome::Ok, "{v:?}");
        assert_eq!(detail(&v, "authenticity").0, LineOutcome::NotChecked, "{v:?}");
        let (outcome, why) = detail(&v, "re-derivation");
        assert_eq!((v.code(), outcome), (1, LineOutcome::Failed));
        assert!(why.contains(&format!("`{file}`")), "{why}");
        assert_eq!(open(&bundle).unwrap().assessments()[0].verdict.word(), "PASS", "what is shown is judged again");
    }
}

#[test]
fn a_signature_for_another_purpose_or_by_another_key_is_refused() {
    let lab = Lab::new();
    let bundle = lab.seal();
    sign_again(&bundle, &lab.path("key"), "patuh-judgement");
    refused(&bundle, "authenticity", "was made for namespace `patuh-judgement`");
    keygen(&lab.path("other")).unwrap();
    sign_again(&bundle, &lab.path("other"), sign::NAMESPACE);
    refused(&bundle, "authenticity", "was made with another key than `seal/signer.pub`");
    sign_again(&bundle, &lab.path("key"), sign::NAMESPACE);
    assert_eq!(verify(&bundle, &Records::default(), views).code(), 0);
    change(&bundle.join(layout::STATEMENT), "2026-01-02", "2027-01-02");
    refused(&bundle, "authenticity", "does not fit what it was made over");
}

#[test]
fn stock_tools_verify_the_bundle() {
    let lab = Lab::new();
    let bundle = lab.seal();
    for manifest in [layout::MANIFEST, layout::TAG_MANIFEST] {
        let out = Command::new("sha256sum").args(["--strict", "-c", manifest]).current_dir(&bundle).output().unwrap();
        assert!(out.status.success(), "{out:?}");
    }
    assert!(stock_accepts(&lab, &bundle, sign::NAMESPACE));
    assert!(!stock_accepts(&lab, &bundle, "patuh-judgement"));
}

/// Whether `ssh-keygen -Y verify` accepts the seal with our key in the records.
fn stock_accepts(lab: &Lab, bundle: &Path, namespace: &str) -> bool {
    let allowed = lab.path("allowed_signers");
    let public = lab.key.public_line().unwrap();
    fs::write(&allowed, signers::line("mgr@lab.example", &public)).unwrap();
    let mut tool = Command::new("ssh-keygen");
    tool.args(["-Y", "verify", "-I", "mgr@lab.example", "-n", namespace, "-s", layout::SIGNATURE, "-f"]).arg(&allowed);
    tool.stdin(Stdio::from(fs::File::open(bundle.join(layout::STATEMENT)).unwrap())).current_dir(bundle);
    tool.output().unwrap().status.success()
}

/// Made once by `ssh-keygen -t ecdsa` for this test: of each 256 such keys the library cannot read one.
const ECDSA: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\n\
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAaAAAABNlY2RzYS\n\
1zaGEyLW5pc3RwMjU2AAAACG5pc3RwMjU2AAAAQQQQR2FT9dk2TtzWtLhApL537C3B7BPn\n\
LIrE8LaVPc1f6mS+iGjKQnPpaKN1RBGJh/GvnaZCCKJBsJvIiKB9V8fmAAAAsFkPjChZD4\n\
woAAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBBBHYVP12TZO3Na0\n\
uECkvnfsLcHsE+csisTwtpU9zV/qZL6IaMpCc+loo3VEEYmH8a+dpkIIokGwm8iIoH1Xx+\n\
YAAAAgH4qR6hymodm4CXYjezUSA5SrFdq55z5guKst9ogJ8j8AAAASbWFkZSBmb3IgdGhp\n\
cyB0ZXN0AQIDBAUG\n\
-----END OPENSSH PRIVATE KEY-----\n";

#[test]
fn every_kind_of_ssh_key_seals() {
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let mut lab = Lab::new();
        let path = lab.path("stock");
        if kind == "ecdsa" {
            fs::write(&path, ECDSA).unwrap();
        } else {
            let made = Command::new("ssh-keygen").args(["-q", "-N", "", "-t", kind, "-f"]).arg(&path).status().unwrap();
            assert!(made.success());
        }
        lab.key = SigningKey::load(&path, None).unwrap();
        let bundle = lab.seal();
        assert_eq!(verify(&bundle, &Records::default(), views).code(), 0, "{kind:?}");
        assert!(stock_accepts(&lab, &bundle, sign::NAMESPACE), "{kind:?}");
    }
}

#[test]
fn a_locked_key_needs_its_pass_phrase() {
    let lab = Lab::new();
    let path = lab.path("locked");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "sesame", "-f"]).arg(&path).status();
    assert!(made.unwrap().success());
    let error = |phrase| SigningKey::load(&path, phrase).unwrap_err().to_string();
    assert!(error(None).contains("locked with a pass phrase"));
    assert!(error(Some("wrong")).contains("does not open the key"));
    SigningKey::load(&path, Some("sesame")).unwrap();
}

#[test]
fn a_new_key_is_the_owners_alone_and_never_replaces_one() {
    use std::os::unix::fs::PermissionsExt;
    let lab = Lab::new();
    assert_eq!(fs::metadata(lab.path("key")).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(keygen(&lab.path("key")).is_err());
    assert_eq!(SigningKey::load(&lab.path("key"), None).unwrap().fingerprint(), lab.key.fingerprint());
}

#[test]
fn sealing_twice_gives_the_same_bytes() {
    let lab = Lab::new();
    let (a, b) = (lab.seal(), lab.try_seal("again", vec![profile()], Interim::No).unwrap());
    assert_eq!(layout::load(&a).unwrap(), layout::load(&b).unwrap());
}

#[test]
fn nothing_unfinished_is_sealed_unless_it_is_called_interim() {
    let whole = lines("x");
    let without = |word: &str| whole.iter().filter(|l| !l.contains(word)).cloned().collect::<Vec<_>>();
    let probe = patuh::judge::check::find("telnet-noauth-shell").unwrap().needs[0];
    for (lines, cause) in [
        (without("\"line\":\"finished\""), "the scan did not finish".to_owned()),
        (without("run-finished"), format!("the planned run of `{probe}` did not finish")),
    ] {
        let lab = Lab::new();
        write(&lab.path("recording"), &lines);
        let error = lab.try_seal("bundle", vec![profile()], Interim::No).unwrap_err().to_string();
        assert!(error.contains(&cause) && error.contains("--interim"), "{error}");
        assert!(!lab.path("bundle").exists());
        let bundle = lab.try_seal("bundle", vec![profile()], Interim::Yes).unwrap();
        assert_eq!(verify(&bundle, &Records::default(), views).code(), 0);
        assert_eq!(open(&bundle).unwrap().interim(), Interim::Yes);
        for file in ["data/bundle.json", "seal/statement.json"] {
            let text = fs::read_to_string(bundle.join(file)).unwrap();
            assert!(text.contains("\"interim\":\"yes\"") || text.contains("\"interim\":true"), "{text}");
        }
        let page = fs::read_to_string(bundle.join("data/report/report.html")).unwrap();
        assert!(page.contains("<strong>Interim.</strong>"));
    }
}

#[test]
fn a_requirement_that_awaits_an_assessor_is_sealed_as_interim_only() {
    let lab = Lab::new();
    let text = format!("{}attest = \"look at the manual\"\n", support::PROFILE);
    let source = || vec![ProfileSource::written("t.toml", &text, None).unwrap()];
    let error = lab.try_seal("bundle", source(), Interim::No).unwrap_err();
    assert!(matches!(error, SealError::Payload(PayloadError::AwaitingAssessor { .. })), "{error}");
    assert!(error.to_string().contains("requirement `T-1` awaits an assessor"), "{error}");
    lab.try_seal("bundle", source(), Interim::Yes).unwrap();
}

#[test]
fn a_failure_leaves_nothing_behind_and_nothing_is_overwritten() {
    let lab = Lab::new();
    let there = |lab: &Lab| {
        let names = fs::read_dir(lab.dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        names.map(|n| (n, ())).collect::<BTreeMap<_, _>>()
    };
    let before = there(&lab);
    fs::write(lab.path("recording/transcripts.jsonl"), "{}\n").unwrap();
    let error = lab.try_seal("bundle", vec![profile()], Interim::Yes).unwrap_err().to_string();
    assert!(error.contains("transcripts.jsonl: no line has the digest"), "{error}");
    fs::write(lab.path("recording/transcripts.jsonl"), format!("{}\n", support::TRANSCRIPT)).unwrap();
    assert!(lab.try_seal("missing/bundle", vec![profile()], Interim::No).is_err());
    assert!(lab.try_seal("bundle", vec![], Interim::No).unwrap_err().to_string().contains("no profile is named"));
    let twice = lab.try_seal("bundle", vec![profile(), profile()], Interim::No).unwrap_err().to_string();
    assert!(twice.contains("`test-profile` is named twice"), "{twice}");
    assert_eq!(there(&lab), before);
    lab.seal();
    let again = lab.try_seal("bundle", vec![profile()], Interim::No).unwrap_err().to_string();
    assert!(again.contains("exists already"), "{again}");
}

#[test]
fn a_built_in_profile_puts_its_text_in_the_bag() {
    let lab = Lab::new();
    let source = ProfileSource::builtin("etsi-en303645-v2").unwrap();
    let text = source.text.clone();
    let bundle = lab.try_seal("bundle", vec![source, profile()], Interim::Yes).unwrap();
    assert_eq!(fs::read_to_string(bundle.join("data/profiles/etsi-en303645-v2.toml")).unwrap(), text);
    assert_eq!(verify(&bundle, &Records::default(), views).code(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn one_flipped_bit_anywhere_is_refused(file: prop::sample::Index, at: prop::sample::Index, bit in 0u8..8) {
        let lab = Lab::new();
        let bundle = lab.seal();
        let names: Vec<String> = layout::load(&bundle).unwrap().into_keys().collect();
        let path = bundle.join(file.get(&names));
        let mut bytes = fs::read(&path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        fs::write(&path, bytes).unwrap();
        prop_assert_eq!(verify(&bundle, &Records::default(), views).code(), 1, "{}", path.display());
        prop_assert!(open(&bundle).is_err());
    }
}

#[test]
fn no_bit_of_the_signature_and_the_key_is_free() {
    let lab = Lab::new();
    let bundle = lab.seal();
    for name in [layout::SIGNATURE, layout::SIGNER] {
        let path = bundle.join(name);
        let whole = fs::read(&path).expect("sealed");
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                let (message, good) =
                    (fs::read(bundle.join(layout::STATEMENT)).unwrap(), |n: &str| fs::read(bundle.join(n)).unwrap());
                let (signature, signer) = if name == layout::SIGNER {
                    (good(layout::SIGNATURE), bytes)
                } else {
                    (bytes, good(layout::SIGNER))
                };
                if sign::check(&message, ("s", &signature), ("k", &signer)).is_ok() {
                    panic!("{name}: byte {at} bit {bit} is free");
                }
            }
        }
    }
}
