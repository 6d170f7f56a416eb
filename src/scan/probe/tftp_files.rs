//! Whether a TFTP server hands out files by name.
use super::Probe;
use crate::model::{Endpoint, Observation, Sha256Digest, Touch, observation::TftpAnswer};
use crate::scan::{
    codec::infra::{Tftp, tftp, tftp_stop, tftp_want},
    data::rows,
    net::{Trouble, wire::Replies},
    session::Ctx,
};
use serde::Deserialize;
use std::{sync::LazyLock, time::Duration};

pub const PROBE: Probe = Probe {
    id: "tftp-files",
    version: 1,
    title: "files over TFTP",
    page: include_str!("tftp_files.md"),
    touch: Touch::Ask,
    subjects_from: &["udp-services", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

const WAIT: Duration = Duration::from_secs(1);
/// Operation and number, and the text of an error; of a file nothing is kept.
const HEAD: usize = 4;

#[derive(Deserialize)]
struct File {
    name: String,
}

static FILES: LazyLock<Vec<File>> =
    LazyLock::new(|| rows("tftp-files.toml", include_str!("../../../profiles/data/tftp-files.toml"), "file"));

async fn run(ctx: &Ctx) {
    let all = ctx.services_named(&["tftp"]);
    ctx.each_service(all, |s| async move { look(ctx, s.endpoint).await }).await;
}

async fn look(ctx: &Ctx, e: Endpoint) -> Result<(), Trouble> {
    let nowhere = format!("patuh-{:016x}.bin", rand::random::<u64>());
    ask(ctx, e, &nowhere, true).await?;
    for file in FILES.iter() {
        ask(ctx, e, &file.name, false).await?;
    }
    Ok(())
}

async fn ask(ctx: &Ctx, e: Endpoint, name: &str, control: bool) -> Result<(), Trouble> {
    let mut socket = ctx.udp(e, Replies::AnyPort).await?;
    let mut answer = TftpAnswer::Silent;
    for _ in 0..2 {
        socket.send(&tftp_want(name)).await?;
        match socket.receive_keeping(WAIT, HEAD).await {
            Ok(reply) => {
                answer = match tftp(&reply) {
                    Some(Tftp::Data(block)) => {
                        // Else the server sends the block again and again.
                        socket.answer(&tftp_stop()).await?;
                        TftpAnswer::Data { bytes: block.len() as u64, sha256: Sha256Digest::of(block) }
                    }
                    Some(Tftp::Error(code)) => TftpAnswer::Error { code },
                    None => TftpAnswer::Unclear,
                };
                break;
            }
            Err(Trouble::Silent(_)) => {}
            Err(t) => return Err(t),
        }
    }
    let file = if control { "(random)".to_owned() } else { name.to_owned() };
    ctx.record(e, Observation::TftpRead { file, control, answer }, Some(socket.close()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_twenty_files_are_asked_for() {
        assert!((5..=20).contains(&FILES.len()));
    }
}
