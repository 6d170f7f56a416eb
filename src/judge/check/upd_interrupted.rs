//! A download that is cut leaves a device that works.
use super::{
    Check, Judge, Proves, Severity, bind,
    lab::{Gone, refused},
};
use crate::judge::{Decision, Evidence};
use crate::model::observation::lab::ImageCase;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "upd-interrupted",
    title: "A download that is cut leaves a device that works",
    page: include_str!("upd_interrupted.md"),
    expected: "the device goes on with its version when the download ends in the middle, and takes the image later",
    remedy: "write to a second slot, prove what is there, and only then start from it",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["lab-update-images"],
    bind: bind::<UpdInterrupted>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdInterrupted {}

impl Judge for UpdInterrupted {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        refused(evidence, ImageCase::Cut, Gone::Bad)
    }
}
