//! A device that is set up as the maker proposes updates itself.
use super::{
    Check, Judge, Proves, Severity, bind,
    common::{looked, never_absent},
    lab::{IMAGES, trial},
};
use crate::judge::{
    Decision, Evidence, Verdict,
    evidence::Extent,
    judgement::{Point, every},
};
use crate::model::{
    Observation,
    declarations::{Entry, Value},
    observation::lab::{ImageCase, ImageTrial, Prompted},
};
use serde::Deserialize;

const POLLS: &str = "lab-update-polls";
const TABLE: &str = "7-UpdMech";

pub const CHECK: Check = Check {
    id: "upd-automatic-default",
    title: "Automatic updates are on after set-up",
    page: include_str!("upd_automatic_default.md"),
    expected: "a device that was set up by the proposed choices installs an update that nobody asked it to look for",
    remedy: "have automatic updates switched on by default, or ask for them in the set-up",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &[IMAGES, POLLS],
    bind: bind::<UpdAutomaticDefault>,
};

/// How much longer than declared a device may stay away: a fifth.
const LONGER: (u64, u64) = (6, 5);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdAutomaticDefault {}

#[derive(Clone, Copy)]
struct Watched<'a> {
    ms: u64,
    looks: usize,
    set_up: Option<&'a str>,
}

impl Judge for UpdAutomaticDefault {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let watched = evidence.known(POLLS, |r| match &r.observation {
            Observation::LabWatched { watched_ms, polls_ms, set_up } => {
                Some(Watched { ms: *watched_ms, looks: polls_ms.len(), set_up: set_up.as_deref() })
            }
            _ => None,
        });
        let declared = evidence.declared(TABLE);
        let entries: Vec<&Entry> = declared.iter().flat_map(|k| k.items()).map(|s| s.what).collect();
        if let (Some(Extent::Complete(looked)), true) =
            (declared.as_ref().map(|k| k.extent()), none_automatic(&entries))
        {
            let what = "the maker declares that no update is automatic".to_owned();
            return Decision::Absent { looked: looked.clone(), what };
        }
        let longest = entries.iter().filter_map(|e| u64::try_from(e.number("x-check-seconds")?).ok()).max();
        let patience = longest.map(|s| s.saturating_mul(1000).saturating_mul(LONGER.0) / LONGER.1);
        let idle = |w: &Watched<'_>| w.looks == 0 && patience.is_some_and(|p| w.ms > p);
        if watched.items().iter().any(|s| idle(&s.what)) {
            return every(&watched, "it was not watched", |seen| match idle(&seen.what) {
                true => Point::Bad(format!("it did not look for an update by itself in {} s", seen.what.ms / 1000)),
                false => Point::Unclear("it looked for updates in another run".to_owned()),
            });
        }
        let set_up = watched.items().iter().filter_map(|s| s.what.set_up).next_back();
        let trials = evidence.known_of(IMAGES, Some(ImageCase::Genuine.word()), trial);
        let genuine = trials.only(|t| t.case == ImageCase::Genuine).and(looked(evidence, POLLS));
        let decision = every(&genuine, "no update was offered", |seen| point(seen.what, set_up));
        never_absent(decision, IMAGES, "no genuine update was offered; give the plan images")
    }

    /// Who looks at the device's settings decides the same.
    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        match self.judge(evidence) {
            Decision::Absent { .. } => false,
            Decision::Judged(j) => j.verdict() == Verdict::Inconclusive,
        }
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

/// Every mechanism says that it needs the user.
fn none_automatic(entries: &[&Entry]) -> bool {
    let not = |e: &&Entry| matches!(e.fields.get("x-automatic"), Some(Value::Flag(false)));
    !entries.is_empty() && entries.iter().all(not)
}

fn point(trial: &ImageTrial, set_up: Option<&str>) -> Point {
    let took = trial.before.as_deref() != Some(trial.version.as_str()) && trial.after.as_ref() == Some(&trial.version);
    match (took, trial.prompted, set_up) {
        (true, Prompted::Nobody, Some(set_up)) => {
            Point::Good(format!("set up with {set_up}: it found and installed {} by itself", trial.version))
        }
        (true, Prompted::Nobody, None) => {
            Point::Unclear(format!("it installed {} by itself; how it was set up is not said", trial.version))
        }
        (true, Prompted::Trigger, _) => {
            Point::Unclear(format!("it installed {} after it had been made to look for it", trial.version))
        }
        (true, Prompted::Unknown, _) => {
            Point::Unclear(format!("it installed {}; whether anybody made it look is not recorded", trial.version))
        }
        (false, Prompted::Nobody | Prompted::Trigger | Prompted::Unknown, _) => {
            Point::Unclear(format!("it was offered {} and was not seen to install it", trial.version))
        }
    }
}
