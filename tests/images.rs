//! Update packages made by their formats' own tools: inspected, and changed in one thing at a time.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr, reason = "tests")]
#![expect(dead_code, reason = "the scans' support serves other tests too")]
#[path = "support/scans.rs"]
mod scans;

use patuh::image::{ImageError, Mutation, Outcome, PrivateKey, State, Trusted, inspect, mutate};
use proptest::prelude::*;
use scans::{not_run, patuh};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

struct Samples(tempfile::TempDir);

/// Made once; `None` where a tool is missing.
static SAMPLES: LazyLock<Option<Samples>> = LazyLock::new(|| {
    let tools = ["rauc", "mender-artifact", "mksquashfs", "cpio", "openssl", "minisign", "signify-openbsd"];
    let here = tools.iter().all(|t| Command::new("which").arg(t).output().is_ok_and(|o| o.status.success()));
    if !here || !venv().join("bin/espsecure").exists() {
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/images.sh");
    let out = Command::new("sh").arg(script).arg(dir.path()).arg(venv()).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    Some(Samples(dir))
});

fn venv() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/images-venv")
}

fn samples() -> Option<&'static Samples> {
    let made = SAMPLES.as_ref();
    if made.is_none() {
        not_run(
            "rauc, mender-artifact, cpio, minisign, signify or target/images-venv is missing; run scripts/test as root",
        );
    }
    made
}

impl Samples {
    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    fn trusted(&self, name: &str) -> Trusted {
        Trusted::parse(&self.read(name)).unwrap()
    }

    fn private(&self, name: &str) -> PrivateKey {
        PrivateKey::parse(&self.read(name)).unwrap()
    }
}

/// Package, its public key or certificate, its private key, another of the same kind; version and model as inspected.
const SIGNED: &[(&str, &str, &str, &str)] = &[
    ("raw.swu", "rsa.pub", "rsa.pem", "rsa-other.pem"),
    ("cms.swu", "ca.crt", "signer.key", "rsa-other.pem"),
    ("verity.raucb", "ca.crt", "signer.key", "rsa-other.pem"),
    ("plain.raucb", "signer.crt", "signer.key", "rsa-other.pem"),
    ("ec.mender", "ec.pub", "ec.pem", "ec-other.pem"),
    ("mcuboot-rsa.bin", "rsa.pub", "rsa.pem", "rsa-other.pem"),
    ("mcuboot-ec.bin", "ec.pub", "ec.pem", "ec-other.pem"),
    ("mcuboot-ed.bin", "ed.pub", "ed.pem", "ed-other.pem"),
    ("ec.suit", "ec.pub", "ec.pem", "ec-other.pem"),
    ("esp-rsa.bin", "rsa.pub", "rsa.pem", "rsa-other.pem"),
    ("esp-ec.bin", "ec.pub", "ec.pem", "ec-other.pem"),
    ("esp-v1.bin", "ec.pub", "ec.pem", "ec-other.pem"),
];

/// The ids of what is weak, each once; `65` for a package that cannot be read.
fn weak(bytes: &[u8], trusted: &Trusted) -> Vec<&'static str> {
    match inspect(bytes, None, Some(trusted)) {
        Ok(found) => {
            let mut ids: Vec<&str> = found.weak.iter().map(|w| w.id).collect();
            ids.dedup();
            ids
        }
        Err(ImageError::Truncated { .. }) => vec!["truncated"],
        Err(e) => panic!("{e}"),
    }
}

#[test]
fn a_package_of_each_makers_tool_is_verified_with_its_key() {
    let Some(s) = samples() else { return };
    for (name, public, ..) in SIGNED {
        let found = inspect(&s.read(name), None, Some(&s.trusted(public))).unwrap();
        assert_eq!((found.outcome, &found.weak), (Outcome::Good, &vec![]), "{name}");
        let without = inspect(&s.read(name), None, None).unwrap();
        assert_eq!((without.outcome, without.signatures[0].state), (Outcome::Open, State::NotVerified), "{name}");
        assert!(found.version.is_some() || found.rollback.is_some(), "{name}");
        assert!(!found.payloads.is_empty(), "{name}");
    }
}

