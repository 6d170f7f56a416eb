//! Update channels that are made for developers are closed, or ask who is there.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Record,
    observation::{Asks, ControlAnswer},
};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "upd-debug-ota-open",
    title: "Developer OTA listeners are closed or authenticated",
    page: include_str!("upd_debug_ota_open.md"),
    expected: "no update channel for developers is open to a stranger",
    remedy: "leave MCUmgr, ArduinoOTA and test update pages out of what is sold, or let them ask for a credential",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["advertised", "http-surface", "ota-listeners"],
    bind: bind::<UpdDebugOtaOpen>,
};

const ARDUINO: &str = "_arduino._tcp";
/// Where libraries for developers put their forms (ESP8266HTTPUpdateServer, Tasmota).
const PAGES: [&str; 2] = ["/update", "/up"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdDebugOtaOpen {}

#[derive(Clone, Copy)]
enum Listener<'a> {
    /// Announced, and whether it says that it asks for a password.
    Arduino(Option<bool>),
    Smp(ControlAnswer, &'a [String]),
    Form(&'a str),
    Tried(&'a str, Asks),
}

impl Judge for UpdDebugOtaOpen {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("advertised", arduino).and(evidence.known("ota-listeners", smp));
        let all = all.and(evidence.known("http-surface", page));
        let tried = all.items().iter().filter(|s| matches!(s.what, Listener::Tried(..)));
        let tried: BTreeSet<_> = tried.map(|s| s.subject().clone()).collect();
        every(&all, "no update channel for developers", |seen| {
            let at = seen.subject();
            match seen.what {
                Listener::Arduino(Some(false)) => {
                    Point::Bad(format!("{at}: ArduinoOTA is announced as taking uploads without a password"))
                }
                Listener::Arduino(Some(true)) => {
                    Point::Good(format!("{at}: ArduinoOTA is announced as asking for a password"))
                }
                Listener::Arduino(None) => {
                    Point::Unclear(format!("{at}: ArduinoOTA is announced, and not whether it asks for a password"))
                }
                Listener::Smp(ControlAnswer::Answered, versions) => {
                    Point::Bad(format!("{at}: MCUmgr names its images to a stranger: {}", versions.join(", ")))
                }
                Listener::Smp(ControlAnswer::Refused | ControlAnswer::Silent, _) => {
                    Point::Good(format!("{at}: MCUmgr answers an echo, and does not name its images"))
                }
                Listener::Smp(ControlAnswer::Unclear, _) => {
                    Point::Unclear(format!("{at}: MCUmgr's answer about its images could not be read"))
                }
                Listener::Tried(path, Asks::Yes) => Point::Good(format!("{at} {path}: a login is asked for")),
                Listener::Tried(path, Asks::No) => {
                    Point::Bad(format!("{at} {path}: uploads are taken without a login"))
                }
                Listener::Tried(path, Asks::Unclear) => {
                    Point::Unclear(format!("{at} {path}: not clear whether it asks"))
                }
                Listener::Form(path) if tried.contains(at) => Point::Good(format!("{at} {path}: its upload was tried")),
                Listener::Form(path) => {
                    Point::Unclear(format!("{at} {path}: its form is shown to a stranger; no upload was tried"))
                }
            }
        })
    }
}

fn arduino(record: &Record) -> Option<Listener<'_>> {
    match &record.observation {
        Observation::Advertised { service, text, .. } if service == ARDUINO => {
            let says = |word: &str| text.iter().any(|t| t.trim().eq_ignore_ascii_case(word));
            let asks = says("auth_upload=yes").then_some(true);
            Some(Listener::Arduino(asks.or(says("auth_upload=no").then_some(false))))
        }
        _ => None,
    }
}

fn smp(record: &Record) -> Option<Listener<'_>> {
    match &record.observation {
        Observation::SmpImages { answer, versions } => Some(Listener::Smp(*answer, versions)),
        _ => None,
    }
}

fn page(record: &Record) -> Option<Listener<'_>> {
    match &record.observation {
        Observation::HttpUpload { status: 404 | 405 | 501, .. } => None,
        Observation::HttpUpload { path, asks, .. } if of_developers(path) => Some(Listener::Tried(path, *asks)),
        Observation::Http { page } if page.upload_form && of_developers(&page.path) => Some(Listener::Form(&page.path)),
        _ => None,
    }
}

fn of_developers(path: &str) -> bool {
    PAGES.contains(&path.trim_end_matches('/'))
}
