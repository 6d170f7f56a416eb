//! Every region's verdict out of one recording: the profiles hold what their sources ask, apply only while they are in
//! force, and meet on one list.
#![expect(clippy::unwrap_used, reason = "tests")]
#[path = "support/recorded.rs"]
#[expect(dead_code, reason = "another test uses the rest")]
mod recorded;
use patuh::judge::profile::{BUILTIN, Binding, Profile, compare::compare, crosswalk::crosswalk, recognition, standing};
use patuh::judge::{Assessment, Inputs, assess::Read, assess::assess, assess_attested};
use patuh::model::declarations::{
    Edition, Entry, Form, Value,
    form::Kind,
    write::{self, Explained},
};
use patuh::model::{Attestations, Ics, Ixit, Recording, Sha256Digest};
use patuh::report::{matrix, statement};
use patuh::sim::{self, Device, PortShift};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::LazyLock;

const CASE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/cases/ip-camera-bad");

/// Requirements of each profile with all its levels, counted by hand in the sources. For 5g-edge: nine clauses named by
/// the source list and five by public tables of contents.
const COUNTS: &[(&str, usize)] = &[
    ("5g-edge", 9 + 5),
    ("asean-baseline", 33),
    ("au-smart-devices", 4),
    ("de-itsik-tr03148", 12),
    ("etsi-en303645-v2", 68),
    ("etsi-en303645-v3", 78),
    ("eu-red-18031", 30),
    ("jp-jcstar-1", 16),
    ("kr-cic", 7),
    ("sg-cls-iot", 13 + 19 + 9 + 1),
    ("sg-cls-iot-hg", 61),
    ("sg-imda-rgsec", 7),
    ("uk-psti", 4),
    ("us-8425", 10),
    ("vn-qcvn11-2026", 14),
    ("vn-qcvn135", 11),
    ("vn-qd724-2024", 13),
];

fn at_top(id: &str) -> Profile {
    let top = Profile::builtin(id).unwrap().levels.last().unwrap().id.clone();
    Profile::builtin(&format!("{id}:{top}")).unwrap()
}

fn recording() -> Recording {
    Recording::parse(&std::fs::read(format!("{CASE}/recording.jsonl")).unwrap()).unwrap()
}

fn judged(recording: &Recording, names: &[&str]) -> Vec<Assessment> {
    let inputs = Inputs { recording, ics: None, ixit: None };
    names.iter().map(|n| assess(&inputs, &Profile::builtin(n).unwrap())).collect()
}

fn in_force() -> Vec<&'static str> {
    BUILTIN.iter().map(|b| b.0).filter(|id| *id != "vn-qcvn135").collect()
}

fn patuh(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_patuh")).args(args).env("NO_COLOR", "1").output().unwrap()
}

fn out(o: &Output) -> String {
    String::from_utf8(o.stdout.clone()).unwrap()
}

fn err(o: &Output) -> String {
    String::from_utf8(o.stderr.clone()).unwrap()
}

#[test]
fn every_profile_holds_each_requirement_of_its_source_once() {
    let listed: Vec<&str> = COUNTS.iter().map(|c| c.0).collect();
    assert_eq!(listed, BUILTIN.iter().map(|b| b.0).collect::<Vec<_>>());
    for (id, count) in COUNTS {
        let profile = at_top(id);
        let ids: BTreeSet<&str> = profile.requirements.iter().map(|r| r.id.as_str()).collect();
        assert_eq!((profile.requirements.len(), ids.len()), (*count, *count), "{id}");
    }
}

#[test]
fn the_third_edition_has_36_mandatory_provisions_and_42_recommendations_each_cited_once() {
    let p = Profile::builtin("etsi-en303645-v3").unwrap();
    let mandatory = p.requirements.iter().filter(|r| r.binding == Binding::Mandatory).count();
    assert_eq!((mandatory, p.requirements.len() - mandatory), (36, 42));
    assert!(p.requirements.iter().all(|r| r.cites == [r.id.clone()]));
}

#[test]
fn levels_of_the_singapore_label_include_those_before_them() {
    let at = |name: &str| Profile::builtin(name).unwrap().requirements.len();
    assert_eq!([1, 2, 3, 4].map(|l| at(&format!("sg-cls-iot:{l}"))), [13, 32, 41, 42]);
    assert_eq!([1, 2, 3, 4].map(|l| at(&format!("sg-cls-iot-hg:{l}"))), [20, 51, 60, 61]);
}

#[test]
fn no_profile_claims_to_be_official_and_each_says_what_it_is_for_and_how_sure_it_is() {
    for (id, _) in BUILTIN {
        let p = at_top(id);
        assert_eq!(p.id, *id);
        assert!(p.disclaimer.starts_with("Not a") && p.disclaimer.contains("not endorsed"), "{id}");
        assert!(p.legal_status.starts_with("none") || p.legal_status.contains("unofficial"), "{id}");
        assert!(!p.applies_to.is_empty() && !p.sources.is_empty() && !p.edition.is_empty(), "{id}");
        let sure = ["high", "medium", "low"];
        assert!(sure.contains(&p.confidence.as_str()), "{id}");
        for r in &p.requirements {
            assert!(r.confidence.as_deref().is_none_or(|c| sure.contains(&c)), "{id} {}", r.id);
            assert!(!r.attest.is_empty() || !r.checks.is_empty(), "{id} {}", r.id);
        }
        if let Some(next) = &p.superseded_by {
            let next = Profile::builtin(next).unwrap();
            assert_eq!(p.valid_to.map(|d| d.tomorrow().unwrap()), Some(next.valid_from), "{id}");
        }
    }
}

