//! Whether those get in who may: the accounts that people supply, at every log-in that knows them.
use super::{
    Probe,
    accounts::{self, Known},
    login::{Door, doors},
};
use crate::model::{
    Observation, Touch, Why,
    observation::{Answer, Presented},
};
use crate::scan::{net::Trouble, session::Ctx};

pub const PROBE: Probe = Probe {
    id: "given-logins",
    version: 1,
    title: "log-ins with supplied accounts",
    page: include_str!("given_logins.md"),
    touch: Touch::LogIn,
    subjects_from: &[
        "tcp-ports",
        "service-identify",
        "http-surface",
        "json-logins",
        "rtsp-streams",
        "coap-resources",
        "cwmp-connreq",
        "onvif-services",
        "logins",
    ],
    run: |ctx| Box::pin(run(ctx)),
};

async fn run(ctx: &Ctx) {
    if ctx.session.scope.accounts.is_empty() {
        return ctx.gap(None, Why::NotSupplied);
    }
    for door in &doors(ctx) {
        let (at, topic) = (door.endpoint(), door.mechanism().word());
        if let Some(why) = ctx.leave(at).await {
            ctx.gap_of(topic, Some(at.into()), why);
            continue;
        }
        match accounts::supplied(ctx, door) {
            Ok(all) => {
                for known in all {
                    if let Err(t) = enter(ctx, door, &known).await {
                        ctx.trouble(Some(topic), at, &t);
                    }
                }
            }
            Err(t) => ctx.trouble(Some(topic), at, &t),
        }
    }
}

/// One log-in, charged to the account until it is accepted.
async fn enter(ctx: &Ctx, door: &Door, known: &Known) -> Result<(), Trouble> {
    if ctx.lock_signs() {
        return Err(Trouble::NotUnderstood("a service showed signs of a lock".to_owned()));
    }
    let ticket = known.charge(ctx)?;
    let tried = door.try_pair(ctx, &known.user, &known.secret).await?;
    match tried.answer {
        Answer::Accepted => known.accepted(ctx, ticket),
        Answer::LockSign => ctx.lock_sign(),
        Answer::Refused | Answer::Unclear => {}
    }
    let (mechanism, user) = (door.mechanism(), known.user.clone());
    let (answer, proof, presented) = (tried.answer, tried.proof, Presented::Supplied);
    let trial = Observation::LoginTrial { mechanism, user, presented, obvious: None, answer, proof };
    ctx.record(door.endpoint(), trial, tried.transcript);
    Ok(())
}