#[test]
fn a_changed_package_is_of_its_format_and_differs_in_the_named_thing() {
    let Some(s) = samples() else { return };
    for (name, public, _, stranger) in SIGNED {
        let (image, trusted) = (s.read(name), s.trusted(public));
        let before = inspect(&image, None, Some(&trusted)).unwrap();
        let changed = |kind| mutate(&image, kind, None).map(|c| weak(&c, &trusted));
        let bit = changed(Mutation::PayloadBit).unwrap();
        assert!(bit.iter().all(|w| matches!(*w, "bad-digest" | "bad-signature")) && !bit.is_empty(), "{name}: {bit:?}");
        assert_eq!(changed(Mutation::SignatureBit).unwrap(), ["bad-signature"], "{name}");
        assert_eq!(changed(Mutation::Stripped).unwrap(), ["unsigned"], "{name}");
        assert_eq!(changed(Mutation::Truncated).unwrap(), ["truncated"], "{name}");
        let other = mutate(&image, Mutation::OtherKey, Some(&s.private(stranger))).unwrap();
        assert_eq!(weak(&other, &trusted), ["bad-signature"], "{name}");
        for (kind, older) in [(Mutation::Older, true), (Mutation::OtherModel, false)] {
            // What a format does not hold, or packs, cannot be changed; the error says so.
            let Ok(out) = mutate(&image, kind, None) else {
                assert!(name.starts_with("plain") || (name.starts_with("mcuboot") && !older), "{name}");
                continue;
            };
            let now = inspect(&out, None, Some(&trusted)).unwrap();
            assert_ne!(now.outcome, Outcome::Good, "{name}");
            let moved =
                (now.version != before.version || now.rollback != before.rollback, now.targets != before.targets);
            assert_eq!(moved, (older, !older), "{name} {kind:?}");
        }
    }
}

#[test]
fn an_older_package_signed_with_the_makers_test_key_verifies() {
    let Some(s) = samples() else { return };
    for (name, public, private, _) in SIGNED.iter().filter(|(n, ..)| !n.starts_with("plain")) {
        let older = mutate(&s.read(name), Mutation::Older, Some(&s.private(private))).unwrap();
        let found = inspect(&older, None, Some(&s.trusted(public))).unwrap();
        assert_eq!((found.outcome, &found.weak), (Outcome::Good, &vec![]), "{name}");
    }
}

#[test]
fn the_makers_own_tools_accept_what_is_signed_again() {
    let Some(s) = samples() else { return };
    let tool = |name: &str| venv().join("bin").join(name).display().to_string();
    let (imgtool, espsecure) = (tool("imgtool"), tool("espsecure"));
    for (name, key, public, command) in [
        ("mcuboot-rsa.bin", "rsa-other.pem", "rsa-other.pem", vec![imgtool.as_str(), "verify", "-k"]),
        ("mcuboot-ed.bin", "ed-other.pem", "ed-other.pem", vec![&imgtool, "verify", "-k"]),
        ("esp-rsa.bin", "rsa-other.pem", "rsa-other.pub", vec![&espsecure, "verify-signature", "-v", "2", "-k"]),
        ("esp-ec.bin", "ec-other.pem", "ec-other.pub", vec![&espsecure, "verify-signature", "-v", "2", "-k"]),
        ("ec.mender", "ec-other.pem", "ec-other.pub", vec!["mender-artifact", "validate", "-k"]),
    ] {
        let out = s.path(&format!("again-{name}"));
        fs::write(&out, mutate(&s.read(name), Mutation::OtherKey, Some(&s.private(key))).unwrap()).unwrap();
        let ran = Command::new(command[0]).args(&command[1..]).arg(s.path(public)).arg(&out).output().unwrap();
        assert!(
            ran.status.success(),
            "{name}: {}{}",
            String::from_utf8_lossy(&ran.stdout),
            String::from_utf8_lossy(&ran.stderr)
        );
    }
}

