//! Old versions of known components have flaws that everybody can read about.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence, Known,
    judgement::{Point, every},
};
use crate::model::{Observation, Record, declarations::Entry};
use jiff::civil::Date;
use serde::Deserialize;
use std::sync::LazyLock;

pub const CHECK: Check = Check {
    id: "svc-outdated-component",
    title: "Components that show themselves or are declared have no known flaw of high severity",
    page: include_str!("svc_outdated_component.md"),
    expected: "no shown or declared version has a published flaw that the list knows and the maker does not answer",
    remedy: "update the component, or declare in 6-SoftComp (x-not-affected) why the flaw does not concern the device",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &["service-identify"],
    bind: bind::<SvcOutdatedComponent>,
};

const TABLE: &str = "6-SoftComp";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    /// `2025-01-31`: nothing younger was considered.
    kept_to: String,
    advisory: Vec<Advisory>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advisory {
    id: String,
    products: Vec<String>,
    /// The first version that is concerned; without it: all before `fixed`.
    from: Option<String>,
    fixed: String,
    /// The base score, 0 to 10.
    cvss: f64,
    #[serde(default)]
    exploited: bool,
    what: String,
    source: String,
}

static LIST: LazyLock<List> =
    LazyLock::new(|| toml::from_str(include_str!("../../../profiles/data/advisories.toml")).unwrap_or_default());

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SvcOutdatedComponent {
    /// The CVSS base score from which a flaw counts; an exploited one counts always.
    #[serde(default = "high")]
    score: f64,
    /// How old the list may be, in days before the recording, for its silence to count.
    #[serde(default = "a_year")]
    days: i32,
}

fn high() -> f64 {
    7.0
}

fn a_year() -> i32 {
    365
}

#[derive(Clone, Copy)]
struct Component<'a> {
    product: &'a str,
    version: &'a str,
    /// Where the maker declares it.
    declared: Option<&'a Entry>,
}

impl Judge for SvcOutdatedComponent {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let fresh = self.fresh(evidence);
        let answered: Vec<&Entry> =
            evidence.declared(TABLE).iter().flat_map(|k| k.items().iter().map(|s| s.what)).collect();
        every(&components(evidence), "no component states its version", |seen| {
            let c = &seen.what;
            let (who, rows) = (c.to_string(), c.rows());
            if rows.is_empty() {
                return Point::Unclear(format!("{who}: the list says nothing of it"));
            }
            let Some(version) = numbers(c.version) else {
                return Point::Unclear(format!("{who}: the version cannot be compared"));
            };
            let known: Vec<&&Advisory> = rows.iter().filter(|a| self.counts(a, &version)).collect();
            let open: Vec<&&Advisory> = known.iter().filter(|a| !c.is_answered(&a.id, &answered)).copied().collect();
            let told = open.iter().map(|a| a.to_string()).collect::<Vec<_>>().join("; ");
            match (open.is_empty(), known.is_empty(), c.declared) {
                (false, _, Some(_)) if !is_packaged(c.version) => {
                    Point::Bad(format!("{who}: {told}, and the maker does not answer it"))
                }
                (false, ..) => Point::Unclear(format!(
                    "{who}: {told}; it may have been mended without a new version (ask for a VEX)"
                )),
                (true, false, _) => Point::Good(format!("{who}: the maker answers what is known")),
                (true, true, _) if fresh => Point::Good(format!("{who}: nothing known up to {}", LIST.kept_to)),
                (true, true, _) => {
                    Point::Unclear(format!("{who}: nothing known, but the list was kept to {} only", LIST.kept_to))
                }
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        let fresh = self.fresh(evidence);
        let decides = |c: &Component<'_>| match numbers(c.version) {
            Some(version) => c.rows().iter().any(|a| fresh || self.counts(a, &version)),
            None => false,
        };
        !components(evidence).items().iter().any(|s| decides(&s.what))
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

impl SvcOutdatedComponent {
    fn counts(&self, advisory: &Advisory, version: &[u64]) -> bool {
        advisory.concerns(version) && (advisory.cvss >= self.score || advisory.exploited)
    }

    fn fresh(&self, evidence: &Evidence<'_>) -> bool {
        let day = |text: &str| text.get(..10).and_then(|d| d.parse::<Date>().ok());
        let age = day(&LIST.kept_to).zip(day(evidence.as_of())).and_then(|(list, now)| list.until(now).ok());
        age.is_some_and(|age| age.get_days() <= self.days)
    }
}

fn components<'a>(evidence: &Evidence<'a>) -> Known<Component<'a>> {
    let shown = evidence.known("service-identify", shown);
    match evidence.declared(TABLE) {
        Some(declared) => {
            let of = |e: &'a Entry| Component {
                product: e.text("description"),
                version: e.text("version"),
                declared: Some(e),
            };
            shown.and(declared.map(of).only(|c| !c.version.is_empty()))
        }
        None => shown,
    }
}

