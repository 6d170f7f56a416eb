//! Which default SNMP communities are accepted.
use super::Probe;
use crate::model::{
    Endpoint, Observation, Touch,
    observation::{Presented, clean},
};
use crate::scan::{
    codec::snmp::{
        Engine, UserAnswer, Version, engine, get_sysdescr, sysdescr, v3_answer, v3_discovery, v3_get_sysdescr, version,
    },
    credentials,
    net::{Datagrams, Trouble, wire::Replies},
    session::Ctx,
};
use std::{collections::BTreeSet, time::Duration};

pub const PROBE: Probe = Probe {
    id: "snmp-community",
    version: 1,
    title: "SNMP communities",
    page: include_str!("snmp_community.md"),
    touch: Touch::LogIn,
    subjects_from: &["udp-services"],
    run: |ctx| Box::pin(run(ctx)),
};

const WAIT: Duration = Duration::from_millis(400);
/// User names that agents are shipped or shown with (RFC 3414, appendix A; vendors' examples).
const USERS: [&str; 4] = ["initial", "public", "admin", "snmpuser"];
/// The commonest communities; each costs a silent agent two waits.
const MOST: usize = 12;

async fn run(ctx: &Ctx) {
    let mut endpoints: BTreeSet<Endpoint> = ctx.services_named(&["snmp"]).into_iter().map(|s| s.endpoint).collect();
    // An agent that ignores wrong communities stays silent in the sweep: 161 is asked where it was not refused.
    for r in ctx.seen("udp-services") {
        if let Observation::Swept { silent, .. } = &r.observation {
            let silent: crate::model::scope::PortSpec = format!("udp:{silent}").parse().unwrap_or_default();
            if silent.udp.is_some_and(|u| u.contains(&161)) {
                endpoints.extend(ctx.session.hosts.iter().map(|h| Endpoint::udp(*h, 161)));
            }
        }
    }
    ctx.each(
        endpoints.into_iter().collect(),
        |e| *e,
        |e| async move {
            if let Err(t) = ask(ctx, e).await {
                ctx.trouble(None, e, &t);
            }
        },
    )
    .await;
}

async fn ask(ctx: &Ctx, e: Endpoint) -> Result<(), Trouble> {
    let number = || i32::from(rand::random::<u16>());
    let mut socket = ctx.udp(e, Replies::ThatPort).await?;
    let v3 = exchange(&mut socket, &v3_discovery(number())).await?;
    let answered = v3.as_deref().is_some_and(|b| version(b) == Some(3));
    ctx.record(e, note("3", Presented::Nothing, answered, None), Some(socket.close()));
    if let Some(engine) = v3.as_deref().and_then(engine).filter(|_| answered) {
        users(ctx, e, &engine).await?;
    }
    let control = format!("{:016x}", rand::random::<u64>());
    let listed =
        credentials::communities().iter().take(MOST).map(|c| (Presented::Listed(c.id.clone()), c.value.clone()));
    let all: Vec<_> = std::iter::once((Presented::Wrong, control)).chain(listed).collect();
    for (presented, community) in all {
        let versions: &[(&str, Version)] = match presented {
            // Agents that speak only v1 are rare; the two commonest communities find them.
            Presented::Listed(ref id) if id.as_str() > "comm-0002" => &[("2c", Version::V2c)],
            _ => &[("2c", Version::V2c), ("1", Version::V1)],
        };
        for (word, v) in versions.iter().copied() {
            let mut socket = ctx.udp(e, Replies::ThatPort).await?;
            socket.tape.hide(community.as_bytes());
            let reply = exchange(&mut socket, &get_sysdescr(v, community.as_bytes(), number())).await?;
            let value = reply.and_then(|b| sysdescr(&b));
            let text = value.as_ref().map(|v| clean(&String::from_utf8_lossy(v), 200));
            let tape = socket.close();
            ctx.record(e, note(word, presented.clone(), value.is_some(), text), Some(tape));
            if value.is_some() {
                break;
            }
        }
    }
    Ok(())
}

/// User names without authentication, a random one first. No secret is sent, so that no account counts it.
async fn users(ctx: &Ctx, e: Endpoint, engine: &Engine) -> Result<(), Trouble> {
    let random = format!("patuh{:08x}", rand::random::<u32>());
    let names = USERS.iter().map(|u| ((*u).to_owned(), Presented::Nothing));
    for (user, presented) in std::iter::once((random, Presented::Wrong)).chain(names) {
        let mut socket = ctx.udp(e, Replies::ThatPort).await?;
        let asked = v3_get_sysdescr(engine, user.as_bytes(), i32::from(rand::random::<u16>()));
        let reply = exchange(&mut socket, &asked).await?.as_deref().and_then(v3_answer);
        let tape = socket.close();
        let (report, sysdescr) = match reply {
            Some(UserAnswer::Value(v)) => (None, Some(clean(&String::from_utf8_lossy(&v), 200))),
            Some(UserAnswer::Report(name)) => (Some(name.to_owned()), None),
            None => (None, None),
        };
        let user = if presented == Presented::Wrong { "(random)".to_owned() } else { user };
        ctx.record(e, Observation::SnmpUser { user, presented, report, sysdescr }, Some(tape));
    }
    Ok(())
}

fn note(version: &str, presented: Presented, answered: bool, sysdescr: Option<String>) -> Observation {
    Observation::Snmp { version: version.to_owned(), presented, answered, sysdescr }
}

/// Asks twice before silence is believed; a refusal is an answer of no agent.
async fn exchange(socket: &mut Datagrams, question: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
    for _ in 0..2 {
        socket.send(question).await.or_else(|t| if matches!(t, Trouble::Refused) { Ok(()) } else { Err(t) })?;
        match socket.receive(WAIT).await {
            Ok(reply) => return Ok(Some(reply)),
            Err(Trouble::Silent(_)) => {}
            Err(Trouble::Refused | Trouble::Closed) => return Ok(None),
            Err(t) => return Err(t),
        }
    }
    Ok(None)
}
