//! HTTP and HTTPS sites of devices: pages, logins, an update page and the ways in which small servers mislead.

mod api;
mod auth;
mod form;
mod igd;
mod onvif;
mod panel;
mod site;
mod websocket;
mod wire;

pub(in crate::sim::service) use auth::{Tokens, digest_challenge, prove_digest};

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::tls::Tls;
use crate::sim::SimError;
use crate::sim::account::{Accept, Lockout, User};
use crate::sim::listen::{LineFaults, Raising};

/// An HTTP service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    pub port: u16,
    /// HTTPS if present.
    pub tls: Option<Tls>,
    /// The `Server` header.
    pub server: Option<String>,
    #[serde(default)]
    pub auth: Auth,
    /// Realm of Basic and Digest.
    #[serde(default = "realm")]
    pub realm: String,
    #[serde(default)]
    pub accept: Accept,
    #[serde(default)]
    pub users: Vec<User>,
    pub lockout: Option<Lockout>,
    /// By how many milliseconds each failure in a row makes the answer to the next one later.
    #[serde(default)]
    pub slower_ms: u64,
    #[serde(default)]
    pub form: Form,
    /// The token of `auth = "token"`.
    pub token: Option<String>,
    pub upload: Option<Upload>,
    /// Pages that change something, for those who came in by the form.
    pub panel: Option<panel::Panel>,
    /// Who may open pages of admins; everybody inside where nobody is named.
    #[serde(default)]
    pub admins: Vec<String>,
    /// ONVIF services beside the pages, for the users of the site.
    pub onvif: Option<onvif::Onvif>,
    /// UPnP services beside the pages, for everybody.
    pub igd: Option<igd::Igd>,
    #[serde(default)]
    pub websockets: Vec<websocket::WebSocket>,
    /// In what it is careless.
    #[serde(default)]
    pub careless: BTreeSet<Careless>,
    /// Whether it answers only by its address, and under no foreign name.
    #[serde(default)]
    pub own_hosts: bool,
    /// Redirects everything to HTTPS on this port of the device file.
    pub redirect_https: Option<u16>,
    #[serde(default)]
    pub framing: Framing,
    /// Pages; the path `*` answers for every path that no other page has.
    #[serde(default)]
    pub routes: Vec<Route>,
    #[serde(default)]
    pub faults: LineFaults,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    #[default]
    None,
    Basic,
    Digest,
    Form,
    /// A log-in in JSON at `/api/login` that gives a token.
    Json,
    /// One token that never changes.
    Token,
}

/// What small servers do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Careless {
    /// TRACE brings the request back.
    Trace,
    /// Whatever origin asks may read, with the user's session.
    Origin,
    /// The session from before a log-in is the one after it.
    KeptSession,
    /// A logout forgets the session in the browser alone.
    Logout,
    /// Session cookies without any flag.
    CookieFlags,
    /// Changes are taken without the form's token.
    Csrf,
    /// The old password is not asked for.
    OldPassword,
    /// The old password opens beside the new one.
    OldStays,
    /// A change of the password ends no session.
    SessionsStay,
    /// Pages of admins open for every user.
    Roles,
    /// Sessions are numbers that count up.
    CountedSessions,
    /// A refusal says that there is no such user.
    TellsNames,
    /// Digest has one challenge for all.
    OneNonce,
    /// An answer to a challenge of Digest is taken again.
    LastingNonces,
    /// Paths are joined to the directory of the pages as they are, dots and all.
    OutsideRoot,
    /// Every parameter goes through a shell.
    Shell,
}

/// How the end of a body is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Framing {
    /// HTTP/1.1 with a length; the connection stays.
    #[default]
    Length,
    /// HTTP/1.0 without a length; the connection closes.
    Close,
}

/// The login form.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Form {
    pub page: String,
    pub logout: String,
    /// Where a login leads.
    pub home: String,
    pub user_field: String,
    pub password_field: String,
    /// More HTML on the login page.
    pub text: String,
    /// A session that is not used for so long ends.
    pub idle_seconds: Option<u64>,
}

impl Default for Form {
    fn default() -> Self {
        Self {
            page: String::from("/login"),
            logout: String::from("/logout"),
            home: String::from("/"),
            user_field: String::from("username"),
            password_field: String::from("password"),
            text: String::new(),
            idle_seconds: None,
        }
    }
}

/// The update page: GET shows a form, POST takes a file and forgets it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upload {
    pub path: String,
    pub access: Access,
}

/// Who may see a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    Open,
    /// Those who logged in; everybody where the service has no logins.
    #[default]
    Login,
    /// Those of them who are admins.
    Admin,
}

/// One page.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    pub path: String,
    #[serde(default)]
    pub access: Access,
    #[serde(default = "ok")]
    pub status: u16,
    #[serde(default = "html", rename = "type")]
    pub content_type: String,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub body: String,
    /// What follows for admins.
    #[serde(default)]
    pub for_admins: String,
    /// Bytes before the body, in hex, for what is no text.
    #[serde(default)]
    pub magic: String,
    /// Zeros after it.
    #[serde(default)]
    pub pad: usize,
}

impl Route {
    fn bytes(&self) -> Vec<u8> {
        let digits = self.magic.as_bytes().chunks_exact(2).filter_map(|pair| std::str::from_utf8(pair).ok());
        let mut all: Vec<u8> = digits.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect();
        all.extend_from_slice(self.body.as_bytes());
        all.resize(all.len() + self.pad, 0);
        all
    }
}

fn realm() -> String {
    String::from("{model}")
}

fn ok() -> u16 {
    200
}

fn html() -> String {
    String::from("text/html; charset=utf-8")
}

impl Http {
    pub(super) fn check(&self) -> Result<(), &'static str> {
        if self.routes.iter().any(|route| !(100..=999).contains(&route.status)) {
            return Err("a route status has three digits");
        }
        if self.routes.iter().any(|route| route.path != "*" && !route.path.starts_with('/')) {
            return Err("a route path starts with `/`, or is `*`");
        }
        let hex = |text: &str| text.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit());
        if self.routes.iter().any(|route| !hex(&route.magic)) {
            return Err("a route's `magic` is written in pairs of hex digits");
        }
        if (self.auth == Auth::Token) != self.token.is_some() {
            return Err("`token` goes with auth = \"token\"");
        }
        Ok(())
    }

    pub(super) fn raise(&self, label: &str, raising: &mut Raising) -> Result<(), SimError> {
        let site = site::Site::new(self, label, &raising.stage)?;
        raising.tcp(self.port, &self.faults, site)
    }
}
