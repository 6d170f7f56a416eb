//! A device comes back from software that does not start.
use super::{
    Check, Judge, Proves, Severity, bind,
    common::never_absent,
    lab::{IMAGES, controlled, takes_genuine, trial},
};
use crate::judge::{
    Decision, Evidence, Known,
    judgement::{Point, every},
};
use crate::model::observation::lab::{ImageCase, ImageTrial};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "upd-failed-boot-rollback",
    title: "A valid but non-booting image rolls back",
    page: include_str!("upd_failed_boot_rollback.md"),
    expected: "the device runs its former version again after it took an image that does not start",
    remedy: "keep the former software in a second slot, and go back to it when the new one does not report that it runs",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &[IMAGES],
    bind: bind::<UpdFailedBootRollback>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdFailedBootRollback {}

impl Judge for UpdFailedBootRollback {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let trials: Known<&ImageTrial> = evidence.known_of(IMAGES, Some(ImageCase::NoBoot.word()), trial);
        let control = takes_genuine(trials.items(), ImageCase::NoBoot);
        let broken = trials.only(|t| t.case == ImageCase::NoBoot);
        let decision = every(&broken, "it was not offered", |seen| point(seen.what));
        let decision = never_absent(decision, IMAGES, "the maker supplied no signed image that does not start");
        controlled(decision, control, IMAGES, "the genuine image was not seen to be taken in the same way")
    }

    /// Only the maker can sign such an image.
    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        !evidence.known(IMAGES, trial).items().iter().any(|s| s.what.case == ImageCase::NoBoot)
    }
}

fn point(t: &ImageTrial) -> Point {
    let offered = format!("offered {}", t.case.words());
    let Some(before) = &t.before else {
        return Point::Unclear(format!("{offered}: which version ran before is not known"));
    };
    match &t.after {
        _ if t.fetched < t.bytes => Point::Unclear(format!("{offered}: it did not fetch all of it")),
        // Else it may have refused the image, and was never in danger.
        Some(after) if after == before && t.unread == 0 && !t.seen.contains(&t.version) => {
            Point::Unclear(format!("{offered}: it was not seen to start it; it runs {before}"))
        }
        Some(after) if after == before => Point::Good(format!("{offered}: it was away, and runs {before} again")),
        Some(after) if *after == t.version => {
            Point::Unclear(format!("{offered}: it runs {after}, so that it does start"))
        }
        Some(after) => Point::Unclear(format!("{offered}: it runs {after}, which is neither")),
        None => Point::Bad(format!("{offered}: it ran {before}, and did not come back in {} s", t.waited_ms / 1000)),
    }
}
