//! Simulated devices whose servers, way out, link and power are taken away, each in network namespaces of its own.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr, reason = "tests")]
#[path = "support/scans.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod scans;

use patuh::sim::{UPDATERS, Updater};
use std::{collections::BTreeMap, fs, path::Path, process::Command};

const CHECKS: [&str; 3] = ["outage-network-local-function", "outage-power-recovery", "reconnect-backoff"];
/// The units that each decides.
const UNITS: [(&str, usize); 5] = [("5.9-1-2a", 0), ("5.9-1-2b", 1), ("5.9-2-2a", 0), ("5.9-2-2b", 1), ("5.9-3-2a", 2)];
/// Where the servers are: beyond the local network, so that the way there can be cut alone.
const SERVERS: &str = "10.99.0.1";
const LAB: &str = "10.85.7.1";
const DEVICE: &str = "10.85.7.2";

const IXIT: &str = r#"[[11-ComMech]]
id = "ComMech-1"
x-names = ["updates.example"]
x-reconnect-seconds = 10
[[23-ResMech]]
id = "ResMech-1"
type = "network outage"
x-local = ["the local page"]
x-recovery-seconds = 20
[[23-ResMech]]
id = "ResMech-2"
type = "power outage"
x-recovery-seconds = 20
"#;

fn sh(command: &str) {
    let out = Command::new("sh").args(["-euc", command]).output().unwrap();
    assert!(out.status.success(), "{command}: {}", String::from_utf8_lossy(&out.stderr));
}

/// A laboratory and a device, each in a namespace, on one cable; both end with it.
struct Bench {
    dir: tempfile::TempDir,
    lab: String,
    device: String,
}

impl Bench {
    fn new(client: &str, servers_seconds: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (at, root) = (dir.path().display().to_string(), env!("CARGO_MANIFEST_DIR"));
        let [lab, device] = ["lab", "dev"].map(|end| format!("patuh-{end}-{}-{client}", std::process::id()));
        sh(&format!("sh {root}/tests/support/updates.sh {at}"));
        let patuh = env!("CARGO_BIN_EXE_patuh");
        let power = |what: &str| {
            format!(
                r#"["sh", "{root}/tests/support/outage-power.sh", "{what}", "{at}", "{patuh}", "{device}", "{client}"]"#
            )
        };
        fs::write(dir.path().join("lab.toml"), plan(&power("off"), &power("again"), servers_seconds)).unwrap();
        let scope = format!(
            "authorised_by = \"the tests\"\nhosts = [\"{DEVICE}/32\"]\nmost = \"alter\"\n[could_brick]\nsample = \"a simulated unit\"\nrecovery = \"start it\"\nconsent = \"the tests\"\n"
        );
        fs::write(dir.path().join("scope.toml"), scope).unwrap();
        fs::write(dir.path().join("ixit.toml"), IXIT).unwrap();
        let bench = Self { dir, lab, device };
        let (lab, device) = (&bench.lab, &bench.device);
        sh(&format!(
            "ip netns add {lab}; ip netns add {device}
             ip -n {lab} link set lo up; ip -n {device} link set lo up
             ip -n {lab} link add cable type veth peer name cable netns {device}
             ip -n {lab} addr add {LAB}/24 dev cable; ip -n {lab} addr add {SERVERS}/32 dev lo
             ip -n {device} addr add {DEVICE}/24 dev cable
             ip -n {lab} link set cable up; ip -n {device} link set cable up
             ip -n {device} route add default via {LAB}
             {patuh} lab --plan {at}/lab.toml --ca-only
             sh {root}/tests/support/outage-power.sh on {at} {patuh} {device} {client}"
        ));
        bench
    }

