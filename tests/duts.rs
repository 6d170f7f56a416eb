//! Every simulated device earns the verdicts that its file expects, each check judged alone.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr, reason = "tests")]
#[path = "support/scans.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod scans;
#[path = "support/verdicts.rs"]
mod verdicts;

use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::{StreamExt, stream};
use patuh::{
    judge::{Evidence, check},
    model::Recording,
    sim::{self, Device, PortShift, Running, Supplied},
};
use scans::patuh_with;
use std::path::Path;
use verdicts::verdict_on;

fn file(name: &str) -> Device {
    Device::parse(sim::find(name).unwrap().toml, name).unwrap()
}

/// An ordinary user may not bind low ports; nothing is ever told by a port's number, so others will do.
async fn start(name: &str, host: &str) -> Running {
    let shift = if scans::is_root() { PortShift::None } else { PortShift::By(20_000) };
    sim::start(&file(name), host.parse().unwrap(), shift).await.unwrap()
}

/// Scans everything, with the budget of a laboratory whose devices may lock.
fn scan(running: &Running, dir: &Path) -> Recording {
    scan_at("fast", running, dir)
}

/// What the owner of a device gives to those who look at it, for the scope file.
fn given(accounts: &[Supplied], dir: &Path) -> String {
    let one = |(n, a): (usize, &Supplied)| {
        let secret = dir.join(format!("secret-{n}"));
        std::fs::write(&secret, &a.password).unwrap();
        format!(
            "[[accounts]]\nuser = \"{}\"\nsecret = \"file:{}\"\nrole = \"{}\"\npassword = \"may-change\"\n",
            a.user,
            secret.display(),
            a.role
        )
    };
    accounts.iter().enumerate().map(one).collect()
}

fn scan_at(pace: &str, running: &Running, dir: &Path) -> Recording {
    scan_given(&[], pace, running, dir)
}

