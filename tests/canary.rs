//! What a simulated device is logged in with, and what secrets it gives out, stands nowhere in a sealed bundle.
#![expect(clippy::unwrap_used, reason = "tests")]
use base64::{Engine, engine::general_purpose::STANDARD};
use patuh::bundle::layout;
use std::{fs, process::Command};

/// A device, and secrets of its that no other text holds: by which it lets us in, or which it gives to everybody.
const CANARIES: [(&str, &[&str]); 3] = [
    ("ip-camera-bad", &["xc3511"]),
    ("smart-hub-bad", &["sonnenblume-77"]),
    ("coap-sensor-bad", &["anggrek-bulan-1999", "kamboja-putih-81"]),
];

/// The secret as it is, in hex, and as base64 shows it wherever it begins.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let hex: String = secret.bytes().map(|b| format!("{b:02x}")).collect();
    let shifted = (0..3_usize).map(|n| {
        let text = STANDARD.encode([vec![b'x'; n], secret.as_bytes().to_vec()].concat());
        let whole = text.trim_end_matches('=').len();
        text.get((n * 4).div_ceil(3)..whole - 1).unwrap().as_bytes().to_vec()
    });
    [secret.as_bytes().to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes()].into_iter().chain(shifted).collect()
}

/// The bytes of each direction of each transcript, as one string.
fn spoken(transcripts: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for line in transcripts.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
        let t: serde_json::Value = serde_json::from_slice(line).unwrap();
        for way in ["sent", "received"] {
            let events = t.get("events").unwrap().as_array().unwrap().iter();
            let events = events.filter(|e| e.get("way").unwrap() == way).map(|e| e.get("data").unwrap());
            all.push(events.flat_map(|e| STANDARD.decode(e.as_str().unwrap()).unwrap()).collect());
        }
    }
    all
}

fn holds(bytes: &[u8], form: &[u8]) -> bool {
    bytes.windows(form.len()).any(|w| w == form)
}

#[test]
fn no_secret_of_a_device_stands_in_its_bundle() {
    let dir = tempfile::tempdir().unwrap();
    let devices = CANARIES.map(|(name, _)| name);
    let demo = Command::new(env!("CARGO_BIN_EXE_patuh"))
        .args(["demo", "--keep"])
        .arg(dir.path().join("kept"))
        .arg("--device")
        .args(devices)
        .output()
        .unwrap();
    assert!(demo.status.success(), "{demo:?}");
    for (name, secrets) in CANARIES {
        let fixture = fs::read_to_string(format!("{}/fixtures/duts/{name}.toml", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let files = layout::load(&dir.path().join("kept").join(format!("{name}.bundle"))).unwrap();
        let conversations = spoken(&files[layout::TRANSCRIPTS].to_vec().unwrap());
        assert!(conversations.iter().any(|c| holds(c, b"***")), "{name}: nothing was masked");
        for secret in secrets {
            assert!(fixture.contains(secret), "{name} has no secret {secret}");
            for form in forms(secret) {
                let shown = String::from_utf8_lossy(&form).into_owned();
                for (file, body) in &files {
                    assert!(!holds(&body.to_vec().unwrap(), &form), "{name}: {file} holds {shown}");
                }
                assert!(!conversations.iter().any(|c| holds(c, &form)), "{name}: a transcript holds {shown}");
            }
        }
    }
}
