//! A credential of one sample must not open another: no password, and no symmetric key.
use super::samples::{compared, told_apart};
use super::{Check, Judge, Proves, Severity};
use crate::judge::{
    Decision, Evidence, Judgement,
    judgement::{Point, every},
};
use crate::model::{
    Gap, Observation, Record, Why,
    observation::{Answer, Mechanism, Presented},
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

pub const CHECK: Check = Check {
    id: "dev-unique-password-two-samples",
    title: "Factory credentials differ between samples of one model",
    page: include_str!("dev_unique_password_two_samples.md"),
    expected: "no credential that opens one sample opens another",
    remedy: "generate a random secret for each device in production",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["device-binding", "logins"],
    bind: |p| bound(|m| m != Mechanism::Psk, "no log-in", p),
};

pub const KEYS: Check = Check {
    id: "psk-shared-samples",
    title: "Two samples do not share symmetric keys",
    page: include_str!("psk_shared_samples.md"),
    expected: "no pre-shared key that opens one sample opens another",
    remedy: "give each device a random key of its own in production",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["device-binding", "logins"],
    bind: |p| bound(|m| m == Mechanism::Psk, "no DTLS service with a pre-shared key", p),
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoParameters {}

fn bound(of: fn(Mechanism) -> bool, absent: &'static str, parameters: toml::Table) -> Result<Box<dyn Judge>, String> {
    let NoParameters {} = parameters.try_into().map_err(|e: toml::de::Error| e.message().to_owned())?;
    Ok(Box::new(Shared { of, absent }))
}

struct Shared {
    /// The mechanisms whose credentials are compared.
    of: fn(Mechanism) -> bool,
    absent: &'static str,
}

impl Judge for Shared {
    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.samples() < 2
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        if let Some(missing) = told_apart(evidence) {
            return missing;
        }
        let of = |r| trial(r).filter(|((mechanism, ..), _)| (self.of)(*mechanism));
        let trials = evidence.sampled("logins", of).and(compared(evidence, "device-binding"));
        let (mut accepted, mut refused) = (BTreeMap::<Key<'_>, BTreeMap<usize, u32>>::new(), BTreeSet::new());
        for (sample, (key, answer)) in trials.items().iter().map(|s| s.what) {
            match (key.2, answer) {
                (Some(_), Answer::Accepted) => *accepted.entry(key).or_default().entry(sample).or_default() += 1,
                (_, Answer::Refused) => drop(refused.insert((sample, key))),
                (_, Answer::Accepted | Answer::Unclear | Answer::LockSign) => {}
            }
        }
        // Twice, while a wrong one was refused at the same door: else it opens for anything.
        let opens = |key: &Key<'_>, sample: usize| {
            let twice = accepted.get(key).and_then(|s| s.get(&sample)).is_some_and(|n| *n >= 2);
            twice && refused.contains(&(sample, (key.0, "(random)", None)))
        };
        let opening = trials.clone().only(|(sample, (key, _))| opens(key, *sample));
        if opening.items().is_empty() && !trials.items().is_empty() {
            let gap =
                Gap { wanted: "factory credentials of the samples".to_owned(), subject: None, why: Why::NotSupplied };
            let observed = "no listed credential opens any sample; compare those on their labels".to_owned();
            return Decision::Judged(Judgement::missing(gap, observed));
        }
        every(&opening, self.absent, |seen| {
            let (sample, (key, _)) = seen.what;
            let what = format!("{} user `{}` with {}", key.0.word(), key.1, key.2.unwrap_or("a random secret"));
            let others = (1..=evidence.samples()).filter(|n| *n != sample);
            match others.clone().find(|n| opens(&key, *n)) {
                Some(other) => Point::Bad(format!("{what} opens sample {sample} and sample {other}")),
                None if others.clone().all(|n| refused.contains(&(n, key))) => {
                    Point::Good(format!("{what} opens sample {sample} and no other"))
                }
                None => Point::Unclear(format!("{what} opens sample {sample}, and was not tried on every other")),
            }
        })
    }
}

/// Mechanism, user, and the credential's id in the list; none for the random control.
type Key<'a> = (Mechanism, &'a str, Option<&'a str>);

fn trial(record: &Record) -> Option<(Key<'_>, Answer)> {
    match &record.observation {
        Observation::LoginTrial { mechanism, user, presented, answer, .. } => match presented {
            Presented::Listed(id) => Some(((*mechanism, user, Some(id)), *answer)),
            Presented::Wrong => Some(((*mechanism, user, None), *answer)),
            Presented::Nothing | Presented::Anonymous | Presented::Supplied => None,
        },
        _ => None,
    }
}
