//! What was asked, looked with and attested on each side.
use super::{Side, facts::differing};
use crate::judge::attested::said;
use crate::model::{attestation::Waiver, observation::clean};
use std::collections::{BTreeMap, BTreeSet};

/// What was asked differently.
pub(super) fn question(old: &Side<'_>, new: &Side<'_>) -> Vec<String> {
    let mut out = Vec::new();
    let texts = |s: &Side<'_>| -> BTreeMap<String, String> {
        s.assessments
            .iter()
            .map(|a| (a.profile.id.clone(), format!("{} level {}", a.profile.sha256, a.profile.level)))
            .collect()
    };
    let (a, b) = (texts(old), texts(new));
    for id in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
        match (a.get(id), b.get(id)) {
            (Some(x), Some(y)) if x != y => out.push(format!("profile `{id}` is another text or level")),
            (Some(_), None) => out.push(format!("profile `{id}` is judged no longer")),
            (None, Some(_)) => out.push(format!("profile `{id}` was not judged before")),
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
    if old.ics.map(|r| &r.digest) != new.ics.map(|r| &r.digest) {
        out.push("the ICS is another one".to_owned());
    }
    if old.ixit.map(|r| &r.digest) != new.ixit.map(|r| &r.digest) {
        out.push("the IXIT is another one".to_owned());
    }
    out
}

/// What was looked with.
pub(super) fn instrument(old: &Side<'_>, new: &Side<'_>) -> Vec<String> {
    let tool = |s: &Side<'_>| format!("{} {}", s.recording.header.tool.name, s.recording.header.tool.version);
    let mut out = versions(old, new, None);
    if tool(old) != tool(new) {
        out.insert(0, format!("scanned by {} instead of {}", tool(new), tool(old)));
    }
    out
}

/// Probes whose version is another one.
pub(super) fn versions(old: &Side<'_>, new: &Side<'_>, of: Option<&BTreeSet<&str>>) -> Vec<String> {
    let mut out = Vec::new();
    for probe in old.recording.header.plan.iter().filter(|p| of.is_none_or(|of| of.contains(p.as_str()))) {
        let version = |s: &Side<'_>| s.recording.run_of(probe).map(|r| r.version);
        if let (Some(a), Some(b)) = (version(old), version(new))
            && a != b
        {
            out.push(format!("probe `{probe}` is of version {b} instead of {a}"));
        }
    }
    out
}

/// What people said on one side only.
pub(super) fn assessor(old: &Side<'_>, new: &Side<'_>) -> Vec<String> {
    let all = |s: &Side<'_>| -> BTreeSet<String> {
        let all = s.attested.map(|r| &r.value).into_iter();
        let waived = |w: &Waiver| format!("{}: waived by {} until {}: {}", w.requirement, w.by, w.expires, w.why);
        all.flat_map(|a| a.attested.iter().map(said).chain(a.waived.iter().map(waived)))
            .map(|line| clean(&line, usize::MAX))
            .collect()
    };
    let (gone, added) = differing(&all(old), &all(new));
    gone.iter().map(|l| format!("- {l}")).chain(added.iter().map(|l| format!("+ {l}"))).collect()
}
