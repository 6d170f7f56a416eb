//! A key that another owner has as well protects nobody.
use super::samples::{compared, told_apart};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Record};
use serde::Deserialize;
use std::{borrow::Cow, collections::BTreeMap};

pub const CHECK: Check = Check {
    id: "tls-key-shared-samples",
    title: "Samples of one model have keys of their own",
    page: include_str!("tls_key_shared_samples.md"),
    expected: "no two samples show the same TLS or SSH key",
    remedy: "generate keys on each device, at first start or in production",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["device-binding", "tls-certificate", "ssh-host-key"],
    bind: bind::<TlsKeySharedSamples>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsKeySharedSamples {}

impl Judge for TlsKeySharedSamples {
    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.samples() < 2
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        if let Some(missing) = told_apart(evidence) {
            return missing;
        }
        let keys = evidence.sampled("tls-certificate", key).and(evidence.sampled("ssh-host-key", key));
        let keys = keys.and(compared(evidence, "device-binding"));
        let mut owners: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        for (sample, (kind, digest)) in keys.items().iter().map(|s| &s.what) {
            let all = owners.entry((*kind, &**digest)).or_default();
            if !all.contains(sample) {
                all.push(*sample);
            }
        }
        let without: Vec<String> = (1..=evidence.samples())
            .filter(|n| !owners.values().any(|o| o.contains(n)))
            .map(|n| n.to_string())
            .collect();
        every(&keys, "no key", |seen| {
            let (sample, (kind, digest)) = &seen.what;
            let short: String = digest.chars().take(16).collect();
            let what = format!("sample {sample}, {}: {kind} key {short}", seen.subject());
            match owners.get(&(*kind, &**digest)).map(Vec::as_slice) {
                Some([_, _, ..]) => Point::Bad(format!("{what} is that of another sample, too")),
                _ if !without.is_empty() => Point::Unclear(format!("sample {} shows no key", without.join(", "))),
                _ => Point::Good(format!("{what} is its own")),
            }
        })
    }
}

/// The key of a leaf certificate, never that of its issuer, which may be the same for all; or an SSH host key.
fn key(record: &Record) -> Option<(&str, Cow<'_, str>)> {
    match &record.observation {
        Observation::Certificate { certificate } => Some(("TLS", certificate.spki_sha256.hex().into())),
        Observation::Trait { name, value } if name == "ssh-host-key" => Some(("SSH", value.into())),
        _ => None,
    }
}
