//! The update package carries a signature that verifies and covers what is installed.
use super::{Check, Judge, Proves, Severity, bind, common::never_absent};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, observation::lab::Package};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "upd-package-signature-static",
    title: "The update package is signed as it should be",
    page: include_str!("upd_package_signature_static.md"),
    expected: "the maker's key verifies a signature of the package, and nothing weak is found",
    remedy: "sign all that is installed with the maker's own key: RSA of 3000 bits, ECDSA P-256 or Ed25519, with SHA-256",
    severity: Severity::High,
    pass: Proves::Full,
    needs: &["update-package"],
    bind: bind::<UpdPackageSignatureStatic>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdPackageSignatureStatic {}

impl Judge for UpdPackageSignatureStatic {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let packages = evidence.known("update-package", |r| match &r.observation {
            Observation::Package { package } => Some(package),
            _ => None,
        });
        let decision = every(&packages, "no package", |seen| point(seen.what));
        never_absent(decision, "update-package", "no package of the maker was looked into")
    }
}

fn point(package: &Package) -> Point {
    let about = format!("{} package", package.format);
    let weak: Vec<&str> = package.weak.iter().map(|w| w.1.as_str()).collect();
    if package.signatures.is_empty() {
        return Point::Bad(format!("{about}: it has no signature"));
    }
    if !weak.is_empty() {
        return Point::Bad(format!("{about}: {}", weak.join("; ")));
    }
    let verified = package.signatures.iter().find(|s| s.state == "verified");
    match verified {
        Some(s) if package.unseen.is_empty() => {
            Point::Good(format!("{about}: {} ({}) verifies with the maker's key", s.place, s.scheme))
        }
        Some(_) => Point::Unclear(format!("{about}: not looked into: {}", package.unseen.join("; "))),
        None => Point::Unclear(format!("{about}: its signature was not verified; give images.public_key")),
    }
}
