//! An image for another model is refused.
use super::{
    Check, Judge, Proves, Severity, bind,
    lab::{Gone, refused},
};
use crate::judge::{Decision, Evidence};
use crate::model::observation::lab::ImageCase;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "upd-image-wrong-model",
    title: "An image for another model is refused",
    page: include_str!("upd_image_wrong_model.md"),
    expected: "the device goes on with its version when the image is for another model",
    remedy: "put the model under the signature, and compare it before anything is installed",
    severity: Severity::High,
    pass: Proves::Full,
    needs: &["lab-update-images"],
    bind: bind::<UpdImageWrongModel>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdImageWrongModel {}

impl Judge for UpdImageWrongModel {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        refused(evidence, ImageCase::OtherModel, Gone::Unclear)
    }
}
