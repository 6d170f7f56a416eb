//! A product that carries one name on its label and another in its interfaces cannot be looked up.
use super::{
    Check, Judge, Proves, Severity, bind,
    common::{looked, not_declared},
    documents::{TABLE, field},
    support_period::model,
    terms::plain,
};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Record, observation::clean};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "model-designation-match",
    title: "The device names its model as it is declared",
    page: include_str!("model_designation_match.md"),
    expected: "wherever the device names its model, it is the one of the IXIT",
    remedy: "let device, label and documents name the same model",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &["advertised", "upnp-description"],
    bind: bind::<ModelDesignationMatch>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelDesignationMatch {}

impl Judge for ModelDesignationMatch {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let Some(wanted) = model(evidence).or_else(|| field(evidence, "model_designation")) else {
            return not_declared(TABLE, "no model is declared to compare with".to_owned());
        };
        // How it is read may stand beside the designation itself.
        let said = [Some(wanted), field(evidence, "model_designation")].into_iter().flatten();
        let said: Vec<String> = said.map(plain).collect();
        let told = evidence.known("advertised", announced).and(evidence.known("upnp-description", described));
        let told = told.and(looked(evidence, "advertised"));
        every(&told, "the device names its model nowhere that a scan reads", |seen| {
            let (source, names) = &seen.what;
            let is = |name: &&String| {
                let name = plain(name);
                name.len() > 1 && said.iter().any(|s| s.contains(&name) || name.contains(s.as_str()))
            };
            let shown = clean(&names.join(", "), 120);
            if names.iter().any(|n| is(&n)) {
                Point::Good(format!("{source} names `{shown}`, the model of the IXIT"))
            } else if *source == Source::Upnp {
                Point::Unclear(format!("{source} names `{shown}`, which may be the platform's name"))
            } else {
                Point::Bad(format!("{source} names `{shown}`, and the IXIT `{}`", clean(wanted, 60)))
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        super::documents::open_to_a_person(&self.judge(evidence))
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE, "dut"]
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Mdns,
    Upnp,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Mdns => "mDNS",
            Self::Upnp => "the UPnP description",
        })
    }
}

/// Keys by which service types name the model.
const KEYS: [&str; 4] = ["md", "model", "modelname", "ty"];

fn announced(record: &Record) -> Option<(Source, Vec<String>)> {
    let Observation::Advertised { text, .. } = &record.observation else { return None };
    let of = |t: &String| {
        let (key, value) = t.split_once('=')?;
        KEYS.contains(&key.trim().to_ascii_lowercase().as_str()).then(|| value.trim().to_owned())
    };
    let names: Vec<String> = text.iter().filter_map(of).filter(|n| !n.is_empty()).collect();
    (!names.is_empty()).then_some((Source::Mdns, names))
}

fn described(record: &Record) -> Option<(Source, Vec<String>)> {
    let Observation::UpnpDescription { fields, .. } = &record.observation else { return None };
    let of = ["modelname", "modelnumber"].iter().filter_map(|k| fields.get(*k));
    let names: Vec<String> = of.flatten().cloned().collect();
    (!names.is_empty()).then_some((Source::Upnp, names))
}
