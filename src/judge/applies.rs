//! What the ICS says of a requirement, as far as the device does not show otherwise. Only a declaration makes a
//! requirement not applicable, and only one that nothing contradicts.
use super::{
    conditions::shown,
    profile::{Binding, Catalogue, Profile, Requirement},
};
use crate::model::{
    Ics, Recording,
    declarations::{Claim, Support},
};
use serde::Serialize;
use std::collections::BTreeSet;

/// A declaration that another, or the device, does not bear out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Contradiction {
    /// The provision, condition or table declared.
    pub about: String,
    pub declared: String,
    pub observed: String,
    pub evidence: Vec<String>,
}

/// What a requirement's claims come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// Applicable, whether claimed or not said.
    Applies,
    NotApplicable(String),
    Unmet(String),
}

pub struct Statement<'a> {
    ics: Option<&'a Ics>,
    /// None: the profile's requirements cite no document, so that no claim bears on them.
    catalogue: Option<&'static Catalogue>,
    recording: &'a Recording,
    contradictions: BTreeSet<Contradiction>,
}

impl<'a> Statement<'a> {
    pub fn new(ics: Option<&'a Ics>, profile: &Profile, recording: &'a Recording) -> Self {
        let mut new = Self { ics, catalogue: profile.catalogue, recording, contradictions: BTreeSet::new() };
        let cited = profile.catalogue.map_or("no catalogue", |c| c.id.as_str());
        let other = ics.and_then(|i| i.catalogue.as_ref()).filter(|c| *c != cited && profile.catalogue.is_some());
        if let Some(other) = other {
            let observed = format!("the profile cites {cited}, so that no claim is used");
            new.contradict("catalogue", format!("claims on {other}"), observed, Vec::new());
            new.ics = None;
        }
        let conditions = new.ics.map(|i| &i.conditions);
        for (id, _) in conditions.into_iter().flatten().filter(|(_, holds)| !**holds) {
            if let Some(shown) = shown(recording, id) {
                let text = new.catalogue.and_then(|c| c.condition(id)).unwrap_or_default();
                new.contradict(
                    &format!("condition {id}"),
                    format!("does not hold: {text}"),
                    shown.what,
                    shown.evidence,
                );
            }
        }
        new
    }

    pub fn contradictions(self) -> Vec<Contradiction> {
        self.contradictions.into_iter().collect()
    }

    pub fn contradict(&mut self, about: &str, declared: String, observed: String, evidence: Vec<String>) {
        let about = about.to_owned();
        self.contradictions.insert(Contradiction { about, declared, observed, evidence });
    }

    /// The claims on everything that the requirement cites. One that is not met makes it unmet; it is not applicable
    /// only if everything cited is.
    pub fn of(&mut self, r: &Requirement) -> Claimed {
        let Some(ics) = self.ics else { return Claimed::Applies };
        let claims: Vec<(&String, Option<&Claim>)> = r.cites.iter().map(|c| (c, ics.claims.get(c))).collect();
        let unmet = claims.iter().find_map(|(id, c)| c.filter(|c| c.support == Support::No).map(|c| (id, c)));
        if let Some((id, claim)) = unmet {
            return Claimed::Unmet(format!("declared as not met ({id}): {}", given(&claim.reason)));
        }
        let mut reasons = Vec::new();
        for (id, claim) in claims {
            match claim {
                Some(c) if c.support == Support::NotApplicable && self.borne_out(id, c, r.binding) => {
                    reasons.push(c.reason.clone());
                }
                Some(_) | None => return Claimed::Applies,
            }
        }
        reasons.dedup();
        if reasons.is_empty() { Claimed::Applies } else { Claimed::NotApplicable(reasons.join("; ")) }
    }

    /// Whether a claim of not applicable can stand: the provision depends on a condition, and not all of its
    /// conditions are declared or seen to hold.
    fn borne_out(&mut self, id: &str, claim: &Claim, binding: Binding) -> bool {
        let conditions =
            self.catalogue.and_then(|c| c.provision(id)).map(super::profile::Provision::conditions).unwrap_or_default();
        let declared = format!("not applicable: {}", claim.reason);
        if conditions.is_empty() {
            if binding == Binding::Mandatory {
                let observed = "it depends on no condition, so that it applies to every device".to_owned();
                self.contradict(id, declared, observed, Vec::new());
            }
            return binding == Binding::Recommended;
        }
        let (mut why, mut evidence) = (Vec::new(), Vec::new());
        for c in conditions {
            if let Some(shown) = shown(self.recording, c) {
                why.push(format!("condition {c} holds: {}", shown.what));
                evidence.extend(shown.evidence);
            } else if self.ics.and_then(|i| i.conditions.get(c)) == Some(&true) {
                why.push(format!("condition {c} is declared to hold"));
            } else {
                return true;
            }
        }
        self.contradict(id, declared, why.join("; "), evidence);
        false
    }
}

fn given(reason: &str) -> &str {
    if reason.trim().is_empty() { "no reason given" } else { reason }
}
