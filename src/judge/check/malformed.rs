//! Whether services survive input that is wrong on purpose: one course of events per service and kind of input.
use super::{Check, Judge, Proves, Severity, common::looked};
use crate::judge::{
    Decision, Evidence, Known,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Record, Subject,
    observation::malformed::{Event, Malformed, Set},
};
use serde::Deserialize;
use std::collections::BTreeMap;

mod course;

use course::Course;

const fn check(id: &'static str, title: &'static str, page: &'static str, bind: Bind) -> Check {
    Check {
        id,
        title,
        page,
        expected: "after each wrong input, ordinary questions are answered as before",
        remedy: "check lengths and types before use, and fuzz every parser in the build",
        severity: Severity::High,
        pass: Proves::Partial,
        needs: &["malformed-input"],
        bind,
    }
}

type Bind = fn(toml::Table) -> Result<Box<dyn Judge>, String>;

pub const HTTP: Check = check(
    "http-malformed-requests",
    "The web server survives malformed requests",
    include_str!("http_malformed_requests.md"),
    |p| bound(&[Set::Http], "web server", p),
);

/// Which paths take JSON, another probe found.
pub const JSON: Check = Check {
    needs: &["malformed-input", "json-logins"],
    ..check(
        "http-json-typeconfusion",
        "What takes JSON survives wrong types and depths",
        include_str!("http_json_typeconfusion.md"),
        |p| bound(&[Set::Json], "path that takes JSON from strangers", p),
    )
};

pub const SLOW: Check = Check {
    expected: "one slow client does not keep others from the web server, and many do not for longer than they last",
    remedy: "serve connections independently of each other, with a time limit for the head of a request and a limit per client",
    severity: Severity::Medium,
    ..check("http-slow-clients", "The web server survives slow clients", include_str!("http_slow_clients.md"), |p| {
        bound(&[Set::HttpSlow], "web server", p)
    })
};

pub const MQTT: Check = check(
    "mqtt-malformed-packets",
    "The MQTT broker survives malformed packets",
    include_str!("mqtt_malformed_packets.md"),
    |p| bound(&[Set::Mqtt], "MQTT broker", p),
);

pub const IDLE: Check = Check {
    expected: "the broker closes within a minute what connects and says nothing, and serves others meanwhile",
    remedy: "close connections without CONNECT after some seconds, and limit the size of packets",
    severity: Severity::Medium,
    ..check(
        "mqtt-preconnect-limits",
        "The broker limits what strangers can use up",
        include_str!("mqtt_preconnect_limits.md"),
        |p| bound(&[Set::MqttIdle], "MQTT broker", p),
    )
};

pub const COAP: Check = check(
    "coap-malformed-messages",
    "The CoAP server survives malformed messages",
    include_str!("coap_malformed_messages.md"),
    |p| bound(&[Set::Coap], "CoAP server", p),
);

pub const COAP_TCP: Check = Check {
    severity: Severity::Medium,
    ..check(
        "coap-tcp-malformed",
        "CoAP over TCP survives malformed messages",
        include_str!("coap_tcp_malformed.md"),
        |p| bound(&[Set::CoapTcp], "CoAP server over TCP", p),
    )
};

pub const TLS: Check = check(
    "tls-malformed-records",
    "TLS and DTLS servers survive malformed records",
    include_str!("tls_malformed_records.md"),
    |p| bound(&[Set::Tls, Set::Dtls], "TLS or DTLS server", p),
);

pub const FRAMES: Check = Check {
    severity: Severity::Medium,
    ..check("ws-malformed-frames", "WebSockets survive malformed frames", include_str!("ws_malformed_frames.md"), |p| {
        bound(&[Set::WebSocket], "WebSocket that strangers may open", p)
    })
};

pub const DISCOVERY: Check = check(
    "discovery-malformed",
    "Services of discovery survive malformed input",
    include_str!("discovery_malformed.md"),
    |p| bound(&[Set::Dns, Set::Mdns, Set::Ssdp, Set::WsDiscovery], "service of DNS or discovery", p),
);

