//! Whether strangers write CoAP resources: the value that is there is put again, and read again.
use super::{
    Probe,
    coap::{exchange, get, request},
};
use crate::model::{Endpoint, Observation, Touch, Why};
use crate::scan::{
    net::{Datagrams, Trouble, wire::Replies},
    session::Ctx,
};
use coap_lite::RequestType;
use std::collections::BTreeMap;

pub const PROBE: Probe = Probe {
    id: "coap-write",
    version: 1,
    title: "CoAP resources that strangers write",
    page: include_str!("coap_write.md"),
    touch: Touch::Alter,
    subjects_from: &["coap-resources"],
    run: |ctx| Box::pin(run(ctx)),
};

/// Resources that are put at one server.
const MOST: usize = 8;
const CANARY: &[u8] = b"patuh";

async fn run(ctx: &Ctx) {
    let mut all: BTreeMap<Endpoint, Vec<String>> = BTreeMap::new();
    for r in ctx.seen("coap-resources") {
        if let (Some(at), Observation::CoapRead { path, code, bytes, .. }) = (r.subject.endpoint(), r.observation)
            && code == "2.05"
            && (1..=1024).contains(&bytes)
        {
            all.entry(at).or_default().push(path);
        }
    }
    ctx.each(
        all.into_iter().collect(),
        |(e, _)| *e,
        |(e, paths)| async move {
            if let Err(t) = look(ctx, e, &paths).await {
                ctx.trouble(None, e, &t);
            }
        },
    )
    .await;
}

async fn look(ctx: &Ctx, e: Endpoint, paths: &[String]) -> Result<(), Trouble> {
    control(ctx, e).await?;
    for path in paths.iter().take(MOST) {
        let mut socket = ctx.udp(e, Replies::ThatPort).await?;
        let (code, value) = get(&mut socket, path.trim_start_matches('/')).await?;
        if code != "2.05" {
            let why = format!("{path} answered {code} the second time, so that there is no value to put again");
            ctx.gap(Some(e.into()), Why::NotUnderstood(why));
            continue;
        }
        // It may be somebody's secret.
        socket.tape.hide(&value);
        let code = put(&mut socket, path, &value).await?;
        let same_after = match code.starts_with('2') {
            true => Some(get(&mut socket, path.trim_start_matches('/')).await?.1 == value),
            false => None,
        };
        let seen = Observation::CoapWrite { path: path.clone(), control: false, code, same_after };
        ctx.record(e, seen, Some(socket.close()));
    }
    Ok(())
}

/// Some servers say 2.04 to everything. What was made by the control is taken away again.
async fn control(ctx: &Ctx, e: Endpoint) -> Result<(), Trouble> {
    let path = format!("/patuh-{:08x}", rand::random::<u32>());
    let mut socket = ctx.udp(e, Replies::ThatPort).await?;
    let code = put(&mut socket, &path, CANARY).await?;
    let mut same_after = None;
    if code.starts_with('2') {
        let (read, value) = get(&mut socket, path.trim_start_matches('/')).await?;
        same_after = Some(read == "2.05" && value == CANARY);
        exchange(&mut socket, &request(RequestType::Delete, &path)).await?;
        if same_after == Some(true) && get(&mut socket, path.trim_start_matches('/')).await?.0 == "2.05" {
            let why = format!("{path}, which we made, could not be deleted: delete it on the device");
            ctx.gap(Some(e.into()), Why::NotUnderstood(why));
        }
    }
    ctx.record(e, Observation::CoapWrite { path, control: true, code, same_after }, Some(socket.close()));
    Ok(())
}

async fn put(socket: &mut Datagrams, path: &str, value: &[u8]) -> Result<String, Trouble> {
    let mut ask = request(RequestType::Put, path);
    ask.payload = value.to_vec();
    Ok(exchange(socket, &ask).await?.header.get_code())
}
