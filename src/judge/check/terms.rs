//! Words, languages and times in documents that people wrote. They propose; a person confirms.
use crate::model::observation::public::Document;
use jiff::civil::Date;
use regex::Regex;
use serde::Deserialize;
use std::{collections::BTreeSet, sync::LazyLock};

#[derive(Deserialize)]
struct File {
    #[serde(rename = "term")]
    terms: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    topic: String,
    pattern: String,
}

static TERMS: LazyLock<Vec<(String, Regex)>> = LazyLock::new(|| {
    let read = toml::from_str::<File>(include_str!("../../../profiles/data/document-terms.toml"));
    // That every row is read and compiles is tested.
    let compiled = |r: Row| Some((r.topic, Regex::new(&r.pattern).ok()?));
    read.map(|f| f.terms.into_iter().filter_map(compiled).collect()).unwrap_or_default()
});

/// The first passage that suggests `topic`.
pub(super) fn find<'a>(topic: &str, text: &'a str) -> Option<&'a str> {
    let found = TERMS.iter().filter(|(t, _)| t == topic).filter_map(|(_, r)| r.find(text));
    found.min_by_key(regex::Match::start).map(|m| m.as_str())
}

/// A language that a profile may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Language {
    En,
    De,
    Fr,
    Id,
    Ja,
    Ko,
    Th,
    Vi,
    Zh,
}

impl Language {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::De => "German",
            Self::Fr => "French",
            Self::Id => "Indonesian",
            Self::Ja => "Japanese",
            Self::Ko => "Korean",
            Self::Th => "Thai",
            Self::Vi => "Vietnamese",
            Self::Zh => "Chinese",
        }
    }

    /// As a page writes it.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Fr => "fr",
            Self::Id => "id",
            Self::Ja => "ja",
            Self::Ko => "ko",
            Self::Th => "th",
            Self::Vi => "vi",
            Self::Zh => "zh",
        }
    }

    fn detected(self) -> whatlang::Lang {
        match self {
            Self::En => whatlang::Lang::Eng,
            Self::De => whatlang::Lang::Deu,
            Self::Fr => whatlang::Lang::Fra,
            Self::Id => whatlang::Lang::Ind,
            Self::Ja => whatlang::Lang::Jpn,
            Self::Ko => whatlang::Lang::Kor,
            Self::Th => whatlang::Lang::Tha,
            Self::Vi => whatlang::Lang::Vie,
            Self::Zh => whatlang::Lang::Cmn,
        }
    }
}

/// What the detector says of a text, part by part, since a page may speak two languages.
#[derive(Debug, Default)]
pub(super) struct Spoken {
    sure: BTreeSet<&'static str>,
    unsure: usize,
}

/// Characters of one part; shorter texts say too little.
const PART: usize = 400;
const LEAST: usize = PART / 4;

impl Spoken {
    pub(super) fn of(text: &str) -> Self {
        let all: Vec<char> = text.chars().collect();
        let mut spoken = Self::default();
        for part in all.chunks(PART).filter(|p| p.len() >= LEAST) {
            spoken.hear(&part.iter().collect::<String>());
        }
        spoken
    }

    /// Where one language ends and another begins, no single one is recognised: then every sentence is looked at.
    fn hear(&mut self, part: &str) {
        if self.hear_one(part) {
            return;
        }
        let sentences = part.split_inclusive(['.', '!', '?', '\n', '。']).filter(|s| s.chars().count() >= LEAST);
        let heard: Vec<bool> = sentences.map(|s| self.hear_one(s)).collect();
        if heard.is_empty() || heard.contains(&false) {
            self.unsure += 1;
        }
    }

    fn hear_one(&mut self, text: &str) -> bool {
        let Some(found) = whatlang::detect(text).filter(|f| f.is_reliable()) else { return false };
        self.sure.insert(found.lang().code());
        true
    }

    pub(super) fn is(&self, language: Language) -> bool {
        self.sure.contains(language.detected().code())
    }

    /// Every part was recognised, and none is in this language.
    pub(super) fn is_surely_not(&self, language: Language) -> bool {
        !self.sure.is_empty() && self.unsure == 0 && !self.is(language)
    }

    pub(super) fn words(&self) -> String {
        if self.sure.is_empty() { "no language for sure".to_owned() } else { super::common::listed(&self.sure) }
    }
}

