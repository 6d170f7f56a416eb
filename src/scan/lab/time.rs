//! A wrong time: does the device, which asks the laboratory for the time, then believe what is over, and does it recover?
use super::{
    certs,
    director::{Director, Run, ms},
    images::{self, Trials},
    version,
};
use crate::{
    model::{
        Observation, Subject, Why,
        observation::lab::{ClockMove, End, Met, ServerCase, Told},
    },
    scan::clock,
};
use serde::Deserialize;
use std::time::Duration;
use tokio::time::Instant;

pub const ID: &str = "lab-clock";
const BETWEEN: Duration = Duration::from_millis(250);

/// The time server, and which wrong times it tells.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ntp {
    #[serde(default = "Ntp::default_port")]
    pub port: u16,
    /// None: it always tells the right time.
    #[serde(rename = "wrong", default)]
    pub wrong_times: Vec<Told>,
    /// Where the device looks for the time: these names lead here, too.
    #[serde(default)]
    pub names: Vec<String>,
    /// A command that makes the device ask for the time, such as one that switches it off and on.
    #[serde(default)]
    pub ask: Vec<String>,
}

impl Ntp {
    fn default_port() -> u16 {
        123
    }
}

pub async fn clock(d: &mut Director<'_>, trials: Option<&Trials>, came: bool) {
    let wrong_times = d.plan.ntp.as_ref().map(|n| n.wrong_times.clone()).unwrap_or_default();
    if wrong_times.is_empty() || d.stopped() {
        return;
    }
    let run = d.start(ID);
    if !came {
        let why = "the device did not look for updates, so that it was told no wrong time";
        run.gap(None, Why::NotUnderstood(why.to_owned()));
        return run.finish();
    }
    for told in wrong_times {
        d.says(&format!("the device is told {}", told.words()));
        let moved = moved(d, &run, told, trials).await;
        d.stage.set_off(0);
        d.rest().await;
        match moved {
            Some(moved) => run.record(Subject::Device, Observation::LabClock { moved }, None),
            None if d.stopped() => return,
            None => run.gap(Some(told.topic()), Why::NotUnderstood("the laboratory's time was over".to_owned())),
        }
    }
    run.finish();
}

/// `None`: the run was stopped, or its time was over.
async fn moved(d: &mut Director<'_>, run: &Run, told: Told, trials: Option<&Trials>) -> Option<ClockMove> {
    if d.over() {
        return None;
    }
    let (start, off_s) = (Instant::now(), off(told)?);
    tell(d, run, off_s).await;
    let met = match told {
        Told::Past => met(d, run, ServerCase::Expired).await,
        Told::Future => met(d, run, ServerCase::Genuine).await,
    };
    if let (Told::Past, Met::Believed, Some(trials)) = (told, met, trials) {
        images::while_moved(d, run, trials).await;
    }
    let asked = d.told;
    tell(d, run, 0).await;
    let met_after = self::met(d, run, ServerCase::Genuine).await;
    let (asked_after, waited_ms) = (d.told, ms(start.elapsed()));
    (!d.stopped()).then_some(ClockMove { told, off_s, asked, met, asked_after, met_after, waited_ms })
}

/// How many seconds it is off.
fn off(told: Told) -> Option<i64> {
    let now = clock::unix_ms() / 1000;
    match told {
        Told::Past => Some(certs::IN_FORCE.parse::<jiff::Timestamp>().ok()?.as_second() - now),
        Told::Future => Some(certs::OVER_HOURS * 3600),
    }
}

/// Tells a time until the device asked for it or the case's time is over.
async fn tell(d: &mut Director<'_>, run: &Run, off_s: i64) {
    d.stage.set_off(off_s);
    d.told = 0;
    if let Some(ntp) = d.plan.ntp.as_ref().filter(|n| !n.ask.is_empty()) {
        let _ = version::output(&ntp.ask).await;
    }
    let until = d.patience();
    while d.told == 0 && Instant::now() < until && !d.stopped() {
        d.pass(run, BETWEEN).await;
    }
    // What it began before it asked still comes.
    d.pass(run, BETWEEN).await;
}

/// How it meets a server. One that refuses has the whole case's time to think better of the genuine one.
async fn met(d: &mut Director<'_>, run: &Run, case: ServerCase) -> Met {
    let serial = d.show(case).await;
    let until = d.patience();
    let mut met = Met::NoOne;
    while let Some(came) = d.next(run, until).await {
        let Some(tls) = came.visit.tls.as_ref().filter(|t| came.serial == serial && !t.offered.is_empty()) else {
            continue;
        };
        if came.visit.request.is_some() {
            return Met::Believed;
        }
        // A hello that led nowhere is no refusal of a certificate.
        if !matches!(tls.end, End::NotUnderstood { .. }) {
            met = Met::Refused;
        }
        if case != ServerCase::Genuine && met == Met::Refused {
            return met;
        }
    }
    met
}
