//! File shares must ask who is there.
use super::common::{looked, said};
use super::{Check, Judge, Proves, Severity, bind, common::said_by_endpoint};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Record, Subject, observation::Asks};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    id: "file-share-open",
    title: "File shares need authentication",
    page: include_str!("file_share_open.md"),
    expected: "no file share opens without a credential, and SMB1 is not spoken",
    remedy: "require accounts for every share or export, and switch SMB1 off",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["file-shares", "service-identify"],
    bind: bind::<FileShareOpen>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileShareOpen {}

enum Seen<'a> {
    Share {
        name: &'a str,
        control: bool,
        asks: Asks,
        proof: &'a str,
    },
    Smb {
        version: &'a str,
        accepted: Option<bool>,
        detail: &'a str,
    },
    /// A server whose shares nobody asked for.
    Unasked(&'a str),
}

impl Judge for FileShareOpen {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let known = said_by_endpoint(evidence);
        let nfs = |r: &Record| said(r).is_some_and(|s| matches!(s.service, "nfs" | "rpcbind"));
        let unasked = evidence.known("service-identify", |r| nfs(r).then_some(Seen::Unasked("NFS exports")));
        let shares = evidence.known("file-shares", share).and(unasked).and(looked(evidence, "service-identify"));
        let mut controls: BTreeMap<&Subject, Asks> = BTreeMap::new();
        for s in shares.items() {
            if let Seen::Share { control: true, asks, .. } = s.what {
                controls.insert(s.subject(), asks);
            }
        }
        every(&shares, "no file server", |seen| {
            let at = seen.subject();
            let service = known.get(at).map_or("file server", |s| s.service);
            match seen.what {
                Seen::Share { control: true, asks: Asks::No, .. } => {
                    Point::Unclear(format!("{at}: it says OK to a module that cannot exist"))
                }
                Seen::Share { control: true, proof, .. } => {
                    Point::Good(format!("{at}: a random name is refused ({proof})"))
                }
                Seen::Share { name, asks: Asks::No, proof, .. } => match controls.get(at) {
                    Some(Asks::Yes) => {
                        Point::Bad(format!("{at} ({service}): `{name}` opens without a credential ({proof})"))
                    }
                    _ => Point::Unclear(format!("{at}: `{name}` opens, and no random name was refused")),
                },
                Seen::Share { name, asks: Asks::Yes, proof, .. } => {
                    Point::Good(format!("{at}: `{name}` is closed ({proof})"))
                }
                Seen::Share { name, asks: Asks::Unclear, proof, .. } => {
                    Point::Unclear(format!("{at}: `{name}`: {proof}"))
                }
                Seen::Smb { version: "1", accepted: Some(true), detail } => {
                    Point::Bad(format!("{at}: SMB1 is spoken ({detail})"))
                }
                Seen::Smb { version: "1", accepted: Some(false), .. } => Point::Good(format!("{at}: SMB1 is refused")),
                Seen::Smb { version, detail, .. } => {
                    Point::Unclear(format!("{at}: SMB{version}, {detail}; whether a guest sees shares was not tried"))
                }
                Seen::Unasked(what) => Point::Unclear(format!("{at} ({service}): {what} were not asked for")),
            }
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}

fn share(record: &Record) -> Option<Seen<'_>> {
    match &record.observation {
        Observation::FileShare { name, control, asks, proof } => {
            Some(Seen::Share { name, control: *control, asks: *asks, proof })
        }
        Observation::SmbVersion { version, accepted, detail } => {
            Some(Seen::Smb { version, accepted: *accepted, detail })
        }
        _ => None,
    }
}
