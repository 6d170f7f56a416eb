//! The command as its user runs it, and what a scan came to.
use serde_json::Value;
use std::{path::PathBuf, process::Command};

pub fn is_root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout == b"0\n"
}

/// Whether a test that needs root may run.
pub fn root() -> bool {
    let root = is_root();
    if !root {
        not_run("it needs root");
    }
    root
}

/// Names what was not run; in CI that is a failure.
pub fn not_run(why: &str) {
    let name = std::thread::current().name().unwrap_or("?").to_owned();
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{name} was not run: {why}");
    eprintln!("NOT RUN {name}: {why}");
}

/// Runs the command on devices that nobody has tried yet.
pub fn patuh(args: &[&str]) -> (i32, String, String) {
    patuh_with(tempfile::tempdir().unwrap().path(), args)
}

/// Runs the command to its end. One that takes longer than five minutes hangs, and that is a failure.
pub fn patuh_with(ledger: &std::path::Path, args: &[&str]) -> (i32, String, String) {
    let out = Command::new("timeout")
        .env("PATUH_LEDGER", ledger)
        .args(["-k", "5", "300", env!("CARGO_BIN_EXE_patuh")])
        .args(args)
        .env_remove("NO_COLOR")
        .output()
        .unwrap();
    let text = |b: Vec<u8>| String::from_utf8(b).unwrap();
    let code = out.status.code().unwrap_or(-1);
    assert_ne!(code, 124, "{args:?} did not end: {}", text(out.stderr));
    (code, text(out.stdout), text(out.stderr))
}

/// One scan, its inventory and its verdicts.
pub struct Scanned {
    pub dir: tempfile::TempDir,
    pub inventory: Value,
    pub assessment: Value,
}

pub fn scan(host: &str, ports: &str) -> Scanned {
    scan_with(host, ports, &[])
}

/// The same with more arguments.
pub fn scan_with(host: &str, ports: &str, more: &[&str]) -> Scanned {
    scanned(&[&["scan", host, "--ports", ports, "--pace", "fast"], more].concat())
}

/// A scan under a scope file.
pub fn scan_scoped(host: &str, scope: &str) -> Scanned {
    scanned(&["scan", host, "--scope", scope])
}

fn scanned(args: &[&str]) -> Scanned {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("recording");
    let (code, _, err) = patuh(&[args, &["--out", out.to_str().unwrap()]].concat());
    assert_eq!(code, 0, "{err}");
    let inventory = serde_json::from_str(&patuh(&["inventory", out.to_str().unwrap(), "--format", "json"]).1).unwrap();
    let judged = patuh(&["judge", out.to_str().unwrap(), "--profile", "etsi-en303645-v2", "--format", "json"]);
    let assessment = serde_json::from_str(&judged.1).unwrap_or_else(|e| panic!("{e}: {}", judged.2));
    Scanned { dir, inventory, assessment }
}

impl Scanned {
    pub fn recording(&self) -> PathBuf {
        self.dir.path().join("recording")
    }

    /// `transport/port service` of every endpoint.
    pub fn endpoints(&self) -> Vec<String> {
        let all = self.inventory["endpoints"].as_array().unwrap();
        all.iter()
            .map(|e| format!("{}/{} {}", e["transport"].as_str().unwrap(), e["port"], e["service"].as_str().unwrap()))
            .collect()
    }

    pub fn endpoint(&self, port: u16) -> &Value {
        self.inventory["endpoints"].as_array().unwrap().iter().find(|e| e["port"] == port).unwrap()
    }

    pub fn verdict(&self, check: &str) -> (String, String) {
        let row = self.assessment["results"]
            .as_array()
            .unwrap()
            .iter()
            .find(|r| r["check"] == check)
            .unwrap_or_else(|| panic!("no {check}"));
        (row["verdict"].as_str().unwrap().to_owned(), format!("{} {}", row["observed"], row["gaps"]))
    }

    pub fn expect(&self, check: &str, verdict: &str) {
        let (got, why) = self.verdict(check);
        assert_eq!(got, verdict, "{check}: {why}");
    }

    /// No FAIL except of these checks.
    pub fn fails_only(&self, checks: &[&str]) {
        let failed: Vec<&str> = self.assessment["results"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|r| r["verdict"] == "FAIL")
            .map(|r| r["check"].as_str().unwrap())
            .collect();
        for f in &failed {
            assert!(checks.contains(f), "{f} fails: {}", self.verdict(f).1);
        }
        for c in checks {
            assert!(failed.contains(c), "{c} does not fail: {:?}", self.verdict(c));
        }
    }
}
