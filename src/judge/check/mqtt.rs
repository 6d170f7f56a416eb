//! What MQTT brokers answer, read in one place for all checks.
use super::common::listed;
use crate::model::observation::{Delivered, Presented};
use crate::model::{Observation, Record, Subject};

/// What a CONNACK comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connack {
    Accepted,
    /// For want of a right credential.
    Refused,
    /// This protocol level is not spoken, which says nothing of credentials.
    OtherLevel,
    /// Busy, a client id that is not liked, or closed without an answer.
    Unclear,
}

#[derive(Clone, Copy)]
pub(super) struct Connect<'a> {
    pub at: &'a Subject,
    pub protocol: &'a str,
    pub presented: &'a Presented,
    pub code: u8,
    pub answer: Connack,
    pub answers_ping: bool,
}

pub(super) fn connect(record: &Record) -> Option<Connect<'_>> {
    match &record.observation {
        Observation::MqttConnect { protocol, presented, code, accepted, answers_ping } => {
            let answer = if *accepted { Connack::Accepted } else { refusal(protocol, *code) };
            let answers_ping = *answers_ping;
            Some(Connect { at: &record.subject, protocol, presented, code: *code, answer, answers_ping })
        }
        _ => None,
    }
}

/// MQTT 3.1.1, 3.2.2.3 and MQTT 5.0, 3.2.2.2.
fn refusal(protocol: &str, code: u8) -> Connack {
    match (protocol == "5", code) {
        (false, 4 | 5) | (true, 0x86 | 0x87 | 0x8c) => Connack::Refused,
        (false, 1) | (true, 0x84) => Connack::OtherLevel,
        (false | true, _) => Connack::Unclear,
    }
}

#[derive(Clone, Copy)]
pub(super) struct Subscribe<'a> {
    pub at: &'a Subject,
    pub filter: &'a str,
    pub granted: bool,
    pub delivered: &'a [Delivered],
    pub canary: bool,
    pub presented: &'a Presented,
}

pub(super) fn subscribe(record: &Record) -> Option<Subscribe<'_>> {
    match &record.observation {
        Observation::MqttSubscribe { filter, granted, delivered, canary_delivered, presented, .. } => Some(Subscribe {
            at: &record.subject,
            filter,
            granted: *granted,
            delivered,
            canary: *canary_delivered,
            presented,
        }),
        _ => None,
    }
}

impl Subscribe<'_> {
    /// Does the filter ask for everything?
    pub(super) fn is_wildcard(&self) -> bool {
        matches!(self.filter, "#" | "+/#")
    }
}

/// The first topics, so that a busy broker does not fill a report.
pub(super) fn topics<'a>(delivered: impl IntoIterator<Item = &'a Delivered>) -> String {
    let all: std::collections::BTreeSet<&str> = delivered.into_iter().map(|d| d.topic.as_str()).collect();
    let more = all.len().saturating_sub(SHOWN);
    let first = listed(all.into_iter().take(SHOWN));
    if more == 0 { first } else { format!("{first} and {more} more") }
}

const SHOWN: usize = 5;
