//! Whether what a stranger publishes reaches the clients of others. Only messages without meaning, on topics that nobody has.
use super::{
    Probe,
    mqtt::{Client, Level},
};
use crate::model::{
    Endpoint, Observation, Touch,
    observation::{Presented, clean},
};
use crate::scan::{
    net::Trouble,
    session::{Ctx, Identified},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

pub const PROBE: Probe = Probe {
    id: "mqtt-publish",
    version: 1,
    title: "what MQTT strangers publish",
    page: include_str!("mqtt_publish.md"),
    touch: Touch::Alter,
    subjects_from: &["mqtt-session"],
    run: |ctx| Box::pin(run(ctx)),
};

/// How long a message is waited for.
const WAIT: Duration = Duration::from_secs(2);
/// Topics of others below which something is published.
const MOST: usize = 2;
/// Segments by which devices are told to do something: nothing is published below them.
const COMMANDS: [&str; 8] = ["cmd", "cmnd", "command", "set", "ctrl", "control", "action", "rpc"];

async fn run(ctx: &Ctx) {
    let mut open: BTreeSet<Endpoint> = BTreeSet::new();
    let mut topics: BTreeMap<Endpoint, BTreeSet<String>> = BTreeMap::new();
    for r in ctx.seen("mqtt-session") {
        let Some(at) = r.subject.endpoint() else { continue };
        match r.observation {
            Observation::MqttConnect { presented: Presented::Nothing, accepted: true, answers_ping: true, .. } => {
                open.insert(at);
            }
            Observation::MqttSubscribe { delivered, .. } => {
                topics.entry(at).or_default().extend(delivered.iter().filter_map(|d| root(&d.topic)));
            }
            _ => {}
        }
    }
    let services = ctx.services_named(&["mqtt"]).into_iter().filter(|s| open.contains(&s.endpoint)).collect();
    ctx.each(
        services,
        |s: &Identified| s.endpoint,
        |s| {
            let known = topics.get(&s.endpoint).cloned().unwrap_or_default();
            async move {
                let foreign = known.into_iter().take(MOST).map(|root| (root, true));
                for (root, foreign) in std::iter::once(("patuh".to_owned(), false)).chain(foreign) {
                    if let Err(t) = publish(ctx, &s, &root, foreign).await {
                        return ctx.trouble(None, s.endpoint, &t);
                    }
                }
            }
        },
    )
    .await;
}

/// What a topic is below, unless that is for commands or of the broker itself.
fn root(topic: &str) -> Option<String> {
    let parts: Vec<&str> = topic.split('/').collect();
    let (_, above) = parts.split_last()?;
    let command = |s: &&str| COMMANDS.contains(&s.to_ascii_lowercase().as_str());
    let usable = !above.is_empty() && !topic.starts_with('$') && !parts.iter().any(command);
    usable.then(|| above.join("/"))
}

async fn publish(ctx: &Ctx, s: &Identified, root: &str, foreign: bool) -> Result<(), Trouble> {
    let topic = format!("{root}/patuh-{:016x}", rand::random::<u64>());
    let (mut observer, code) = Client::connect(ctx, s, Level::V311, None).await?;
    let subscribed = code == 0 && observer.subscribe(&topic).await? < 0x80;
    let code = match Client::connect(ctx, s, Level::V5, None).await? {
        (mut client, 0) => {
            let code = client.publish_v5(&topic, b"patuh").await;
            client.close().await;
            code
        }
        (client, _) => {
            client.close().await;
            let (mut client, _) = Client::connect(ctx, s, Level::V311, None).await?;
            client.publish(&topic, b"patuh").await?;
            client.close().await;
            None
        }
    };
    let delivered = subscribed && observer.messages(WAIT).await.iter().any(|m| m.0 == topic);
    let tape = observer.close().await;
    let topic = clean(&topic, 200);
    ctx.record(s.endpoint, Observation::MqttPublish { topic, foreign, code, subscribed, delivered }, Some(tape));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_published_below_commands_or_the_brokers_own_topics() {
        assert_eq!(root("home/kitchen/temp").as_deref(), Some("home/kitchen"));
        for topic in ["$SYS/broker/load", "home/cmnd/power", "home/lamp/SET", "status"] {
            assert_eq!(root(topic), None, "{topic}");
        }
    }
}