pub const SNMP: Check = Check {
    severity: Severity::Medium,
    ..check("snmp-malformed", "The SNMP agent survives malformed messages", include_str!("snmp_malformed.md"), |p| {
        bound(&[Set::Snmp], "SNMP agent", p)
    })
};

pub const MEDIA: Check = Check {
    severity: Severity::Medium,
    ..check(
        "rtsp-sip-malformed",
        "Media control servers survive malformed requests",
        include_str!("rtsp_sip_malformed.md"),
        |p| bound(&[Set::Rtsp, Set::Sip], "RTSP or SIP server", p),
    )
};

pub const STEADY: Check = Check {
    expected: "every service answers five ordinary questions in a row, each within two seconds",
    remedy: "look at the network and the load of the device, and scan again",
    severity: Severity::Info,
    pass: Proves::Nothing,
    ..check(
        "live-baseline-canary",
        "Services are steady before they are disturbed",
        include_str!("live_baseline_canary.md"),
        super::bind::<Steady>,
    )
};

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Limits {
    /// How long slow and silent connections must have been held, where the device does not close them.
    hold_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { hold_seconds: 60 }
    }
}

fn bound(sets: &'static [Set], service: &'static str, parameters: toml::Table) -> Result<Box<dyn Judge>, String> {
    let limits = parameters.try_into().map_err(|e: toml::de::Error| e.message().to_owned())?;
    Ok(Box::new(Survives { sets, service, limits }))
}

struct Survives {
    sets: &'static [Set],
    service: &'static str,
    limits: Limits,
}

fn malformed(record: &Record, set: Set) -> Option<&Malformed> {
    match &record.observation {
        Observation::Malformed { malformed } if malformed.set == set => Some(malformed),
        _ => None,
    }
}

/// One service, one kind of input, and the path inside it.
type Key<'a> = (&'a Subject, Set, &'a str);

fn courses<'a>(known: &'a Known<&'a Malformed>) -> BTreeMap<Key<'a>, Course<'a>> {
    let mut all: BTreeMap<Key<'_>, Course<'_>> = BTreeMap::new();
    for seen in known.items() {
        all.entry((seen.subject(), seen.what.set, &seen.what.path)).or_default().add(&seen.what.event);
    }
    all
}

impl Judge for Survives {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let of = |set: &Set| evidence.known_of("malformed-input", Some(set.word()), |r| malformed(r, *set));
        let absent = format!("no {}", self.service);
        let none = evidence.known_of("malformed-input", Some(""), |_| None);
        let mut known = self.sets.iter().map(of).reduce(Known::and).unwrap_or(none);
        if self.sets.contains(&Set::Json) {
            known = known.and(looked(evidence, "json-logins"));
        }
        let courses = courses(&known);
        every(&known, &absent, |seen| match courses.get(&(seen.subject(), seen.what.set, seen.what.path.as_str())) {
            Some(course) => {
                let at = format!("{} {}{}", seen.what.set.word(), seen.subject(), seen.what.path);
                course.point(seen.what.set, &at, self.limits.hold_seconds)
            }
            None => Point::Unclear("nothing was sent".to_owned()),
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried("malformed-input")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Steady {}

impl Judge for Steady {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let known = evidence.known("malformed-input", |r| match &r.observation {
            Observation::Malformed {
                malformed: Malformed { set, event: Event::Before { asked, answered, slowest_ms, .. }, .. },
            } => Some((*set, *asked, *answered, *slowest_ms)),
            _ => None,
        });
        every(&known, "no service for which there is wrong input", |seen| {
            let (set, asked, answered, slowest) = seen.what;
            let what = format!(
                "{} {}: {answered} of {asked} ordinary questions answered, the slowest in {slowest} ms",
                set.word(),
                seen.subject()
            );
            match course::steady(asked, answered, slowest) {
                true => Point::Good(what),
                false => Point::Unclear(what),
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried("malformed-input")
    }
}
