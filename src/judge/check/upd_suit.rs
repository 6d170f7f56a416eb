//! SUIT envelopes: what a manifest states, and which changed ones the device refuses.
use super::{
    Check, Judge, Proves, Severity, bind,
    common::never_absent,
    lab::{Gone, IMAGES, refused},
};
use crate::judge::{
    Decision, Evidence, Known,
    judgement::{Point, every},
};
use crate::model::{
    Observation,
    observation::lab::{ImageCase, Package},
};
use serde::Deserialize;

const PACKAGE: &str = "update-package";
/// How a package of this format is recorded.
const FORMAT: &str = "SUIT";
/// Weaknesses that leave a manifest without protection; others are for a person to weigh.
const BROKEN: [&str; 8] = [
    "unsigned",
    "bad-signature",
    "bad-digest",
    "shared-key",
    "short-key",
    "weak-hash",
    "payload-not-covered",
    "no-image-match",
];
/// Weaknesses of the manifest that something else may make up for.
const LACKING: [&str; 2] = ["no-sequence-number", "no-target"];

pub const STRUCTURE: Check = Check {
    id: "upd-suit-manifest-structure",
    title: "The SUIT manifest is well formed and signed",
    page: include_str!("upd_suit_manifest_structure.md"),
    expected: "the maker's key verifies the manifest, which states and compares vendor, class and digests",
    remedy: "sign the manifest with an asymmetric key; state vendor, class, sequence number and digests, and compare them",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &[PACKAGE],
    bind: bind::<Structure>,
};

pub const BAD_SIGNATURE: Check = Check {
    id: "upd-suit-bad-signature",
    title: "A SUIT manifest whose signature does not fit is refused",
    page: include_str!("upd_suit_bad_signature.md"),
    expected: "the device goes on with its version when one bit of the signature is changed",
    remedy: "verify the signature before anything else of the envelope is used",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &[IMAGES, PACKAGE],
    bind: bind::<BadSignature>,
};

pub const PAYLOAD_MISMATCH: Check = Check {
    id: "upd-suit-payload-mismatch",
    title: "A SUIT payload that does not match its digest is refused",
    page: include_str!("upd_suit_payload_mismatch.md"),
    expected: "the device goes on with its version when one bit of the payload is changed",
    remedy: "compare the digest before the image is started",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &[IMAGES, PACKAGE],
    bind: bind::<PayloadMismatch>,
};

pub const ROLLBACK: Check = Check {
    id: "upd-suit-rollback",
    title: "An older SUIT manifest is refused",
    page: include_str!("upd_suit_rollback.md"),
    expected: "the device goes on with its version when an older envelope is offered",
    remedy: "keep the sequence number, and refuse a lower one",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &[IMAGES, PACKAGE],
    bind: bind::<Rollback>,
};

pub const WRONG_CLASS: Check = Check {
    id: "upd-suit-wrong-class",
    title: "A SUIT manifest for another vendor or class is refused",
    page: include_str!("upd_suit_wrong_class.md"),
    expected: "the device goes on with its version when an envelope for another model is offered",
    remedy: "compare vendor and class identifiers with the device's own",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &[IMAGES, PACKAGE],
    bind: bind::<WrongClass>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Structure {}

impl Judge for Structure {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        manifests(evidence)
    }
}

fn manifests(evidence: &Evidence<'_>) -> Decision {
    let all = packages(evidence);
    let none = all.items().is_empty();
    let suit = all.only(|p| p.format == FORMAT);
    let decision = every(&suit, "the package is no SUIT envelope", |seen| point(seen.what));
    if none { never_absent(decision, PACKAGE, "no package of the maker was looked into") } else { decision }
}

fn packages<'a>(evidence: &Evidence<'a>) -> Known<&'a Package> {
    evidence.known(PACKAGE, |r| match &r.observation {
        Observation::Package { package } => Some(&**package),
        _ => None,
    })
}

fn point(package: &Package) -> Point {
    let of = |ids: &[&str]| {
        let weak = package.weak.iter().filter(|w| ids.contains(&w.0.as_str()));
        weak.map(|w| w.1.as_str()).collect::<Vec<_>>().join("; ")
    };
    let (broken, lacking) = (of(&BROKEN), of(&LACKING));
    let verified = package.signatures.iter().find(|s| s.state == "verified");
    match verified {
        _ if !broken.is_empty() => Point::Bad(broken),
        _ if package.signatures.is_empty() => Point::Bad("the manifest has no signature".to_owned()),
        _ if !lacking.is_empty() => Point::Unclear(lacking),
        Some(s) => Point::Good(format!("{} ({}) verifies with the maker's key", s.place, s.scheme)),
        None => Point::Unclear("its signature was not verified; give images.public_key".to_owned()),
    }
}

/// Was an envelope of this kind refused, and the genuine one taken?
fn envelope(evidence: &Evidence<'_>, case: ImageCase) -> Decision {
    match packages(evidence).items().iter().any(|s| s.what.format == FORMAT) {
        true => refused(evidence, case, Gone::Unclear),
        // There is none, or it is not known.
        false => manifests(evidence),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BadSignature {}

impl Judge for BadSignature {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        envelope(evidence, ImageCase::SignatureBit)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PayloadMismatch {}

impl Judge for PayloadMismatch {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        envelope(evidence, ImageCase::PayloadBit)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rollback {}

impl Judge for Rollback {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        envelope(evidence, ImageCase::Older)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrongClass {}

impl Judge for WrongClass {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        envelope(evidence, ImageCase::OtherModel)
    }
}
