//! By which key an SSH server is known: one key exchange, no log-in.
use super::{Probe, login::ssh};
use crate::model::{Observation, Touch};
use crate::scan::session::{Ctx, Identified};

pub const PROBE: Probe = Probe {
    id: "ssh-host-key",
    version: 1,
    title: "SSH host keys",
    page: include_str!("ssh_host_key.md"),
    touch: Touch::Ask,
    subjects_from: &["tcp-ports", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

async fn run(ctx: &Ctx) {
    ctx.each(ctx.services_named(&["ssh"]), |s| s.endpoint, |s| look(ctx, s)).await;
}

async fn look(ctx: &Ctx, s: Identified) {
    match ssh::host_key(ctx, s.endpoint).await {
        Ok((key, tape)) => {
            for (name, value) in [("ssh-host-key", key.sha256), ("ssh-host-key-type", key.algorithm)] {
                let name = name.to_owned();
                ctx.record(s.endpoint, Observation::Trait { name, value }, Some(tape.clone()));
            }
        }
        Err(t) => ctx.trouble(None, s.endpoint, &t),
    }
}
