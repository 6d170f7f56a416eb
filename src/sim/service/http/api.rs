//! Log-ins of programs: JSON in, a token out; and tokens that never change.

use super::auth::Tokens;
use super::wire::{Request, Response};
use crate::sim::account::{Accounts, Login};

const LOGIN: &str = "/api/login";
const LOGOUT: &str = "/api/logout";

#[derive(Default)]
pub(super) struct ApiLogin {
    tokens: Tokens,
}

/// Whether a path belongs to the log-in itself.
pub(super) fn is_its_own(path: &str) -> bool {
    [LOGIN, LOGOUT].contains(&path)
}

pub(super) fn json(status: u16, value: &serde_json::Value) -> Response {
    Response::new(status, "application/json", value.to_string())
}

pub(super) fn bearer(request: &Request) -> Option<&str> {
    request.header("authorization")?.strip_prefix("Bearer ")
}

impl ApiLogin {
    pub fn is_inside(&self, request: &Request) -> bool {
        bearer(request).is_some_and(|token| self.tokens.knows(token))
    }

    /// Answers the paths of the log-in; `None` for all others.
    pub fn answer(&self, request: &Request, accounts: &Accounts) -> Option<Response> {
        if request.path == LOGOUT {
            if let Some(token) = bearer(request) {
                self.tokens.revoke(token);
            }
            return Some(json(200, &serde_json::json!({"ok": true})));
        }
        if request.path != LOGIN {
            return None;
        }
        if request.method != "POST" {
            return Some(json(405, &serde_json::json!({"error": "method"})));
        }
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let field = |name: &str| body.get(name).and_then(serde_json::Value::as_str);
        let (Some(user), Some(password)) = (field("username"), field("password")) else {
            return Some(json(400, &serde_json::json!({"code": -2, "message": "username and password are needed"})));
        };
        Some(match accounts.login(user, password) {
            Login::Accepted => json(200, &serde_json::json!({"code": 0, "data": {"token": self.tokens.issue()}})),
            // Status 200 for a refusal: what many devices do.
            Login::Refused => json(200, &serde_json::json!({"code": -1, "message": "wrong user or password"})),
            Login::ToldLocked => json(429, &serde_json::json!({"code": -3, "message": "try again later"})),
        })
    }
}
