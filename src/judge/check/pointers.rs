//! Files for machines that a maker may publish; recorded, and asked of nobody.
use super::{
    Check, Judge, Proves, Severity, bind,
    documents::{RUN, newest, open_to_a_person},
};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Record, observation::public::Pointer};
use serde::Deserialize;

pub const ADVISORIES: Check = Check {
    id: "advisory-feed",
    title: "Security advisories are published for machines",
    page: include_str!("advisory_feed.md"),
    expected: "the maker's site has a provider's metadata after CSAF 2.0",
    remedy: "publish advisories as CSAF 2.0, with a provider-metadata.json",
    severity: Severity::Info,
    pass: Proves::Nothing,
    needs: &[RUN],
    bind: bind::<Advisories>,
};

pub const DEVICE: Check = Check {
    id: "sbom-mud-discovery",
    title: "Pointers to a bill of materials and a usage description are recorded",
    page: include_str!("sbom_mud_discovery.md"),
    expected: "where the device points to a bill of materials or a usage description, that is recorded",
    remedy: "serve /.well-known/sbom (RFC 9472), or name a usage description in the certificate (RFC 8520)",
    severity: Severity::Info,
    pass: Proves::Nothing,
    needs: &["device-pointers"],
    bind: bind::<Device>,
};

fn asked(record: &Record) -> Option<(Pointer, &str, bool, &str)> {
    match &record.observation {
        Observation::PointerAsked { pointer, at, found, detail, .. } => Some((*pointer, at, *found, detail)),
        _ => None,
    }
}

fn found((pointer, at, _, detail): (Pointer, &str, bool, &str)) -> Point {
    Point::Good(format!("{} at {at}: {detail}", pointer.words()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advisories {}

impl Judge for Advisories {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let known = evidence.known_of(RUN, Some("provider-metadata"), |r| Some((r.run.as_str(), asked(r)?)));
        let there = newest(known).map(|(_, asked)| asked).only(|a| a.2);
        every(&there, "no list of advisories on a declared site of the maker, which nobody requires", |s| found(s.what))
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        open_to_a_person(&self.judge(evidence))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Device {}

impl Judge for Device {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let there = evidence.known("device-pointers", asked).only(|a| a.2);
        every(&there, "the device points to neither, which nobody requires", |s| found(s.what))
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        open_to_a_person(&self.judge(evidence))
    }
}
