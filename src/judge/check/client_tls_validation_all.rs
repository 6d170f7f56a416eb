//! The device believes no server with a wrong certificate, whichever it calls.
use super::{
    Check, Judge, Proves, Severity, bind,
    common::{listed, not_declared},
    lab::{SERVERS, met, undecided, visit},
};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation,
    observation::lab::{End, ServerCase, Visit},
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

pub const CHECK: Check = Check {
    id: "client-tls-validation-all",
    title: "Every server that the device calls has to prove itself",
    page: include_str!("client_tls_validation_all.md"),
    expected: "of all names that it calls, the device sends nothing to a server whose certificate is wrong",
    remedy: "verify chain, name and time in every TLS client of the device, not only in the updater",
    severity: Severity::Critical,
    pass: Proves::Full,
    needs: &[SERVERS],
    bind: bind::<ClientTlsValidationAll>,
};

const TABLE: &str = "11-ComMech";
/// Wrong certificates that each name has to refuse: fewer may be chance.
const LEAST: usize = 3;
/// Nobody who verifies anything believes these.
const STRANGERS: [ServerCase; 2] = [ServerCase::SelfSigned, ServerCase::UnknownCa];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientTlsValidationAll {}

/// What one name was shown.
#[derive(Default)]
struct Shown {
    believed: bool,
    wrong_name: bool,
    stranger: bool,
    wrong: usize,
}

impl Judge for ClientTlsValidationAll {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let visits = evidence.known_of(SERVERS, Some("certificates"), visit).only(|v| met(v));
        let mut names: BTreeMap<String, Shown> = BTreeMap::new();
        for v in visits.items().iter().map(|s| s.what) {
            let shown = names.entry(name(v)).or_default();
            shown.believed |= v.case == ServerCase::Genuine && v.request.is_some();
            shown.wrong += usize::from(ServerCase::BAD_CERTIFICATES.contains(&v.case));
            shown.wrong_name |= v.case == ServerCase::WrongName;
            shown.stranger |= STRANGERS.contains(&v.case);
        }
        let lacking = lacking(evidence, &names);
        let undeclared = declared(evidence).is_none();
        let bad = visits.only(|v| ServerCase::BAD_CERTIFICATES.contains(&v.case));
        let decision = every(&bad, "no wrong certificate was shown", |seen| point(seen.what));
        match decision {
            Decision::Judged(j) if j.verdict() == crate::judge::Verdict::Pass => match (lacking.is_empty(), undeclared)
            {
                (false, _) => undecided(SERVERS, &listed(lacking), j.observed().join("; ")),
                (true, true) => not_declared(TABLE, j.observed().join("; ")),
                (true, false) => Decision::Judged(j),
            },
            Decision::Judged(j) => Decision::Judged(j),
            Decision::Absent { what, .. } => undecided(SERVERS, &what, what.clone()),
        }
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

fn name(visit: &Visit) -> String {
    visit
        .tls
        .as_ref()
        .and_then(|t| t.name.clone())
        .unwrap_or_else(|| "a server without a name".to_owned())
        .to_lowercase()
}

/// Every name that the maker says the device connects to.
fn declared(evidence: &Evidence<'_>) -> Option<BTreeSet<String>> {
    let entries = evidence.declared(TABLE)?;
    let lists: Vec<&[String]> = entries.items().iter().map(|s| s.what.list("x-names")).collect();
    // An entry that does not say it leaves open whom it calls.
    if lists.iter().any(|l| l.is_empty()) {
        return None;
    }
    Some(lists.into_iter().flatten().map(|n| n.to_lowercase()).filter(|n| n != "none").collect())
}

/// What was not shown of names that are declared, or that the device asked for.
fn lacking(evidence: &Evidence<'_>, shown: &BTreeMap<String, Shown>) -> BTreeSet<String> {
    let asked = evidence.known_of(SERVERS, Some("certificates"), |r| match &r.observation {
        Observation::LabName { name, .. } => Some(name.to_lowercase()),
        _ => None,
    });
    let asked = asked.items().iter().map(|s| s.what.clone());
    let all: BTreeSet<String> =
        asked.chain(declared(evidence).unwrap_or_default()).chain(shown.keys().cloned()).collect();
    let one = |name: String| match shown.get(&name) {
        None => Some(format!("{name} was not called by TLS here")),
        Some(s) if !s.believed => Some(format!("{name} was never believed, not even with a genuine certificate")),
        Some(s) if s.wrong < LEAST || !s.wrong_name || !s.stranger => {
            Some(format!("{name} came too seldom: {} wrong certificates were shown; take more rounds", s.wrong))
        }
        Some(_) => None,
    };
    all.into_iter().filter_map(one).collect()
}

fn point(visit: &Visit) -> Point {
    let shown = format!("{}, shown {}", name(visit), visit.case.words());
    match (&visit.request, visit.tls.as_ref().map(|t| &t.end)) {
        (Some(r), _) => Point::Bad(format!("{shown}: it sent {} {}", r.method, r.path)),
        (None, Some(End::WentOn)) => Point::Bad(format!("{shown}: it went on with its keys")),
        (None, Some(End::NotUnderstood { why })) => Point::Unclear(format!("{shown}: {why}")),
        (None, None) => Point::Unclear(format!("{shown}: it came without TLS")),
        (None, Some(end @ (End::Established | End::Alert { .. } | End::Closed | End::Silent { .. } | End::Reset))) => {
            Point::Good(format!("{shown}: {} and nothing was asked for", end.words()))
        }
    }
}
