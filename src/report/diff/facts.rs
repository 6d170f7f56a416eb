//! What one recording says of a device, as text that two recordings can be compared by.
use crate::model::{Observation, Recording, observation::clean};
use crate::report::words::words;
use std::collections::{BTreeMap, BTreeSet};

/// Facts that two finished runs of one probe in one recording do not agree on.
pub(super) fn unstable(recording: &Recording, needs: &BTreeSet<&str>) -> Vec<String> {
    let mut seen: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut out = BTreeSet::new();
    for run in recording.runs.iter().filter(|r| r.finished.is_some() && needs.contains(r.probe.as_str())) {
        let facts: BTreeSet<String> = run.records.iter().filter_map(|r| fact(recording, r)).collect();
        if let Some(before) = seen.insert(&run.probe, facts.clone()) {
            let (gone, added) = differing(&before, &facts);
            out.extend(gone.into_iter().chain(added).map(|f| format!("not seen each time: {f}")));
        }
    }
    out.into_iter().collect()
}

/// Everything that the runs which stand for their probes saw, as text.
pub(super) fn facts(recording: &Recording, of: Option<&BTreeSet<&str>>) -> BTreeSet<String> {
    let probes: BTreeSet<&str> = recording.runs.iter().map(|r| r.probe.as_str()).collect();
    let chosen = probes.into_iter().filter(|p| of.is_none_or(|of| of.contains(p)));
    let runs = chosen.filter_map(|p| recording.run_of(p));
    runs.flat_map(|r| &r.records).filter_map(|r| fact(recording, r)).collect()
}

/// An observation about a subject, without what differs each time that we look: that it answered then, and
/// which ports a control happened to ask.
fn fact(recording: &Recording, record: &crate::model::Record) -> Option<String> {
    let said = if let Observation::WildcardControl { asked, accepted } = &record.observation {
        format!("of {} ports that nothing should serve, {} accepted", asked.len(), accepted.len())
    } else if matches!(record.observation, Observation::Alive { .. }) {
        return None;
    } else {
        words(&record.observation)
    };
    Some(plain(recording, &format!("{}: {said}", record.subject)))
}

/// A host is named by its place in the scan: it may have another address on another day.
pub(super) fn plain(recording: &Recording, text: &str) -> String {
    let mut text = clean(text, usize::MAX);
    for (n, host) in recording.header.hosts.iter().enumerate() {
        text = text.replace(&host.to_string(), &format!("host{}", n + 1));
    }
    text
}

pub(super) fn differing(old: &BTreeSet<String>, new: &BTreeSet<String>) -> (Vec<String>, Vec<String>) {
    (old.difference(new).cloned().collect(), new.difference(old).cloned().collect())
}
