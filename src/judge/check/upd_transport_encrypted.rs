//! Metadata and images come over TLS.
use super::{
    Check, Judge, Proves, Severity, bind,
    lab::{IMAGES, SERVERS, controlled, takes_genuine, trial, updates, visit},
};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::observation::{
    TlsVersion,
    lab::{ImageCase, ImageTrial, Resource, ServerCase, Visit},
};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "upd-transport-encrypted",
    title: "Update check and download are protected on their way",
    page: include_str!("upd_transport_encrypted.md"),
    expected: "metadata and images are fetched over TLS 1.2 or newer",
    remedy: "serve metadata and images over HTTPS, and sign them all the same",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &[IMAGES, SERVERS],
    bind: bind::<UpdTransportEncrypted>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdTransportEncrypted {}

impl Judge for UpdTransportEncrypted {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let of = |run| evidence.known_of(run, Some("transport"), visit);
        // What the device does when something is wrong is another question.
        let undisturbed = of(SERVERS).and(of(IMAGES)).only(|v| v.case == ServerCase::Genuine && updates(v));
        let downloads = |v: &Visit| v.request.as_ref().is_some_and(|r| r.resource == Resource::Image && r.sent > 0);
        let downloaded = undisturbed.items().iter().any(|s| downloads(s.what));
        let signed = signature_proved(evidence);
        let decision = every(&undisturbed, "no update was asked for", |seen| point(seen.what, signed));
        controlled(decision, downloaded, IMAGES, "no download of an image was seen")
    }
}

/// Whether the images are protected without their way.
fn signature_proved(evidence: &Evidence<'_>) -> bool {
    let trials = evidence.known(IMAGES, trial);
    let refused = |case| {
        let kept = |t: &ImageTrial| t.fetched > 0 && t.before.is_some() && t.after == t.before;
        let of: Vec<&ImageTrial> = trials.items().iter().map(|s| s.what).filter(|t| t.case == case).collect();
        !of.is_empty() && of.iter().all(|t| kept(t) && t.seen.iter().all(|v| Some(v) == t.before.as_ref()))
    };
    let broken = [ImageCase::PayloadBit, ImageCase::SignatureBit, ImageCase::Stripped, ImageCase::OtherKey];
    broken.into_iter().all(|case| takes_genuine(trials.items(), case)) && broken.into_iter().all(refused)
}

fn point(visit: &Visit, signed: bool) -> Point {
    let asked = visit.request.as_ref().map(|r| format!("{}{}", r.host, r.path)).unwrap_or_default();
    match &visit.tls {
        None if signed => Point::Unclear(format!(
            "{asked} came in plain HTTP; the image's signature was proved, so that the scheme decides whether this is enough"
        )),
        None => Point::Bad(format!("{asked} came in plain HTTP")),
        Some(tls) => match tls.agreed {
            Some(v @ (TlsVersion::Tls12 | TlsVersion::Tls13)) => {
                Point::Good(format!("{asked} came over TLS {}", v.word()))
            }
            Some(v @ (TlsVersion::Ssl3 | TlsVersion::Tls10 | TlsVersion::Tls11)) => {
                Point::Bad(format!("{asked} came over TLS {}", v.word()))
            }
            None => Point::Unclear(format!("{asked} came over TLS of a version that is not known")),
        },
    }
}