const SOUND: &str = r#"id = "mine"
title = "Mine"
edition = "1"
jurisdiction = "none"
legal_status = "none"
valid_from = "2020-01-01"
disclaimer = "Not official."
confidence = "low"
sources = []
[[level]]
id = "base"
title = "All"
[parameters.tls-modern-version]
minimum = "1.2"
[[requirement]]
id = "A"
level = "base"
binding = "mandatory"
text = "Modern TLS."
relates = ["5.5-1", "X-TLS12"]
checks = ["tls-modern-version"]
attest = "Look."
thresholds = { tls-min = "1.2" }
"#;

#[test]
fn a_profile_needs_no_catalogue_and_meets_others_on_the_common_list_all_the_same() {
    let p = Profile::parse("mine.toml", SOUND, None).unwrap();
    assert_eq!(p.requirements[0].rows, ["5.5-1", "X-TLS12"]);
    assert_eq!(p.requirements[0].step(), "Look. Limits: tls-min 1.2.");
    let with = SOUND.replace("thresholds = { tls-min = \"1.2\" }", "steps = [\"ip-protocol-sweep\"]");
    let step = Profile::parse("mine.toml", &with, None).unwrap().requirements[0].step();
    let told = "Look. Carry out: No IP protocol answers but TCP, UDP and ICMP, and those that are declared (patuh explain ip-protocol-sweep).";
    assert_eq!(step, told);
}

#[test]
fn every_mistake_is_told_with_file_line_and_the_nearest_known_name() {
    let twice = format!("{SOUND}{}", SOUND.split("minimum = \"1.2\"\n").nth(1).unwrap());
    let with = |from: &str, to: &str| SOUND.replace(from, to);
    let mistakes = [
        (
            with("checks = [\"tls-modern-version\"]\nattest = \"Look.\"\nthresholds = { tls-min = \"1.2\" }", "")
                .replace("[parameters.tls-modern-version]\nminimum = \"1.2\"\n", ""),
            14,
            "requirement `A` maps to nothing",
        ),
        (twice, 25, "requirement `A` stands twice"),
        (with("\"X-TLS12\"]", "\"5.5-1\"]"), 20, "names `5.5-1` twice"),
        (with("\"X-TLS12\"", "\"X-TLS1\""), 20, "did you mean `X-TLS12`?"),
        (with("relates = [\"5.5-1\"", "cites = [\"5.5-1\"]\nrelates = [\"5.5-1\""), 20, "names no catalogue"),
        (
            with("sources", "catalogue = \"en303645-v4\"\nsources"),
            9,
            "no catalogue `en303645-v4`; did you mean `en303645-v",
        ),
        (
            with("checks = [\"tls-modern-version\"]", "checks = [\"tls-modern-version\", \"tls-modem-version\"]"),
            21,
            "unknown check `tls-modem-version`; did you mean `tls-modern-version`?",
        ),
        (with("minimum", "minimun"), 14, "did you mean `minimum`?"),
        (with("[parameters.tls-modern-version]", "[parameters.tls-cert-validity]"), 13, "which no requirement uses"),
        (with("level = \"base\"", "level = \"bse\""), 17, "has unknown level `bse`; use base"),
        (with("tls-min", "tls-mim"), 23, "unknown threshold `tls-mim`; did you mean `tls-min`?"),
        (with("tls-min = \"1.2\"", "tls-min = 1"), 23, "must be a text"),
        (with("attest = \"Look.\"\n", ""), 22, "no assessor step to apply them"),
        (
            with("attest = \"Look.\"", "attest = \"Look.\"\nsteps = [\"ip-protocol-swep\"]"),
            23,
            "unknown step `ip-protocol-swep`; did you mean `ip-protocol-sweep`?",
        ),
        (
            with("attest = \"Look.\"\nthresholds = { tls-min = \"1.2\" }", "steps = [\"ip-protocol-sweep\"]"),
            22,
            "no assessor step that they belong to",
        ),
        (with("2020-01-01", "2020-13-01"), 6, "is no date; write YYYY-MM-DD"),
        (with("disclaimer", "valid_to = \"2019-01-01\"\ndisclaimer"), 7, "is before valid_from"),
        (with("text =", "txt ="), 19, "unknown field `txt`"),
    ];
    for (text, line, message) in mistakes {
        let e = Profile::parse("mine.toml", &text, None).unwrap_err().to_string();
        assert!(e.starts_with(&format!("mine.toml:{line}: ")) && e.contains(message), "wanted {line} {message}: {e}");
        assert_eq!(e.lines().count(), 1);
    }
    let level = Profile::parse("mine.toml", SOUND, Some("top")).unwrap_err().to_string();
    assert_eq!(level, "mine.toml:10: no level `top`; it has base");
}

