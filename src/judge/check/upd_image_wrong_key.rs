//! An image signed with another key is refused.
use super::{
    Check, Judge, Proves, Severity, bind,
    lab::{Gone, refused},
};
use crate::judge::{Decision, Evidence};
use crate::model::observation::lab::ImageCase;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "upd-image-wrong-key",
    title: "An image signed with another key is refused",
    page: include_str!("upd_image_wrong_key.md"),
    expected: "the device goes on with its version when somebody else signed the image",
    remedy: "keep the maker's key in the device, and believe in no key that comes with the image",
    severity: Severity::Critical,
    pass: Proves::Full,
    needs: &["lab-update-images"],
    bind: bind::<UpdImageWrongKey>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdImageWrongKey {}

impl Judge for UpdImageWrongKey {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        refused(evidence, ImageCase::OtherKey, Gone::Unclear)
    }
}
