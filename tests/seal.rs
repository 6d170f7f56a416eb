//! Sealing with several keys and agents, for a time that others tell, in a zip, again, and when the disk is full.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
#[path = "support/authority.rs"]
mod authority;
#[path = "support/sealing.rs"]
mod support;
use authority::Authority;
use base64::{Engine, engine::general_purpose::STANDARD};
use patuh::bundle::{
    Amendment, Container, Interim, LineOutcome, ProfileSource, Records, SealError, Sealing, SigningKey, Source,
    Verification, archive, keygen, layout, open, seal, seal::attach, seal::build, signers, timestamp, verify,
};
use std::{
    fs,
    io::{Cursor, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output},
};
use support::{lines, profile, views};
use zip::{ZipWriter, write::SimpleFileOptions};

struct Lab(tempfile::TempDir);

impl Lab {
    fn new() -> Self {
        let lab = Self(tempfile::tempdir().unwrap());
        fs::create_dir(lab.path("recording")).unwrap();
        fs::write(lab.path("recording/recording.jsonl"), lines("BusyBox telnetd").join("\n") + "\n").unwrap();
        fs::write(lab.path("recording/transcripts.jsonl"), format!("{}\n", support::TRANSCRIPT)).unwrap();
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn key(&self, name: &str) -> SigningKey {
        keygen(&self.path(name)).unwrap()
    }

    fn sealing<'a>(&self, recording: &Path, keys: &'a [SigningKey], out: &'a Path) -> Sealing<'a> {
        let sealed_at = "2026-01-02T03:04:05Z".to_owned();
        let (interim, amendment) = (Interim::No, None);
        let source = Source::open(recording).unwrap();
        Sealing {
            source,
            profiles: vec![profile()],
            keys,
            out,
            interim,
            sealed_at,
            views,
            amendment,
            cms: None,
            confidential: None,
        }
    }

    fn seal(&self, name: &str, keys: &[SigningKey]) -> PathBuf {
        let out = self.path(name);
        seal(&self.sealing(&self.path("recording"), keys, &out)).unwrap();
        out
    }

    /// A key of a kind that stock `ssh-keygen` makes.
    fn stock_key(&self, name: &str, kind: &[&str]) -> PathBuf {
        let path = self.path(name);
        run(Command::new("ssh-keygen").args(["-q", "-N", "", "-f"]).arg(&path).args(kind));
        path
    }

    fn zip(&self, name: &str, keys: &[SigningKey]) -> PathBuf {
        let out = self.path(name);
        build(&self.sealing(&self.path("recording"), keys, &out)).unwrap().place(&out, Container::Zip).unwrap();
        out
    }
}

const KINDS: [&[&str]; 3] = [&["-t", "ed25519"], &["-t", "ecdsa"], &["-t", "rsa", "-b", "2048"]];

fn run(command: &mut Command) -> Output {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{command:?}: {out:?}");
    out
}

fn checked(bundle: &Path) -> Verification {
    verify(bundle, &Records::default(), views)
}

fn detail<'a>(v: &'a Verification, name: &str) -> (LineOutcome, &'a str) {
    let line = v.lines.iter().find(|l| l.name == name).unwrap();
    (line.outcome, line.detail.as_str())
}

fn patuh(args: &[&str]) -> Command {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_patuh"));
    tool.args(args);
    tool
}

#[test]
fn every_signer_must_be_in_the_readers_records() {
    let lab = Lab::new();
    let keys = [lab.key("tester"), lab.key("manager")];
    let bundle = lab.seal("bundle", &keys);
    let line = |name: &str, key: &SigningKey| signers::line(name, &key.public_line().unwrap());
    let known =
        |text: &str| verify(&bundle, &Records { signers: Some(text), anchors: None, ..Records::default() }, views);
    let both = known(&(line("t@lab", &keys[0]) + &line("m@lab", &keys[1])));
    let (outcome, why) = detail(&both, "authenticity");
    assert_eq!(outcome, LineOutcome::Ok);
    assert!(why.contains("t@lab") && why.contains("m@lab"), "{why}");
    assert_eq!(detail(&known(&line("t@lab", &keys[0])), "authenticity").0, LineOutcome::Failed);
    assert_eq!(open(&bundle).unwrap().signers, [keys[0].fingerprint(), keys[1].fingerprint()]);
}

