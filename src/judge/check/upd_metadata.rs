//! What a device believes of an update server's metadata: their signature, and until when they hold.
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

pub const CHANGED: Check = Check {
    id: "upd-metadata-tamper",
    title: "Tampered update metadata is refused",
    page: include_str!("upd_metadata_tamper.md"),
    expected: "the device installs nothing when the metadata are not what was signed",
    remedy: "verify the metadata's signature before anything in them is used",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &[IMAGES],
    bind: bind::<Changed>,
};

pub const EXPIRED: Check = Check {
    id: "upd-freeze-replay",
    title: "Old metadata are not believed beyond their validity",
    page: include_str!("upd_freeze_replay.md"),
    expected: "the device installs nothing by metadata that are no longer valid",
    remedy: "compare the metadata's validity with a time that is trusted, and tell of metadata that are over",
    severity: Severity::Low,
    bind: bind::<Expired>,
    ..CHANGED
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changed {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expired {}

impl Judge for Changed {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        refused(evidence, ImageCase::MetadataChanged)
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        not_offered(evidence, ImageCase::MetadataChanged)
    }
}

impl Judge for Expired {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        refused(evidence, ImageCase::MetadataExpired)
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        not_offered(evidence, ImageCase::MetadataExpired)
    }
}

/// Many devices have no signed metadata, or none that end: then an assessor says whether they are needed.
fn not_offered(evidence: &Evidence<'_>, case: ImageCase) -> bool {
    !evidence.known(IMAGES, trial).items().iter().any(|s| s.what.case == case)
}

fn refused(evidence: &Evidence<'_>, case: ImageCase) -> Decision {
    let trials: Known<&ImageTrial> = evidence.known_of(IMAGES, Some(case.word()), trial);
    let control = takes_genuine(trials.items(), case);
    let decision = every(&trials.only(|t| t.case == case), "it was not offered", |seen| point(seen.what));
    let why = "no such metadata were shown; the plan needs a signature of the metadata, and {expires} in them";
    let decision = never_absent(decision, IMAGES, why);
    controlled(decision, control, IMAGES, "the genuine image was not seen to be taken with good metadata")
}

fn point(t: &ImageTrial) -> Point {
    let offered = format!("offered {}", t.case.words());
    let (Some(before), Some(after)) = (&t.before, &t.after) else {
        return Point::Unclear(format!("{offered}: its version could not be read before and after"));
    };
    match t.seen.iter().chain([after]).find(|v| *v != before) {
        Some(other) => Point::Bad(format!("{offered}: it ran {before}, and then {other}")),
        None if t.asked == 0 && t.fetches == 0 => Point::Unclear(format!("{offered}: it did not look at them")),
        None => Point::Good(format!("{offered}: it read them {} times and went on with {before}", t.asked)),
    }
}
