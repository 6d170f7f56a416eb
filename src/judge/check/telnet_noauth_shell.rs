//! Telnet must ask for a credential before it gives a shell.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation,
    observation::{Asks, Mechanism},
};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "telnet-noauth-shell",
    title: "Telnet does not give a shell without login",
    page: include_str!("telnet_noauth_shell.md"),
    expected: "every Telnet service asks for a login before it runs a command",
    remedy: "switch Telnet off; where it must stay, ask for a per-device credential before anything else",
    severity: Severity::Critical,
    pass: Proves::Full,
    needs: &["logins"],
    bind: bind::<TelnetNoauthShell>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TelnetNoauthShell {}

impl Judge for TelnetNoauthShell {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let surfaces = evidence.known_of("logins", Some("telnet"), |r| match &r.observation {
            Observation::LoginSurface { mechanism: Mechanism::Telnet, asks, proof, .. } => Some((*asks, proof)),
            _ => None,
        });
        every(&surfaces, "no Telnet service", |seen| {
            let (asks, proof) = seen.what;
            match asks {
                Asks::Yes => Point::Good("a login prompt comes first".to_owned()),
                Asks::No => Point::Bad(format!("a shell without login: {proof}")),
                Asks::Unclear => Point::Unclear(format!("the prompt could not be read: {proof}")),
            }
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}
