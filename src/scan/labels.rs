//! Passwords of labels, compared: is there a regularity, can they be made from what the label tells anybody, how much room is
//! there to guess in. Pure; no password ever leaves this module, in whole or in part.
mod derive;
mod pattern;

use crate::model::observation::labels::{Characters, Labels};
use std::collections::BTreeSet;
use thiserror::Error;

/// A verdict that chance could have made, is none.
const CHANCE: f64 = 1e-6;

#[derive(Debug, Error)]
pub enum LabelError {
    #[error("line {line}: not readable as CSV ({why}); save it as UTF-8 CSV")]
    Row { line: usize, why: String },
    // The columns are not shown: without a header the first row holds a password.
    #[error("line 1: no column `password`; name the columns in the first line")]
    NoPassword,
    #[error("line {0}: the password is empty; leave the row out")]
    Empty(usize),
    #[error("no row below the header; write one per device")]
    NoRows,
}

/// One device's label.
pub struct Label {
    password: Vec<char>,
    /// Column and value of what anybody may read: serial number, MAC address, network name.
    public: Vec<(String, String)>,
}

pub fn read(bytes: &[u8]) -> Result<Vec<Label>, LabelError> {
    let mut rows = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let bad = |line: usize, e: csv::Error| LabelError::Row { line, why: e.to_string() };
    let header: Vec<String> = rows.headers().map_err(|e| bad(1, e))?.iter().map(str::to_lowercase).collect();
    let Some(at) = header.iter().position(|h| h == "password") else {
        return Err(LabelError::NoPassword);
    };
    let mut labels = Vec::new();
    for (n, row) in rows.records().enumerate() {
        let line = n + 2;
        let row = row.map_err(|e| bad(line, e))?;
        let password: Vec<char> = row.get(at).unwrap_or_default().chars().collect();
        if password.is_empty() {
            return Err(LabelError::Empty(line));
        }
        let cells =
            header.iter().zip(row.iter()).enumerate().filter(|(n, (h, v))| *n != at && *h != "sample" && !v.is_empty());
        let public = cells.map(|(_, (h, v))| (h.clone(), v.to_owned())).collect();
        labels.push(Label { password, public });
    }
    if labels.is_empty() { Err(LabelError::NoRows) } else { Ok(labels) }
}

/// Measures; what it means for a scheme is judged elsewhere.
pub fn compare(labels: &[Label]) -> Labels {
    let space = Space::of(labels);
    let (ways, derived) = derive::find(labels, &space);
    let lengths = || labels.iter().map(|l| l.password.len());
    let public: BTreeSet<&String> = labels.iter().flat_map(|l| l.public.iter().map(|(column, _)| column)).collect();
    Labels {
        auth: None,
        samples: small(labels.len()),
        shortest: small(lengths().min().unwrap_or(0)),
        longest: small(lengths().max().unwrap_or(0)),
        characters: space.kinds.clone(),
        bits_at_most: whole(space.bits),
        public: public.into_iter().cloned().collect(),
        ways: small(ways),
        derived,
        regular: pattern::find(labels, &space),
    }
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what a u32 holds")]
fn whole(bits: f64) -> u32 {
    bits.clamp(0.0, 4096.0) as u32
}

/// The room that the passwords may have been drawn from, as large as the samples allow.
struct Space {
    kinds: Vec<Characters>,
    /// Characters per place.
    alphabet: f64,
    bits: f64,
}

impl Space {
    fn of(labels: &[Label]) -> Self {
        let all: BTreeSet<char> = labels.iter().flat_map(|l| l.password.iter().copied()).collect();
        let total: usize = labels.iter().map(|l| l.password.len()).sum();
        // In so many characters a generator of more letters would have shown one.
        let hex = total >= 20 && all.iter().all(char::is_ascii_hexdigit) && !mixed_case(&all);
        let kinds = kinds(all.iter());
        let alphabet = if hex && kinds.len() > 1 { 16.0 } else { size(&kinds) };
        Self { kinds, alphabet, bits: bits(labels, alphabet) }
    }
}

fn mixed_case(all: &BTreeSet<char>) -> bool {
    all.iter().any(char::is_ascii_lowercase) && all.iter().any(char::is_ascii_uppercase)
}

fn kinds<'a>(chars: impl Iterator<Item = &'a char>) -> Vec<Characters> {
    let kind = |c: &char| match c {
        '0'..='9' => Characters::Digits,
        'a'..='z' => Characters::LowerCase,
        'A'..='Z' => Characters::UpperCase,
        _ => Characters::Others,
    };
    chars.map(kind).collect::<BTreeSet<_>>().into_iter().collect()
}

fn size(kinds: &[Characters]) -> f64 {
    kinds.iter().map(|k| f64::from(k.count())).sum()
}

