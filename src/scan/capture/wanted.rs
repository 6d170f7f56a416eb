//! Secrets of the tester, searched for in every form in which a device may send them in clear.
use crate::model::digest::hex;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use md5::Md5;
use regex::bytes::{Regex, RegexBuilder};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A shorter one is met by chance.
pub const SHORTEST: usize = 6;

#[derive(Default)]
pub(super) struct Wanted {
    forms: Vec<(&'static str, Regex)>,
    pub secrets: u32,
}

impl Wanted {
    /// Nothing where one of them is too short to be told from chance.
    pub fn new(secrets: &[Vec<u8>]) -> Option<Self> {
        if secrets.iter().any(|s| s.len() < SHORTEST) {
            return None;
        }
        let mut by_form: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        for (how, bytes) in secrets.iter().flat_map(|s| forms(s)) {
            let escaped = bytes.iter().map(|b| format!("\\x{b:02x}")).collect();
            by_form.entry(how).or_default().push(escaped);
        }
        let pattern =
            |all: Vec<String>| RegexBuilder::new(&all.join("|")).unicode(false).size_limit(64 << 20).build().ok();
        let forms: Option<Vec<_>> = by_form.into_iter().map(|(how, all)| Some((how, pattern(all)?))).collect();
        Some(Self { forms: forms?, secrets: u32::try_from(secrets.len()).unwrap_or(u32::MAX) })
    }

    /// How it was written, and where.
    pub fn places(&self, bytes: &[u8]) -> Vec<(&'static str, usize)> {
        self.forms.iter().filter_map(|(how, form)| Some((*how, form.find(bytes)?.start()))).collect()
    }
}

fn forms(secret: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut all = vec![("as it is", secret.to_vec())];
    let wide: Vec<u8> = secret.iter().flat_map(|b| [*b, 0]).collect();
    all.push(("as it is", wide));
    // What stands before and after decides the first and the last characters of Base64.
    for skipped in 0..3 {
        let mut bytes = vec![0; skipped];
        bytes.extend(secret);
        let from = [0, 2, 3].get(skipped).copied().unwrap_or_default();
        let to = bytes.len() * 8 / 6;
        for encoded in [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            all.extend(encoded.as_bytes().get(from..to).map(|e| ("in Base64", e.to_vec())));
        }
    }
    let percent: String = secret
        .iter()
        .map(|b| {
            if b.is_ascii_alphanumeric() || b"-._~".contains(b) {
                char::from(*b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect();
    all.push(("percent-encoded", percent.clone().into_bytes()));
    all.push(("percent-encoded", percent.replace("%20", "+").into_bytes()));
    let digests = [hex(&Md5::digest(secret)), hex(&Sha1::digest(secret)), hex(&Sha256::digest(secret))];
    let written = digests.into_iter().map(|d| ("as a digest", d)).chain([("in hexadecimal", hex(secret))]);
    for (how, text) in written {
        all.push((how, text.to_uppercase().into_bytes()));
        all.push((how, text.into_bytes()));
    }
    all.retain(|(how, form)| *how == "as it is" || form != secret);
    all
}
