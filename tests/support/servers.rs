//! Servers on loopback addresses of their own, started and stopped by the tests.
use serde_json::Value;
use std::{
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A server that is stopped by its process id when the test ends.
pub struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // The whole group: some servers fork.
        let _ = Command::new("kill").args(["--", &format!("-{}", self.0.id())]).stderr(Stdio::null()).status();
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// Starts a program and waits until `ready` accepts a connection, or for a UDP server until it is bound.
    pub fn start(program: &str, args: &[&str], ready: Ready) -> Self {
        use std::os::unix::process::CommandExt;
        let log =
            std::fs::File::create(std::env::temp_dir().join(format!("patuh-test-{}.log", program.replace('/', "_"))))
                .unwrap();
        let child = Command::new(program)
            .args(args)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|e| panic!("{program}: {e}"));
        let mut server = Self(child);
        let started = Instant::now();
        while !ready.holds() {
            if let Some(status) = server.0.try_wait().unwrap() {
                panic!("{program} ended with {status}");
            }
            assert!(started.elapsed() < Duration::from_secs(15), "{program} is not ready");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }
}

pub enum Ready {
    Tcp(SocketAddr),
    Udp(SocketAddr),
}

impl Ready {
    fn holds(&self) -> bool {
        match self {
            Self::Tcp(a) => TcpStream::connect_timeout(a, Duration::from_millis(200)).is_ok(),
            // Somebody is bound there as soon as we no longer can be.
            Self::Udp(a) => std::net::UdpSocket::bind(a).is_err(),
        }
    }
}

pub fn tcp(address: &str) -> Ready {
    Ready::Tcp(address.parse().unwrap())
}

pub fn udp(address: &str) -> Ready {
    Ready::Udp(address.parse().unwrap())
}

/// Where a program is. Missing, it is named, and in CI that is a failure.
pub fn program(name: &str) -> Option<String> {
    let dirs = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let found = dirs.split(':').map(|d| Path::new(d).join(name)).find(|p| p.is_file());
    if found.is_none() {
        not_run(&format!("`{name}` is not installed"));
    }
    found.map(|p| p.display().to_string())
}

pub fn root() -> bool {
    let out = Command::new("id").arg("-u").output().unwrap();
    let root = out.stdout == b"0\n";
    if !root {
        not_run("it needs root");
    }
    root
}

fn not_run(why: &str) {
    let name = std::thread::current().name().unwrap_or("?").to_owned();
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{name} was not run: {why}");
    eprintln!("NOT RUN {name}: {why}");
}

pub fn patuh(args: &[&str]) -> (i32, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_patuh")).args(args).env_remove("NO_COLOR").output().unwrap();
    let text = |b: Vec<u8>| String::from_utf8(b).unwrap();
    (out.status.code().unwrap_or(-1), text(out.stdout), text(out.stderr))
}

/// One scan, its inventory and its verdicts.
pub struct Scanned {
    pub dir: tempfile::TempDir,
    pub inventory: Value,
    pub assessment: Value,
}

pub fn scan(host: &str, ports: &str) -> Scanned {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("recording");
    let (code, _, err) = patuh(&["scan", host, "--ports", ports, "--pace", "fast", "--out", out.to_str().unwrap()]);
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
