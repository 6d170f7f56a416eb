//! Conditions on which a provision depends: declared ones, and those that a recording shows to hold.
use super::profile::{Catalogue, Provision};
use crate::model::{
    Observation, Record, Recording,
    observation::{Answer, Asks, Mechanism, Presented},
};

impl Provision {
    /// The ids in `M C (11, 12)` or `M F (a)`; none when it always applies.
    pub fn conditions(&self) -> Vec<&str> {
        let inner = self.status.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(ids, _)| ids);
        inner.split(',').map(str::trim).filter(|id| !id.is_empty()).collect()
    }
}

impl Catalogue {
    pub fn provision(&self, id: &str) -> Option<&Provision> {
        self.provisions.iter().find(|p| p.id == id)
    }

    /// What a condition or feature says, in our own words.
    pub fn condition(&self, id: &str) -> Option<&str> {
        self.conditions.iter().chain(&self.features).find(|c| c.id == id).map(|c| c.text.as_str())
    }
}

/// That a condition holds, as a recording shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub what: String,
    pub evidence: Vec<String>,
}

/// A condition that the device shows to hold. `None` says nothing: most conditions cannot be seen from the network, and
/// no recording shows that one does not hold.
pub fn shown(recording: &Recording, condition: &str) -> Option<Shown> {
    let seen: fn(&Observation) -> Option<String> = match condition {
        // Passwords are in use; cryptographic authentication; authentication over the network (V3: a, c, e).
        "1" | "a" | "c" | "e" => |o| log_in(o, |_| true),
        // Users can authenticate (V3: d). Machines log in to brokers and agents.
        "8" | "d" => |o| log_in(o, |m| !matches!(m, Mechanism::Mqtt | Mechanism::Snmp)),
        // Passwords are pre-installed (V3: b has per-device ones, which a listed credential is not).
        "2" => factory_password,
        "n" => settings,
        "q" => debug,
        _ => return None,
    };
    let found: Vec<(&Record, String)> = recording.records().filter_map(|r| Some((r, seen(&r.observation)?))).collect();
    let (first, what) = found.first()?;
    let what = format!("{what} on {}", first.subject);
    Some(Shown { what, evidence: found.iter().map(|(r, _)| r.id.to_string()).collect() })
}

fn log_in(o: &Observation, of: impl Fn(Mechanism) -> bool) -> Option<String> {
    match o {
        Observation::LoginSurface { mechanism, asks: Asks::Yes, .. } if of(*mechanism) => {
            Some(format!("a log-in by {}", mechanism.word()))
        }
        _ => None,
    }
}

fn factory_password(o: &Observation) -> Option<String> {
    match o {
        Observation::LoginTrial { mechanism, presented: Presented::Listed(id), answer: Answer::Accepted, .. } => {
            Some(format!("a known factory password ({id}) accepted by {}", mechanism.word()))
        }
        _ => None,
    }
}

fn settings(o: &Observation) -> Option<String> {
    match o {
        Observation::Http { page } if !page.settings.is_empty() => Some(format!("a settings page `{}`", page.path)),
        _ => None,
    }
}

fn debug(o: &Observation) -> Option<String> {
    match o {
        Observation::DebugInterface { name, .. } => Some(format!("the debug interface {name}")),
        _ => None,
    }
}
