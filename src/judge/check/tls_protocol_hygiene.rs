//! Properties of the protocol that were attacks before they were switches.
use super::tls::{features, lists};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Subject,
    observation::{
        TlsVersion,
        tls::{Standing, TlsFeature, TlsList},
    },
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

pub const CHECK: Check = Check {
    id: "tls-protocol-hygiene",
    title: "No compression, no insecure renegotiation, no silent fallback",
    page: include_str!("tls_protocol_hygiene.md"),
    expected: "no compression, renegotiation is secure, and a needless fallback to an old version is refused",
    remedy: "switch compression off; update the TLS library; keep TLS 1.2 and 1.3 alone",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &["tls-survey"],
    bind: bind::<TlsProtocolHygiene>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsProtocolHygiene {}

impl Judge for TlsProtocolHygiene {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let suites = lists(evidence).only(|(_, list)| matches!(list, TlsList::Suites { .. }));
        let mut versions: BTreeMap<&Subject, BTreeSet<TlsVersion>> = BTreeMap::new();
        for seen in suites.items() {
            versions.entry(seen.subject()).or_default().insert(seen.what.0);
        }
        let seen = features(evidence);
        let mut shown: BTreeMap<&Subject, BTreeMap<TlsFeature, Standing>> = BTreeMap::new();
        for item in seen.items() {
            shown.entry(item.subject()).or_default().insert(item.what.0, item.what.1);
        }
        let none = BTreeMap::new();
        every(&suites, "no TLS service", |item| {
            let at = item.subject();
            let all = versions.get(at).cloned().unwrap_or_default();
            point(at, &all, shown.get(at).unwrap_or(&none))
        })
    }
}

fn point(at: &Subject, versions: &BTreeSet<TlsVersion>, shown: &BTreeMap<TlsFeature, Standing>) -> Point {
    use TlsFeature as F;
    let of = |f: F| shown.get(&f).copied().unwrap_or(Standing::Unclear);
    if versions.iter().all(|v| *v == TlsVersion::Tls13) {
        return Point::Good(format!("{at}: TLS 1.3 has neither compression nor renegotiation"));
    }
    // A fallback among the newest two is refused by TLS 1.3 itself (RFC 8446, 4.1.3).
    let old = versions.len() > 1 && versions.iter().any(|v| *v < TlsVersion::Tls12);
    match (of(F::Compression), of(F::SecureRenegotiation), of(F::FallbackScsv)) {
        (Standing::Present, _, _) => Point::Bad(format!("{at}: compresses what it encrypts (CVE-2012-4929)")),
        (_, Standing::Absent, _) => Point::Bad(format!("{at}: renegotiation is not bound to the session (RFC 5746)")),
        (Standing::Unclear, _, _) | (_, Standing::Unclear, _) => {
            Point::Unclear(format!("{at}: it did not show enough"))
        }
        (_, _, Standing::Absent | Standing::Unclear) if old => Point::Unclear(format!(
            "{at}: old versions are accepted, and a needless fallback is not refused (RFC 7507)"
        )),
        (Standing::Absent, Standing::Present, _) => {
            let without = of(F::ExtendedMasterSecret) == Standing::Absent;
            let note = if without { "; without the extended master secret (RFC 7627)" } else { "" };
            Point::Good(format!("{at}: no compression, renegotiation is secure{note}"))
        }
    }
}
