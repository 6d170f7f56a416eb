//! Whether default SNMP communities write: the value that is there is written again, and read again.
use super::Probe;
use crate::model::{
    Endpoint, Observation, Touch, Why,
    observation::{Presented, SnmpSet},
};
use crate::scan::{
    codec::snmp::{Response, Version, get_contact, response, set_contact},
    credentials,
    net::{Trouble, wire::Replies},
    session::Ctx,
};
use std::{collections::BTreeMap, time::Duration};

pub const PROBE: Probe = Probe {
    id: "snmp-write",
    version: 1,
    title: "SNMP communities that write",
    page: include_str!("snmp_write.md"),
    touch: Touch::Alter,
    subjects_from: &["snmp-community"],
    run: |ctx| Box::pin(run(ctx)),
};

const WAIT: Duration = Duration::from_secs(1);
/// Tried beside those that read: what makers name a community that writes.
const USUAL: [&str; 2] = ["private", "public"];

/// An agent that told something to a default community.
pub struct Agent {
    pub at: Endpoint,
    pub version: Version,
    /// Ids of the communities that read.
    pub readers: Vec<String>,
}

async fn run(ctx: &Ctx) {
    ctx.each(
        agents(ctx),
        |a| a.at,
        |a| async move {
            if let Err(t) = look(ctx, &a).await {
                ctx.trouble(None, a.at, &t);
            }
        },
    )
    .await;
}

pub fn agents(ctx: &Ctx) -> Vec<Agent> {
    let mut all: BTreeMap<Endpoint, Agent> = BTreeMap::new();
    for r in ctx.seen("snmp-community") {
        let (Some(at), Observation::Snmp { version, presented: Presented::Listed(id), answered: true, .. }) =
            (r.subject.endpoint(), r.observation)
        else {
            continue;
        };
        let version = if version == "1" { Version::V1 } else { Version::V2c };
        all.entry(at).or_insert_with(|| Agent { at, version, readers: Vec::new() }).readers.push(id);
    }
    all.into_values().collect()
}

async fn look(ctx: &Ctx, a: &Agent) -> Result<(), Trouble> {
    let known = credentials::communities();
    let Some(reader) = known.iter().find(|c| a.readers.contains(&c.id)) else { return Ok(()) };
    let Some(value) = read(ctx, a, &reader.value).await? else {
        let why = "sysContact could not be read, so that there is no value to write again".to_owned();
        ctx.gap(Some(a.at.into()), Why::NotUnderstood(why));
        return Ok(());
    };
    let control = format!("{:016x}", rand::random::<u64>());
    let listed = known
        .iter()
        .filter(|c| a.readers.contains(&c.id) || USUAL.contains(&c.value.as_str()))
        .map(|c| (Presented::Listed(c.id.clone()), c.value.clone()));
    for (presented, community) in std::iter::once((Presented::Wrong, control)).chain(listed) {
        let (reply, tape) =
            ask(ctx, a.at, &community, |id| set_contact(a.version, community.as_bytes(), id, &value)).await?;
        let answer = match reply {
            Some(Response { status: 0, .. }) => {
                let same_after = read(ctx, a, &reader.value).await?.as_ref() == Some(&value);
                SnmpSet::Written { same_after }
            }
            Some(Response { status, .. }) => SnmpSet::Refused { status },
            None => SnmpSet::Silent,
        };
        ctx.record(a.at, Observation::SnmpWrite { presented, answer }, Some(tape));
    }
    Ok(())
}

async fn read(ctx: &Ctx, a: &Agent, community: &str) -> Result<Option<Vec<u8>>, Trouble> {
    let (reply, _) = ask(ctx, a.at, community, |id| get_contact(a.version, community.as_bytes(), id)).await?;
    Ok(reply.filter(|r| r.status == 0).and_then(|r| r.text))
}

/// Asks twice before silence is believed; a reply to another request is none.
pub async fn ask(
    ctx: &Ctx,
    e: Endpoint,
    community: &str,
    question: impl Fn(i32) -> Vec<u8>,
) -> Result<(Option<Response>, crate::model::Sha256Digest), Trouble> {
    let id = 0x4000 + i32::from(rand::random::<u16>() & 0x3fff);
    let mut socket = ctx.udp(e, Replies::ThatPort).await?;
    socket.tape.hide(community.as_bytes());
    let mut found: Option<Response> = None;
    for _ in 0..2 {
        socket.send(&question(id)).await?;
        match socket.receive(WAIT).await {
            Ok(reply) => {
                let mine = |r: &Response| r.request.iter().fold(0, |n, b| n << 8 | i32::from(*b)) == id;
                found = response(&reply).filter(mine);
                if found.is_some() {
                    break;
                }
            }
            Err(Trouble::Silent(_)) => {}
            Err(t) => return Err(t),
        }
    }
    if let Some(found) = &found {
        // What an agent tells may be somebody's.
        socket.tape.hide(&found.value);
    }
    Ok((found, socket.close()))
}
