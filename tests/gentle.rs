//! What a scan may do to accounts: a device is never locked, however often it is scanned.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr, reason = "tests")]
#[path = "support/scans.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod scans;

use patuh::sim::{self, Device, PortShift, Running};
use scans::patuh_with;
use std::path::Path;

async fn device(name: &str, host: &str) -> Running {
    let device = Device::parse(sim::find(name).unwrap().toml, name).unwrap();
    sim::start(&device, host.parse().unwrap(), PortShift::By(20_000)).await.unwrap()
}

/// Scans with the default budget, and gives the results by check.
fn scan(host: &str, ports: &str, dir: &Path, ledger: &Path) -> serde_json::Value {
    let args = ["scan", host, "--ports", ports, "--pace", "fast", "--out", dir.to_str().unwrap()];
    let (code, _, err) = patuh_with(ledger, &args);
    assert_eq!(code, 0, "{err}");
    let judged = ["judge", dir.to_str().unwrap(), "--profile", "etsi-en303645-v2", "--format", "json"];
    serde_json::from_str(&patuh_with(ledger, &judged).1).unwrap()
}

fn result<'a>(assessment: &'a serde_json::Value, check: &str) -> &'a serde_json::Value {
    assessment["results"].as_array().unwrap().iter().find(|r| r["check"] == check).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn five_scans_lock_no_account_of_a_device_that_locks_after_three_and_say_what_was_withheld() {
    let running = device("trap-lockout", "127.0.61.2").await;
    let dir = tempfile::tempdir().unwrap();
    for n in 0..5 {
        let a = scan("127.0.61.2", "tcp:20000-21000,udp:none", &dir.path().join(format!("r{n}")), dir.path());
        for check in ["telnet-default-creds", "http-form-default-creds"] {
            let row = result(&a, check);
            assert_eq!(row["verdict"], "INCONCLUSIVE", "{row}");
            let observed = row["observed"].as_str().unwrap();
            assert!(observed.contains("left: the budget is 2 failed attempts per account"), "{observed}");
            assert_eq!(observed.contains("the ledger withheld attempts"), n > 0, "scan {n}: {observed}");
        }
        assert!(running.counters().locked.is_empty(), "scan {n}: {:?}", running.counters().locked);
    }
    let logins = running.counters().logins;
    let most = |user: &str| logins.iter().filter(|((_, u), _)| u == user).map(|(_, n)| n).sum::<u64>();
    assert!((most("root"), most("admin")) == (2, 2), "two each over all services and scans: {logins:?}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_is_found_again_by_the_next_scan() {
    let running = device("trap-flood-reboot", "127.0.61.3").await;
    let dir = tempfile::tempdir().unwrap();
    for n in 0..3 {
        let a = scan("127.0.61.3", "tcp:20023,udp:none", &dir.path().join(format!("r{n}")), dir.path());
        let row = result(&a, "telnet-default-creds");
        assert_eq!(row["verdict"], "FAIL", "scan {n}: {row}");
    }
    running.stop().await;
}

#[test]
fn a_scan_that_may_log_in_does_not_start_without_a_ledger_and_one_that_may_not_needs_none() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let (code, _, err) = patuh_with(&file, &["scan", "127.0.61.4", "--ports", "tcp:none"]);
    assert_eq!(code, 74, "{err}");
    assert!(err.contains("--ledger DIR"), "{err}");
    let (code, _, err) = patuh_with(&file, &["scan", "127.0.61.4", "--ports", "tcp:9,udp:none", "--most", "ask"]);
    assert_eq!(code, 0, "{err}");
}
