//! What services do with input that is wrong on purpose. Only where the scope file grants it; the last probe of all.
use super::{Probe, udp_services::questions_of};
use crate::model::{Endpoint, Observation, Touch, Transport, Why, observation::malformed::Set, scope::Pace};
use crate::scan::session::{Ctx, Identified};
use ask::{Question, Target};
use sets::{SETS, Spoken};
use std::{collections::BTreeSet, time::Duration};

mod ask;
mod hold;
mod series;
mod sets;

pub const PROBE: Probe = Probe {
    id: "malformed-input",
    version: 1,
    title: "whether wrong input is survived",
    page: include_str!("malformed_input.md"),
    touch: Touch::Stress,
    subjects_from: &["tcp-ports", "udp-services", "service-identify", "websockets"],
    run: |ctx| Box::pin(run(ctx)),
};

/// The longest that one kind of wrong input may take at one service.
const PER_SERIES: Duration = Duration::from_secs(1200);

async fn run(ctx: &Ctx) {
    let Some(grant) = ctx.session.scope.malformed else { return ctx.gap(None, Why::TooIntrusive) };
    for target in targets(ctx) {
        let (topic, e) = (target.set.id.word(), target.at.endpoint);
        if let Some(why) = ctx.leave(e).await {
            ctx.gap_of(topic, Some(e.into()), why);
        } else if begun(ctx, &target) {
            let why = "an interrupted scan sent wrong input here already, which is not sent again".to_owned();
            ctx.gap_of(topic, Some(e.into()), Why::NotUnderstood(why));
        } else {
            match tokio::time::timeout(PER_SERIES, series::run(ctx, &target, grant)).await {
                Ok(Ok(())) => {}
                Ok(Err(t)) => ctx.trouble(Some(topic), e, &t),
                Err(_) => ctx.stuck(Some(topic), e, PER_SERIES).await,
            }
        }
    }
}

/// Every service with each kind of wrong input that is for it, in the order of the list.
fn targets(ctx: &Ctx) -> Vec<Target> {
    let services = ctx.services();
    let mut all = Vec::new();
    for set in SETS.iter() {
        for s in services.iter().filter(|s| s.endpoint.transport == set.transport()) {
            match set.spoken {
                Spoken::Tls if s.tls => all.push(Target::new(set, s.clone(), String::new())),
                Spoken::Tls => {}
                Spoken::Plainly | Spoken::Udp if !set.services.contains(&s.service) => {}
                // MQTT inside a WebSocket is reached by the frames of the WebSocket alone.
                Spoken::Plainly if set.id != Set::WebSocket && s.says.iter().any(|w| w.contains("WebSocket")) => {}
                Spoken::Plainly if set.id == Set::Json => {
                    let paths = json_logins(ctx, s.endpoint).into_iter();
                    all.extend(paths.map(|path| Target::new(set, s.clone(), path)));
                }
                Spoken::Plainly if set.id == Set::WebSocket => {
                    let paths = web_sockets(ctx, s.endpoint).into_iter();
                    all.extend(paths.map(|path| Target::new(set, s.clone(), path)));
                }
                Spoken::Plainly | Spoken::Udp => all.push(Target::new(set, s.clone(), String::new())),
            }
        }
    }
    all
}

/// The paths of a server that take JSON from strangers.
fn json_logins(ctx: &Ctx, e: Endpoint) -> BTreeSet<String> {
    let path = |r: crate::model::Record| match r.observation {
        Observation::JsonLogin { path, .. } if r.subject == e.into() => Some(path),
        _ => None,
    };
    ctx.seen("json-logins").into_iter().filter_map(path).take(2).collect()
}

/// The paths of a server that became a WebSocket.
fn web_sockets(ctx: &Ctx, e: Endpoint) -> BTreeSet<String> {
    let path = |r: crate::model::Record| match r.observation {
        Observation::WebSocket { path, status: 101, .. } if r.subject == e.into() => Some(path),
        _ => None,
    };
    ctx.seen("websockets").into_iter().filter_map(path).take(2).collect()
}

/// Whether this recording holds wrong input of this kind at this service already.
fn begun(ctx: &Ctx, target: &Target) -> bool {
    ctx.seen("malformed-input").iter().filter(|r| r.subject == target.at.endpoint.into()).any(|r| {
        matches!(&r.observation, Observation::Malformed { malformed }
            if malformed.set == target.set.id && malformed.path == target.path)
    })
}

/// Ordinary questions that may do for a service: that of the list, or those by which it was found.
fn questions(set: &sets::SetRow, s: &Identified, path: &str) -> Vec<Question> {
    match set.transport() {
        Transport::Tcp => vec![Question(set.ordinary(s.endpoint, path))],
        Transport::Udp => questions_of(&s.service, s.endpoint).into_iter().map(|(_, bytes)| Question(bytes)).collect(),
    }
}

/// Between two cases.
fn pause(ctx: &Ctx) -> Duration {
    match ctx.session.scope.pace {
        Pace::Gentle | Pace::Adaptive => Duration::from_secs(1),
        Pace::Fast => Duration::from_millis(20),
    }
}

/// Between two sendings of a suspected case.
fn apart(ctx: &Ctx) -> Duration {
    match ctx.session.scope.pace {
        Pace::Gentle | Pace::Adaptive => Duration::from_secs(10),
        Pace::Fast => Duration::from_millis(500),
    }
}
