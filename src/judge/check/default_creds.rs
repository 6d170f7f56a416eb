//! The rule that all default-credential checks share: a listed credential counts only when it is
//! accepted twice while a random wrong one is refused.
use super::{
    EntryRow,
    common::{guards, listed},
};
use crate::judge::{
    Decision, Evidence, Verdict,
    assess::Outcome,
    judgement::{Point, every},
};
use crate::model::observation::{Answer, Asks, Mechanism, Presented};
use crate::model::{Observation, Record, Subject};
use std::collections::{BTreeMap, BTreeSet};

/// Judges every endpoint where `mechanism` asks for a login. One that lets everybody in without asking has
/// no default login to judge, unless it showed a login all the same (HTTP).
pub(super) fn judge(evidence: &Evidence<'_>, mechanism: Mechanism, absent: &str) -> Decision {
    judge_at(evidence, mechanism, absent, |_| true)
}

/// A declared log-in is met on the endpoints that refer to it.
pub(super) const TABLES: &[&str] = &["1-AuthMech", "x-endpoints"];

/// The same for each declared log-in of that mechanism, on the endpoints where it is declared.
pub(super) fn entries(evidence: &Evidence<'_>, mechanism: Mechanism) -> Vec<EntryRow> {
    let declared = evidence.ixit.and_then(|i| i.auth.as_deref()).unwrap_or_default();
    let row = |e: &crate::model::declarations::DeclaredAuth| {
        let mut row = EntryRow {
            table: "1-AuthMech",
            entry: e.id.clone(),
            verdict: Outcome::Inconclusive,
            observed: "not found where it is declared, so it was not exercised".to_owned(),
            evidence: Vec::new(),
        };
        // Not found is a fault of nobody's, but no reason to think that it was tried either.
        if let Decision::Judged(j) = judge_at(evidence, mechanism, "", |s| guards(evidence, e, s))
            && j.cites().next().is_some()
        {
            row.verdict = match j.verdict() {
                Verdict::Pass => Outcome::Pass,
                Verdict::Inconclusive => Outcome::Inconclusive,
                Verdict::Fail => Outcome::Fail,
            };
            row.observed = j.observed().join("; ");
            row.evidence = j.cites().cloned().collect();
        }
        row
    };
    declared.iter().filter(|e| e.mechanism == mechanism.word()).map(row).collect()
}

fn judge_at(evidence: &Evidence<'_>, mechanism: Mechanism, absent: &str, at: impl Fn(&Subject) -> bool) -> Decision {
    let facts = evidence.known_of("logins", Some(mechanism.word()), |r| of(r, mechanism).filter(|(s, _)| at(s)));
    let mut accounts: BTreeMap<&Subject, Account<'_>> = BTreeMap::new();
    for (subject, fact) in facts.items().iter().map(|s| s.what) {
        accounts.entry(subject).or_default().add(fact);
    }
    let facts = facts.only(|(subject, _)| accounts.get(subject).is_none_or(|a| !a.is_open(mechanism)));
    // Once per endpoint: thousands of trials may stand behind one point.
    // As it came a device may have a password that it asks to change; that it did is seen after its set-up.
    let point = |a: &Account<'_>, s: &Subject| match a.point(&format!("{} on {s}", mechanism.word())) {
        Point::Bad(what) if evidence.is_factory_state() => {
            Point::Unclear(format!("{what}; that is the factory state: record the device once it is set up, too"))
        }
        point => point,
    };
    let points: BTreeMap<&Subject, Point> = accounts.iter().map(|(s, a)| (*s, point(a, s))).collect();
    every(&facts, absent, |seen| {
        points.get(seen.subject()).cloned().unwrap_or_else(|| Point::Unclear("nothing was tried".to_owned()))
    })
}

#[derive(Clone, Copy)]
enum Fact<'a> {
    Surface(Asks),
    Trial { user: &'a str, presented: &'a Presented, answer: Answer },
    Left { tried: u32, left: u32, why: &'a str },
}

fn of(record: &Record, wanted: Mechanism) -> Option<(&Subject, Fact<'_>)> {
    let fact = match &record.observation {
        Observation::LoginSurface { mechanism, asks, .. } if *mechanism == wanted => Fact::Surface(*asks),
        Observation::LoginTrial { mechanism, user, presented, answer, .. } if *mechanism == wanted => {
            Fact::Trial { user, presented, answer: *answer }
        }
        Observation::LoginsLeft { mechanism, tried, left, why } if *mechanism == wanted => {
            Fact::Left { tried: *tried, left: *left, why }
        }
        _ => return None,
    };
    Some((&record.subject, fact))
}

