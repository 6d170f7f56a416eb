//! What the sessions of several log-ins tell about how they are made. Pure; values go in, and only numbers and words come
//! out.
use crate::model::{digest::hex, observation::access::SessionTokens};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use md5::{Digest, Md5};
use std::collections::{BTreeMap, BTreeSet};

/// What a device that takes the easy way makes sessions from.
pub struct Around {
    pub user: String,
    /// Addresses, in the forms in which they may stand in one.
    pub words: Vec<String>,
    /// Seconds since 1970, from the first log-in to the last.
    pub from: i64,
    pub to: i64,
}

/// Clocks differ by so many seconds from ours where a time is looked for in a digest.
const DRIFT: i64 = 5;
/// A counter's steps are small beside its range.
const SMALL: u128 = 1000;

pub fn compare(path: &str, tokens: &[String], around: &Around) -> SessionTokens {
    let own: Vec<&str> = tokens.iter().map(|t| unsigned(t)).collect();
    let lengths = || own.iter().map(|t| t.chars().count());
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    SessionTokens {
        path: path.to_owned(),
        taken: number(own.len()),
        distinct: number(own.iter().collect::<BTreeSet<_>>().len()),
        shortest: number(lengths().min().unwrap_or(0)),
        longest: number(lengths().max().unwrap_or(0)),
        bits: bits(&own),
        ordered: ordered(&own),
        made_from: made_from(&own, around),
        holds: holds(&own, around),
    }
}

/// Of a signed token (RFC 7515) the signature alone is unpredictable; what is signed tells the user and the time by design.
fn unsigned(token: &str) -> &str {
    let mut parts = token.splitn(3, '.');
    let (Some(head), Some(_), Some(signature)) = (parts.next(), parts.next(), parts.next()) else { return token };
    let signed = URL_SAFE_NO_PAD.decode(head).is_ok_and(|h| h.starts_with(b"{\"") && !signature.is_empty());
    if signed { signature } else { token }
}

/// The sum over all places of the entropy of their characters, with the correction of Miller for few samples; no place
/// has more than the characters that occur at all.
fn bits(tokens: &[&str]) -> u32 {
    let shortest = tokens.iter().map(|t| t.chars().count()).min().unwrap_or(0);
    let alphabet: BTreeSet<char> = tokens.iter().flat_map(|t| t.chars()).collect();
    let most = float(alphabet.len()).log2();
    let n = float(tokens.len());
    let place = |at: usize| {
        let mut counts: BTreeMap<char, usize> = BTreeMap::new();
        for c in tokens.iter().filter_map(|t| t.chars().nth(at)) {
            *counts.entry(c).or_default() += 1;
        }
        let entropy: f64 = counts.values().map(|c| float(*c) / n).map(|p| -p * p.log2()).sum();
        let missing = (float(counts.len()) - 1.0) / (2.0 * n * std::f64::consts::LN_2);
        (entropy + missing).min(most)
    };
    whole((0..shortest).map(place).sum())
}

