//! Settings must not be served to whoever asks.
use super::common::page;
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Subject, observation::HttpPage};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "http-admin-unauthenticated",
    title: "Settings pages are not open to everybody",
    page: include_str!("http_admin_unauthenticated.md"),
    expected: "no page that was fetched without a credential is a settings page",
    remedy: "require authentication for every configuration function",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["http-surface"],
    bind: bind::<HttpAdminUnauthenticated>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpAdminUnauthenticated {}

impl Judge for HttpAdminUnauthenticated {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        every(&evidence.known("http-surface", page), "no HTTP service", |seen| point(seen.subject(), seen.what))
    }

    fn everywhere(&self) -> bool {
        true
    }
}

fn point(at: &Subject, page: &HttpPage) -> Point {
    let what = format!("{at} {}", page.path);
    match page.status {
        200..=299 => answered(page, &what),
        500 | 502..=599 => Point::Unclear(format!("{what}: the server failed with {}", page.status)),
        status => Point::Good(format!("{what}: {status}, nothing to set")),
    }
}

fn answered(page: &HttpPage, what: &str) -> Point {
    if page.login_form {
        return Point::Good(format!("{what}: a login form comes first"));
    }
    if page.same_as_missing {
        return Point::Unclear(format!("{what}: the server sends this for any path"));
    }
    match page.settings.as_slice() {
        [] => Point::Good(format!("{what}: no settings")),
        [one] => Point::Unclear(format!("{what}: one settings field, {one}")),
        all => Point::Bad(format!("{what}: settings without a credential: {}", all.join(", "))),
    }
}
