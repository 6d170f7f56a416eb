//! No stranger writes a package to the firmware object of LwM2M.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Subject};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "upd-lwm2m-firmware-object",
    title: "LwM2M firmware object cannot be driven by untrusted servers",
    page: include_str!("upd_lwm2m_firmware_object.md"),
    expected: "the firmware object takes no package from somebody without a credential",
    remedy: "let only a server with a credential write, and verify a package's signature before it counts as downloaded",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["lwm2m-firmware"],
    bind: bind::<UpdLwm2mFirmwareObject>,
};

/// Downloaded, and updating.
const READY: [u8; 2] = [2, 3];
const IDLE: u8 = 0;
/// The integrity check failed, and the kind of package is not supported.
const FOUND_WRONG: [u8; 2] = [5, 6];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdLwm2mFirmwareObject {}

#[derive(Clone, Copy)]
struct Written<'a> {
    control: &'a str,
    code: &'a str,
    state: Option<u8>,
    result: Option<u8>,
}

impl Judge for UpdLwm2mFirmwareObject {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("lwm2m-firmware", |r| match &r.observation {
            Observation::Lwm2mFirmware { present: true, control, code, state, result } => {
                Some(Written { control, code, state: *state, result: *result })
            }
            _ => None,
        });
        every(&all, "no LwM2M firmware object is shown to a stranger", |seen| point(seen.subject(), seen.what))
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried("lwm2m-firmware")
    }
}

fn point(at: &Subject, w: Written<'_>) -> Point {
    let what = format!("{at} /5/0/0");
    if !w.code.starts_with('2') {
        return Point::Good(format!("{what}: a stranger's package is refused ({})", w.code));
    }
    if w.control.starts_with('2') {
        return Point::Unclear(format!("{what}: {}, as it says to a resource that cannot exist", w.code));
    }
    match (w.state, w.result) {
        (Some(state), _) if READY.contains(&state) => {
            Point::Bad(format!("{what}: a stranger's package that is no firmware stands ready (state {state})"))
        }
        (Some(IDLE), Some(result)) if FOUND_WRONG.contains(&result) => Point::Unclear(format!(
            "{what}: a stranger's package is taken and found wrong (result {result}); would it take a genuine one?"
        )),
        _ => Point::Unclear(format!(
            "{what}: a stranger's package is taken ({}), and what came of it is not shown",
            w.code
        )),
    }
}