/// Place by place where all are of one length: a place has the kinds of characters that it shows, and none where four
/// samples or more show the same one.
fn bits(labels: &[Label], alphabet: f64) -> f64 {
    let longest = labels.iter().map(|l| l.password.len()).max().unwrap_or(0);
    let one_length = labels.iter().all(|l| l.password.len() == longest);
    let place = |n: usize| {
        let here: BTreeSet<char> = labels.iter().filter_map(|l| l.password.get(n).copied()).collect();
        match (one_length, here.len()) {
            (true, 1) if labels.len() >= 4 => 0.0,
            // A few samples seldom show every kind that a place may hold.
            (true, _) if labels.len() >= 10 => size(&kinds(here.iter())).min(alphabet).log2(),
            (true | false, _) => alphabet.log2(),
        }
    };
    (0..longest).map(place).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::observation::labels::Found;

    /// Twelve random characters each, made once.
    const RANDOM: [&str; 10] = [
        "kT7vQp2mXz9R",
        "Wd4hNs8bLc3Y",
        "m9GxR2tKv5Fj",
        "Zq6Jw3nPd8Hc",
        "b5XyU7rMe2Ts",
        "Vh2Lk9fCz4Wn",
        "n8DpS6gQa3Jx",
        "Rc3Tm5wYb7Kv",
        "x6FzH4jNu9Ld",
        "Gy7Be2qVs5Mw",
    ];

    fn compared(header: &str, rows: &[String]) -> Labels {
        compare(&read(format!("{header}\n{}\n", rows.join("\n")).as_bytes()).unwrap())
    }

    fn serials(passwords: &[&str]) -> Vec<String> {
        passwords
            .iter()
            .enumerate()
            .map(|(n, p)| format!("{p},SN{:06},3C:7F:21:A0:{n:02X}:{:02X}", 417 + n * 31, 91 + n))
            .collect()
    }

    #[test]
    fn in_ten_random_passwords_nothing_is_found() {
        let c = compared("password,serial,mac", &serials(&RANDOM));
        assert_eq!((&c.derived, &c.regular), (&Found::default(), &Found::default()));
        assert_eq!(
            (c.samples, c.shortest, c.longest, c.public),
            (10, 12, 12, vec!["mac".to_owned(), "serial".to_owned()])
        );
        assert!((60..=72).contains(&c.bits_at_most) && c.ways > 1000, "{} {}", c.bits_at_most, c.ways);
        assert_eq!(c.characters, [Characters::Digits, Characters::LowerCase, Characters::UpperCase]);
    }

    #[test]
    fn a_counter_a_common_beginning_and_a_date_are_regularities() {
        for some in [
            vec!["AB12-0001", "AB12-0002", "AB12-0003"],
            vec!["Home-kT7vQp2m", "Home-Wd4hNs8b", "Home-m9GxR2tK"],
            vec!["kT20240113vQp", "Wd20240114hNs", "m920240115GxR"],
            vec!["admin-kT7vQp", "admin-Wd4hNs"],
            vec!["00417355", "00417356"],
        ] {
            let c = compared("password,serial,mac", &serials(&some));
            assert!(!c.regular.certain.is_empty(), "{some:?}");
        }
    }

    #[test]
    fn the_end_of_a_mac_and_the_digest_of_a_serial_number_are_found() {
        let end =
            ["A0:10:2B", "B1:44:9E", "C7:01:5D"].map(|m| format!("{},3C:7F:21:{m}", m.replace(':', "").to_lowercase()));
        assert!(!compared("password,mac", &end).derived.certain.is_empty());
        let digest = |s: &str| {
            use md5::Digest;
            crate::model::digest::hex(&md5::Md5::digest(s.as_bytes()))[..8].to_owned()
        };
        let rows = ["SN-1001", "SN-1777", "SN-2040"].map(|s| format!("{},{s}", digest(s)));
        let found = compared("password,serial", &rows).derived.certain.join("; ");
        assert!(found.contains("the first 8 of MD5 of `serial`"), "{found}");
    }

    #[test]
    fn four_digits_that_chance_may_have_made_are_not_called_derived() {
        let found = compared("password,serial", &["1001,SN-1001".to_owned()]).derived;
        assert!(found.certain.is_empty() && !found.doubtful.is_empty(), "{found:?}");
    }

    #[test]
    fn no_password_and_no_part_of_one_is_told() {
        let rows = serials(&["Home-kT7vQp2m", "Home-Wd4hNs8b", "Home-m9GxR2tK"]);
        let shown = serde_json::to_string(&compared("password,serial,mac", &rows)).unwrap();
        assert!(!shown.contains("Home") && !shown.contains("kT7"), "{shown}");
    }

    #[test]
    fn a_file_without_its_column_or_with_an_empty_password_is_an_error_that_says_so() {
        assert!(read(b"serial,mac\n1,2\n").err().unwrap().to_string().starts_with("line 1: no column `password`"));
        assert!(read(b"password,mac\n,2\n").err().unwrap().to_string().starts_with("line 2:"));
        assert!(read(b"password,mac\n").err().unwrap().to_string().starts_with("no row"));
    }
}