#[test]
fn a_signature_beside_the_file_is_verified_whatever_made_it() {
    let Some(s) = samples() else { return };
    let image = s.read("app.bin");
    for (signature, public, other) in [
        ("app.minisig", "mini.pub", "signify.pub"),
        ("app.sig", "signify.pub", "mini.pub"),
        ("app.ed", "ed.pub", "ed-other.pub"),
        ("app.ec", "ec.pub", "ec-other.pub"),
        ("app.pss", "rsa.pub", "rsa-other.pub"),
    ] {
        let outcome = |key: &str| inspect(&image, Some(&s.read(signature)), Some(&s.trusted(key))).unwrap().outcome;
        assert_eq!((outcome(public), outcome(other)), (Outcome::Good, Outcome::Weak), "{signature}");
    }
}

#[test]
fn the_command_tells_by_its_exit_code_what_it_found() {
    let Some(s) = samples() else { return };
    let out = s.path("out.swu");
    let (swu, key) = (s.path("raw.swu"), s.path("rsa.pub"));
    assert_eq!(patuh(&["update", "mutate", &swu, "--kind", "stripped", "--out", &out]).0, 0);
    for (image, key, code, says) in [
        (swu.as_str(), Some(key.as_str()), 0, "\"outcome\": \"good\""),
        (&swu, None, 2, "\"state\": \"not-verified\""),
        (&out, Some(&key), 1, "\"id\": \"unsigned\""),
        (&s.path("key-inside.swu"), Some(&key), 1, "rootfs.img!(gzip)!server.key"),
        (&s.path("mcuboot-unsigned.bin"), None, 1, "\"format\": \"mcuboot\""),
        (&s.path("app.bin"), None, 65, "--signature"),
        (&swu, Some(&s.path("rsa.pem")), 65, "private key"),
        ("no-such-file", None, 66, "no-such-file"),
    ] {
        let mut args = vec!["update", "inspect", image, "--format", "json"];
        args.extend(key.iter().flat_map(|k| ["--key", *k]));
        let (got, stdout, stderr) = patuh(&args);
        assert_eq!(got, code, "{image}: {stdout}{stderr}");
        assert!(stdout.contains(says) || stderr.contains(says), "{image}: {stdout}{stderr}");
    }
}

#[test]
fn a_bomb_is_refused() {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..200 {
        packed.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let refused = inspect(&packed.finish().unwrap(), None, None);
    assert!(matches!(refused, Err(ImageError::Bomb { .. })), "{refused:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_damage_to_a_package_makes_the_reader_panic(at in 0usize..60_000, value: u8, length in 0usize..400_000) {
        if let Some(s) = SAMPLES.as_ref() {
            for (name, ..) in SIGNED {
                let mut image = s.read(name);
                // Headers and metadata stand at both ends.
                let place = if at % 2 == 0 { at % 1200 } else { image.len() - 1 - at % 6000 };
                image[place] = value;
                let _ = inspect(&image, None, None);
                let _ = mutate(&image, Mutation::Older, None);
                image.truncate(length.min(image.len()));
                let _ = inspect(&image, None, None);
            }
        }
    }

    #[test]
    fn no_bytes_after_any_mark_make_the_reader_panic(mark in 0usize..9, bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let marks: [&[u8]; 9] = [
            b"070701", b"hsqs", b"\x3d\xb8\xf3\x96", b"\xd8\x6b\xa2\x02\x58", b"\xe9\x02\x02\x20", b"PK\x03\x04", b"\x1f\x8b\x08",
            b"version\0", b"",
        ];
        let image = [marks[mark], &bytes].concat();
        let _ = inspect(&image, None, None);
        let _ = inspect(&image, Some(&bytes), None);
        let _ = mutate(&image, Mutation::PayloadBit, None);
    }
}
