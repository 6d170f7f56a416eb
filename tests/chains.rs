//! Logs that were shortened, lengthened or put into another order are refused with the cause, by the tool and by the
//! script of stock tools, though everything around them is made and sealed again.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
#[path = "support/authority.rs"]
mod authority;
#[path = "support/chained.rs"]
mod chained;
#[path = "support/sealing.rs"]
mod support;
use authority::Authority;
use patuh::{
    bundle::{
        Interim, LineOutcome, Records, Sealing, SigningKey, Source, dsse, keygen, layout, open, seal, seal::keep,
        signers, timestamp, verify,
    },
    model::{Recording, Sha256Digest, plan},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use support::{profile, views};

struct Lab(tempfile::TempDir);

impl Lab {
    fn new() -> Self {
        let lab = Self(tempfile::tempdir().unwrap());
        let key = keygen(&lab.path("key")).unwrap();
        fs::write(lab.path("allowed"), signers::line("m@lab", &key.public_line().unwrap())).unwrap();
        chained::write_plan(&lab.path("recording"));
        lab
    }

    fn recorded() -> Self {
        let lab = Self::new();
        chained::write_logs(&lab.path("recording"));
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn key(&self) -> SigningKey {
        SigningKey::load(&self.path("key"), None).unwrap()
    }

    fn try_seal(&self, name: &str, interim: Interim) -> Result<PathBuf, patuh::bundle::SealError> {
        let (keys, out) = ([self.key()], self.path(name));
        let (source, profiles) = (Source::open(&self.path("recording"))?, vec![profile()]);
        let sealed_at = patuh::scan::clock::now();
        seal(&Sealing {
            source,
            profiles,
            keys: &keys,
            out: &out,
            interim,
            sealed_at,
            views,
            amendment: None,
            cms: None,
            confidential: None,
        })?;
        Ok(out)
    }

    fn seal(&self) -> PathBuf {
        self.try_seal("bundle", Interim::No).unwrap()
    }

    fn script(&self, bundle: &Path, anchors: Option<&Path>) -> (bool, String) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify-bundle.sh");
        let mut tool = Command::new("sh");
        let out = tool.arg(script).arg(bundle).arg(self.path("allowed")).args(anchors).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        (out.status.success(), said)
    }

    /// A laboratory that lies: manifests, statement and signatures are made again over what stands there.
    fn seal_again(&self, bundle: &Path) {
        let old = |name: &str| fs::read_to_string(bundle.join(name)).unwrap();
        let (manifest, tags, statement) = (old(layout::MANIFEST), old(layout::TAG_MANIFEST), old(layout::STATEMENT));
        let all = layout::load(bundle).unwrap();
        let data = all.into_iter().filter(|(p, _)| p.starts_with("data/")).collect();
        let info = old(layout::BAG_INFO);
        let at = info.lines().find_map(|l| l.strip_prefix("Bagging-Date: ")).unwrap();
        for (name, body) in layout::with_tags(data, at).iter().filter(|(n, _)| !n.starts_with("data/")) {
            fs::write(bundle.join(name), body.to_vec().unwrap()).unwrap();
        }
        let statement = statement
            .replace(&layout::identifier(manifest.as_bytes()), &layout::identifier(old(layout::MANIFEST).as_bytes()))
            .replace(
                &Sha256Digest::of(tags.as_bytes()).hex(),
                &Sha256Digest::of(old(layout::TAG_MANIFEST).as_bytes()).hex(),
            );
        let key = self.key();
        fs::write(bundle.join(layout::STATEMENT), &statement).unwrap();
        fs::write(bundle.join(layout::SIGNATURE), key.sign(statement.as_bytes()).unwrap()).unwrap();
        fs::write(bundle.join(layout::ENVELOPE), dsse::write(statement.as_bytes(), &[key]).unwrap()).unwrap();
    }

    /// Changes one file, seals again, and expects both to refuse it for this cause.
    fn refused(&self, file: &str, change: impl FnOnce(String) -> String, cause: &str, script: &str) {
        let bundle = self.path("changed");
        let _ = fs::remove_dir_all(&bundle);
        assert!(Command::new("cp").arg("-r").args([self.path("bundle"), bundle.clone()]).status().unwrap().success());
        let path = bundle.join(file);
        fs::write(&path, change(fs::read_to_string(&path).unwrap())).unwrap();
        self.seal_again(&bundle);
        let v = verify(&bundle, &Records::default(), views);
        assert_eq!((v.code(), v.lines[0].outcome), (1, LineOutcome::Failed), "{v:?}");
        assert!(v.lines[0].detail.contains(cause), "{v:?}");
        assert!(open(&bundle).unwrap_err().to_string().contains(cause));
        let (good, said) = self.script(&bundle, None);
        assert!(!good && said.contains(script), "{said}");
    }
}

fn without(n: usize) -> impl Fn(String) -> String {
    move |text| text.lines().enumerate().filter(|(at, _)| *at != n).map(|(_, l)| format!("{l}\n")).collect()
}

fn swapped(n: usize) -> impl Fn(String) -> String {
    move |text| {
        let mut lines: Vec<&str> = text.lines().collect();
        lines.swap(n, n + 1);
        lines.join("\n") + "\n"
    }
}

#[test]
fn a_chained_recording_is_sealed_and_verifies_with_the_tool_and_the_script() {
    let lab = Lab::recorded();
    let bundle = lab.seal();
    let v = verify(&bundle, &Records::default(), views);
    assert_eq!(v.code(), 0, "{v:?}");
    let (good, said) = lab.script(&bundle, None);
    assert!(good && said.contains("integrity: ok"), "{said}");
    lab.seal_again(&bundle);
    assert_eq!(verify(&bundle, &Records::default(), views).code(), 0, "sealing again alone is no harm");
}

#[test]
fn a_log_that_lost_a_line_or_its_order_is_refused_whoever_seals_it() {
    let lab = Lab::recorded();
    lab.seal();
    let moved = "lines were removed, added, changed or moved";
    for (n, file) in [(1, layout::RECORDING), (1, layout::TRANSCRIPTS)] {
        lab.refused(
            file,
            without(n),
            &format!("{}{moved}", "the line before it is not the one that it names: "),
            moved,
        );
        lab.refused(file, swapped(n), moved, &format!("{file}, line {}", n + 1));
        lab.refused(file, |t| t.replacen("127.0.0.1:2323", "127.0.0.1:2324", 1), moved, moved);
    }
    let end = "lines at the end were removed or added";
    lab.refused(layout::TRANSCRIPTS, without(2), end, end);
    lab.refused(
        layout::TRANSCRIPTS,
        |t| {
            let last = Sha256Digest::of(t.lines().last().unwrap().as_bytes());
            t + &chained::chain(&["{\"conn\":\"c9\"}".to_owned()], last).concat() + "\n"
        },
        end,
        end,
    );
    lab.refused(layout::TRANSCRIPTS, without(0), "its first line is of another recording", moved);
    lab.refused(layout::RECORDING, without(0), "header is missing", "");
    lab.refused(layout::RECORDING, |t| t + "{\"line\":\"finished\"}\n", "does not name the one before it", moved);
    lab.refused(layout::PLAN, |t| t.replace("23:59:00", "23:58:00"), "the chain does not begin with plan.json", moved);
    lab.refused(layout::PLAN, |t| t.replace("\"127.0.0.1\"", "\"127.0.0.2\""), "by another plan", "by another plan");
    // Chained anew from the plan on, the log names other transcripts than those that are there.
    lab.refused(
        layout::RECORDING,
        |t| {
            let plan = fs::read(lab.path("recording").join(plan::FILE)).unwrap();
            let mut objects = chained::unlinked(&t);
            objects[0] = objects[0].replace("2026-01-01", "2026-01-02");
            chained::chain(&objects, Sha256Digest::of(&plan)).join("\n") + "\n"
        },
        "its first line is of another recording",
        moved,
    );
}

#[test]
fn nothing_with_a_broken_chain_is_judged_or_sealed() {
    let lab = Lab::recorded();
    let file = lab.path("recording/recording.jsonl");
    let whole = fs::read_to_string(&file).unwrap();
    fs::write(&file, swapped(2)(whole.clone())).unwrap();
    let error = lab.try_seal("bundle", Interim::Yes).unwrap_err().to_string();
    assert!(error.contains("line 3: the line before it is not"), "{error}");
    assert!(Recording::parse(whole.replace("recording/2", "recording/1").as_bytes()).is_err());
    // A kill leaves a half-written last line, which is left out and breaks nothing.
    fs::write(&file, &whole[..whole.len() - 40]).unwrap();
    lab.try_seal("interim", Interim::Yes).unwrap();
    let (good, said) = lab.script(&lab.path("interim"), None);
    assert!(good, "{said}");
    fs::write(&file, &whole).unwrap();
    fs::remove_file(lab.path("recording/plan.json")).unwrap();
    let error = lab.try_seal("bundle", Interim::Yes).unwrap_err().to_string();
    assert!(error.contains("plan.json: is missing"), "{error}");
}

fn stamp(authority: &Authority, file: &Path, stamped: &[u8]) {
    keep(file, &authority.answer(&timestamp::query(stamped).unwrap()), stamped).unwrap();
}

#[test]
fn an_authority_tells_between_what_times_the_evidence_was_made() {
    let lab = Lab::new();
    let dir = lab.path("recording");
    let authority = Authority::usual(&lab.path("tsa"));
    let planned = fs::read(dir.join(plan::FILE)).unwrap();
    stamp(&authority, &dir.join(plan::TOKEN), &planned);
    // The recorded times of the sample are long ago; a scan of today has today's.
    let now = patuh::scan::clock::now();
    chained::write_logs_at(&dir, &now);
    let whole = Recording::parse(&fs::read(dir.join("recording.jsonl")).unwrap()).unwrap();
    stamp(&authority, &dir.join(plan::END_TOKEN), &whole.last);
    let bundle = lab.seal();
    let anchors = authority.anchors();
    let check = |bundle: &Path| {
        let v = verify(bundle, &Records { signers: None, anchors: Some(&anchors), ..Records::default() }, views);
        (v.lines[2].outcome, v.lines[2].detail.clone())
    };
    let (outcome, said) = check(&bundle);
    assert_eq!(outcome, LineOutcome::NotChecked, "{said}");
    assert!(said.starts_with("recorded between 20") && said.contains("no authority stamped the seal"), "{said}");
    authority.stamp(&bundle);
    let (outcome, said) = check(&bundle);
    assert!(outcome == LineOutcome::Ok && said.contains("seal stamped at"), "{said}");
    let ca = lab.path("tsa/ca.pem");
    let (good, said) = lab.script(&bundle, Some(&ca));
    assert!(good && said.contains("ok, recorded after") && said.contains("ok, recorded before"), "{said}");
    // A plan stamped by somebody whom the reader does not know.
    let stranger = Authority::usual(&lab.path("stranger"));
    let (good, said) = lab.script(&bundle, Some(&lab.path("stranger/ca.pem")));
    assert!(!good && said.contains("plan.json.tsr does not hold or is not by your authority"), "{said}");
    let v =
        verify(&bundle, &Records { signers: None, anchors: Some(&stranger.anchors()), ..Records::default() }, views);
    assert!(v.code() == 1 && v.lines[2].detail.contains("`data/recording/plan.json.tsr`"), "{v:?}");
    // Without the token the chain does not begin where it should: an answer is not taken away unseen.
    fs::remove_file(bundle.join(layout::BEFORE)).unwrap();
    lab.seal_again(&bundle);
    let v = verify(&bundle, &Records::default(), views);
    assert!(v.lines[0].detail.contains("the chain does not begin with plan.json"), "{v:?}");
}

#[test]
fn a_recording_that_is_older_than_its_plan_or_younger_than_its_end_is_refused() {
    let lab = Lab::new();
    let dir = lab.path("recording");
    let authority = Authority::usual(&lab.path("tsa"));
    stamp(&authority, &dir.join(plan::TOKEN), &fs::read(dir.join(plan::FILE)).unwrap());
    chained::write_logs_at(&dir, "2199-01-01T00:00:00Z");
    let whole = Recording::parse(&fs::read(dir.join("recording.jsonl")).unwrap()).unwrap();
    stamp(&authority, &dir.join(plan::END_TOKEN), &whole.last);
    let refused = |name: &str, cause: &str| {
        let bundle = lab.try_seal(name, Interim::No).unwrap();
        let v = verify(&bundle, &Records::default(), views);
        assert!(v.code() == 1 && v.lines[2].detail.contains(cause), "{v:?}");
        let (good, said) = lab.script(&bundle, Some(&lab.path("tsa/ca.pem")));
        assert!(!good && said.contains("clock was wrong"), "{said}");
    };
    refused("late", "before the recording ended at 2199");
    fs::remove_file(dir.join(plan::END_TOKEN)).unwrap();
    chained::write_logs(&dir);
    refused("early", "after the scan began at 2026-01-01T00:00:00Z");
}

/// Scans one closed port of a loopback address, from the command line.
fn scan(lab: &Lab, more: &[&str]) -> (bool, String) {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_patuh"));
    tool.arg("scan").args(more).env("PATUH_LEDGER", lab.path("ledger")).current_dir(lab.0.path());
    let out = tool.output().unwrap();
    (out.status.success(), String::from_utf8_lossy(&out.stderr).into_owned())
}

const FEW: [&str; 5] = ["--ports", "tcp:9,udp:none", "--probe", "tcp-ports", "--nonce"];

#[test]
fn a_scan_asks_an_authority_before_its_first_packet_and_after_its_last() {
    let lab = Lab::new();
    let authority = Authority::usual(&lab.path("tsa"));
    let (url, serve) = authority.serve(2);
    let (good, said) = scan(&lab, &[&["127.0.83.2"], &FEW[..], &["c-17", "--out", "r", "--tsa", &url]].concat());
    assert!(good && said.contains("plan stamped at 20") && said.contains("recording stamped at 20"), "{said}");
    serve.join().unwrap();
    let text = fs::read_to_string(lab.path("r/plan.json")).unwrap();
    assert!(text.contains("\"nonce\":\"c-17\""), "{text}");
    let bytes = fs::read(lab.path("r/recording.jsonl")).unwrap();
    let recording = Recording::parse(&bytes).unwrap();
    let token = Sha256Digest::of(&fs::read(lab.path("r/plan.json.tsr")).unwrap());
    assert_eq!(recording.chain.unwrap().seed, Some(token));
    // Going on with what is whole adds nothing, so that its end stays the one that was stamped.
    let (good, said) = scan(&lab, &["--resume", "r"]);
    assert!(good && fs::read(lab.path("r/recording.jsonl")).unwrap() == bytes, "{said}");
    fs::rename(lab.path("r"), lab.path("recording-2")).unwrap();
    fs::remove_dir_all(lab.path("recording")).unwrap();
    fs::rename(lab.path("recording-2"), lab.path("recording")).unwrap();
    let bundle = lab.try_seal("bundle", Interim::Yes).unwrap();
    let anchors = authority.anchors();
    let v = verify(&bundle, &Records { signers: None, anchors: Some(&anchors), ..Records::default() }, views);
    assert!(v.code() == 0 && v.lines[2].detail.starts_with("recorded between 20"), "{v:?}");
}

#[test]
fn no_packet_is_sent_where_the_authority_does_not_answer() {
    let lab = Lab::new();
    let (good, said) = scan(&lab, &["127.0.83.2", "--tsa", "http://127.0.83.2:9/"]);
    assert!(!good && said.contains("name a directory with --out DIR"), "{said}");
    let (good, said) =
        scan(&lab, &[&["127.0.83.2"], &FEW[..], &["x", "--out", "r", "--tsa", "http://127.0.83.2:9/"]].concat());
    assert!(!good && said.contains("127.0.83.2:9"), "{said}");
    assert!(!lab.path("r/recording.jsonl").exists());
    let (good, said) = scan(&lab, &[&["127.0.83.2"], &FEW[..], &["y", "--out", "r"]].concat());
    assert!(good && fs::read_to_string(lab.path("r/plan.json")).unwrap().contains("\"y\""), "{said}");
}

#[test]
fn the_times_of_a_scan_are_carried_by_hand_where_there_is_no_network() {
    let lab = Lab::new();
    let authority = Authority::usual(&lab.path("tsa"));
    let (good, said) =
        scan(&lab, &[&["127.0.83.2"], &FEW[..], &["z", "--out", "r", "--timestamp-request", "q"]].concat());
    assert!(good && said.contains("nothing was sent; after that: patuh scan --resume r"), "{said}");
    assert!(!lab.path("r/recording.jsonl").exists());
    let attach = |query: &str| {
        fs::write(lab.path("answer"), authority.answer(&fs::read(lab.path(query)).unwrap())).unwrap();
        let mut tool = Command::new(env!("CARGO_BIN_EXE_patuh"));
        let out = tool.args(["timestamp", "r", "--token", "answer"]).current_dir(lab.0.path()).output().unwrap();
        assert!(out.status.success(), "{out:?}");
    };
    attach("q");
    let (good, said) = scan(&lab, &["--resume", "r"]);
    assert!(good, "{said}");
    let mut tool = Command::new(env!("CARGO_BIN_EXE_patuh"));
    let out = tool.args(["timestamp", "r", "--request", "q2"]).current_dir(lab.0.path()).output().unwrap();
    assert!(out.status.success(), "{out:?}");
    attach("q2");
    let recording = Recording::parse(&fs::read(lab.path("r/recording.jsonl")).unwrap()).unwrap();
    assert_eq!(recording.header.plan, ["tcp-ports"]);
    let end = fs::read(lab.path("r").join(plan::END_TOKEN)).unwrap();
    assert!(timestamp::read(&end, &recording.last).is_ok());
}

#[test]
fn a_log_without_line_ends_is_not_read_for_ever() {
    let error = Recording::read(&mut std::io::BufReader::new(std::io::repeat(b'x'))).unwrap_err().to_string();
    assert!(error.contains("line 1: a line is longer than any that a scan writes"), "{error}");
}
