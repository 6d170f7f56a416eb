//! What answers on a side, and whether it manages the device.
use crate::judge::{
    Decision, Evidence, Judgement, Known,
    beside::{Side, name},
    check::common::{is_unknown, looked, open_port, open_ports, page, said_by_endpoint},
};
use crate::model::declarations::{DeclaredEndpoint, EndpointStatus};
use crate::model::{Endpoint, Gap, Observation, Record, State, Subject, Vantage, Why, observation::Asks};
use std::collections::BTreeSet;

/// What a service is that nobody needs but those who manage the device.
const MANAGING: [&str; 5] = ["cwmp", "netconf", "snmp", "ssh", "telnet"];
/// An open port, from where it was met.
#[derive(Clone)]
pub(super) struct Met<'a> {
    pub(super) side: Side,
    pub(super) at: Endpoint,
    pub(super) service: &'a str,
    /// It shows a log-in, sets something, or speaks what only managing needs.
    pub(super) manages: bool,
}

impl std::fmt::Display for Met<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}) on the {}", self.at, self.service, self.side)
    }
}

pub(super) fn declared<'a>(evidence: &Evidence<'a>) -> Option<&'a [DeclaredEndpoint]> {
    evidence.ixit.and_then(|i| i.endpoints.as_deref())
}

/// What is declared for the port on its side.
pub(super) fn entry(declared: &[DeclaredEndpoint], met: &Met<'_>) -> Option<EndpointStatus> {
    let covers = |d: &&DeclaredEndpoint| d.covers(met.at.transport, met.at.port) && d.faces(met.side.vantage);
    declared.iter().find(covers).map(|d| d.status)
}

pub(super) fn not_recorded(wanted: &str, how: &str) -> Decision {
    let gap = Gap { wanted: wanted.to_owned(), subject: None, why: Why::NotSupplied };
    Decision::Judged(Judgement::missing(gap, how.to_owned()))
}

/// Both states, or the one that is asked for, must have been recorded before a PASS.
pub(super) fn lacking<'a>(met: Known<Met<'a>>, sides: &[Evidence<'_>], states: &[State]) -> Known<Met<'a>> {
    let missing = states.iter().filter(|state| !sides.iter().any(|e| e.side().state == **state));
    missing.fold(met, |met, state| {
        let wanted = format!("{} in the state `{}`", sides.first().map_or("side", |e| name(e.vantage())), state.word());
        met.lacking(Gap { wanted, subject: None, why: Why::NotSupplied })
    })
}

/// Every port that is open on that side, or why that cannot be told. A device that drops everything looks like a cable that
/// leads nowhere: something of it must have been seen.
pub(super) fn seen_from<'a>(sides: &[Evidence<'a>], vantage: Vantage) -> Result<Known<Met<'a>>, Decision> {
    let mut all: Option<Known<Met<'a>>> = None;
    for evidence in sides {
        let there = evidence.known("device-binding", shows_itself).and(evidence.known("tcp-ports", shows_itself));
        if there.items().is_empty() {
            let why = "nothing answered: no port, open or closed, and no MAC address; a wrong address looks the same";
            let gap = Gap {
                wanted: format!("an answer of the device on its {}", evidence.side()),
                subject: None,
                why: Why::NotUnderstood(why.to_owned()),
            };
            return Err(Decision::Judged(Judgement::missing(gap, why.to_owned())));
        }
        let (side, said, managing) = (evidence.side(), said_by_endpoint(evidence), managing(evidence));
        let open = open_ports(evidence).and(looked(evidence, "device-binding"));
        let met = open.map(|(at, parsed)| {
            let subject = Subject::from(at);
            let told = said.get(&subject).map(|s| s.service).filter(|s| !is_unknown(s));
            let service = told.or(parsed).unwrap_or("unknown");
            Met { side, at, service, manages: managing.contains(&subject) || MANAGING.contains(&service) }
        });
        all = Some(all.map_or(met.clone(), |a| a.and(met)));
    }
    all.ok_or_else(|| {
        let wanted = format!("the {}", name(vantage));
        let word = vantage.word();
        not_recorded(&wanted, &format!("not recorded from there; add it: `scan --vantage {word}`, `judge --side`"))
    })
}

/// The same, once pages and log-ins were looked for, too.
pub(super) fn managed_from<'a>(sides: &[Evidence<'a>], vantage: Vantage) -> Result<Known<Met<'a>>, Decision> {
    let met = seen_from(sides, vantage)?;
    Ok(sides.iter().fold(met, |met, e| met.and(looked(e, "http-surface")).and(looked(e, "logins"))))
}

fn managing(evidence: &Evidence<'_>) -> BTreeSet<Subject> {
    let asks = |r: &Record| matches!(r.observation, Observation::LoginSurface { asks: Asks::Yes, .. }).then_some(());
    let sets = |r: &Record| page(r).filter(|p| p.login_form || !p.settings.is_empty()).map(drop);
    let all = evidence.known("logins", asks).and(evidence.known("http-surface", sets));
    all.items().iter().map(|s| s.subject().clone()).collect()
}

/// It is there: it has a MAC address, or a port of it answers or refuses.
fn shows_itself(record: &Record) -> Option<()> {
    match &record.observation {
        Observation::Trait { name, .. } if name == "mac" => Some(()),
        Observation::Swept { open, refused, .. } if !open.is_empty() || !refused.is_empty() => Some(()),
        _ => open_port(record).map(drop),
    }
}
