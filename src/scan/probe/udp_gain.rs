//! How much a UDP service sends back for a small question. No address but our own is ever given as the sender.
use super::{Probe, udp_services::questions_of};
use crate::model::{Endpoint, Observation, Touch, Transport, scope::Pace};
use crate::scan::{
    codec::infra,
    net::{Trouble, wire::Replies},
    session::{Ctx, Identified},
};
use std::time::Duration;

pub const PROBE: Probe = Probe {
    id: "udp-gain",
    version: 1,
    title: "what small datagrams bring back",
    page: include_str!("udp_gain.md"),
    touch: Touch::Ask,
    subjects_from: &["udp-services", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

/// A reply in several packets is over when none came for so long.
const QUIET: Duration = Duration::from_millis(700);
const MOST_PACKETS: u32 = 100;
/// Questions per service, and how often each is asked.
const QUESTIONS: usize = 4;
const TIMES: u32 = 3;
/// A header, for the reader of the transcript; the rest is counted.
const KEEP: usize = 64;

async fn run(ctx: &Ctx) {
    let known = |s: &Identified| s.endpoint.transport == Transport::Udp && s.service != "unknown";
    let all: Vec<Identified> = ctx.services().into_iter().filter(known).collect();
    ctx.each(all, |s| s.endpoint, |s| look(ctx, s)).await;
}

async fn look(ctx: &Ctx, s: Identified) {
    let mut questions = questions_of(&s.service, s.endpoint);
    match s.service.as_str() {
        "ntp" => questions.push(("ntp-monlist", infra::ntp_monlist())),
        "memcached" => questions.push(("memcached-stats", b"\0\0\0\0\0\x01\0\0stats\r\n".to_vec())),
        _ => {}
    }
    // The last ones are those that bring most.
    let first = questions.len().saturating_sub(QUESTIONS);
    for (id, bytes) in questions.into_iter().skip(first) {
        for time in 0..TIMES {
            if time > 0 {
                pause(ctx).await;
            }
            if let Err(t) = ask(ctx, s.endpoint, id, &bytes).await {
                return ctx.trouble(None, s.endpoint, &t);
            }
        }
    }
}

async fn pause(ctx: &Ctx) {
    let between = match ctx.session.scope.pace {
        Pace::Gentle | Pace::Adaptive => Duration::from_secs(2),
        Pace::Fast => Duration::from_millis(100),
    };
    tokio::time::sleep(between).await;
}

async fn ask(ctx: &Ctx, e: Endpoint, id: &str, question: &[u8]) -> Result<(), Trouble> {
    let mut socket = ctx.udp(e, Replies::AnyPort).await?;
    socket.send(question).await?;
    let (mut received, mut packets) = (0u64, 0u32);
    while packets < MOST_PACKETS {
        match socket.receive_keeping(QUIET, KEEP).await {
            Ok(reply) => {
                received += reply.len() as u64;
                packets += 1;
            }
            Err(Trouble::Silent(_) | Trouble::Refused | Trouble::Closed) => break,
            Err(t) => return Err(t),
        }
    }
    let (question, sent) = (id.to_owned(), question.len() as u64);
    ctx.record(e, Observation::UdpGain { question, sent, received, packets }, Some(socket.close()));
    Ok(())
}
