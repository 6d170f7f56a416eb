//! Whoever finds a flaw must find an address.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Record, Subject};
use jiff::Timestamp;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "vdp-security-txt",
    title: "A security.txt on the device is valid",
    page: include_str!("vdp_security_txt.md"),
    expected: "where a security.txt is served, it has a contact and has not expired",
    remedy: "publish a security.txt after RFC 9116 and renew it before it expires",
    severity: Severity::Low,
    pass: Proves::Partial,
    needs: &["http-surface"],
    bind: bind::<VdpSecurityTxt>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VdpSecurityTxt {}

impl Judge for VdpSecurityTxt {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let files = evidence.known("http-surface", of).only(File::is_one);
        let now = evidence.as_of().parse().ok();
        every(
            &files,
            "the device serves no security.txt; where flaws are reported is for a person to look up",
            |seen| point(seen.subject(), seen.what, now),
        )
    }
}

#[derive(Clone, Copy)]
pub(super) struct File<'a> {
    path: &'a str,
    status: u16,
    contacts: &'a [String],
    expires: Option<&'a str>,
    problems: &'a [String],
}

impl File<'_> {
    /// A server that sends one page for every path does not have the file.
    pub(super) fn is_one(&self) -> bool {
        (200..=299).contains(&self.status) && (!self.contacts.is_empty() || self.expires.is_some())
    }
}

pub(super) fn of(record: &Record) -> Option<File<'_>> {
    match &record.observation {
        Observation::SecurityTxt { path, status, contacts, expires, problems } => {
            Some(File { path, status: *status, contacts, expires: expires.as_deref(), problems })
        }
        _ => None,
    }
}

pub(super) fn point(at: &Subject, file: File<'_>, now: Option<Timestamp>) -> Point {
    let what = format!("{at} {}", file.path);
    let Some(now) = now else { return Point::Unclear("the time of the recording cannot be read".to_owned()) };
    let Some(expires) = file.expires.map(str::parse::<Timestamp>) else {
        return Point::Bad(format!("{what}: no Expires, which RFC 9116, 2.5.5 requires"));
    };
    match expires {
        Err(_) => Point::Bad(format!("{what}: Expires cannot be read")),
        Ok(to) if to <= now => Point::Bad(format!("{what}: expired on {to}")),
        Ok(_) if file.contacts.is_empty() => Point::Bad(format!("{what}: no Contact")),
        Ok(_) if !file.problems.is_empty() => Point::Bad(format!("{what}: {}", file.problems.join("; "))),
        Ok(to) => Point::Good(format!("{what}: contact given, valid until {to}")),
    }
}
