//! A maker's update packages, and the plan of a laboratory for one device.
use super::scans::patuh;
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

pub const NAME: &str = "updates.example";
pub const HTTPS: u16 = 8443;
pub const HTTP: u16 = 8080;
const DNS: u16 = 5353;
const NTP: u16 = 1123;

/// Made once, since RSA keys take their time.
static MADE: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/updates.sh");
    let out = Command::new("sh").arg(script).arg(dir.path()).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    dir
});

/// A directory with keys, packages, plan and scope; the laboratory and the device have addresses of their own.
pub struct Bench {
    dir: PathBuf,
    n: u8,
}

impl Bench {
    pub fn new(dir: &Path, n: u8) -> Self {
        let bench = Self { dir: dir.to_owned(), n };
        let out = Command::new("cp").arg("-r").arg(MADE.path().join(".")).arg(dir).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        fs::write(dir.join("lab.toml"), bench.plan()).unwrap();
        let scope = format!(
            "authorised_by = \"the tests\"\nhosts = [\"{}/32\"]\nmost = \"alter\"\n[could_brick]\nsample = \"simulated unit {n}\"\nrecovery = \"POST /recover\"\nconsent = \"the tests\"\n",
            bench.page().ip()
        );
        fs::write(dir.join("scope.toml"), scope).unwrap();
        let (code, _, err) = patuh(&["lab", "--plan", &dir.join("lab.toml").display().to_string(), "--ca-only"]);
        assert_eq!(code, 0, "{err}");
        bench
    }

    pub fn lab(&self) -> String {
        format!("127.0.84.{}", 100 + self.n)
    }

    pub fn page(&self) -> SocketAddr {
        format!("127.0.84.{}:8081", self.n).parse().unwrap()
    }

    pub fn dns(&self) -> SocketAddr {
        format!("{}:{DNS}", self.lab()).parse().unwrap()
    }

    /// Where the time is told, in plans that say so.
    pub fn ntp(&self) -> Option<SocketAddr> {
        self.text("lab.toml").contains("[ntp]").then(|| format!("{}:{NTP}", self.lab()).parse().unwrap())
    }

    /// Tells wrong times, and offers images only meanwhile.
    pub fn clocks(&self) {
        let text = self.plan().replace("watch_seconds = 8\n", "").replace("case_seconds = 8", "case_seconds = 6");
        let (text, _) = text.split_once("[isolation]").unwrap();
        let ntp = format!("cases = [\"expired\"]\n\n[ntp]\nport = {NTP}\nwrong = [\"past\", \"future\"]\n\n[dns]");
        let text = text.replacen("[dns]", &ntp, 1).replace("[images]", "[images]\ncases = []");
        fs::write(self.dir.join("lab.toml"), text).unwrap();
    }

    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.dir.join(name)).unwrap()
    }

    /// DER of the laboratory's CA, as a maker puts it into a test build.
    pub fn ca(&self) -> Vec<u8> {
        use rustls::pki_types::{CertificateDer, pem::PemObject};
        CertificateDer::from_pem_file(self.dir.join("lab-ca/ca.pem")).unwrap().to_vec()
    }

    /// The same device, when images are handed to it: by an upload to its page.
    pub fn uploads(&self) {
        let text = self.plan();
        let (head, rest) = text.split_once("trigger = ").unwrap();
        let (_, rest) = rest.split_once("[version]").unwrap();
        let (images, _) = rest.split_once("[isolation]").unwrap();
        let head = head.replace(&format!("names = [\"{NAME}\"]\n"), "");
        let push = format!(
            "[images.push]\nby = \"upload\"\nurl = \"http://{}/upload\"\nfield = \"firmware\"\nheaders = {{ Authorization = \"file:upload.auth\" }}\n",
            self.page()
        );
        fs::write(self.dir.join("lab.toml"), format!("{head}[version]{images}{push}")).unwrap();
        // admin:lab-upload
        fs::write(self.dir.join("upload.auth"), "Basic YWRtaW46bGFiLXVwbG9hZA==\n").unwrap();
    }

    fn plan(&self) -> String {
        let (lab, page) = (self.lab(), self.page());
        format!(
            r#"device = ["{}"]
names = ["{NAME}"]
address = "{lab}"
https_port = {HTTPS}
http_port = {HTTP}
rounds = 1
case_seconds = 8
answer_seconds = 2
fallback_seconds = 1
watch_seconds = 8
set_up = "the proposed choices"
trigger = ["curl", "-fsS", "-X", "POST", "http://{page}/check"]

[dns]
port = {DNS}

[[resource]]
path = "/latest.json"
kind = "metadata"
body = '{{"version":"{{version}}","path":"/fw.swu","expires":"{{expires}}"}}'

[[resource]]
path = "/latest.json.sig"
kind = "metadata-signature"
key = "maker.pem"

[[resource]]
path = "/fw.swu"
kind = "image"

[version]
from = "http"
url = "http://{page}/version"

[images]
genuine = "new.swu"
version = "2.0.0"
older = "old.swu"
older_version = "0.9.0"
public_key = "maker.pub"
test_key = "maker.pem"
stranger_key = "stranger.pem"
no_boot = "noboot.swu"
no_boot_version = "2.0.1"
settle_seconds = 2
recover = ["curl", "-fsS", "-X", "POST", "http://{page}/recover"]

[isolation]
isolate = ["curl", "-sS", "-X", "POST", "http://{page}/isolate"]
rejoin = ["curl", "-sS", "-X", "POST", "http://{page}/rejoin"]
works = ["curl", "-fsS", "http://{page}/works"]
seconds = 4
"#,
            page.ip()
        )
    }
}

