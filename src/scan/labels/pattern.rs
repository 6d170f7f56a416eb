//! Regularities between passwords: counters, common parts, words, dates, rows of keys; and the room that is left.
use super::{CHANCE, Label, Space};
use crate::model::observation::labels::Found;
use std::collections::BTreeSet;

/// Words that stand in factory passwords; only long enough ones, that chance does not make.
const WORDS: [&str; 14] = [
    "password", "passwd", "admin", "default", "welcome", "qwerty", "router", "guest", "secret", "letmein", "super",
    "service", "support", "wireless",
];
const KEYS: [&str; 4] = ["qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890"];
/// Shorter runs come by chance; among digits these do, too.
const RUN: usize = 5;
/// What a row of keys may not be likelier than. Nobody's generator makes one often.
const SELDOM: f64 = 1e-3;
/// The shortest common part that counts.
const COMMON: usize = 3;
/// How far two numbers of neighbouring devices may lie apart.
const NEAR: u128 = 16;

pub(super) fn find(labels: &[Label], space: &Space) -> Found {
    let mut certain = Vec::new();
    let mut doubtful = Vec::new();
    if labels.len() >= 2 {
        certain.extend(equal(labels));
        certain.extend(counter(labels));
        match common(labels, space) {
            Some((what, chance)) if chance < CHANCE => certain.push(what),
            Some((what, _)) => doubtful.push(format!("{what}, which chance may have made: give more samples")),
            None => {}
        }
        certain.extend(dated(labels));
    }
    certain.extend(worded(labels));
    match walked(labels, space) {
        Some((what, chance)) if chance < SELDOM => certain.push(what),
        Some((what, _)) => doubtful.push(format!("{what}, which chance may have made: give more samples")),
        None => {}
    }
    Found { certain, doubtful }
}

fn text(label: &Label) -> String {
    label.password.iter().collect()
}

fn equal(labels: &[Label]) -> Option<String> {
    let different: BTreeSet<String> = labels.iter().map(text).collect();
    let equal = labels.len() - different.len();
    (equal > 0).then(|| format!("{} different passwords in {} samples", different.len(), labels.len()))
}

/// A number at the end that steps evenly from device to device, in the order of the file or of the number itself.
fn counter(labels: &[Label]) -> Option<String> {
    for (name, radix) in [("decimal", 10), ("hexadecimal", 16)] {
        let numbers: Option<Vec<(String, u128)>> = labels.iter().map(|l| tail(l, radix)).collect();
        let Some(mut numbers) = numbers else { continue };
        let first = numbers.first()?.0.clone();
        if numbers.iter().any(|(rest, _)| *rest != first) {
            continue;
        }
        numbers.sort_by_key(|(_, n)| *n);
        let steps: BTreeSet<u128> = numbers.windows(2).filter_map(|w| Some(w.get(1)?.1 - w.first()?.1)).collect();
        let even = labels.len() >= 3 && steps.len() == 1;
        if even || steps.iter().all(|s| *s <= NEAR) {
            return Some(format!("they end in a {name} number that counts up"));
        }
    }
    None
}

/// What stands before the number at the end, and the number, of four digits at least.
fn tail(label: &Label, radix: u32) -> Option<(String, u128)> {
    let digits = label.password.iter().rev().take_while(|c| c.is_digit(radix)).count().min(24);
    let (rest, number) = label.password.split_at(label.password.len() - digits);
    let number: String = number.iter().collect();
    (digits >= 4).then_some(())?;
    Some((rest.iter().collect(), u128::from_str_radix(&number, radix).ok()?))
}

/// The longest part that all have, and how likely chance makes one of its length.
fn common(labels: &[Label], space: &Space) -> Option<(String, f64)> {
    let (first, others) = labels.split_first()?;
    let longest = first.password.len();
    let length = (COMMON..=longest).rev().find(|n| {
        first.password.windows(*n).any(|part| others.iter().all(|o| o.password.windows(*n).any(|w| w == part)))
    })?;
    let begins = first.password.get(..length)?;
    let place = match () {
        () if others.iter().all(|o| o.password.starts_with(begins)) => "begin with",
        () if others
            .iter()
            .all(|o| o.password.ends_with(first.password.get(longest - length..).unwrap_or_default())) =>
        {
            "end in"
        }
        () => "contain",
    };
    let places: f64 = labels.iter().map(|l| count(l.password.len() + 1 - length.min(l.password.len()))).product();
    let chance = places / space.alphabet.powf(count(length * others.len()));
    Some((format!("all {place} the same {length} characters"), chance))
}

#[expect(clippy::cast_precision_loss, reason = "lengths of passwords")]
fn count(n: usize) -> f64 {
    n as f64
}

/// A day of this century in every password.
fn dated(labels: &[Label]) -> Option<String> {
    let day = |digits: &[char]| {
        let s: String = digits.iter().collect();
        let part = |from: usize, to: usize| s.get(from..to)?.parse::<u32>().ok();
        let whole = s.starts_with("20") && s.chars().all(|c| c.is_ascii_digit());
        whole && part(4, 6).is_some_and(|m| (1..=12).contains(&m)) && part(6, 8).is_some_and(|d| (1..=31).contains(&d))
    };
    let all = labels.iter().all(|l| l.password.windows(8).any(day));
    all.then(|| "all contain a date".to_owned())
}

fn worded(labels: &[Label]) -> Option<String> {
    let has = |l: &&Label| {
        let lower = text(l).to_lowercase();
        let made = |(_, v): &(String, String)| {
            v.len() >= RUN && v.chars().all(char::is_alphabetic) && lower.contains(&v.to_lowercase())
        };
        WORDS.iter().any(|w| lower.contains(w)) || l.public.iter().any(made)
    };
    let found = labels.iter().filter(has).count();
    (found > 0).then(|| format!("{found} contain a word or the maker's name"))
}

/// Rows of keys, of the alphabet or of one character.
fn walked(labels: &[Label], space: &Space) -> Option<(String, f64)> {
    let step = |part: &[char], by: i64| {
        let mut codes = part.iter().map(|c| i64::from(u32::from(*c)));
        let Some(first) = codes.next() else { return false };
        codes.zip(1i64..).all(|(c, n)| c - first == by * n) && part.iter().all(char::is_ascii_alphanumeric)
    };
    let keys = |part: &[char]| {
        let run: String = part.iter().collect::<String>().to_lowercase();
        let back: String = run.chars().rev().collect();
        KEYS.iter().any(|row| row.contains(&run) || row.contains(&back))
    };
    let walks = |l: &&Label| l.password.windows(RUN).any(|p| [0, 1, -1].iter().any(|by| step(p, *by)) || keys(p));
    let found = labels.iter().filter(walks).count();
    let what = format!("{found} contain a row of {RUN} keys, letters or digits, or one character {RUN} times");
    let places: f64 = labels.iter().map(|l| count((l.password.len() + 1).saturating_sub(RUN))).sum();
    // Upwards, downwards, the same, and rows of the keyboard in both directions.
    let rows = 3.0 * space.alphabet + 50.0;
    let once = places * rows / space.alphabet.powf(count(RUN));
    (found > 0).then(|| (what, once.powf(count(found))))
}
