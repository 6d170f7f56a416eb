//! A WebSocket must ask who is there before it tells anything.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::Observation;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "ws-unauth",
    title: "WebSockets need a log-in",
    page: include_str!("ws_unauth.md"),
    expected: "no WebSocket sends data to somebody who has not logged in",
    remedy: "authenticate at the upgrade, or in the first message before anything else is sent; check the Origin",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["websockets"],
    bind: bind::<WsUnauth>,
};

/// Policy violation (RFC 6455, 7.4.1), and what applications use for "not logged in" and "not allowed".
const DENIED: [u16; 4] = [1008, 3000, 4401, 4403];
/// One message may be a greeting.
const STREAM: u32 = 2;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WsUnauth {}

impl Judge for WsUnauth {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let asked = evidence.known("websockets", |r| match &r.observation {
            o @ Observation::WebSocket { .. } => Some(o),
            _ => None,
        });
        every(&asked, "no WebSocket", |seen| match seen.what {
            Observation::WebSocket { path, status, messages, bytes, close, asks_in_band, sensitive } => {
                let what = format!("{} {path}", seen.subject());
                match close {
                    _ if !sensitive.is_empty() => {
                        Point::Bad(format!("{what}: it sent {} without a log-in", sensitive.join(", ")))
                    }
                    _ if *messages >= STREAM => {
                        Point::Bad(format!("{what}: {messages} messages ({bytes} bytes) came without a log-in"))
                    }
                    _ if *messages > 0 => {
                        Point::Unclear(format!("{what}: one message of {bytes} bytes came; is it the device's data?"))
                    }
                    _ if matches!(status, 401 | 403) => Point::Good(format!("{what}: refused with status {status}")),
                    Some(code) if DENIED.contains(code) => Point::Good(format!("{what}: closed with {code}")),
                    _ if *asks_in_band => Point::Good(format!("{what}: it asks for a log-in and sends nothing else")),
                    _ => Point::Unclear(format!("{what}: it opens and sends nothing; are commands taken?")),
                }
            }
            _ => Point::Unclear(String::new()),
        })
    }
}