/// Whether the wide lists of words, which are English, can show that something is not in this document.
pub(super) fn is_whole_english(d: &Document) -> bool {
    let said = d.language.to_ascii_lowercase();
    let text = d.text.as_deref().unwrap_or_default();
    let spoken = Spoken::of(text);
    !d.cut && (said.is_empty() || said.starts_with("en")) && spoken.is(Language::En) && spoken.sure.len() == 1
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// What can be written as a date or a period: compiled once.
struct Times {
    iso: Regex,
    numbers: Regex,
    day_month: Regex,
    month_day: Regex,
    east: Regex,
    period: Regex,
}

static TIMES: LazyLock<Option<Times>> = LazyLock::new(|| {
    let r = |p: &str| Regex::new(p).ok();
    Some(Times {
        iso: r(r"\b(20\d\d)-(\d\d)-(\d\d)\b")?,
        numbers: r(r"\b(\d{1,2})[./](\d{1,2})[./](20\d\d)\b")?,
        day_month: r(
            r"(?i)\b(\d{1,2})(?:st|nd|rd|th)?\.? (jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?,? (20\d\d)\b",
        )?,
        month_day: r(
            r"(?i)\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? (\d{1,2})(?:st|nd|rd|th)?,? (20\d\d)\b",
        )?,
        east: r(r"(20\d\d) ?年 ?(\d{1,2}) ?月 ?(\d{1,2}) ?日")?,
        period: r(r"(?i)\b(\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten)[ -](years?|months?)\b")?,
    })
});

/// Every date that can mean one day alone; `03/04/2031` can mean two.
pub(super) fn dates(text: &str) -> BTreeSet<Date> {
    let Some(t) = TIMES.as_ref() else { return BTreeSet::new() };
    let n = |s: &str| s.parse::<i16>().unwrap_or(0);
    let date = |y: i16, m: i16, d: i16| Date::new(y, i8::try_from(m).ok()?, i8::try_from(d).ok()?).ok();
    let month = |s: &str| {
        let at = MONTHS.iter().position(|m| s.to_ascii_lowercase().starts_with(m))?;
        i16::try_from(at + 1).ok()
    };
    let of = |r: &Regex| -> Vec<[String; 3]> {
        let group =
            |c: &regex::Captures<'_>, i| c.get(i).map(|m: regex::Match<'_>| m.as_str().to_owned()).unwrap_or_default();
        r.captures_iter(text).map(|c| [group(&c, 1), group(&c, 2), group(&c, 3)]).collect()
    };
    let ymd = of(&t.iso).into_iter().chain(of(&t.east)).filter_map(|[y, m, d]| date(n(&y), n(&m), n(&d)));
    let dmy = of(&t.day_month).into_iter().filter_map(|[d, m, y]| date(n(&y), month(&m)?, n(&d)));
    let mdy = of(&t.month_day).into_iter().filter_map(|[m, d, y]| date(n(&y), month(&m)?, n(&d)));
    let numbers = of(&t.numbers).into_iter().filter_map(|[a, b, y]| match (n(&a), n(&b)) {
        (d, m) if d > 12 || d == m => date(n(&y), m, d),
        (m, d) if d > 12 => date(n(&y), m, d),
        (_, _) => None,
    });
    ymd.chain(dmy).chain(mdy).chain(numbers).collect()
}

/// Every period, in months.
pub(super) fn periods(text: &str) -> BTreeSet<u32> {
    const WORDS: [&str; 10] = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    let Some(t) = TIMES.as_ref() else { return BTreeSet::new() };
    let one = |c: regex::Captures<'_>| {
        let (number, unit) = (c.get(1)?.as_str().to_ascii_lowercase(), c.get(2)?.as_str().to_ascii_lowercase());
        let word = || WORDS.iter().position(|w| *w == number).and_then(|p| u32::try_from(p + 1).ok());
        let n = number.parse::<u32>().ok().or_else(word)?;
        Some(if unit.starts_with('y') { n * 12 } else { n })
    };
    t.period.captures_iter(text).filter_map(one).collect()
}

/// Lower case, letters and digits alone: `ICX-200 W` and `icx200w` are the same model.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_compiles_and_matches_its_example_and_not_its_counter_example() {
        let all: toml::Table = toml::from_str(include_str!("../../../profiles/data/document-terms.toml")).unwrap();
        let rows = all["term"].as_array().unwrap();
        assert_eq!(rows.len(), TERMS.len());
        for row in rows {
            let get = |k: &str| row[k].as_str().unwrap();
            let regex = Regex::new(get("pattern")).unwrap();
            assert!(regex.is_match(get("example")) && !regex.is_match(get("counter")), "{}", get("id"));
        }
    }

    #[test]
    fn dates_are_read_in_the_usual_ways_and_ambiguous_ones_are_left_out() {
        let day = "2031-12-31".parse::<Date>().unwrap();
        for text in
            ["2031-12-31", "31 December 2031", "December 31st, 2031", "31.12.2031", "12/31/2031", "2031年12月31日"]
        {
            assert_eq!(dates(text), BTreeSet::from([day]), "{text}");
        }
        assert!(dates("03/04/2031 and 2031 and 31 Smarch 2031").is_empty());
        assert_eq!(periods("for at least five years, or 36 months"), BTreeSet::from([36, 60]));
    }

    #[test]
    fn a_page_in_two_languages_speaks_both() {
        let en = "If you believe that you have found a flaw in one of our products, please write to us and tell us how it can be repeated. ";
        let de = "Wenn Sie glauben, dass Sie eine Schwachstelle in einem unserer Produkte gefunden haben, schreiben Sie uns bitte und beschreiben Sie sie. ";
        let both = Spoken::of(&format!("{}{}", en.repeat(8), de.repeat(8)));
        assert!(both.is(Language::En) && both.is(Language::De) && both.is_surely_not(Language::Ja));
        assert!(Spoken::of(&de.repeat(8)).is_surely_not(Language::En));
        assert!(!Spoken::of("OK").is_surely_not(Language::En));
    }
}
