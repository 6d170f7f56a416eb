//! What the connection-request port of TR-069 says to a stranger.
use super::{Probe, http_surface::page};
use crate::model::{Observation, Touch};
use crate::scan::{
    net::{Trouble, http::Request},
    session::{Ctx, Identified},
};

pub const PROBE: Probe = Probe {
    id: "cwmp-connreq",
    version: 1,
    title: "TR-069 connection requests",
    page: include_str!("cwmp_connreq.md"),
    touch: Touch::Ask,
    subjects_from: &["tcp-ports", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

/// Registered for CWMP by IANA. A service without a log-in shows no realm that would tell it.
const PORT: u16 = 7547;

async fn run(ctx: &Ctx) {
    let is = |s: &Identified| s.service == "cwmp" || (s.service == "http" && s.endpoint.port == PORT);
    let all = ctx.services().into_iter().filter(is).collect();
    ctx.each_service(all, |s| async move { ask(ctx, &s).await }).await;
}

async fn ask(ctx: &Ctx, s: &Identified) -> Result<(), Trouble> {
    let nowhere = format!("/patuh-{:016x}", rand::random::<u64>());
    let paths = ["/".to_owned(), "/cr".to_owned(), "/acs".to_owned(), nowhere];
    for (n, path) in paths.iter().enumerate() {
        let reply = ctx.http(s, Request::get(s.endpoint.addr().to_string(), path), &[]).await?;
        let control = n + 1 == paths.len();
        ctx.record(
            s.endpoint,
            Observation::Http { page: Box::new(page(path, &reply, control)) },
            Some(reply.transcript),
        );
    }
    Ok(())
}
