//! Nobody but its management server may wake up a device.
use super::common::page;
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Subject, observation::HttpPage};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    id: "cwmp-connreq-auth",
    title: "TR-069 connection requests ask for Digest",
    page: include_str!("cwmp_connreq_auth.md"),
    expected: "every connection-request port asks for Digest, at any path",
    remedy: "ask for Digest, use a random path, and let only the management server in",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["cwmp-connreq"],
    bind: bind::<CwmpConnreqAuth>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CwmpConnreqAuth {}

impl Judge for CwmpConnreqAuth {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let pages = evidence.known("cwmp-connreq", |r| page(r).map(|p| (&r.subject, p)));
        let mut ports: BTreeMap<&Subject, Vec<&HttpPage>> = BTreeMap::new();
        for (subject, page) in pages.items().iter().map(|s| s.what) {
            ports.entry(subject).or_default().push(page);
        }
        every(&pages, "no TR-069 service", |seen| {
            let all = ports.get(seen.subject()).map(Vec::as_slice).unwrap_or_default();
            point(seen.subject(), seen.what.1, all)
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}

fn point(at: &Subject, page: &HttpPage, all: &[&HttpPage]) -> Point {
    let what = format!("{at} {}", page.path);
    let asks = |p: &HttpPage, scheme: &str| p.challenges.iter().any(|c| c.scheme == scheme);
    match page.status {
        200 | 204 => Point::Bad(format!("{what}: status {} without a credential", page.status)),
        401 if asks(page, "digest") => Point::Good(format!("{what}: asks for Digest")),
        401 if asks(page, "basic") => Point::Bad(format!("{what}: asks for Basic, which sends the password")),
        // A path that is not the secret one; another path shows what the service asks for.
        404 if all.iter().any(|p| p.status == 401) => Point::Good(format!("{what}: not found")),
        404 => Point::Unclear(format!("{what}: not found, and no path shows what it asks for")),
        other => Point::Unclear(format!("{what}: status {other} tells nothing")),
    }
}
