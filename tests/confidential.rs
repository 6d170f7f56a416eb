//! What a scan masks goes to the certifier alone, locked, and each opening is held against what the bundle commits to.
#![expect(clippy::unwrap_used, reason = "tests")]
#[path = "support/scans.rs"]
#[expect(dead_code, clippy::indexing_slicing, clippy::panic, clippy::print_stderr, reason = "what other tests need")]
mod scans;
use patuh::bundle::layout;
use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU8, Ordering},
};

/// Each device has an address of its own: tests run side by side.
static HOSTS: AtomicU8 = AtomicU8::new(9);
/// What the simulated hub gives out, and what it is logged in with.
const CANARY: &str = "sonnenblume-77";
const WELCOME: [&str; 4] = ["--ports", "tcp:1883,udp:none", "--pace", "fast"];

/// A simulated device, as long as it is held.
struct Device(Child);

impl Device {
    fn start(host: &str) -> Self {
        let mut tool = Command::new(env!("CARGO_BIN_EXE_patuh"));
        tool.args(["sim", "run", "smart-hub-bad", "--bind", host]).stdout(Stdio::piped());
        let mut device = tool.spawn().unwrap();
        let mut said = BufReader::new(device.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains(host) {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "the device did not start");
        }
        // What it says later goes nowhere, and must not stop it.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Self(device)
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

struct Lab(tempfile::TempDir, String);

impl Lab {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn patuh(&self, args: &[&str]) -> (bool, String) {
        let mut tool = Command::new(env!("CARGO_BIN_EXE_patuh"));
        let out = tool.args(args).current_dir(self.0.path()).env("PATUH_LEDGER", self.path("ledger")).output().unwrap();
        (out.status.success(), String::from_utf8(out.stdout).unwrap() + &String::from_utf8(out.stderr).unwrap())
    }

    fn good(&self, args: &[&str]) -> String {
        let (good, said) = self.patuh(args);
        assert!(good, "{args:?}: {said}");
        said
    }

    /// A scan that keeps what it masks, two certifiers' keys, and a laboratory's.
    fn scanned(more: &[&str]) -> Self {
        let host = format!("127.0.84.{}", HOSTS.fetch_add(1, Ordering::Relaxed));
        let lab = Self(tempfile::tempdir().unwrap(), host);
        let _device = Device::start(&lab.1);
        lab.good(&[&["scan", &lab.1, "--out", "rec"], &WELCOME[..], more].concat());
        lab.good(&["keygen", "lab"]);
        lab.good(&["keygen", "certifier"]);
        stock(Command::new("age-keygen").arg("-o").arg(lab.path("age.key")));
        let public = stock(Command::new("age-keygen").arg("-y").arg(lab.path("age.key")));
        fs::write(lab.path("age.pub"), public.stdout).unwrap();
        lab
    }

    fn seal(&self, out: &str) -> (bool, String) {
        let to = ["--confidential-to", "certifier.pub", "--confidential-to", "age.pub"];
        let profile = ["--profile", "etsi-en303645-v2", "--interim", "--key", "lab", "--out", out];
        self.patuh(&[&["seal", "rec"], &profile[..], &to[..]].concat())
    }

    fn verify(&self, bundle: &str, locked: &str, key: &str) -> (bool, String) {
        self.patuh(&["verify", bundle, "--confidential", locked, "--identity", key])
    }
}

fn stock(command: &mut Command) -> Output {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{command:?}: {out:?}");
    out
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|w| w == text.as_bytes())
}

/// What a certifier does without our tool: unlock, check both bags, and each opening against the transcripts.
const BY_HAND: &str = r#"
set -eu
age -d -i "$1" "$2" | tar -x --strip-components=1
sha256sum --strict --quiet -c tagmanifest-sha256.txt manifest-sha256.txt
jq -r '.subject[] | select(.name == "confidential/tagmanifest-sha256.txt") | .digest.sha256 + "  tagmanifest-sha256.txt"' "$3/seal/statement.json" | sha256sum --strict --quiet -c
jq -r '.masks // [] | .[].commitment' "$3/data/recording/transcripts.jsonl" | sort >masks
jq -r .commitment data/openings.jsonl | sort | cmp - masks
while read -r line; do
    sum=$({ printf 'redact/v1\0'; echo "$line" | jq -r .salt | base64 -d; echo "$line" | jq -r .value | base64 -d; } | sha256sum | cut -c1-64)
    [ "sha256:$sum" = "$(echo "$line" | jq -r .commitment)" ]
done <data/openings.jsonl
jq -r .value data/openings.jsonl | base64 -di
"#;

#[test]
fn the_certifier_opens_every_mask_and_the_public_bag_tells_nothing() {
    let lab = Lab::scanned(&["--keep-openings"]);
    let mode = fs::metadata(lab.path("rec/openings.jsonl")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "others may read the openings");
    let (good, said) = lab.seal("b");
    assert!(good && said.contains("b.confidential.tar.age"), "{said}");
    assert!(!holds(&fs::read(lab.path("b.confidential.tar.age")).unwrap(), CANARY), "it is not locked");
    for (name, body) in layout::load(&lab.path("b")).unwrap() {
        let bytes = body.to_vec().unwrap();
        assert!(!holds(&bytes, CANARY) && !name.contains("openings"), "{name}");
        assert!(!holds(&bytes, "c29ubmVuYmx1bWUt") && !holds(&bytes, "\"salt\""), "{name}");
    }
    for key in ["certifier", "age.key"] {
        let (good, said) = lab.verify("b", "b.confidential.tar.age", key);
        assert!(good && said.contains("openings fits the mask"), "{key}: {said}");
        assert!(!said.contains(CANARY), "{said}");
        let work = lab.path(&format!("work-{key}"));
        fs::create_dir(&work).unwrap();
        let paths = [lab.path(key), lab.path("b.confidential.tar.age"), lab.path("b")];
        let opened = stock(Command::new("sh").args(["-c", BY_HAND, "sh"]).args(&paths).current_dir(&work));
        assert!(holds(&opened.stdout, CANARY), "{opened:?}");
    }
    let said = lab.good(&["verify", "b"]);
    assert!(said.contains("confidential   not checked"), "{said}");
}

#[test]
fn only_the_keys_it_was_locked_for_open_it_and_it_belongs_to_one_bundle() {
    let lab = Lab::scanned(&["--keep-openings"]);
    assert!(lab.seal("b").0);
    let (good, said) = lab.verify("b", "b.confidential.tar.age", "lab");
    assert!(!good && said.contains("confidential   failed"), "{said}");
    // Another bundle: the same device scanned again has other salts.
    fs::rename(lab.path("rec"), lab.path("first")).unwrap();
    let device = Device::start(&lab.1);
    lab.good(&[&["scan", &lab.1, "--out", "rec", "--keep-openings"], &WELCOME[..]].concat());
    drop(device);
    assert!(lab.seal("c").0);
    let (good, said) = lab.verify("b", "c.confidential.tar.age", "certifier");
    assert!(!good && said.contains("not the confidential bag that the bundle names"), "{said}");
    // A bit of the locked file.
    let mut bytes = fs::read(lab.path("b.confidential.tar.age")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(lab.path("changed.age"), bytes).unwrap();
    let (good, said) = lab.verify("b", "changed.age", "certifier");
    assert!(!good, "{said}");
    // What replaces a bundle has the same transcripts, so that the same openings fit.
    lab.good(&["amend", "b", "--reason", "typing error", "--interim", "--key", "lab", "--out", "d"]);
    let (good, said) = lab.verify("d", "b.confidential.tar.age", "certifier");
    assert!(good, "{said}");
}

#[test]
fn what_cannot_be_opened_or_locked_is_not_sealed() {
    let lab = Lab::scanned(&["--keep-openings"]);
    let openings = lab.path("rec/openings.jsonl");
    let kept = fs::read_to_string(&openings).unwrap();
    let refused = |change: &str, cause: &str| {
        fs::write(&openings, change).unwrap();
        let (good, said) = lab.seal("b");
        assert!(!good && said.contains(cause), "{said}");
        let left: Vec<_> = fs::read_dir(lab.0.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        let of_it = |n: &str| n == "b" || n.starts_with("b.") || n.starts_with(".b.");
        assert!(!left.iter().any(|n| of_it(&n.to_string_lossy())), "{left:?}");
    };
    let (first, rest) = kept.split_once('\n').unwrap();
    refused(rest, "has no opening for the mask");
    let value = first.split("\"value\":\"").nth(1).unwrap().split('"').next().unwrap();
    refused(&kept.replacen(value, "eHh4eA==", 1), "do not give its commitment");
    fs::write(&openings, &kept).unwrap();
    let seal = ["seal", "rec", "--profile", "etsi-en303645-v2", "--interim", "--key", "lab", "--out", "b"];
    let (good, said) = lab.patuh(&[&seal[..], &["--confidential-to", "age1nobody"]].concat());
    assert!(!good && said.contains("neither a recipient") && !lab.path("b").exists(), "{said}");
}

#[test]
fn a_scan_that_was_not_asked_keeps_no_openings() {
    let lab = Lab::scanned(&[]);
    assert!(!lab.path("rec/openings.jsonl").exists());
    let transcripts = fs::read(lab.path("rec/transcripts.jsonl")).unwrap();
    assert!(holds(&transcripts, "\"masked\":true") && !holds(&transcripts, "\"masks\""));
    let (good, said) = lab.seal("b");
    assert!(!good && said.contains("scan with --keep-openings"), "{said}");
}
