//! Every simulated device, twins and traps, scanned over real sockets and judged as its file expects.
use std::process::Command;

#[test]
fn every_simulated_device_is_judged_as_its_file_expects() {
    let devices = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/duts")).unwrap();
    let mut names: Vec<String> =
        devices.map(|d| d.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    let devices = names.iter().flat_map(|n| ["--device", n]);
    let out = Command::new("timeout")
        .args(["-k", "5", "900", env!("CARGO_BIN_EXE_patuh"), "demo"])
        .args(devices)
        .output()
        .unwrap();
    // The demonstration names every verdict that differs from the device's file, and fails for one.
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let said = String::from_utf8(out.stdout).unwrap();
    for name in names {
        assert!(said.contains(&format!("({name})")), "{name} was not assessed");
    }
}
