//! Telnet: prompts read, a shell proved by arithmetic.
use super::{Account, Tried};
use crate::model::{
    Endpoint,
    observation::{Answer, clean},
};
use crate::scan::{
    net::{Trouble, Wire},
    probe::telnet::negotiate,
    prompt::{Kind, asked, refused},
    session::Ctx,
};
use std::time::Duration;

const QUIET: Duration = Duration::from_millis(900);

/// Whether the bytes end in a prompt, so that there is no need to wait for more.
fn asks(bytes: &[u8]) -> bool {
    asked(&negotiate(bytes).0).is_some()
}

struct Talk {
    wire: Wire,
    raw: Vec<u8>,
    answered: usize,
    read: usize,
}

impl Talk {
    async fn open(ctx: &Ctx, e: Endpoint) -> Result<Self, Trouble> {
        Ok(Self { wire: ctx.tcp(e).await?, raw: Vec::new(), answered: 0, read: 0 })
    }

    /// Listens until it is quiet, refusing options as they come; returns the text since the last call.
    async fn listen(&mut self) -> Result<String, Trouble> {
        let mut any = false;
        for _ in 0..12 {
            match self.wire.collect(QUIET, Duration::from_secs(5), 16 * 1024, asks).await {
                Ok(bytes) => self.raw.extend(bytes),
                Err(Trouble::Silent(_)) if any => break,
                Err(Trouble::Silent(_)) => {}
                Err(Trouble::Closed) if any => break,
                Err(t) => return Err(t),
            }
            let (text, replies) = negotiate(&self.raw);
            let fresh = replies.get(self.answered..).unwrap_or_default().to_vec();
            self.answered = replies.len();
            if !fresh.is_empty() {
                self.wire.send(&fresh).await?;
            }
            // A daemon echoes the line end at once and thinks for seconds before it says what it thinks.
            let fresh = text.get(self.read..).unwrap_or_default();
            any = !fresh.trim().is_empty();
            if asked(fresh).is_some() || refused(fresh).is_some() || self.raw.len() > 64 * 1024 {
                break;
            }
        }
        let (text, _) = negotiate(&self.raw);
        let fresh = text.get(self.read..).unwrap_or_default().to_owned();
        self.read = text.len();
        Ok(fresh)
    }

    async fn say(&mut self, line: &str) -> Result<String, Trouble> {
        self.wire.send(format!("{line}\r\n").as_bytes()).await?;
        self.listen().await
    }

    /// Asks the shell to compute, so that an echo or a menu is not taken for one.
    async fn computes(&mut self) -> Result<bool, Trouble> {
        let (a, b) = (1000 + u32::from(rand::random::<u8>()), 7);
        let said = self.say(&format!("echo $(({a}*{b}))")).await?;
        Ok(said.contains(&(a * b).to_string()))
    }
}

pub async fn nothing(ctx: &Ctx, e: Endpoint) -> Result<Tried, Trouble> {
    let mut talk = Talk::open(ctx, e).await?;
    let said = talk.listen().await?;
    let (answer, proof) = match asked(&said) {
        Some(Kind::Login | Kind::Password) => (Answer::Refused, "a login prompt comes first".to_owned()),
        _ => match talk.computes().await {
            Ok(true) => (Answer::Accepted, "without a login, it computed what the shell was asked".to_owned()),
            Ok(false) | Err(_) => (Answer::Unclear, format!("it says `{}`", clean(&said, 80))),
        },
    };
    // Some ask for a password alone.
    let account = if asked(&said) == Some(Kind::Password) { Account::Only } else { Account::Named };
    let _ = talk.wire.send(b"exit\r\n").await;
    Ok(Tried { account, ..Tried::new(answer, proof, talk.wire.close().await) })
}

pub async fn pair(ctx: &Ctx, e: Endpoint, user: &str, secret: &str) -> Result<Tried, Trouble> {
    let mut talk = Talk::open(ctx, e).await?;
    talk.wire.tape.hide(format!("{secret}\r\n").as_bytes());
    let said = log_in(&mut talk, user, secret).await;
    let _ = talk.wire.send(b"exit\r\n").await;
    let tape = talk.wire.close().await;
    let (answer, proof) = match said {
        Ok(x) => x,
        // Many daemons hang up after a failure; only before any prompt is it a sign of a lock.
        Err(Trouble::Closed) if talk.read > 0 => (Answer::Refused, "it hung up after the attempt".to_owned()),
        Err(Trouble::Closed | Trouble::Refused) => (Answer::LockSign, "it hung up at once".to_owned()),
        Err(t) => return Err(t),
    };
    Ok(Tried::new(answer, proof, tape))
}

async fn log_in(talk: &mut Talk, user: &str, secret: &str) -> Result<(Answer, String), Trouble> {
    let mut said = talk.listen().await?;
    if asked(&said) == Some(Kind::Login) {
        said = talk.say(user).await?;
    }
    if asked(&said) == Some(Kind::Password) {
        said = talk.say(secret).await?;
    }
    let words = clean(said.trim(), 80);
    match (refused(&said), asked(&said)) {
        (Some(Kind::Lockout), _) => Ok((Answer::LockSign, format!("it says `{words}`"))),
        (Some(_), _) => Ok((Answer::Refused, format!("it says `{words}`"))),
        (None, Some(Kind::Login | Kind::Password)) => Ok((Answer::Refused, "it asks again".to_owned())),
        (None, _) => match talk.computes().await? {
            true => Ok((Answer::Accepted, "it computed what the shell was asked".to_owned())),
            false => Ok((Answer::Unclear, format!("no prompt that we know: `{words}`"))),
        },
    }
}
