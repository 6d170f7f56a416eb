//! The parsers of ours that take a device's bytes, by name: what fuzzing feeds. None may panic or take long, whatever comes.
use super::{coap_resources, html, mqtt, rtsp, telnet, upnp_description, websockets};
use crate::scan::codec::{Cursor, ber, client_hello, infra, onvif, smb, snmp, ssh, tls, tls_flight};

pub type Parser = fn(&[u8]);

/// Sorted by name.
pub const PARSERS: &[(&str, Parser)] = &[
    ("ber", |b| {
        let mut rest = Cursor(b);
        while ber::read(&mut rest).is_some() {}
    }),
    ("client-hello", |b| drop((client_hello::whole(b).is_ok(), client_hello::parse(b)))),
    ("coap-links", |b| drop(coap_resources::links(&String::from_utf8_lossy(b)))),
    ("dns", |b| drop((infra::dns_recursion(b, b), infra::dns_recursion(&infra::dns_question(1, 1), b)))),
    ("dtls", |b| drop((tls::dtls_answer(b), tls_flight::dtls_reply(b)))),
    ("html", |b| drop(html::read(&String::from_utf8_lossy(b)).settings)),
    ("mqtt", |b| {
        let mut buffer = bytes::BytesMut::from(b);
        while matches!(mqtt::split(&mut buffer), Ok(Some(_))) {}
    }),
    ("ntp", |b| drop((infra::ntp_control(b, b), infra::ntp_private(b, b)))),
    ("onvif", |b| {
        let soap = onvif::read(&String::from_utf8_lossy(b));
        drop((soap.fault(), soap.told().len(), soap.time()));
    }),
    ("rtsp", |b| drop((rtsp::reply(b).map(|r| rtsp::control(&r, "rtsp://x/")), rtsp::packets(b)))),
    ("smb", |b| drop(smb::chosen(b))),
    ("snmp", |b| {
        drop((snmp::sysdescr(b), snmp::response(b), snmp::engine(b), snmp::v3_answer(b), snmp::version(b)));
    }),
    ("ssh", |b| drop(ssh::kexinit(b))),
    ("telnet", |b| drop(telnet::negotiate(b))),
    ("tftp", |b| drop(infra::tftp(b).is_some())),
    ("tls", |b| drop((tls::answer(b), tls_flight::is_ssl2(b), tls_flight::has_heartbeat(b)))),
    ("upnp", |b| drop(upnp_description::fields(&String::from_utf8_lossy(b)))),
    ("websocket", |b| {
        websockets::Seen::default().take(b);
    }),
];
