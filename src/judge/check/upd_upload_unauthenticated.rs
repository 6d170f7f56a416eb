//! Nobody may hand the device a firmware without a login.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Record, Subject, observation::Asks};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "upd-upload-unauthenticated",
    title: "Firmware upload refuses unauthenticated users",
    page: include_str!("upd_upload_unauthenticated.md"),
    expected: "every upload interface asks for a credential before it takes data",
    remedy: "authenticate before anything of the upload is read",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["http-surface"],
    bind: bind::<UpdUploadUnauthenticated>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdUploadUnauthenticated {}

impl Judge for UpdUploadUnauthenticated {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let uploads = evidence.known("http-surface", of);
        let exercised: BTreeSet<Subject> = uploads
            .items()
            .iter()
            .filter(|s| matches!(s.what, Upload::Tried { .. }))
            .map(|s| s.subject().clone())
            .collect();
        every(&uploads, "no upload interface", |seen| match seen.what {
            Upload::Tried { path, status, asks, proof } => {
                tried(&format!("{} {path}", seen.subject()), status, asks, proof)
            }
            Upload::Form(path) => match exercised.contains(seen.subject()) {
                true => Point::Good(format!("{} {path}: its upload was tried", seen.subject())),
                false => Point::Unclear(format!("{} {path}: an upload form that was not tried", seen.subject())),
            },
        })
    }
}

#[derive(Clone, Copy)]
enum Upload<'a> {
    Tried { path: &'a str, status: u16, asks: Asks, proof: &'a str },
    Form(&'a str),
}

fn of(record: &Record) -> Option<Upload<'_>> {
    match &record.observation {
        Observation::HttpUpload { status: 404 | 405 | 501, .. } => None,
        Observation::HttpUpload { path, status, asks, proof } => {
            Some(Upload::Tried { path, status: *status, asks: *asks, proof })
        }
        Observation::Http { page } if page.upload_form => Some(Upload::Form(&page.path)),
        _ => None,
    }
}

fn tried(what: &str, status: u16, asks: Asks, proof: &str) -> Point {
    match asks {
        Asks::Yes => Point::Good(format!("{what}: {status}, a login is asked for")),
        Asks::No if (200..=299).contains(&status) => Point::Bad(format!("{what}: {status} without a login: {proof}")),
        Asks::No | Asks::Unclear => Point::Unclear(format!("{what}: {status}, not clear whether it asks: {proof}")),
    }
}
