//! What the checks of a laboratory's runs ask in the same way.
use crate::judge::{
    Decision, Evidence, Judgement, Known,
    evidence::Seen,
    judgement::{Point, every},
};
use crate::model::{
    Gap, Observation, Record, Why,
    observation::lab::{ImageCase, ImageTrial, Resource, Visit},
};

pub(super) const SERVERS: &str = "lab-update-servers";
pub(super) const IMAGES: &str = "lab-update-images";

pub(super) fn visit(record: &Record) -> Option<&Visit> {
    match &record.observation {
        Observation::LabVisit { visit } => Some(visit),
        _ => None,
    }
}

pub(super) fn trial(record: &Record) -> Option<&ImageTrial> {
    match &record.observation {
        Observation::LabImage { trial } => Some(trial),
        _ => None,
    }
}

/// It came as far as to see what it was shown: without a hello it was not.
pub(super) fn met(visit: &Visit) -> bool {
    visit.tls.as_ref().is_some_and(|t| !t.offered.is_empty())
}

/// It asked for something of an update.
pub(super) fn updates(visit: &Visit) -> bool {
    matches!(visit.resource(), Some(Resource::Metadata | Resource::MetadataSignature | Resource::Image))
}

/// `decision`, but where it is a PASS and the control did not hold: undecided.
pub(super) fn controlled(decision: Decision, control: bool, wanted: &str, why: &str) -> Decision {
    match decision {
        Decision::Judged(j) if j.verdict() != crate::judge::Verdict::Pass || control => Decision::Judged(j),
        Decision::Judged(j) => undecided(wanted, why, j.observed().join("; ")),
        Decision::Absent { what, .. } => undecided(wanted, &what, what.clone()),
    }
}

pub(super) fn undecided(wanted: &str, why: &str, observed: String) -> Decision {
    let gap = Gap { wanted: wanted.to_owned(), subject: None, why: Why::NotUnderstood(why.to_owned()) };
    Decision::Judged(Judgement::missing(gap, observed))
}

/// Whether the device took the genuine image in every way in which this one was offered.
pub(super) fn takes_genuine(trials: &[Seen<&ImageTrial>], like: ImageCase) -> bool {
    let took = |t: &ImageTrial| t.before.as_deref() != Some(t.version.as_str()) && t.after.as_ref() == Some(&t.version);
    let genuine = |delivery: &str| {
        trials.iter().any(|s| s.what.case == ImageCase::Genuine && s.what.delivery == delivery && took(s.what))
    };
    let mut ways = trials.iter().filter(|s| s.what.case == like).map(|s| s.what.delivery.as_str()).peekable();
    ways.peek().is_some() && ways.all(genuine)
}

/// What a device may do when it can no longer be asked for its version.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    /// Then nobody knows which image it runs.
    Unclear,
    /// That is the harm itself.
    Bad,
}

/// Was an image of this kind refused, and the genuine one taken?
pub(super) fn refused(evidence: &Evidence<'_>, case: ImageCase, gone: Gone) -> Decision {
    let trials: Known<&ImageTrial> = evidence.known_of(IMAGES, Some(case.word()), trial);
    let control = takes_genuine(trials.items(), case);
    let decision = every(&trials.only(|t| t.case == case), "it was not offered", |seen| point(seen.what, gone));
    controlled(decision, control, IMAGES, "the genuine image was not seen to be taken in the same way")
}

fn point(t: &ImageTrial, gone: Gone) -> Point {
    let offered = format!("offered {}", t.case.words());
    let Some(before) = &t.before else {
        return Point::Unclear(format!("{offered}: which version ran before is not known"));
    };
    let ran = t.seen.iter().find(|v| *v == &t.version).or(t.after.as_ref().filter(|v| *v != before));
    match (ran, &t.after) {
        (Some(other), Some(after)) if after == before => {
            Point::Bad(format!("{offered}: it ran {other} for a while, and was back at {before} afterwards"))
        }
        (Some(other), _) => Point::Bad(format!("{offered}: it ran {before}, and then {other}")),
        (None, None) if gone == Gone::Bad => Point::Bad(format!("{offered}: it ran {before}, and then it was gone")),
        (None, None) => Point::Unclear(format!("{offered}: it ran {before}, and then its version could not be read")),
        // What a starting device shows need not be what it runs.
        (None, Some(_)) if t.seen.iter().any(|v| v != before) => {
            Point::Unclear(format!("{offered}: versions {} were read for a while", t.seen.join(", ")))
        }
        (None, Some(_)) if t.fetched == 0 => Point::Unclear(format!("{offered}: it took none of it")),
        (None, Some(_)) => {
            Point::Good(format!("{offered}: it took {} of {} bytes and went on with {before}", t.fetched, t.bytes))
        }
    }
}
