//! What a CoAP device tells a stranger.
use super::Probe;
use crate::model::{
    Endpoint, Observation, Touch,
    observation::{CoapLink, clean},
};
use crate::scan::{
    codec::tls::{DtlsAnswer, dtls_answer, dtls_client_hello, suite},
    net::{Datagrams, Trouble, wire::Replies},
    sensitive,
    session::Ctx,
};
use coap_lite::{CoapOption, MessageClass, MessageType, Packet, RequestType, link_format::LinkFormatParser};
use std::time::Duration;

pub const PROBE: Probe = Probe {
    id: "coap-resources",
    version: 1,
    title: "what the CoAP server tells",
    page: include_str!("coap_resources.md"),
    touch: Touch::Ask,
    subjects_from: &["udp-services", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

const WAIT: Duration = Duration::from_secs(2);

async fn run(ctx: &Ctx) {
    let endpoints = ctx.services_named(&["coap", "coaps"]);
    ctx.each(
        endpoints,
        |s| s.endpoint,
        |s| async move {
            let looked = if s.service == "coaps" { dtls(ctx, s.endpoint).await } else { coap(ctx, s.endpoint).await };
            if let Err(t) = looked {
                ctx.trouble(None, s.endpoint, &t);
            }
        },
    )
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
    for link in links.iter().filter(|l| l.path != "/.well-known/core").take(32) {
        let mut socket = ctx.udp(e, Replies::ThatPort).await?;
        let (code, body) = get(&mut socket, link.path.trim_start_matches('/')).await?;
        let text = std::str::from_utf8(&body).ok();
        let sensitive = text.map(|t| sensitive::classes(&format!("{} {t}", link.path))).unwrap_or_default();
        let (path, bytes, text) = (link.path.clone(), body.len() as u64, text.is_some());
        ctx.record(e, Observation::CoapRead { path, code, bytes, sensitive, text }, Some(socket.close()));
    }
    Ok(())
}

fn links(text: &str) -> Vec<CoapLink> {
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

/// GETs a path as a confirmable request, with Block2 and separate responses. Returns the code and the body.
async fn get(socket: &mut Datagrams, path: &str) -> Result<(String, Vec<u8>), Trouble> {
    let mut body = Vec::new();
    let mut size = None;
    for number in 0..16u32 {
        let mut request = Packet::new();
        request.header.set_type(MessageType::Confirmable);
        request.header.code = MessageClass::Request(RequestType::Get);
        request.header.message_id = rand::random();
        request.set_token(rand::random::<[u8; 4]>().to_vec());
        for segment in path.split('/') {
            request.add_option(CoapOption::UriPath, segment.as_bytes().to_vec());
        }
        if let Some(szx) = size {
            let value = (number << 4) | u32::from(szx);
            let bytes: Vec<u8> = value.to_be_bytes().into_iter().skip_while(|b| *b == 0).collect();
            request.add_option(CoapOption::Block2, bytes);
        }
        let reply = exchange(socket, &request).await?;
        body.extend_from_slice(&reply.payload);
        let block = reply.get_first_option(CoapOption::Block2);
        let block = block.map(|b| b.iter().take(3).fold(0u32, |n, x| n << 8 | u32::from(*x)));
        let more = block.is_some_and(|b| b & 8 != 0);
        if !more || body.len() > 64 * 1024 {
            return Ok((reply.header.get_code(), body));
        }
        size = block.and_then(|b| u8::try_from(b & 7).ok());
    }
    Ok(("2.05".to_owned(), body))
}

/// Sends until an answer with our token comes: in the acknowledgement or in a message of its own.
async fn exchange(socket: &mut Datagrams, request: &Packet) -> Result<Packet, Trouble> {
    let bad = |e: coap_lite::error::MessageError| Trouble::NotUnderstood(format!("not readable as CoAP: {e:?}"));
    let bytes = request.to_bytes().map_err(bad)?;
    for attempt in 0..3u32 {
        socket.send(&bytes).await?;
        let until = tokio::time::Instant::now() + WAIT * (attempt + 1);
        loop {
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            let reply = match socket.receive(left).await {
                Ok(b) => Packet::from_bytes(&b).map_err(bad)?,
                Err(Trouble::Silent(_)) => break,
                Err(t) => return Err(t),
            };
            if reply.get_token() != request.get_token() || reply.header.code == MessageClass::Empty {
                continue;
            }
            if reply.header.get_type() == MessageType::Confirmable {
                let [hi, lo] = reply.header.message_id.to_be_bytes();
                socket.send(&[0x60, 0, hi, lo]).await?;
            }
            return Ok(reply);
        }
    }
    Err(Trouble::Silent(WAIT.as_millis() * 6))
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
