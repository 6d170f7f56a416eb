//! How much of an SNMP agent a default community shows, group by group.
use super::{
    Probe,
    snmp_write::{Agent, agents, ask},
};
use crate::model::{Observation, Touch, Why, observation::Presented};
use crate::scan::{
    codec::snmp::{Response, get_next},
    credentials,
    net::Trouble,
    session::Ctx,
};

pub const PROBE: Probe = Probe {
    id: "snmp-view",
    version: 1,
    title: "what SNMP communities show",
    page: include_str!("snmp_view.md"),
    touch: Touch::LogIn,
    subjects_from: &["snmp-community"],
    run: |ctx| Box::pin(run(ctx)),
};

/// The control: whatever an agent shows, it shows this (RFC 3418).
const SYSTEM: &str = "system";
/// Groups by the names that checks know, and where they are, as BER writes it.
const GROUPS: [(&str, &[u8]); 9] = [
    (SYSTEM, &[0x2b, 6, 1, 2, 1, 1]),
    // RFC 2863, ifTable.
    ("interfaces", &[0x2b, 6, 1, 2, 1, 2, 2]),
    // RFC 4293, ipNetToMediaTable and ipNetToPhysicalTable.
    ("neighbours", &[0x2b, 6, 1, 2, 1, 4, 22]),
    ("neighbours-v6", &[0x2b, 6, 1, 2, 1, 4, 35]),
    // RFC 4022, tcpConnTable.
    ("connections", &[0x2b, 6, 1, 2, 1, 6, 13]),
    // RFC 2790, hrSWRunTable.
    ("processes", &[0x2b, 6, 1, 2, 1, 25, 4, 2]),
    // RFC 3414, usmUserTable.
    ("users", &[0x2b, 6, 1, 6, 3, 15, 1, 2, 2]),
    // RFC 3584, snmpCommunityTable.
    ("communities", &[0x2b, 6, 1, 6, 3, 18, 1, 1]),
    // LAN Manager MIB, svUserTable: 1.3.6.1.4.1.77.1.2.25.
    ("accounts", &[0x2b, 6, 1, 4, 1, 77, 1, 2, 25]),
];

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

async fn look(ctx: &Ctx, a: &Agent) -> Result<(), Trouble> {
    let known = credentials::communities();
    let Some(reader) = known.iter().find(|c| a.readers.contains(&c.id)) else { return Ok(()) };
    let community = reader.value.as_bytes();
    for (group, root) in GROUPS {
        let (reply, tape) = ask(ctx, a.at, &reader.value, |id| get_next(a.version, community, id, root)).await?;
        let Some(reply) = reply else {
            let why = format!("no answer about the group {group}");
            ctx.gap(Some(a.at.into()), Why::NotUnderstood(why));
            return Ok(());
        };
        let (presented, group) = (Presented::Listed(reader.id.clone()), group.to_owned());
        let shown = lies_within(&reply, root);
        ctx.record(a.at, Observation::SnmpView { presented, group, shown }, Some(tape));
    }
    Ok(())
}

fn lies_within(reply: &Response, root: &[u8]) -> bool {
    reply.status == 0 && !(0x80..=0x82).contains(&reply.kind) && reply.name.starts_with(root) && reply.name != root
}