    fn at(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    /// Runs the laboratory, and gives the verdicts of checks and units.
    fn judged(&self) -> BTreeMap<String, String> {
        let out = Command::new("ip")
            .args(["netns", "exec", &self.lab, env!("CARGO_BIN_EXE_patuh"), "lab", "--plan", &self.at("lab.toml")])
            .args(["--scope", &self.at("scope.toml"), "--out", &self.at("recording")])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        let judge = ["judge", &self.at("recording"), "--profile", "etsi-en303645-v2", "--format", "json"];
        let judged = scans::patuh(&[&judge[..], &["--ixit", &self.at("ixit.toml")]].concat());
        let json: serde_json::Value =
            serde_json::from_str(&judged.1).unwrap_or_else(|e| panic!("{e}: {said}{}", judged.2));
        let rows = |table: &str, id: &str, wanted: &dyn Fn(&str) -> bool| {
            let all = json[table].as_array().unwrap().iter().filter(|r| wanted(r[id].as_str().unwrap())).cloned();
            all.map(|r| (r[id].as_str().unwrap().to_owned(), r)).collect::<Vec<_>>()
        };
        let mut verdicts = BTreeMap::new();
        for (id, row) in rows("results", "check", &|id| CHECKS.contains(&id)) {
            eprintln!("{} {id}: {} {}", self.device, row["verdict"], row["observed"]);
            verdicts.insert(id, row["verdict"].as_str().unwrap().to_owned());
        }
        for (id, row) in rows("units", "id", &|id| UNITS.iter().any(|u| u.0 == id)) {
            verdicts.insert(id, row["verdict"].as_str().unwrap().to_owned());
        }
        verdicts
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // A process that is no more, and a namespace that was not made, are no harm.
        let pid = fs::read_to_string(self.dir.path().join("pid")).unwrap_or_default();
        if pid.trim().parse::<u32>().is_ok_and(|pid| pid > 1) {
            let _ = Command::new("kill").args(["-9", pid.trim()]).output();
        }
        for space in [&self.lab, &self.device] {
            let _ = Command::new("ip").args(["netns", "del", space]).output();
        }
    }
}

fn plan(off: &str, again: &str, servers_seconds: u32) -> String {
    format!(
        r#"device = ["{DEVICE}"]
names = ["updates.example"]
address = "{SERVERS}"
https_port = 8443
http_port = 8080
rounds = 1
cases = []
case_seconds = 20
answer_seconds = 2
[dns]
port = 5353
[[resource]]
path = "/latest.json"
kind = "metadata"
body = '{{"version":"{{version}}","path":""}}'
[version]
from = "http"
url = "http://{DEVICE}:8081/version"
[outage]
recovery_seconds = 25
ports = [8081, 2323]
[[outage.function]]
name = "the local page"
works = ["curl", "-fsS", "-m", "3", "http://{DEVICE}:8081/works"]
by = "lan"
[[outage.state]]
name = "the version"
prints = ["curl", "-fsS", "-m", "3", "http://{DEVICE}:8081/version"]
[[outage.cut]]
what = "servers"
seconds = {servers_seconds}
[[outage.cut]]
what = "upstream"
cut = ["ip", "addr", "del", "{SERVERS}/32", "dev", "lo"]
restore = ["ip", "addr", "add", "{SERVERS}/32", "dev", "lo"]
seconds = 6
[[outage.cut]]
what = "link"
cut = ["ip", "link", "set", "cable", "down"]
restore = ["ip", "link", "set", "cable", "up"]
seconds = 5
[[outage.cut]]
what = "power"
cut = {off}
restore = {again}
seconds = 2
rounds = 3
"#
    )
}

fn possible() -> bool {
    let root = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout == b"0\n");
    root && ["ip", "curl", "openssl", "cpio"]
        .iter()
        .all(|p| Command::new("which").arg(p).output().unwrap().status.success())
}

#[test]
fn good_devices_pass_slow_ones_too_and_each_bad_one_fails_for_its_own_reason_and_no_other() {
    if !possible() {
        return scans::not_run("namespaces need root, iproute2, curl, openssl and cpio; run scripts/test as root");
    }
    // What connects at once is seen soon; for the others the servers are away until waits have settled.
    let clients = [
        ("backs-off", 52),
        ("slow-start", 52),
        ("storms", 8),
        ("cloud-bound", 52),
        ("gives-up", 8),
        ("opens-after-power", 52),
    ];
    let runs: Vec<_> = clients
        .map(|(name, seconds)| (name, std::thread::spawn(move || Bench::new(name, seconds).judged())))
        .into_iter()
        .collect();
    let mut wrong = Vec::new();
    for (name, run) in runs {
        let got = run.join().unwrap();
        let toml = UPDATERS.iter().find(|u| u.0 == name).unwrap().1;
        let expect = Updater::parse(toml, name).unwrap().expect;
        let of = |check: &str| expect.get(check).map_or("PASS", String::as_str);
        let checks = CHECKS.iter().map(|c| (*c, of(c)));
        // What a check could not decide, a person does.
        let unit = |(unit, check): &(&'static str, usize)| match of(CHECKS[*check]) {
            "INCONCLUSIVE" => (*unit, "AWAITING_ASSESSOR"),
            verdict => (*unit, verdict),
        };
        for (id, wanted) in checks.chain(UNITS.iter().map(unit)) {
            let verdict = got.get(id).map_or("nothing", String::as_str);
            if verdict != wanted {
                wrong.push(format!("{name} {id}: {verdict}, not {wanted}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn outages_need_a_scope_that_grants_stress_and_power_cuts_a_consent() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let tried = |plan: &str, most: &str| {
        fs::write(at("lab.toml"), plan.replace(SERVERS, "127.0.84.200")).unwrap();
        fs::write(
            at("scope.toml"),
            format!("authorised_by = \"the tests\"\nhosts = [\"{DEVICE}/32\"]\nmost = \"{most}\"\n"),
        )
        .unwrap();
        scans::patuh(&["lab", "--plan", &at("lab.toml"), "--scope", &at("scope.toml"), "--out", &at("out")])
    };
    let all = plan(r#"["off"]"#, r#"["on"]"#, 1);
    let (code, _, err) = tried(&all, "log-in");
    assert!(code != 0 && err.contains("stress"), "{err}");
    let (code, _, err) = tried(&all, "alter");
    assert!(code != 0 && err.contains("could_brick"), "{err}");
    assert!(!Path::new(&at("out")).exists());
    let unrestored = all.replace("restore = [\"on\"]\n", "");
    let (code, _, err) = tried(&unrestored, "alter");
    assert!(code != 0 && err.contains("restored"), "{err}");
}
