//! Guessing at every declared way to log in.
use super::common::{guards, looked, not_declared};
use super::guessing::{Limits, Series, guessing, series};
use super::{Check, EntryRow, Judge, Proves, Severity};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Subject, declarations::DeclaredAuth, observation::Mechanism};
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    id: "auth-bruteforce-declared",
    title: "Guessing is slowed or locked at every declared log-in",
    page: include_str!("auth_bruteforce_declared.md"),
    expected: "each entry of table 1-AuthMech was guessed at, and reacts so that guessing on is hopeless",
    remedy: "count failures per account and source at every log-in, and answer with growing delays or a lock for a time",
    severity: Severity::High,
    pass: Proves::Full,
    needs: &["guessing"],
    bind: |p| {
        let limits = p.try_into().map_err(|e: toml::de::Error| e.message().to_owned())?;
        Ok(Box::new(Declared { limits }))
    },
};

struct Declared {
    limits: Limits,
}

type AllSeries<'a> = BTreeMap<(&'a Subject, Mechanism), Series>;

impl Judge for Declared {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let Some(entries) = evidence.declared("1-AuthMech") else {
            return not_declared("1-AuthMech", "nothing says which log-ins to guess at".to_owned());
        };
        let known = evidence.known("guessing", |r| guessing(r, None));
        let series = series(&known);
        let auth = evidence.ixit.and_then(|i| i.auth.as_deref()).unwrap_or_default();
        every(&entries.and(looked(evidence, "guessing")), "no log-in is declared", |seen| {
            match auth.iter().find(|a| a.id == seen.what.name()) {
                Some(entry) => self.point(evidence, entry, &series),
                None => Point::Unclear(format!("{} could not be read", seen.what.name())),
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried("guessing") || evidence.ixit.is_none_or(|i| i.auth.is_none())
    }

    fn entries(&self, evidence: &Evidence<'_>) -> Vec<EntryRow> {
        if evidence.never_tried("guessing") {
            return Vec::new();
        }
        let known = evidence.known("guessing", |r| guessing(r, None));
        let series = series(&known);
        let auth = evidence.ixit.and_then(|i| i.auth.as_deref()).unwrap_or_default();
        let row = |entry: &DeclaredAuth| {
            let mine = known.items().iter().filter(|s| of(evidence, entry, s.subject(), s.what.mechanism));
            let cites = mine.map(|s| s.cite().to_owned()).collect();
            EntryRow::of("1-AuthMech", entry.id.clone(), self.point(evidence, entry, &series), cites)
        };
        auth.iter().map(row).collect()
    }

    fn tables(&self) -> &'static [&'static str] {
        &["1-AuthMech", "x-endpoints"]
    }
}

/// Whether what was guessed at there is this entry.
fn of(evidence: &Evidence<'_>, entry: &DeclaredAuth, place: &Subject, mechanism: Mechanism) -> bool {
    mechanism.word() == entry.mechanism && guards(evidence, entry, place)
}

impl Declared {
    fn point(&self, evidence: &Evidence<'_>, entry: &DeclaredAuth, series: &AllSeries<'_>) -> Point {
        let id = &entry.id;
        let mine: Vec<Point> = series
            .iter()
            .filter(|((place, mechanism), _)| of(evidence, entry, place, *mechanism))
            .map(|((place, mechanism), s)| s.point(&self.limits, &format!("{id}: {} on {place}", mechanism.word())))
            .collect();
        match mine.into_iter().max_by_key(|p| match p {
            Point::Good(_) => 0,
            Point::Unclear(_) => 1,
            Point::Bad(_) => 2,
        }) {
            Some(worst) => worst,
            None if entry.mechanism.is_empty() => Point::Unclear(format!("{id} has no x-mechanism to find it by")),
            None => Point::Unclear(format!("{id} ({}) was not guessed at", entry.mechanism)),
        }
    }
}
