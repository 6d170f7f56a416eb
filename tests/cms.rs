//! A laboratory with an X.509 key signs the statement with it as well; stock `openssl` agrees.
#![expect(clippy::unwrap_used, reason = "tests")]
#[path = "support/sealing.rs"]
#[expect(dead_code, reason = "another test uses the rest")]
mod support;
use patuh::bundle::{CmsKey, LineOutcome, Records, cms, keygen, layout, open, signers, statement::Claims, verify};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};
use support::{lines, views};

struct Lab(tempfile::TempDir);

const KINDS: [&[&str]; 3] =
    [&["rsa:2048"], &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], &["ec", "-pkeyopt", "ec_paramgen_curve:P-384"]];

fn run(command: &mut Command) -> Output {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{command:?}: {out:?}");
    out
}

impl Lab {
    /// A recording, an SSH key, and a certificate of this kind below an authority and one between.
    fn new(kind: &[&str]) -> Self {
        let lab = Self(tempfile::tempdir().unwrap());
        fs::create_dir(lab.path("recording")).unwrap();
        fs::write(lab.path("recording/recording.jsonl"), lines("BusyBox telnetd").join("\n") + "\n").unwrap();
        fs::write(lab.path("recording/transcripts.jsonl"), format!("{}\n", support::TRANSCRIPT)).unwrap();
        fs::write(lab.path("p.toml"), support::PROFILE).unwrap();
        let key = keygen(&lab.path("key")).unwrap();
        fs::write(lab.path("allowed"), signers::line("m@lab", &key.public_line().unwrap())).unwrap();
        let config = "[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n\
                      [lab]\nkeyUsage=critical,digitalSignature,nonRepudiation\n[req]\ndistinguished_name=dn\n[dn]\n";
        fs::write(lab.path("cnf"), config).unwrap();
        for name in ["root", "other"] {
            let subject = format!("/CN={name}");
            let (key, cert) = (format!("{name}.key"), format!("{name}.pem"));
            let args = ["-nodes", "-config", "cnf", "-days", "30", "-x509", "-subj", &subject, "-extensions", "ca"];
            lab.openssl(&[&["req", "-newkey"], kind, &args, &["-keyout", &key, "-out", &cert]].concat());
        }
        lab.issue(kind, "between", "root", "ca");
        lab.issue(kind, "lab", "between", "lab");
        let chain = [fs::read(lab.path("lab.pem")).unwrap(), fs::read(lab.path("between.pem")).unwrap()].concat();
        fs::write(lab.path("chain.pem"), chain).unwrap();
        lab
    }

    fn issue(&self, kind: &[&str], name: &str, by: &str, extensions: &str) {
        let [key, csr, cert] = ["key", "csr", "pem"].map(|e| format!("{name}.{e}"));
        let (subject, ca, ca_key) = (format!("/O=Test Lab/CN={name}"), format!("{by}.pem"), format!("{by}.key"));
        let args = ["-nodes", "-config", "cnf", "-subj", &subject, "-keyout", &key, "-out", &csr];
        self.openssl(&[&["req", "-newkey"], kind, &args].concat());
        let args = ["x509", "-req", "-in", &csr, "-CA", &ca, "-CAkey", &ca_key, "-CAcreateserial", "-days", "30"];
        self.openssl(&[&args[..], &["-extfile", "cnf", "-extensions", extensions, "-out", &cert]].concat());
    }

    fn openssl(&self, args: &[&str]) {
        run(Command::new("openssl").args(args).current_dir(self.0.path()));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn patuh(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_patuh")).args(args).current_dir(self.0.path()).output().unwrap()
    }

    fn seal(&self) -> PathBuf {
        let args = ["seal", "recording", "--profile", "p.toml", "--key", "key", "--out", "bundle"];
        let out = self.patuh(&[&args[..], &["--cms-cert", "chain.pem", "--cms-key", "lab.key"]].concat());
        assert!(out.status.success(), "{out:?}");
        self.path("bundle")
    }

    fn script(&self, bundle: &Path, anchors: &str) -> (bool, String) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify-bundle.sh");
        let mut tool = Command::new("sh");
        tool.arg(script).arg(bundle).args(["allowed", "", anchors]).current_dir(self.0.path());
        let out = tool.output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        (out.status.success(), said)
    }
}

fn authentic(bundle: &Path, cms_anchors: Option<&[u8]>, allowed: &str) -> (LineOutcome, String) {
    let v = verify(bundle, &Records { signers: Some(allowed), cms_anchors, ..Records::default() }, views);
    (v.lines[1].outcome, v.lines[1].detail.clone())
}

