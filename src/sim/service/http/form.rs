//! The login form: a page with a hidden token, a session cookie and a logout.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::auth::Tokens;
use super::wire::{Request, Response};
use super::{Careless, Form};
use crate::sim::account::{Accounts, Login};

pub(super) const COOKIE: &str = "session";

pub(super) struct FormLogin {
    pub spec: Form,
    pub title: String,
    pub cookie_flags: &'static str,
    pub sessions: Tokens,
    pub csrf: Tokens,
    pub careless: BTreeSet<Careless>,
    /// Whose each session is, and when it was last used.
    pub whose: Mutex<BTreeMap<String, (String, Instant)>>,
}

impl FormLogin {
    /// Answers the paths that belong to the form; `None` for all others.
    pub fn answer(&self, request: &Request, accounts: &Accounts) -> Option<Response> {
        if request.path == self.spec.logout {
            if let Some(session) = request.cookie(COOKIE).filter(|_| !self.careless.contains(&Careless::Logout)) {
                self.sessions.revoke(session);
            }
            return Some(Response::redirect(302, &self.spec.page));
        }
        if request.path != self.spec.page {
            return None;
        }
        Some(if request.method == "POST" { self.submit(request, accounts) } else { self.page(200, "") })
    }

    pub fn is_inside(&self, request: &Request) -> bool {
        let Some(session) = request.cookie(COOKIE).filter(|session| self.sessions.knows(session)) else { return false };
        let mut whose = self.whose.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, used)) = whose.get_mut(session) else { return true };
        let most = self.spec.idle_seconds.map(Duration::from_secs);
        if most.is_some_and(|most| used.elapsed() > most) {
            self.sessions.revoke(session);
            return false;
        }
        *used = Instant::now();
        true
    }

    pub fn user_of(&self, session: &str) -> Option<String> {
        let whose = self.whose.lock().unwrap_or_else(PoisonError::into_inner);
        whose.get(session).map(|(user, _)| user.clone())
    }

    /// Ends the user's sessions but this one.
    pub fn end_others(&self, user: &str, but: &str) {
        let whose = self.whose.lock().unwrap_or_else(PoisonError::into_inner);
        for (session, _) in whose.iter().filter(|(session, (of, _))| of == user && *session != but) {
            self.sessions.revoke(session);
        }
    }

    fn begin(&self, user: &str) -> String {
        let mut whose = self.whose.lock().unwrap_or_else(PoisonError::into_inner);
        let session = match self.careless.contains(&Careless::CountedSessions) {
            true => {
                let number = format!("{:08}", 10_000 + whose.len() * 7);
                self.sessions.adopt(&number);
                number
            }
            false => self.sessions.issue(),
        };
        whose.insert(session.clone(), (user.to_owned(), Instant::now()));
        session
    }

    fn submit(&self, request: &Request, accounts: &Accounts) -> Response {
        if !request.field("csrf").is_some_and(|token| self.csrf.knows(&token)) {
            return self.page(403, "<p>The form has expired.</p>");
        }
        let user = request.field(&self.spec.user_field).unwrap_or_default();
        let password = request.field(&self.spec.password_field).unwrap_or_default();
        match accounts.login(&user, &password) {
            Login::Accepted if self.careless.contains(&Careless::KeptSession) => {
                self.sessions.adopt(request.cookie(COOKIE).unwrap_or_default());
                Response::redirect(302, &self.spec.home)
            }
            Login::Accepted => {
                let cookie = format!("{COOKIE}={}; Path=/{}", self.begin(&user), self.cookie_flags);
                Response::redirect(302, &self.spec.home).with("Set-Cookie", &cookie)
            }
            Login::Refused if self.careless.contains(&Careless::TellsNames) && !accounts.knows(&user) => {
                self.page(200, "<p>There is no such user.</p>")
            }
            Login::Refused => self.page(200, "<p>Wrong user name or password.</p>"),
            Login::ToldLocked => self.page(429, "<p>Too many attempts. Try again later.</p>"),
        }
    }

    fn page(&self, status: u16, notice: &str) -> Response {
        let Form { page, user_field, password_field, text, .. } = &self.spec;
        let (title, csrf) = (&self.title, self.csrf.issue());
        let html = format!(
            "<!doctype html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1>\n{notice}{text}\n\
             <form method=\"post\" action=\"{page}\"><input type=\"hidden\" name=\"csrf\" value=\"{csrf}\">\n\
             <input type=\"text\" name=\"{user_field}\"><input type=\"password\" name=\"{password_field}\">\n\
             <button type=\"submit\">Log in</button></form></body></html>\n"
        );
        let response = Response::html(status, &html).with("Cache-Control", "no-store");
        match self.careless.contains(&Careless::KeptSession) {
            true => {
                response.with("Set-Cookie", &format!("{COOKIE}={}; Path=/{}", self.csrf.issue(), self.cookie_flags))
            }
            false => response,
        }
    }
}
