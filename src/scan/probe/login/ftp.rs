//! FTP USER and PASS (RFC 959), inside TLS where the server offers it (RFC 4217).
use super::Tried;
use crate::model::observation::Answer;
use crate::scan::{
    net::{Trouble, Wire, tls},
    session::{Ctx, FIRST_BYTE, Identified},
};
use std::time::Duration;

/// Servers answer a wrong password late, and later every time.
const PATIENCE: Duration = Duration::from_secs(20);

/// The code and text of the next complete reply.
async fn reply(wire: &mut Wire) -> Result<(u16, String), Trouble> {
    let done = |b: &[u8]| {
        let text = String::from_utf8_lossy(b);
        text.ends_with('\n') && text.lines().last().is_some_and(|l| l.len() >= 4 && l.as_bytes().get(3) == Some(&b' '))
    };
    let bytes = wire.collect(PATIENCE, PATIENCE, 16 * 1024, done).await?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let code = text.lines().last().and_then(|l| l.get(..3)).and_then(|c| c.parse().ok()).unwrap_or(0);
    Ok((code, text))
}

async fn command(wire: &mut Wire, line: &str) -> Result<(u16, String), Trouble> {
    wire.send(format!("{line}\r\n").as_bytes()).await?;
    reply(wire).await
}

/// A connection after its greeting, and the greeting's code. Inside TLS where that is offered: many servers refuse every
/// password in clear, the right one as well.
async fn open(ctx: &Ctx, at: &Identified) -> Result<(Wire, u16), Trouble> {
    let mut wire = ctx.connect(at.endpoint, at.tls).await?;
    let (greeting, _) = reply(&mut wire).await?;
    if at.starttls && !at.tls && greeting == 220 {
        let (code, _) = command(&mut wire, "AUTH TLS").await?;
        if code == 234 {
            wire = tls::inside(wire, FIRST_BYTE).await?.0;
        }
    }
    Ok((wire, greeting))
}

/// Does it list files for somebody who did not log in?
pub async fn nothing(ctx: &Ctx, at: &Identified) -> Result<Tried, Trouble> {
    let (mut wire, greeting) = open(ctx, at).await?;
    let (code, _) = command(&mut wire, "PWD").await?;
    let tape = wire.close().await;
    let answer = match code {
        257 => Answer::Accepted,
        _ if greeting == 421 => Answer::LockSign,
        500..=599 => Answer::Refused,
        _ => Answer::Unclear,
    };
    Ok(Tried::new(answer, format!("PWD without a login was answered with {code}"), tape))
}

pub async fn pair(ctx: &Ctx, at: &Identified, user: &str, secret: &str) -> Result<Tried, Trouble> {
    let (mut wire, greeting) = open(ctx, at).await?;
    wire.tape.hide(format!("PASS {secret}\r\n").as_bytes());
    let said = try_it(&mut wire, greeting, user, secret).await;
    let _ = wire.send(b"QUIT\r\n").await;
    let tape = wire.close().await;
    let (answer, proof) = match said {
        Ok(x) => x,
        Err(Trouble::Closed) => (Answer::LockSign, "the connection was closed".to_owned()),
        Err(t) => return Err(t),
    };
    Ok(Tried::new(answer, proof, tape))
}

async fn try_it(wire: &mut Wire, greeting: u16, user: &str, secret: &str) -> Result<(Answer, String), Trouble> {
    if greeting == 421 {
        return Ok((Answer::LockSign, "421 instead of a greeting".to_owned()));
    }
    let (mut code, _) = command(wire, &format!("USER {user}")).await?;
    if code == 331 {
        (code, _) = command(wire, &format!("PASS {secret}")).await?;
    }
    if code != 230 {
        let answer = if code == 421 { Answer::LockSign } else { Answer::Refused };
        return Ok((answer, format!("answered with {code}")));
    }
    // 230 alone is a word; a directory is a fact.
    let (pwd, _) = command(wire, "PWD").await?;
    let answer = if pwd == 257 { Answer::Accepted } else { Answer::Unclear };
    Ok((answer, format!("230, then PWD was answered with {pwd}")))
}
