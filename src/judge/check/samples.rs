//! What checks over several samples of one model share.
use crate::judge::{Decision, Evidence, Judgement, Known};
use crate::model::{Gap, Observation, Why};
use std::collections::BTreeSet;

/// Undecided with one sample, or when two recordings may be of one device; else nothing.
pub(super) fn told_apart(evidence: &Evidence<'_>) -> Option<Decision> {
    let missing = |why: Why, observed: &str| {
        let gap = Gap { wanted: "another sample of the model".to_owned(), subject: None, why };
        Some(Decision::Judged(Judgement::missing(gap, observed.to_owned())))
    };
    if evidence.samples() < 2 {
        return missing(Why::NotSupplied, "one sample was recorded; judge it with `--sample` and others of its model");
    }
    let mut identities: Vec<BTreeSet<&str>> = Vec::new();
    let traits = evidence.sampled("device-binding", |r| match &r.observation {
        Observation::Trait { name, value } if name == "mac" => Some(("mac", value.as_str())),
        Observation::Trait { name, value } if name == "address" => Some(("address", value.as_str())),
        _ => None,
    });
    for n in 1..=evidence.samples() {
        let of = |kind: &str| -> BTreeSet<&str> {
            let own = traits.items().iter().map(|s| s.what).filter(|(sample, (k, _))| *sample == n && *k == kind);
            own.map(|(_, (_, value))| value).collect()
        };
        let macs = of("mac");
        identities.push(if macs.is_empty() { of("address") } else { macs });
    }
    let same = |a: usize, b: usize| match (identities.get(a), identities.get(b)) {
        (Some(a), Some(b)) => a.is_empty() || b.is_empty() || !a.is_disjoint(b),
        _ => true,
    };
    let pair = (0..identities.len()).any(|a| (0..a).any(|b| same(a, b)));
    let why = || Why::NotUnderstood("two recordings may be of one device".to_owned());
    if pair { missing(why(), "the samples cannot be told apart by MAC address, nor by address") } else { None }
}

/// No items, only how far `probe` looked at each sample.
pub(super) fn compared<T>(evidence: &Evidence<'_>, probe: &str) -> Known<(usize, T)> {
    evidence.sampled(probe, |_| None)
}
