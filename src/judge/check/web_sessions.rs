//! Sessions of log-in forms.
use super::{Check, Judge, Proves, Severity};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation,
    observation::web::{Cookie, Logout, WebSession},
};
use serde::Deserialize;

pub const COOKIES: Check = Check {
    id: "http-cookie-flags",
    title: "Session cookies are kept from scripts and cleartext",
    page: include_str!("http_cookie_flags.md"),
    expected: "a session cookie has HttpOnly and SameSite, and over HTTPS Secure",
    remedy: "set Secure, HttpOnly and SameSite on session cookies",
    severity: Severity::Low,
    pass: Proves::Partial,
    needs: &["http-sessions"],
    bind: |p| bound(flags, p),
};

pub const LIFECYCLE: Check = Check {
    id: "http-session-lifecycle",
    title: "A log-in renews the session and a logout ends it",
    page: include_str!("http_session_lifecycle.md"),
    expected: "a log-in gives a new session, and after the logout the old one opens nothing",
    remedy: "give a new session at each log-in, and forget it in the device at the logout",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &["http-sessions"],
    bind: |p| bound(lifecycle, p),
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoParameters {}

type Read = fn(&WebSession, &str) -> Point;

fn bound(read: Read, parameters: toml::Table) -> Result<Box<dyn Judge>, String> {
    let NoParameters {} = parameters.try_into().map_err(|e: toml::de::Error| e.message().to_owned())?;
    Ok(Box::new(WebSessions { read }))
}

struct WebSessions {
    read: Read,
}

impl Judge for WebSessions {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("http-sessions", |r| match &r.observation {
            Observation::WebSession { session } => Some(session),
            _ => None,
        });
        every(&all, "no log-in form", |seen| (self.read)(seen.what, &format!("{} {}", seen.subject(), seen.what.path)))
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried("http-sessions")
    }
}

fn flags(session: &WebSession, what: &str) -> Point {
    if session.cookies.is_empty() {
        return Point::Unclear(format!("{what}: no cookie alone carries the session"));
    }
    let lacks = |c: &Cookie| {
        let mut all = Vec::new();
        if !c.http_only {
            all.push("HttpOnly");
        }
        if session.tls && !c.secure {
            all.push("Secure");
        }
        all
    };
    let bad: Vec<String> = session
        .cookies
        .iter()
        .filter(|c| !lacks(c).is_empty())
        .map(|c| format!("{} lacks {}", c.name, lacks(c).join(" and ")))
        .collect();
    if !bad.is_empty() {
        return Point::Bad(format!("{what}: {}", bad.join("; ")));
    }
    let tied = |c: &Cookie| matches!(c.same_site.as_str(), "strict" | "lax");
    match session.cookies.iter().all(tied) {
        true => Point::Good(format!("{what}: the session cookie has all flags")),
        // Another defence against forged requests may stand in for it.
        false => Point::Unclear(format!("{what}: the session cookie does not say SameSite")),
    }
}

fn lifecycle(session: &WebSession, what: &str) -> Point {
    if session.kept {
        return Point::Bad(format!("{what}: the session from before the log-in is the one after it"));
    }
    match session.logout {
        Logout::StaysOpen => Point::Bad(format!("{what}: after the logout the old session still opens the page")),
        Logout::NotFound => Point::Unclear(format!("{what}: no way to log out was found")),
        Logout::Ends => Point::Good(format!("{what}: the log-in gave a new session, and the logout ended it")),
    }
}
