//! Declared cryptography against public catalogues and cryptanalysis, for the three tables of the IXIT that hold it.
use super::common::{listed, not_declared};
use super::{Check, EntryRow, Judge, Proves, Severity};
use crate::judge::{
    Decision, Evidence,
    crypto::{Named, Standing, Word, named},
    judgement::{Point, every},
    profile::standing::day,
};
use crate::model::declarations::Entry;
use jiff::civil::Date;
use serde::Deserialize;

pub const AUTH: Check = Check {
    id: "crypto-details-auth",
    title: "The declared cryptography of authentication is catalogued and unbroken",
    page: include_str!("crypto_details_auth.md"),
    expected: "every mechanism that the field Cryptographic Details names stands in a public catalogue, and no feasible attack on it is published",
    remedy: "use catalogued mechanisms, and name each with its version, key size and mode",
    severity: Severity::High,
    pass: Proves::Full,
    needs: &[],
    bind: |p| bound(&["1-AuthMech"], p),
};

pub const UPDATE: Check = Check {
    id: "crypto-details-update",
    title: "The declared cryptography of updates is catalogued and unbroken",
    page: include_str!("crypto_details_update.md"),
    bind: |p| bound(&["7-UpdMech"], p),
    ..AUTH
};

pub const COMMUNICATION: Check = Check {
    id: "crypto-details-communication",
    title: "The declared cryptography of communication is catalogued and unbroken",
    page: include_str!("crypto_details_communication.md"),
    bind: |p| bound(&["11-ComMech"], p),
    ..AUTH
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoParameters {}

fn bound(tables: &'static [&'static str; 1], parameters: toml::Table) -> Result<Box<dyn Judge>, String> {
    let NoParameters {} = parameters.try_into().map_err(|e: toml::de::Error| e.message().to_owned())?;
    let [table] = tables;
    Ok(Box::new(Details { tables, table }))
}

struct Details {
    tables: &'static [&'static str],
    table: &'static str,
}

impl Judge for Details {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let Some(entries) = evidence.declared(self.table) else {
            return not_declared(self.table, "no cryptographic details to compare".to_owned());
        };
        let today = day(evidence.as_of());
        every(&entries, "the table declares no mechanism", |seen| point(seen.what, today))
    }

    /// A person may know a catalogue that ours does not, or hold the supplier's evidence.
    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        let today = day(evidence.as_of());
        let all = evidence.declared(self.table);
        let points: Vec<Point> =
            all.iter().flat_map(|known| known.items()).map(|seen| point(seen.what, today)).collect();
        all.is_none()
            || !points.iter().any(|p| matches!(p, Point::Bad(_)))
                && points.iter().any(|p| matches!(p, Point::Unclear(_)))
    }

    fn entries(&self, evidence: &Evidence<'_>) -> Vec<EntryRow> {
        let today = day(evidence.as_of());
        let known = evidence.declared(self.table);
        let row = |seen: &crate::judge::Seen<&Entry>| {
            EntryRow::of(self.table, seen.what.name(), point(seen.what, today), vec![seen.cite().to_owned()])
        };
        known.iter().flat_map(|k| k.items()).map(row).collect()
    }

    fn tables(&self) -> &'static [&'static str] {
        self.tables
    }
}

fn point(entry: &Entry, today: Option<Date>) -> Point {
    let (name, text) = (entry.name(), entry.text("crypto_details"));
    let Named { known, unknown } = named(text);
    let told = |of: &[&Word<'_>]| listed(of.iter().map(|w| format!("{} ({})", w.text, w.says)));
    let of = |standing: Standing| known.iter().filter(|w| w.standing == standing).collect::<Vec<_>>();
    let broken = of(Standing::Broken);
    if !broken.is_empty() {
        return Point::Bad(format!("{name} names {}", told(&broken)));
    }
    let over = |w: &&Word<'_>| w.until.is_some_and(|until| today.is_none_or(|t| t > until));
    let old: Vec<&Word<'_>> = known.iter().filter(over).collect();
    if !old.is_empty() {
        return Point::Unclear(format!("{name} names {}, whose acceptance has ended", told(&old)));
    }
    let vague = of(Standing::Unclear);
    match (vague.is_empty(), unknown.is_empty(), known.is_empty()) {
        (false, _, _) => Point::Unclear(format!("{name} names {}", told(&vague))),
        (_, false, _) => Point::Unclear(format!("{name} names {}, which no row of the catalogue has", listed(unknown))),
        (_, _, true) => Point::Unclear(format!("{name} names no mechanism in crypto_details")),
        (true, true, false) => Point::Good(format!("{name} names {}", told(&known.iter().collect::<Vec<_>>()))),
    }
}
