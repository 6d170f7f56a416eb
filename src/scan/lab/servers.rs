//! The server cases, one per connection: what does the device do when one thing is wrong?
use super::{
    director::{Director, Run},
    order,
};
use crate::model::{
    Why,
    observation::lab::{End, ServerCase},
};
use std::time::Duration;
use tokio::time::Instant;

/// Whether the device came at all.
pub async fn servers(d: &mut Director<'_>) -> bool {
    let run = d.start(super::SERVERS);
    let mut waits = true;
    for (n, case) in order(d.plan).into_iter().enumerate() {
        if d.stopped() {
            return false;
        }
        if d.over() {
            run.gap(Some(case.topic()), Why::NotUnderstood("the laboratory's time was over".to_owned()));
            continue;
        }
        d.says(&format!("waiting for the device: {}", case.words()));
        let serial = d.show(case).await;
        let came = match case {
            ServerCase::HttpsRefused | ServerCase::RedirectToHttp => fallback(d, &run, serial).await,
            _ => visit(d, &run, serial).await,
        };
        match came {
            Came::Tls => {}
            _ if d.stopped() => return false,
            Came::Plain if n == 0 => {
                let why = "the device uses plain HTTP, so that it saw no certificate";
                for topic in ["certificates", "versions", "fallback"] {
                    run.gap(Some(topic), Why::NotUnderstood(why.to_owned()));
                }
                break;
            }
            Came::Nobody if n == 0 => {
                run.gap(None, Why::NotUnderstood(nobody(d)));
                waits = false;
                break;
            }
            Came::Plain | Came::Nobody => {
                let why =
                    format!("the device was shown {} for {} s and did not come", case.words(), d.plan.case_seconds);
                run.gap(Some(case.topic()), Why::NotUnderstood(why));
            }
        }
    }
    d.rest().await;
    missing(d, &run);
    run.finish();
    waits
}

enum Came {
    Tls,
    Plain,
    Nobody,
}

/// Waits for a connection that got to see the case.
async fn visit(d: &mut Director<'_>, run: &Run, serial: u64) -> Came {
    let until = d.patience();
    let mut plain = false;
    while let Some(came) = d.next(run, until).await {
        match &came.visit.tls {
            Some(tls) if came.serial == serial && !tls.offered.is_empty() => return Came::Tls,
            None if came.visit.request.is_some() => plain = true,
            Some(_) | None => {}
        }
    }
    if plain { Came::Plain } else { Came::Nobody }
}

/// Waits for the refusal or redirection to be met, and then for what the device does in plain HTTP.
async fn fallback(d: &mut Director<'_>, run: &Run, serial: u64) -> Came {
    let mut until = d.patience();
    let mut met = false;
    while let Some(came) = d.next(run, until).await {
        let reset = came.visit.tls.as_ref().is_some_and(|t| t.end == End::Reset);
        if came.serial != serial {
            continue;
        }
        if came.visit.tls.is_none() && came.visit.request.is_some() {
            return Came::Tls;
        }
        if !met && (reset || came.visit.request.is_some()) {
            met = true;
            until = Instant::now() + Duration::from_secs(d.plan.fallback_seconds);
        }
    }
    if met { Came::Tls } else { Came::Nobody }
}

fn nobody(d: &Director<'_>) -> String {
    let asked: Vec<&str> = d.asked.iter().map(String::as_str).take(8).collect();
    let dns = match (asked.is_empty(), &d.plan.dns) {
        (_, None) => "the plan has no name server".to_owned(),
        (true, Some(_)) => "it asked for no name".to_owned(),
        (false, Some(_)) => format!("it asked for {}", asked.join(", ")),
    };
    format!(
        "the device opened no connection within {} s ({dns}); start an update check in its app or by power-cycling it, give the plan a trigger, raise case_seconds, and check that the device uses this machine as its name server",
        d.plan.case_seconds
    )
}

/// What the plan left out.
fn missing(d: &Director<'_>, run: &Run) {
    let all = [&ServerCase::BAD_CERTIFICATES[..], &ServerCase::OLD_VERSIONS, &ServerCase::FALLBACKS].concat();
    for case in all.into_iter().filter(|c| !d.plan.cases.contains(c)) {
        run.gap(Some(case.topic()), Why::NotUnderstood(format!("the plan leaves out {}", case.words())));
    }
}