/// What was tried at one endpoint.
#[derive(Default)]
struct Account<'a> {
    asks: Vec<Asks>,
    trials: Vec<(&'a str, &'a Presented, Answer)>,
    left: Vec<(u32, u32, &'a str)>,
}

impl<'a> Account<'a> {
    fn add(&mut self, fact: Fact<'a>) {
        match fact {
            Fact::Surface(asks) => self.asks.push(asks),
            Fact::Trial { user, presented, answer } => self.trials.push((user, presented, answer)),
            Fact::Left { tried, left, why } => self.left.push((tried, left, why)),
        }
    }

    fn is_open(&self, mechanism: Mechanism) -> bool {
        let is_http = matches!(mechanism, Mechanism::HttpBasic | Mechanism::HttpDigest | Mechanism::HttpForm);
        !is_http && !self.asks.is_empty() && self.asks.iter().all(|a| *a == Asks::No)
    }

    fn point(&self, what: &str) -> Point {
        if let Some(problem) = self.control_problem() {
            return Point::Unclear(format!("{what}: {problem}"));
        }
        if let Some(confirmed) = self.confirmed() {
            return Point::Bad(format!("{what}: accepted twice, while a wrong secret was refused: {confirmed}"));
        }
        match self.unfinished() {
            Some(why) => Point::Unclear(format!("{what}: {why}")),
            None => Point::Good(format!("{what}: {} listed credentials were refused", self.refused())),
        }
    }

    /// Controls come first: without them an acceptance and a refusal mean nothing.
    fn control_problem(&self) -> Option<&'static str> {
        if self.asks.contains(&Asks::No) || self.any(&Presented::Nothing, Answer::Accepted) {
            return Some("no authentication is needed, which is another check's finding");
        }
        if self.any(&Presented::Wrong, Answer::Accepted) {
            return Some("any credential works, which is another check's finding");
        }
        (self.any_listed() && !self.any(&Presented::Wrong, Answer::Refused))
            .then_some("the refusal of a wrong secret was not seen, so that nothing can be told from the others")
    }

    fn confirmed(&self) -> Option<String> {
        let accepted = self.accepted();
        let twice: Vec<_> = accepted.iter().filter(|(_, n)| **n >= 2).map(|((user, id), _)| name(user, id)).collect();
        (!twice.is_empty()).then(|| listed(twice))
    }

    fn unfinished(&self) -> Option<String> {
        if let Some((user, id)) = self.accepted().keys().next() {
            return Some(format!("{} was accepted once and not confirmed", name(user, id)));
        }
        if let Some((tried, left, why)) = self.left.iter().find(|(_, left, _)| *left > 0) {
            return Some(format!("{tried} credentials tried, {left} left: {why}"));
        }
        if self.trials.iter().any(|(_, _, a)| *a == Answer::LockSign) {
            return Some(format!("the device showed signs of locking after {} refusals", self.refused()));
        }
        if self.trials.iter().any(|(_, _, a)| *a == Answer::Unclear) {
            return Some("an answer could not be read".to_owned());
        }
        (self.refused() == 0).then(|| "no listed credential was tried".to_owned())
    }

    fn any(&self, what: &Presented, answer: Answer) -> bool {
        self.trials.iter().any(|(_, p, a)| *p == what && *a == answer)
    }

    fn any_listed(&self) -> bool {
        self.trials.iter().any(|(_, p, _)| matches!(p, Presented::Listed(_)))
    }

    /// How often each user and credential id was accepted.
    fn accepted(&self) -> BTreeMap<(&'a str, &'a str), u32> {
        let mut out = BTreeMap::new();
        for (user, presented, answer) in &self.trials {
            if let (Presented::Listed(id), Answer::Accepted) = (presented, answer) {
                *out.entry((*user, id.as_str())).or_default() += 1;
            }
        }
        out
    }

    fn refused(&self) -> usize {
        let id = |(_, p, a): &(&str, &'a Presented, Answer)| match (p, a) {
            (Presented::Listed(id), Answer::Refused) => Some(id.as_str()),
            (Presented::Listed(_), Answer::Accepted | Answer::Unclear | Answer::LockSign) => None,
            (Presented::Nothing | Presented::Wrong | Presented::Anonymous | Presented::Supplied, _) => None,
        };
        self.trials.iter().filter_map(id).collect::<BTreeSet<_>>().len()
    }
}

/// Never the secret, only its id in the list.
fn name(user: &str, id: &str) -> String {
    format!("user `{user}` with {id}")
}
