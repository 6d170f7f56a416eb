//! What web servers show to strangers. One rule for all: something counts that a rule of the list told by its content,
//! and a server that sends a page for every path cannot be told to be clean.
use super::common::{listed, page};
use super::{Check, Judge, Proves, Severity};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Record, Subject, observation::web::Shown};
use serde::Deserialize;
use std::collections::BTreeSet;

/// What differs between the checks.
struct Words {
    id: &'static str,
    title: &'static str,
    page: &'static str,
    expected: &'static str,
    remedy: &'static str,
    severity: Severity,
    bind: fn(toml::Table) -> Result<Box<dyn Judge>, String>,
}

const fn check(words: Words) -> Check {
    let Words { id, title, page, expected, remedy, severity, bind } = words;
    Check { id, title, page, expected, remedy, severity, pass: Proves::Partial, needs: &["http-surface"], bind }
}

pub const DEBUG: Check = check(Words {
    id: "http-debug-endpoints",
    title: "Debug and diagnostic endpoints are closed",
    page: include_str!("http_debug_endpoints.md"),
    expected: "no profiler, metrics, console or command page is shown without a credential",
    remedy: "remove debug interfaces from production firmware",
    severity: Severity::High,
    bind: |p| bound(Shown::Debug, p),
});

pub const BACKUP: Check = check(Words {
    id: "http-config-backup",
    title: "The configuration cannot be fetched without authentication",
    page: include_str!("http_config_backup.md"),
    expected: "no path gives the configuration to somebody without a credential",
    remedy: "ask for authentication before an export, and encrypt what is exported",
    severity: Severity::Critical,
    bind: |p| bound(Shown::Backup, p),
});

pub const SOURCE: Check = check(Words {
    id: "http-vcs-env-exposed",
    title: "Source control and environment files are not served",
    page: include_str!("http_vcs_env_exposed.md"),
    expected: "no file of a source repository or of a build is served",
    remedy: "leave such files out of the firmware, and serve no dot files",
    severity: Severity::High,
    bind: |p| bound(Shown::Source, p),
});

pub const INFO: Check = check(Words {
    id: "http-info-api",
    title: "APIs tell nothing private to somebody without a credential",
    page: include_str!("http_info_api.md"),
    expected: "no answer for programs tells secrets, personal data or an identity that is not declared",
    remedy: "ask for authentication before such data is given out",
    severity: Severity::Medium,
    bind: |p| bound(Shown::Info, p),
});

pub const SAMPLE: Check = check(Words {
    id: "http-default-content",
    title: "No sample pages of the server software are served",
    page: include_str!("http_default_content.md"),
    expected: "no sample page, manual or test program of the server software is served",
    remedy: "remove the server's sample content",
    severity: Severity::Low,
    bind: |p| bound(Shown::Sample, p),
});

pub const LOG: Check = check(Words {
    id: "log-endpoint-exposed",
    title: "Logs are not readable without authentication",
    page: include_str!("log_endpoint_exposed.md"),
    expected: "no log is shown to somebody without a credential",
    remedy: "ask for authentication before a log is shown, and log no secrets",
    severity: Severity::Medium,
    bind: |p| bound(Shown::Log, p),
});

pub const PICTURE: Check = check(Words {
    id: "camera-snapshot-open",
    title: "Still pictures need authentication",
    page: include_str!("camera_snapshot_open.md"),
    expected: "no picture of a camera is shown to somebody without a credential",
    remedy: "ask for authentication before a picture is shown",
    severity: Severity::Critical,
    bind: |p| bound(Shown::Picture, p),
});

/// Questions that were meant to go wrong are asked by a probe of their own.
pub const ERROR: Check = Check {
    needs: &["http-surface", "http-questions"],
    ..check(Words {
        id: "http-error-disclosure",
        title: "Error pages do not leak internals",
        page: include_str!("http_error_disclosure.md"),
        expected: "no error page shows a stack trace, a place in the source or a statement of a database",
        remedy: "show general error pages, and switch debugging off",
        severity: Severity::Low,
        bind: |p| bound(Shown::Error, p),
    })
};

