//! Questions that a service of the infrastructure should not answer to strangers: NTP control, DNS recursion.
use super::Probe;
use crate::model::{
    Observation, Touch,
    observation::{Control, ControlAnswer, clean},
};
use crate::scan::{
    codec::infra::{self, Answer},
    net::{Trouble, wire::Replies},
    session::{Ctx, Identified},
};
use std::time::Duration;

pub const PROBE: Probe = Probe {
    id: "control-questions",
    version: 1,
    title: "NTP control and DNS recursion",
    page: include_str!("control_questions.md"),
    touch: Touch::Ask,
    subjects_from: &["udp-services", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

/// A resolver may have to ask others before it answers.
const WAIT: Duration = Duration::from_secs(1);

async fn run(ctx: &Ctx) {
    let udp = |s: &Identified| s.endpoint.transport == crate::model::Transport::Udp;
    let all = ctx.services_named(&["ntp", "dns"]).into_iter().filter(udp).collect();
    ctx.each(all, |s| s.endpoint, |s| look(ctx, s)).await;
}

async fn look(ctx: &Ctx, s: Identified) {
    let questions: &[Control] = match s.service.as_str() {
        "ntp" => &[Control::NtpVariables, Control::NtpMonlist],
        _ => &[Control::DnsRecursion],
    };
    for question in questions {
        if let Err(t) = ask(ctx, &s, *question).await {
            return ctx.trouble(Some(&s.service), s.endpoint, &t);
        }
    }
}

/// Reads a reply to what was sent.
type Reader = fn(&[u8], &[u8]) -> Answer;

async fn ask(ctx: &Ctx, s: &Identified, question: Control) -> Result<(), Trouble> {
    let mut socket = ctx.udp(s.endpoint, Replies::ThatPort).await?;
    let mut found = (ControlAnswer::Silent, format!("no answer within {} s, asked twice", WAIT.as_secs()));
    for _ in 0..2 {
        let (sent, read): (Vec<u8>, Reader) = match question {
            Control::NtpVariables => (infra::ntp_variables(), infra::ntp_control),
            Control::NtpMonlist => (infra::ntp_monlist(), infra::ntp_private),
            // A name that nobody can have in a cache, under a domain that exists for examples (RFC 2606).
            Control::DnsRecursion => (infra::dns_question(rand::random(), rand::random()), infra::dns_recursion),
        };
        socket.send(&sent).await?;
        match socket.receive(WAIT).await {
            Ok(reply) => {
                found = match read(&sent, &reply) {
                    Answer::Yes(proof) => (ControlAnswer::Answered, clean(&proof, 160)),
                    Answer::No(proof) => (ControlAnswer::Refused, clean(&proof, 160)),
                    Answer::Unreadable => (ControlAnswer::Unclear, format!("{} bytes that do not parse", reply.len())),
                };
                break;
            }
            Err(Trouble::Silent(_)) => {}
            Err(Trouble::Refused | Trouble::Closed) => {
                found = (ControlAnswer::Refused, "the port was refused".to_owned());
                break;
            }
            Err(t) => return Err(t),
        }
    }
    let (answer, proof) = found;
    ctx.record(s.endpoint, Observation::Controlled { question, answer, proof }, Some(socket.close()));
    Ok(())
}
