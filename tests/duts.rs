//! Every simulated device earns the verdicts that its file expects, each check judged alone.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr, reason = "tests")]
#[path = "support/scans.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod scans;

use base64::{Engine, engine::general_purpose::STANDARD};
use patuh::{
    judge::{Decision, Evidence, Verdict, check},
    model::Recording,
    sim::{self, Device, PortShift, Running},
};
use scans::{patuh_with, root};
use std::path::Path;

fn file(name: &str) -> Device {
    Device::parse(sim::find(name).unwrap().toml, name).unwrap()
}

async fn start(name: &str, host: &str) -> Running {
    sim::start(&file(name), host.parse().unwrap(), PortShift::None).await.unwrap()
}

/// Scans everything, with the budget of a laboratory whose devices may lock.
fn scan(running: &Running, dir: &Path) -> Recording {
    let host = running.host();
    let mut udp = patuh::scan::probe::default_udp_ports();
    udp.extend(running.endpoints().iter().filter(|e| e.0 == sim::Transport::Udp).map(|e| e.1));
    udp.sort_unstable();
    udp.dedup();
    let udp: Vec<String> = udp.iter().map(ToString::to_string).collect();
    std::fs::create_dir_all(dir).unwrap();
    let scope = dir.join("scope.toml");
    let text = format!(
        "authorised_by = \"the tests\"\nhosts = [\"{host}/32\"]\nports = \"tcp:1-65535,udp:{}\"\nmost = \"stress\"\npace = \"fast\"\n\
         [credentials]\nper_account = 8\nper_service = 24\n",
        udp.join(",")
    );
    std::fs::write(&scope, text).unwrap();
    let out = dir.join("recording");
    let at = host.to_string();
    let args = ["scan", &at, "--scope", scope.to_str().unwrap(), "--out", out.to_str().unwrap()];
    let (code, _, err) = patuh_with(&dir.join("ledger"), &args);
    assert_eq!(code, 0, "{err}");
    Recording::parse(&std::fs::read(out.join("recording.jsonl")).unwrap()).unwrap()
}

fn verdict(id: &str, recording: &Recording, samples: &[Recording]) -> (&'static str, String) {
    let check = check::find(id).unwrap_or_else(|| panic!("no check `{id}`"));
    let judge = (check.bind)(toml::Table::new()).unwrap();
    match judge.judge(&Evidence::new(recording, None, None).with_samples(samples)) {
        Decision::Absent { what, .. } => ("NOT_APPLICABLE", what),
        Decision::Judged(j) => {
            let word = match j.verdict() {
                Verdict::Pass => "PASS",
                Verdict::Inconclusive => "INCONCLUSIVE",
                Verdict::Fail => "FAIL",
            };
            let gaps: Vec<String> = j.gaps().map(ToString::to_string).collect();
            (word, format!("{} | {}", j.observed().join("; "), gaps.join("; ")))
        }
    }
}

#[test]
fn every_expectation_names_a_check_that_exists() {
    for builtin in sim::list() {
        for id in file(builtin.name).expect.keys() {
            assert!(check::find(id).is_some(), "{}: no check `{id}`", builtin.name);
        }
    }
}

async fn earns_what_it_expects(name: &str, host: &str) {
    if !root() {
        return;
    }
    let running = start(name, host).await;
    let dir = tempfile::tempdir().unwrap();
    let recording = scan(&running, dir.path());
    running.stop().await;
    let mut surprises = Vec::new();
    for (id, expected) in &file(name).expect {
        let (got, why) = verdict(id, &recording, &[]);
        if got != expected {
            surprises.push(format!("{id} is {got} instead of {expected}: {why}"));
        }
    }
    assert!(surprises.is_empty(), "{name}: {}", surprises.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn open_stores_default_secrets_and_example_users_of_an_edge_box_are_proved() {
    earns_what_it_expects("edge-box-bad", "127.0.62.2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_box_with_secrets_of_its_own_is_not_called_weak() {
    earns_what_it_expects("edge-box-good", "127.0.62.3").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_described_and_does_not_play_proves_nothing() {
    earns_what_it_expects("trap-described-only", "127.0.62.4").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_infrastructure_services_of_both_gateways_are_judged_as_their_files_expect() {
    earns_what_it_expects("fwa-gateway-bad", "127.0.62.5").await;
    earns_what_it_expects("fwa-gateway-good", "127.0.62.6").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_camera_is_seen_to_play_and_no_picture_is_kept() {
    earns_what_it_expects("ip-camera-bad", "127.0.62.7").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_careless_panel_shows_to_strangers_is_found_and_a_careful_one_passes() {
    earns_what_it_expects("web-panel-bad", "127.0.82.2").await;
    earns_what_it_expects("web-panel-good", "127.0.82.3").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn harmless_pages_at_dangerous_paths_and_a_page_for_every_path_are_no_exposure() {
    earns_what_it_expects("trap-web-lookalikes", "127.0.82.4").await;
    earns_what_it_expects("trap-catch-all-200", "127.0.82.5").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_outlives_its_logout_and_was_there_before_the_log_in_is_found() {
    earns_what_it_expects("login-guard-bad", "127.0.82.7").await;
    earns_what_it_expects("ip-camera-good", "127.0.82.8").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_configuration_log_or_picture_that_a_device_shows_is_kept() {
    if !root() {
        return;
    }
    let running = start("web-panel-bad", "127.0.82.6").await;
    let dir = tempfile::tempdir().unwrap();
    scan(&running, dir.path());
    running.stop().await;
    let transcripts = std::fs::read_to_string(dir.path().join("recording/transcripts.jsonl")).unwrap();
    let mut heads = 0;
    for line in transcripts.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let mut received = Vec::new();
        for event in line["events"].as_array().unwrap().iter().filter(|e| e["way"] == "received") {
            received.extend(STANDARD.decode(event["data"].as_str().unwrap()).unwrap());
        }
        let text = String::from_utf8_lossy(&received).into_owned();
        assert!(!text.contains("rahsia-42-kucing") && !text.contains("syslogd"), "{text}");
        assert!(!text.contains("JFIF"), "a picture");
        heads += usize::from(text.contains("image/jpeg"));
    }
    assert!(heads > 0, "the head of the picture's reply is kept as evidence");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_default_password_on_two_samples_fails_and_keys_of_their_own_pass() {
    if !root() {
        return;
    }
    let (one, two) = (start("fwa-gateway-bad", "127.0.62.8").await, start("fwa-gateway-bad", "127.0.62.9").await);
    let dir = tempfile::tempdir().unwrap();
    let recordings = [scan(&one, &dir.path().join("1")), scan(&two, &dir.path().join("2"))];
    one.stop().await;
    two.stop().await;
    let [first, second] = recordings;
    let others = [second];
    let (got, why) = verdict("dev-unique-password-two-samples", &first, &others);
    assert_eq!(got, "FAIL", "{why}");
    let (got, why) = verdict("tls-key-shared-samples", &first, &others);
    assert_eq!(got, "PASS", "{why}");
    for id in ["dev-unique-password-two-samples", "tls-key-shared-samples"] {
        let (got, why) = verdict(id, &first, &[]);
        assert_eq!(got, "INCONCLUSIVE", "{why}");
        let (got, why) = verdict(id, &first, std::slice::from_ref(&first));
        assert_eq!(got, "INCONCLUSIVE", "a device compared with itself: {why}");
    }
}
