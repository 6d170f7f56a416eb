//! A server that passes over what it must understand does something else than it was asked for.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Subject};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    id: "coap-critical-option",
    title: "Unknown critical CoAP options are refused",
    page: include_str!("coap_critical_option.md"),
    expected: "a request with a critical option that nobody knows is refused with 4.02, and one with an elective option is served",
    remedy: "refuse critical options that are not known (RFC 7252, 5.4.1)",
    severity: Severity::Low,
    pass: Proves::Full,
    needs: &["coap-resources"],
    bind: bind::<CoapCriticalOption>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CoapCriticalOption {}

#[derive(Clone, Copy)]
enum Fact<'a> {
    /// There is a server.
    Alive,
    Option(u16, &'a str),
}

impl Judge for CoapCriticalOption {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("coap-resources", |r| match &r.observation {
            Observation::CoapUnknownOption { number, code } => Some(Fact::Option(*number, code)),
            Observation::CoapPing { answered: true } | Observation::CoapCore { .. } => Some(Fact::Alive),
            _ => None,
        });
        let mut elective: BTreeMap<&Subject, &str> = BTreeMap::new();
        let mut critical: BTreeMap<&Subject, &str> = BTreeMap::new();
        for seen in all.items() {
            if let Fact::Option(number, code) = seen.what {
                let of = if number % 2 == 1 { &mut critical } else { &mut elective };
                of.insert(seen.subject(), code);
            }
        }
        every(&all, "no CoAP service", |seen| {
            let at = seen.subject();
            let (Some(odd), Some(even)) = (critical.get(at), elective.get(at)) else {
                return Point::Unclear(format!("{at}: recorded without options that nobody knows"));
            };
            match (*odd, *even) {
                (odd, _) if odd.starts_with("2.") => {
                    Point::Bad(format!("{at}: a critical option that nobody knows is passed over ({odd})"))
                }
                ("4.02" | "reset", even) if even.starts_with("2.") => Point::Good(format!(
                    "{at}: a critical option is refused ({odd}), an elective one passed over ({even})"
                )),
                (odd, even) => Point::Unclear(format!("{at}: {odd} for a critical option, {even} for an elective one")),
            }
        })
    }
}
