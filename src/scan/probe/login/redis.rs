//! Redis AUTH: one secret for the default user. PING, which was closed before, must open.
use super::{Account, Tried};
use crate::model::observation::{Answer, clean};
use crate::scan::{
    net::{Trouble, Wire},
    session::{Ctx, FIRST_BYTE, Identified},
};
use std::time::Duration;

/// One command as an array of strings (RESP), so that no secret can break out of its place.
async fn command(wire: &mut Wire, words: &[&str]) -> Result<String, Trouble> {
    let body: String = words.iter().map(|w| format!("${}\r\n{w}\r\n", w.len())).collect();
    wire.send(format!("*{}\r\n{body}", words.len()).as_bytes()).await?;
    let reply = wire.collect(FIRST_BYTE, Duration::from_secs(8), 4096, |b| b.ends_with(b"\r\n")).await?;
    Ok(clean(&String::from_utf8_lossy(&reply), 80))
}

pub async fn nothing(ctx: &Ctx, at: &Identified) -> Result<Tried, Trouble> {
    let mut wire = ctx.connect(at.endpoint, at.tls).await?;
    let said = command(&mut wire, &["PING"]).await;
    let tape = wire.close().await;
    let said = said?;
    let answer = match said.as_str() {
        s if s.starts_with("+PONG") => Answer::Accepted,
        s if s.starts_with("-NOAUTH") => Answer::Refused,
        _ => Answer::Unclear,
    };
    let proof = format!("PING was answered with `{said}`");
    Ok(Tried { account: Account::Only, ..Tried::new(answer, proof, tape) })
}

pub async fn pair(ctx: &Ctx, at: &Identified, secret: &str) -> Result<Tried, Trouble> {
    let mut wire = ctx.connect(at.endpoint, at.tls).await?;
    wire.tape.hide(format!("\r\n{secret}\r\n").as_bytes());
    let said = log_in(&mut wire, secret).await;
    let tape = wire.close().await;
    let (answer, proof) = said?;
    Ok(Tried { account: Account::Only, ..Tried::new(answer, proof, tape) })
}

async fn log_in(wire: &mut Wire, secret: &str) -> Result<(Answer, String), Trouble> {
    let said = command(wire, &["AUTH", secret]).await?;
    if said.starts_with("-WRONGPASS") || said.starts_with("-ERR invalid password") {
        return Ok((Answer::Refused, "AUTH was refused".to_owned()));
    }
    if !said.starts_with("+OK") {
        return Ok((Answer::Unclear, format!("AUTH was answered with `{said}`")));
    }
    let ping = command(wire, &["PING"]).await?;
    let _ = command(wire, &["QUIT"]).await;
    let answer = if ping.starts_with("+PONG") { Answer::Accepted } else { Answer::Unclear };
    Ok((answer, format!("AUTH was taken, then PING was answered with `{ping}`")))
}
