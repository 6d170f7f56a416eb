//! Isolation of a device that can no longer be updated: taken off the network as its maker declares, watched there, and
//! brought back.
use super::{
    director::{Director, Run, ms},
    plan::Isolation,
    version,
};
use crate::model::{
    Observation, Subject, Why,
    observation::lab::{IsolationPhase, Phase},
};
use std::time::Duration;
use tokio::time::Instant;

pub const ID: &str = "lab-isolation";
/// What the device had begun before it was isolated may still arrive so long.
const ON_ITS_WAY: Duration = Duration::from_secs(2);

pub async fn isolation(d: &mut Director<'_>, came: bool) {
    let Some(plan) = d.plan.isolation.clone() else { return };
    if d.stopped() {
        return;
    }
    let run = d.start(ID);
    match came {
        true => phases(d, &run, &plan).await,
        false => run.gap(None, Why::NotUnderstood("the device was not heard before it was isolated".to_owned())),
    }
    if !d.stopped() {
        run.finish();
    }
}

async fn phases(d: &mut Director<'_>, run: &Run, plan: &Isolation) {
    d.says("isolating the device, as it is declared");
    let watch = Duration::from_secs(plan.seconds);
    let before = watched(d, run, plan, Phase::Before, watch).await;
    if !before {
        let why = "before it was isolated, the device was not heard, or did not work";
        return run.gap(None, Why::NotUnderstood(why.to_owned()));
    }
    if version::output(&plan.isolate).await.is_none() {
        return run.gap(None, Why::NotUnderstood("the plan's command `isolation.isolate` failed".to_owned()));
    }
    d.pass(run, ON_ITS_WAY).await;
    watched(d, run, plan, Phase::Isolated, watch).await;
    if version::output(&plan.rejoin).await.is_none() {
        return run.gap(None, Why::NotUnderstood("the plan's command `isolation.rejoin` failed".to_owned()));
    }
    let patience = Duration::from_secs(d.plan.case_seconds);
    watched(d, run, plan, Phase::Rejoined, patience).await;
}

/// Whether it was heard, and worked. While it is isolated the whole time is waited for; else, until both are seen.
async fn watched(d: &mut Director<'_>, run: &Run, plan: &Isolation, phase: Phase, time: Duration) -> bool {
    let (start, from) = (Instant::now(), d.heard);
    let until = start + time;
    if phase != Phase::Isolated {
        d.prompt().await;
    }
    let mut works = false;
    while Instant::now() < until && !d.stopped() {
        d.pass(run, Duration::from_millis(500)).await;
        works = version::output(&plan.works).await.is_some();
        if phase != Phase::Isolated && works && d.heard > from {
            break;
        }
    }
    if d.stopped() {
        return false;
    }
    let heard = d.heard - from;
    let isolation = IsolationPhase { phase, heard, works, watched_ms: ms(start.elapsed()) };
    run.record(Subject::Device, Observation::LabIsolation { isolation }, None);
    works && heard > 0
}
