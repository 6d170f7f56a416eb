//! One gateway from its LAN, WAN and guest side, in networks of its own: judged together, never mixed, sealed as one.
#![expect(clippy::unwrap_used, clippy::print_stderr, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#[path = "support/scans.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod scans;
#[path = "support/verdicts.rs"]
mod verdicts;

use patuh::{
    judge::Evidence,
    model::{Recording, State},
};
use scans::{patuh, patuh_with, root};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};
use verdicts::verdict_on;

/// Each side of each gateway on a cable of its own: its name, the device's end and what stands there.
const SIDES: [(&str, &str, Option<&str>); 5] = [
    ("lan", "10.79.1", Some("fwa-gateway-good")),
    ("wan", "10.79.2", Some("gateway-wan-good")),
    ("wan-bad", "10.79.3", Some("gateway-wan-bad")),
    ("guest", "10.79.4", None),
    ("guest-bad", "10.79.5", Some("gateway-wan-bad")),
];

const PROVIDER: &str =
    "[[x-endpoints]]\ntransport = \"tcp\"\nport = 7547\nprotocol = \"cwmp\"\nsides = [\"lan\", \"wan\"]\n";

fn ip(args: &[&str]) {
    let out = Command::new("ip").args(args).output().unwrap();
    assert!(out.status.success(), "ip {args:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// The gateway's own namespace, with a cable to each side.
struct Gateway {
    namespace: String,
    running: Vec<Child>,
}

impl Gateway {
    fn new() -> Self {
        let namespace = format!("patuh-gateway-{}", std::process::id());
        ip(&["netns", "add", &namespace]);
        let mut gateway = Self { namespace, running: Vec::new() };
        let ns = gateway.namespace.clone();
        // Closed UDP ports of many services answer at once, as those of a device do that counts them one by one.
        let quick = [
            "netns",
            "exec",
            &ns,
            "sysctl",
            "-q",
            "-w",
            "net.ipv4.icmp_ratelimit=0",
            "net.ipv4.icmp_msgs_per_sec=100000",
        ];
        ip(&quick);
        for (side, net, device) in SIDES {
            let here = format!("pg-{side}");
            ip(&["link", "add", &here, "type", "veth", "peer", "name", side, "netns", &ns]);
            ip(&["addr", "add", &format!("{net}.2/24"), "dev", &here]);
            ip(&["link", "set", &here, "up"]);
            ip(&["-n", &ns, "addr", "add", &format!("{net}.1/24"), "dev", side]);
            ip(&["-n", &ns, "link", "set", side, "up"]);
            gateway.running.extend(device.map(|name| start(&ns, name, &format!("{net}.1"))));
        }
        gateway
    }
}

fn start(ns: &str, name: &str, at: &str) -> Child {
    let patuh = env!("CARGO_BIN_EXE_patuh");
    let mut command = Command::new("ip");
    command.args(["netns", "exec", ns, patuh, "sim", "run", name, "--bind", at]);
    let mut device = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(device.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
    assert!(said.contains("tcp/"), "{name} did not come up: {said}");
    device
}

impl Drop for Gateway {
    fn drop(&mut self) {
        for device in &mut self.running {
            let _ = device.kill();
            let _ = device.wait();
        }
        let _ = Command::new("ip").args(["netns", "del", &self.namespace]).status();
    }
}

/// A whole scan from one side, in one state.
fn scan(dir: &Path, at: &str, vantage: &str, state: &str, name: &str) -> PathBuf {
    let out = dir.join(name);
    let to = out.to_str().unwrap();
    let args = ["scan", at, "--vantage", vantage, "--state", state, "--pace", "fast", "--out", to];
    let (code, _, err) = patuh_with(&dir.join(format!("ledger-{name}")), &args);
    assert_eq!(code, 0, "{name}: {err}");
    out
}

/// What the checks say of these recordings together.
fn judged(lan: &Path, sides: &[&Path], ixit: &Path) -> Value {
    let mut args = vec!["judge", lan.to_str().unwrap(), "--profile", "sg-cls-iot-hg:2", "--format", "json"];
    args.extend(["--ixit", ixit.to_str().unwrap()]);
    for side in sides {
        args.extend(["--side", side.to_str().unwrap()]);
    }
    let (_, out, err) = patuh(&args);
    serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {err}"))
}

fn of<'a>(assessment: &'a Value, check: &str) -> &'a Value {
    let all = assessment["results"].as_array().unwrap();
    all.iter().find(|r| r["check"] == check).unwrap_or_else(|| panic!("no {check}"))
}

#[test]
fn a_gateway_is_judged_from_every_side_and_no_side_stands_for_another() {
    if !root() {
        return;
    }
    let (gateway, dir) = (Gateway::new(), tempfile::tempdir().unwrap());
    let wanted = [
        ("10.79.1.1", "lan", "initialised", "lan"),
        ("10.79.2.1", "wan", "initialised", "wan"),
        ("10.79.2.1", "wan", "factory", "wan-factory"),
        ("10.79.3.1", "wan", "initialised", "wan-bad"),
        ("10.79.4.1", "guest", "initialised", "guest"),
        ("10.79.5.1", "guest", "initialised", "guest-bad"),
    ];
    let dir = dir.path();
    let recordings: Vec<PathBuf> = thread::scope(|s| {
        let scans = wanted.map(|(at, vantage, state, name)| s.spawn(move || scan(dir, at, vantage, state, name)));
        scans.into_iter().map(|scan| scan.join().unwrap()).collect()
    });
    drop(gateway);
    let [lan, wan, factory, wan_bad, guest, guest_bad] = recordings.as_slice() else { panic!("six recordings") };
    let ixit = dir.join("ixit.toml");
    std::fs::write(&ixit, PROVIDER).unwrap();
    let sided = ["wan-port-sweep", "wan-admin-closed", "gw-guest-isolation", "svc-management-plane-restricted"];

    // The LAN alone says nothing of any other side, and the check names the side that it lacks.
    let alone = judged(lan, &[], &ixit);
    for (check, lacks) in sided.iter().zip(["WAN side", "WAN side", "guest side", "second side"]) {
        let row = of(&alone, check);
        assert_eq!(row["verdict"], "INCONCLUSIVE", "{row}");
        assert!(row["gaps"].to_string().contains(lacks), "{row}");
    }
    // One state of two.
    let row = judged(lan, &[wan], &ixit);
    assert_eq!(of(&row, "wan-port-sweep")["verdict"], "PASS", "{}", of(&row, "wan-port-sweep"));
    let row = of(&row, "wan-admin-closed");
    assert_eq!(row["verdict"], "INCONCLUSIVE", "{row}");
    assert!(row["gaps"].to_string().contains("WAN side in the state `factory`"), "{row}");

    let good = judged(lan, &[wan, factory, guest], &ixit);
    for check in ["wan-port-sweep", "wan-admin-closed", "gw-guest-isolation"] {
        let row = of(&good, check);
        assert_eq!(row["verdict"], "PASS", "{row}");
    }
    assert_eq!(
        good["inputs"]["sides"].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["guest", "wan", "wan-factory"]
    );

    let bad = judged(lan, &[wan_bad, factory, guest_bad], &ixit);
    for (check, side) in sided.iter().zip(["wan:", "wan:", "guest:", "wan:"]) {
        let row = of(&bad, check);
        assert_eq!(row["verdict"], "FAIL", "{row}");
        assert!(row["evidence"].to_string().contains(side), "{row}");
    }
    // What is asked everywhere is told of the side where it was found, and of no other.
    let telnet = of(&bad, "telnet-default-creds");
    assert_eq!(telnet["verdict"], "FAIL", "{telnet}");
    assert!(telnet["reasons"].as_array().unwrap().iter().all(|r| !r.as_str().unwrap().starts_with("LAN")), "{telnet}");
    assert!(telnet["evidence"].as_array().unwrap().iter().all(|e| e.as_str().unwrap().contains(':')), "{telnet}");
    assert_ne!(of(&good, "telnet-default-creds")["verdict"], "FAIL");
    assert_eq!(of(&bad, "natpmp-pcp-exposed")["verdict"], "FAIL", "{}", of(&bad, "natpmp-pcp-exposed"));

    // A default password of the factory state may be one that must be changed.
    let mut recording = Recording::parse(&std::fs::read(wan_bad.join("recording.jsonl")).unwrap()).unwrap();
    assert_eq!(verdict_on("telnet-default-creds", &Evidence::new(&recording, None, None)).0, "FAIL");
    recording.header.scope.state = Some(State::Factory);
    let (verdict, why) = verdict_on("telnet-default-creds", &Evidence::new(&recording, None, None));
    assert!(verdict == "INCONCLUSIVE" && why.contains("factory state"), "{verdict} {why}");

    refused(lan, wan, factory);
    sealed(dir, [lan, wan, factory, guest], &ixit);
}

/// A recording is never taken for what it does not say that it is.
fn refused(lan: &Path, wan: &Path, factory: &Path) {
    let path = |p: &Path| p.to_str().unwrap().to_owned();
    let (lan, wan, factory) = (path(lan), path(wan), path(factory));
    for (first, option, other, says) in [
        (&lan, "--side", &lan, "of the LAN side, as the first"),
        (&lan, "--factory", &factory, "compare one side with itself"),
        (&wan, "--factory", &wan, "says that the device was set up"),
        (&factory, "--factory", &factory, "says that it is of the factory state"),
        (&lan, "--sample", &wan, "compare samples from the same side"),
    ] {
        let (code, _, err) = patuh(&["judge", first, option, other, "--profile", "sg-cls-iot-hg:2"]);
        assert_eq!(code, 65, "{first} {option} {other}: {err}");
        assert!(err.contains(says), "{err}");
    }
    let (code, _, err) = patuh(&["judge", &lan, "--side", &wan, "--side", &wan, "--profile", "sg-cls-iot-hg:2"]);
    assert!(code == 65 && err.contains("two recordings are of the WAN side"), "{code} {err}");
}

/// One bundle holds all of them, gives the same verdicts, and tells when one was changed.
fn sealed(dir: &Path, [lan, wan, factory, guest]: [&PathBuf; 4], ixit: &Path) {
    std::fs::copy(ixit, lan.join("ixit.toml")).unwrap();
    let (bundle, key) = (dir.join("bundle"), dir.join("key"));
    let (bundle_path, key_path) = (bundle.to_str().unwrap(), key.to_str().unwrap());
    assert_eq!(patuh(&["keygen", key_path]).0, 0);
    let mut args = vec!["seal", lan.to_str().unwrap(), "--profile", "sg-cls-iot-hg:2", "--key", key_path];
    for side in [wan, factory, guest] {
        args.extend(["--side", side.to_str().unwrap()]);
    }
    args.extend(["--interim", "--out", bundle_path]);
    let (code, _, err) = patuh(&args);
    assert_eq!(code, 0, "{err}");
    let (code, out, err) = patuh(&["verify", bundle_path]);
    assert_eq!(code, 0, "{out}{err}");
    let (_, again, _) = patuh(&["judge", bundle_path, "--profile", "sg-cls-iot-hg:2", "--format", "json"]);
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(again["results"], judged(lan, &[wan, factory, guest], ixit)["results"]);
    let changed = bundle.join("data/beside/1/recording.jsonl");
    let text = std::fs::read_to_string(&changed).unwrap();
    std::fs::write(&changed, text.replace("\"wan\"", "\"lan\"")).unwrap();
    let (code, out, _) = patuh(&["verify", bundle_path]);
    assert!(code != 0 && out.contains("data/beside/1/recording.jsonl"), "{code} {out}");
}
