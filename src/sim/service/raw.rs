//! Listeners that speak no protocol: silent, endless, slow or hostile ones, and tarpits.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::sim::SimError;
use crate::sim::fill::fill;
use crate::sim::health::unhex;
use crate::sim::listen::{LineFaults, Raising, Speaker};

/// The most ports one tarpit may have: each is a file descriptor.
const MOST_PORTS: u16 = 512;

/// One such listener.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raw {
    pub port: u16,
    pub mode: Mode,
    /// Sent once, before what the mode sends.
    #[serde(default)]
    pub first: String,
    /// Bytes before it, in hex, for what is no text.
    #[serde(default)]
    pub magic: String,
    /// What `banner` sends at once, `slow` byte by byte and `endless` again and again.
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    pub faults: LineFaults,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Accepts and says nothing.
    Silent,
    /// Sends `text` once, then listens without a word.
    Banner,
    /// Sends `text` whenever something comes.
    Reply,
    /// Sends `text` for ever, as fast as the visitor takes it.
    Endless,
    /// Sends fixed bytes that fit no protocol, then closes.
    Garbage,
    /// Sends one byte of `text` a second, for ever.
    Slow,
}

/// Ports that all complete the handshake and say nothing, from `first` to `last`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tarpit {
    pub first: u16,
    pub last: u16,
}

impl Raw {
    pub(super) fn raise(&self, raising: &mut Raising) -> Result<(), SimError> {
        let text = fill(&self.text, &raising.stage).into_bytes();
        let text = if text.is_empty() { vec![b'.'] } else { text };
        let mut first = unhex(&self.magic);
        first.extend(fill(&self.first, &raising.stage).into_bytes());
        raising.tcp(self.port, &self.faults, Mouth { mode: self.mode, first, text })
    }
}

impl Tarpit {
    pub(super) fn check(&self) -> Result<(), &'static str> {
        match self.last.checked_sub(self.first) {
            Some(span) if span < MOST_PORTS => Ok(()),
            _ => Err("`last` must not be below `first`, nor more than 511 ports above it"),
        }
    }

    pub(super) fn raise(&self, raising: &mut Raising) -> Result<(), SimError> {
        for port in self.first..=self.last {
            raising.tcp(
                port,
                &LineFaults::default(),
                Mouth { mode: Mode::Silent, first: Vec::new(), text: Vec::new() },
            )?;
        }
        Ok(())
    }
}

struct Mouth {
    mode: Mode,
    first: Vec<u8>,
    text: Vec<u8>,
}

impl Speaker for Mouth {
    async fn speak(self: Arc<Self>, mut stream: TcpStream) -> io::Result<()> {
        stream.write_all(&self.first).await?;
        match self.mode {
            Mode::Silent => {}
            Mode::Banner => stream.write_all(&self.text).await?,
            Mode::Reply => {
                let mut sink = [0; 1024];
                while stream.read(&mut sink).await? > 0 {
                    stream.write_all(&self.text).await?;
                }
                return Ok(());
            }
            Mode::Garbage => {
                let noise: Vec<u8> = (0..=255_u8).map(|byte| byte.wrapping_mul(167) ^ 0x5a).collect();
                stream.write_all(&noise).await?;
                return stream.shutdown().await;
            }
            Mode::Endless => loop {
                stream.write_all(&self.text).await?;
            },
            Mode::Slow => {
                for byte in self.text.iter().cycle() {
                    stream.write_all(std::slice::from_ref(byte)).await?;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
        swallow(&mut stream).await
    }
}

/// Reads and forgets until the visitor leaves.
async fn swallow(stream: &mut TcpStream) -> io::Result<()> {
    let mut sink = [0; 1024];
    while stream.read(&mut sink).await? > 0 {}
    Ok(())
}
