//! Which version the device runs: read from its own page, from what it says when it asks for updates, or by a command.
use super::{LabError, plan::VersionSource, stage::Stage};
use crate::{
    model::{Endpoint, Scope, Touch, observation::clean},
    scan::net::wire,
};
use regex::Regex;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
    time::{Instant, timeout},
};

const WAIT: Duration = Duration::from_secs(5);
const MOST: u64 = 64 * 1024;

pub struct Reader {
    from: From,
    pattern: Regex,
}

enum From {
    Http { at: SocketAddr, path: String },
    Request,
    Command(Vec<String>),
}

impl Reader {
    pub fn new(source: &VersionSource) -> Result<Self, LabError> {
        let wrong = |why: String| LabError::Plan { why: format!("version: {why}") };
        let pattern = Regex::new(source.pattern()).map_err(|e| wrong(format!("pattern: {e}").replace('\n', " ")))?;
        let from = match source {
            VersionSource::Http { url, .. } => {
                let bad = || wrong(format!("url: `{url}` is not http://ADDRESS[:PORT]/PATH"));
                let rest = url.strip_prefix("http://").ok_or_else(bad)?;
                let (host, path) = rest.split_once('/').ok_or_else(bad)?;
                let at = host.parse().or_else(|_| format!("{host}:80").parse()).map_err(|_| bad())?;
                From::Http { at, path: format!("/{path}") }
            }
            VersionSource::Request { .. } => From::Request,
            VersionSource::Command { command, .. } if command.is_empty() => {
                return Err(wrong("command: name a program".to_owned()));
            }
            VersionSource::Command { command, .. } => From::Command(command.clone()),
        };
        Ok(Self { from, pattern })
    }

    /// How requests tell it, if they do.
    pub fn says(&self) -> Option<Regex> {
        matches!(self.from, From::Request).then(|| self.pattern.clone())
    }

    /// The version now; `since`: what the device said before does not count.
    pub async fn read(&self, stage: &Stage, scope: &Scope, since: Instant) -> Option<String> {
        match &self.from {
            From::Request => stage.said_since(since),
            From::Http { at, path } => {
                let page = timeout(WAIT, get(*at, path, scope)).await.ok()??;
                found(&self.pattern, &page)
            }
            From::Command(argv) => found(&self.pattern, &output(argv).await?),
        }
    }
}

/// What the pattern's first group matches, or all of it.
pub fn found(pattern: &Regex, text: &str) -> Option<String> {
    let hit = pattern.captures(text)?;
    hit.get(1).or_else(|| hit.get(0)).map(|m| clean(m.as_str(), 80))
}

/// The page's body.
async fn get(at: SocketAddr, path: &str, scope: &Scope) -> Option<String> {
    let admitted = scope.admit(Endpoint::tcp(at.ip(), at.port()), Touch::Ask).ok()?;
    let mut stream = wire::dial(admitted, WAIT).await.ok()?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {}\r\nConnection: close\r\n\r\n", at.ip());
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut all = Vec::new();
    stream.take(MOST).read_to_end(&mut all).await.ok()?;
    let text = String::from_utf8_lossy(&all);
    let (head, body) = text.split_once("\r\n\r\n")?;
    head.split_whitespace().nth(1)?.starts_with('2').then(|| body.to_owned())
}

/// What a program of the laboratory prints.
pub async fn output(argv: &[String]) -> Option<String> {
    let (program, arguments) = argv.split_first()?;
    let run = Command::new(program).args(arguments).stdin(std::process::Stdio::null()).kill_on_drop(true).output();
    let out = timeout(Duration::from_secs(60), run).await.ok()?.ok()?;
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).into_owned())
}
