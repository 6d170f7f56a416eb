//! The laboratory and simulated update clients: each good one passes, each bad one fails for its own reason and no other.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr, reason = "tests")]
#[path = "support/scans.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod scans;
#[path = "support/updates.rs"]
mod updates;

use patuh::{
    judge::{CHECKS, Decision, Evidence, Verdict, check},
    model::{Ixit, Recording},
    sim::{Home, UPDATERS, Updater},
};
use rsa::pkcs8::DecodePublicKey;
use std::{collections::BTreeMap, path::Path};
use updates::Bench;

const IXIT: &str = "[[7-UpdMech]]\nid = \"UpdMech-1\"\nx-check-seconds = 2\n";

/// The checks that only a laboratory gives evidence.
fn checks() -> Vec<&'static str> {
    CHECKS.iter().filter(|c| c.in_laboratory()).map(|c| c.id).collect()
}

fn verdict(id: &str, recording: &Recording) -> (&'static str, String) {
    let ixit = Ixit::parse("ixit", IXIT).unwrap();
    let judge = (check::find(id).unwrap().bind)(toml::Table::new()).unwrap();
    match judge.judge(&Evidence::new(recording, None, Some(&ixit))) {
        Decision::Absent { what, .. } => ("NOT_APPLICABLE", what),
        Decision::Judged(j) => {
            let word = match j.verdict() {
                Verdict::Pass => "PASS",
                Verdict::Inconclusive => "INCONCLUSIVE",
                Verdict::Fail => "FAIL",
            };
            let gaps: Vec<String> = j.gaps().map(ToString::to_string).collect();
            (word, format!("{} | {}", j.observed().join("; "), gaps.join("; ")))
        }
    }
}

fn read(dir: &Path) -> Recording {
    Recording::parse(&std::fs::read(dir.join("recording.jsonl")).unwrap()).unwrap()
}

/// One client in a laboratory of its own.
async fn visited(updater: &Updater, n: u8) -> (tempfile::TempDir, Recording, i32, String) {
    let dir = tempfile::tempdir().unwrap();
    let bench = Bench::new(dir.path(), n);
    let home = Home {
        page: bench.page(),
        dns: bench.dns(),
        name: updates::NAME.to_owned(),
        https_port: updates::HTTPS,
        http_port: updates::HTTP,
        metadata: "/latest.json".to_owned(),
        ca: bench.ca(),
        key: rsa::RsaPublicKey::from_public_key_pem(&bench.text("maker.pub")).unwrap(),
    };
    let running = updater.clone().start(home).await.unwrap();
    let (path, out) = (dir.path().to_owned(), dir.path().join("recording"));
    let done = tokio::task::spawn_blocking(move || updates::lab(&path)).await.unwrap();
    running.stop().await;
    (dir, read(&out), done.0, done.2)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_good_client_passes_and_every_bad_one_fails_for_its_own_reason_and_no_other() {
    let clients: Vec<Updater> = UPDATERS.iter().map(|(name, toml)| Updater::parse(toml, name).unwrap()).collect();
    let runs: Vec<_> =
        (1u8..).zip(clients.clone()).map(|(n, c)| tokio::spawn(async move { visited(&c, n).await })).collect();
    let mut table: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (client, run) in clients.iter().zip(runs) {
        let (_dir, recording, code, err) = run.await.unwrap();
        let silent = client.poll_ms.is_none();
        // A device that never comes gives no evidence; that it does not look for updates is evidence.
        let other = if silent { "INCONCLUSIVE" } else { "PASS" };
        for id in checks() {
            let offline = id == "upd-package-signature-static";
            let expected = client.expect.get(id).map_or(if offline { "PASS" } else { other }, String::as_str);
            let (got, why) = verdict(id, &recording);
            table.entry(id).or_default().push(got);
            if got != expected {
                wrong.push(format!("{} {id}: {got}, not {expected}: {why}", client.name));
            }
        }
        if code != if silent { 2 } else { 0 } {
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
