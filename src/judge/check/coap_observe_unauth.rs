//! Who may ask to be told of every change knows when somebody is at home.
use super::{
    Check, Judge, Proves, Severity, bind,
    coap::{Declared, declared},
};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::Observation;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "coap-observe-unauth",
    title: "CoAP resources report changes to nobody unknown",
    page: include_str!("coap_observe_unauth.md"),
    expected: "no resource that is not declared public reports its changes to strangers",
    remedy: "let observation require DTLS or OSCORE, as reading does",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &["coap-observe"],
    bind: bind::<CoapObserveUnauth>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CoapObserveUnauth {}

impl Judge for CoapObserveUnauth {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("coap-observe", |r| match &r.observation {
            Observation::CoapObserve { path, code, registered, bytes, notifications, waited_ms } => {
                Some((path.as_str(), code.as_str(), *registered, *bytes, *notifications, *waited_ms))
            }
            _ => None,
        });
        every(&all, "no CoAP resource that calls itself observable", |seen| {
            let (path, code, registered, bytes, notifications, waited) = seen.what;
            let at = format!("{}{path}", seen.subject());
            match (registered, notifications) {
                (false, _) => Point::Good(format!("{at} reports no changes ({code})")),
                (true, _) if declared(evidence, path) == Declared::Public => {
                    Point::Good(format!("{at} reports changes, and is declared public"))
                }
                (true, 0) if bytes > 0 || code == "2.05" => {
                    Point::Unclear(format!("{at} takes the wish up, and nothing changed in {waited} ms"))
                }
                (true, 0) => Point::Unclear(format!("{at} answers {code} and takes the wish up")),
                (true, n) => Point::Bad(format!("{at} reported {n} changes to a stranger within {waited} ms")),
            }
        })
    }

    fn tables(&self) -> &'static [&'static str] {
        &["x-public"]
    }
}
