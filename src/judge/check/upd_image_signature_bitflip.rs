//! An image with one changed bit in its signature is refused.
use super::{
    Check, Judge, Proves, Severity, bind,
    lab::{Gone, refused},
};
use crate::judge::{Decision, Evidence};
use crate::model::observation::lab::ImageCase;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "upd-image-signature-bitflip",
    title: "An image with one changed bit in its signature is refused",
    page: include_str!("upd_image_signature_bitflip.md"),
    expected: "the device goes on with its version when one bit of the image's signature is changed",
    remedy: "verify the signature's value, not only that there is one",
    severity: Severity::Critical,
    pass: Proves::Full,
    needs: &["lab-update-images"],
    bind: bind::<UpdImageSignatureBitflip>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdImageSignatureBitflip {}

impl Judge for UpdImageSignatureBitflip {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        refused(evidence, ImageCase::SignatureBit, Gone::Unclear)
    }
}
