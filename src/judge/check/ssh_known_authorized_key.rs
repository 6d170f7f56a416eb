//! A key whose private half is published opens the device to everybody.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Subject};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    id: "ssh-known-authorized-key",
    title: "No published SSH key is authorised",
    page: include_str!("ssh_known_authorized_key.md"),
    expected: "no SSH server takes a key whose private half is published",
    remedy: "remove the key from authorized_keys, and make keys on each device",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["ssh-known-keys"],
    bind: bind::<SshKnownAuthorizedKey>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SshKnownAuthorizedKey {}

impl Judge for SshKnownAuthorizedKey {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let asked = evidence.known("ssh-known-keys", |r| match &r.observation {
            Observation::SshKeyQuery { key, user, control, keys_offered: true, taken } => {
                Some((key, user, *control, *taken))
            }
            _ => None,
        });
        let mut controls: BTreeMap<&Subject, bool> = BTreeMap::new();
        for s in asked.items().iter().filter(|s| s.what.2) {
            *controls.entry(s.subject()).or_default() |= s.what.3;
        }
        every(&asked, "no SSH server that takes keys", |seen| {
            let (key, user, control, taken) = seen.what;
            let what = format!("{}: {key} for `{user}`", seen.subject());
            match (controls.get(seen.subject()), taken) {
                (Some(true), _) => Point::Unclear(format!("{}: it calls every key acceptable", seen.subject())),
                (None, _) => Point::Unclear(format!("{what}: no random key was asked, so that nothing can be told")),
                (Some(false), true) => Point::Bad(format!("{what} would be taken, a random key would not")),
                (Some(false), false) if control => Point::Good(format!("{}: a random key is refused", seen.subject())),
                (Some(false), false) => Point::Good(format!("{what} is refused")),
            }
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}
