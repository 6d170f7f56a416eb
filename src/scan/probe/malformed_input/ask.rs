//! A service under test, and how it stands when it is asked something ordinary.
use super::{
    questions,
    sets::{Case, SetRow},
};
use crate::model::{Sha256Digest, Transport, observation::malformed::Standing};
use crate::scan::{
    net::{Trouble, Wire, tls, wire::Replies},
    session::{Ctx, FIRST_BYTE, Identified},
};
use std::time::Duration;

/// How long a wrong input waits for whatever comes of it.
const REACTION: Duration = Duration::from_millis(400);

pub struct Target {
    pub set: &'static SetRow,
    pub at: Identified,
    /// Of a WebSocket.
    pub path: String,
}

/// The bytes of an ordinary question.
pub struct Question(pub Vec<u8>);

impl Target {
    pub fn new(set: &'static SetRow, at: Identified, path: String) -> Self {
        Self { set, at, path }
    }

    pub fn questions(&self) -> Vec<Question> {
        questions(self.set, &self.at, &self.path)
    }

    /// The bytes of a case here.
    pub fn bytes(&self, case: &Case) -> Vec<u8> {
        case.bytes(self.at.endpoint, &self.path)
    }

    /// A connection, inside TLS where the service is there and the set is not about TLS itself.
    async fn open(&self, ctx: &Ctx) -> Result<Wire, Opened> {
        let wire = ctx.tcp(self.at.endpoint).await.map_err(Opened::Not)?;
        self.inside(wire).await.map_err(Opened::NoTls)
    }

    async fn inside(&self, wire: Wire) -> Result<Wire, Trouble> {
        match self.at.tls && self.set.spoken == super::sets::Spoken::Plainly {
            true => tls::inside(wire, FIRST_BYTE).await.map(|(w, _)| w),
            false => Ok(wire),
        }
    }

    async fn connect(&self, ctx: &Ctx) -> Result<Wire, Trouble> {
        match self.open(ctx).await {
            Ok(wire) => Ok(wire),
            Err(Opened::Not(t) | Opened::NoTls(t)) => Err(t),
        }
    }

    /// A connection that is held beside all others.
    pub async fn hold(&self, ctx: &Ctx) -> Result<Wire, Trouble> {
        self.inside(ctx.hold(self.at.endpoint).await?).await
    }

    /// How it stands; trouble that is not the device's doing is an error.
    pub async fn standing(&self, ctx: &Ctx, question: &Question, wait: Duration) -> Result<Standing, Trouble> {
        match self.at.endpoint.transport {
            Transport::Tcp => self.standing_tcp(ctx, question, wait).await,
            Transport::Udp => self.standing_udp(ctx, question, wait).await,
        }
    }

    async fn standing_tcp(&self, ctx: &Ctx, question: &Question, wait: Duration) -> Result<Standing, Trouble> {
        let mut wire = match self.open(ctx).await {
            Ok(wire) => wire,
            Err(Opened::Not(t)) => return told(t, Standing::Silent),
            Err(Opened::NoTls(t)) => return told(t, Standing::Mute),
        };
        let answered = match wire.send(&question.0).await {
            Ok(()) => wire.receive(wait).await,
            Err(t) => Err(t),
        };
        wire.close().await;
        match answered {
            Ok(_) => Ok(Standing::Answers),
            Err(t) => told(t, Standing::Mute),
        }
    }

    async fn standing_udp(&self, ctx: &Ctx, question: &Question, wait: Duration) -> Result<Standing, Trouble> {
        let mut socket = ctx.udp(self.at.endpoint, Replies::ThatPort).await?;
        let answered = match socket.send(&question.0).await {
            Ok(()) => socket.receive(wait).await,
            Err(t) => Err(t),
        };
        socket.close();
        match answered {
            Ok(_) => Ok(Standing::Answers),
            Err(t) => told(t, Standing::Silent),
        }
    }

    /// Sends a case. What comes back is kept in the transcript alone: a refusal is as good as silence.
    pub async fn send(&self, ctx: &Ctx, case: &Case, bytes: &[u8]) -> Result<Sha256Digest, Trouble> {
        if self.at.endpoint.transport == Transport::Udp {
            let mut socket = ctx.udp(self.at.endpoint, Replies::ThatPort).await?;
            if socket.send(bytes).await.is_ok() {
                let _ = socket.receive(REACTION).await;
            }
            return Ok(socket.close());
        }
        let mut wire = self.connect(ctx).await?;
        if case.opened {
            wire.send(&self.set.opening(self.at.endpoint, &self.path)).await?;
            wire.receive(FIRST_BYTE).await?;
        }
        if wire.send(bytes).await.is_ok() {
            let _ = wire.collect(REACTION, REACTION * 3, 64 * 1024, |_| false).await;
        }
        Ok(wire.close().await)
    }
}

/// What could not be opened.
enum Opened {
    Not(Trouble),
    NoTls(Trouble),
}

/// A trouble as a standing of the device, silence being `silence`.
fn told(trouble: Trouble, silence: Standing) -> Result<Standing, Trouble> {
    match trouble {
        Trouble::Refused => Ok(Standing::Refused),
        Trouble::Closed | Trouble::NotUnderstood(_) => Ok(Standing::Closed),
        Trouble::Silent(_) => Ok(silence),
        Trouble::Unreachable => Ok(Standing::Unreachable),
        Trouble::NotAdmitted(_) | Trouble::Ours(_) => Err(trouble),
    }
}
