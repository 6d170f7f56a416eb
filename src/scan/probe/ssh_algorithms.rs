//! Which algorithms an SSH server offers, and every kind of host key that it has.
use super::{Probe, login::ssh as keys};
use crate::model::{Endpoint, Observation, Touch, Why};
use crate::scan::{
    codec::ssh,
    net::Trouble,
    session::{Ctx, FIRST_BYTE, Identified},
};
use std::collections::BTreeMap;

pub const PROBE: Probe = Probe {
    id: "ssh-algorithms",
    version: 1,
    title: "SSH algorithms and host keys",
    page: include_str!("ssh_algorithms.md"),
    touch: Touch::Ask,
    subjects_from: &["tcp-ports", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

const MOST: usize = 64 * 1024;
/// Algorithms that prove the same kind of key; each is asked for by the first of its names.
const KINDS: &[(&str, &[&str])] = &[
    ("ssh-ed25519", &["ssh-ed25519"]),
    ("ecdsa-sha2-nistp256", &["ecdsa-sha2-nistp256"]),
    ("ecdsa-sha2-nistp384", &["ecdsa-sha2-nistp384"]),
    ("ecdsa-sha2-nistp521", &["ecdsa-sha2-nistp521"]),
    ("rsa-sha2-512", &["rsa-sha2-512"]),
    ("rsa-sha2-256", &["rsa-sha2-256"]),
    ("ssh-rsa", &["ssh-rsa"]),
];

async fn run(ctx: &Ctx) {
    ctx.each(ctx.services_named(&["ssh"]), |s| s.endpoint, |s| look(ctx, s)).await;
}

async fn look(ctx: &Ctx, s: Identified) {
    match ctx.patient(s.endpoint, "ssh", || lists(ctx, s.endpoint)).await {
        Ok(algorithms) => host_keys(ctx, s.endpoint, algorithms.get("host-key").map_or(&[][..], Vec::as_slice)).await,
        Err(t) => ctx.trouble(None, s.endpoint, &t),
    }
}

async fn lists(ctx: &Ctx, e: Endpoint) -> Result<BTreeMap<String, Vec<String>>, Trouble> {
    let mut wire = ctx.tcp(e).await?;
    let got = match wire.send(ssh::IDENT).await {
        Ok(()) => wire.collect(FIRST_BYTE, FIRST_BYTE * 2, MOST, |b| ssh::kexinit(b).is_some()).await,
        Err(t) => Err(t),
    };
    let tape = wire.close().await;
    let algorithms = got.map(|b| ssh::kexinit(&b))?;
    let algorithms = algorithms.ok_or_else(|| Trouble::NotUnderstood("SSH: no KEXINIT came".to_owned()))?;
    let observation = Observation::SshAlgorithms { algorithms: algorithms.clone() };
    ctx.record(e, observation, Some(tape));
    Ok(algorithms)
}

/// One key exchange per kind of key that is offered. The three names of RSA prove one key.
async fn host_keys(ctx: &Ctx, e: Endpoint, offered: &[String]) {
    let mut rsa = false;
    for (first, names) in KINDS {
        let is_rsa = first.contains("rsa");
        if (is_rsa && rsa) || !offered.iter().any(|o| names.contains(&o.as_str())) {
            continue;
        }
        match keys::host_key_by(ctx, e, first).await {
            Ok((key, tape)) => {
                rsa |= is_rsa;
                let (algorithm, bits, sha256) = (key.algorithm, key.bits, key.sha256);
                ctx.record(e, Observation::SshHostKey { algorithm, bits, sha256 }, Some(tape));
            }
            Err(t) => ctx.trouble(None, e, &t),
        }
    }
    if offered.iter().any(|o| o == "ssh-rsa") && !rsa && !offered.iter().any(|o| o.starts_with("rsa-sha2")) {
        let why = "the size of its RSA host key could not be seen".to_owned();
        ctx.gap(Some(e.into()), Why::NotUnderstood(why));
    }
}
