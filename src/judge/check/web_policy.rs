//! What pages tell browsers, and where they lead.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence, Known,
    judgement::{Point, every},
};
use crate::model::{Observation, observation::web::HttpPolicy};
use serde::Deserialize;

pub const HEADERS: Check = Check {
    id: "http-security-headers",
    title: "Security headers recorded",
    page: include_str!("http_security_headers.md"),
    expected: "the headers that the profile requires are sent with every page",
    remedy: "send frame-ancestors (or X-Frame-Options), nosniff and a Referrer-Policy",
    severity: Severity::Info,
    pass: Proves::Nothing,
    needs: &["http-questions"],
    bind: bind::<HttpSecurityHeaders>,
};

pub const MIXED: Check = Check {
    id: "http-hsts-mixed",
    title: "Pages over HTTPS have no parts over cleartext",
    page: include_str!("http_hsts_mixed.md"),
    expected: "no page over HTTPS loads active content, or sends a form, over cleartext HTTP",
    remedy: "serve everything over HTTPS, and use relative addresses",
    severity: Severity::Low,
    pass: Proves::Partial,
    needs: &["http-questions"],
    bind: bind::<HttpHstsMixed>,
};

pub const IN_URL: Check = Check {
    id: "http-credential-in-url",
    title: "Passwords and sessions do not travel in addresses",
    page: include_str!("http_credential_in_url.md"),
    expected: "no address of a page, form or redirect carries a password or a session",
    remedy: "send them in the body or in a header",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &["http-questions"],
    bind: bind::<HttpCredentialInUrl>,
};

fn policies<'a>(evidence: &Evidence<'a>) -> Known<&'a HttpPolicy> {
    evidence.known("http-questions", |r| match &r.observation {
        Observation::HttpPolicy { policy } => Some(&**policy),
        _ => None,
    })
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Header {
    Framing,
    Sniffing,
    Referrer,
}

impl Header {
    const ALL: [Self; 3] = [Self::Framing, Self::Sniffing, Self::Referrer];

    fn word(self) -> &'static str {
        match self {
            Self::Framing => "protection from framing",
            Self::Sniffing => "nosniff",
            Self::Referrer => "Referrer-Policy",
        }
    }

    fn sent(self, page: &HttpPolicy) -> bool {
        match self {
            Self::Framing => page.no_framing,
            Self::Sniffing => page.no_sniffing,
            Self::Referrer => !page.referrer.is_empty(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpSecurityHeaders {
    /// Headers without which a page fails.
    #[serde(default)]
    required: Vec<Header>,
}

impl Judge for HttpSecurityHeaders {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        every(&policies(evidence).only(|p| p.html), "no page in HTML", |seen| {
            let words = |all: &[Header], sent: bool| {
                let of = all.iter().filter(|h| h.sent(seen.what) == sent).map(|h| h.word());
                of.collect::<Vec<_>>().join(", ")
            };
            let what = format!("{} {}", seen.subject(), seen.what.path);
            match words(&self.required, false) {
                missing if !missing.is_empty() => Point::Bad(format!("{what}: required and not sent: {missing}")),
                _ => Point::Good(format!(
                    "{what}: sent: {}; not sent: {}",
                    some(words(&Header::ALL, true)),
                    some(words(&Header::ALL, false))
                )),
            }
        })
    }
}

fn some(text: String) -> String {
    if text.is_empty() { "none".to_owned() } else { text }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpHstsMixed {}

impl Judge for HttpHstsMixed {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        every(&policies(evidence).only(|p| p.html && p.tls), "no page in HTML over HTTPS", |seen| {
            let what = format!("{} {}", seen.subject(), seen.what.path);
            let hsts = if seen.what.hsts.is_empty() { "not sent" } else { &seen.what.hsts };
            match seen.what.insecure.as_slice() {
                [] => Point::Good(format!("{what}: no part over cleartext; HSTS: {hsts}")),
                parts => Point::Bad(format!("{what}: over cleartext: {}", parts.join(", "))),
            }
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpCredentialInUrl {}

impl Judge for HttpCredentialInUrl {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        every(&policies(evidence), "no HTTP service", |seen| {
            let what = format!("{} {}", seen.subject(), seen.what.path);
            match seen.what.secrets_in_urls.as_slice() {
                [] => Point::Good(format!("{what}: no address carries a secret")),
                names => Point::Bad(format!("{what}: in an address: {}", names.join(", "))),
            }
        })
    }
}
