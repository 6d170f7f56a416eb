//! Replacing a sealed bundle: the new one holds what the older one held, but for what it is given anew.
use super::{
    attested::Attested,
    layout,
    open::{Source, VerifiedBundle},
    payload::{Ingredients, Supersedes},
    seal::{SealError, Sealing},
};
use crate::model::Sha256Digest;

/// Why a bundle is replaced, and what it is given anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amendment {
    pub reason: String,
    pub ics: Option<Vec<u8>>,
    pub ixit: Option<Vec<u8>>,
    pub laboratory: Option<Vec<u8>>,
    /// Everything that the older bundle says was attested, and what was added since.
    pub attested: Option<Attested>,
    /// The recording beside those attestations: they are of no other.
    pub attested_of: Option<Sha256Digest>,
}

pub(super) fn ingredients(sealing: &Sealing<'_>) -> Result<Ingredients, SealError> {
    let Source { path, from, bundle } = &sealing.source;
    let (profiles, interim) = (sealing.profiles.clone(), sealing.interim);
    let mut from = Ingredients { profiles, interim, supersedes: None, ..from.clone() };
    let Some(amendment) = &sealing.amendment else { return Ok(from) };
    let older = bundle.as_ref().ok_or_else(|| SealError::NotABundle(path.clone()))?;
    if amendment.reason.trim().is_empty() {
        return Err(SealError::Reason);
    }
    if from.profiles.is_empty() {
        from.profiles.clone_from(&older.from.profiles);
    }
    if amendment.attested_of.as_ref().is_some_and(|r| *r != from.recorded.value.digest) {
        return Err(SealError::OtherRecording(path.clone()));
    }
    if let (Some(new), Some(old)) = (&amendment.attested, &from.attested) {
        new.continues(old)?;
    }
    from.ics = amendment.ics.clone().or(from.ics);
    from.ixit = amendment.ixit.clone().or(from.ixit);
    from.laboratory = amendment.laboratory.clone().or(from.laboratory);
    from.attested = amendment.attested.clone().or(from.attested);
    from.supersedes = Some(Supersedes {
        reason: amendment.reason.trim().to_owned(),
        changed: changed(&from, older),
        bundle_id: older.identifier.clone(),
        tagmanifest_sha256: older.tag_manifest.clone(),
    });
    Ok(from)
}

/// The files that the older bundle holds otherwise, or not at all.
fn changed(from: &Ingredients, older: &VerifiedBundle) -> Vec<String> {
    let old = &older.from;
    let pairs = [
        (layout::ICS, from.ics != old.ics),
        (layout::IXIT, from.ixit != old.ixit),
        (layout::LABORATORY, from.laboratory != old.laboratory),
        (layout::ATTESTATIONS, from.attested != old.attested),
    ];
    let mut changed: Vec<String> = pairs.iter().filter(|(_, differs)| *differs).map(|(p, _)| (*p).to_owned()).collect();
    let new = from.profiles.iter().filter(|p| !old.profiles.contains(p));
    changed.extend(new.map(|p| layout::profile_path(&p.id)));
    let gone = old.profiles.iter().filter(|o| !from.profiles.iter().any(|p| p.id == o.id));
    changed.extend(gone.map(|p| layout::profile_path(&p.id)));
    changed
}
