//! Who subscribed to what, and what is kept for those who come later.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, watch};

use super::codec::{self, Publish, Version};

const MOST_FILTERS: usize = 64;
const MOST_RETAINED: usize = 256;

#[derive(Default)]
pub(super) struct Broker {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    guests: BTreeMap<u64, Place>,
    retained: BTreeMap<String, Vec<u8>>,
}

struct Place {
    version: Version,
    queue: mpsc::Sender<Vec<u8>>,
    filters: Vec<String>,
    id: String,
    user: String,
    /// Dropped with the place: then its client has to go.
    _stays: watch::Sender<()>,
}

/// A connected client; dropping it ends its subscriptions.
pub(super) struct Guest<'a> {
    pub version: Version,
    broker: &'a Broker,
    number: u64,
    place: watch::Receiver<()>,
}

impl Broker {
    pub fn new(retained: BTreeMap<String, Vec<u8>>) -> Self {
        Self { state: Mutex::new(State { retained, ..State::default() }) }
    }

    /// Whether another user has this client id.
    pub fn is_anothers(&self, id: &str, user: &str) -> bool {
        self.state().guests.values().any(|place| place.id == id && place.user != user)
    }

    pub fn evict(&self, id: &str) {
        self.state().guests.retain(|_, place| place.id != id);
    }

    pub fn seat(&self, version: Version, queue: mpsc::Sender<Vec<u8>>, id: String, user: String) -> Guest<'_> {
        let (_stays, place) = watch::channel(());
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        state.guests.insert(number, Place { version, queue, filters: Vec::new(), id, user, _stays });
        Guest { version, broker: self, number, place }
    }

    /// Delivers to all who subscribed. Clients do not write below `$` (MQTT 3.1.1, 4.7.2).
    pub fn publish(&self, publish: &Publish) {
        if publish.topic.starts_with('$') || publish.topic.contains(['#', '+']) {
            return;
        }
        let mut state = self.state();
        if publish.retain {
            if publish.payload.is_empty() {
                state.retained.remove(&publish.topic);
            } else if state.retained.len() < MOST_RETAINED || state.retained.contains_key(&publish.topic) {
                state.retained.insert(publish.topic.clone(), publish.payload.clone());
            }
        }
        for place in state.guests.values() {
            if place.filters.iter().any(|filter| matches(filter, &publish.topic)) {
                let packet = codec::publish(place.version, &publish.topic, &publish.payload, codec::Retained::Fresh);
                // A full queue loses the message: this is QoS 0.
                drop(place.queue.try_send(packet));
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guest<'_> {
    /// What comes of `next`, or nothing once the place is gone.
    pub async fn unless_evicted<T>(&self, next: impl Future<Output = io::Result<Option<T>>>) -> io::Result<Option<T>> {
        let mut place = self.place.clone();
        tokio::select! {
            packet = next => packet,
            _ = place.changed() => Ok(None),
        }
    }

    /// Adds the filters and returns the retained messages that they match.
    pub fn subscribe(&self, filters: &[String]) -> Vec<Vec<u8>> {
        let mut state = self.broker.state();
        if let Some(place) = state.guests.get_mut(&self.number) {
            place.filters.extend(filters.iter().cloned());
            place.filters.truncate(MOST_FILTERS);
        }
        let kept = state.retained.iter().filter(|(topic, _)| filters.iter().any(|filter| matches(filter, topic)));
        kept.map(|(topic, payload)| codec::publish(self.version, topic, payload, codec::Retained::Kept)).collect()
    }

    pub fn unsubscribe(&self, filters: &[String]) {
        if let Some(place) = self.broker.state().guests.get_mut(&self.number) {
            place.filters.retain(|filter| !filters.contains(filter));
        }
    }
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        self.broker.state().guests.remove(&self.number);
    }
}

/// Topic filters of MQTT 3.1.1, 4.7: wildcards at the start do not match `$` topics.
fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['#', '+']) {
        return false;
    }
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        match (wanted, levels.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (wanted, Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn wildcards_match_as_the_standard_says() {
        assert!(matches("#", "home/wifi"));
        assert!(matches("home/#", "home"));
        assert!(matches("+/wifi", "home/wifi"));
        assert!(!matches("+", "home/wifi"));
        assert!(!matches("#", "$SYS/broker/version"));
        assert!(matches("$SYS/#", "$SYS/broker/version"));
    }
}
