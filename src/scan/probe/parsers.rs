//! The parsers of ours that take a device's bytes, by name: what fuzzing feeds. None may panic or take long, whatever comes.
use super::{coap_resources, html, mqtt, rtsp, telnet, upnp, upnp_description, websockets};
use crate::scan::codec::{Cursor, ber, client_hello, infra, onvif, smb, snmp, ssh, tls, tls_flight};

pub type Parser = fn(&[u8]);

/// What is read must not be thrown away unread by the compiler.
fn keep<T>(read: T) {
    std::hint::black_box(read);
}

/// Sorted by name.
pub const PARSERS: &[(&str, Parser)] = &[
    ("ber", |b| {
        let mut rest = Cursor(b);
        while ber::read(&mut rest).is_some() {}
    }),
    ("client-hello", |b| keep((client_hello::whole(b).is_ok(), client_hello::parse(b)))),
    ("coap-links", |b| keep(coap_resources::links(&String::from_utf8_lossy(b)))),
    ("dns", |b| keep((infra::dns_recursion(b, b), infra::dns_recursion(&infra::dns_question(1, 1), b)))),
    ("dtls", |b| keep((tls::dtls_answer(b), tls_flight::dtls_reply(b)))),
    ("html", |b| keep(html::read(&String::from_utf8_lossy(b)).settings)),
    ("mqtt", |b| {
        let mut buffer = bytes::BytesMut::from(b);
        while matches!(mqtt::split(&mut buffer), Ok(Some(_))) {}
    }),
    ("ntp", |b| keep((infra::ntp_control(b, b), infra::ntp_private(b, b)))),
    ("onvif", |b| {
        let soap = onvif::read(&String::from_utf8_lossy(b));
        keep((soap.fault(), soap.told().len(), soap.time()));
    }),
    ("rtsp", |b| keep((rtsp::reply(b).map(|r| (rtsp::control(&r, "rtsp://x/"), r.carried())), rtsp::packets(b)))),
    ("smb", |b| keep(smb::chosen(b))),
    ("snmp", |b| {
        keep((snmp::sysdescr(b), snmp::response(b), snmp::engine(b), snmp::v3_answer(b), snmp::version(b)));
    }),
    ("ssh", |b| keep(ssh::kexinit(b))),
    ("telnet", |b| keep(telnet::negotiate(b))),
    ("tftp", |b| keep(infra::tftp(b).is_some())),
    ("tls", |b| keep((tls::answer(b), tls_flight::is_ssl2(b), tls_flight::has_heartbeat(b)))),
    ("upnp", |b| {
        let text = String::from_utf8_lossy(b);
        keep((upnp_description::fields(&text), upnp::services(&text)));
    }),
    ("websocket", |b| {
        websockets::Seen::default().take(b);
    }),
];
