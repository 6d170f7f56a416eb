//! The connection-request port of TR-069 (CWMP): one path, behind Digest on a good day.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::http::{Access, Auth, Form, Framing, Http, Route};
use crate::sim::SimError;
use crate::sim::account::{Accept, Lockout, User};
use crate::sim::listen::{LineFaults, Raising};

/// A connection-request service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cwmp {
    pub port: u16,
    pub path: String,
    pub auth: Auth,
    #[serde(default)]
    pub users: Vec<User>,
    pub lockout: Option<Lockout>,
    pub server: Option<String>,
}

impl Cwmp {
    pub(super) fn raise(&self, label: &str, raising: &mut Raising) -> Result<(), SimError> {
        self.site().raise(label, raising)
    }

    fn site(&self) -> Http {
        let route = Route {
            path: self.path.clone(),
            access: Access::Login,
            status: 200,
            content_type: String::from("text/plain"),
            headers: BTreeMap::new(),
            body: String::new(),
            for_admins: String::new(),
            magic: String::new(),
            pad: 0,
        };
        Http {
            port: self.port,
            tls: None,
            server: self.server.clone(),
            auth: self.auth,
            realm: String::from("cwmp"),
            accept: Accept::Users,
            users: self.users.clone(),
            lockout: self.lockout,
            slower_ms: 0,
            form: Form::default(),
            token: None,
            upload: None,
            onvif: None,
            igd: None,
            panel: None,
            admins: Vec::new(),
            websockets: Vec::new(),
            careless: BTreeSet::new(),
            own_hosts: false,
            redirect_https: None,
            framing: Framing::Length,
            routes: vec![route],
            faults: LineFaults::default(),
        }
    }
}
