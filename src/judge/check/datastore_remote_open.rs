//! A store that anybody may read is no store of secrets.
use super::common::said;
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Record, Subject,
    observation::{Asks, Mechanism},
};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    id: "datastore-remote-open",
    title: "Databases and desktops are not open",
    page: include_str!("datastore_remote_open.md"),
    expected: "every data store on the network asks for a credential",
    remedy: "bind data stores to loopback, and set a credential",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["service-identify", "logins"],
    bind: bind::<DatastoreRemoteOpen>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DatastoreRemoteOpen {}

/// Stores that are known by their own protocol.
const STORES: [&str; 3] = ["memcached", "redis", "vnc"];

impl Judge for DatastoreRemoteOpen {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let stores = evidence.known("service-identify", |r| said(r).map(|s| s.service).filter(|s| STORES.contains(s)));
        let asked = evidence.known_of("logins", Some("redis"), redis);
        let asks: BTreeMap<Subject, Asks> = asked.items().iter().map(|s| (s.subject().clone(), s.what)).collect();
        let stores = stores.and(asked.only(|_| false).map(|_| ""));
        every(&stores, "no data store", |seen| {
            let at = seen.subject();
            match (seen.what, asks.get(at)) {
                // It has no authentication over UDP at all, and it answered.
                ("memcached", _) => Point::Bad(format!("{at}: memcached answers without a credential")),
                ("redis", Some(Asks::No)) => Point::Bad(format!("{at}: redis answers PING without a credential")),
                ("redis", Some(Asks::Yes)) => Point::Good(format!("{at}: redis asks for a credential")),
                (store, _) => Point::Unclear(format!("{at}: whether {store} asks for a credential is not known")),
            }
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}

fn redis(record: &Record) -> Option<Asks> {
    match &record.observation {
        Observation::LoginSurface { mechanism: Mechanism::Redis, asks, .. } => Some(*asks),
        _ => None,
    }
}
