//! How a device reacts to guesses: by a lock, a limit of the rate, growing delays, or not at all.
use super::{Check, Judge, Proves, Severity};
use crate::judge::{
    Decision, Evidence, Known,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Subject,
    observation::{
        Answer, Mechanism,
        guessing::{Around, Guess, Guessed, Guessing},
    },
};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const HTTP: Check = Check {
    id: "auth-bruteforce-http",
    title: "Guessing over HTTP is slowed or locked",
    page: include_str!("auth_bruteforce_http.md"),
    expected: "after few wrong passwords the device reacts, so that guessing on is hopeless",
    remedy: "count failures per account and source, and answer with growing delays or a lock for a time",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["guessing"],
    bind: |p| {
        bound(&[Mechanism::HttpBasic, Mechanism::HttpDigest, Mechanism::HttpForm, Mechanism::HttpJson], "HTTP", p)
    },
};

pub const SSH: Check = Check {
    id: "ssh-bruteforce",
    title: "SSH slows the guessing of passwords",
    page: include_str!("ssh_bruteforce.md"),
    expected: "after few wrong passwords the device reacts, so that guessing on is hopeless",
    remedy: "limit the rate of failures, or take keys only",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["guessing"],
    bind: |p| bound(&[Mechanism::Ssh], "SSH", p),
};

pub const MQTT: Check = Check {
    id: "mqtt-bruteforce",
    title: "The broker slows the guessing of credentials",
    page: include_str!("mqtt_bruteforce.md"),
    expected: "after few wrong passwords the broker reacts, so that guessing on is hopeless",
    remedy: "give devices long random secrets, and limit the rate of failures",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &["guessing"],
    bind: |p| bound(&[Mechanism::Mqtt], "MQTT", p),
};

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    /// The device reacts at the latest to this many wrong secrets in a row.
    max_attempts: u32,
    /// How many times slower the last guesses are than the first where delays grow.
    slowdown: u32,
    /// How many guesses a day are too few to matter for a password that a person chose.
    per_day: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_attempts: 10, slowdown: 3, per_day: 5000 }
    }
}

fn bound(
    mechanisms: &'static [Mechanism],
    service: &'static str,
    parameters: toml::Table,
) -> Result<Box<dyn Judge>, String> {
    let limits = parameters.try_into().map_err(|e: toml::de::Error| e.message().to_owned())?;
    Ok(Box::new(BruteForce { mechanisms, service, limits }))
}

struct BruteForce {
    mechanisms: &'static [Mechanism],
    service: &'static str,
    limits: Limits,
}

impl Judge for BruteForce {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = |m: &Mechanism| evidence.known_of("guessing", Some(m.word()), |r| guessing(r, Some(*m)));
        let Some(known) = self.mechanisms.iter().map(all).reduce(Known::and) else { return nowhere(evidence) };
        let series = series(&known);
        let absent = format!("no log-in over {} where guessing could be tried", self.service);
        every(&known, &absent, |seen| match series.get(&(seen.subject(), seen.what.mechanism)) {
            Some(s) => s.point(&self.limits, &format!("{} on {}", seen.what.mechanism.word(), seen.subject())),
            None => Point::Unclear("nothing was tried".to_owned()),
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried("guessing")
    }
}

fn nowhere(evidence: &Evidence<'_>) -> Decision {
    every(&evidence.known("guessing", |r| guessing(r, None)), "no log-in", |_| Point::Unclear(String::new()))
}

pub(super) fn guessing(record: &crate::model::Record, of: Option<Mechanism>) -> Option<&Guessing> {
    match &record.observation {
        Observation::Guessing { guessing } if of.is_none_or(|m| m == guessing.mechanism) => Some(guessing),
        _ => None,
    }
}

pub(super) fn series<'a>(known: &'a Known<&Guessing>) -> BTreeMap<(&'a Subject, Mechanism), Series> {
    let mut all: BTreeMap<(&Subject, Mechanism), Series> = BTreeMap::new();
    for seen in known.items() {
        all.entry((seen.subject(), seen.what.mechanism)).or_default().add(seen.what);
    }
    all
}

/// What happened at one way to log in.
#[derive(Default)]
pub(super) struct Series {
    named: bool,
    sent: u32,
    most: u32,
    /// Answer, its time and that of the question that is no log-in.
    pub(super) answers: Vec<(Answer, u64, u64)>,
    pub(super) around: Vec<(Around, Answer, u64)>,
}

/// The ways to react.
enum Mode {
    LockOut {
        after: u32,
        told: bool,
    },
    RateLimit {
        after: u32,
    },
    /// It reacted, and whom that concerns was not seen.
    Reaction {
        after: u32,
    },
    GrowingDelay {
        from: u64,
        to: u64,
    },
    None {
        per_day: u64,
    },
}

impl Series {
    fn add(&mut self, g: &Guessing) {
        self.named |= g.account == Guessed::Named;
        match g.guess {
            Guess::Sent { n, most } => (self.sent, self.most) = (self.sent.max(n), most),
            Guess::Answered { answer, ms, neutral_ms, .. } => self.answers.push((answer, ms, neutral_ms)),
            Guess::Asking { .. } => {}
            Guess::Around { what, answer, after_ms } => self.around.push((what, answer, after_ms)),
        }
    }

