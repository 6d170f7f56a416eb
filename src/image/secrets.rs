//! Private keys that a package gives to everybody who downloads it.
use super::unpack::Visitor;
use serde::Serialize;

const MOST_FOUND: usize = 100;
/// How far from its first line a key's last line may stand.
const LONGEST_KEY: usize = 16 * 1024;

/// The first line of a private key's file, and what it is.
const MARKS: &[(&[u8], &str)] = &[
    (b"-----BEGIN RSA PRIVATE KEY-----", "RSA private key (PEM)"),
    (b"-----BEGIN EC PRIVATE KEY-----", "EC private key (PEM)"),
    (b"-----BEGIN DSA PRIVATE KEY-----", "DSA private key (PEM)"),
    (b"-----BEGIN PRIVATE KEY-----", "private key (PKCS#8)"),
    (b"-----BEGIN ENCRYPTED PRIVATE KEY-----", "private key under a passphrase (PKCS#8)"),
    (b"-----BEGIN OPENSSH PRIVATE KEY-----", "OpenSSH private key"),
    (b"-----BEGIN PGP PRIVATE KEY BLOCK-----", "OpenPGP private key"),
    (b"PuTTY-User-Key-File-", "PuTTY private key"),
    (b"untrusted comment: minisign encrypted secret key", "minisign private key"),
    (b"untrusted comment: signify secret key", "signify private key"),
];

/// A private key inside; its text is never kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Secret {
    /// The names of the containers and the file, joined by `!`.
    pub path: String,
    pub kind: &'static str,
}

/// Part of a package that nobody looked into.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unseen {
    pub path: String,
    pub why: String,
}

#[derive(Default)]
pub struct Search {
    pub found: Vec<Secret>,
    pub unseen: Vec<Unseen>,
}

impl Visitor for Search {
    fn visit(&mut self, path: &str, bytes: &[u8]) {
        for (mark, kind) in MARKS {
            if self.found.len() < MOST_FOUND && holds(bytes, mark) {
                self.found.push(Secret { path: name(path), kind });
            }
        }
    }

    fn unseen(&mut self, path: &str, why: &str) {
        if self.unseen.len() < MOST_FOUND {
            self.unseen.push(Unseen { path: name(path), why: crate::model::observation::clean(why, 120) });
        }
    }
}

impl Search {
    /// Sorted; a file inside a container is named once, at its innermost place.
    pub fn finish(mut self) -> (Vec<Secret>, Vec<Unseen>) {
        self.found.sort();
        self.found.dedup();
        let deeper = |s: &Secret| {
            self.found.iter().any(|o| {
                o.kind == s.kind && (s.path == "." && o.path != "." || o.path.starts_with(&format!("{}!", s.path)))
            })
        };
        let found = self.found.iter().filter(|s| !deeper(s)).cloned().collect();
        self.unseen.sort();
        self.unseen.dedup();
        (found, self.unseen)
    }
}

fn name(path: &str) -> String {
    if path.is_empty() { ".".to_owned() } else { super::shown(path) }
}

/// A library that reads keys holds the mark too: a key's mark is followed by a line's end and the key.
fn holds(bytes: &[u8], mark: &[u8]) -> bool {
    let mut from = 0;
    while let Some(at) = find(bytes.get(from..).unwrap_or_default(), mark) {
        let start = from + at + mark.len();
        let rest = bytes.get(start..bytes.len().min(start + LONGEST_KEY)).unwrap_or_default();
        if follows(mark, rest) {
            return true;
        }
        from = start;
    }
    false
}

fn follows(mark: &[u8], rest: &[u8]) -> bool {
    if !mark.starts_with(b"-----") {
        // `PuTTY-User-Key-File-3: ssh-ed25519`, or a comment's line and a line of Base64.
        let line = rest.iter().take(200).position(|b| *b == b'\n').unwrap_or(0);
        return line > 0 && rest.get(line + 1..line + 9).is_some_and(|n| n.iter().all(u8::is_ascii_graphic));
    }
    let end = find(rest, b"-----END ").unwrap_or(0);
    let body = rest.get(..end).unwrap_or_default();
    let line = body.starts_with(b"\n") || body.starts_with(b"\r\n") || body.starts_with(b"\\n");
    line && body.iter().filter(|b| b.is_ascii_alphanumeric()).count() >= 40
}

pub fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(at) = bytes.get(from..)?.iter().position(|b| *b == first) {
        let start = from + at;
        if bytes.get(start..start + needle.len()) == Some(needle) {
            return Some(start);
        }
        from = start + 1;
    }
    None
}