#[test]
fn profile_check_names_the_place_and_exits_78() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("mine.toml");
    std::fs::write(&file, SOUND.replace("minimum", "minimun")).unwrap();
    let o = patuh(&["profile", "check", file.to_str().unwrap()]);
    assert_eq!(o.status.code(), Some(78));
    assert!(err(&o).contains("mine.toml:14: parameters of `tls-modern-version`"), "{}", err(&o));
}

#[test]
fn a_superseded_profile_is_refused_unless_a_day_of_its_validity_is_named() {
    let judge = |day: Option<&str>| {
        let mut args = vec!["judge", CASE, "--profile", "vn-qcvn135"];
        args.extend(day.iter().flat_map(|d| ["--as-of", d]));
        patuh(&args)
    };
    let refused = judge(None);
    assert_eq!(refused.status.code(), Some(78));
    let e = err(&refused);
    assert!(e.contains("2026-06-30") && e.contains("superseded by `vn-qcvn11-2026`") && e.contains("--as-of"), "{e}");
    assert!(refused.stdout.is_empty());
    let allowed = judge(Some("2026-06-30"));
    assert_eq!(allowed.status.code(), Some(1));
    assert!(out(&allowed).contains("not in force when recorded"), "{}", out(&allowed));
    assert_eq!(judge(Some("2026-07-01")).status.code(), Some(78));
    assert_eq!(judge(Some("2025-02-14")).status.code(), Some(78));
    assert_eq!(judge(Some("tomorrow")).status.code(), Some(64));
}

#[test]
fn scan_and_seal_refuse_a_superseded_profile_before_they_do_anything() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("made");
    let to = to.to_str().unwrap();
    for args in [
        ["scan", "127.0.0.1", "--profile", "vn-qcvn135", "--out", to].as_slice(),
        ["seal", CASE, "--profile", "vn-qcvn135", "--interim", "--out", to].as_slice(),
    ] {
        let o = Command::new(env!("CARGO_BIN_EXE_patuh")).args(args).env("HOME", dir.path()).output().unwrap();
        assert_eq!(o.status.code(), Some(78), "{args:?}: {}", err(&o));
        assert!(err(&o).contains("vn-qcvn11-2026") && !std::path::Path::new(to).exists(), "{args:?}");
    }
}

#[test]
fn a_profile_that_does_not_apply_yet_is_refused_with_its_first_day() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("mine.toml");
    std::fs::write(&file, SOUND.replace("2020-01-01", "2099-01-01")).unwrap();
    let file = file.to_str().unwrap();
    let o = patuh(&["judge", CASE, "--profile", file]);
    assert_eq!(o.status.code(), Some(78));
    assert!(err(&o).contains("profile `mine` is valid from 2099-01-01 only, and the recording is of 2026-11-24"));
    let o = patuh(&["judge", CASE, "--profile", file, "--as-of", "2099-01-01"]);
    assert_ne!(o.status.code(), Some(78), "{}", err(&o));
}

#[test]
fn all_means_every_profile_in_force_and_takes_less_than_three_seconds_and_gives_the_same_bytes() {
    let args = ["judge", CASE, "--profile", "all", "--format", "json"];
    let began = std::time::Instant::now();
    let first = patuh(&args);
    assert!(began.elapsed().as_secs_f64() < 3.0, "{:?}", began.elapsed());
    assert_eq!(first.status.code(), Some(1));
    let shown: serde_json::Value = serde_json::from_slice(&first.stdout).unwrap();
    let ids: Vec<&str> = shown.as_array().unwrap().iter().map(|a| a["profile"]["id"].as_str().unwrap()).collect();
    assert_eq!(ids, in_force());
    assert!(shown.as_array().unwrap().iter().all(|a| a["schema"] == "assessment/1"));
    assert_eq!(first.stdout, patuh(&args).stdout);
    for format in ["text", "html"] {
        let args = ["judge", CASE, "--profile", "all", "--format", format];
        assert_eq!(patuh(&args).stdout, patuh(&args).stdout, "{format}");
    }
}

#[test]
fn the_matrix_fits_a_hundred_columns_and_has_every_row_that_somebody_asks() {
    let recording = recording();
    let all = judged(&recording, &in_force());
    let shown = matrix::text(&all);
    for line in shown.lines() {
        assert!(line.chars().count() <= 100 && !line.chars().any(char::is_control), "{line}");
    }
    let m = matrix::matrix(&all);
    let asked: BTreeSet<&str> =
        all.iter().flat_map(|a| &a.requirements).flat_map(|r| &r.provisions).map(String::as_str).collect();
    let rows: Vec<&str> = m.rows.iter().map(|r| r.id).collect();
    assert!(asked.iter().all(|a| rows.contains(a)));
    for id in rows {
        assert_eq!(shown.lines().filter(|l| l.split_whitespace().next() == Some(id)).count(), 1, "{id}");
    }
    // Each requirement stands in the column of its profile.
    for (n, a) in all.iter().enumerate() {
        let here: BTreeSet<&str> =
            m.rows.iter().filter_map(|r| r.cells[n].as_ref()).flat_map(|c| c.requirements.iter().copied()).collect();
        assert_eq!(here.len(), a.requirements.len(), "{}", a.profile.id);
    }
}

