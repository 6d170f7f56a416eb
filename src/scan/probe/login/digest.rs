//! Digest answers (RFC 7616; RFC 2326 for RTSP).
use crate::model::digest::hex;
use md5::{Digest, Md5};

/// What to send, and the part of it that must not be kept.
pub struct Answer {
    pub header: String,
    pub response: String,
}

/// Answers a `Digest ...` challenge for one request. `None` where it is no such challenge.
pub fn answer(challenge: &str, method: &str, uri: &str, user: &str, secret: &str) -> Option<Answer> {
    if !challenge.to_ascii_lowercase().starts_with("digest") {
        return None;
    }
    let (realm, nonce) = (parameter(challenge, "realm"), parameter(challenge, "nonce"));
    let algorithm = parameter(challenge, "algorithm");
    let hash = |text: String| match algorithm.to_ascii_uppercase().as_str() {
        "SHA-256" => hex(&sha2::Sha256::digest(text.as_bytes())),
        _ => hex(&Md5::digest(text.as_bytes())),
    };
    let (ha1, ha2) = (hash(format!("{user}:{realm}:{secret}")), hash(format!("{method}:{uri}")));
    let cnonce = format!("{:016x}", rand::random::<u64>());
    let qop = parameter(challenge, "qop").split(',').any(|q| q.trim() == "auth");
    let response = match qop {
        true => hash(format!("{ha1}:{nonce}:00000001:{cnonce}:auth:{ha2}")),
        false => hash(format!("{ha1}:{nonce}:{ha2}")),
    };
    let mut header = format!(
        "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\""
    );
    if qop {
        header.push_str(&format!(", qop=auth, nc=00000001, cnonce=\"{cnonce}\""));
    }
    for name in ["opaque", "algorithm"] {
        let v = parameter(challenge, name);
        if !v.is_empty() {
            header.push_str(&format!(", {name}={}", if name == "opaque" { format!("\"{v}\"") } else { v }));
        }
    }
    Some(Answer { header, response })
}

/// A parameter of a challenge, quoted or not.
pub fn parameter(header: &str, name: &str) -> String {
    let lower = header.to_ascii_lowercase();
    let at = lower
        .match_indices(&format!("{name}="))
        .find(|(n, _)| *n == 0 || lower.as_bytes().get(n - 1).is_some_and(|b| matches!(b, b' ' | b',')));
    let Some(value) = at.and_then(|(n, m)| header.get(n + m.len()..)) else { return String::new() };
    match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or_default().to_owned(),
        None => value.split([',', ' ']).next().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenge_parameters_are_read_quoted_and_bare() {
        let h = r#"Digest realm="cam, front", nonce="abc", algorithm=MD5, qop="auth,auth-int", cnonce="no""#;
        assert_eq!(parameter(h, "realm"), "cam, front");
        assert_eq!(parameter(h, "nonce"), "abc");
        assert_eq!(parameter(h, "algorithm"), "MD5");
        assert_eq!(parameter(h, "opaque"), "");
    }

    #[test]
    fn the_response_is_that_of_the_example_of_rfc_2617_without_qop() {
        let h = r#"Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093""#;
        let a = answer(h, "GET", "/dir/index.html", "Mufasa", "Circle Of Life").unwrap();
        assert_eq!(a.response, "670fd8c2df070c60b045671b8b24ff02");
        assert!(answer("Basic realm=\"x\"", "GET", "/", "a", "b").is_none());
    }
}
