//! Half an image is refused, and the device stays alive.
use super::{
    Check, Judge, Proves, Severity, bind,
    lab::{Gone, refused},
};
use crate::judge::{Decision, Evidence};
use crate::model::observation::lab::ImageCase;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "upd-image-truncated",
    title: "Half an image is refused, and the device stays alive",
    page: include_str!("upd_image_truncated.md"),
    expected: "the device goes on with its version when the image ends in its middle",
    remedy: "compare length and digest before installing; keep the running software until the new one is proved",
    severity: Severity::High,
    pass: Proves::Full,
    needs: &["lab-update-images"],
    bind: bind::<UpdImageTruncated>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdImageTruncated {}

impl Judge for UpdImageTruncated {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        refused(evidence, ImageCase::Truncated, Gone::Bad)
    }
}
