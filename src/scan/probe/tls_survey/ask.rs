//! One hello after the other, with an end: so many, and so long.
use super::super::starttls::{self, Place};
use crate::model::{Sha256Digest, Why};
use crate::scan::{
    codec::{
        tls_flight::{Flight, Hello, Kex, Reply, reply},
        tls_names as names,
    },
    net::Trouble,
    session::{Ctx, FIRST_BYTE},
};
use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tokio::time::Instant;

/// Hellos that one endpoint is asked at most; a server with every suite of OpenSSL under four versions takes 180.
const MOST: u32 = 320;
/// How long one endpoint may take: less than what would make it count as stuck.
const LONGEST: Duration = Duration::from_secs(50);
/// A server that says nothing so often is not asked further.
const SILENCES: u32 = 3;
const LINGER: Duration = Duration::from_millis(150);

/// How much of the first flight is of interest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    Hello,
    Done,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Flight(Box<Flight>),
    Alert(u8),
    Closed,
}

/// Why nothing more is asked. The gap is written.
#[derive(Clone, Copy, Debug)]
pub struct Over;

pub struct Asker<'a> {
    pub ctx: &'a Ctx,
    pub at: Place,
    asked: AtomicU32,
    silences: AtomicU32,
    since: Instant,
}

pub fn kex(suite: u16) -> Kex {
    let name = names::suite(suite);
    match () {
        () if name.starts_with("TLS_ECDHE_PSK") || name.starts_with("TLS_DHE_PSK") => Kex::Other,
        () if name.starts_with("TLS_ECDHE_") || name.starts_with("TLS_ECDH_anon") => Kex::Curve,
        () if name.starts_with("TLS_DHE_") || name.starts_with("TLS_DH_anon") => Kex::FiniteField,
        () => Kex::Other,
    }
}

impl<'a> Asker<'a> {
    pub fn new(ctx: &'a Ctx, at: Place) -> Self {
        Self { ctx, at, asked: AtomicU32::new(0), silences: AtomicU32::new(0), since: Instant::now() }
    }

    fn over(&self, why: &str) -> Over {
        self.ctx.gap(Some(self.at.endpoint.into()), Why::NotUnderstood(why.to_owned()));
        Over
    }

    /// What the server says to one hello. A hang-up without an alert is believed the second time: small servers hang up
    /// on a visitor who comes back too soon.
    pub async fn ask(&self, hello: &Hello<'_>, until: Until) -> Result<(Said, Sha256Digest), Over> {
        let first = self.once(hello, until).await?;
        if matches!(first.0, Said::Closed) {
            tokio::time::sleep(LINGER).await;
            return self.once(hello, until).await;
        }
        Ok(first)
    }

    async fn once(&self, hello: &Hello<'_>, until: Until) -> Result<(Said, Sha256Digest), Over> {
        if self.asked.fetch_add(1, Ordering::Relaxed) >= MOST {
            return Err(self.over(&format!("{MOST} hellos were not enough to ask for everything")));
        }
        if self.since.elapsed() > LONGEST {
            return Err(self.over(&format!("{} s were not enough to ask for everything", LONGEST.as_secs())));
        }
        if self.ctx.session.stopped() {
            self.ctx.gap(Some(self.at.endpoint.into()), Why::Interrupted);
            return Err(Over);
        }
        match self.talk(&hello.record(&rand::random()), until).await {
            Ok((bytes, tape)) => match reply(&bytes, kex) {
                Reply::Flight(f) => Ok((Said::Flight(f), tape)),
                Reply::Alert { description } => Ok((Said::Alert(description), tape)),
                Reply::More => Ok((Said::Closed, tape)),
                Reply::NotTls => Err(self.over("a hello was answered by something that is no TLS")),
            },
            Err(Trouble::Silent(_)) if self.silences.fetch_add(1, Ordering::Relaxed) + 1 < SILENCES => {
                Box::pin(self.once(hello, until)).await
            }
            Err(t) => {
                self.ctx.trouble(None, self.at.endpoint, &t);
                Err(Over)
            }
        }
    }

    /// Sends bytes and collects the answer; an end without any is an empty one.
    pub async fn talk(&self, bytes: &[u8], until: Until) -> Result<(Vec<u8>, Sha256Digest), Trouble> {
        let mut wire = starttls::open(self.ctx, self.at).await?;
        let enough = |b: &[u8]| match reply(b, kex) {
            Reply::Flight(f) => until == Until::Hello || f.done || f.version == 0x0304,
            Reply::Alert { .. } | Reply::NotTls => true,
            Reply::More => false,
        };
        let got = match wire.send(bytes).await {
            Ok(()) => wire.collect(FIRST_BYTE, FIRST_BYTE * 2, 64 * 1024, enough).await,
            Err(t) => Err(t),
        };
        let tape = wire.close().await;
        match got {
            Ok(bytes) => Ok((bytes, tape)),
            Err(Trouble::Closed | Trouble::Refused) => Ok((Vec::new(), tape)),
            Err(t) => Err(t),
        }
    }
}
