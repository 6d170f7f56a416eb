//! Wrong input: granted or not at all; crashes are told from coincidence, slowness and defence, and the one packet is named.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr, reason = "tests")]
#[path = "support/scans.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod scans;
#[path = "support/servers.rs"]
mod servers;

use patuh::{
    judge::{Decision, Evidence, Verdict, check},
    model::{
        Observation, Recording,
        observation::malformed::{Event, Malformed},
    },
    sim::{self, Device, PortShift, Running},
};
use scans::{patuh_with, root};
use servers::{Server, program, tcp, udp};
use std::{path::Path, process::Command};

async fn start(name: &str, host: &str) -> Running {
    let file = Device::parse(sim::find(name).unwrap().toml, name).unwrap();
    sim::start(&file, host.parse().unwrap(), PortShift::None).await.unwrap()
}

/// Scans what `ports` names, or everything where that is empty.
fn scan(dir: &Path, host: &str, ports: &str, grant: &str) -> Recording {
    let scope = dir.join("scope.toml");
    let text =
        format!("authorised_by = \"the tests\"\nhosts = [\"{host}/32\"]\nmost = \"stress\"\npace = \"fast\"\n{grant}");
    std::fs::write(&scope, text).unwrap();
    let out = dir.join("recording");
    let mut args = vec!["scan", host, "--scope", scope.to_str().unwrap(), "--out", out.to_str().unwrap()];
    if !ports.is_empty() {
        args.extend(["--ports", ports]);
    }
    for probe in [
        "tcp-ports",
        "udp-services",
        "service-identify",
        "http-surface",
        "json-logins",
        "websockets",
        "http-injection",
        "malformed-input",
    ] {
        args.extend(["--probe", probe]);
    }
    let (code, _, err) = patuh_with(&dir.join("ledger"), &args);
    assert_eq!(code, 0, "{err}");
    Recording::parse(&std::fs::read(out.join("recording.jsonl")).unwrap()).unwrap()
}

/// A device of the collection, scanned with this grant.
async fn scanned(name: &str, host: &'static str, grant: &'static str) -> Recording {
    scanned_at(name, host, "", grant).await
}

async fn scanned_at(name: &str, host: &'static str, ports: &'static str, grant: &'static str) -> Recording {
    let running = start(name, host).await;
    let recording = tokio::task::spawn_blocking(move || {
        let dir = tempfile::tempdir().unwrap();
        scan(dir.path(), host, ports, grant)
    });
    let recording = recording.await.unwrap();
    running.stop().await;
    recording
}

fn events(recording: &Recording) -> Vec<Malformed> {
    let of = |r: &patuh::model::Record| match &r.observation {
        Observation::Malformed { malformed } => Some(malformed.clone()),
        _ => None,
    };
    recording.runs.iter().flat_map(|r| &r.records).filter_map(of).collect()
}

