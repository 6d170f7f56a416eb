//! Fills the `{firmware}`, `{model}` and `{date+300d}` placeholders that keep device files short and never out of date.

use jiff::{SignedDuration, Timestamp};

use super::Stage;

/// Replaces every known placeholder; anything else in braces stays as it is, so CSS and JSON need no escapes.
pub(super) fn fill(text: &str, stage: &Stage) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let known = after.split_once('}').and_then(|(name, tail)| Some((value(name, stage)?, tail)));
        if let Some((value, tail)) = known {
            out.push_str(&value);
            rest = tail;
        } else {
            out.push('{');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

fn value(name: &str, stage: &Stage) -> Option<String> {
    let identity = &stage.identity;
    match name {
        "manufacturer" => Some(identity.manufacturer.clone()),
        "model" => Some(identity.model.clone()),
        "hardware" => Some(identity.hardware.clone()),
        "firmware" => Some(identity.firmware.clone()),
        "serial" => Some(identity.serial.clone()),
        "host" => Some(stage.host.to_string()),
        _ => date(name.strip_prefix("date")?),
    }
}

/// `+300d` or `-10d` from now, as RFC 3339 in UTC with whole seconds (RFC 9116 wants that form).
fn date(offset: &str) -> Option<String> {
    let days: i64 = offset.strip_suffix('d')?.parse().ok()?;
    let seconds = super::clock::now().as_second();
    let then = Timestamp::from_second(seconds).ok()?.checked_add(SignedDuration::from_hours(days.checked_mul(24)?));
    Some(then.ok()?.to_string())
}
