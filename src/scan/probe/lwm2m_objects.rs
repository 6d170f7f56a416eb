//! Whether a device that shows its LwM2M objects over CoAP shows those that hold keys (OMA LwM2M 1.1, annex E).
use super::{
    Probe,
    coap::{exchange, request},
    coap_observe::links,
};
use crate::model::{Endpoint, Observation, Touch, observation::CoapLink};
use crate::scan::{
    net::{Trouble, wire::Replies},
    session::Ctx,
};
use coap_lite::RequestType;

pub const PROBE: Probe = Probe {
    id: "lwm2m-objects",
    version: 1,
    title: "LwM2M security objects",
    page: include_str!("lwm2m_objects.md"),
    touch: Touch::Ask,
    subjects_from: &["coap-resources"],
    run: |ctx| Box::pin(run(ctx)),
};

/// The device object as a control; security (0) with its secret key (5), server (1) and OSCORE (21).
const PATHS: [&str; 6] = ["/3", "/0", "/0/0", "/0/0/5", "/1/0", "/21/0"];

async fn run(ctx: &Ctx) {
    ctx.each(
        links(ctx, is_object),
        |(e, _)| *e,
        |(e, _)| async move {
            for path in PATHS {
                if let Err(t) = ask(ctx, e, path).await {
                    return ctx.trouble(None, e, &t);
                }
            }
        },
    )
    .await;
}

/// `/3/0/3`, or what calls itself LwM2M.
pub fn is_object(link: &CoapLink) -> bool {
    let numbers =
        link.path.trim_start_matches('/').split('/').all(|s| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit()));
    numbers || link.resource_type.contains("oma.lwm2m")
}

async fn ask(ctx: &Ctx, e: Endpoint, path: &str) -> Result<(), Trouble> {
    let mut socket = ctx.udp(e, Replies::ThatPort).await?;
    let reply = exchange(&mut socket, &request(RequestType::Get, path)).await?;
    // It may be a key.
    socket.tape.hide(&reply.payload);
    let (path, code, bytes) = (path.to_owned(), reply.header.get_code(), reply.payload.len() as u64);
    ctx.record(e, Observation::Lwm2mObject { path, code, bytes }, Some(socket.close()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_told_by_their_numbers_or_by_their_name() {
        let link =
            |path: &str, rt: &str| CoapLink { path: path.to_owned(), resource_type: rt.to_owned(), observable: false };
        assert!(is_object(&link("/3/0/3", "")) && is_object(&link("/rd", "oma.lwm2m")));
        assert!(!is_object(&link("/sensors/1", "temperature")) && !is_object(&link("/", "")));
    }
}
