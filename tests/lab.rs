//! The laboratory and simulated update clients: each good one passes, each bad one fails for its own reason and no other.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr, reason = "tests")]
#[path = "support/scans.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod scans;
#[path = "support/updates.rs"]
mod updates;
#[path = "support/verdicts.rs"]
mod verdicts;

use patuh::{
    judge::{CHECKS, Evidence},
    model::{Ixit, Recording},
    sim::{Delivery, Home, UPDATERS, Updater},
};
use rsa::pkcs8::DecodePublicKey;
use std::{collections::BTreeMap, path::Path};
use updates::Bench;
use verdicts::verdict_on;

const IXIT: &str = "[[7-UpdMech]]\nid = \"UpdMech-1\"\nx-check-seconds = 2\nx-delivery = \"pull\"\nx-names = [\"updates.example\"]\n[9-ReplSup]\nisolation = \"Pull the plug of the network\"\nhardware_replacement = \"Put it back\"\n[[11-ComMech]]\nid = \"Updates\"\nx-names = [\"updates.example\"]\n";

/// The checks that only a laboratory gives evidence; outages and clocks have tests of their own.
fn checks() -> Vec<&'static str> {
    let elsewhere = |need: &&str| ["lab-outage", "lab-clock"].contains(need);
    CHECKS.iter().filter(|c| c.in_laboratory() && !c.needs.iter().any(elsewhere)).map(|c| c.id).collect()
}

fn verdict(id: &str, recording: &Recording) -> (&'static str, String) {
    verdict_by(id, recording, "pull")
}

/// Where updates come in this way.
fn verdict_by(id: &str, recording: &Recording, delivery: &str) -> (&'static str, String) {
    let ixit = Ixit::parse("ixit", &IXIT.replace("\"pull\"", &format!("\"{delivery}\""))).unwrap();
    verdict_on(id, &Evidence::new(recording, None, Some(&ixit)))
}

fn read(dir: &Path) -> Recording {
    Recording::parse(&std::fs::read(dir.join("recording.jsonl")).unwrap()).unwrap()
}

/// What the maker of a client put into it.
fn home(bench: &Bench) -> Home {
    Home {
        page: bench.page(),
        dns: bench.dns(),
        ntp: bench.ntp(),
        name: updates::NAME.to_owned(),
        https_port: updates::HTTPS,
        http_port: updates::HTTP,
        metadata: "/latest.json".to_owned(),
        signature: Some("/latest.json.sig".to_owned()),
        ca: bench.ca(),
        key: rsa::RsaPublicKey::from_public_key_pem(&bench.text("maker.pub")).unwrap(),
    }
}

/// What is decided by images alone, in whatever way they come.
fn of_images(id: &str) -> bool {
    id.starts_with("upd-image-")
        || ["upd-failed-boot-rollback", "upd-interrupted", "upd-mechanism-exercised"].contains(&id)
}

