//! Redis AUTH: no listed default secret may open it.
use super::default_creds;
use super::{Check, EntryRow, Judge, Proves, Severity, bind};
use crate::judge::{Decision, Evidence};
use crate::model::observation::Mechanism;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "redis-default-creds",
    title: "No default secret opens a Redis store",
    page: include_str!("redis_default_creds.md"),
    expected: "every Redis store refuses all listed secrets",
    remedy: "set a random secret per device, and bind the store to loopback",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["logins"],
    bind: bind::<RedisDefaultCreds>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RedisDefaultCreds {}

impl Judge for RedisDefaultCreds {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        default_creds::judge(evidence, Mechanism::Redis, "no Redis store that asks for a secret")
    }

    fn entries(&self, evidence: &Evidence<'_>) -> Vec<EntryRow> {
        default_creds::entries(evidence, Mechanism::Redis)
    }

    fn everywhere(&self) -> bool {
        true
    }
}
