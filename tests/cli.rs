//! What users script against: exit codes, messages, resume, offline judging.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr, reason = "tests")]
#[path = "support/scans.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod scans;

use scans::{patuh, root, scan};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A simulated device in a process of its own, stopped when the test ends.
struct Device(Child);

impl Drop for Device {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a simulated device; also the line in which it says its ports.
fn sim(name: &str, host: &str) -> (Device, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_patuh"))
        .args(["sim", "run", name, "--bind", host, "--shift", "20000"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains(host), "{line}");
    (Device(child), line)
}

#[test]
fn wrong_input_has_its_own_exit_code_and_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let scope = file("scope.toml", "authorised_by = \"me\"\nhosts = [\"127.0.0.0/8\"]\nspeed = 3\n");
    let narrow = file("narrow.toml", "authorised_by = \"me\"\nhosts = [\"127.9.0.0/16\"]\n");
    let profile = file("p.toml", "id = \"x\"\n");
    let ics = file("ics.toml", "[claims]\n\"5.1-1\" = { support = \"not-applicable\" }\n");
    let broken = dir.path().join("broken");
    std::fs::create_dir(&broken).unwrap();
    std::fs::write(broken.join("recording.jsonl"), "{\"line\":\"nonsense\"}\n").unwrap();
    let out = dir.path().join("out").display().to_string();
    for (args, code, says) in [
        (vec!["scan", "127.0.0.1", "--scope", &scope, "--out", &out], 78, "scope.toml:3: unknown field `speed`"),
        (vec!["scan", "127.0.60.1", "--scope", &narrow, "--out", &out], 77, "out of scope"),
        (vec!["scan", "8.8.8.8", "--out", &out], 77, "public_addresses"),
        (vec!["scan", "no-such-name.invalid", "--out", &out], 69, "cannot be resolved"),
        (vec!["scan", "127.0.60.1", "--ports", "tcp:9-3"], 64, "runs backwards"),
        (vec!["scan", "127.0.60.1", "--most", "stress"], 77, "scope file"),
        (vec!["scan", "127.0.60.1", "--ics", &ics, "--out", &out], 65, "ics.toml:2"),
        (vec!["scan", "127.0.60.1", "--profile", "asean-baselin"], 78, "did you mean `asean-baseline`?"),
        (vec!["judge", broken.to_str().unwrap(), "--profile", "asean-baseline"], 65, "line 1"),
        (vec!["judge", "nowhere", "--profile", "asean-baseline"], 66, "nowhere"),
        (vec!["scan", "127.0.60.1", "--profile", &profile], 78, "p.toml:"),
        (vec!["explain", "telnet-default-cred"], 64, "did you mean `telnet-default-creds`?"),
        (vec!["frobnicate"], 64, "frobnicate"),
    ] {
        let (got, stdout, stderr) = patuh(&args);
        assert_eq!(got, code, "{args:?}: {stderr}");
        assert!(stderr.contains(says), "{args:?}: {stderr}");
        assert_eq!(stdout, "");
    }
    assert!(!dir.path().join("out").exists(), "nothing is written before everything is read");
}

#[test]
fn passwords_of_labels_are_compared_and_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let counted = file("counted.csv", "password,serial\nAB12-0001,S-77101\nAB12-0002,S-80233\n");
    let (code, out, _) = patuh(&["passwords", &counted]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("they end in a decimal number that counts up") && !out.contains("AB12"), "{out}");
    let two = file("two.csv", "password,serial\nkT7vQp2mXz9R,S-77101\nWd4hNs8bLc3Y,S-80233\n");
    let (code, out, _) = patuh(&["passwords", &two, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, json["schema"].as_str()), (2, Some("passwords/1")), "{out}");
    assert_eq!(patuh(&["passwords", &two, "--samples", "2"]).0, 0);
    let headless = file("headless.csv", "kT7vQp2mXz9R,S-77101\n");
    let (code, _, err) = patuh(&["passwords", &headless]);
    assert_eq!(code, 65);
    assert!(err.contains("no column `password`") && !err.contains("kT7"), "{err}");
}

#[test]
fn a_scan_of_a_host_that_shows_nothing_is_never_a_pass() {
    let (code, out, err) = patuh(&[
        "scan",
        "127.0.60.2",
        "--pace",
        "fast",
        "--profile",
        "asean-baseline",
        "--profile",
        "sg-cls-iot:1",
        "--json",
    ]);
    assert_eq!(code, 2, "{err}");
    let all: serde_json::Value = serde_json::from_str(&out).unwrap();
    for a in all.as_array().unwrap() {
        assert_eq!(a["verdict"], "INCONCLUSIVE");
        assert_eq!(a["counts"]["pass"], 0);
    }
}