#[test]
fn a_failure_is_shown_on_the_row_that_it_concerns() {
    let recording = recording();
    let all = judged(&recording, &["vn-qcvn11-2026", "sg-cls-iot-hg:2"]);
    let shown = matrix::text(&all);
    let mark = |row: &str, n: usize| {
        let line = shown.lines().find(|l| l.split_whitespace().next() == Some(row)).unwrap();
        line.split_whitespace().nth(n).unwrap().to_owned()
    };
    // Q11-3 fails for its upload page, which says nothing of the support period.
    assert_eq!((mark("5.3-10", 1), mark("5.3-13", 1)), ("F".to_owned(), "o".to_owned()));
    assert_eq!((mark("5.1-1", 2), mark("X-PWD-STRENGTH", 2)), ("F".to_owned(), "o".to_owned()));
}

#[test]
fn what_to_fix_first_is_what_fails_most_profiles_and_says_whom_it_frees() {
    let recording = recording();
    let all = judged(&recording, &in_force());
    let fixes = matrix::matrix(&all).fixes;
    assert!(fixes.len() > 3);
    assert!(fixes.windows(2).all(|w| w[0].blocks.len() >= w[1].blocks.len()));
    let freed: Vec<&str> = fixes.iter().flat_map(|f| f.frees.iter().copied()).collect();
    let failing: BTreeSet<&str> =
        all.iter().filter(|a| a.verdict.word() == "FAIL").map(|a| a.profile.id.as_str()).collect();
    assert_eq!(freed.len(), failing.len(), "each failing profile is freed once");
    assert_eq!(freed.into_iter().collect::<BTreeSet<_>>(), failing);
}

#[test]
fn the_page_of_the_matrix_needs_nothing_else_and_escapes_what_a_device_says() {
    let hostile = "</td><script>alert(1)</script>\u{202e}";
    let file = std::fs::read_to_string(format!("{CASE}/recording.jsonl")).unwrap();
    let recording = Recording::parse(file.replace("/login", hostile).as_bytes()).unwrap();
    let all = judged(&recording, &in_force());
    let page = matrix::html(&recording, &all).unwrap();
    assert!(!page.contains("<script") && !page.contains('\u{202e}') && page.contains("&lt;script&gt;"));
    for remote in ["@import", "url(", "<link", "<iframe", "href=\"http", "src="] {
        assert!(!page.contains(remote), "{remote}");
    }
    let m = matrix::matrix(&all);
    assert_eq!(page.matches("<tr class=\"row\">").count(), m.rows.len());
    assert_eq!(page.matches("<tr class=\"profile\"").count(), all.len());
    assert_eq!(page.matches("<li class=\"fix\">").count(), m.fixes.len());
}

/// The recordings of a bad camera and a good hub, both scanned here.
fn scanned() -> &'static [PathBuf; 2] {
    static SCANNED: LazyLock<(tempfile::TempDir, [PathBuf; 2])> = LazyLock::new(|| {
        let dir = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let scan = |name: &str, host: u8| {
            let device = Device::parse(sim::find(name).unwrap().toml, name).unwrap();
            // Own addresses for each run, so that no other scan of this machine meets these devices.
            let pid = std::process::id().to_be_bytes();
            let host = IpAddr::from([127, 100 + (pid[2] & 63), pid[3], host]);
            let running = runtime.block_on(async {
                match sim::start(&device, host, PortShift::None).await {
                    Ok(running) => running,
                    // An ordinary user may not bind low ports.
                    Err(_) => sim::start(&device, host, PortShift::By(20_000)).await.unwrap(),
                }
            });
            let out = dir.path().join(name);
            let o = patuh(&["scan", &host.to_string(), "--pace", "fast", "--out", out.to_str().unwrap()]);
            assert!(o.status.success(), "{}", err(&o));
            runtime.block_on(running.stop());
            out
        };
        let both = [scan("ip-camera-bad", 2), scan("smart-hub-good", 3)];
        (dir, both)
    });
    &SCANNED.1
}

#[test]
fn one_command_judges_one_scan_under_every_profile_in_force_within_three_seconds_and_to_the_same_bytes() {
    for (recording, fails) in scanned().iter().zip([true, false]) {
        let path = recording.to_str().unwrap();
        let started = std::time::Instant::now();
        let o = patuh(&["judge", path, "--profile", "all", "--format", "json"]);
        let took = started.elapsed();
        assert!(took.as_secs() < 3, "{path}: {took:?}");
        let all: serde_json::Value = serde_json::from_slice(&o.stdout).unwrap();
        let all = all.as_array().unwrap();
        let day = standing::day(all[0]["as_of"].as_str().unwrap()).unwrap();
        let in_force: Vec<&str> =
            BUILTIN.iter().map(|b| b.0).filter(|id| Profile::builtin(id).unwrap().in_force(day).is_ok()).collect();
        assert!(in_force.len() > 12);
        let judged: Vec<&str> = all.iter().map(|a| a["profile"]["id"].as_str().unwrap()).collect();
        assert_eq!(judged, in_force);
        let failing = all.iter().filter(|a| a["verdict"] == "FAIL").count();
        assert_eq!(failing > in_force.len() / 2, fails, "{path}: {failing} of {} fail", all.len());
        assert!(fails || failing == 0, "the good device fails {failing} profiles");
        assert_eq!(o.stdout, patuh(&["judge", path, "--profile", "all", "--format", "json"]).stdout);
        assert_eq!(o.status.code(), Some(if fails { 1 } else { 2 }));
    }
}