/// The plan for a device of curl and SWUpdate, whose version is a file that an update replaces.
pub fn swupdate(dir: &Path, n: u8) -> (String, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/swupdate.sh");
    let bench = Bench::new(dir, n);
    let out = Command::new("sh").arg(script).arg(dir).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let (plan, _) = bench.plan().split_once("[version]").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    // Its maker signs images alone.
    let (before, rest) = plan.split_once("[[resource]]\npath = \"/latest.json.sig\"").unwrap();
    let plan = format!("{before}{}", rest.split_once("maker.pem\"\n").unwrap().1);
    let trigger = plan.lines().filter(|l| !l.starts_with("trigger") && !l.starts_with("watch")).collect::<Vec<_>>();
    let at = |name: &str| dir.join(name).display().to_string();
    let plan = format!(
        r#"{}
[version]
from = "command"
command = ["cat", "{slot}"]

[images]
genuine = "new.swu"
version = "2.0.0"
older = "old.swu"
older_version = "0.9.0"
public_key = "maker.crt"
test_key = "maker.pem"
stranger_key = "stranger.pem"
settle_seconds = 2
recover = ["sh", "-c", "echo 1.0.0 >{slot}"]
"#,
        trigger.join("\n"),
        slot = at("slot/version")
    );
    fs::write(dir.join("lab.toml"), plan).unwrap();
    (bench.page().ip().to_string(), bench.lab())
}

/// The plan for a device to which stock curl hands updates by TFTP, and SWUpdate installs.
pub fn tftp(dir: &Path, n: u8) -> String {
    let (own, _) = swupdate(dir, n);
    fs::create_dir(dir.join("inbox")).unwrap();
    fs::write(dir.join("empty"), "\n").unwrap();
    let text = fs::read_to_string(dir.join("lab.toml")).unwrap();
    let (head, rest) = text.split_once("[dns]").unwrap();
    let (_, rest) = rest.split_once("[version]").unwrap();
    let at = format!("tftp://{own}:6969");
    // The device says by the end of `go` that its installer is done.
    let steps = format!(
        "curl -sS -T {{image}} {at}/fw.swu && curl -sS -T {} {at}/go && while curl -fsS {at}/go >/dev/null 2>&1; do sleep 0.2; done",
        dir.join("empty").display()
    );
    let push = format!("[images.push]\nby = \"tool\"\nover = \"tftp\"\ncommand = [\"sh\", \"-c\", \"{steps}\"]\n");
    let head = head.replace(&format!("names = [\"{NAME}\"]\n"), "");
    fs::write(dir.join("lab.toml"), format!("{head}[version]{rest}{push}")).unwrap();
    own
}

/// Runs the laboratory to its end.
pub fn lab(dir: &Path) -> (i32, String, String) {
    let at = |name: &str| dir.join(name).display().to_string();
    patuh(&["lab", "--plan", &at("lab.toml"), "--scope", &at("scope.toml"), "--out", &at("recording")])
}