#[expect(clippy::cast_precision_loss, reason = "counts of characters")]
fn float(n: usize) -> f64 {
    n as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what a u32 holds")]
fn whole(bits: f64) -> u32 {
    bits.clamp(0.0, 4096.0) as u32
}

/// Whether they count up: without what all begin and end with, numbers whose steps are small.
fn ordered(tokens: &[&str]) -> bool {
    let bytes: Vec<&[u8]> = tokens.iter().map(|t| t.as_bytes()).collect();
    let Some(first) = bytes.first().filter(|_| bytes.len() >= 5) else { return false };
    if bytes.iter().any(|t| t.len() != first.len()) {
        return false;
    }
    let same = |at: &usize| bytes.iter().all(|t| t.get(*at) == first.get(*at));
    let head = (0..first.len()).take_while(same).count();
    let tail = (head..first.len()).rev().take_while(same).count();
    let varying: Vec<&[u8]> = bytes.iter().filter_map(|t| t.get(head..first.len() - tail)).collect();
    [10, 16].into_iter().any(|radix| {
        let number = |t: &&[u8]| u128::from_str_radix(std::str::from_utf8(t).ok()?, radix).ok();
        let Some(all) = varying.iter().map(number).collect::<Option<Vec<u128>>>() else { return false };
        let width = u32::try_from(first.len()).unwrap_or(u32::MAX);
        let step = u128::from(radix).checked_pow(width).unwrap_or(u128::MAX) / SMALL;
        all.windows(2).all(|w| matches!(w, [a, b] if b > a && b - a <= step.max(1)))
    })
}

/// Digests of the time, alone or beside the user's name, that come out as the token of at least two log-ins.
fn made_from(tokens: &[&str], around: &Around) -> Vec<String> {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for at in (around.from - DRIFT)..=(around.to + DRIFT) {
        let user = &around.user;
        let sources = [
            ("the time", format!("{at}")),
            ("the user's name and the time", format!("{user}{at}")),
            ("the user's name and the time", format!("{at}{user}")),
        ];
        for (what, text) in sources {
            let digests = [
                hex(&Md5::digest(text.as_bytes())),
                hex(&sha1::Sha1::digest(text.as_bytes())),
                hex(&sha2::Sha256::digest(text.as_bytes())),
            ];
            let same = |t: &&&str| t.len() >= 8 && digests.iter().any(|d| d.starts_with(&t.to_lowercase()));
            *found.entry(what).or_default() += tokens.iter().filter(same).count();
        }
    }
    found.into_iter().filter(|(_, n)| *n >= 2).map(|(what, _)| format!("a digest of {what}")).collect()
}

/// What stands in every one of them, as text, in hex digits or in Base64.
fn holds(tokens: &[&str], around: &Around) -> Vec<String> {
    let every =
        |what: &dyn Fn(&str) -> bool| !tokens.is_empty() && tokens.iter().all(|t| readings(t).iter().any(|r| what(r)));
    let mut found = Vec::new();
    if around.user.len() >= 4 && every(&|r| r.contains(&around.user.to_lowercase())) {
        found.push("the user's name".to_owned());
    }
    if around.words.iter().any(|w| w.len() >= 7 && every(&|r| r.contains(&w.to_lowercase()))) {
        found.push("an address".to_owned());
    }
    let near = |at: i64| (around.from - 600..=around.to + 600).contains(&at);
    let time = |r: &str| {
        let decimal = r.split(|c: char| !c.is_ascii_digit()).any(|run| {
            let seconds = match run.len() {
                10 => run.parse().ok(),
                13 => run.get(..10).and_then(|s| s.parse().ok()),
                _ => None,
            };
            seconds.is_some_and(near)
        });
        decimal || r.get(..8).and_then(|h| i64::from_str_radix(h, 16).ok()).is_some_and(near)
    };
    if every(&time) {
        found.push("the time".to_owned());
    }
    found
}

/// The token as it stands, and as what it may be an encoding of; in lower case.
fn readings(token: &str) -> Vec<String> {
    let mut all = vec![token.to_lowercase()];
    let pairs: Option<Vec<u8>> = token
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|p| u8::from_str_radix(p, 16).ok()))
        .collect();
    let url: String = token
        .trim_end_matches('=')
        .chars()
        .map(|c| match c {
            '+' => '-',
            '/' => '_',
            c => c,
        })
        .collect();
    for bytes in pairs.into_iter().chain(URL_SAFE_NO_PAD.decode(url)) {
        all.extend(String::from_utf8(bytes).map(|t| t.to_lowercase()));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_790_000_000;

    fn look(tokens: &[String]) -> SessionTokens {
        let around = Around { user: "admin".to_owned(), words: vec!["10.0.0.7".to_owned()], from: NOW, to: NOW + 20 };
        compare("/login", tokens, &around)
    }

    fn many(one: impl Fn(i64) -> String) -> SessionTokens {
        look(&(0..40).map(one).collect::<Vec<_>>())
    }

    fn random() -> String {
        hex(&rand::random::<[u8; 16]>())
    }

    #[test]
    fn random_tokens_show_room_and_nothing_else() {
        let seen = many(|_| random());
        assert_eq!((seen.taken, seen.distinct), (40, 40));
        assert!(seen.bits >= 100, "{}", seen.bits);
        assert!(!seen.ordered && seen.made_from.is_empty() && seen.holds.is_empty(), "{seen:?}");
    }

    #[test]
    fn counters_are_told_whatever_they_begin_and_end_with() {
        assert!(many(|n| format!("{:08}", 4200 + n * 3)).ordered);
        assert!(many(|n| format!("sess-{:016x}-a", 0x00ff_fff0 + n)).ordered);
        assert!(!many(|n| format!("{:08}", 4200 - n)).ordered, "it counts down");
    }

    #[test]
    fn a_digest_of_the_time_is_found_behind_all_its_letters() {
        let seen = many(|n| hex(&Md5::digest((NOW + n / 2).to_string().as_bytes())));
        assert_eq!(seen.made_from, ["a digest of the time"]);
        assert!(seen.bits >= 64, "it looks random: {}", seen.bits);
        let seen = many(|n| hex(&sha1::Sha1::digest(format!("admin{}", NOW + n / 2).as_bytes())));
        assert_eq!(seen.made_from, ["a digest of the user's name and the time"]);
    }

    #[test]
    fn what_a_token_holds_is_read_through_its_encoding() {
        let seen =
            many(|n| base64::engine::general_purpose::STANDARD.encode(format!("admin:{}:10.0.0.7", NOW + n / 2)));
        assert_eq!(seen.holds, ["the user's name", "an address", "the time"]);
    }

    #[test]
    fn of_a_signed_token_the_signature_counts() {
        let seen = many(|n| {
            let part = |t: String| URL_SAFE_NO_PAD.encode(t);
            format!(
                "{}.{}.{}",
                part("{\"alg\":\"HS256\"}".to_owned()),
                part(format!("{{\"sub\":\"admin\",\"iat\":{}}}", NOW + n)),
                random()
            )
        });
        assert!(seen.holds.is_empty() && seen.bits >= 100, "{seen:?}");
    }

    proptest! {
        #[test]
        fn no_tokens_can_make_it_panic(tokens: Vec<String>) {
            look(&tokens);
        }
    }
}
