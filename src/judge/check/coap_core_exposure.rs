//! Discovery must not be a map for attackers.
use super::coap::{CORE, Declared, core, declared, read};
use super::common::{listed, not_declared};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Subject, observation::CoapLink};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "coap-core-exposure",
    title: "`/.well-known/core` does not reveal undeclared resources",
    page: include_str!("coap_core_exposure.md"),
    expected: "CoAP discovery lists only resources that the IXIT declares",
    remedy: "list only what clients need, or declare it",
    severity: Severity::Low,
    pass: Proves::Partial,
    needs: &["coap-resources"],
    bind: bind::<CoapCoreExposure>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CoapCoreExposure {}

impl Judge for CoapCoreExposure {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let cores = evidence.known("coap-resources", core).only(|(_, code, _)| *code != "4.04");
        let reads = evidence.known("coap-resources", read);
        let refused: BTreeSet<(&Subject, &str)> = reads
            .items()
            .iter()
            .map(|s| s.what)
            .filter(|r| matches!(r.code, "4.01" | "4.03"))
            .map(|r| (r.at, r.path))
            .collect();
        let shown = listed(cores.items().iter().flat_map(|s| paths(s.what.2)));
        if evidence.ixit.and_then(|i| i.public.as_ref()).is_none() && !shown.is_empty() {
            return not_declared("x-public", format!("listed: {shown}"));
        }
        every(&cores, "no CoAP discovery", |seen| {
            let (at, code, links) = seen.what;
            let other = || paths(links).filter(|p| declared(evidence, p) != Declared::Public);
            let (open, shut): (Vec<_>, Vec<_>) = other().partition(|p| !refused.contains(&(at, *p)));
            match code.split('.').next() {
                Some("4") => Point::Good(format!("{at}: discovery is refused with {code}")),
                Some("2") if !open.is_empty() => Point::Bad(format!("{at} lists undeclared {}", open.join(", "))),
                Some("2") if !shut.is_empty() => {
                    Point::Unclear(format!("{at} lists {}, not declared public and protected", shut.join(", ")))
                }
                Some("2") => Point::Good(format!("{at} lists nothing that is not declared")),
                Some(_) | None => Point::Unclear(format!("{at}: discovery answers {code}")),
            }
        })
    }

    fn tables(&self) -> &'static [&'static str] {
        &["x-public"]
    }
}

/// The listed paths, without discovery itself.
fn paths(links: &[CoapLink]) -> impl Iterator<Item = &str> {
    links.iter().map(|l| l.path.as_str()).filter(|p| *p != CORE)
}
