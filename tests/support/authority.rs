//! A time-stamping authority of stock `openssl`.
use patuh::bundle::{layout, seal::attach, timestamp};
use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output},
    thread::JoinHandle,
};

fn run(command: &mut Command) -> Output {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{command:?}: {out:?}");
    out
}

/// A time-stamping authority of its own, of stock `openssl`.
pub struct Authority {
    pub dir: PathBuf,
}

impl Authority {
    pub fn new(dir: &Path, key: &[&str]) -> Self {
        let dir = dir.to_owned();
        fs::create_dir(&dir).unwrap();
        let config = format!(
            "[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n[tsa]\nextendedKeyUsage=critical,timeStamping\n\
             [ts]\ndefault_tsa=conf\n[conf]\nserial={0}/serial\nsigner_cert={0}/tsa.pem\nsigner_key={0}/tsa.key\n\
             certs={0}/ca.pem\nsigner_digest=sha256\ndefault_policy=1.2.3.4\ndigests=sha256,sha512\n[req]\ndistinguished_name=dn\n[dn]\n",
            dir.display()
        );
        fs::write(dir.join("cnf"), config).unwrap();
        fs::write(dir.join("serial"), "01").unwrap();
        let here = |args: &[&str]| {
            run(Command::new("openssl").args(args).current_dir(&dir));
        };
        let both = [&["req", "-newkey"], key, &["-nodes", "-config", "cnf", "-days", "30"]].concat();
        here(
            &[&both[..], &["-x509", "-subj", "/CN=Root", "-extensions", "ca", "-keyout", "ca.key", "-out", "ca.pem"]]
                .concat(),
        );
        here(&[&both[..], &["-subj", "/CN=Time", "-keyout", "tsa.key", "-out", "tsa.csr"]].concat());
        here(&[
            "x509",
            "-req",
            "-in",
            "tsa.csr",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-extfile",
            "cnf",
            "-extensions",
            "tsa",
            "-days",
            "30",
            "-out",
            "tsa.pem",
        ]);
        Self { dir }
    }

    pub fn usual(dir: &Path) -> Self {
        Self::new(dir, &["rsa:2048"])
    }

    pub fn answer(&self, query: &[u8]) -> Vec<u8> {
        fs::write(self.dir.join("q"), query).unwrap();
        let args = ["ts", "-reply", "-config", "cnf", "-section", "conf", "-queryfile", "q", "-out", "r"];
        run(Command::new("openssl").args(args).current_dir(&self.dir));
        fs::read(self.dir.join("r")).unwrap()
    }

    pub fn anchors(&self) -> Vec<u8> {
        fs::read(self.dir.join("ca.pem")).unwrap()
    }

    pub fn stamp(&self, bundle: &Path) -> Vec<u8> {
        let query = timestamp::query(&fs::read(bundle.join(layout::SIGNATURE)).unwrap()).unwrap();
        let answer = self.answer(&query);
        attach(bundle, &answer).unwrap();
        answer
    }

    /// Answers this many queries over http.
    pub fn serve(&self, queries: usize) -> (String, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let authority = Self { dir: self.dir.clone() };
        (url, std::thread::spawn(move || (0..queries).for_each(|_| authority.answer_one(&listener))))
    }

    fn answer_one(&self, listener: &TcpListener) {
        let (mut stream, _) = listener.accept().unwrap();
        let mut got = Vec::new();
        let mut part = [0; 4096];
        let query = loop {
            let n = stream.read(&mut part).unwrap();
            got.extend(&part[..n]);
            let head = got.windows(4).position(|w| w == b"\r\n\r\n");
            // A query of ours is 59 bytes long: SHA-256, no nonce, certificate wanted.
            if let Some(head) = head.filter(|h| got.len() >= h + 4 + 59) {
                break got[head + 4..].to_vec();
            }
        };
        let head = String::from_utf8_lossy(&got).to_lowercase();
        assert!(head.contains("content-type: application/timestamp-query"), "{head}");
        let answer = self.answer(&query);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", answer.len());
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&answer).unwrap();
    }
}
