//! Whether a client of a broker may take another's place by using its client id.
use super::{
    Probe, accounts,
    accounts::Known,
    login::{Door, doors},
    mqtt::{Client, Level},
};
use crate::model::{
    Observation, Touch, Why,
    observation::{Mechanism, Presented, access::Takeover},
};
use crate::scan::{net::Trouble, session::Ctx};

pub const PROBE: Probe = Probe {
    id: "mqtt-takeover",
    version: 1,
    title: "client ids of the MQTT broker",
    page: include_str!("mqtt_takeover.md"),
    touch: Touch::LogIn,
    subjects_from: &["tcp-ports", "service-identify", "mqtt-session", "logins"],
    run: |ctx| Box::pin(run(ctx)),
};

async fn run(ctx: &Ctx) {
    for door in doors(ctx).iter().filter(|d| d.mechanism() == Mechanism::Mqtt) {
        if let Some(why) = ctx.leave(door.endpoint()).await {
            ctx.gap(Some(door.endpoint().into()), why);
        } else if ctx.lock_signs() {
            let why = "another service showed signs of a lock".to_owned();
            ctx.gap(Some(door.endpoint().into()), Why::NotUnderstood(why));
        } else if let Err(t) = look(ctx, door).await {
            ctx.trouble(None, door.endpoint(), &t);
        }
    }
}

/// Somebody whom the broker lets in; nobody in particular where it asks for no name.
type Who = Option<Known>;

fn words(who: &Who) -> String {
    who.as_ref().map_or_else(|| "somebody without a name".to_owned(), Known::words)
}

async fn look(ctx: &Ctx, door: &Door) -> Result<(), Trouble> {
    let mut all: Vec<Who> = accounts::all(ctx, door)?.into_iter().map(Some).collect();
    if lets_in_anybody(ctx, door) {
        all.insert(0, None);
    }
    let mut all = all.iter();
    let (Some(first), Some(second)) = (all.next(), all.next()) else {
        ctx.gap(Some(door.endpoint().into()), Why::NotSupplied);
        return Ok(());
    };
    let apart = meet(ctx, door, first, second, [&id(), &id()]).await?;
    let shared = id();
    let met = meet(ctx, door, first, second, [&shared, &shared]).await?;
    let takeover = Takeover {
        first: words(first),
        second: words(second),
        code: met.code,
        second_works: met.second_works,
        first_stays: met.first_stays,
        apart: apart.first_stays && apart.second_works,
    };
    ctx.record(door.endpoint(), Observation::MqttTakeover { takeover }, Some(met.tape));
    Ok(())
}

/// An id that no client of the device has.
fn id() -> String {
    format!("patuh-{:08x}", rand::random::<u32>())
}

fn lets_in_anybody(ctx: &Ctx, door: &Door) -> bool {
    ctx.seen("mqtt-session").iter().filter(|r| r.subject == door.endpoint().into()).any(|r| {
        matches!(&r.observation, Observation::MqttConnect { presented: Presented::Nothing, answers_ping: true, .. })
    })
}

struct Met {
    code: u8,
    second_works: bool,
    first_stays: bool,
    tape: crate::model::Sha256Digest,
}

async fn meet(ctx: &Ctx, door: &Door, first: &Who, second: &Who, ids: [&str; 2]) -> Result<Met, Trouble> {
    let [one, two] = ids;
    let (mut a, code) = enter(ctx, door, first, one).await?;
    if code != 0 || !a.ping().await {
        a.close().await;
        return Err(Trouble::NotUnderstood(format!("{} was not let in (code {code})", words(first))));
    }
    let (mut b, code) = enter(ctx, door, second, two).await?;
    let second_works = code == 0 && b.ping().await;
    let first_stays = a.ping().await;
    let tape = b.close().await;
    a.close().await;
    Ok(Met { code, second_works, first_stays, tape })
}

async fn enter(ctx: &Ctx, door: &Door, who: &Who, id: &str) -> Result<(Client, u8), Trouble> {
    let Some(known) = who else { return Client::connect_as(ctx, door.at(), Level::V311, None, id).await };
    let ticket = known.charge(ctx)?;
    let entered = Client::connect_as(ctx, door.at(), Level::V311, Some((&known.user, &known.secret)), id).await?;
    if entered.1 == 0 {
        known.accepted(ctx, ticket);
    }
    Ok(entered)
}