#[test]
fn a_signer_can_be_neither_dropped_nor_added() {
    let lab = Lab::new();
    let bundle = lab.seal("bundle", &[lab.key("a"), lab.key("b")]);
    let file = bundle.join(layout::signature(1));
    let bytes = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    assert!(detail(&checked(&bundle), "integrity").1.contains("`seal/statement.json.2.sshsig` is missing"));
    fs::write(&file, &bytes).unwrap();
    assert_eq!(checked(&bundle).code(), 0);
    fs::write(bundle.join(layout::signature(2)), &bytes).unwrap();
    assert!(detail(&checked(&bundle), "integrity").1.contains("names no such signer"));
}

#[test]
fn nobody_signs_twice_and_somebody_signs() {
    let lab = Lab::new();
    lab.key("a");
    let twice = [SigningKey::load(&lab.path("a"), None).unwrap(), SigningKey::load(&lab.path("a"), None).unwrap()];
    for keys in [&twice[..], &[]] {
        let (recording, out) = (lab.path("recording"), lab.path("bundle"));
        let error = seal(&lab.sealing(&recording, keys, &out)).unwrap_err();
        assert!(matches!(error, SealError::Signers), "{error}");
    }
}

/// Checks the envelope as its specification says, with `openssl` and nothing of ours.
fn openssl_accepts(lab: &Lab, bundle: &Path, public: &Path, kind: &str) -> bool {
    let envelope: serde_json::Value =
        serde_json::from_slice(&fs::read(bundle.join(layout::ENVELOPE)).unwrap()).unwrap();
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    assert_eq!(payload, fs::read(bundle.join(layout::STATEMENT)).unwrap());
    let kind_of = envelope["payloadType"].as_str().unwrap();
    let mut pae = format!("DSSEv1 {} {kind_of} {} ", kind_of.len(), payload.len()).into_bytes();
    pae.extend(payload);
    fs::write(lab.path("pae"), pae).unwrap();
    let sig = STANDARD.decode(envelope["signatures"][0]["sig"].as_str().unwrap()).unwrap();
    fs::write(lab.path("sig"), sig).unwrap();
    let pem = lab.path("public.pem");
    if kind == "ed25519" {
        let text = fs::read_to_string(public).unwrap();
        let blob = STANDARD.decode(text.split_whitespace().nth(1).unwrap()).unwrap();
        let mut der = vec![0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
        der.extend(&blob[blob.len() - 32..]);
        fs::write(lab.path("der"), der).unwrap();
        run(Command::new("openssl")
            .args(["pkey", "-pubin", "-inform", "DER", "-in"])
            .arg(lab.path("der"))
            .arg("-out")
            .arg(&pem));
    } else {
        let out = run(Command::new("ssh-keygen").args(["-e", "-m", "PKCS8", "-f"]).arg(public));
        fs::write(&pem, out.stdout).unwrap();
    }
    let digest: &[&str] = match kind {
        "ed25519" => &[],
        "ecdsa" => &["-digest", "sha256"],
        _ => &["-digest", "sha512"],
    };
    let mut tool = Command::new("openssl");
    tool.args(["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey"]).arg(&pem).args(digest);
    tool.arg("-in").arg(lab.path("pae")).arg("-sigfile").arg(lab.path("sig")).output().unwrap().status.success()
}

#[test]
fn stock_openssl_accepts_the_envelope_of_every_kind_of_key() {
    for kind in KINDS {
        let lab = Lab::new();
        let path = lab.stock_key("key", kind);
        let bundle = lab.seal("bundle", &[SigningKey::load(&path, None).unwrap()]);
        assert_eq!(checked(&bundle).code(), 0);
        assert!(openssl_accepts(&lab, &bundle, &bundle.join(layout::SIGNER), kind[1]), "{kind:?}");
        let other = lab.stock_key("other", kind).with_extension("pub");
        assert!(!openssl_accepts(&lab, &bundle, &other, kind[1]), "{kind:?}");
    }
}

#[test]
fn no_bit_of_the_envelope_is_free() {
    for kind in &KINDS[..2] {
        let lab = Lab::new();
        let path = lab.stock_key("key", kind);
        let bundle = lab.seal("bundle", &[SigningKey::load(&path, None).unwrap()]);
        let file = bundle.join(layout::ENVELOPE);
        let (whole, statement) = (fs::read(&file).unwrap(), fs::read(bundle.join(layout::STATEMENT)).unwrap());
        let line = fs::read_to_string(bundle.join(layout::SIGNER)).unwrap();
        let keys = [ssh_key::PublicKey::from_openssh(line.trim()).unwrap()];
        assert!(patuh::bundle::dsse::check(&whole, &statement, &keys).is_ok());
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                let free = patuh::bundle::dsse::check(&bytes, &statement, &keys).is_ok();
                assert!(!free, "byte {at} bit {bit} is free");
            }
        }
    }
}

