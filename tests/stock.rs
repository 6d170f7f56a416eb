//! What a certifier can check without our tool, and that both say the same of every changed bundle.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
#[path = "support/chained.rs"]
#[expect(dead_code, reason = "another test uses the rest")]
mod chained;
#[path = "support/sealing.rs"]
mod support;
use patuh::bundle::{
    Interim, LineOutcome, Records, Sealing, SigningKey, Source, integrity, keygen, layout, open, seal, signed, signers,
    verify, verify_files,
};
use rand::{RngCore, SeedableRng};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use support::{profile, views};

/// What is done to a copy of a bundle, and its name.
type Change<'a> = (&'a str, &'a dyn Fn(&Path));

struct Lab {
    dir: tempfile::TempDir,
    allowed: String,
}

impl Lab {
    /// A laboratory with one sealed bundle, signed by these many keys.
    fn sealed(keys: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let recording = dir.path().join("recording");
        chained::write_plan(&recording);
        chained::write_logs(&recording);
        let keys: Vec<SigningKey> = (0..keys).map(|n| keygen(&dir.path().join(format!("key{n}"))).unwrap()).collect();
        let allowed: String = keys
            .iter()
            .enumerate()
            .map(|(n, k)| signers::line(&format!("m{n}@lab"), &k.public_line().unwrap()))
            .collect();
        fs::write(dir.path().join("allowed_signers"), &allowed).unwrap();
        seal(&Sealing {
            source: Source::open(&recording).unwrap(),
            profiles: vec![profile()],
            keys: &keys,
            out: &dir.path().join("bundle"),
            interim: Interim::No,
            sealed_at: "2026-01-02T03:04:05Z".to_owned(),
            views,
            amendment: None,
            cms: None,
            confidential: None,
        })
        .unwrap();
        Self { dir, allowed }
    }

    fn bundle(&self) -> PathBuf {
        self.dir.path().join("bundle")
    }

    fn copy(&self) -> PathBuf {
        let to = self.dir.path().join("changed");
        let _ = fs::remove_dir_all(&to);
        let done = Command::new("cp").arg("-r").args([&self.bundle(), &to]).status().unwrap();
        assert!(done.success());
        to
    }

    fn script_accepts(&self, bundle: &Path) -> (bool, String) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify-bundle.sh");
        let mut tool = Command::new("sh");
        let out = tool.arg(script).arg(bundle).arg(self.dir.path().join("allowed_signers")).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        (out.status.success(), said)
    }

    /// Integrity and authenticity, as far as the script looks, too.
    fn ours_accepts(&self, bundle: &Path) -> (bool, String) {
        let v = verify(bundle, &Records { signers: Some(&self.allowed), anchors: None, ..Records::default() }, views);
        let good = v.lines.iter().take(2).all(|l| l.outcome == LineOutcome::Ok);
        (good, format!("{:?}", v.lines))
    }

    fn both_refuse(&self, bundle: &Path, change: &str) {
        let (script, ours) = (self.script_accepts(bundle), self.ours_accepts(bundle));
        assert!(!ours.0, "{change}: ours accepts: {}", ours.1);
        assert!(!script.0, "{change}: the script accepts: {}", script.1);
    }
}

#[test]
fn the_script_and_the_tool_accept_what_was_not_changed() {
    for keys in [1, 2] {
        let lab = Lab::sealed(keys);
        let (good, said) = lab.script_accepts(&lab.bundle());
        assert!(good, "{said}");
        assert!(said.contains("integrity: ok") && said.contains("authenticity: ok, signed by m0@lab"), "{said}");
        assert_eq!(said.matches("authenticity: ok").count(), keys);
        assert!(lab.ours_accepts(&lab.bundle()).0);
    }
}