pub const LISTING: Check = check(Words {
    id: "http-directory-listing",
    title: "Directories are not listed",
    page: include_str!("http_directory_listing.md"),
    expected: "no directory shows what files it holds",
    remedy: "switch directory indexes off",
    severity: Severity::Medium,
    bind: |p| bound(Shown::Listing, p),
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoParameters {}

fn bound(shows: Shown, parameters: toml::Table) -> Result<Box<dyn Judge>, String> {
    let NoParameters {} = parameters.try_into().map_err(|e: toml::de::Error| e.message().to_owned())?;
    Ok(Box::new(WebExposure { shows }))
}

struct WebExposure {
    shows: Shown,
}

impl Judge for WebExposure {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let of = |r| fact(r).map(|f| (&r.subject, f));
        let mut all = evidence.known("http-surface", of);
        if self.shows == Shown::Error {
            all = all.and(evidence.known("http-questions", of));
        }
        let is_control = |f: &Fact<'_>| matches!(f, Fact::Missing { .. });
        let controlled: BTreeSet<&Subject> =
            all.items().iter().filter(|s| is_control(&s.what.1)).map(|s| s.what.0).collect();
        let facts = all.only(|(at, fact)| match fact {
            Fact::Page => !controlled.contains(at),
            Fact::Missing { .. } => true,
            Fact::Shown { shows, .. } => *shows == self.shows,
        });
        every(&facts, "no HTTP service", |seen| self.point(evidence, seen.what.0, seen.what.1))
    }

    fn tables(&self) -> &'static [&'static str] {
        match self.shows {
            Shown::Info => &["x-disclosed"],
            Shown::Debug | Shown::Backup | Shown::Source | Shown::Sample | Shown::Log => &[],
            Shown::Picture | Shown::Listing | Shown::Error => &[],
        }
    }
}

#[derive(Clone, Copy)]
enum Fact<'a> {
    /// A page of whatever kind: there is a web server.
    Page,
    Missing {
        status: u16,
    },
    Shown {
        path: &'a str,
        shows: Shown,
        rule: &'a str,
        sensitive: &'a [String],
    },
}

fn fact(record: &Record) -> Option<Fact<'_>> {
    match &record.observation {
        Observation::HttpMissing { status, .. } => Some(Fact::Missing { status: *status }),
        Observation::HttpShown { path, shows, rule, sensitive, .. } => {
            Some(Fact::Shown { path, shows: *shows, rule, sensitive })
        }
        _ => page(record).map(|_| Fact::Page),
    }
}

impl WebExposure {
    fn point(&self, evidence: &Evidence<'_>, at: &Subject, fact: Fact<'_>) -> Point {
        let words = self.shows.words();
        match fact {
            Fact::Page => Point::Unclear(format!("{at}: recorded without asking for paths that cannot exist")),
            // Whatever comes instead of an error page, it was read.
            Fact::Missing { status } if self.shows == Shown::Error => {
                Point::Good(format!("{at}: nothing of the inside is shown with status {status}"))
            }
            Fact::Missing { status: 200..=299 } => Point::Unclear(format!(
                "{at}: a page comes for paths that cannot exist, so that {words} could not be told from it"
            )),
            Fact::Missing { status: status @ 500..=599 } => {
                Point::Unclear(format!("{at}: the server fails with {status} for paths that cannot exist"))
            }
            Fact::Missing { status } => {
                Point::Good(format!("{at}: {words} is not shown; paths that cannot exist get {status}"))
            }
            Fact::Shown { path, shows: Shown::Info, sensitive, .. } => {
                told(evidence, &format!("{at} {path}"), sensitive)
            }
            Fact::Shown { path, rule, sensitive, .. } => {
                let with = if sensitive.is_empty() { String::new() } else { format!(", with {}", listed(sensitive)) };
                Point::Bad(format!("{at} {path}: {words} is shown without a credential ({rule}){with}"))
            }
        }
    }
}

/// By which a device can be told from others: may be given out where that is declared.
const IDENTITY: [&str; 3] = ["serial", "mac", "ssid"];

fn told(evidence: &Evidence<'_>, what: &str, sensitive: &[String]) -> Point {
    let private = listed(sensitive.iter().filter(|c| !IDENTITY.contains(&c.as_str())));
    if !private.is_empty() {
        return Point::Bad(format!("{what}: it tells {private} without a credential"));
    }
    let Some(disclosed) = evidence.ixit.and_then(|i| i.disclosed.as_deref()) else {
        let all = listed(sensitive);
        return Point::Unclear(format!("{what}: it tells {all}; table x-disclosed would say whether that is meant"));
    };
    let words: BTreeSet<String> =
        disclosed.iter().flat_map(|d| d.split(|c: char| !c.is_alphanumeric())).map(str::to_lowercase).collect();
    let declared = |class: &&String| words.contains(class.as_str());
    let undeclared = listed(sensitive.iter().filter(|c| !declared(c)));
    match undeclared.is_empty() {
        true => Point::Good(format!("{what}: it tells {}, as declared", listed(sensitive))),
        false => Point::Bad(format!("{what}: it tells {undeclared}, which is not declared")),
    }
}