#[test]
fn stock_openssl_and_the_reader_accept_the_signature_of_every_kind_of_key() {
    for kind in KINDS {
        let lab = Lab::new(kind);
        let bundle = lab.seal();
        let mut stock = Command::new("openssl");
        stock.args(["cms", "-verify", "-binary", "-cades", "-inform", "DER", "-in", layout::CMS, "-purpose", "any"]);
        stock.args(["-content", layout::STATEMENT, "-out", "/dev/null", "-CAfile"]).arg(lab.path("root.pem"));
        run(stock.current_dir(&bundle));
        let allowed = fs::read_to_string(lab.path("allowed")).unwrap();
        let anchors = |name: &str| fs::read(lab.path(name)).unwrap();
        let (outcome, said) = authentic(&bundle, Some(&anchors("root.pem")), &allowed);
        assert!(outcome == LineOutcome::Ok && said.contains("by the certificate of CN=lab,O=Test Lab"), "{said}");
        let (outcome, said) = authentic(&bundle, Some(&anchors("other.pem")), &allowed);
        assert!(outcome == LineOutcome::Failed && said.contains("does not lead to your anchors"), "{said}");
        let (outcome, said) = authentic(&bundle, None, &allowed);
        assert!(outcome == LineOutcome::Ok && said.contains("not compared with --cms-anchors"), "{said}");
        let (good, said) = lab.script(&bundle, "root.pem");
        assert!(good && said.contains("certificate: ok"), "{said}");
        let (good, said) = lab.script(&bundle, "other.pem");
        assert!(!good && said.contains("not by a certificate of your authorities"), "{said}");
        let out = lab.patuh(&["verify", "bundle", "--signers", "allowed", "--cms-anchors", "root.pem"]);
        assert!(out.status.success() && String::from_utf8_lossy(&out.stdout).contains("CN=lab"), "{out:?}");
    }
}

#[test]
fn the_signature_can_be_neither_taken_away_nor_added_nor_changed() {
    let lab = Lab::new(KINDS[1]);
    let bundle = lab.seal();
    let file = bundle.join(layout::CMS);
    let (whole, statement) = (fs::read(&file).unwrap(), fs::read(bundle.join(layout::STATEMENT)).unwrap());
    let claims = Claims::parse(&statement).unwrap();
    assert!(cms::check(&whole, &statement, &claims).is_ok());
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        assert!(cms::check(&bytes, &statement, &claims).is_err(), "byte {at} is free");
    }
    fs::write(&file, [&whole[..40], &[whole[40] ^ 1], &whole[41..]].concat()).unwrap();
    assert!(open(&bundle).unwrap_err().to_string().contains("statement.json.p7s`"));
    fs::remove_file(&file).unwrap();
    assert!(open(&bundle).unwrap_err().to_string().contains("`seal/statement.json.p7s` is missing"));
    assert!(!lab.script(&bundle, "").0);
    let out = lab.patuh(&["seal", "recording", "--profile", "p.toml", "--key", "key", "--out", "plain"]);
    assert!(out.status.success(), "{out:?}");
    let allowed = fs::read_to_string(lab.path("allowed")).unwrap();
    let (outcome, said) = authentic(&lab.path("plain"), Some(&fs::read(lab.path("root.pem")).unwrap()), &allowed);
    assert!(outcome == LineOutcome::Failed && said.contains("no certificate signed it"), "{said}");
    assert!(!lab.script(&lab.path("plain"), "root.pem").0);
    fs::write(lab.path("plain").join(layout::CMS), whole).unwrap();
    assert!(open(&lab.path("plain")).unwrap_err().to_string().contains("names no such signer"));
    assert!(!lab.script(&lab.path("plain"), "").0);
}

#[test]
fn a_key_that_does_not_fit_its_certificate_is_refused_before_anything_is_written() {
    let lab = Lab::new(KINDS[1]);
    let args =
        ["seal", "recording", "--profile", "p.toml", "--key", "key", "--out", "bundle", "--cms-cert", "chain.pem"];
    let out = lab.patuh(&[&args[..], &["--cms-key", "root.key"]].concat());
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.code() == Some(78) && said.contains("does not belong to the first certificate"), "{said}");
    assert!(!lab.path("bundle").exists());
    assert_eq!(lab.patuh(&args).status.code(), Some(64));
    let text = |name: &str| fs::read_to_string(lab.path(name)).unwrap();
    let error = CmsKey::read(text("chain.pem").as_bytes(), "no key").unwrap_err().to_string();
    assert!(error.contains("PKCS #8"), "{error}");
}