#[test]
fn the_script_and_the_tool_refuse_the_same_changes() {
    let lab = Lab::sealed(2);
    let names: Vec<String> = layout::load(&lab.bundle()).unwrap().into_keys().collect();
    for (n, name) in names.iter().enumerate() {
        let whole = fs::read(lab.bundle().join(name)).unwrap();
        let other = names.iter().find(|o| fs::read(lab.bundle().join(o)).unwrap() != whole).unwrap();
        let at = (n * 37) % whole.len();
        let changes: [Change<'_>; 6] = [
            ("flip", &|b| {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << (n % 8);
                fs::write(b.join(name), bytes).unwrap();
            }),
            ("remove", &|b| fs::remove_file(b.join(name)).unwrap()),
            ("add", &|b| fs::write(b.join(format!("{name}.bak")), &whole).unwrap()),
            ("rename", &|b| fs::rename(b.join(name), b.join(format!("{name}2"))).unwrap()),
            ("swap", &|b| {
                fs::copy(lab.bundle().join(other), b.join(name)).unwrap();
                fs::write(b.join(other), &whole).unwrap();
            }),
            ("truncate", &|b| fs::write(b.join(name), &whole[..whole.len() - 1]).unwrap()),
        ];
        for (kind, (change, make)) in changes.into_iter().enumerate() {
            let bundle = lab.copy();
            make(&bundle);
            let ours = lab.ours_accepts(&bundle);
            assert!(!ours.0, "{change} {name}: ours accepts: {}", ours.1);
            // The script takes its time: every file and every kind of change has its turn.
            if (n + kind) % 3 == 0 {
                lab.both_refuse(&bundle, &format!("{change} {name}"));
            }
        }
    }
}

#[test]
fn the_script_and_the_tool_refuse_strangers_links_and_litter() {
    let lab = Lab::sealed(1);
    let bundle = lab.copy();
    fs::create_dir(bundle.join("data/empty")).unwrap();
    lab.both_refuse(&bundle, "an empty directory");
    let bundle = lab.copy();
    fs::write(bundle.join("FINAL-REPORT.html"), "all passed").unwrap();
    lab.both_refuse(&bundle, "a file at the top");
    let bundle = lab.copy();
    let file = bundle.join(layout::RECORDING);
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(lab.bundle().join(layout::RECORDING), &file).unwrap();
    lab.both_refuse(&bundle, "a link");
    let stranger = Lab::sealed(1);
    lab.both_refuse(&stranger.bundle(), "a bundle of a laboratory that the records do not know");
}

/// Anywhere in the bag: payload, tag files, signatures, keys. The bits are the same each time.
#[test]
fn a_thousand_flipped_bits_are_all_refused() {
    let lab = Lab::sealed(1);
    let whole = layout::load(&lab.bundle()).unwrap();
    assert!(open(&lab.bundle()).is_ok());
    let mut random = rand::rngs::StdRng::seed_from_u64(103_645);
    let sizes: Vec<(String, usize)> =
        whole.iter().map(|(n, b)| (n.clone(), usize::try_from(b.size()).unwrap())).collect();
    let total: usize = sizes.iter().map(|s| s.1).sum();
    for round in 0..1000 {
        // Half of them anywhere by size, half of them in a file chosen first, so that small files have their share.
        let any = usize::try_from(random.next_u64() >> 1).unwrap();
        let (name, at) = if round % 2 == 0 {
            let mut at = any % total;
            let found = sizes.iter().find(|(_, size)| {
                let here = at < *size;
                if !here {
                    at -= size;
                }
                here
            });
            (found.unwrap().0.clone(), at)
        } else {
            let (name, size) = &sizes[any % sizes.len()];
            (name.clone(), (any / sizes.len()) % size)
        };
        let mut files = whole.clone();
        let bit = random.next_u32() % 8;
        let mut bytes = whole[&name].to_vec().unwrap();
        bytes[at] ^= 1 << bit;
        files.insert(name.clone(), bytes.into());
        // What verifying asks first; a part of them go the whole way.
        let asked = integrity::check(&files).map(|claims| signed::keys(&files, &claims).is_ok());
        assert!(!matches!(asked, Ok(true)), "{name}: byte {at}, bit {bit}");
        if round % 20 == 0 {
            let v = verify_files(&files, &Records::default(), views);
            let refused = v.lines.iter().take(2).any(|l| l.outcome == LineOutcome::Failed);
            assert!(refused && v.code() == 1, "{name}: byte {at}, bit {bit}: {v:?}");
        }
    }
}
