//! The passwords of labels: compared by a command, and as part of a scan whose recording holds none of them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr, reason = "tests")]
#[path = "support/scans.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod scans;

use patuh::sim::{self, Device, PortShift};
use scans::{patuh, patuh_with};
use serde_json::Value;
use std::{fmt::Write as _, path::Path};

/// Drawn once at random.
const RANDOM: [&str; 10] = [
    "kT7vQp2mXz9R",
    "Wd4hNs8bLc3Y",
    "m9GxR2tKv5Fj",
    "Zq6Jw3nPd8Hc",
    "b5XyU7rMe2Ts",
    "Vh2Lk9fCz4Wn",
    "n8DpS6gQa3Jx",
    "Rc3Tm5wYb7Kv",
    "x6FzH4jNu9Ld",
    "Gy7Be2qVs5Mw",
];

/// Labels with what anybody may read beside each password.
fn labels(dir: &Path, passwords: &[&str]) -> String {
    let mut csv = "password,serial,mac\n".to_owned();
    for (n, p) in passwords.iter().enumerate() {
        writeln!(csv, "{p},SN{:06},3C:7F:21:A0:{n:02X}:{:02X}", 417 + n * 31, 91 + n).unwrap();
    }
    let file = dir.join("labels.csv");
    std::fs::write(&file, csv).unwrap();
    file.display().to_string()
}

#[test]
fn the_command_passes_ten_random_passwords_and_fails_a_counter_without_showing_any() {
    let dir = tempfile::tempdir().unwrap();
    let (code, out, err) = patuh(&["passwords", &labels(dir.path(), &RANDOM), "--format", "json"]);
    assert_eq!(code, 0, "{out}{err}");
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&json["schema"], &json["samples"], &json["shortest"]), (&"passwords/1".into(), &10.into(), &12.into()));
    let (code, out, _) = patuh(&["passwords", &labels(dir.path(), &RANDOM[..3])]);
    assert_eq!(code, 2, "{out}");
    assert!(out.contains("3 of the 10 samples that are needed"), "{out}");
    let (code, out, _) = patuh(&["passwords", &labels(dir.path(), &["AB12-0001", "AB12-0002", "AB12-0003"])]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("FAIL          dev-password-pattern") && !out.contains("AB12"), "{out}");
}

const IXIT: &str = r#"
[[1-AuthMech]]
id = "Web"
password_generation = "drawn at random in production"
x-password-length = 12
x-password-characters = ["digits", "lower-case", "upper-case"]
"#;

/// Scans a device beside these labels; what `judge` says of the whole standard.
async fn judged(host: &str, passwords: &[&str]) -> (Value, String) {
    let dir = tempfile::tempdir().unwrap();
    let name = "coap-sensor-good";
    let device = Device::parse(sim::find(name).unwrap().toml, name).unwrap();
    let running = sim::start(&device, host.parse().unwrap(), PortShift::None).await.unwrap();
    let file = labels(dir.path(), passwords);
    let scope = format!(
        "authorised_by = \"the tests\"\nhosts = [\"{host}/32\"]\npace = \"fast\"\n\
         [credentials]\nper_account = 8\nper_service = 24\n[[labels]]\nfile = \"file:{file}\"\nauth = \"Web\"\n"
    );
    let at = |name: &str| dir.path().join(name).display().to_string();
    std::fs::write(at("scope.toml"), scope).unwrap();
    std::fs::write(at("ixit.toml"), IXIT).unwrap();
    let (host, scope, ixit, out, ledger) = (host.to_owned(), at("scope.toml"), at("ixit.toml"), at("r"), at("ledger"));
    let looked = tokio::task::spawn_blocking(move || {
        let (code, _, err) = patuh_with(Path::new(&ledger), &["scan", &host, "--scope", &scope, "--out", &out]);
        assert_eq!(code, 0, "{err}");
        let judged = patuh(&["judge", &out, "--profile", "etsi-en303645-v2", "--ixit", &ixit, "--format", "json"]);
        let files = std::fs::read_dir(&out).unwrap();
        let recorded: String = files.map(|f| std::fs::read_to_string(f.unwrap().path()).unwrap_or_default()).collect();
        (serde_json::from_str(&judged.1).unwrap(), recorded)
    });
    let told = looked.await.unwrap();
    running.stop().await;
    told
}

fn verdict<'a>(assessment: &'a Value, list: &str, key: &str, id: &str) -> &'a str {
    let rows = assessment[list].as_array().unwrap();
    rows.iter().find(|r| r[key] == id).unwrap()["verdict"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_that_agree_with_the_declared_generator_decide_its_units_without_a_person() {
    let (assessment, recorded) = judged("127.0.92.1", &RANDOM).await;
    for check in ["dev-password-as-declared", "dev-password-derivable", "dev-password-pattern"] {
        assert_eq!(verdict(&assessment, "results", "check", check), "PASS", "{check}");
    }
    for unit in ["5.1-1-2c", "5.1-2-2a"] {
        assert_eq!(verdict(&assessment, "units", "id", unit), "PASS", "{unit}");
    }
    assert!(RANDOM.iter().all(|p| !recorded.contains(p)), "a password stands in the recording");
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_that_count_up_and_are_shorter_than_declared_fail_its_units() {
    let (assessment, recorded) = judged("127.0.92.2", &["AB12-0001", "AB12-0002", "AB12-0003"]).await;
    for check in ["dev-password-as-declared", "dev-password-pattern"] {
        assert_eq!(verdict(&assessment, "results", "check", check), "FAIL", "{check}");
    }
    for unit in ["5.1-1-2c", "5.1-2-2a"] {
        assert_eq!(verdict(&assessment, "units", "id", unit), "FAIL", "{unit}");
    }
    assert!(!recorded.contains("AB12"), "a password stands in the recording");
}
