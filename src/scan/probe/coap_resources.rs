//! What a CoAP device tells a stranger.
use super::{
    Probe,
    coap::{get, with_option},
};
use crate::model::{
    Endpoint, Observation, Touch,
    observation::{CoapLink, clean},
};
use crate::scan::{
    codec::tls::{DtlsAnswer, dtls_answer, dtls_client_hello, suite},
    net::{Trouble, wire::Replies},
    sensitive,
    session::Ctx,
};
use coap_lite::link_format::LinkFormatParser;
use std::time::Duration;

pub const PROBE: Probe = Probe {
    id: "coap-resources",
    version: 2,
    title: "what the CoAP server tells",
    page: include_str!("coap_resources.md"),
    touch: Touch::Ask,
    subjects_from: &["udp-services", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

/// Options that nobody knows: an odd number has to be understood, an even one may be passed over (RFC 7252, 5.4.1).
const UNKNOWN: [u16; 2] = [65_000, 65_001];
const WAIT: Duration = Duration::from_secs(2);

async fn run(ctx: &Ctx) {
    let endpoints = ctx.services_named(&["coap", "coaps"]);
    ctx.each_service(endpoints, |s| async move {
        if s.service == "coaps" { dtls(ctx, s.endpoint).await } else { coap(ctx, s.endpoint).await }
    })
    .await;
}

async fn coap(ctx: &Ctx, e: Endpoint) -> Result<(), Trouble> {
    let mut socket = ctx.udp(e, Replies::ThatPort).await?;
    let [hi, lo] = rand::random::<[u8; 2]>();
    socket.send(&[0x40, 0, hi, lo]).await?;
    let answered = matches!(socket.receive(WAIT).await, Ok(b) if b.first().is_some_and(|f| f & 0xf0 == 0x70));
    ctx.record(e, Observation::CoapPing { answered }, Some(socket.close()));
    let mut socket = ctx.udp(e, Replies::ThatPort).await?;
    let (code, body) = get(&mut socket, ".well-known/core").await?;
    let text = String::from_utf8_lossy(&body).into_owned();
    let links: Vec<CoapLink> = if code == "2.05" { links(&text) } else { Vec::new() };
    ctx.record(e, Observation::CoapCore { code, links: links.clone() }, Some(socket.close()));
    for number in UNKNOWN {
        let mut socket = ctx.udp(e, Replies::ThatPort).await?;
        let code = with_option(&mut socket, ".well-known/core", number).await?;
        ctx.record(e, Observation::CoapUnknownOption { number, code }, Some(socket.close()));
    }
    for link in links.iter().filter(|l| l.path != "/.well-known/core").take(32) {
        let mut socket = ctx.udp(e, Replies::ThatPort).await?;
        let (code, body) = get(&mut socket, link.path.trim_start_matches('/')).await?;
        // Objects of LwM2M that hold keys.
        if ["/0/", "/21/"].iter().any(|o| link.path.starts_with(o)) {
            socket.tape.hide(&body);
        }
        let text = std::str::from_utf8(&body).ok();
        let sensitive = text.map(|t| sensitive::classes(&format!("{} {t}", link.path))).unwrap_or_default();
        let (path, bytes, text) = (link.path.clone(), body.len() as u64, text.is_some());
        ctx.record(e, Observation::CoapRead { path, code, bytes, sensitive, text }, Some(socket.close()));
    }
    Ok(())
}

pub fn links(text: &str) -> Vec<CoapLink> {
    let read = |(path, attributes): (&str, coap_lite::link_format::LinkAttributeParser<'_>)| {
        let (mut resource_type, mut observable) = (String::new(), false);
        for (name, value) in attributes {
            match name {
                "rt" => resource_type = clean(&value.to_string(), 100),
                "obs" => observable = true,
                _ => {}
            }
        }
        CoapLink { path: clean(path, 200), resource_type, observable }
    };
    LinkFormatParser::new(text).flatten().map(read).take(500).collect()
}

async fn dtls(ctx: &Ctx, e: Endpoint) -> Result<(), Trouble> {
    let random = rand::random::<[u8; 32]>();
    let mut socket = ctx.udp(e, Replies::ThatPort).await?;
    let (mut cookie, mut said) = (Vec::new(), "silent".to_owned());
    for sequence in 0..4u16 {
        socket.send(&dtls_client_hello(&random, &cookie, sequence)).await?;
        match socket.receive(WAIT).await {
            Ok(reply) => match dtls_answer(&reply) {
                Some(DtlsAnswer::HelloVerify { cookie: c }) => cookie = c,
                Some(DtlsAnswer::Hello { suite: s }) => {
                    said = format!("accepted {}", suite(s).0);
                    break;
                }
                Some(DtlsAnswer::Alert { description }) => {
                    said = format!("alert {description}");
                    break;
                }
                None => said = "not DTLS".to_owned(),
            },
            Err(Trouble::Silent(_)) => {}
            Err(t) => return Err(t),
        }
    }
    if said == "silent" && !cookie.is_empty() {
        said = "asked for a cookie, then silent".to_owned();
    }
    ctx.record(e, Observation::Dtls { answer: said }, Some(socket.close()));
    Ok(())
}
