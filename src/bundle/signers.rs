//! A certifier's own records of whose key may seal: the `allowed_signers` file of `ssh-keygen` (ssh-keygen(1), ALLOWED SIGNERS).
use ssh_key::PublicKey;
use thiserror::Error;

#[derive(Debug, Error, PartialEq, Eq)]
pub enum SignerError {
    #[error("allowed signers, line {0}: not `PRINCIPALS [OPTIONS] KEYTYPE KEY`; correct the line")]
    Line(usize),
    #[error("no line of the allowed signers has the key {0}; ask the laboratory for its key by another way")]
    Unknown(String),
    #[error("`{principal}` may not sign for namespace `{namespace}` (line {line} of the allowed signers)")]
    Namespace { principal: String, namespace: String, line: usize },
    #[error("the key of `{principal}` was not valid at {at} (line {line} of the allowed signers)")]
    NotValid { principal: String, at: String, line: usize },
    #[error("the key {key} was revoked (line {line} of the revoked keys)")]
    Revoked { key: String, line: usize },
    #[error("revoked keys, line {0}: not `KEYTYPE KEY`; list public keys, a binary KRL is not read")]
    RevokedLine(usize),
}

/// The principal that `key` belongs to, where it may sign for `namespace`. `at` is when it is said to have
/// signed (RFC 3339, UTC); the validity times of a line are read as UTC. Certificate authorities are not followed.
pub fn principal(signers: &str, key: &PublicKey, at: &str, namespace: &str) -> Result<String, SignerError> {
    let mut refused = SignerError::Unknown(super::sign::fingerprint(key).to_string());
    for (n, text) in signers.lines().enumerate() {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let line = n + 1;
        let entry = Entry::parse(text).ok_or(SignerError::Line(line))?;
        if entry.authority || entry.key.key_data() != key.key_data() {
            continue;
        }
        let principal = entry.principals.clone();
        if !entry.namespaces.as_deref().is_none_or(|n| matches_list(n, namespace)) {
            refused = SignerError::Namespace { principal, namespace: namespace.to_owned(), line };
        } else if !entry.valid(at) {
            refused = SignerError::NotValid { principal, at: at.to_owned(), line };
        } else {
            return Ok(principal);
        }
    }
    Err(refused)
}

/// Whether none of `list` is `key`: public keys, one a line, as `ssh-keygen -Y verify -r` reads them.
pub fn not_revoked(list: &str, key: &PublicKey) -> Result<(), SignerError> {
    let lines = list.lines().map(str::trim).enumerate();
    for (n, text) in lines.filter(|(_, l)| !l.is_empty() && !l.starts_with('#')) {
        let gone = PublicKey::from_openssh(text).map_err(|_| SignerError::RevokedLine(n + 1))?;
        if gone.key_data() == key.key_data() {
            return Err(SignerError::Revoked { key: super::sign::fingerprint(key).to_string(), line: n + 1 });
        }
    }
    Ok(())
}

/// A line for a certifier's records.
pub fn line(principal: &str, public: &str) -> String {
    format!("{principal} namespaces=\"{}\" {}\n", super::sign::NAMESPACE, public.trim())
}

struct Entry {
    principals: String,
    authority: bool,
    namespaces: Option<String>,
    after: Option<String>,
    before: Option<String>,
    key: PublicKey,
}

impl Entry {
    fn parse(line: &str) -> Option<Self> {
        let (principals, rest) = word(line)?;
        let (first, _) = word(rest)?;
        let (options, key) = if is_key_type(&first) { (String::new(), rest) } else { word(rest)? };
        let mut parts = key.split_whitespace();
        let key = PublicKey::from_openssh(&format!("{} {}", parts.next()?, parts.next()?)).ok()?;
        let (principals, plain) = (principals.replace('"', ""), |v: &str| v.trim_matches('"').to_owned());
        let mut entry = Self { principals, authority: false, namespaces: None, after: None, before: None, key };
        for option in split_options(&options) {
            match option.split_once('=') {
                None if option.eq_ignore_ascii_case("cert-authority") => entry.authority = true,
                Some((name, v)) if name.eq_ignore_ascii_case("namespaces") => entry.namespaces = Some(plain(v)),
                Some((name, v)) if name.eq_ignore_ascii_case("valid-after") => entry.after = Some(plain(v)),
                Some((name, v)) if name.eq_ignore_ascii_case("valid-before") => entry.before = Some(plain(v)),
                _ => return None,
            }
        }
        Some(entry)
    }

    /// `YYYYMMDD[HHMM[SS]][Z]` against an RFC 3339 time, both as fourteen digits.
    fn valid(&self, at: &str) -> bool {
        let at = digits(at);
        self.after.as_deref().is_none_or(|t| at >= digits(t)) && self.before.as_deref().is_none_or(|t| at < digits(t))
    }
}

fn digits(time: &str) -> String {
    let found: String = time.chars().filter(char::is_ascii_digit).take(14).collect();
    format!("{found:0<14}")
}

fn is_key_type(word: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-"].iter().any(|p| word.starts_with(p))
}

/// The first word, in which spaces may stand between quotes, and what follows it.
fn word(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    let mut quoted = false;
    let end = text.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        !quoted && c.is_whitespace()
    });
    let (head, rest) = text.split_at(end.map_or(text.len(), |(at, _)| at));
    (!head.is_empty()).then(|| (head.to_owned(), rest.trim_start()))
}

fn split_options(text: &str) -> Vec<&str> {
    let mut quoted = false;
    let parts = text.split(|c: char| {
        quoted ^= c == '"';
        !quoted && c == ','
    });
    parts.filter(|p| !p.is_empty()).collect()
}

/// A pattern list as in ssh_config(5): `*` and `?`, and `!` refuses.
fn matches_list(list: &str, name: &str) -> bool {
    let mut found = false;
    for pattern in list.split(',').map(str::trim) {
        match pattern.strip_prefix('!') {
            Some(p) if matches(p.as_bytes(), name.as_bytes()) => return false,
            Some(_) => {}
            None => found |= matches(pattern.as_bytes(), name.as_bytes()),
        }
    }
    found
}

fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), None) => matches(rest, name),
        (Some((b'*', rest)), Some((_, tail))) => matches(rest, name) || matches(pattern, tail),
        (Some((b'?', rest)), Some((_, tail))) => matches(rest, tail),
        (Some((a, rest)), Some((b, tail))) => a == b && matches(rest, tail),
        (None, Some(_)) | (Some(_), None) => false,
    }
}
