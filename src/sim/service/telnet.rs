//! Telnet (RFC 854): option negotiation, a login and a shell just alive enough to prove that one is in it.

use std::io;
use std::sync::Arc;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::sim::account::{Accept, Accounts, Lockout, Login, User};
use crate::sim::fill::fill;
use crate::sim::listen::{LineFaults, Raising, Speaker};
use crate::sim::text::LONGEST_LINE;
use crate::sim::{SimError, Stage};

const IAC: u8 = 255;
const SB: u8 = 250;
const SE: u8 = 240;
/// IAC WILL ECHO, IAC WILL SUPPRESS-GO-AHEAD, IAC DO NAWS.
const NEGOTIATION: [u8; 9] = [IAC, 251, 1, IAC, 251, 3, IAC, 253, 31];
const TRIES: u32 = 3;

/// A telnet service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telnet {
    pub port: u16,
    #[serde(default)]
    pub banner: String,
    #[serde(default)]
    pub auth: Auth,
    #[serde(default)]
    pub accept: Accept,
    #[serde(default)]
    pub users: Vec<User>,
    pub lockout: Option<Lockout>,
    #[serde(default)]
    pub faults: LineFaults,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// Straight to the shell.
    None,
    #[default]
    Login,
}

impl Telnet {
    pub(super) fn raise(&self, label: &str, raising: &mut Raising) -> Result<(), SimError> {
        let stage = &raising.stage;
        let session = Session {
            banner: fill(&self.banner, stage).replace('\n', "\r\n"),
            auth: self.auth,
            accounts: Accounts::new(label, &self.users, self.accept, self.lockout, stage),
            shell: Shell::new(stage),
        };
        raising.tcp(self.port, &self.faults, session)
    }
}

struct Session {
    banner: String,
    auth: Auth,
    accounts: Accounts,
    shell: Shell,
}

impl Speaker for Session {
    async fn speak(self: Arc<Self>, stream: TcpStream) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        stream.write_all(&NEGOTIATION).await?;
        stream.write_all(self.banner.as_bytes()).await?;
        if self.auth == Auth::Login && !self.log_in(&mut stream).await? {
            return stream.shutdown().await;
        }
        stream.write_all(b"\r\n\r\nBusyBox v1.22.1 built-in shell (ash)\r\n\r\n# ").await?;
        while let Some(command) = line(&mut stream).await? {
            let Some(answer) = self.shell.run(&command) else { break };
            let prompt = format!("{command}\r\n{answer}# ");
            stream.write_all(prompt.as_bytes()).await?;
        }
        stream.shutdown().await
    }
}

impl Session {
    async fn log_in(&self, stream: &mut BufReader<TcpStream>) -> io::Result<bool> {
        for _ in 0..TRIES {
            stream.write_all(b"\r\nlogin: ").await?;
            let Some(user) = line(stream).await? else { return Ok(false) };
            stream.write_all(format!("{user}\r\nPassword: ").as_bytes()).await?;
            let Some(password) = line(stream).await? else { return Ok(false) };
            match self.accounts.login(&user, &password) {
                Login::Accepted => return Ok(true),
                Login::Refused => stream.write_all(b"\r\nLogin incorrect\r\n").await?,
                Login::ToldLocked => stream.write_all(b"\r\nAccount locked, try again later\r\n").await?,
            }
        }
        Ok(false)
    }
}

/// A shell of three commands, which telnet and SSH share.
#[derive(Clone)]
pub(super) struct Shell {
    hostname: String,
}

impl Shell {
    pub fn new(stage: &Stage) -> Self {
        Self { hostname: stage.identity.model.clone() }
    }

    /// The output of a command; `None` ends the session.
    pub fn run(&self, command: &str) -> Option<String> {
        let command = command.trim();
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        match name {
            "exit" | "logout" => None,
            "" => Some(String::new()),
            "id" => Some(String::from("uid=0(root) gid=0(root)\r\n")),
            "uname" => Some(format!("Linux {} 3.10.14 mips GNU/Linux\r\n", self.hostname)),
            "echo" => Some(format!("{}\r\n", expand(rest.trim_matches(['"', '\''])))),
            _ => Some(format!("-sh: {name}: not found\r\n")),
        }
    }
}

/// Replaces `$((a op b))`, by which a tester proves that a shell, not an echo, answers.
fn expand(text: &str) -> String {
    let evaluated = text.split_once("$((").and_then(|(before, after)| {
        let (sum, rest) = after.split_once("))")?;
        Some(format!("{before}{}{rest}", arithmetic(sum)?))
    });
    evaluated.unwrap_or_else(|| text.to_owned())
}

fn arithmetic(sum: &str) -> Option<i64> {
    let at = sum.find(['*', '+', '-'])?;
    let (left, right) = sum.split_at_checked(at)?;
    let operator = right.chars().next()?;
    let left: i64 = left.trim().parse().ok()?;
    let right: i64 = right.get(1..)?.trim().parse().ok()?;
    match operator {
        '*' => left.checked_mul(right),
        '+' => left.checked_add(right),
        _ => left.checked_sub(right),
    }
}

/// Reads a line as telnet clients send it (CR LF, CR NUL or LF), without the commands in it.
async fn line(stream: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut text = Vec::new();
    loop {
        let byte = match stream.read_u8().await {
            Ok(byte) => byte,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        };
        match byte {
            IAC => skip_command(stream).await?,
            b'\n' => break,
            b'\r' => {
                // CR is followed by LF or NUL (RFC 854, page 11).
                stream.read_u8().await?;
                break;
            }
            0 => {}
            _ => text.push(byte),
        }
        if text.len() as u64 > LONGEST_LINE {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "line too long"));
        }
    }
    Ok(Some(String::from_utf8_lossy(&text).into_owned()))
}

async fn skip_command(stream: &mut BufReader<TcpStream>) -> io::Result<()> {
    match stream.read_u8().await? {
        SB => while stream.read_u8().await? != IAC || stream.read_u8().await? != SE {},
        251..=254 => {
            stream.read_u8().await?;
        }
        _ => {}
    }
    Ok(())
}
