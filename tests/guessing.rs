//! Guessing passwords: granted or not at all, told apart by what the device does, and never unseen.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr, reason = "tests")]
#[path = "support/scans.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod scans;
#[path = "support/verdicts.rs"]
mod verdicts;

use patuh::{
    judge::{Evidence, check},
    model::{
        Observation, Recording,
        observation::guessing::{Guess, Guessing},
    },
    sim::{self, Device, PortShift, Running},
};
use scans::{patuh_with, root};
use std::{
    io::Read,
    path::Path,
    process::{Command, Stdio},
};
use verdicts::verdict_on;

/// A device with one login form; `more` is what its service does with guesses.
async fn device(host: &str, more: &str) -> Running {
    let text = format!(
        "name = \"guarded\"\ntitle = \"a login\"\ntwin = \"good\"\n[identity]\nmanufacturer = \"Jaga\"\nmodel = \"J1\"\nhardware = \"1\"\n\
         firmware = \"1.0\"\nserial = \"J-1\"\n[[http]]\nport = 80\nauth = \"form\"\nusers = [{{ user = \"lab\", password = \"kunci-kanan-8\" }}]\n\
         {more}\n[[http.routes]]\npath = \"/\"\nbody = \"<p>inside</p>\"\n"
    );
    sim::start(&Device::parse(&text, "test").unwrap(), host.parse().unwrap(), PortShift::None).await.unwrap()
}

/// The arguments of a scan of the log-in alone, under a scope file that ends in `grant`.
fn scan_args(dir: &Path, host: &str, grant: &str) -> Vec<String> {
    std::fs::create_dir_all(dir).unwrap();
    let secret = dir.join("secret");
    std::fs::write(&secret, "kunci-kanan-8\n").unwrap();
    let scope = dir.join("scope.toml");
    let grant = grant.replace("SECRET", &format!("file:{}", secret.display()));
    let text = format!(
        "authorised_by = \"the tests\"\nhosts = [\"{host}/32\"]\nports = \"tcp:1-65535\"\nmost = \"stress\"\npace = \"fast\"\n\
         [credentials]\nper_service = 2\n{grant}"
    );
    std::fs::write(&scope, text).unwrap();
    let out = dir.join("recording");
    let mut args = vec!["scan", host, "--scope", scope.to_str().unwrap(), "--out", out.to_str().unwrap()];
    for probe in [
        "tcp-ports",
        "udp-services",
        "service-identify",
        "http-surface",
        "json-logins",
        "rtsp-streams",
        "cwmp-connreq",
        "onvif-services",
        "coap-resources",
        "logins",
        "guessing",
    ] {
        args.extend(["--probe", probe]);
    }
    args.into_iter().map(str::to_owned).collect()
}

fn scan(dir: &Path, host: &str, grant: &str) -> Recording {
    let args = scan_args(dir, host, grant);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (code, _, err) = patuh_with(&dir.join("ledger"), &args);
    assert_eq!(code, 0, "{err}");
    read(dir)
}

fn read(dir: &Path) -> Recording {
    Recording::parse(&std::fs::read(dir.join("recording/recording.jsonl")).unwrap()).unwrap()
}

fn guesses(recording: &Recording) -> Vec<Guessing> {
    let of = |r: &patuh::model::Record| match &r.observation {
        Observation::Guessing { guessing } => Some(guessing.clone()),
        _ => None,
    };
    recording.runs.iter().flat_map(|r| &r.records).filter_map(of).collect()
}

fn verdict(id: &str, recording: &Recording) -> (&'static str, String) {
    verdict_on(id, &Evidence::new(recording, None, None))
}

const NAMED: &str = "[guessing]\naccount = \"lab\"\nsecret = \"SECRET\"\nwait_seconds = 12\n";

#[tokio::test(flavor = "multi_thread")]
async fn without_a_grant_of_its_own_nothing_is_guessed_and_nobodys_requirement_is_held_up() {
    if !root() {
        return;
    }
    let running = device("127.0.82.20", "").await;
    let dir = tempfile::tempdir().unwrap();
    let recording = scan(dir.path(), "127.0.82.20", "");
    running.stop().await;
    assert_eq!(guesses(&recording), []);
    assert_eq!(verdict("auth-bruteforce-http", &recording).0, "INCONCLUSIVE");
    let judge = (check::find("auth-bruteforce-http").unwrap().bind)(toml::Table::new()).unwrap();
    assert!(judge.left_to_assessor(&Evidence::new(&recording, None, None)));
}

