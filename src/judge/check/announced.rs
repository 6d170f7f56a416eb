//! What a device tells everybody on its link when it asks for an address.
use super::capture::{RUN, captures, destination, undecided, watched};
use super::common::{listed, not_declared};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation,
    observation::capture::{Announced, Protocol},
};

/// Judges each value that was told. `leaks` says that it tells more than it should; one that table x-disclosed names may, and
/// `point` words the rest: the last argument says whether it is named there.
pub(super) fn judged(
    evidence: &Evidence<'_>,
    leaks: impl Fn(&Announced) -> bool,
    point: impl Fn(&Announced, bool) -> Point,
) -> Decision {
    let told = evidence.known(RUN, |r| match &r.observation {
        Observation::Announced { announced } => Some(announced),
        _ => None,
    });
    if told.items().is_empty() {
        let asked = evidence.known(RUN, destination).only(|d| d.protocol == Protocol::Dhcp);
        if asked.items().is_empty() {
            return undecided("no capture shows how the device asks for an address", String::new());
        }
        let said = every(&asked, "no request", |s| Point::Good(format!("{}: nothing of itself", s.subject())));
        return watched(said, evidence, 0, &[]);
    }
    let disclosed = evidence.ixit.and_then(|i| i.disclosed.as_ref());
    let leaking = listed(told.items().iter().filter(|s| leaks(s.what)).map(|s| words(s.what)));
    if disclosed.is_none() && !leaking.is_empty() {
        return not_declared("x-disclosed", leaking);
    }
    let named =
        |a: &Announced| disclosed.iter().flat_map(|all| all.iter()).any(|d| a.value.eq_ignore_ascii_case(d.trim()));
    watched(every(&told, "no request", |s| point(s.what, named(s.what))), evidence, 0, &[])
}

/// Nobody captured anything.
pub(super) fn left(evidence: &Evidence<'_>) -> bool {
    evidence.never_tried(RUN) || captures(evidence).is_empty()
}

pub(super) fn words(a: &Announced) -> String {
    format!("{} `{}`", a.option, a.value)
}