/// Fills every field that a check of the form asks for, in every table that it asks for.
fn filled(mut ixit: Ixit) -> Ixit {
    let form = Form::of(ixit.edition);
    for table in &form.tables {
        ixit.tables.entry(table.key.clone()).or_default();
    }
    // What is referred to must be there: tables to which a field leads get an entry, as often as that leads further.
    loop {
        let mut wanted: BTreeSet<String> = BTreeSet::new();
        for table in &form.tables {
            for e in ixit.tables.get_mut(&table.key).unwrap() {
                e.observed = false;
                for f in table.fields.iter().filter(|f| !f.optional && !e.fields.contains_key(&f.key)) {
                    wanted.extend(f.refs.first().cloned());
                }
            }
        }
        wanted.retain(|t| ixit.tables.get(t).unwrap().is_empty());
        if wanted.is_empty() {
            break;
        }
        for table in wanted {
            let id = Value::Text(format!("{table}-by-hand"));
            let entry = Entry { fields: [("id".to_owned(), id)].into(), ..Entry::default() };
            ixit.tables.insert(table, vec![entry]);
        }
    }
    let ids: BTreeMap<String, String> =
        ixit.tables.iter().filter_map(|(t, e)| Some((t.clone(), e.first()?.text("id").to_owned()))).collect();
    for table in &form.tables {
        for e in ixit.tables.get_mut(&table.key).unwrap() {
            let empty: Vec<_> = table.fields.iter().filter(|f| !f.optional && !e.fields.contains_key(&f.key)).collect();
            for f in empty {
                let text = f.words.first().cloned().unwrap_or_else(|| "by the assessor".to_owned());
                let value = match f.kind {
                    Kind::Id | Kind::Text => Value::Text(text),
                    Kind::List => Value::List(vec![text]),
                    Kind::YesNo => Value::Flag(true),
                    Kind::Refs => Value::List(vec![ids.get(f.refs.first().unwrap()).unwrap().clone()]),
                    Kind::Number => Value::Number(1),
                    Kind::Secret => Value::Text("env:SECRET".to_owned()),
                };
                e.fields.insert(f.key.clone(), value);
            }
        }
    }
    ixit
}

#[test]
fn a_form_filled_in_from_a_scan_passes_its_check_once_the_rest_is_filled_in_and_survives_a_spreadsheet() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    for (n, recording) in scanned().iter().enumerate() {
        let form = file(&format!("{n}.toml"));
        assert!(patuh(&["ixit", "new", "--from", recording.to_str().unwrap(), "--out", &form]).status.success());
        assert_eq!(patuh(&["ixit", "check", &form]).status.code(), Some(2), "what was only observed is a gap");
        let read = |path: &str| Ixit::parse(path, &std::fs::read_to_string(path).unwrap()).unwrap();
        let seen = read(&form);
        assert!(seen.tables["x-endpoints"].len() > 2 && seen.tables["1-AuthMech"].len() > 1, "{n}");
        let whole = file(&format!("{n}-filled.toml"));
        std::fs::write(&whole, write::toml(&filled(seen), Explained::No)).unwrap();
        let o = patuh(&["ixit", "check", &whole]);
        assert_eq!(o.status.code(), Some(0), "{}{}", out(&o), err(&o));
        let (book, back) = (file(&format!("{n}.xlsx")), file(&format!("{n}-back.toml")));
        for (from, to) in [(&whole, &book), (&book, &back)] {
            let o = patuh(&["ixit", "convert", from, to]);
            assert!(o.status.success(), "{}", err(&o));
        }
        assert_eq!(read(&back), read(&whole));
        let toml = |path: &str| std::fs::read_to_string(path).unwrap();
        assert_eq!(toml(&back), toml(&whole), "the same bytes after a spreadsheet");
    }
}

/// Kind, and another profile under which it is made.
const DRAFTS: [(&str, &str); 5] = [
    ("uk-psti", "uk-psti"),
    ("au-smart-devices", "au-smart-devices"),
    ("sg-cls", "sg-cls-iot:2"),
    ("sg-cls", "sg-cls-iot-hg:2"),
    ("jp-jcstar", "jp-jcstar-1"),
];

fn draft(kind: &str, profile: &str, format: &str) -> String {
    let (kind, profile) = (["--kind", kind], ["--profile", profile]);
    out(&patuh(&[&["statement", CASE][..], &kind, &profile, &["--format", format]].concat()))
}

