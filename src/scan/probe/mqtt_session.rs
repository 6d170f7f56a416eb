//! What an MQTT broker lets a stranger do.
use super::{
    Probe,
    mqtt::{Client, Level},
};
use crate::model::{
    Observation, Touch,
    observation::{Delivered, Presented, clean},
};
use crate::scan::{
    net::Trouble,
    sensitive,
    session::{Ctx, Identified},
};
use std::time::Duration;

pub const PROBE: Probe = Probe {
    id: "mqtt-session",
    version: 1,
    title: "what the MQTT broker allows",
    page: include_str!("mqtt_session.md"),
    touch: Touch::Ask,
    subjects_from: &["tcp-ports", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

async fn run(ctx: &Ctx) {
    ctx.each(
        ctx.services_named(&["mqtt"]),
        |s| s.endpoint,
        |s| async move {
            for level in [Level::V311, Level::V5] {
                if let Err(t) = look(ctx, &s, level).await {
                    ctx.trouble(None, s.endpoint, &t);
                }
            }
        },
    )
    .await;
}

async fn look(ctx: &Ctx, s: &Identified, level: Level) -> Result<(), Trouble> {
    let user = format!("patuh{:08x}", rand::random::<u32>());
    let secret = format!("{:020x}", rand::random::<u128>());
    let mut anonymous = false;
    for (presented, login) in [(Presented::Nothing, None), (Presented::Wrong, Some((user.as_str(), secret.as_str())))] {
        let (mut client, code) = Client::connect(ctx, s, level, login).await?;
        let accepted = code == 0;
        // Some brokers refuse after the CONNACK: a session counts only once it works.
        let answers_ping = accepted && client.ping().await;
        anonymous |= accepted && presented == Presented::Nothing;
        let tape = client.close().await;
        let protocol = level.word().to_owned();
        ctx.record(
            s.endpoint,
            Observation::MqttConnect { protocol, presented, code, accepted, answers_ping },
            Some(tape),
        );
    }
    if anonymous && level == Level::V311 {
        for filter in ["#", "$SYS/#"] {
            subscribe(ctx, s, filter).await?;
        }
    }
    Ok(())
}

/// A granted subscription proves nothing: what counts is what is delivered.
async fn subscribe(ctx: &Ctx, s: &Identified, filter: &str) -> Result<(), Trouble> {
    let (mut client, _) = Client::connect(ctx, s, Level::V311, None).await?;
    let code = client.subscribe(filter).await?;
    let canary = format!("patuh/canary/{:016x}", rand::random::<u64>());
    if code < 0x80 && filter == "#" {
        let (mut other, _) = Client::connect(ctx, s, Level::V311, None).await?;
        other.publish(&canary, b"patuh").await?;
        other.close().await;
    }
    let messages = client.messages(Duration::from_secs(3)).await;
    let tape = client.close().await;
    let canary_delivered = messages.iter().any(|m| m.0 == canary);
    let delivered = messages
        .into_iter()
        .filter(|m| m.0 != canary)
        .take(500)
        .map(|(topic, retained, payload)| Delivered {
            sensitive: sensitive::classes(&format!("{topic} {}", String::from_utf8_lossy(&payload))),
            topic: clean(&topic, 200),
            retained,
            bytes: payload.len() as u64,
        })
        .collect();
    let (filter, granted, presented) = (filter.to_owned(), code < 0x80, Presented::Nothing);
    let seen = Observation::MqttSubscribe { filter, granted, code, delivered, canary_delivered, presented };
    ctx.record(s.endpoint, seen, Some(tape));
    Ok(())
}
