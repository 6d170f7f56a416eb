//! From a protocol in the clear to TLS on the same connection.
use crate::model::Endpoint;
use crate::scan::{
    net::{Trouble, Wire},
    session::Ctx,
};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(3);
const MOST: usize = 8192;

/// What has to be said before TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Start {
    AtOnce,
    Ftp,
    Smtp,
    Imap,
    Pop3,
}

impl Start {
    pub fn of(service: &str) -> Option<Self> {
        match service {
            "ftp" => Some(Self::Ftp),
            "smtp" => Some(Self::Smtp),
            "imap" => Some(Self::Imap),
            "pop3" => Some(Self::Pop3),
            _ => None,
        }
    }

    /// Questions and how a good answer to each begins, a line of it at least.
    fn words(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::AtOnce => &[],
            Self::Ftp => &[("AUTH TLS\r\n", "234")],
            Self::Smtp => &[("EHLO patuh.invalid\r\n", "250 "), ("STARTTLS\r\n", "220")],
            Self::Imap => &[("a STARTTLS\r\n", "a OK")],
            Self::Pop3 => &[("STLS\r\n", "+OK")],
        }
    }
}

/// An endpoint that speaks TLS, perhaps after some words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub endpoint: Endpoint,
    pub start: Start,
}

/// Every endpoint where TLS was found.
pub fn places(ctx: &Ctx) -> Vec<Place> {
    let place = |s: crate::scan::session::Identified| {
        let start = if s.tls { Some(Start::AtOnce) } else { Start::of(&s.service).filter(|_| s.starttls) };
        start.map(|start| Place { endpoint: s.endpoint, start })
    };
    ctx.services().into_iter().filter_map(place).collect()
}

/// A connection on which the next bytes are TLS.
pub async fn open(ctx: &Ctx, at: Place) -> Result<Wire, Trouble> {
    let mut wire = ctx.tcp(at.endpoint).await?;
    if at.start == Start::AtOnce {
        return Ok(wire);
    }
    match through(&mut wire, at.start).await {
        Ok(()) => Ok(wire),
        Err(t) => {
            wire.close().await;
            Err(t)
        }
    }
}

async fn through(wire: &mut Wire, start: Start) -> Result<(), Trouble> {
    wire.collect(WAIT, WAIT, MOST, |b| b.ends_with(b"\n")).await?;
    for (question, good) in start.words() {
        wire.send(question.as_bytes()).await?;
        let line = |b: &[u8]| String::from_utf8_lossy(b).lines().any(|l| l.starts_with(good));
        let over = |b: &[u8]| b.ends_with(b"\n") && (line(b) || refused(b));
        let reply = wire.collect(WAIT, WAIT, MOST, over).await?;
        if !line(&reply) {
            return Err(Trouble::NotUnderstood(format!("`{}` was not granted", question.trim_end())));
        }
    }
    Ok(())
}

fn refused(reply: &[u8]) -> bool {
    matches!(reply.first(), Some(b'4' | b'5' | b'-')) || reply.starts_with(b"a NO") || reply.starts_with(b"a BAD")
}
