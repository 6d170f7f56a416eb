//! FTP must not open for `anonymous`.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::observation::{Answer, Mechanism, Presented};
use crate::model::{Observation, Record, Subject};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    id: "ftp-anonymous",
    title: "FTP refuses anonymous users",
    page: include_str!("ftp_anonymous.md"),
    expected: "every FTP service refuses the user `anonymous`",
    remedy: "switch anonymous FTP off",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["logins"],
    bind: bind::<FtpAnonymous>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FtpAnonymous {}

impl Judge for FtpAnonymous {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let facts = evidence.known_of("logins", Some("ftp"), of);
        let mut tried: BTreeMap<&Subject, Tried> = BTreeMap::new();
        for (subject, presented, answer) in facts.items().iter().filter_map(|s| s.what.1.map(|(p, a)| (s.what.0, p, a)))
        {
            tried.entry(subject).or_default().add(presented, answer);
        }
        every(&facts, "no FTP service", |seen| match tried.get(seen.subject()) {
            Some(tried) => tried.point(seen.subject()),
            None => Point::Unclear(format!("{}: no login was tried", seen.subject())),
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}

type Trial<'a> = (&'a Presented, Answer);

/// FTP surfaces, and the trials that this check compares.
fn of(record: &Record) -> Option<(&Subject, Option<Trial<'_>>)> {
    match &record.observation {
        Observation::LoginSurface { mechanism: Mechanism::Ftp, .. } => Some((&record.subject, None)),
        Observation::LoginTrial { mechanism: Mechanism::Ftp, presented, answer, .. } => match presented {
            Presented::Wrong | Presented::Anonymous => Some((&record.subject, Some((presented, *answer)))),
            Presented::Nothing | Presented::Supplied | Presented::Listed(_) => None,
        },
        _ => None,
    }
}

#[derive(Default)]
struct Tried {
    wrong: Vec<Answer>,
    anonymous: Vec<Answer>,
}

impl Tried {
    fn add(&mut self, presented: &Presented, answer: Answer) {
        match presented {
            Presented::Wrong => self.wrong.push(answer),
            Presented::Anonymous => self.anonymous.push(answer),
            Presented::Nothing | Presented::Supplied | Presented::Listed(_) => {}
        }
    }

    fn point(&self, at: &Subject) -> Point {
        if self.wrong.contains(&Answer::Accepted) {
            return Point::Unclear(format!("{at}: it accepts everybody, not only anonymous"));
        }
        if self.anonymous.contains(&Answer::Accepted) {
            return match self.wrong.contains(&Answer::Refused) {
                true => Point::Bad(format!("{at}: anonymous is let in, a wrong secret is not")),
                false => Point::Unclear(format!("{at}: anonymous is let in, but no wrong secret was refused")),
            };
        }
        match !self.anonymous.is_empty() && self.anonymous.iter().all(|a| *a == Answer::Refused) {
            true => Point::Good(format!("{at}: anonymous is refused")),
            false => Point::Unclear(format!("{at}: the anonymous login was not answered clearly")),
        }
    }
}
