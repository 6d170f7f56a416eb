//! An older image is refused.
use super::{
    Check, Judge, Proves, Severity, bind,
    lab::{Gone, refused},
};
use crate::judge::{Decision, Evidence};
use crate::model::observation::lab::ImageCase;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "upd-image-downgrade",
    title: "An older image is refused",
    page: include_str!("upd_image_downgrade.md"),
    expected: "the device goes on with its version when it is given an older one that is rightly signed",
    remedy: "compare versions under the signature, or keep a counter that only grows",
    severity: Severity::Medium,
    pass: Proves::Full,
    needs: &["lab-update-images"],
    bind: bind::<UpdImageDowngrade>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdImageDowngrade {}

impl Judge for UpdImageDowngrade {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        refused(evidence, ImageCase::Older, Gone::Unclear)
    }
}
