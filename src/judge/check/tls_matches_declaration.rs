//! What a service negotiates must be what its maker says that it does.
use super::common::not_declared;
use super::declared_crypto::{Declared, TABLES, declared};
use super::tls::{few, lists};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::observation::{TlsVersion, tls::TlsList};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "tls-matches-declaration",
    title: "Negotiated cryptography equals the declaration",
    page: include_str!("tls_matches_declaration.md"),
    expected: "every TLS version and suite that a service accepts stands in the IXIT",
    remedy: "declare the version or suite, or switch it off",
    severity: Severity::Medium,
    pass: Proves::Full,
    needs: &["tls-survey"],
    bind: bind::<TlsMatchesDeclaration>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsMatchesDeclaration {}

impl Judge for TlsMatchesDeclaration {
    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        declared(evidence).is_none()
    }

    fn tables(&self) -> &'static [&'static str] {
        TABLES
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let suites = lists(evidence).only(|(_, list)| matches!(list, TlsList::Suites { .. }));
        let Some(says) = declared(evidence) else {
            let seen: Vec<String> =
                suites.items().iter().map(|s| format!("{}: {}", s.subject(), s.what.0.word())).collect();
            return not_declared("11-ComMech", format!("observed: {}", few(&seen)));
        };
        every(&suites, "no TLS service", |seen| {
            let (version, list) = seen.what;
            let names = match list {
                TlsList::Suites { names, .. } => names.as_slice(),
                TlsList::Groups { .. } | TlsList::DhBits { .. } | TlsList::Signatures { .. } => &[],
            };
            point(&says, &seen.subject().to_string(), version, names)
        })
    }
}

fn point(says: &Declared, at: &str, version: TlsVersion, names: &[String]) -> Point {
    let word = version.word();
    if says.tls.is_empty() {
        return Point::Unclear(format!("{at}: accepts {word}, and the declaration names no version of TLS"));
    }
    if !says.tls.contains(&version) {
        return Point::Bad(format!("{at}: accepts {word}, which is not declared"));
    }
    let extra: Vec<String> = names.iter().filter(|n| !says.suites.contains(*n)).cloned().collect();
    match (says.suites.is_empty(), extra.is_empty()) {
        (true, _) => Point::Unclear(format!("{at}: {word} is declared, and no suite by its name")),
        (false, false) => Point::Bad(format!("{at}, {word}: accepts {}, not declared", few(&extra))),
        (false, true) => Point::Good(format!("{at}: {word} and its suites are declared")),
    }
}
