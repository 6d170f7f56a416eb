//! An rsync daemon up to the choice of a module (protocol 30); it has no files.

use std::io;
use std::sync::Arc;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

use crate::sim::SimError;
use crate::sim::listen::{LineFaults, Raising, Speaker};

/// An rsync daemon.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rsync {
    pub port: u16,
    pub modules: Vec<Module>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    pub name: String,
    /// Asks for a user and a password.
    #[serde(default)]
    pub closed: bool,
}

impl Rsync {
    pub(super) fn raise(&self, raising: &mut Raising) -> Result<(), SimError> {
        raising.tcp(self.port, &LineFaults::default(), Daemon(self.clone()))
    }
}

struct Daemon(Rsync);

impl Speaker for Daemon {
    async fn speak(self: Arc<Self>, stream: TcpStream) -> io::Result<()> {
        let mut stream = BufStream::new(stream);
        stream.write_all(b"@RSYNCD: 31.0\n").await?;
        stream.flush().await?;
        let (mut hello, mut name) = (String::new(), String::new());
        stream.read_line(&mut hello).await?;
        stream.read_line(&mut name).await?;
        let name = name.trim();
        let answer = match self.0.modules.iter().find(|module| module.name == name) {
            _ if !hello.starts_with("@RSYNCD:") => String::from("@ERROR: protocol startup error\n"),
            _ if name == "#list" => {
                let list: String = self.0.modules.iter().map(|module| format!("{:<15}\t\n", module.name)).collect();
                list + "@RSYNCD: EXIT\n"
            }
            Some(module) if module.closed => String::from("@RSYNCD: AUTHREQD 5cWqFj0kNn2bTgUu\n"),
            Some(_) => String::from("@RSYNCD: OK\n"),
            None => format!("@ERROR: Unknown module '{name}'\n"),
        };
        stream.write_all(answer.as_bytes()).await?;
        stream.flush().await?;
        stream.shutdown().await
    }
}