#[test]
fn in_a_draft_only_what_was_judged_pass_reads_as_met() {
    let mut seen = BTreeSet::new();
    for (kind, profile) in DRAFTS {
        let json: serde_json::Value = serde_json::from_str(&draft(kind, profile, "json")).unwrap();
        assert_eq!((&json["schema"], &json["may_be_stated"]), (&"statement/1".into(), &false.into()));
        assert!(json["finding"].as_str().unwrap().starts_with("Compliance cannot be stated"), "{}", json["finding"]);
        let (text, page) = (draft(kind, profile, "text"), draft(kind, profile, "html"));
        assert!(text.lines().all(|l| l.chars().count() <= 100) && text.starts_with("DRAFT"), "{text}");
        assert_eq!(page.matches("<p class=\"draft\">DRAFT").count(), 2);
        assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("href="));
        let judged = &judged(&recording(), &[profile])[0];
        let rows = json["requirements"].as_array().unwrap();
        assert_eq!(rows.len(), judged.requirements.len());
        assert_eq!(page.matches("<tr class=\"requirement\">").count(), rows.len());
        for (row, r) in rows.iter().zip(&judged.requirements) {
            assert_eq!((row["id"].as_str(), row["outcome"].as_str()), (Some(r.id.as_str()), Some(r.outcome.word())));
            let met = row["reads"].as_str().unwrap().contains("shown to be met");
            assert_eq!(met, r.outcome.word() == "PASS", "{profile} {}", r.id);
            seen.insert(r.outcome.word());
        }
        let shown = judged.requirements.iter().filter(|r| r.outcome.word() == "PASS").count();
        for view in [&text, &page] {
            let view = view.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(view.matches("shown to be met").count(), shown, "{profile}");
        }
        let fields = json["fields"].as_array().unwrap();
        let empty = fields.iter().filter(|f| f["value"].is_null());
        let named: Vec<&serde_json::Value> = empty.map(|f| &f["label"]).collect();
        assert_eq!(json["missing"].as_array().unwrap().iter().collect::<Vec<_>>(), named);
        assert_eq!(named.len(), fields.len(), "nobody said anything yet");
        let unwrapped = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(unwrapped.matches("[ TO BE FILLED IN").count(), fields.len());
    }
    assert!(["FAIL", "INCONCLUSIVE", "AWAITING_ASSESSOR"].iter().all(|o| seen.contains(o)), "{seen:?}");
}

#[test]
fn a_draft_says_that_all_was_shown_only_when_every_requirement_beside_itself_passed() {
    let file = |status: u16, contacts: &[&str], expires: Option<&str>| {
        serde_json::json!({"kind":"security-txt","path":"/.well-known/security.txt","status":status,"contacts":contacts,
            "expires":expires,"problems":[]})
    };
    let good = file(200, &["mailto:psirt@example.com"], Some("2027-01-01T00:00:00Z"));
    let expired = file(200, &["mailto:psirt@example.com"], Some("2020-01-01T00:00:00Z"));
    let profile = Profile::builtin("uk-psti").unwrap();
    let finding = |file: &serde_json::Value, units: &[&str]| {
        let recording = recorded::recording(&[("http-surface", "tcp/127.0.0.1:80", file.clone())]);
        let line = |unit: &&str| {
            format!(
                "{{\"line\":\"attestation\",\"unit\":\"{unit}\",\"verdict\":\"pass\",\"by\":\"A. Tan\",\"why\":\"read\",\"at\":\"{}\"}}\n",
                recorded::AT
            )
        };
        let lines: String = units.iter().map(line).collect();
        let said = Read { value: Attestations::parse("a", &lines).unwrap(), digest: Sha256Digest::of(b"") };
        let inputs = Inputs { recording: &recording, ics: None, ixit: None };
        let a = assess_attested(&inputs, Some(&said), &profile);
        let form = statement::Form::find("uk-psti").unwrap();
        let s = statement::statement(form, &a, &recording, None, &statement::Maker::default());
        (s.may_be_stated, s.finding)
    };
    let all = ["Sch1-1", "Sch1-2", "Sch1-3"];
    // Most makers have the file on their own site: a device without one waits for a person, and a bad one counts.
    for file in [&good, &file(404, &[], None)] {
        assert!(!finding(file, &["Sch1-1", "Sch1-3"]).0, "one is open");
        let (may, said) = finding(file, &all);
        assert!(may && said.contains("the maker's decision"), "{said}");
    }
    assert!(!finding(&expired, &all).0, "an expired file is no contact, whoever attests");
}

#[test]
fn what_the_maker_says_fills_fields_but_never_the_opinion_or_the_signature() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("maker.toml");
    let with = |text: &str| {
        std::fs::write(&file, text).unwrap();
        patuh(&["statement", CASE, "--kind", "uk-psti", "--as", file.to_str().unwrap()])
    };
    let shown = out(&with("product_batch = \"2026-B7\"\nproxy = \"none\"\nmanufacturer = \"\"\n"));
    assert!(shown.contains("Product: batch: 2026-B7 (the maker says)"), "{shown}");
    assert!(shown.contains("Each manufacturer: name and address: [ TO BE FILLED IN ]"), "{shown}");
    for (text, message) in [
        ("\nmanufacturers = \"A\"\n", ":2: unknown field `manufacturers`; did you mean `manufacturer`?"),
        ("signature = \"A\"\n", ":1: `signature` is filled in by hand"),
        ("opinion = \"met\"\n", ":1: `opinion` is filled in by hand"),
    ] {
        let o = with(text);
        assert_eq!((o.status.code(), err(&o).contains(message)), (Some(65), true), "{}", err(&o));
    }
    let o = patuh(&["statement", CASE, "--kind", "jp-jcstar", "--profile", "uk-psti"]);
    assert_eq!((o.status.code(), err(&o).contains("use jp-jcstar-1")), (Some(64), true), "{}", err(&o));
}

