//! A probe looks at one thing and records what it saw: one record and one function, in a file named after
//! its id. Every trouble is an observation or a gap; a probe returns nothing.
use super::session::Ctx;
use crate::model::Touch;
use std::{future::Future, pin::Pin};

mod accounts;
mod advertised;
mod coap;
mod coap_observe;
mod coap_resources;
mod coap_write;
mod control_questions;
mod cwmp_connreq;
mod device_binding;
mod device_pointers;
mod dtls_survey;
mod file_shares;
mod given_logins;
mod guessing;
pub(super) mod html;
mod http_digest;
mod http_forgery;
mod http_idle;
mod http_injection;
mod http_inside;
mod http_names;
mod http_passwords;
mod http_questions;
mod http_sessions;
mod http_surface;
mod http_tokens;
mod inside;
mod json_logins;
mod known_services;
mod label_passwords;
mod local_control;
mod login;
mod logins;
mod lwm2m_firmware;
mod lwm2m_objects;
mod malformed_input;
mod mqtt;
mod mqtt_publish;
mod mqtt_session;
mod mqtt_takeover;
mod onvif_services;
mod ota_listeners;
pub mod parsers;
mod rtsp;
mod rtsp_streams;
mod service_identify;
mod snmp_community;
mod snmp_view;
mod snmp_write;
mod ssh_algorithms;
mod ssh_host_key;
mod ssh_known_keys;
mod starttls;
mod tcp_ports;
mod tcp_rescan;
mod telnet;
mod tftp_files;
mod tls_certificate;
mod tls_survey;
mod tls_versions;
mod udp_gain;
mod udp_services;
mod upnp;
mod upnp_control;
mod upnp_description;
mod web;
mod websocket;
mod websockets;
mod xml_entities;

pub(super) use web::{nowhere, security_txt};

pub use guessing::MOST as MOST_GUESSES;
pub use udp_services::default_ports as default_udp_ports;

pub type Work<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

pub struct Probe {
    pub id: &'static str,
    pub version: u32,
    pub title: &'static str,
    /// What it sends, records and cannot see.
    pub page: &'static str,
    pub touch: Touch,
    /// The probes whose findings it works on; it knows all of its subjects only if they finished.
    pub subjects_from: &'static [&'static str],
    pub run: for<'a> fn(&'a Ctx) -> Work<'a>,
}

/// Every probe, in the order in which a scan runs them.
pub static PROBES: &[&Probe] = &[
    &device_binding::START,
    &tcp_ports::PROBE,
    &udp_services::PROBE,
    &service_identify::PROBE,
    &tls_versions::PROBE,
    &tls_certificate::PROBE,
    &tls_survey::PROBE,
    &file_shares::PROBE,
    &ssh_host_key::PROBE,
    &ssh_algorithms::PROBE,
    &ssh_known_keys::PROBE,
    &http_surface::PROBE,
    &http_questions::PROBE,
    &device_pointers::PROBE,
    &json_logins::PROBE,
    &websockets::PROBE,
    &mqtt_session::PROBE,
    &coap_resources::PROBE,
    &dtls_survey::PROBE,
    &coap_observe::PROBE,
    &lwm2m_objects::PROBE,
    &snmp_community::PROBE,
    &snmp_view::PROBE,
    &control_questions::PROBE,
    &ota_listeners::PROBE,
    &udp_gain::PROBE,
    &known_services::PROBE,
    &local_control::PROBE,
    &tftp_files::PROBE,
    &advertised::PROBE,
    &cwmp_connreq::PROBE,
    &onvif_services::PROBE,
    &upnp_description::PROBE,
    &rtsp_streams::PROBE,
    &logins::PROBE,
    &given_logins::PROBE,
    &label_passwords::PROBE,
    &snmp_write::PROBE,
    &coap_write::PROBE,
    &lwm2m_firmware::PROBE,
    &upnp_control::PROBE,
    &mqtt_publish::PROBE,
    &http_sessions::PROBE,
    &http_tokens::PROBE,
    &http_inside::PROBE,
    &http_digest::PROBE,
    &http_idle::PROBE,
    &mqtt_takeover::PROBE,
    &xml_entities::PROBE,
    &http_names::PROBE,
    &http_forgery::PROBE,
    &http_passwords::PROBE,
    &guessing::PROBE,
    &http_injection::PROBE,
    &malformed_input::PROBE,
    &tcp_rescan::PROBE,
    &device_binding::END,
];

pub fn find(id: &str) -> Option<&'static Probe> {
    PROBES.iter().copied().find(|p| p.id == id)
}
