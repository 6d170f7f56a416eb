//! Backdoors and engineering services that are known from products, told by one harmless question each.
use super::{Probe, service_identify::HANDS_OFF, udp_services::unhex};
use crate::model::{
    Endpoint, Observation, Touch, Transport, Why,
    observation::{Signature, clean},
};
use crate::scan::{
    data::{builtin, byte_pattern},
    net::{Trouble, wire::Replies},
    session::Ctx,
};
use serde::Deserialize;
use std::{collections::BTreeSet, sync::LazyLock, time::Duration};

pub const PROBE: Probe = Probe {
    id: "known-services",
    version: 1,
    title: "known backdoors",
    page: include_str!("known_services.md"),
    touch: Touch::Ask,
    subjects_from: &["tcp-ports", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

const WAIT: Duration = Duration::from_secs(2);
const MOST: usize = 256;
/// Ports that say nothing we know, up to which each is asked.
const MANY: usize = 16;

#[derive(Deserialize)]
struct Written {
    #[serde(rename = "service")]
    services: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    title: String,
    transport: Transport,
    port: u16,
    question: String,
    reply: String,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    builtin::<Written>("known-services.toml", include_str!("../../../profiles/data/known-services.toml")).services
});

async fn run(ctx: &Ctx) {
    let open = ctx.open_tcp();
    let mut unknown: BTreeSet<Endpoint> =
        ctx.services().into_iter().filter(|s| s.service == "unknown").map(|s| s.endpoint).collect();
    // So many are a tarpit, which has no service to find.
    if unknown.len() > MANY {
        unknown.clear();
    }
    // What a port is is never told by its number; but a wrong byte may move a machine.
    let fits = |row: &Row, e: &Endpoint| e.port == row.port || (!HANDS_OFF.contains(&e.port) && unknown.contains(e));
    let mut all: Vec<(&Row, Endpoint)> = Vec::new();
    for row in ROWS.iter() {
        match row.transport {
            Transport::Tcp => all.extend(open.iter().filter(|e| fits(row, e)).map(|e| (row, *e))),
            Transport::Udp if wanted(ctx, row.port) => {
                all.extend(ctx.session.hosts.iter().map(|h| (row, Endpoint::udp(*h, row.port))));
            }
            Transport::Udp => ctx.gap(None, Why::OutOfScope),
        }
    }
    ctx.each(
        all,
        |a| a.1,
        |(row, e)| async move {
            let asked = match row.transport {
                Transport::Tcp => over_tcp(ctx, e, row).await,
                Transport::Udp => over_udp(ctx, e, row).await,
            };
            if let Err(t) = asked {
                ctx.trouble(None, e, &t);
            }
        },
    )
    .await;
}

/// Whether the scope leaves this UDP port to us: its own list is asked and no other.
fn wanted(ctx: &Ctx, port: u16) -> bool {
    let scope = &ctx.session.scope;
    !scope.excluded_ports.contains(&port) && scope.ports.udp.as_ref().is_none_or(|u| u.contains(&port))
}

fn read(row: &Row, reply: &[u8]) -> (Signature, String) {
    let shown: String = reply.iter().take(16).map(|b| format!("{b:02x}")).collect();
    match byte_pattern(&row.id, &format!("(?s-u){}", row.reply)).is_match(reply) {
        true => (Signature::Matches, format!("{}: it answered {shown}", clean(&row.title, 120))),
        false => (Signature::Other, format!("it answered {} bytes: {shown}", reply.len())),
    }
}

async fn over_tcp(ctx: &Ctx, e: Endpoint, row: &Row) -> Result<(), Trouble> {
    let mut wire = ctx.tcp(e).await?;
    wire.send(&unhex(&row.question)).await?;
    let reply = wire.collect(WAIT, WAIT, MOST, |b| b.len() >= 4).await;
    let tape = wire.close().await;
    let (answer, proof) = match reply {
        Ok(reply) => read(row, &reply),
        Err(Trouble::Silent(_) | Trouble::Closed) => (Signature::Silent, "nothing came back".to_owned()),
        Err(t) => return Err(t),
    };
    // On other ports only the magic value says anything.
    if e.port == row.port || answer == Signature::Matches {
        ctx.record(e, Observation::KnownService { signature: row.id.clone(), answer, proof }, Some(tape));
    }
    Ok(())
}

/// A port that says nothing to two questions is not known to be open, and is not recorded.
async fn over_udp(ctx: &Ctx, e: Endpoint, row: &Row) -> Result<(), Trouble> {
    let mut socket = ctx.udp(e, Replies::ThatPort).await?;
    for _ in 0..2 {
        let sent = socket.send(&unhex(&row.question)).await;
        let reply = match sent {
            Ok(()) => socket.receive(WAIT / 2).await,
            Err(t) => Err(t),
        };
        match reply {
            Ok(reply) => {
                let (answer, proof) = read(row, &reply);
                let tape = socket.close();
                ctx.record(e, Observation::KnownService { signature: row.id.clone(), answer, proof }, Some(tape));
                return Ok(());
            }
            Err(Trouble::Silent(_)) => {}
            Err(Trouble::Refused | Trouble::Closed) => break,
            Err(t) => return Err(t),
        }
    }
    socket.close();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str) -> &'static Row {
        ROWS.iter().find(|r| r.id == id).unwrap()
    }

    #[test]
    fn a_magic_value_tells_and_anything_else_does_not() {
        assert_eq!(read(row("sercomm-32764"), b"ScMM\xff\xff\xff\xff\0\0\0\0").0, Signature::Matches);
        assert_eq!(read(row("sercomm-32764"), b"MMcS\0\0\0\0").0, Signature::Matches);
        assert_eq!(read(row("sercomm-32764"), b"HTTP/1.1 400 ScMM").0, Signature::Other);
        assert_eq!(read(row("netis-53413"), b"\0\0\0\x05\xd0\xa5Login:").0, Signature::Matches);
        assert_eq!(read(row("netis-53413"), b"Login:").0, Signature::Other);
        assert_eq!(read(row("lantronix-30718"), b"\0\0\0\xf7\x01").0, Signature::Matches);
        assert_eq!(read(row("lantronix-30718"), &unhex("000000f6")).0, Signature::Other);
    }

    #[test]
    fn no_row_is_answered_by_an_echo_of_its_question() {
        for r in ROWS.iter() {
            assert_eq!(read(r, &unhex(&r.question)).0, Signature::Other, "{}", r.id);
        }
    }
}