#[test]
fn every_form_of_a_statement_names_profiles_requirements_and_fields_that_exist() {
    assert_eq!(statement::Form::all().len(), 4);
    let dut = Form::of(Edition::V1).table("dut").unwrap();
    for form in statement::Form::all() {
        let ids: BTreeSet<String> = form.profile.iter().flat_map(|p| at_top(p).requirements).map(|r| r.id).collect();
        for id in form.artefacts.keys().chain(Some(&form.itself).filter(|i| !i.is_empty())) {
            assert!(ids.contains(id), "{}: {id}", form.id);
        }
        assert!(!form.sources.is_empty() && form.confidence == "medium");
        for f in &form.fields {
            assert!(f.from.is_empty() || dut.field(&f.from).is_some(), "{}: {}", form.id, f.from);
            assert!(["high", "medium", "low"].contains(&f.confidence.as_str()));
        }
    }
}

#[test]
fn explaining_a_provision_a_unit_a_profile_and_a_table_shows_source_and_confidence() {
    for id in ["5.3-13", "5.6-1-2a", "us-8425", "15-Intf", "28-LogIntf", "x-endpoints", "X-SOC"] {
        let shown = out(&patuh(&["explain", id]));
        assert!(shown.contains("confidence"), "{id}: {shown}");
        assert!(shown.contains("source") || shown.contains("(ETSI"), "{id}: {shown}");
    }
}

#[test]
fn explaining_a_step_says_what_it_needs_how_it_is_done_and_when_it_passes() {
    for step in patuh::judge::profile::steps::all() {
        let shown = out(&patuh(&["explain", &step.id]));
        for part in [&step.title, &step.needs, &step.how[0], &step.pass, &step.fail] {
            assert!(shown.contains(part.as_str()), "{}: {shown}", step.id);
        }
    }
    let unknown = patuh(&["explain", "wifi-beacon-securty"]);
    assert!(err(&unknown).contains("did you mean `wifi-beacon-security`?"), "{}", err(&unknown));
}

#[test]
fn every_step_of_the_catalogue_belongs_to_a_requirement_of_some_profile() {
    let all: Vec<Profile> = BUILTIN.iter().map(|(id, _)| at_top(id)).collect();
    let named: Vec<&String> = all.iter().flat_map(|p| &p.requirements).flat_map(|r| &r.steps).collect();
    for step in patuh::judge::profile::steps::all() {
        assert!(named.contains(&&step.id), "{}", step.id);
    }
}

