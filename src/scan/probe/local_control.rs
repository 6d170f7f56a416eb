//! Local control protocols of vendors: what they tell and do for somebody who never paired.
use super::{Probe, udp_services::unhex};
use crate::model::{
    Endpoint, Observation, Sha256Digest, Touch, Why,
    observation::{
        ControlAnswer,
        access::{Act, LocalControl},
        clean,
    },
};
use crate::scan::{
    data::{byte_pattern, rows},
    net::{Trouble, http::Request, wire::Replies},
    session::{Ctx, Identified},
};
use regex::bytes::Regex;
use serde::Deserialize;
use std::{sync::LazyLock, time::Duration};

pub const PROBE: Probe = Probe {
    id: "local-control",
    version: 1,
    title: "local control by strangers",
    page: include_str!("local_control.md"),
    touch: Touch::Ask,
    subjects_from: &["tcp-ports", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

const WAIT: Duration = Duration::from_secs(1);
const MOST: usize = 4096;

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Over {
    Tcp,
    Udp,
    Http,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    title: String,
    transport: Over,
    #[serde(default)]
    port: u16,
    #[serde(default)]
    hex: Option<bool>,
    #[serde(default)]
    xor: Option<u8>,
    read: String,
    state: String,
    #[serde(default)]
    refused: Option<String>,
    #[serde(default)]
    set: Option<String>,
    #[serde(default)]
    done: Option<String>,
}

static ROWS: LazyLock<Vec<Row>> =
    LazyLock::new(|| rows("local-control.toml", include_str!("../../../profiles/data/local-control.toml"), "protocol"));

impl Row {
    fn bytes(&self, text: &str) -> Vec<u8> {
        let plain = if self.hex == Some(true) { unhex(text) } else { text.as_bytes().to_vec() };
        let Some(first) = self.xor else { return plain };
        let hidden = chained(first, &plain);
        match self.transport {
            // Over TCP its length comes first.
            Over::Tcp => [u32::try_from(hidden.len()).unwrap_or(0).to_be_bytes().to_vec(), hidden].concat(),
            Over::Udp | Over::Http => hidden,
        }
    }

    fn plain(&self, reply: &[u8]) -> Vec<u8> {
        let Some(first) = self.xor else { return reply.to_vec() };
        let hidden = if self.transport == Over::Tcp { reply.get(4..).unwrap_or_default() } else { reply };
        let mut before = first;
        let open = |b: &u8| {
            let plain = b ^ before;
            before = *b;
            plain
        };
        hidden.iter().map(open).collect()
    }

    fn pattern(&self, text: &str) -> Regex {
        byte_pattern(&self.id, &format!("(?s){text}"))
    }

    fn reads(&self, reply: &[u8]) -> Option<(ControlAnswer, Option<String>)> {
        if self.refused.as_ref().is_some_and(|r| self.pattern(r).is_match(reply)) {
            return Some((ControlAnswer::Refused, None));
        }
        let found = self.pattern(&self.state).captures(reply)?;
        let state = found.get(1).map(|m| String::from_utf8_lossy(m.as_bytes()).into_owned());
        Some((ControlAnswer::Answered, state))
    }
}

/// Each byte combined with the one before it as it went out.
fn chained(first: u8, plain: &[u8]) -> Vec<u8> {
    let mut before = first;
    let hide = |b: &u8| {
        before ^= b;
        before
    };
    plain.iter().map(hide).collect()
}

async fn run(ctx: &Ctx) {
    let web = ctx.services_named(&["http"]);
    let open = ctx.open_tcp();
    let mut all: Vec<(&Row, Identified)> = Vec::new();
    for row in ROWS.iter() {
        match row.transport {
            Over::Http => all.extend(web.iter().map(|s| (row, s.clone()))),
            Over::Tcp => all.extend(open.iter().filter(|e| e.port == row.port).map(|e| (row, bare(*e)))),
            Over::Udp if wanted(ctx, row.port) => {
                all.extend(ctx.session.hosts.iter().map(|h| (row, bare(Endpoint::udp(*h, row.port)))));
            }
            Over::Udp => ctx.gap(None, Why::OutOfScope),
        }
    }
    ctx.each(
        all,
        |a| a.1.endpoint,
        |(row, at)| async move {
            if let Err(t) = look(ctx, row, &at).await {
                ctx.trouble(None, at.endpoint, &t);
            }
        },
    )
    .await;
}

fn bare(endpoint: Endpoint) -> Identified {
    Identified { endpoint, service: String::new(), tls: false, starttls: false, vendor: None, says: Vec::new() }
}

/// Whether the scope leaves this UDP port to us: its own list is asked and no other.
fn wanted(ctx: &Ctx, port: u16) -> bool {
    let scope = &ctx.session.scope;
    !scope.excluded_ports.contains(&port) && scope.ports.udp.as_ref().is_none_or(|u| u.contains(&port))
}

async fn look(ctx: &Ctx, row: &Row, at: &Identified) -> Result<(), Trouble> {
    let Some((reply, tape)) = ask(ctx, row, at, &row.read).await? else { return Ok(()) };
    let Some((answer, state)) = row.reads(&reply) else { return Ok(()) };
    let record = |act, answer, proof: String, tape| {
        let control = LocalControl { protocol: row.id.clone(), title: row.title.clone(), act, answer, proof };
        ctx.record(at.endpoint, Observation::LocalControl { control }, Some(tape));
    };
    let told = state.as_ref().map_or_else(String::new, |s| format!("its state is {}", clean(s, 20)));
    record(Act::Read, answer, told, tape);
    let (Some(set), Some(done), Some(state)) = (&row.set, &row.done, state) else { return Ok(()) };
    if ctx.session.scope.most < Touch::Alter {
        ctx.gap_of("set", Some(at.endpoint.into()), Why::TooIntrusive);
        return Ok(());
    }
    let Some((reply, tape)) = ask(ctx, row, at, &set.replace("{}", &state)).await? else {
        return Err(Trouble::NotUnderstood("nothing came back when the state was set".to_owned()));
    };
    let answer = match row.pattern(done).is_match(&reply) {
        true => ControlAnswer::Answered,
        false if row.refused.as_ref().is_some_and(|r| row.pattern(r).is_match(&reply)) => ControlAnswer::Refused,
        false => ControlAnswer::Unclear,
    };
    let after = ask(ctx, row, at, &row.read).await?.and_then(|(r, _)| row.reads(&r)).and_then(|r| r.1);
    let same = if after.as_ref() == Some(&state) { "the same" } else { "not the same" };
    record(Act::SetAsItIs, answer, format!("its state afterwards is {same}"), tape);
    Ok(())
}

/// One question. Nothing where nothing came: a port where nobody answers is no service.
async fn ask(ctx: &Ctx, row: &Row, at: &Identified, text: &str) -> Result<Option<(Vec<u8>, Sha256Digest)>, Trouble> {
    match row.transport {
        Over::Http => {
            let reply = ctx.http(at, Request::get(at.endpoint.addr().to_string(), text), &[]).await?;
            // What a server says to everybody is told by its status; a state comes with 200.
            Ok(Some((reply.body, reply.transcript)))
        }
        Over::Tcp => {
            let mut wire = ctx.tcp(at.endpoint).await?;
            wire.send(&row.bytes(text)).await?;
            let reply = wire.collect(WAIT, WAIT * 2, MOST, |b| b.ends_with(b"}") || b.ends_with(b"\n")).await;
            let tape = wire.close().await;
            heard(reply).map(|r| r.map(|r| (row.plain(&r), tape)))
        }
        Over::Udp => {
            let mut socket = ctx.udp(at.endpoint, Replies::ThatPort).await?;
            let sent = socket.send(&row.bytes(text)).await;
            let reply = match sent {
                Ok(()) => socket.receive(WAIT).await,
                Err(t) => Err(t),
            };
            let tape = socket.close();
            heard(reply).map(|r| r.map(|r| (row.plain(&r), tape)))
        }
    }
}

fn heard(reply: Result<Vec<u8>, Trouble>) -> Result<Option<Vec<u8>>, Trouble> {
    match reply {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Trouble::Silent(_) | Trouble::Closed | Trouble::Refused) => Ok(None),
        Err(t) => Err(t),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str) -> &'static Row {
        ROWS.iter().find(|r| r.id == id).unwrap()
    }

    #[test]
    fn every_row_names_a_source_and_says_both_or_none_of_set_and_done() {
        let all: toml::Table = toml::from_str(include_str!("../../../profiles/data/local-control.toml")).unwrap();
        for r in all["protocol"].as_array().unwrap() {
            assert!(all["source"].as_table().unwrap().contains_key(r["source"].as_str().unwrap()), "{r}");
        }
        for r in ROWS.iter() {
            assert_eq!(r.set.is_some(), r.done.is_some(), "{}", r.id);
            r.pattern(&r.state);
        }
    }

    #[test]
    fn what_is_hidden_is_the_published_question_and_is_read_back() {
        let kasa = row("kasa-tcp");
        let sent = kasa.bytes(&kasa.read);
        assert_eq!(sent[..8], [0, 0, 0, 29, 0xd0, 0xf2, 0x81, 0xf8]);
        assert_eq!(kasa.plain(&sent), kasa.read.as_bytes());
    }

    #[test]
    fn a_state_is_read_a_refusal_is_told_and_no_echo_is_a_state() {
        let tasmota = row("tasmota-http");
        assert_eq!(tasmota.reads(b"{\"POWER\":\"ON\"}"), Some((ControlAnswer::Answered, Some("ON".to_owned()))));
        let refused = b"{\"WARNING\":\"Need user=<username>&password=<password>\"}";
        assert_eq!(tasmota.reads(refused), Some((ControlAnswer::Refused, None)));
        assert_eq!(tasmota.reads(b"<html>POWER ON</html>"), None);
        for r in ROWS.iter().filter(|r| r.transport != Over::Http) {
            assert_eq!(r.reads(&r.plain(&r.bytes(&r.read))), None, "{} takes its own question for an answer", r.id);
        }
    }
}
