//! An image without its signature is refused.
use super::{
    Check, Judge, Proves, Severity, bind,
    lab::{Gone, refused},
};
use crate::judge::{Decision, Evidence};
use crate::model::observation::lab::ImageCase;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "upd-image-unsigned",
    title: "An image without its signature is refused",
    page: include_str!("upd_image_unsigned.md"),
    expected: "the device goes on with its version when the image has no signature",
    remedy: "refuse what carries no signature; have no switch that turns the check off",
    severity: Severity::Critical,
    pass: Proves::Full,
    needs: &["lab-update-images"],
    bind: bind::<UpdImageUnsigned>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdImageUnsigned {}

impl Judge for UpdImageUnsigned {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        refused(evidence, ImageCase::Stripped, Gone::Unclear)
    }
}