/// Fields of a line of a CSV file; quotes as in RFC 4180.
fn fields(line: &str) -> Vec<String> {
    let (mut all, mut field, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => all.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    all.push(field);
    all
}

#[test]
fn the_crosswalk_agrees_with_the_independent_one() {
    let names: BTreeMap<&str, &str> = [
        ("sg-cls-iot", "sg-cls-iot"),
        ("sg-cls-iot-hg", "sg-cls-iot-hg"),
        ("sg-imda-rgsec", "sg-imda-rgsec"),
        ("vn-qd724-2024", "vn-qd724-2024"),
        ("vn-qcvn135-2024", "vn-qcvn135"),
        ("vn-qcvn11-2026", "vn-qcvn11-2026"),
        ("uk-psti", "uk-psti"),
        ("au-smart-devices", "au-smart-devices"),
        ("eu-red-18031", "eu-red-18031"),
        ("us-8425-ctm", "us-8425"),
        ("jp-jcstar-1", "jp-jcstar-1"),
        ("kr-cic", "kr-cic"),
        ("de-itsik-tr03148", "de-itsik-tr03148"),
    ]
    .into();
    let text = include_str!("data/crosswalk.csv");
    let mut lines = text.lines().map(fields);
    let head = lines.next().unwrap();
    // Rows that the second edition does not tell apart are one row here: some profiles cite that edition.
    let mut merged: BTreeMap<String, String> = BTreeMap::new();
    let mut expected: BTreeSet<(String, String, String)> = BTreeSet::new();
    for line in lines {
        let row = if line[1].is_empty() || line[1] == "-" { line[0].clone() } else { line[1].clone() };
        merged.insert(line[0].clone(), row.clone());
        for (scheme, cell) in head.iter().zip(&line).filter(|(s, _)| names.contains_key(s.as_str())) {
            for id in cell.split("; ").filter(|c| !c.is_empty()) {
                let id = id.split(" (L").next().unwrap().to_owned();
                expected.insert((row.clone(), names[scheme.as_str()].to_owned(), id));
            }
        }
    }
    let profiles: Vec<Profile> = names.values().map(|id| at_top(id)).collect();
    let ours = crosswalk(&profiles);
    let mut found = BTreeSet::new();
    for row in &ours.rows {
        for (column, cell) in ours.profiles.iter().zip(&row.cells) {
            found.extend(cell.iter().map(|e| (merged[row.id].clone(), column.id.clone(), e.id.clone())));
        }
    }
    assert!(expected.len() > 250, "{}", expected.len());
    assert_eq!(found.difference(&expected).collect::<Vec<_>>(), Vec::<&(String, String, String)>::new());
    assert_eq!(expected.difference(&found).collect::<Vec<_>>(), Vec::<&(String, String, String)>::new());
}

#[test]
fn the_crosswalk_is_shown_as_text_csv_and_a_page() {
    let o = patuh(&["profile", "crosswalk", "--format", "csv"]);
    let csv = out(&o);
    let widths: BTreeSet<usize> = csv.lines().map(|l| fields(l).len()).collect();
    assert_eq!(widths, [BUILTIN.len() + 2].into());
    let line = csv.lines().map(fields).find(|f| f[0] == "5.1-1").unwrap();
    assert!(line.contains(&"RG-1; RG-2".to_owned()) && line.contains(&"5.1-1 (L1)".to_owned()), "{line:?}");
    let text = out(&patuh(&["profile", "crosswalk"]));
    assert!(text.lines().all(|l| l.chars().count() <= 100) && text.contains("  uk-psti: Sch1-1\n"));
    let page = out(&patuh(&["profile", "crosswalk", "--format", "html"]));
    assert_eq!(page.matches("<tr class=\"row\">").count(), csv.lines().count() - 1);
}

#[test]
fn comparing_shows_what_corresponds_what_is_alone_and_which_label_stands_in() {
    let (uk, jp) = (Profile::builtin("uk-psti").unwrap(), Profile::builtin("jp-jcstar-1").unwrap());
    let c = compare(&uk, &jp, None);
    let pairs: Vec<(&str, &str)> = c.corresponding.iter().map(|p| (p.a.as_str(), p.b.as_str())).collect();
    assert_eq!(pairs, [("Sch1-1", "S1.1-02"), ("Sch1-2", "S1.1-05"), ("Sch1-3", "S1.1-16")]);
    assert_eq!((c.only_a.len(), c.only_b.len(), c.recognition.len()), (1, 13, 2));
    // The items that PSTI products skip are those that correspond.
    let waived = recognition::between("uk-psti", "jp-jcstar-1").find(|r| r.label == "uk-psti").unwrap();
    assert_eq!(waived.waives, pairs.iter().map(|p| p.1.to_owned()).collect::<Vec<_>>());
}

#[test]
fn comparing_shows_numbers_that_differ_and_parameters_of_checks() {
    let c = compare(&at_top("sg-imda-rgsec"), &at_top("vn-qd724-2024"), None);
    let length = c.parameters.iter().find(|d| d.name == "password-min-length" && d.of == "RG-2 / 724-auth-strength");
    let length = length.unwrap();
    assert_eq!((length.a.as_deref(), length.b.as_deref()), (Some("10"), Some("8")));
    let c = compare(&at_top("de-itsik-tr03148"), &at_top("sg-imda-rgsec"), None);
    let services = c.parameters.iter().find(|d| d.of == "check svc-legacy-insecure").unwrap();
    assert!(services.a.as_ref().unwrap().contains("ssh") && services.b.is_none());
}

#[test]
fn comparing_under_a_recording_shows_where_verdicts_differ() {
    let o = patuh(&["profile", "compare", "uk-psti", "vn-qd724-2024", "--recording", CASE, "--format", "json"]);
    let c: serde_json::Value = serde_json::from_slice(&o.stdout).unwrap();
    assert_eq!(c["schema"], "comparison/1");
    assert_eq!((&c["verdicts"]["a"], &c["verdicts"]["b"]), (&"FAIL".into(), &"FAIL".into()));
    let differing = c["verdicts"]["differing"].as_array().unwrap();
    let strength = differing.iter().find(|d| d["b"] == "724-auth-strength").unwrap();
    assert_eq!((&strength["a_outcome"], &strength["b_outcome"]), (&"FAIL".into(), &"AWAITING_ASSESSOR".into()));
}

#[test]
fn a_requirement_of_several_provisions_is_not_applicable_only_when_none_of_them_is() {
    let recording = recorded::recording(&[]);
    let profile = at_top("sg-cls-iot-hg");
    let outcome = |ids: &[&str]| {
        let claims: String = ids
            .iter()
            .map(|id| format!("\"{id}\" = {{ support = \"not-applicable\", reason = \"none\" }}\n"))
            .collect();
        let ics = Ics::parse("ics.toml", &format!("[claims]\n{claims}")).unwrap();
        let ics = Read { value: ics, digest: Sha256Digest::of(b"") };
        let inputs = Inputs { recording: &recording, ics: Some(&ics), ixit: None };
        let a = assess(&inputs, &profile);
        a.requirements.iter().find(|r| r.id == "5.3-6").unwrap().outcome.word()
    };
    assert_eq!(outcome(&["5.3-4"]), "AWAITING_ASSESSOR");
    assert_eq!(outcome(&["5.3-4", "5.3-6"]), "NOT_APPLICABLE");
}

#[test]
fn explaining_a_profile_shows_its_sources_and_how_sure_we_are() {
    let shown = out(&patuh(&["explain", "vn-qcvn135"]));
    for part in
        ["confidence medium", "sources:", "thuvienphapluat.vn", "superseded by vn-qcvn11-2026", "Not a document"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(
        out(&patuh(&["explain", "uk-psti"])).contains("recognition: sg-cls-iot level 1 or above stands in for uk-psti")
    );
    assert!(out(&patuh(&["explain", "X-GUEST"])).contains("topic"));
}
