//! Logins and settings must not pass in clear.
use super::common::{looked, page, said_by_endpoint};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::observation::HttpPage;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "http-admin-cleartext",
    title: "Administration is not possible over cleartext HTTP",
    page: include_str!("http_admin_cleartext.md"),
    expected: "no page over cleartext HTTP asks for a login or shows settings",
    remedy: "serve the administration over HTTPS only, and redirect HTTP to it",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["http-surface", "service-identify"],
    bind: bind::<HttpAdminCleartext>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpAdminCleartext {}

impl Judge for HttpAdminCleartext {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let said = said_by_endpoint(evidence);
        let pages = evidence.known("http-surface", page).and(looked(evidence, "service-identify"));
        every(&pages, "no HTTP service", |seen| {
            let what = format!("{} {}", seen.subject(), seen.what.path);
            match said.get(seen.subject()).map(|s| s.tls) {
                None => Point::Unclear(format!("{what}: whether TLS protects it is not known")),
                Some(true) => Point::Good(format!("{what}: over TLS")),
                Some(false) => in_clear(seen.what, &what),
            }
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}

fn in_clear(page: &HttpPage, what: &str) -> Point {
    if page.login_form || page.status == 401 || !page.challenges.is_empty() {
        return Point::Bad(format!("{what}: asks for a login in clear"));
    }
    let answered = (200..=299).contains(&page.status);
    if answered && page.settings.len() >= 2 {
        return Point::Bad(format!("{what}: shows settings in clear: {}", page.settings.join(", ")));
    }
    match answered && page.same_as_missing {
        true => Point::Unclear(format!("{what}: the server sends this for any path in clear")),
        false => Point::Good(format!("{what}: {} in clear, no administration", page.status)),
    }
}