#[test]
fn judging_again_gives_the_same_bytes_twice_elsewhere_and_without_a_network() {
    let (_device, _) = sim("ip-camera-bad", "127.0.60.3");
    let s = scan("127.0.60.3", "tcp:1-65535,udp:53,161");
    let from = s.recording();
    let copy = s.dir.path().join("a copy elsewhere");
    std::fs::create_dir(&copy).unwrap();
    for f in ["recording.jsonl", "transcripts.jsonl"] {
        std::fs::copy(from.join(f), copy.join(f)).unwrap();
    }
    let args = |d: &std::path::Path| {
        vec![
            "judge".to_owned(),
            d.display().to_string(),
            "--profile".into(),
            "asean-baseline".into(),
            "--profile".into(),
            "sg-cls-iot:1".into(),
            "--format".into(),
            "json".into(),
        ]
    };
    let run = |a: &[String]| patuh(&a.iter().map(String::as_str).collect::<Vec<_>>());
    let first = run(&args(&from));
    assert_eq!(first.0, 1, "{}", first.2);
    assert_eq!(first, run(&args(&from)));
    assert_eq!(first.1, run(&args(&copy)).1);
    if root() {
        let out = Command::new("unshare").args(["-n", env!("CARGO_BIN_EXE_patuh")]).args(args(&from)).output().unwrap();
        assert_eq!(String::from_utf8(out.stdout).unwrap(), first.1);
    }
}

#[test]
fn an_interrupted_scan_says_where_it_stopped_and_goes_on() {
    let (_device, _) = sim("ip-camera-bad", "127.0.60.4");
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("r");
    let mut child = Command::new(env!("CARGO_BIN_EXE_patuh"))
        .env("PATUH_LEDGER", dir.path().join("ledger"))
        .args(["scan", "127.0.60.4", "--ports", "tcp:20000-30000,udp:none", "--out", out.to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.by_ref().any(|l| l.unwrap().contains("default credentials")));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(2));
    let (_, text, _) = patuh(&["inventory", out.to_str().unwrap()]);
    assert!(text.contains("logins: the scan was interrupted"), "{text}");
    assert!(text.contains("device-binding-end: it was not run"), "{text}");
    let (code, _, err) = patuh(&["scan", "--resume", out.to_str().unwrap()]);
    assert_eq!(code, 0, "{err}");
    let (_, text, _) = patuh(&["inventory", out.to_str().unwrap()]);
    assert!(!text.contains("interrupted") && !text.contains("not run"), "{text}");
}

#[test]
fn devices_that_hang_stream_or_lie_end_in_bounded_time_with_gaps_and_no_pass() {
    // One that streams for ever, one that says nothing, one that sends a byte at a time and one that hangs up.
    let hosts = ["127.0.60.5:24001", "127.0.60.5:24002", "127.0.60.5:24003", "127.0.60.5:24004"];
    for (n, host) in hosts.iter().enumerate() {
        let listener = TcpListener::bind(host).unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    let mut stream = stream;
                    let until = Instant::now() + Duration::from_secs(120);
                    match n {
                        0 => while Instant::now() < until && stream.write_all(&[b'A'; 65536]).is_ok() {},
                        1 => while stream.read(&mut [0; 1024]).is_ok_and(|n| n > 0) {},
                        2 => {
                            while Instant::now() < until && stream.write_all(b"x").is_ok() {
                                std::thread::sleep(Duration::from_millis(300))
                            }
                        }
                        _ => {}
                    }
                });
            }
        });
    }
    let started = Instant::now();
    let s = scan("127.0.60.5", "tcp:24000-24010,udp:none");
    assert!(started.elapsed() < Duration::from_secs(100), "{:?}", started.elapsed());
    assert_eq!(s.endpoints().len(), 4);
    assert_eq!(s.endpoint(24001)["service"], "unknown");
    s.expect("svc-identify", "INCONCLUSIVE");
    s.fails_only(&[]);
}

/// TCP ports that the machine itself serves on every address, read from the kernel's table.
fn served_everywhere() -> usize {
    let table = |f: &str| std::fs::read_to_string(f).unwrap_or_default();
    let everywhere = |l: &&str| {
        let columns: Vec<&str> = l.split_whitespace().collect();
        columns[3] == "0A" && columns[1].split(':').next().unwrap().bytes().all(|b| b == b'0')
    };
    let all = table("/proc/net/tcp") + &table("/proc/net/tcp6");
    all.lines().filter(|l| !l.contains("local_address")).filter(everywhere).count()
}

#[test]
fn a_device_with_four_sockets_is_swept_whole_at_the_default_pace_and_stays_alive() {
    let (_device, line) = sim("constrained-four-sockets", "127.0.60.7");
    let ports = line.split("tcp/").skip(1).count() + served_everywhere();
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("r");
    let (code, text, err) =
        patuh(&["scan", "127.0.60.7", "--ports", "tcp:1-65535,udp:none", "--out", out.to_str().unwrap(), "--json"]);
    assert_eq!(code, 0, "{err}");
    let inventory: serde_json::Value = serde_json::from_str(&text).unwrap();
    let found = inventory["endpoints"].as_array().unwrap();
    assert_eq!(found.len(), ports, "{line} {text}");
    for (port, service) in [(20080, "http"), (1883, "mqtt")] {
        assert!(found.iter().any(|e| e["port"] == port && e["service"] == service), "{text}");
    }
    assert!(inventory["completeness"]["tcp"]["complete"].as_bool().unwrap(), "{text}");
}
