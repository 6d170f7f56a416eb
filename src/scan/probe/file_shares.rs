//! What file servers show and let read without a credential: rsync modules; SMB versions. No file is fetched.
use super::Probe;
use crate::model::{Observation, Touch, observation::Asks, observation::clean};
use crate::scan::{
    codec::smb::{Chosen, chosen, negotiate1, negotiate2},
    net::{Trouble, Wire},
    session::{Ctx, Identified},
};
use std::time::Duration;

pub const PROBE: Probe = Probe {
    id: "file-shares",
    version: 1,
    title: "file shares",
    page: include_str!("file_shares.md"),
    touch: Touch::Ask,
    subjects_from: &["tcp-ports", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

const WAIT: Duration = Duration::from_secs(3);
const MOST: usize = 64 * 1024;
/// Modules that are knocked at.
const MODULES: usize = 16;
const HELLO: &[u8] = b"@RSYNCD: 30.0\n";

async fn run(ctx: &Ctx) {
    ctx.each_service(ctx.services_named(&["rsync", "smb"]), |s| async move {
        if s.service == "rsync" { rsync(ctx, &s).await } else { smb(ctx, &s).await }
    })
    .await;
}

/// Says hello and names `module`; what the server says to that.
async fn say(wire: &mut Wire, module: &str) -> Result<String, Trouble> {
    wire.collect(WAIT, WAIT, MOST, |b| b.contains(&b'\n')).await?;
    wire.send(&[HELLO, module.as_bytes(), b"\n"].concat()).await?;
    let ends = |b: &[u8]| [&b"@RSYNCD: "[..], b"@ERROR"].iter().any(|m| b.windows(m.len()).any(|w| w == *m));
    let done = |b: &[u8]| ends(b) && b.ends_with(b"\n");
    match wire.collect(WAIT, WAIT, MOST, done).await {
        Ok(reply) => Ok(String::from_utf8_lossy(&reply).into_owned()),
        Err(Trouble::Silent(_) | Trouble::Closed) => Ok(String::new()),
        Err(t) => Err(t),
    }
}

/// Lists the modules, and knocks at each and at one that cannot exist. The connection ends before a file list is asked for.
async fn rsync(ctx: &Ctx, s: &Identified) -> Result<(), Trouble> {
    let mut wire = ctx.connect(s.endpoint, s.tls).await?;
    let list = say(&mut wire, "#list").await?;
    wire.close().await;
    let modules = list.lines().filter(|l| !l.starts_with('@')).filter_map(|l| l.split_once('\t'));
    let modules: Vec<String> =
        modules.map(|(m, _)| m.trim().to_owned()).filter(|m| !m.is_empty()).take(MODULES).collect();
    let nowhere = format!("patuh-{:08x}", rand::random::<u32>());
    let knocks = modules.iter().map(|m| (m.as_str(), false)).chain([(nowhere.as_str(), true)]);
    for (module, control) in knocks {
        let mut wire = ctx.connect(s.endpoint, s.tls).await?;
        let reply = say(&mut wire, module).await?;
        let tape = wire.close().await;
        let asks = match () {
            () if reply.contains("@RSYNCD: AUTHREQD") => Asks::Yes,
            () if reply.contains("@ERROR") => Asks::Yes,
            () if reply.contains("@RSYNCD: OK") => Asks::No,
            () => Asks::Unclear,
        };
        let proof = clean(reply.lines().find(|l| l.starts_with('@')).unwrap_or("nothing came back"), 120);
        let name = if control { "(random)".to_owned() } else { clean(module, 80) };
        ctx.record(s.endpoint, Observation::FileShare { name, control, asks, proof }, Some(tape));
    }
    Ok(())
}

async fn smb(ctx: &Ctx, s: &Identified) -> Result<(), Trouble> {
    for (version, question) in [("1", negotiate1()), ("2", negotiate2())] {
        let mut wire = ctx.connect(s.endpoint, s.tls).await?;
        wire.send(&question).await?;
        let reply = wire.collect(WAIT, WAIT, MOST, |b| b.len() >= 72).await;
        let tape = wire.close().await;
        let reply = match reply {
            Ok(bytes) => chosen(&bytes),
            // A server hangs up on a version that it does not speak.
            Err(Trouble::Closed) => Some(Chosen::Neither),
            Err(Trouble::Silent(_)) => None,
            Err(t) => return Err(t),
        };
        let (accepted, detail) = match reply {
            Some(Chosen::Smb1) => (Some(true), "NT LM 0.12".to_owned()),
            Some(Chosen::Smb2 { dialect, signing_required }) => {
                let signing = if signing_required { "required" } else { "not required" };
                (Some(true), format!("dialect {dialect:04x}, signing {signing}"))
            }
            Some(Chosen::Neither) => (Some(false), "refused".to_owned()),
            None => (None, "nothing that we know came back".to_owned()),
        };
        ctx.record(s.endpoint, Observation::SmbVersion { version: version.to_owned(), accepted, detail }, Some(tape));
    }
    Ok(())
}
