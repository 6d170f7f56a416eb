//! Old versions of TLS must be refused, by the server and not by our library.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Subject,
    observation::{TlsAnswer, TlsVersion},
};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    id: "tls-legacy-versions-refused",
    title: "SSL 3.0, TLS 1.0 and TLS 1.1 are refused",
    page: include_str!("tls_legacy_versions_refused.md"),
    expected: "every TLS service refuses every version below the lowest that is allowed",
    remedy: "switch every version below TLS 1.2 off",
    severity: Severity::High,
    pass: Proves::Full,
    needs: &["tls-versions"],
    bind: bind::<TlsLegacyVersionsRefused>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsLegacyVersionsRefused {
    #[serde(default = "tls12")]
    lowest: TlsVersion,
}

impl Judge for TlsLegacyVersionsRefused {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let answers = evidence.known("tls-versions", |r| match &r.observation {
            Observation::Tls { version, answer } => Some((&r.subject, *version, answer)),
            _ => None,
        });
        let mut servers: BTreeMap<&Subject, Vec<(TlsVersion, &TlsAnswer)>> = BTreeMap::new();
        for (subject, version, answer) in answers.items().iter().map(|s| s.what) {
            servers.entry(subject).or_default().push((version, answer));
        }
        every(&answers, "no TLS service", |seen| {
            let (subject, version, answer) = seen.what;
            let all = servers.get(subject).map_or(&[][..], Vec::as_slice);
            self.one(subject, version, answer).unwrap_or_else(|| self.whole(subject, all))
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}

impl TlsLegacyVersionsRefused {
    /// What one answer decides by itself.
    fn one(&self, at: &Subject, asked: TlsVersion, answer: &TlsAnswer) -> Option<Point> {
        let took = |word: &str| Point::Bad(format!("{at}: {word} is accepted"));
        match answer {
            TlsAnswer::Accepted { .. } => (asked < self.lowest).then(|| took(asked.word())),
            TlsAnswer::OtherVersion { chosen } => match TlsVersion::parse(chosen) {
                Some(v) => (v < self.lowest).then(|| took(v.word())),
                None => Some(Point::Unclear(format!("{at}: it chose `{chosen}`, which is no version that we know"))),
            },
            TlsAnswer::Silent | TlsAnswer::NotTls if asked < self.lowest => {
                Some(Point::Unclear(format!("{at}: no TLS answer to {}", asked.word())))
            }
            TlsAnswer::Alert { .. } | TlsAnswer::Closed | TlsAnswer::Silent | TlsAnswer::NotTls => None,
        }
    }

    /// Refusals count only from a server that was asked for everything and accepts something.
    fn whole(&self, at: &Subject, all: &[(TlsVersion, &TlsAnswer)]) -> Point {
        let control = all.iter().any(|(v, a)| *v >= self.lowest && matches!(a, TlsAnswer::Accepted { .. }));
        let mut old = TlsVersion::ALL.into_iter().filter(|v| *v < self.lowest);
        let unasked = old.find(|v| !all.iter().any(|(asked, _)| asked == v));
        match (unasked, control) {
            (Some(v), _) => Point::Unclear(format!("{at}: {} was not asked for", v.word())),
            (None, false) => {
                Point::Unclear(format!("{at}: no allowed version is accepted, so that refusals prove nothing"))
            }
            (None, true) => Point::Good(format!("{at}: every version below {} is refused", self.lowest.word())),
        }
    }
}

fn tls12() -> TlsVersion {
    TlsVersion::Tls12
}
