//! Connections that are held open with as little as possible, and what becomes of others meanwhile.
use super::{
    ask::Target,
    series::{Series, millis},
    sets::Case,
};
use crate::model::{Sha256Digest, observation::malformed::Event, observation::malformed::Standing};
use crate::scan::{
    net::{Trouble, Wire},
    session::Ctx,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Between two ordinary questions, and between two bytes of a slow client.
const BEAT: Duration = Duration::from_secs(1);
const ANSWER: Duration = Duration::from_secs(2);

/// Holds `connections`. Where one alone shuts others out, it is tried a second time.
pub async fn run(series: &Series<'_>, case: &'static Case, connections: u32) -> Result<(), Trouble> {
    let meanwhile = once(series, case, connections).await?;
    if connections == 1 && meanwhile != Standing::Answers {
        sleep(super::apart(series.ctx)).await;
        once(series, case, connections).await?;
    }
    Ok(())
}

async fn once(series: &Series<'_>, case: &'static Case, connections: u32) -> Result<Standing, Trouble> {
    let mut held = open(series.ctx, series.target, case, connections).await?;
    let (since, hold) = (Instant::now(), Duration::from_secs(u64::from(series.grant.hold_seconds)));
    let (mut meanwhile, mut closed_after_ms) = (None, None);
    while since.elapsed() < hold && !series.ctx.session.stopped() {
        sleep(BEAT).await;
        let standing = series.standing(ANSWER).await?;
        meanwhile = Some(meanwhile.map_or(standing, |m: Standing| m.min(standing)));
        for wire in &mut held {
            if !case.drip.is_empty() {
                let _ = wire.send(case.drip.as_bytes()).await;
            }
        }
        if closed_after_ms.is_none() && first_closed(&mut held).await {
            closed_after_ms = Some(millis(since.elapsed()));
        }
        if closed_after_ms.is_some() && meanwhile == Some(Standing::Answers) {
            break;
        }
    }
    let held_ms = millis(since.elapsed());
    let tape = close(held).await;
    let back_after_ms = series.back(Instant::now()).await?;
    let meanwhile = meanwhile.unwrap_or(Standing::Silent);
    let case = case.id.clone();
    series.record(Event::Held { case, connections, held_ms, meanwhile, closed_after_ms, back_after_ms }, tape);
    Ok(meanwhile)
}

/// As many as it takes; one that takes fewer than are wanted is held by those.
async fn open(ctx: &Ctx, target: &Target, case: &Case, connections: u32) -> Result<Vec<Wire>, Trouble> {
    let mut held = Vec::new();
    for n in 0..connections {
        let mut wire = match target.hold(ctx).await {
            Ok(wire) => wire,
            Err(t) if n == 0 => return Err(t),
            Err(_) => break,
        };
        if wire.send(&target.bytes(case)).await.is_err() {
            break;
        }
        held.push(wire);
    }
    Ok(held)
}

/// Whether the device closed the first of them.
async fn first_closed(held: &mut [Wire]) -> bool {
    let Some(wire) = held.first_mut() else { return true };
    matches!(wire.receive(Duration::from_millis(20)).await, Err(Trouble::Closed | Trouble::Refused))
}

/// Closes all; the transcript of the first is the one that is cited.
async fn close(held: Vec<Wire>) -> Option<Sha256Digest> {
    let mut first = None;
    for wire in held {
        let digest = wire.close().await;
        first = first.or(Some(digest));
    }
    first
}