#[test]
fn a_secret_in_a_scope_file_is_refused_and_not_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let args = scan_args(dir.path(), "127.0.82.21", "[guessing]\naccount = \"lab\"\nsecret = \"kunci-kanan-8\"\n");
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (code, _, err) = patuh_with(&dir.path().join("ledger"), &args);
    assert_eq!(code, 78, "{err}");
    assert!(err.contains("env:NAME") && !err.contains("kunci-kanan-8"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lock_limit_delay_and_nothing_at_all_are_told_apart_and_recovery_is_proved() {
    if !root() {
        return;
    }
    let cases = [
        ("lockout = { after = 5, seconds = 3, answer = \"told\" }", "PASS", "locked after 5", "PASS"),
        ("lockout = { after = 6, seconds = 3 }", "PASS", "without saying so", "PASS"),
        (
            "lockout = { after = 8, seconds = 3, answer = \"told\", by = \"everybody\" }",
            "PASS",
            "rate is limited",
            "PASS",
        ),
        ("slower_ms = 120", "PASS", "delay grows", "NOT_APPLICABLE"),
        ("", "FAIL", "no reaction to 10", "NOT_APPLICABLE"),
        ("lockout = { after = 5, seconds = 3600, answer = \"told\" }", "PASS", "locked", "INCONCLUSIVE"),
    ];
    let one = async |n: usize, (more, expected, words, recovery): (&str, &str, &str, &str)| {
        let host = format!("127.0.82.{}", 30 + n);
        let running = device(&host, more).await;
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().to_owned();
        let recording = tokio::task::spawn_blocking(move || scan(&at, &host, NAMED)).await.unwrap();
        running.stop().await;
        let (got, why) = verdict("auth-bruteforce-http", &recording);
        assert_eq!(got, expected, "{more}: {why}");
        assert!(why.contains(words), "{more}: {why}");
        let (got, why) = verdict("auth-lockout-not-permanent-dos", &recording);
        assert_eq!(got, recovery, "{more}: {why}");
        let ledger = std::fs::read_to_string(dir.path().join("ledger/attempts.jsonl")).unwrap();
        assert_eq!(ledger.contains("lock-sign"), recovery == "INCONCLUSIVE", "{more}: it never recovered: {ledger}");
        let written = std::fs::read_to_string(dir.path().join("recording/transcripts.jsonl")).unwrap();
        assert!(!written.contains("kunci-kanan-8"));
    };
    let [a, b, c, d, e, f] = cases;
    tokio::join!(one(0, a), one(1, b), one(2, c), one(3, d), one(4, e), one(5, f));
}

/// What a twin earns where guessing is granted: over HTTP, SSH and MQTT, and whether the lock ends.
async fn earns(name: &str, host: &'static str, expected: [&str; 4]) {
    if !root() {
        return;
    }
    let file = Device::parse(sim::find(name).unwrap().toml, name).unwrap();
    let running = sim::start(&file, host.parse().unwrap(), PortShift::None).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().to_owned();
    let recording = tokio::task::spawn_blocking(move || scan(&at, host, NAMED)).await.unwrap();
    running.stop().await;
    let ids = ["auth-bruteforce-http", "ssh-bruteforce", "mqtt-bruteforce", "auth-lockout-not-permanent-dos"];
    for (id, expected) in ids.into_iter().zip(expected) {
        let (got, why) = verdict(id, &recording);
        assert_eq!(got, expected, "{name}, {id}: {why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_over_http_ssh_and_mqtt_are_judged_on_both_twins() {
    tokio::join!(
        earns("login-guard-good", "127.0.82.42", ["PASS", "PASS", "PASS", "PASS"]),
        earns("login-guard-bad", "127.0.82.43", ["FAIL", "FAIL", "FAIL", "NOT_APPLICABLE"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_reaction_to_a_name_that_was_made_up_proves_nothing() {
    if !root() {
        return;
    }
    let running = device("127.0.82.40", "").await;
    let dir = tempfile::tempdir().unwrap();
    let recording = scan(dir.path(), "127.0.82.40", "[guessing]\n");
    running.stop().await;
    let (got, why) = verdict("auth-bruteforce-http", &recording);
    assert!(got == "INCONCLUSIVE" && why.contains("made up"), "{got}: {why}");
}

/// What a scan that is killed leaves: `sent` guesses at least were written down before they went out.
#[tokio::test(flavor = "multi_thread")]
async fn a_scan_killed_while_it_guesses_says_what_it_sent_and_does_not_guess_again_when_resumed() {
    if !root() {
        return;
    }
    let host = "127.0.82.41";
    let running = device(host, "slower_ms = 100").await;
    let dir = tempfile::tempdir().unwrap();
    let args = scan_args(dir.path(), host, "[guessing]\naccount = \"lab\"\n");
    let ledger = dir.path().join("ledger");
    let mut child = Command::new(env!("CARGO_BIN_EXE_patuh"))
        .args(&args)
        .env("PATUH_LEDGER", &ledger)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let file = dir.path().join("recording/recording.jsonl");
    let begun = || std::fs::read_to_string(&file).unwrap_or_default().matches("\"event\":\"answered\"").count() >= 3;
    while !begun() {
        if let Some(status) = child.try_wait().unwrap() {
            let mut err = String::new();
            child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
            panic!("it ended before it guessed: {status}: {err}");
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let recording = read(dir.path());
    let count =
        |recording: &Recording| guesses(recording).iter().filter(|g| matches!(g.guess, Guess::Sent { .. })).count();
    let sent = count(&recording);
    let tried = running.counters().logins.iter().filter(|l| l.0.1 == "lab").map(|l| *l.1).sum::<u64>();
    assert!(sent >= 3 && sent as u64 >= tried, "{sent} written, {tried} seen by the device");
    let charged = std::fs::read_to_string(ledger.join("attempts.jsonl")).unwrap().matches("\"lab\"").count();
    assert!(charged >= sent, "{charged} in the ledger, {sent} in the recording");
    let (got, why) = verdict("auth-bruteforce-http", &recording);
    assert_eq!(got, "INCONCLUSIVE", "{why}");
    let out = dir.path().join("recording");
    let (_, _, err) = patuh_with(&ledger, &["scan", "--resume", out.to_str().unwrap()]);
    running.stop().await;
    let resumed = read(dir.path());
    assert!(resumed.finished.is_some(), "{err}");
    assert_eq!(count(&resumed), sent, "a resumed scan made more guesses");
    assert_eq!(verdict("auth-bruteforce-http", &resumed).0, "INCONCLUSIVE");
}