fn shown(record: &Record) -> Option<Component<'_>> {
    match &record.observation {
        Observation::Service { product: Some(product), version: Some(version), .. } => {
            Some(Component { product, version, declared: None })
        }
        _ => None,
    }
}

impl std::fmt::Display for Component<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let how = if self.declared.is_some() { "declared" } else { "shown" };
        write!(f, "{} {} ({how})", self.product, self.version)
    }
}

impl Component<'_> {
    fn rows(&self) -> Vec<&'static Advisory> {
        let named = |a: &&Advisory| a.products.iter().any(|p| p.eq_ignore_ascii_case(self.product.trim()));
        LIST.advisory.iter().filter(named).collect()
    }

    /// What is shown is answered by what is declared of the same product in the same version.
    fn is_answered(&self, id: &str, declared: &[&Entry]) -> bool {
        let same = |e: &&&Entry| {
            e.text("description").trim().eq_ignore_ascii_case(self.product.trim())
                && numbers(e.text("version")) == numbers(self.version)
        };
        declared.iter().filter(same).any(|e| e.list("x-not-affected").iter().any(|x| x.eq_ignore_ascii_case(id)))
    }
}

impl Advisory {
    fn concerns(&self, version: &[u64]) -> bool {
        let from = self.from.as_deref().and_then(numbers).unwrap_or_default();
        let fixed = numbers(&self.fixed).unwrap_or_default();
        *version >= *from && *version < *fixed
    }
}

impl std::fmt::Display for Advisory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let exploited = if self.exploited { ", exploited" } else { "" };
        write!(f, "{} ({:.1}{exploited}: {}; {})", self.id, self.cvss, self.what, self.source)
    }
}

/// The numbers of a version up to what a packager added: `8.4p1 Debian-5` is 8, 4, 1. Zeros at the end say nothing.
fn numbers(version: &str) -> Option<Vec<u64>> {
    let version = version.trim().trim_start_matches(['v', 'V']);
    let own = version.split(['-', '+', '~', ' ']).next()?;
    let runs = own.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty());
    let mut all: Vec<u64> = runs.map(|run| run.parse().ok()).collect::<Option<_>>()?;
    while all.last() == Some(&0) {
        all.pop();
    }
    (own.starts_with(|c: char| c.is_ascii_digit()) && !all.is_empty()).then_some(all)
}

/// Whoever packages a component mends it without a new version: `2.4.49-1~deb11u2`.
fn is_packaged(version: &str) -> bool {
    version.trim().contains(['-', '+', '~', ' ', ':'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let below = |a: &str, b: &str| numbers(a) < numbers(b);
        assert!(below("2012.55", "2016.74") && below("1.4.9", "1.4.35") && below("9.2p1", "9.8"));
        assert!(!below("9.8p1", "9.8") && !below("10.0", "9.8"));
        assert_eq!(numbers("8.4p1 Debian-5+deb11u1"), Some(vec![8, 4, 1]));
        assert_eq!(numbers("1.20.0"), numbers("1.20"));
        assert_eq!(numbers("unknown"), None);
    }

    #[test]
    fn every_row_of_the_list_has_a_range_that_some_version_is_in() {
        assert!(LIST.advisory.len() >= 19 && LIST.kept_to.parse::<Date>().is_ok());
        for a in &LIST.advisory {
            let from = a.from.as_deref().map_or(Some(vec![]), numbers);
            assert!(numbers(&a.fixed) > from && from.is_some(), "{}", a.id);
            assert!(a.source.ends_with(&a.id) && !a.products.is_empty(), "{}", a.id);
        }
    }
}
