//! Which device this is, at the start and at the end of a scan.
use super::Probe;
use crate::model::{Observation, Subject, Touch, Why};
use crate::scan::{net::Trouble, session::Ctx};
use std::net::IpAddr;

pub const START: Probe = Probe {
    id: "device-binding",
    version: 1,
    title: "which device this is",
    page: include_str!("device_binding.md"),
    touch: Touch::Listen,
    subjects_from: &[],
    run: |ctx| Box::pin(traits(ctx)),
};

pub const END: Probe = Probe {
    id: "device-binding-end",
    title: "whether it is still the same device",
    touch: Touch::Connect,
    run: |ctx| Box::pin(end(ctx)),
    ..START
};

async fn traits(ctx: &Ctx) {
    for host in &ctx.session.hosts {
        let add = |name: &str, value: String| {
            ctx.record(Subject::Host(*host), Observation::Trait { name: name.to_owned(), value }, None);
        };
        add("address", host.to_string());
        if let Some(mac) = mac(*host).await {
            add("mac", mac);
        }
    }
}

async fn end(ctx: &Ctx) {
    traits(ctx).await;
    for host in ctx.session.hosts.clone() {
        let Some(endpoint) = ctx.open_tcp().into_iter().find(|e| e.host == host) else { continue };
        match ctx.tcp(endpoint).await {
            Ok(wire) => {
                let tape = wire.close().await;
                ctx.record(endpoint, Observation::Alive { how: "it accepts connections".to_owned() }, Some(tape));
            }
            Err(Trouble::NotAdmitted(_)) => ctx.gap(Some(endpoint.into()), Why::OutOfScope),
            Err(_) => ctx.gap(Some(endpoint.into()), Why::DeviceGone),
        }
    }
}

/// From the kernel's neighbour table (Linux).
async fn mac(host: IpAddr) -> Option<String> {
    let table = tokio::fs::read_to_string("/proc/net/arp").await.ok()?;
    let line = table.lines().find(|l| l.split_whitespace().next() == Some(&host.to_string()))?;
    line.split_whitespace().nth(3).filter(|m| *m != "00:00:00:00:00:00").map(str::to_owned)
}