/// One client in a laboratory of its own.
async fn visited(updater: &Updater, n: u8) -> (tempfile::TempDir, Recording, i32, String) {
    let dir = tempfile::tempdir().unwrap();
    let bench = Bench::new(dir.path(), n);
    if updater.delivery == Delivery::Upload {
        bench.uploads();
    }
    let running = updater.clone().start(home(&bench)).await.unwrap();
    let (path, out) = (dir.path().to_owned(), dir.path().join("recording"));
    let done = tokio::task::spawn_blocking(move || updates::lab(&path)).await.unwrap();
    running.stop().await;
    (dir, read(&out), done.0, done.2)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_good_client_passes_and_every_bad_one_fails_for_its_own_reason_and_no_other() {
    // One that gives up may do so at the wrong certificates, before an image is on offer; tests/outage.rs has it.
    let stays = UPDATERS.iter().filter(|(name, _)| *name != "gives-up");
    let clients: Vec<Updater> = stays.map(|(name, toml)| Updater::parse(toml, name).unwrap()).collect();
    let runs: Vec<_> =
        (1u8..).zip(clients.clone()).map(|(n, c)| tokio::spawn(async move { visited(&c, n).await })).collect();
    let mut table: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (client, run) in clients.iter().zip(runs) {
        let (_dir, recording, code, err) = run.await.unwrap();
        let uploads = client.delivery == Delivery::Upload;
        let silent = client.poll_ms.is_none() && !uploads;
        // A device that never comes gives no evidence; that it does not look for updates is evidence.
        let other = if silent { "INCONCLUSIVE" } else { "PASS" };
        for id in checks() {
            let offline = id == "upd-package-signature-static";
            // What is handed over says nothing of servers, metadata and looking for updates.
            let other = if uploads && !of_images(id) { "INCONCLUSIVE" } else { other };
            let expected = client.expect.get(id).map_or(if offline { "PASS" } else { other }, String::as_str);
            // The packages are SWUpdate's.
            let expected = if id.starts_with("upd-suit-") { "NOT_APPLICABLE" } else { expected };
            let (got, why) = verdict_by(id, &recording, if uploads { "upload" } else { "pull" });
            table.entry(id).or_default().push(got);
            if got != expected {
                wrong.push(format!("{} {id}: {got}, not {expected}: {why}", client.name));
            }
        }
        // What could not be shown is told by the exit code, too.
        let shown = client.expect.get("upd-client-cert-validation").is_none_or(|v| v != "INCONCLUSIVE");
        let complete = !silent && shown;
        if code != if complete { 0 } else { 2 } {
            wrong.push(format!("{}: exit code {code}: {err}", client.name));
        }
    }
    let row = |id: &str, cells: &[&str]| {
        let cells: String = cells.iter().map(|c| format!(" {c:<15}")).collect();
        eprintln!("{id:<30}{cells}");
    };
    row("", &clients.iter().map(|c| c.name.as_str()).collect::<Vec<_>>());
    table.iter().for_each(|(id, cells)| row(id, cells));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_takes_any_time_installs_by_a_certificate_that_is_over_and_one_that_stays_ahead_never_comes_back()
{
    for (n, name, verdict, word) in [
        (60, "keeps-time", "PASS", "came to the genuine server again"),
        (61, "trusts-time", "FAIL", "told a time in the past, it was offered the genuine image"),
        (62, "stays-ahead", "FAIL", "it refused the genuine server for as long as was waited"),
        // It has a clock of its own: a trap, since it seems to withstand.
        (63, "good", "INCONCLUSIVE", "did not ask for the time"),
    ] {
        let (_, toml) = UPDATERS.iter().find(|u| u.0 == name).unwrap();
        let client = Updater::parse(toml, name).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let bench = Bench::new(dir.path(), n);
        bench.clocks();
        let running = client.start(home(&bench)).await.unwrap();
        let path = dir.path().to_owned();
        let (code, _, err) = tokio::task::spawn_blocking(move || updates::lab(&path)).await.unwrap();
        running.stop().await;
        let recording = read(&dir.path().join("recording"));
        let got = self::verdict("upd-clock-manipulation", &recording);
        assert!(got.0 == verdict && got.1.contains(word), "{name}: {got:?}\n{err}");
        // Its software is as its maker left it, or the newest: nothing is shouted about.
        assert!(code == 2 && !err.contains("NOT IN ORDER"), "{name}: {code} {err}");
    }
}

/// A device of curl and SWUpdate, until it is dropped.
struct Stock(std::process::Child);

impl Drop for Stock {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn installed(program: &str) -> bool {
    std::process::Command::new("which").arg(program).output().is_ok_and(|o| o.status.success())
}

fn stock(n: u8, kind: &str, expected: &[(&str, &str)]) {
    if !installed("swupdate") || !installed("cpio") {
        return scans::not_run("swupdate or cpio is missing; run scripts/test as root");
    }
    let dir = tempfile::tempdir().unwrap();
    let (own, lab) = updates::swupdate(dir.path(), n);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/swupdate-device.sh");
    let device = std::process::Command::new("sh").arg(script).arg(dir.path()).args([&own, &lab, kind]).spawn().unwrap();
    let device = Stock(device);
    let (code, _, err) = updates::lab(dir.path());
    drop(device);
    let recording = read(&dir.path().join("recording"));
    let got: Vec<String> = expected
        .iter()
        .map(|(id, expected)| (id, expected, verdict(id, &recording)))
        .filter(|(_, expected, got)| got.0 != **expected)
        .map(|(id, expected, got)| format!("{id}: {}, not {expected}: {}", got.0, got.1))
        .collect();
    assert!(got.is_empty(), "{}\n{err}", got.join("\n"));
    // It was not watched before: that is the only gap.
    assert_eq!(code, 2, "{err}");
}

#[test]
fn swupdate_with_curl_passes_and_a_careless_script_around_it_fails_for_certificates_old_tls_and_unsigned_images() {
    let alike = [
        ("upd-image-downgrade", "PASS"),
        ("upd-image-payload-bitflip", "PASS"),
        ("upd-image-signature-bitflip", "PASS"),
        ("upd-image-truncated", "PASS"),
        ("upd-image-wrong-key", "PASS"),
        ("upd-image-wrong-model", "PASS"),
        ("upd-interrupted", "PASS"),
        ("upd-package-signature-static", "PASS"),
        ("upd-plaintext-fallback", "PASS"),
        ("upd-transport-encrypted", "PASS"),
    ];
    let differ = ["upd-client-cert-validation", "upd-client-downgrade", "upd-image-unsigned"];
    let with = |verdict| alike.into_iter().chain(differ.map(|id| (id, verdict))).collect::<Vec<_>>();
    std::thread::scope(|both| {
        both.spawn(|| stock(31, "good", &with("PASS")));
        both.spawn(|| stock(32, "careless", &with("FAIL")));
    });
}

fn handed_by_tftp(n: u8, kind: &str, downgrade: &str) {
    if !["swupdate", "in.tftpd", "cpio"].into_iter().all(installed) {
        return scans::not_run("swupdate, in.tftpd or cpio is missing; run scripts/test as root");
    }
    let dir = tempfile::tempdir().unwrap();
    let own = updates::tftp(dir.path(), n);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/tftp-device.sh");
    let inbox = dir.path().join("inbox");
    let at = format!("{own}:6969");
    let _server = Stock(
        std::process::Command::new("in.tftpd")
            .args(["-L", "-c", "-u", "root", "-a", &at, "-s"])
            .arg(inbox)
            .spawn()
            .unwrap(),
    );
    let _device = Stock(std::process::Command::new("sh").arg(script).arg(dir.path()).arg(kind).spawn().unwrap());
    let (code, _, err) = updates::lab(dir.path());
    let recording = read(&dir.path().join("recording"));
    let refused = ["payload-bitflip", "signature-bitflip", "truncated", "unsigned", "wrong-key", "wrong-model"];
    let refused = refused.map(|check| (format!("upd-image-{check}"), "PASS"));
    let all = refused.into_iter().chain([
        ("upd-image-downgrade".to_owned(), downgrade),
        // A tool cannot be cut, and nothing shows servers.
        ("upd-interrupted".to_owned(), "INCONCLUSIVE"),
        ("upd-client-cert-validation".to_owned(), "INCONCLUSIVE"),
        ("upd-mechanism-exercised".to_owned(), "PASS"),
    ]);
    for (id, expected) in all {
        let got = verdict_by(&id, &recording, "tftp");
        assert_eq!(got.0, expected, "{kind} {id}: {}\n{err}", got.1);
    }
    assert_eq!(code, 0, "{err}");
}

#[test]
fn swupdate_behind_a_tftp_server_passes_and_without_its_switch_fails_for_older_images_only() {
    std::thread::scope(|both| {
        both.spawn(|| handed_by_tftp(33, "good", "PASS"));
        both.spawn(|| handed_by_tftp(34, "careless", "FAIL"));
    });
}

/// The plan of a bench with something replaced.
fn replan(dir: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(dir.join("lab.toml")).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(dir.join("lab.toml"), text.replace(from, to)).unwrap();
}

#[test]
fn images_are_refused_before_anything_is_served_when_consent_a_key_or_an_image_is_missing() {
    let plain = |dir: &Path| {
        let at = |name: &str| dir.join(name).display().to_string();
        scans::patuh(&["lab", "--plan", &at("lab.toml"), "--out", &at("recording")])
    };
    let half = "authorised_by = \"the tests\"\nhosts = [\"127.0.84.41/32\"]\nmost = \"alter\"\n[could_brick]\nsample = \"unit\"\nrecovery = \"\"\nconsent = \"yes\"\n";
    type Spoil<'a> = &'a dyn Fn(&Path);
    let cases: [(&str, Spoil<'_>, i32, &[&str]); 5] = [
        (
            "no scope",
            &|d| std::fs::remove_file(d.join("scope.toml")).unwrap(),
            77,
            &["could_brick", "sample", "recovery", "consent"],
        ),
        ("no recovery", &|d| std::fs::write(d.join("scope.toml"), half).unwrap(), 77, &["could_brick", "recovery"]),
        (
            "no key",
            &|d| replan(d, "stranger_key = \"stranger.pem\"\n", ""),
            78,
            &["images.stranger_key", "images.cases"],
        ),
        ("no image", &|d| std::fs::remove_file(d.join("old.swu")).unwrap(), 66, &["old.swu"]),
        ("no model", &|d| replan(d, "test_key = \"maker.pem\"\n", ""), 78, &["images.other_model", "test_key"]),
    ];
    for (name, spoil, expected, words) in cases {
        let dir = tempfile::tempdir().unwrap();
        Bench::new(dir.path(), 41);
        spoil(dir.path());
        let (code, _, err) =
            if dir.path().join("scope.toml").exists() { updates::lab(dir.path()) } else { plain(dir.path()) };
        assert_eq!(code, expected, "{name}: {err}");
        assert!(words.iter().all(|w| err.contains(w)), "{name}: {err}");
        assert!(!dir.path().join("recording").exists(), "{name}: something was begun");
    }
}

#[test]
fn a_mistake_in_the_plan_is_told_with_its_key() {
    for (from, to, word) in [
        ("https_port = 8443", "https_port = 443", "privileged_ports"),
        ("case_seconds = 8", "case_second = 8", "case_second"),
        ("kind = \"image\"", "kind = \"other\"", "kind = \"image\""),
        ("[version]\nfrom = \"http\"\nurl = \"http://127.0.84.42:8081/version\"\n", "", "version"),
        ("url = \"http://", "url = \"https://", "http://ADDRESS"),
        ("names = [\"updates.example\"]", "names = []", "names"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        Bench::new(dir.path(), 42);
        replan(dir.path(), from, to);
        let (code, _, err) = updates::lab(dir.path());
        assert!(code == 78 && err.contains(word), "{to}: {code} {err}");
        assert!(!dir.path().join("recording").exists(), "{to}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_keeps_a_bad_image_is_shouted_about_and_tested_no_further() {
    let (name, toml) = UPDATERS.iter().find(|u| u.0 == "unsigned").unwrap();
    let client = Updater::parse(toml, name).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let bench = Bench::new(dir.path(), 43);
    // It takes the image without signature, and there is no way back but its maker's.
    let text = bench.text("lab.toml");
    let shorter: Vec<&str> = text.lines().filter(|l| !l.starts_with("recover") && !l.starts_with("watch")).collect();
    let shorter = shorter.join("\n").replace("rounds = 1", "rounds = 1\ncases = []");
    let shorter = shorter.replace("settle_seconds = 2", "settle_seconds = 1\ncases = [\"stripped\", \"truncated\"]");
    std::fs::write(dir.path().join("lab.toml"), shorter).unwrap();
    let running = client.start(home(&bench)).await.unwrap();
    let path = dir.path().to_owned();
    let ((code, _, err), again) =
        tokio::task::spawn_blocking(move || (updates::lab(&path), updates::lab(&path))).await.unwrap();
    running.stop().await;
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("THE DEVICE IS NOT IN ORDER"), "{err}");
    let recording = read(&dir.path().join("recording"));
    assert_eq!(verdict("upd-image-unsigned", &recording).0, "FAIL");
    let left = verdict("upd-image-truncated", &recording);
    assert!(left.0 == "INCONCLUSIVE" && left.1.contains("recover"), "{left:?}");
    assert!(again.0 == 77 && again.2.contains("--restored"), "{again:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_whose_log_in_is_refused_proves_nothing_and_its_secret_is_masked() {
    let (name, toml) = UPDATERS.iter().find(|u| u.0 == "upload-good").unwrap();
    let client = Updater::parse(toml, name).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let bench = Bench::new(dir.path(), 46);
    bench.uploads();
    std::fs::write(dir.path().join("upload.auth"), "Basic bm9ib2R5Om5vdGhpbmc=").unwrap();
    replan(dir.path(), "settle_seconds = 2", "settle_seconds = 1\ncases = [\"stripped\"]");
    let running = client.start(home(&bench)).await.unwrap();
    let path = dir.path().to_owned();
    let (code, _, err) = tokio::task::spawn_blocking(move || updates::lab(&path)).await.unwrap();
    running.stop().await;
    let recording = read(&dir.path().join("recording"));
    let got = verdict_by("upd-image-unsigned", &recording, "upload");
    assert!(got.0 == "INCONCLUSIVE" && code == 2 && err.contains("HTTP 401"), "{got:?} {code} {err}");
    let kept = std::fs::read_to_string(dir.path().join("recording/transcripts.jsonl")).unwrap();
    let sent = |line: &str| -> Vec<u8> {
        use base64::Engine;
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let chunks = line["events"].as_array().unwrap().iter().map(|e| e["data"].as_str().unwrap().to_owned());
        chunks.flat_map(|c| base64::engine::general_purpose::STANDARD.decode(c).unwrap()).collect()
    };
    let all: Vec<u8> = kept.lines().filter(|l| l.contains("\"events\"")).flat_map(sent).collect();
    let text = String::from_utf8_lossy(&all);
    assert!(text.contains("POST /upload HTTP/1.1") && text.contains("Authorization: ****"), "{text:.600}");
    assert!(!text.contains("bm9ib2R5Om5vdGhpbmc="), "the secret is in a transcript");
}

#[test]
fn a_secret_in_the_plan_itself_a_name_for_an_address_and_a_host_out_of_scope_are_refused_before_anything_is_sent() {
    for (from, to, code, word) in [
        ("\"file:upload.auth\"", "\"Basic YWRtaW46eA==\"", 78, "env:NAME or file:PATH"),
        ("url = \"http://127.0.84.47:8081/upload\"", "url = \"http://camera.example/upload\"", 78, "images.push.url"),
        ("url = \"http://127.0.84.47:8081/upload\"", "url = \"http://127.0.84.99:8081/upload\"", 77, "images.push.url"),
        ("\"file:upload.auth\"", "\"file:nowhere\"", 66, "nowhere"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        Bench::new(dir.path(), 47).uploads();
        replan(dir.path(), from, to);
        let got = updates::lab(dir.path());
        assert!(got.0 == code && got.2.contains(word), "{to}: {got:?}");
        assert!(!dir.path().join("recording").exists(), "{to}: something was begun");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_and_hostile_visitors_change_nothing() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (name, toml) = UPDATERS.iter().find(|u| u.0 == "good").unwrap();
    let client = Updater::parse(toml, name).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let bench = Bench::new(dir.path(), 44);
    let text = bench.text("lab.toml");
    let (text, _) = text.split_once("[version]").unwrap();
    std::fs::write(dir.path().join("lab.toml"), text.replace("watch_seconds = 8", "watch_seconds = 1")).unwrap();
    let running = client.start(home(&bench)).await.unwrap();
    let lab = bench.lab();
    let own = bench.page().ip();
    let noise = tokio::spawn(async move {
        let long = vec![b'a'; 1 << 20];
        let hello = [&[22, 3, 1, 0xff, 0xff, 1, 0xff, 0xff, 0xff][..], &long].concat();
        let mut held = Vec::new();
        for n in 0.. {
            let (port, bytes) = if n % 2 == 0 { (updates::HTTPS, &hello) } else { (updates::HTTP, &long) };
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            // The device itself misbehaves, and a stranger calls.
            let from: std::net::IpAddr = if n % 3 == 0 { "127.0.84.99".parse().unwrap() } else { own };
            socket.bind((from, 0).into()).unwrap();
            let Ok(mut stream) = socket.connect(format!("{lab}:{port}").parse().unwrap()).await else {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            };
            if n % 3 == 0 {
                assert!(!matches!(stream.read(&mut [0; 16]).await, Ok(1..)), "the stranger was answered");
            } else if n % 5 == 0 {
                // It holds the connection and says nothing.
                held.push(stream);
                held.truncate(40);
            } else {
                let _ = stream.write_all(bytes).await;
            }
            tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        }
    });
    let path = dir.path().to_owned();
    let (code, _, err) = tokio::task::spawn_blocking(move || updates::lab(&path)).await.unwrap();
    assert!(!noise.is_finished(), "{:?}", noise.await);
    noise.abort();
    running.stop().await;
    let recording = read(&dir.path().join("recording"));
    for id in ["upd-client-cert-validation", "upd-client-downgrade"] {
        let got = verdict(id, &recording);
        assert_eq!(got.0, "PASS", "{id}: {got:?}\n{err}");
    }
    assert!(err.contains("127.0.84.99 is not the device"), "{err}");
    // Images were not asked for.
    assert!(code == 2 && err.contains("lab-update-images: it was not supplied"), "{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_and_a_laboratorys_run_of_one_device_are_judged_together() {
    let (name, toml) = UPDATERS.iter().find(|u| u.0 == "any-name").unwrap();
    let client = Updater::parse(toml, name).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let bench = Bench::new(dir.path(), 45);
    let text = bench.text("lab.toml");
    let (text, _) = text.split_once("[version]").unwrap();
    let text = text.replace("watch_seconds = 8", "cases = [\"wrong-name\", \"expired\"]");
    std::fs::write(dir.path().join("lab.toml"), text).unwrap();
    let running = client.start(home(&bench)).await.unwrap();
    let path = dir.path().to_owned();
    let host = bench.page().ip().to_string();
    let (scan, lab, judged) = tokio::task::spawn_blocking(move || {
        let at = |name: &str| path.join(name).display().to_string();
        let scan = scans::patuh(&["scan", &host, "--ports", "tcp:8081", "--pace", "fast", "--out", &at("recording")]);
        let lab = updates::lab(&path);
        let judged = ["judge", &at("recording"), "--profile", "etsi-en303645-v2", "--format", "json"];
        (scan, lab, scans::patuh(&judged))
    })
    .await
    .unwrap();
    running.stop().await;
    assert_eq!(scan.0, 0, "{}", scan.2);
    assert!(lab.0 == 2 && lab.2.contains("leaves out"), "{}", lab.2);
    let judged: serde_json::Value = serde_json::from_str(&judged.1).unwrap();
    let of = |id: &str| judged["results"].as_array().unwrap().iter().find(|r| r["check"] == id).unwrap();
    let found = of("upd-client-cert-validation");
    assert_eq!(found["verdict"], "FAIL");
    assert!(found["observed"].as_str().unwrap().contains("another name"), "{found}");
    assert!(!found["observed"].as_str().unwrap().contains("expired"), "{found}");
    assert_eq!(of("disc-target-binding")["verdict"], "PASS");
    assert_eq!(of("upd-image-unsigned")["verdict"], "INCONCLUSIVE");
    let requirement = |id: &str| judged["requirements"].as_array().unwrap().iter().find(|r| r["id"] == id).unwrap();
    assert_eq!(requirement("5.3-10")["outcome"], "FAIL");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn units_about_updates_are_decided_without_a_person_where_the_maker_supplied_what_they_need() {
    // Two mechanisms are declared: what one refuses says nothing of the other.
    let second = format!("{IXIT}[[7-UpdMech]]\nid = \"UpdMech-2\"\nx-delivery = \"upload\"\n");
    let wanted = [
        "5.3-2-2a",
        "5.3-2-2b",
        "5.3-6-2a",
        "5.3-9-1c",
        "5.3-9-1d",
        "5.3-10-1c",
        "5.3-15-2b",
        "5.3-15-2c",
        "5.3-15-2e",
    ];
    let runs = [("good", 47), ("unsigned", 48)].map(|(name, n)| {
        let (_, toml) = UPDATERS.iter().find(|u| u.0 == name).unwrap();
        let client = Updater::parse(toml, name).unwrap();
        let second = second.clone();
        tokio::spawn(async move {
            let dir = tempfile::tempdir().unwrap();
            let bench = Bench::new(dir.path(), n);
            let running = client.start(home(&bench)).await.unwrap();
            let (path, host) = (dir.path().to_owned(), bench.page().ip().to_string());
            let judged = tokio::task::spawn_blocking(move || {
                let at = |name: &str| path.join(name).display().to_string();
                let scan = scans::patuh(&["scan", &host, "--pace", "fast", "--out", &at("recording")]);
                assert_eq!(scan.0, 0, "{}", scan.2);
                let lab = updates::lab(&path);
                assert_eq!(lab.0, 0, "{}", lab.2);
                [IXIT, &second].map(|ixit| {
                    std::fs::write(path.join("ixit.toml"), ixit).unwrap();
                    let judge = ["judge", &at("recording"), "--profile", "etsi-en303645-v2", "--format", "json"];
                    let out = scans::patuh(&[&judge[..], &["--ixit", &at("ixit.toml")]].concat()).1;
                    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
                    let units = json["units"].as_array().unwrap().clone();
                    wanted
                        .map(|id| units.iter().find(|u| u["id"] == id).unwrap()["verdict"].as_str().unwrap().to_owned())
                })
            });
            let judged = judged.await.unwrap();
            running.stop().await;
            judged
        })
    });
    let [good, unsigned] = runs;
    let (good, unsigned) = (good.await.unwrap(), unsigned.await.unwrap());
    assert_eq!(good[0], ["PASS"; 9]);
    let waits = "AWAITING_ASSESSOR";
    assert_eq!(good[1], [waits, waits, "PASS", waits, waits, "PASS", "PASS", "PASS", "PASS"]);
    assert_eq!(unsigned[0], ["PASS", "FAIL", "PASS", "FAIL", "PASS", "PASS", "PASS", "PASS", "PASS"]);
}

#[test]
fn in_namespaces_of_their_own_no_packet_of_a_device_leaves_the_laboratory_and_the_table_says_what_fails() {
    let root = std::process::Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout == b"0\n");
    if !root || !["ip", "dumpcap", "tshark", "python3"].iter().all(|p| installed(p)) {
        return scans::not_run("namespaces and captures need root, iproute2 and tshark; run scripts/test as root");
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/lab-table");
    let mut table = std::process::Command::new(script);
    let out = table.args(["good", "any-name"]).env("PATUH", env!("CARGO_BIN_EXE_patuh")).output().unwrap();
    let (text, err) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{text}{err}");
    let (good, bad) = text.split_once("any-name:").unwrap();
    for client in [good, bad] {
        assert!(client.contains("genuine image taken"), "{text}");
        // It did try to leave, so that the capture would have shown it.
        assert!(client.contains(" 1 further, of which 0 left"), "{text}");
    }
    assert!(!good.contains("FAIL"), "{text}");
    let failed: Vec<&str> = bad.lines().filter(|l| l.contains("FAIL")).map(|l| l.trim()).collect();
    let [all, updates] = failed[..] else { panic!("{text}") };
    assert!(
        all.starts_with("client-tls-validation-all") && updates.starts_with("upd-client-cert-validation"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_while_images_are_on_offer_says_that_the_device_must_be_looked_after() {
    use std::io::BufRead;
    let (name, toml) = UPDATERS.iter().find(|u| u.0 == "good").unwrap();
    let client = Updater::parse(toml, name).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let bench = Bench::new(dir.path(), 46);
    let text = bench.text("lab.toml").replace("watch_seconds = 8", "cases = []");
    std::fs::write(dir.path().join("lab.toml"), text).unwrap();
    let running = client.start(home(&bench)).await.unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let mut lab = std::process::Command::new(env!("CARGO_BIN_EXE_patuh"))
        .args(["lab", "--plan", &at("lab.toml"), "--scope", &at("scope.toml"), "--out", &at("recording")])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(lab.stderr.take().unwrap()).lines();
    assert!(lines.any(|l| l.unwrap().contains("offering an image with one bit of its signature")));
    let killed = std::process::Command::new("kill").args(["-INT", &lab.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let code = lab.wait().unwrap().code();
    running.stop().await;
    assert_eq!(code, Some(1), "{rest:?}");
    assert!(rest.iter().any(|l| l.contains("NOT IN ORDER") && l.contains("stopped")), "{rest:?}");
    // What was seen until then can be read, and says that it is not all.
    assert_eq!(verdict("upd-image-payload-bitflip", &read(&dir.path().join("recording"))).0, "INCONCLUSIVE");
}
