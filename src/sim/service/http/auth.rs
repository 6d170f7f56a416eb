//! Basic (RFC 7617) and Digest (RFC 7616, MD5) credentials.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};

use super::wire::Request;
use crate::sim::account::{Accounts, Login};

/// User and password of a Basic header.
pub(super) fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// Unguessable tokens given out: nonces, sessions, form tokens. Old ones are forgotten.
#[derive(Default)]
pub(in crate::sim::service) struct Tokens(Mutex<VecDeque<String>>);

impl Tokens {
    const MOST: usize = 64;

    pub fn issue(&self) -> String {
        let token = format!("{:032x}", rand::random::<u128>());
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.push_back(token.clone());
        if tokens.len() > Self::MOST {
            tokens.pop_front();
        }
        token
    }

    /// Takes a token that somebody else made.
    pub fn adopt(&self, token: &str) {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !tokens.iter().any(|known| known == token) {
            tokens.push_back(token.to_owned());
        }
        if tokens.len() > Self::MOST {
            tokens.pop_front();
        }
    }

    pub fn knows(&self, token: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|known| known == token)
    }

    pub fn revoke(&self, token: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|known| known != token);
    }
}

/// The challenge of a digest.
pub(in crate::sim::service) fn digest_challenge(realm: &str, nonces: &Tokens) -> String {
    format!("Digest realm=\"{realm}\", qop=\"auth\", algorithm=MD5, nonce=\"{}\"", nonces.issue())
}

/// Judges a digest answer; `None` where the header is no answer to a challenge of ours.
pub(super) fn digest(request: &Request, realm: &str, nonces: &Tokens, accounts: &Accounts) -> Option<Login> {
    let header = request.header("authorization")?;
    prove_digest(header, (&request.method, &request.target), realm, nonces, accounts)
}

/// The nonce of this answer is taken no more.
pub(super) fn spend(request: &Request, nonces: &Tokens) {
    let header = request.header("authorization").and_then(|h| h.split_once(' '));
    if let Some(nonce) = header.and_then(|(_, rest)| parameters(rest).remove("nonce")) {
        nonces.revoke(&nonce);
    }
}

/// One challenge for everybody, for ever.
pub(super) fn same_challenge(realm: &str, nonces: &Tokens) -> String {
    const NONCE: &str = "5f2b1c90aa34";
    nonces.adopt(NONCE);
    format!("Digest realm=\"{realm}\", qop=\"auth\", algorithm=MD5, nonce=\"{NONCE}\"")
}

/// The same for a request of any protocol: its header, its method and its target.
pub(in crate::sim::service) fn prove_digest(
    header: &str,
    (method, target): (&str, &str),
    realm: &str,
    nonces: &Tokens,
    accounts: &Accounts,
) -> Option<Login> {
    let (scheme, rest) = header.split_once(' ')?;
    let fields = parameters(rest);
    let field = |name: &str| fields.get(name).map(String::as_str);
    let nonce = field("nonce")?;
    if !scheme.eq_ignore_ascii_case("digest") || !nonces.knows(nonce) || field("uri")? != target {
        return None;
    }
    let user = field("username")?;
    let response = field("response")?;
    let ha2 = md5_hex(&format!("{method}:{target}"));
    let middle = match field("qop") {
        Some(qop) => format!("{nonce}:{}:{}:{qop}", field("nc")?, field("cnonce")?),
        // RFC 2069 clients.
        None => nonce.to_owned(),
    };
    Some(accounts.prove(user, |password| {
        let ha1 = md5_hex(&format!("{user}:{realm}:{password}"));
        md5_hex(&format!("{ha1}:{middle}:{ha2}")).eq_ignore_ascii_case(response)
    }))
}

pub(super) fn md5_hex(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `name=value` and `name="value"` separated by commas; commas in quotes do not separate.
fn parameters(text: &str) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    let mut rest = text.trim();
    while let Some((name, after)) = rest.split_once('=') {
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').map_or((after, ""), |(value, next)| (value.trim(), next)),
        };
        fields.insert(name.trim().to_ascii_lowercase(), value.to_owned());
        rest = next.trim_start_matches([',', ' ']);
    }
    fields
}