/// The verdict, and why; connections that were held for `hold_seconds` were held for long enough.
fn verdict(id: &str, recording: &Recording, hold_seconds: i64) -> (&'static str, String) {
    let mut parameters = toml::Table::new();
    if ["http-slow-clients", "mqtt-preconnect-limits"].contains(&id) {
        parameters.insert("hold_seconds".to_owned(), hold_seconds.into());
    }
    match (check::find(id).unwrap().bind)(parameters).unwrap().judge(&Evidence::new(recording, None, None)) {
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

const GRANT: &str = "[malformed]\nrecovery_seconds = 15\nhold_seconds = 7\n";

#[tokio::test(flavor = "multi_thread")]
async fn without_a_grant_of_its_own_nothing_wrong_is_sent() {
    if !root() {
        return;
    }
    let recording = scanned("robust-box-bad", "127.0.86.20", "").await;
    assert_eq!(events(&recording), []);
    assert_eq!(verdict("http-malformed-requests", &recording, 60).0, "INCONCLUSIVE");
    let judge = (check::find("http-malformed-requests").unwrap().bind)(toml::Table::new()).unwrap();
    assert!(judge.left_to_assessor(&Evidence::new(&recording, None, None)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_that_survives_everything_passes() {
    if !root() {
        return;
    }
    let recording = scanned("robust-box-good", "127.0.86.21", GRANT).await;
    for id in [
        "coap-malformed-messages",
        "coap-tcp-malformed",
        "discovery-malformed",
        "http-injection-canary",
        "http-json-typeconfusion",
        "http-malformed-requests",
        "http-slow-clients",
        "live-baseline-canary",
        "mqtt-malformed-packets",
        "mqtt-preconnect-limits",
        "rtsp-sip-malformed",
        "snmp-malformed",
        "tls-malformed-records",
        "ws-malformed-frames",
    ] {
        let (got, why) = verdict(id, &recording, 7);
        assert_eq!(got, "PASS", "{id}: {why}");
    }
    let (got, why) = verdict("http-slow-clients", &recording, 60);
    assert!(got == "PASS" || why.contains("not closed"), "{got}: {why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_crash_is_reproduced_and_the_one_input_behind_it_is_named_with_its_bytes() {
    if !root() {
        return;
    }
    let grant = "[malformed]\nrecovery_seconds = 15\nhold_seconds = 3\n";
    let box_at = |host, ports| scanned_at("robust-box-bad", host, ports, grant);
    // Three of the same box at once, since each loss is waited for.
    let (web, tls, others) = tokio::join!(
        box_at("127.0.86.23", "tcp:80,554,5685"),
        box_at("127.0.86.27", "tcp:443,1883,8081"),
        box_at("127.0.86.28", "udp:161,5353,5683"),
    );
    for (recording, id, case) in [
        (&web, "http-malformed-requests", "header-16k"),
        (&web, "http-slow-clients", "one-slow-client"),
        (&web, "rtsp-sip-malformed", "session-4k"),
        (&web, "coap-tcp-malformed", "settings-with-unknown-critical-option"),
        (&tls, "http-injection-canary", "/ping?host="),
        (&tls, "http-json-typeconfusion", "nested-lists"),
        (&tls, "tls-malformed-records", "extension-overrun"),
        (&tls, "mqtt-malformed-packets", "string-overrun"),
        (&tls, "mqtt-preconnect-limits", "one-silent-client"),
        (&others, "coap-malformed-messages", "etag-of-200"),
        (&others, "discovery-malformed", "name-loop"),
        (&others, "snmp-malformed", "deeply-nested"),
    ] {
        let (got, why) = verdict(id, recording, 7);
        assert!(got == "FAIL" && why.contains(case), "{id} is {got}: {why}");
    }
    // The late one is found among those sent before it.
    let all = events(&tls);
    let together = all.iter().filter(|m| m.set.word() == "tls" && matches!(m.event, Event::Together { .. })).count();
    assert!(together > 0, "nothing was halved");
    let hex = all.iter().find_map(|m| match &m.event {
        Event::Suspected { case, hex, .. } if case == "extension-overrun" => Some(hex.clone()),
        _ => None,
    });
    assert!(hex.unwrap().ends_with("000dffff00020401"));
}

#[tokio::test(flavor = "multi_thread")]
async fn coincidence_slowness_deafness_and_defence_are_no_crash() {
    if !root() {
        return;
    }
    let one = async |name: &str, host: &'static str, words: &str| {
        let recording = scanned(name, host, GRANT).await;
        let (got, why) = verdict("http-malformed-requests", &recording, 7);
        assert!(got == "INCONCLUSIVE" && why.contains(words), "{name} is {got}: {why}");
        recording
    };
    let (deaf, once, _) = tokio::join!(
        one("trap-deaf-at-times", "127.0.86.24", "not steady"),
        one("trap-crashed-once", "127.0.86.25", "did not happen again"),
        one("trap-shuts-out", "127.0.86.26", "shuts us out"),
    );
    let (got, why) = verdict("snmp-malformed", &once, 7);
    assert_eq!(got, "NOT_APPLICABLE", "{why}");
    let sent = events(&deaf).iter().filter(|m| !matches!(m.event, Event::Before { .. })).count();
    assert_eq!(sent, 0, "wrong input was sent to a device that was not steady");
    assert_eq!(verdict("live-baseline-canary", &deaf, 7).0, "INCONCLUSIVE");
}

#[test]
fn real_servers_are_asked_everything_and_none_is_said_to_fall() {
    let programs = ["nginx", "mosquitto", "coap-server-openssl", "snmpd", "dropbear", "dropbearkey"].map(program);
    let ([Some(nginx), Some(mosquitto), Some(coap), Some(snmpd), Some(dropbear), Some(keygen)], true) =
        (programs, root())
    else {
        return;
    };
    let (host, other, dir) = ("127.0.86.30", "127.0.86.31", tempfile::tempdir().unwrap());
    let at = |name: &str| dir.path().join(name).display().to_string();
    let write = |name: &str, text: String| {
        std::fs::write(at(name), text).unwrap();
        at(name)
    };
    let run =
        |program: &str, args: &[&str]| assert!(Command::new(program).args(args).output().unwrap().status.success());
    let (cert, key, host_key) = (at("cert"), at("key"), at("hostkey"));
    let new = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=device", "-keyout", &key, "-out", &cert];
    run("openssl", &new);
    run(&keygen, &["-t", "ed25519", "-f", &host_key]);
    let temp =
        ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|t| format!("{t}_temp_path {};", at(t))).concat();
    let web = format!(
        "daemon off; pid {}; events {{}} http {{ access_log off; {temp} server {{ listen {host}:80; listen {host}:443 ssl; \
         ssl_certificate {cert}; ssl_certificate_key {key}; location = / {{ return 200 ok; }} }} }}",
        at("nginx.pid")
    );
    let web = write("nginx.conf", web);
    let broker = write("mosquitto.conf", format!("listener 1883 {host}\nallow_anonymous true\nuser root\n"));
    let agent = write("snmpd.conf", format!("agentaddress udp:{host}:161\nrocommunity public 127.0.0.0/8\n"));
    let (persistent, ssh, pid) = (at("snmp"), format!("{host}:22"), at("ssh.pid"));
    let ready = |port: u16| format!("{host}:{port}");
    let _servers = [
        Server::start(&nginx, &["-c", &web, "-e", &at("nginx.err")], tcp(&ready(443))),
        Server::start(&mosquitto, &["-c", &broker], tcp(&ready(1883))),
        Server::start(&coap, &["-A", other, "-k", "not-on-any-list", "-h", "hint"], udp(&format!("{other}:5684"))),
        Server::start(&snmpd, &["-f", "-Lo", "-C", "-c", &agent, "-I", "-smux", "-p", &persistent], udp(&ready(161))),
        Server::start(&dropbear, &["-F", "-E", "-s", "-r", &host_key, "-p", &ssh, "-P", &pid], tcp(&ssh)),
    ];
    let grant = "[malformed]\nrecovery_seconds = 15\nhold_seconds = 2\n";
    let scanned = |host| scan(tempfile::tempdir().unwrap().path(), host, "", grant);
    let (recording, coap) = std::thread::scope(|s| {
        let coap = s.spawn(|| scanned(other));
        (scanned(host), coap.join().unwrap())
    });
    // Its TCP ports say nothing that is known, so that more may be there; what is known survives.
    for (id, words) in [
        ("coap-malformed-messages", "coap udp/127.0.86.31:5683 answers as before"),
        ("tls-malformed-records", "dtls udp/127.0.86.31:5684 answers as before"),
    ] {
        let (got, why) = verdict(id, &coap, 2);
        assert!(got == "INCONCLUSIVE" && why.contains(words), "{id} is {got}: {why}");
    }
    for (id, expected) in [
        ("coap-malformed-messages", "NOT_APPLICABLE"),
        ("discovery-malformed", "NOT_APPLICABLE"),
        ("http-malformed-requests", "PASS"),
        ("http-slow-clients", "PASS"),
        ("live-baseline-canary", "PASS"),
        ("mqtt-malformed-packets", "PASS"),
        ("rtsp-sip-malformed", "NOT_APPLICABLE"),
        ("snmp-malformed", "PASS"),
        ("tls-malformed-records", "PASS"),
        ("ws-malformed-frames", "NOT_APPLICABLE"),
    ] {
        let (got, why) = verdict(id, &recording, 2);
        assert_eq!(got, expected, "{id}: {why}");
    }
    // It closes what is silent later than it was watched.
    let (got, why) = verdict("mqtt-preconnect-limits", &recording, 2);
    assert_ne!(got, "FAIL", "{why}");
}
