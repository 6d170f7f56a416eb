//! A Redis server (RESP): PING and AUTH of the default user, and nothing to store.

use std::io;
use std::sync::Arc;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::sim::SimError;
use crate::sim::account::{Accept, Accounts, Lockout, Login, User};
use crate::sim::listen::{LineFaults, Raising, Speaker};
use crate::sim::text;

const USER: &str = "default";
const MOST_WORDS: usize = 16;
const LONGEST_WORD: usize = 512;

/// A Redis service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    pub port: u16,
    /// None: it is open to everybody.
    pub password: Option<String>,
    pub lockout: Option<Lockout>,
}

impl Redis {
    pub(super) fn raise(&self, label: &str, raising: &mut Raising) -> Result<(), SimError> {
        let users: Vec<User> =
            self.password.iter().map(|p| User { user: USER.to_owned(), password: p.clone() }).collect();
        let accounts = Accounts::new(label, &users, Accept::Users, self.lockout, &raising.stage);
        raising.tcp(self.port, &LineFaults::default(), Store { asks: self.password.is_some(), accounts })
    }
}

struct Store {
    asks: bool,
    accounts: Accounts,
}

impl Speaker for Store {
    async fn speak(self: Arc<Self>, stream: TcpStream) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mut inside = !self.asks;
        while let Some(words) = command(&mut stream).await? {
            let name = words.first().map(|w| w.to_ascii_uppercase()).unwrap_or_default();
            let answer = match (name.as_str(), words.get(1..).unwrap_or_default()) {
                ("AUTH", _) if !self.asks => "-ERR AUTH called without any password configured".to_owned(),
                ("AUTH", [secret]) => self.auth(USER, secret, &mut inside),
                ("AUTH", [user, secret]) => self.auth(user, secret, &mut inside),
                ("QUIT", _) => "+OK".to_owned(),
                _ if !inside => "-NOAUTH Authentication required.".to_owned(),
                ("PING", _) => "+PONG".to_owned(),
                _ => "-ERR unknown command".to_owned(),
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
            if name == "QUIT" {
                break;
            }
        }
        stream.shutdown().await
    }
}

impl Store {
    fn auth(&self, user: &str, secret: &str, inside: &mut bool) -> String {
        *inside = self.accounts.login(user, secret) == Login::Accepted;
        if *inside { "+OK" } else { "-WRONGPASS invalid username-password pair or user is disabled." }.to_owned()
    }
}

/// A command in an array of strings, or on a line of its own.
async fn command(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<String>>> {
    let bad = || io::Error::new(io::ErrorKind::InvalidData, "no command");
    let Some(line) = text::line(stream).await? else { return Ok(None) };
    let Some(count) = line.strip_prefix('*') else {
        return Ok(Some(line.split_whitespace().map(str::to_owned).collect()));
    };
    let count: usize = count.parse().map_err(|_| bad())?;
    let mut words = Vec::new();
    for _ in 0..count.min(MOST_WORDS) {
        let Some(line) = text::line(stream).await? else { return Ok(None) };
        let length: usize = line.strip_prefix('$').and_then(|n| n.parse().ok()).ok_or_else(bad)?;
        let mut word = vec![0; length.min(LONGEST_WORD) + 2];
        stream.read_exact(&mut word).await?;
        words.push(String::from_utf8_lossy(&word).trim_end().to_owned());
    }
    Ok(Some(words))
}
