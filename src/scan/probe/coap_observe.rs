//! Whether a CoAP server tells strangers of changes (RFC 7641).
use super::{
    Probe,
    coap::{exchange, request},
};
use crate::model::{Endpoint, Observation, Touch, observation::CoapLink};
use crate::scan::{
    net::{Trouble, wire::Replies},
    session::Ctx,
};
use coap_lite::{CoapOption, MessageClass, MessageType, Packet, RequestType};
use std::{collections::BTreeMap, time::Duration};

pub const PROBE: Probe = Probe {
    id: "coap-observe",
    version: 1,
    title: "what the CoAP server reports",
    page: include_str!("coap_observe.md"),
    touch: Touch::Ask,
    subjects_from: &["coap-resources"],
    run: |ctx| Box::pin(run(ctx)),
};

/// How long a change is waited for.
const WAIT: Duration = Duration::from_secs(3);
/// Resources that are observed at one server.
const MOST: usize = 3;

async fn run(ctx: &Ctx) {
    ctx.each(
        links(ctx, |l| l.observable),
        |(e, _)| *e,
        |(e, links)| async move {
            for link in links.iter().take(MOST) {
                if let Err(t) = observe(ctx, e, &link.path).await {
                    ctx.trouble(None, e, &t);
                }
            }
        },
    )
    .await;
}

/// The links of each server that `wanted` picks.
pub fn links(ctx: &Ctx, wanted: impl Fn(&CoapLink) -> bool) -> Vec<(Endpoint, Vec<CoapLink>)> {
    let mut all: BTreeMap<Endpoint, Vec<CoapLink>> = BTreeMap::new();
    for r in ctx.seen("coap-resources") {
        if let (Some(at), Observation::CoapCore { links, .. }) = (r.subject.endpoint(), r.observation) {
            let picked: Vec<CoapLink> = links.into_iter().filter(&wanted).collect();
            if !picked.is_empty() {
                all.insert(at, picked);
            }
        }
    }
    all.into_iter().collect()
}

async fn observe(ctx: &Ctx, e: Endpoint, path: &str) -> Result<(), Trouble> {
    let mut socket = ctx.udp(e, Replies::ThatPort).await?;
    let mut ask = request(RequestType::Get, path);
    ask.set_observe_value(0);
    let first = exchange(&mut socket, &ask).await?;
    let registered = first.get_option(CoapOption::Observe).is_some();
    let (started, mut notifications) = (tokio::time::Instant::now(), 0);
    while registered && notifications == 0 {
        let left = WAIT.saturating_sub(started.elapsed());
        let Ok(bytes) = socket.receive(left).await else { break };
        let Ok(message) = Packet::from_bytes(&bytes) else { continue };
        if message.get_token() != ask.get_token() || message.header.code == MessageClass::Empty {
            continue;
        }
        notifications += u32::from(message.header.get_code() == "2.05" && !message.payload.is_empty());
        if message.header.get_type() == MessageType::Confirmable {
            let [hi, lo] = message.header.message_id.to_be_bytes();
            socket.send(&[0x60, 0, hi, lo]).await?;
        }
    }
    if registered {
        // The same token with Observe 1 ends it (RFC 7641, 3.6).
        let mut end = request(RequestType::Get, path);
        end.set_token(ask.get_token().to_vec());
        end.set_observe_value(1);
        let _ = exchange(&mut socket, &end).await;
    }
    let (path, code, bytes) = (path.to_owned(), first.header.get_code(), first.payload.len() as u64);
    let waited_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let seen = Observation::CoapObserve { path, code, registered, bytes, notifications, waited_ms };
    ctx.record(e, seen, Some(socket.close()));
    Ok(())
}