fn scan_given(accounts: &[Supplied], pace: &str, running: &Running, dir: &Path) -> Recording {
    let host = running.host();
    let mut udp = patuh::scan::probe::default_udp_ports();
    udp.extend(running.endpoints().iter().filter(|e| e.0 == sim::Transport::Udp).map(|e| e.1));
    udp.sort_unstable();
    udp.dedup();
    let udp: Vec<String> = udp.iter().map(ToString::to_string).collect();
    std::fs::create_dir_all(dir).unwrap();
    let scope = dir.join("scope.toml");
    let text = format!(
        "authorised_by = \"the tests\"\nhosts = [\"{host}/32\"]\nports = \"tcp:1-65535,udp:{}\"\nmost = \"alter\"\npace = \"{pace}\"\nidle_seconds = 3\nelsewhere = \"127.0.9.9\"\n\
         [credentials]\nper_account = 8\nper_service = 24\n{}",
        udp.join(","),
        given(accounts, dir)
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
    verdict_on(id, &Evidence::new(recording, None, None).with_samples(samples))
}

#[test]
fn every_expectation_names_a_check_that_exists() {
    for builtin in sim::list() {
        for id in file(builtin.name).expect.keys() {
            assert!(check::find(id).is_some(), "{}: no check `{id}`", builtin.name);
        }
    }
}

/// Devices that are scanned at the same time: a scan mostly waits.
const AT_ONCE: usize = 8;

async fn surprises(name: &str, host: String) -> Vec<String> {
    let running = start(name, &host).await;
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().to_owned();
    // A device that drops what comes too quickly shows all of itself to those who look slowly.
    let pace = if name.starts_with("constrained") { "adaptive" } else { "fast" };
    let accounts = file(name).accounts;
    let looked = tokio::task::spawn_blocking(move || (scan_given(&accounts, pace, &running, &at), running));
    let (recording, running) = looked.await.unwrap();
    running.stop().await;
    let expect = file(name).expect;
    let judged = |check: &&check::Check| {
        let (got, why) = verdict(check.id, &recording, &[]);
        // A failure that the device's file does not name is a false one, or a line is missing there.
        let expected = expect.get(check.id).map_or("no FAIL", String::as_str);
        let right = if expected == "no FAIL" { got != "FAIL" } else { got == expected };
        (!right).then(|| format!("{name}: {} is {got} instead of {expected}: {why}", check.id))
    };
    check::CHECKS.iter().filter_map(judged).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_simulated_device_fails_and_passes_as_its_file_expects_and_fails_nothing_else() {
    // Silence on a port where a service is usual is a gap, so that the devices must stand on their own ports.
    if !scans::root() {
        return;
    }
    let scans = sim::list().iter().enumerate().map(|(n, d)| surprises(d.name, format!("127.0.62.{}", n + 20)));
    let all: Vec<Vec<String>> = stream::iter(scans).buffer_unordered(AT_ONCE).collect().await;
    let all = all.concat();
    assert!(all.is_empty(), "{}", all.join("\n"));
}

/// A device with a page on 80, and perhaps one for its set-up on 8080.
fn in_state(set_up: &str) -> Device {
    let text = format!(
        "name = \"d\"\ntitle = \"d\"\ntwin = \"bad\"\n[identity]\nmanufacturer = \"m\"\nmodel = \"m\"\nhardware = \"1\"\n\
         firmware = \"1\"\nserial = \"1\"\n[[http]]\nport = 80\n[[http.routes]]\npath = \"/\"\n{set_up}"
    );
    Device::parse(&text, "d").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_up_service_that_stays_open_fails_and_one_that_closes_passes() {
    if !scans::root() {
        return;
    }
    let (dir, host) = (tempfile::tempdir().unwrap(), "127.0.81.44".parse().unwrap());
    let mut recordings = Vec::new();
    let set_up = "[[http]]\nport = 8080\n[[http.routes]]\npath = \"/wifi\"\n";
    for (n, state) in [set_up, ""].into_iter().enumerate() {
        let running = sim::start(&in_state(state), host, PortShift::None).await.unwrap();
        recordings.push(scan(&running, &dir.path().join(n.to_string())));
        running.stop().await;
    }
    let ixit = "[[x-endpoints]]\ntransport = \"tcp\"\nport = 8080\nprotocol = \"http\"\nstatus = \"transient\"\n";
    let ixit = patuh::model::Ixit::parse("ixit", ixit).unwrap();
    let of = |now: usize, before: Option<usize>| {
        let evidence = Evidence::new(&recordings[now], None, Some(&ixit));
        verdict_on("svc-state-diff", &evidence.with_factory(before.map(|n| &recordings[n])))
    };
    assert_eq!(of(1, Some(0)).0, "PASS", "{}", of(1, Some(0)).1);
    assert_eq!(of(0, Some(0)).0, "FAIL", "{}", of(0, Some(0)).1);
    assert_eq!(of(1, None).0, "INCONCLUSIVE", "{}", of(1, None).1);
}

/// A web server that opens another port once somebody has asked it something.
fn opens_later(page: &str, later: &str) {
    use std::io::{Read, Write};
    let (server, later) = (std::net::TcpListener::bind(page).unwrap(), later.to_owned());
    std::thread::spawn(move || {
        let mut opened = Vec::new();
        for stream in server.incoming() {
            let (mut stream, mut request) = (stream.unwrap(), [0; 2048]);
            stream.set_read_timeout(Some(std::time::Duration::from_millis(500))).unwrap();
            if matches!(stream.read(&mut request), Ok(1..)) {
                if opened.is_empty() {
                    opened.push(std::net::TcpListener::bind(&later).unwrap());
                }
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
            }
        }
    });
}

#[test]
fn a_port_that_opens_during_the_scan_is_found_at_its_end_and_fails_only_undeclared() {
    opens_later("127.0.81.45:8080", "127.0.81.45:2323");
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("recording");
    let args = ["scan", "127.0.81.45", "--ports", "tcp:2300-2400,8000-8100,udp:none", "--pace", "fast"];
    let (code, _, err) = patuh_with(dir.path(), &[&args[..], &["--out", out.to_str().unwrap()]].concat());
    assert_eq!(code, 0, "{err}");
    let recording = Recording::parse(&std::fs::read(out.join("recording.jsonl")).unwrap()).unwrap();
    let of = |declared: &str| {
        let entry = |p: &str| format!("[[x-endpoints]]\ntransport = \"tcp\"\nport = {p}\nprotocol = \"http\"\n");
        let ixit: String = declared.split_whitespace().map(entry).collect();
        let ixit = (!declared.is_empty()).then(|| patuh::model::Ixit::parse("ixit", &ixit).unwrap());
        verdict_on("svc-intermittent-rescan", &Evidence::new(&recording, None, ixit.as_ref()))
    };
    for (declared, verdict, told) in [
        ("", "INCONCLUSIVE", "tcp/2323 was shut at first"),
        ("8080", "FAIL", "tcp/2323 was shut at first"),
        ("8080 2323", "INCONCLUSIVE", "which is soon"),
    ] {
        let (got, why) = of(declared);
        assert!(got == verdict && why.contains(told), "{declared}: {got} {why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_configuration_log_or_picture_that_a_device_shows_is_kept() {
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
