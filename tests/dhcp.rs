//! Stock clients in a network namespace get their address, name server and time from the laboratory.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr, reason = "tests")]
#[path = "support/scans.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod scans;

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Output, Stdio},
};

const MAC: &str = "02:00:00:00:00:07";

fn run(command: &str) -> Output {
    Command::new("sh").args(["-euc", command]).output().unwrap()
}

fn sh(command: &str) -> String {
    let out = run(command);
    assert!(out.status.success(), "{command}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// A laboratory and a device without an address, on one cable; they end with it.
struct Bench {
    dir: tempfile::TempDir,
    lab: String,
    device: String,
    running: Option<Child>,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let [lab, device] = ["dhcp", "client"].map(|end| format!("patuh-{end}-{}", std::process::id()));
        let bench = Self { dir, lab, device, running: None };
        let (lab, device) = (&bench.lab, &bench.device);
        sh(&format!(
            "ip netns add {lab}; ip netns add {device}; ip -n {lab} link set lo up
             ip -n {lab} link add cable type veth peer name cable netns {device}
             ip -n {device} link set cable address {MAC}
             ip -n {lab} addr add 10.86.7.1/24 dev cable
             ip -n {lab} link set cable up; ip -n {device} link set cable up"
        ));
        bench
    }

    fn at(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    /// Until it waits for the device.
    fn serve(&mut self) {
        let plan = format!(
            r#"device = ["10.86.7.20"]
names = ["updates.example"]
address = "10.86.7.1"
privileged_ports = true
watch_seconds = 120
[dns]
port = 53
[ntp]
names = ["time.example"]
[dhcp]
mac = "{MAC}"
interface = "cable"
[[resource]]
path = "/latest.json"
kind = "metadata"
body = "{{version}}"
"#
        );
        std::fs::write(self.at("lab.toml"), plan).unwrap();
        let mut lab = Command::new("ip")
            .args(["netns", "exec", &self.lab, env!("CARGO_BIN_EXE_patuh"), "lab", "--plan", &self.at("lab.toml")])
            .args(["--out", &self.at("recording")])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(lab.stderr.take().unwrap()).lines().map(Result::unwrap);
        self.running = Some(lab);
        assert!(said.any(|l| l.contains("how often the device looks for updates")), "the laboratory did not start");
        // Its further words go nowhere, and must not stop it.
        std::thread::spawn(move || said.for_each(drop));
    }

    fn inside(&self, command: &str) -> Output {
        let script = self.at("command");
        std::fs::write(&script, command).unwrap();
        run(&format!("ip netns exec {} sh -eu {script}", self.device))
    }

    /// udhcpc, once; what it was given.
    fn asks(&self) -> Option<String> {
        let script = self.at("given.sh");
        let set = "ip addr flush dev cable\nip addr add $ip/$mask dev cable\nip route add default via $router\n";
        let text = format!("#!/bin/sh\n[ $1 = bound ] || exit 0\nset >{}\n{set}", self.at("given"));
        std::fs::write(&script, text).unwrap();
        sh(&format!("chmod +x {script}"));
        let wants = "-O ntpsrv -x hostname:cam-0042 -V maker-cam";
        let out = self.inside(&format!("udhcpc -i cable -n -q -f -t 3 -T 1 {wants} -s {script}"));
        out.status.success().then(|| std::fs::read_to_string(self.at("given")).unwrap())
    }

    fn recording(&self) -> String {
        std::fs::read_to_string(self.at("recording/recording.jsonl")).unwrap()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(lab) = &mut self.running {
            let _ = lab.kill();
            let _ = lab.wait();
        }
        for space in [&self.lab, &self.device] {
            let _ = Command::new("ip").args(["netns", "del", space]).output();
        }
    }
}

#[test]
fn a_stock_client_gets_its_address_names_and_time_from_the_laboratory_and_a_stranger_gets_nothing() {
    let installed = |p: &str| Command::new("which").arg(p).output().is_ok_and(|o| o.status.success());
    if !scans::is_root() || !["ip", "udhcpc", "chronyd", "busybox"].iter().all(|p| installed(p)) {
        return scans::not_run("namespaces need root, iproute2, udhcpc, busybox and chrony; run scripts/test as root");
    }
    let mut bench = Bench::new();
    bench.serve();
    let given = bench.asks().expect("the device got no address");
    let has = |line: &str| assert!(given.lines().any(|l| l == line), "{line} is not in\n{given}");
    has("ip='10.86.7.20'");
    has("mask='24'");
    has("router='10.86.7.1'");
    has("dns='10.86.7.1'");
    has("ntpsrv='10.86.7.1'");
    // By what it was given: a name that is the laboratory's, one that is not, and the time.
    let named = |name: &str| bench.inside(&format!("busybox nslookup {name} 10.86.7.1")).status.success();
    assert!(named("updates.example") && named("time.example"), "a name of the plan was not led here");
    assert!(!named("www.example"), "a name that is not in the plan was answered");
    let time = bench.inside("chronyd -Q -f /dev/null -t 20 'server 10.86.7.1 iburst' 2>&1");
    let said = String::from_utf8_lossy(&time.stdout).into_owned();
    let off = said.lines().find_map(|l| l.split_once("clock wrong by ")?.1.split(' ').next()?.parse::<f64>().ok());
    assert!(off.is_some_and(|o| o.abs() < 1.0), "{said}");
    // Another device on the same cable.
    sh(&format!("ip -n {} link set cable address 02:00:00:00:00:08", bench.device));
    assert_eq!(bench.asks(), None, "a stranger got an address");
    let recording = bench.recording();
    for wanted in [
        r#""kind":"lab-lease","answer":"offer","name":"cam-0042","class":"maker-cam","wants_time":true"#,
        r#""kind":"lab-lease","answer":"ack""#,
        r#""kind":"lab-time","off_s":0"#,
    ] {
        assert!(recording.contains(wanted), "{wanted}\n{recording}");
    }
}
