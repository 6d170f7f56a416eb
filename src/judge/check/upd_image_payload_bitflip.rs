//! An image with one changed bit is refused.
use super::{
    Check, Judge, Proves, Severity, bind,
    lab::{Gone, refused},
};
use crate::judge::{Decision, Evidence};
use crate::model::observation::lab::ImageCase;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "upd-image-payload-bitflip",
    title: "An image with one changed bit is refused",
    page: include_str!("upd_image_payload_bitflip.md"),
    expected: "the device goes on with its version when one bit of the image's payload is changed",
    remedy: "verify a signature over the whole image before any of it is installed",
    severity: Severity::Critical,
    pass: Proves::Full,
    needs: &["lab-update-images"],
    bind: bind::<UpdImagePayloadBitflip>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdImagePayloadBitflip {}

impl Judge for UpdImagePayloadBitflip {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        refused(evidence, ImageCase::PayloadBit, Gone::Unclear)
    }
}