/// An agent of its own, that ends with the test.
struct Agent {
    child: Child,
    socket: PathBuf,
}

impl Agent {
    fn start(lab: &Lab) -> Self {
        let socket = lab.path("agent");
        let mut child = Command::new("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        // The agent says its address when it listens.
        let mut first = [0; 1];
        child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
        Self { child, socket }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_key_seals_without_leaving_its_agent() {
    for kind in KINDS {
        let lab = Lab::new();
        let path = lab.stock_key("key", kind);
        let agent = Agent::start(&lab);
        run(Command::new("ssh-add").arg("-q").arg(&path).env("SSH_AUTH_SOCK", &agent.socket));
        fs::remove_file(&path).unwrap();
        let key = SigningKey::from_agent(&agent.socket, &path.with_extension("pub")).unwrap();
        let bundle = lab.seal("bundle", &[key]);
        assert_eq!(checked(&bundle).code(), 0, "{kind:?}");
        assert!(openssl_accepts(&lab, &bundle, &bundle.join(layout::SIGNER), kind[1]), "{kind:?}");
        let stranger = lab.stock_key("stranger", kind).with_extension("pub");
        let error = SigningKey::from_agent(&agent.socket, &stranger).unwrap_err().to_string();
        assert!(error.contains("the agent does not hold this key; add it with ssh-add"), "{error}");
    }
    let lab = Lab::new();
    let path = lab.stock_key("key", KINDS[0]).with_extension("pub");
    let error = SigningKey::from_agent(&lab.path("nobody"), &path).unwrap_err().to_string();
    assert!(error.contains("start an SSH agent"), "{error}");
}

fn time_of(bundle: &Path, anchors: Option<&[u8]>) -> (LineOutcome, String) {
    let v = verify(bundle, &Records { signers: None, anchors, ..Records::default() }, views);
    let (outcome, why) = detail(&v, "time");
    assert_eq!(v.code(), u8::from(outcome == LineOutcome::Failed), "{v:?}");
    (outcome, why.to_owned())
}

#[test]
fn a_token_of_a_known_authority_tells_the_time_and_stock_openssl_agrees() {
    for key in [&["rsa:2048"][..], &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]] {
        let lab = Lab::new();
        let bundle = lab.seal("bundle", &[lab.key("key")]);
        assert!(time_of(&bundle, None).1.contains("lab clock only"));
        let authority = Authority::new(&lab.path("tsa"), key);
        authority.stamp(&bundle);
        let (outcome, why) = time_of(&bundle, Some(&authority.anchors()));
        assert_eq!(outcome, LineOutcome::Ok, "{why}");
        assert!(why.contains("stamped at 20") && why.contains("by the lab's clock"), "{why}");
        let (outcome, why) = time_of(&bundle, None);
        assert_eq!(outcome, LineOutcome::NotChecked);
        assert!(why.contains("not compared with your records"), "{why}");
        let mut stock = Command::new("openssl");
        stock.args(["ts", "-verify", "-data", layout::SIGNATURE, "-in", layout::TOKEN, "-CAfile"]);
        run(stock.arg(authority.dir.join("ca.pem")).current_dir(&bundle));
        assert!(open(&bundle).is_ok());
    }
}

#[test]
fn the_time_of_an_authority_that_the_reader_does_not_know_is_refused() {
    let lab = Lab::new();
    let bundle = lab.seal("bundle", &[lab.key("key")]);
    let (known, stranger) = (Authority::usual(&lab.path("known")), Authority::usual(&lab.path("stranger")));
    stranger.stamp(&bundle);
    let (outcome, why) = time_of(&bundle, Some(&known.anchors()));
    assert_eq!(outcome, LineOutcome::Failed);
    assert!(why.contains("does not lead to your anchors"), "{why}");
    assert!(time_of(&bundle, Some(b"nothing")).1.contains("the anchors are not PEM certificates"));
}

#[test]
fn a_token_of_another_bundle_is_not_attached_and_none_is_replaced() {
    let lab = Lab::new();
    let keys = [lab.key("key")];
    let (a, authority) = (lab.seal("a", &keys), Authority::usual(&lab.path("tsa")));
    let b = lab.seal("b", &[lab.key("other")]);
    let answer = authority.stamp(&a);
    let error = attach(&b, &answer).unwrap_err().to_string();
    assert!(error.contains("is for another file"), "{error}");
    assert!(!b.join(layout::TOKEN).exists());
    let again = attach(&a, &answer).unwrap_err().to_string();
    assert!(again.contains("exists already"), "{again}");
    assert!(attach(&b, b"no token").unwrap_err().to_string().contains("not a time-stamp response"));
    fs::write(b.join(layout::TOKEN), &answer).unwrap();
    assert_eq!(time_of(&b, Some(&authority.anchors())).0, LineOutcome::Failed);
}

/// What the authority did not sign (its words, other certificates) is free, but tells nothing.
#[test]
fn a_changed_token_never_tells_another_time() {
    let lab = Lab::new();
    let bundle = lab.seal("bundle", &[lab.key("key")]);
    let authority = Authority::usual(&lab.path("tsa"));
    let whole = authority.stamp(&bundle);
    let stamped = fs::read(bundle.join(layout::SIGNATURE)).unwrap();
    let good = timestamp::read(&whole, &stamped).unwrap();
    let mut refused = 0;
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        match timestamp::read(&bytes, &stamped)
            .and_then(|t| t.trusted(&authority.anchors()).map(|()| t).map_err(Into::into))
        {
            Ok(token) => assert_eq!((&token.time, &token.serial), (&good.time, &good.serial), "byte {at}"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused * 2 > whole.len(), "{refused} of {}", whole.len());
}

#[test]
fn a_seal_that_its_token_is_older_than_is_refused() {
    let lab = Lab::new();
    let (keys, recording, out) = ([lab.key("key")], lab.path("recording"), lab.path("bundle"));
    let mut sealing = lab.sealing(&recording, &keys, &out);
    sealing.sealed_at = "2199-01-01T00:00:00Z".to_owned();
    seal(&sealing).unwrap();
    let authority = Authority::usual(&lab.path("tsa"));
    authority.stamp(&out);
    let (outcome, why) = time_of(&out, Some(&authority.anchors()));
    assert_eq!(outcome, LineOutcome::Failed);
    assert!(why.contains("the lab's clock was wrong"), "{why}");
}

/// The query over http, and carried by hand: the command line's two ways.
#[test]
fn the_command_line_asks_an_authority_or_carries_the_query_by_hand() {
    let lab = Lab::new();
    let authority = Authority::usual(&lab.path("tsa"));
    let at = |name: &str| lab.path(name).display().to_string();
    let written = lab.path("p.toml");
    fs::write(&written, support::PROFILE).unwrap();
    run(&mut patuh(&["keygen", &at("lab")]));
    let (url, serve) = authority.serve(1);
    let common = [&at("recording")[..], "--profile", &at("p.toml"), "--key", &at("lab")].map(str::to_owned);
    let seal = |more: &[&str]| {
        let mut tool = patuh(&["seal"]);
        tool.args(&common).args(more);
        tool
    };
    let out = run(seal(&["--out", &at("online"), "--tsa", &url]).env("HOME", lab.0.path()));
    serve.join().unwrap();
    assert!(String::from_utf8_lossy(&out.stdout).contains("stamped at 20"), "{out:?}");
    run(&mut seal(&["--out", &at("offline"), "--timestamp-request", &at("q.tsq")]));
    fs::write(lab.path("r.tsr"), authority.answer(&fs::read(lab.path("q.tsq")).unwrap())).unwrap();
    run(&mut patuh(&["timestamp", &at("offline"), "--token", &at("r.tsr")]));
    let anchors = authority.dir.join("ca.pem").display().to_string();
    for name in ["online", "offline"] {
        let out = run(&mut patuh(&["verify", &at(name), "--tsa-anchors", &anchors]));
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(
            said.lines().any(|l| l.starts_with("time") && l.contains(" ok ") && l.contains("stamped at")),
            "{said}"
        );
    }
    let out = seal(&["--out", &at("late"), "--tsa", "http://127.0.0.1:9/"]).output().unwrap();
    assert_eq!(out.status.code(), Some(69), "{out:?}");
    assert!(String::from_utf8_lossy(&out.stderr).contains("the bundle is sealed without it"));
    assert_eq!(checked(&lab.path("late")).code(), 0);
}

#[test]
fn an_amended_bundle_names_the_one_that_it_replaces_and_leaves_it_alone() {
    let lab = Lab::new();
    let keys = [lab.key("key")];
    let old = lab.seal("old", &keys);
    let before = layout::load(&old).unwrap();
    let out = lab.path("new");
    let mut sealing = lab.sealing(&old, &keys, &out);
    sealing.profiles = Vec::new();
    let ics = b"[claims]\n\"5.1-1\" = { support = \"yes\" }\n".to_vec();
    let reason = "the maker corrected <b>5.1-1</b>".to_owned();
    sealing.amendment = Some(Amendment { reason, ics: Some(ics), ..Amendment::default() });
    seal(&sealing).unwrap();
    assert_eq!(layout::load(&old).unwrap(), before);
    assert_eq!(checked(&out).code(), 0);
    let (old, new) = (open(&old).unwrap(), open(&out).unwrap());
    let supersedes = new.from.supersedes.clone().unwrap();
    assert_eq!((&supersedes.bundle_id, &supersedes.tagmanifest_sha256), (&old.identifier, &old.tag_manifest));
    assert_eq!(supersedes.changed, [layout::ICS]);
    let statement: serde_json::Value = serde_json::from_slice(&fs::read(out.join(layout::STATEMENT)).unwrap()).unwrap();
    assert_eq!(statement["predicate"]["supersedes"]["bundle_id"], old.identifier.as_str());
    let page = fs::read_to_string(out.join("data/report/report.html")).unwrap();
    assert!(page.contains("<strong>Amended.</strong>") && page.contains("corrected &lt;b&gt;5.1-1"), "escaped");
}

#[test]
fn an_amendment_needs_a_bundle_and_a_reason() {
    let lab = Lab::new();
    let keys = [lab.key("key")];
    let (old, recording, out) = (lab.seal("old", &keys), lab.path("recording"), lab.path("new"));
    let amendment = |reason: &str| Some(Amendment { reason: reason.to_owned(), ..Amendment::default() });
    let mut sealing = lab.sealing(&recording, &keys, &out);
    sealing.amendment = amendment("x");
    assert!(matches!(seal(&sealing).unwrap_err(), SealError::NotABundle(_)));
    let mut sealing = lab.sealing(&old, &keys, &out);
    sealing.amendment = amendment("  ");
    assert!(matches!(seal(&sealing).unwrap_err(), SealError::Reason));
    assert!(!out.exists());
}

#[test]
fn amending_names_profiles_as_sealing_does() {
    let lab = Lab::new();
    let at = |name: &str| lab.path(name).display().to_string();
    let written = |from: &str| fs::write(lab.path("p.toml"), support::PROFILE.replace("2020-01-01", from)).unwrap();
    lab.seal("old", &[lab.key("key")]);
    let amend = |profile: &str, out: &str, more: &[&str]| {
        let mut tool = patuh(&["amend", &at("old"), "--reason", "x", "--key", &at("key"), "--profile", profile]);
        tool.args(["--interim", "--out", &at(out)]).args(more).output().unwrap()
    };
    written("2027-01-01");
    let early = amend(&at("p.toml"), "early", &[]);
    let why = String::from_utf8_lossy(&early.stderr).into_owned();
    assert!(early.status.code() == Some(78) && why.contains("the recording is of 2026-01-01"), "{early:?}");
    assert!(!lab.path("early").exists());
    let named = amend(&at("p.toml"), "named", &["--as-of", "2027-02-01"]);
    assert!(named.status.success(), "{named:?}");
    assert_eq!(checked(&lab.path("named")).code(), 0);
    let all = amend("all", "all", &["--as-of", "2026-06-01"]);
    assert!(all.status.success(), "{all:?}");
    assert!(open(&lab.path("all")).unwrap().profiles().len() > 3);
}

#[test]
fn a_packed_bundle_is_the_same_each_time_and_verifies_as_it_is() {
    let lab = Lab::new();
    let keys = [lab.key("key")];
    let (a, b) = (lab.zip("a.zip", &keys), lab.zip("b.zip", &keys));
    assert_eq!(fs::read(&a).unwrap(), fs::read(&b).unwrap());
    assert_eq!(checked(&a).code(), 0, "{:?}", checked(&a));
    assert_eq!(layout::load(&a).unwrap(), layout::load(&lab.seal("dir", &keys)).unwrap());
    assert_eq!(open(&a).unwrap().assessments()[0].verdict.word(), "PASS");
    let text = a.display().to_string();
    let out = run(&mut patuh(&["report", &text, "--format", "csv"]));
    assert!(String::from_utf8_lossy(&out.stdout).contains("telnet-noauth-shell"));
    let declared = b"[claims]\n\"5.1-1\" = { support = \"no\", reason = \"it has one for all\" }\n";
    fs::write(lab.path("recording/ics.toml"), declared).unwrap();
    let with_ics = lab.zip("ics.zip", &keys).display().to_string();
    fs::write(lab.path("p.toml"), support::PROFILE).unwrap();
    let mut judge = patuh(&["judge", &with_ics, "--format", "json", "--profile"]);
    let out = judge.arg(lab.path("p.toml")).output().unwrap();
    let judged: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(judged["requirements"][0]["outcome"], "FAIL", "its declarations are in the zip, too");
    let out = run(Command::new("python3").args(["-m", "zipfile", "-t"]).arg(&a));
    assert!(String::from_utf8_lossy(&out.stdout).contains("Done testing"));
}

/// A bundle's zip with one thing done to it.
fn packed(lab: &Lab, more: impl FnOnce(&mut ZipWriter<Cursor<Vec<u8>>>)) -> PathBuf {
    let files = layout::load(&lab.seal("dir", &[lab.key("key")])).unwrap();
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, body) in &files {
        zip.start_file(format!("bag/{name}"), SimpleFileOptions::default()).unwrap();
        body.copy(&mut zip).unwrap();
    }
    more(&mut zip);
    let path = lab.path("hostile.zip");
    fs::write(&path, zip.finish().unwrap().into_inner()).unwrap();
    path
}

fn add(zip: &mut ZipWriter<Cursor<Vec<u8>>>, name: &str, bytes: &[u8]) {
    zip.start_file(name, SimpleFileOptions::default()).unwrap();
    zip.write_all(bytes).unwrap();
}

fn refused(path: &Path, cause: &str) {
    let v = checked(path);
    let (outcome, why) = detail(&v, "integrity");
    assert_eq!((v.code(), outcome), (1, LineOutcome::Failed), "{v:?}");
    assert!(why.contains(cause), "{why}");
    assert!(open(path).unwrap_err().to_string().contains(cause));
}

#[test]
fn a_zip_that_was_packed_by_others_verifies() {
    let lab = Lab::new();
    let path = packed(&lab, |zip| zip.add_directory("bag/data", SimpleFileOptions::default()).unwrap());
    assert_eq!(checked(&path).code(), 0, "{:?}", checked(&path));
}

#[test]
fn names_that_leave_the_bundle_are_refused() {
    for name in ["bag/../../evil", "/etc/evil", "bag/./data/x", "bag//data/x", "bag\\..\\evil"] {
        let lab = Lab::new();
        refused(&packed(&lab, |zip| add(zip, name, b"x")), "would lie outside the bundle");
        assert!(!lab.path("evil").exists() && !lab.path("../evil").exists());
    }
}

#[test]
fn links_in_a_zip_are_refused() {
    let lab = Lab::new();
    let path = packed(&lab, |zip| zip.add_symlink("bag/data/x", "/etc/passwd", SimpleFileOptions::default()).unwrap());
    refused(&path, "`bag/data/x` is neither a plain file nor a directory");
}

#[test]
fn an_entry_that_stands_twice_is_refused() {
    let lab = Lab::new();
    let path = packed(&lab, |zip| {
        add(zip, "bag/data/one.txt", b"1");
        add(zip, "bag/data/two.txt", b"2");
    });
    let mut bytes = fs::read(&path).unwrap();
    let (from, to) = (b"bag/data/two.txt", b"bag/data/one.txt");
    while let Some(at) = bytes.windows(from.len()).position(|w| w == from) {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    fs::write(&path, bytes).unwrap();
    refused(&path, "`bag/data/one.txt` stands twice");
}

#[test]
fn a_bomb_is_refused_before_it_is_unpacked() {
    let lab = Lab::new();
    let path = packed(&lab, |zip| add(zip, "bag/data/big.bin", &vec![0; 40 << 20]));
    assert!(fs::metadata(&path).unwrap().len() < 1 << 20);
    refused(&path, "`bag/data/big.bin` unpacks to more than a bundle can hold");
}

#[test]
fn odd_names_and_names_that_differ_in_case_only_are_refused() {
    for name in ["bag/data/r\u{e9}sum\u{e9}", "bag/data/\u{202e}gpj.exe", "bag/data/a b", "bag/data/x\u{1}"] {
        let lab = Lab::new();
        refused(&packed(&lab, |zip| add(zip, name, b"x")), "is not part of a bundle");
    }
    let lab = Lab::new();
    refused(&packed(&lab, |zip| add(zip, "bag/data/Bundle.json", b"x")), "differ in case only");
}

#[test]
fn a_zip_with_something_before_or_cut_off_is_refused() {
    let lab = Lab::new();
    let path = lab.zip("a.zip", &[lab.key("key")]);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, [b"PK\x03\x04 a program".as_slice(), &whole].concat()).unwrap();
    refused(&path, "something stands before the first entry");
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    refused(&path, "the zip cannot be read");
    archive::write(&layout::Files::new(), "x", fs::File::create(&path).unwrap()).unwrap();
    assert!(layout::load(&lab.path("none")).is_err() && archive::read(&path).unwrap().is_empty());
}

/// A file-size limit stands in for a full disk; without a handler the process is killed in the middle.
#[test]
fn a_full_disk_or_a_kill_leaves_no_half_bundle() {
    for (trap, zip) in [("trap '' XFSZ;", ""), ("trap '' XFSZ;", "--zip"), ("", ""), ("", "--zip")] {
        let lab = Lab::new();
        fs::write(lab.path("p.toml"), support::PROFILE).unwrap();
        lab.key("key");
        let script = format!(
            "{trap} ulimit -f 4; exec '{}' seal recording --profile p.toml --key key --out bundle {zip}",
            env!("CARGO_BIN_EXE_patuh")
        );
        let out = Command::new("bash").args(["-c", &script]).current_dir(lab.0.path()).output().unwrap();
        assert!(!out.status.success(), "{out:?}");
        assert!(!lab.path("bundle").exists(), "{out:?}");
        if !trap.is_empty() {
            assert_eq!(out.status.code(), Some(74), "{out:?}");
            let left = fs::read_dir(lab.0.path())
                .unwrap()
                .any(|e| e.unwrap().file_name().to_string_lossy().ends_with(".partial"));
            assert!(!left, "nothing half-written stays");
        }
    }
}

/// Fills a small disk but for `$1` bytes, seals there, and says what differs from before.
const FULL: &str = r#"
mount -t tmpfs -o size=8m tmpfs disk && cp -r recording p.toml key disk && cd disk || exit 1
head -c $(($(df --output=avail -B1 . | tail -n 1) - $1)) /dev/zero > other || exit 1
state() { find . -type f -exec sha256sum {} + | sort; find . | sort; }
state > ../before
"$2" seal recording --profile p.toml --key key --out bundle $3 2> ../said
status=$?
state | diff ../before - > ../changed
[ $status != 0 ] || "$2" verify bundle > ../verified || exit 1
exit $status
"#;

#[test]
fn a_full_disk_leaves_the_workspace_as_it_was_wherever_sealing_stops() {
    for zip in ["", "--zip"] {
        let mut stopped = 0;
        for step in 0.. {
            let lab = Lab::new();
            fs::write(lab.path("p.toml"), support::PROFILE).unwrap();
            lab.key("key");
            fs::create_dir(lab.path("disk")).unwrap();
            let left = (4096_u64 << step).to_string();
            let mut shell = Command::new("unshare");
            shell.args(["-m", "bash", "-c", FULL, "full", &left, env!("CARGO_BIN_EXE_patuh"), zip]);
            let out = shell.current_dir(lab.0.path()).output().unwrap();
            let said = fs::read_to_string(lab.path("said")).unwrap_or_default();
            if out.status.success() {
                break;
            }
            assert_eq!(out.status.code(), Some(74), "{left} {zip}: {said} {out:?}");
            assert!(said.contains("No space left on device"), "{said}");
            assert_eq!(fs::read_to_string(lab.path("changed")).unwrap(), "", "{left} {zip}");
            stopped += 1;
        }
        assert!(stopped >= 3, "the disk was full at {stopped} places only");
    }
}

#[test]
fn a_profile_file_can_be_named_beside_a_built_in_one() {
    let lab = Lab::new();
    let (keys, recording, out) = ([lab.key("key")], lab.path("recording"), lab.path("bundle"));
    let mut sealing = lab.sealing(&recording, &keys, &out);
    sealing.profiles.push(ProfileSource::builtin("asean-baseline").unwrap());
    sealing.interim = Interim::Yes;
    seal(&sealing).unwrap();
    assert_eq!(checked(&out).code(), 0);
}