    pub(super) fn around(&self, what: Around) -> Option<Answer> {
        self.around.iter().find(|a| a.0 == what).map(|a| a.1)
    }

    fn count(&self) -> u32 {
        u32::try_from(self.answers.len()).unwrap_or(u32::MAX)
    }

    fn medians(&self, of: impl Fn(&(Answer, u64, u64)) -> u64) -> (u64, u64) {
        let all: Vec<u64> = self.answers.iter().map(of).collect();
        let few = all.len().min(3);
        (median(all.iter().take(few)), median(all.iter().rev().take(few)))
    }

    fn mode(&self, limits: &Limits) -> Mode {
        let after = self.count();
        let owner = (self.around(Around::OwnerBefore), self.around(Around::OwnerAfter));
        if self.answers.last().is_some_and(|a| a.0 == Answer::LockSign) {
            return match self.around(Around::OtherName) {
                Some(Answer::Refused) => Mode::LockOut { after, told: true },
                Some(Answer::LockSign) => Mode::RateLimit { after },
                Some(Answer::Accepted | Answer::Unclear) | None => Mode::Reaction { after },
            };
        }
        if matches!(owner, (Some(Answer::Accepted), Some(Answer::Refused | Answer::LockSign))) {
            return Mode::LockOut { after, told: false };
        }
        let (from, to) = self.medians(|a| a.1);
        if to >= from.saturating_mul(u64::from(limits.slowdown)) && to.saturating_sub(from) >= LEAST_GROWTH_MS {
            return Mode::GrowingDelay { from, to };
        }
        let usual = median(self.answers.iter().map(|a| &a.1)).max(1);
        Mode::None { per_day: 86_400_000 / usual }
    }

    pub(super) fn point(&self, limits: &Limits, what: &str) -> Point {
        let sent = self.sent.max(self.count());
        if self.answers.iter().any(|a| a.0 == Answer::Accepted) {
            return Point::Unclear(format!("{what}: a random secret was accepted, which is another check's finding"));
        }
        if self.answers.iter().any(|a| a.0 == Answer::Unclear) {
            return Point::Unclear(format!("{what}: of {sent} guesses not every answer could be read"));
        }
        let within = |after: u32, how: String| match after <= limits.max_attempts {
            true => Point::Good(format!("{what}: {how} after {after} wrong secrets")),
            false => {
                Point::Bad(format!("{what}: {how} only after {after} wrong secrets, more than {}", limits.max_attempts))
            }
        };
        match self.mode(limits) {
            Mode::LockOut { after, told: true } => within(after, "the account is locked".to_owned()),
            // When it was locked was not said: at the latest by then.
            Mode::LockOut { after, told: false } if after > limits.max_attempts => Point::Unclear(format!(
                "{what}: the account is locked without saying so, at some time within {after} wrong secrets"
            )),
            Mode::LockOut { after, told: false } => Point::Good(format!(
                "{what}: the account is locked without saying so, at the latest after {after} wrong secrets"
            )),
            Mode::RateLimit { after } => within(after, "the rate is limited, whatever the name".to_owned()),
            Mode::Reaction { after } => within(after, "the device reacts".to_owned()),
            Mode::GrowingDelay { from, to } => self.growing(limits, what, from, to),
            Mode::None { per_day } => self.unhindered(limits, what, per_day),
        }
    }

    /// A device that is slow for everybody is under strain, and does not slow guesses.
    fn growing(&self, limits: &Limits, what: &str, from: u64, to: u64) -> Point {
        let (neutral_from, neutral_to) = self.medians(|a| a.2);
        if neutral_to >= neutral_from.max(1).saturating_mul(2)
            && neutral_to.saturating_sub(neutral_from) >= LEAST_GROWTH_MS
        {
            return Point::Unclear(format!("{what}: the device became slow for other questions, too"));
        }
        if self.count() < limits.max_attempts {
            return Point::Unclear(format!("{what}: only {} guesses were made", self.count()));
        }
        Point::Good(format!("{what}: the delay grows from {from} ms to {to} ms over {} guesses", self.count()))
    }

    fn unhindered(&self, limits: &Limits, what: &str, per_day: u64) -> Point {
        let all = self.count();
        let seen = format!("{what}: no reaction to {all} wrong secrets in a row, at {per_day} guesses a day");
        if all < limits.max_attempts || self.sent > all || self.most > all {
            return Point::Unclear(format!("{seen}, but the series was not finished"));
        }
        if per_day <= limits.per_day {
            return Point::Unclear(format!("{seen}: whether that is slow enough depends on how the secret is made"));
        }
        match self.named {
            true => Point::Bad(seen),
            false => Point::Unclear(format!("{seen}; the name was made up, and only failures of real ones may count")),
        }
    }
}

/// Less is the jitter of a network.
const LEAST_GROWTH_MS: u64 = 200;

fn median<'a>(all: impl Iterator<Item = &'a u64>) -> u64 {
    let mut all: Vec<u64> = all.copied().collect();
    all.sort_unstable();
    all.get(all.len() / 2).copied().unwrap_or(0)
}
