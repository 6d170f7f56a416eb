//! Pages of the owner that change something: a setting, and the password.

use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::wire::{Request, Response};
use super::{Careless, form::FormLogin};
use crate::sim::account::Accounts;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Panel {
    pub settings: String,
    /// The page for the password; none where it is empty.
    pub password: String,
    /// A new password is at least so long, and not the user's name.
    pub min_length: usize,
    /// Whether a page shows the Wi-Fi key that is set.
    pub shows_key: bool,
}

impl Default for Panel {
    fn default() -> Self {
        Self {
            settings: String::from("/settings"),
            password: String::from("/password"),
            min_length: 10,
            shows_key: false,
        }
    }
}

/// The settings at run time.
pub(super) struct State {
    spec: Panel,
    secret: [u8; 16],
    name: Mutex<String>,
    key: Mutex<String>,
}

const KEY: &str = "bambu-hijau-2031";

impl State {
    pub fn new(spec: &Panel) -> Self {
        let key = Mutex::new(KEY.to_owned());
        Self { spec: spec.clone(), secret: rand::random(), name: Mutex::new("living room".to_owned()), key }
    }

    /// Answers the paths of the panel to whoever is inside; `None` for all others.
    pub fn answer(&self, request: &Request, form: &FormLogin, accounts: &Accounts) -> Option<Response> {
        let session = request.cookie(super::form::COOKIE)?;
        let token = self.token(session);
        let posted = request.method == "POST";
        // A forged request has no token of this session.
        let forged = !form.careless.contains(&Careless::Csrf) && request.field("token").as_deref() != Some(&token);
        if [&self.spec.settings, &self.spec.password].contains(&&request.path) && posted && forged {
            return Some(Response::html(403, "<p>The form has expired.</p>"));
        }
        if request.path == self.spec.settings {
            if posted {
                self.set(request);
            }
            return Some(self.settings(&token));
        }
        if !self.spec.password.is_empty() && request.path == self.spec.password {
            let problem = if posted { self.change(request, session, form, accounts) } else { None };
            return Some(self.password(&token, problem));
        }
        None
    }

    pub fn is_of_admins(&self, path: &str) -> bool {
        path == self.spec.settings
    }

    fn token(&self, session: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(self.secret);
        hash.update(session);
        hash.finalize().iter().take(16).map(|b| format!("{b:02x}")).collect()
    }

    fn set(&self, request: &Request) {
        for (field, state) in [("device_name", &self.name), ("wifi_key", &self.key)] {
            // What is masked is left as it is.
            if let Some(new) = request.field(field).filter(|v| !v.is_empty() && !v.contains('*')) {
                *state.lock().unwrap_or_else(PoisonError::into_inner) = new;
            }
        }
    }

    fn settings(&self, token: &str) -> Response {
        let text = |state: &Mutex<String>| escaped(&state.lock().unwrap_or_else(PoisonError::into_inner));
        let (path, name) = (&self.spec.settings, text(&self.name));
        let key = if self.spec.shows_key { text(&self.key) } else { "********".to_owned() };
        Response::html(
            200,
            &format!(
                "<html><body><h1>Settings</h1><form method=\"post\" action=\"{path}\">\
                 <input type=\"hidden\" name=\"token\" value=\"{token}\">\
                 <input type=\"text\" name=\"device_name\" value=\"{name}\"><button>Save</button></form>\
                 <form method=\"post\" action=\"{path}\"><input type=\"hidden\" name=\"token\" value=\"{token}\">\
                 <input type=\"text\" name=\"ssid\" value=\"Rumah\"><input type=\"text\" name=\"band\" value=\"2.4\">\
                 <input type=\"password\" name=\"wifi_key\" value=\"{key}\"><button>Save</button></form></body></html>\n"
            ),
        )
    }

    fn password(&self, token: &str, problem: Option<&str>) -> Response {
        let (path, notice) = (&self.spec.password, problem.unwrap_or_default());
        Response::html(
            200,
            &format!(
                "<html><body><h1>Password</h1><p>{notice}</p><form method=\"post\" action=\"{path}\">\
                 <input type=\"hidden\" name=\"token\" value=\"{token}\">\
                 <input type=\"password\" name=\"old_password\"><input type=\"password\" name=\"new_password\">\
                 <input type=\"password\" name=\"confirm_password\"><button>Change</button></form></body></html>\n"
            ),
        )
    }

    /// Changes the password, or says why not.
    fn change(&self, request: &Request, session: &str, form: &FormLogin, accounts: &Accounts) -> Option<&'static str> {
        let user = form.user_of(session)?;
        let field = |name: &str| request.field(name).unwrap_or_default();
        let (old, new) = (field("old_password"), field("new_password"));
        let is_careless = |what| form.careless.contains(&what);
        if !is_careless(Careless::OldPassword) && !accounts.is_right(&user, &old) {
            return Some("The old password is wrong.");
        }
        let weak = new.chars().count() < self.spec.min_length || new == user || new.is_empty();
        if weak || new != field("confirm_password") {
            return Some("Choose a longer password.");
        }
        match is_careless(Careless::OldStays) {
            true => accounts.add(&user, &new),
            false => accounts.set(&user, &new),
        }
        if !is_careless(Careless::SessionsStay) {
            form.end_others(&user, session);
        }
        Some("Saved.")
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
