//! Whether a password can be made from what its label tells anybody.
use super::{CHANCE, Label, Space};
use crate::model::{digest::hex, observation::labels::Found};
use base64::{Engine, engine::general_purpose::STANDARD};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The shortest part of an identifier that counts when it stands in a password.
const PART: usize = 6;
/// How far the addresses of one device lie apart.
const NEIGHBOURS: i64 = 4;

pub(super) fn find(labels: &[Label], space: &Space) -> (usize, Found) {
    let mut ways: BTreeMap<String, usize> = BTreeMap::new();
    let mut tried = 0usize;
    let mut holding = 0usize;
    for label in labels {
        let password: String = label.password.iter().collect();
        let mut own = BTreeSet::new();
        for (column, value) in &label.public {
            for (name, made) in forms(value) {
                tried += 1;
                if made.eq_ignore_ascii_case(&password) {
                    own.insert(format!("{name} of `{column}`"));
                }
            }
        }
        holding += usize::from(label.public.iter().any(|(_, v)| shares(&password, v)));
        own.into_iter().for_each(|way| *ways.entry(way).or_default() += 1);
    }
    let mut found = Found::default();
    let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    let one = (count(tried) * (-space.bits).exp2()).min(1.0);
    for (way, hits) in &ways {
        let what = format!("{hits} of {} are {way}", labels.len());
        // The same way for several devices: chance must have struck as often.
        sort_out(one.powf(count(*hits)), what, &mut found);
    }
    if holding > 0 {
        let longest = labels.iter().map(|l| l.password.len()).max().unwrap_or(0);
        let places = count(longest) * 20.0 * count(labels.iter().map(|l| l.public.len()).max().unwrap_or(0));
        let one = (places / space.alphabet.powf(count(PART))).min(1.0);
        let what = format!("{holding} of {} contain {PART} characters of what the label tells", labels.len());
        sort_out(one.powf(count(holding)), what, &mut found);
    }
    (tried, found)
}

fn sort_out(chance: f64, what: String, found: &mut Found) {
    match chance < CHANCE {
        true => found.certain.push(format!("{what} (by chance: {chance:.0e})")),
        false => found.doubtful.push(format!("{what}, which chance makes with {chance:.0e}: give more samples")),
    }
}

/// Whether a part of `value` stands in the password.
fn shares(password: &str, value: &str) -> bool {
    let (password, value) = (password.to_lowercase(), bare(value).to_lowercase());
    let value: Vec<char> = value.chars().collect();
    value.windows(PART).any(|part| password.contains(&part.iter().collect::<String>()))
}

fn bare(value: &str) -> String {
    value.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Everything that is made of one identifier, by name. Case is not distinguished.
fn forms(value: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let plain = bare(value);
    parts("the plain form", &plain, &mut all);
    parts("the reverse", &plain.chars().rev().collect::<String>(), &mut all);
    if let Ok(n) = i64::from_str_radix(&plain, 16) {
        parts("the decimal value", &n.to_string(), &mut all);
        for by in (-NEIGHBOURS..=NEIGHBOURS).filter(|by| *by != 0) {
            parts(
                &format!("the neighbour {by:+}"),
                &format!("{:0width$x}", n.saturating_add(by), width = plain.len()),
                &mut all,
            );
        }
    }
    if let Ok(n) = plain.parse::<u64>() {
        parts("the hexadecimal value", &format!("{n:x}"), &mut all);
    }
    let spelt =
        [value.to_owned(), value.to_lowercase(), value.to_uppercase(), plain.to_lowercase(), plain.to_uppercase()];
    for text in spelt.into_iter().collect::<BTreeSet<_>>() {
        for (name, digest) in [
            ("MD5", Md5::digest(text.as_bytes()).to_vec()),
            ("SHA-1", Sha1::digest(text.as_bytes()).to_vec()),
            ("SHA-256", Sha256::digest(text.as_bytes()).to_vec()),
        ] {
            parts(name, &hex(&digest), &mut all);
            parts(&format!("{name} in base64"), &STANDARD.encode(&digest), &mut all);
        }
    }
    all
}

/// The whole, and its first and last 4 to 16 characters.
fn parts(name: &str, text: &str, all: &mut Vec<(String, String)>) {
    let chars: Vec<char> = text.chars().collect();
    all.push((name.to_owned(), text.to_owned()));
    for n in 4..=16usize {
        if n < chars.len() {
            all.push((format!("the first {n} of {name}"), chars.iter().take(n).collect()));
            all.push((format!("the last {n} of {name}"), chars.iter().skip(chars.len() - n).collect()));
        }
    }
}
