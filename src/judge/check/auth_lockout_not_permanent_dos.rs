//! A lock must not shut the owner out for good.
use super::guessing::{Series, guessing, series};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Subject,
    observation::{Answer, Mechanism, guessing::Around},
};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    id: "auth-lockout-not-permanent-dos",
    title: "A lock ends by itself",
    page: include_str!("auth_lockout_not_permanent_dos.md"),
    expected: "after a lock the device lets people in again within a bearable time",
    remedy: "lock for a limited time, and by source as well as by account",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &["guessing"],
    bind: bind::<LockoutEnds>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LockoutEnds {
    /// How long a lock may last.
    #[serde(default = "half_an_hour")]
    max_seconds: u64,
}

fn half_an_hour() -> u64 {
    30 * 60
}

impl Judge for LockoutEnds {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let known = evidence.known("guessing", |r| guessing(r, None));
        let series: BTreeMap<_, _> = series(&known).into_iter().filter(|(_, s)| s.locked()).collect();
        let locked: Vec<(Subject, Mechanism)> = series.keys().map(|(s, m)| ((*s).clone(), *m)).collect();
        let of_locked = evidence.known("guessing", |r| {
            let g = guessing(r, None)?;
            locked.contains(&(r.subject.clone(), g.mechanism)).then_some(g)
        });
        every(&of_locked, "no lock was seen", |seen| match series.get(&(seen.subject(), seen.what.mechanism)) {
            Some(s) => s.recovery(self.max_seconds, &format!("{} on {}", seen.what.mechanism.word(), seen.subject())),
            None => Point::Unclear("nothing was tried".to_owned()),
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried("guessing")
    }
}

impl Series {
    fn locked(&self) -> bool {
        let shut_out = matches!(
            (self.around(Around::OwnerBefore), self.around(Around::OwnerAfter)),
            (Some(Answer::Accepted), Some(Answer::Refused | Answer::LockSign | Answer::Unclear))
        );
        shut_out || self.answers.iter().any(|a| a.0 == Answer::LockSign)
    }

    fn recovery(&self, max: u64, what: &str) -> Point {
        let owner = self.around(Around::OwnerBefore).is_some();
        if self.around(Around::OwnerAfter) == Some(Answer::Accepted) {
            return Point::Good(format!("{what}: the owner was let in right after the reaction"));
        }
        let open = |a: Answer| a == Answer::Accepted || (!owner && a == Answer::Refused);
        let tries = || self.around.iter().filter(|a| a.0 == Around::Recovery);
        if let Some((_, _, ms)) = tries().find(|a| open(a.1)) {
            let (seconds, who) = (ms / 1000, if owner { "the owner was let in" } else { "log-ins were taken" });
            return match seconds <= max {
                true => Point::Good(format!("{what}: {who} again after {seconds} s")),
                false => Point::Bad(format!("{what}: {who} again only after {seconds} s, more than {max}")),
            };
        }
        match tries().map(|a| a.2 / 1000).max() {
            Some(seconds) if seconds >= max => Point::Bad(format!("{what}: still locked after {seconds} s")),
            Some(seconds) => Point::Unclear(format!("{what}: still locked after {seconds} s, when the wait was over")),
            None => Point::Unclear(format!("{what}: whether it opens again was not tried")),
        }
    }
}
