//! SSH (RFC 4253): password logins to the small shell, with a host key that lives as long as the device.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::PrivateKey;
use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData};
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, PublicKeyOffer, Session};
use russh::{Channel, ChannelId, MethodKind, MethodSet, SshId};
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::telnet::Shell;
use crate::sim::SimError;
use crate::sim::account::{Accept, Accounts, Lockout, Login, User};
use crate::sim::listen::{LineFaults, Raising, Speaker};

/// An SSH service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ssh {
    pub port: u16,
    /// Identification string, without its line end.
    #[serde(default = "dropbear")]
    pub ident: String,
    #[serde(default)]
    pub mode: Mode,
    #[serde(default)]
    pub accept: Accept,
    #[serde(default)]
    pub users: Vec<User>,
    pub lockout: Option<Lockout>,
    /// Public keys that may log in.
    #[serde(default)]
    pub authorized: Vec<String>,
    /// Calls every key acceptable, to hide which ones it knows.
    #[serde(default)]
    pub any_key: bool,
    /// In the mode `lists`: what it says that it offers, by the fields of a KEXINIT.
    #[serde(default)]
    pub lists: Lists,
    #[serde(default)]
    pub faults: LineFaults,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The whole protocol; passwords only if there are users.
    #[default]
    Full,
    /// The identification string and nothing more.
    Banner,
    /// The identification string and a KEXINIT, after which it hangs up.
    Lists,
}

/// The algorithms of an old server.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Lists {
    pub kex: Vec<String>,
    pub host_key: Vec<String>,
    pub cipher: Vec<String>,
    pub mac: Vec<String>,
}

impl Lists {
    /// A KEXINIT packet (RFC 4253, 6 and 7.1).
    fn packet(&self) -> Vec<u8> {
        let none = [String::from("none")];
        let fields = [&self.kex, &self.host_key, &self.cipher, &self.cipher, &self.mac, &self.mac].map(Vec::as_slice);
        let mut payload = vec![20];
        payload.extend(rand::random::<[u8; 16]>());
        for list in fields.into_iter().chain([&none[..], &none[..], &[], &[]]) {
            payload.extend(string(list.join(",").as_bytes()));
        }
        payload.extend([0; 5]);
        // The whole is a multiple of 8, with at least 4 of padding.
        let padding = 8 - (payload.len() + 5) % 8 + if (payload.len() + 5) % 8 > 4 { 8 } else { 0 };
        let mut body = vec![u8::try_from(padding).unwrap_or(u8::MAX)];
        body.extend(payload);
        body.extend(std::iter::repeat_n(0, padding));
        string(&body)
    }
}

/// Four bytes of length, then the content.
fn string(content: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes
}

fn dropbear() -> String {
    String::from("SSH-2.0-dropbear_2019.78")
}

impl Ssh {
    pub(super) fn raise(&self, label: &str, raising: &mut Raising) -> Result<(), SimError> {
        if self.mode == Mode::Banner {
            return raising.tcp(self.port, &self.faults, Ident(format!("{}\r\n", self.ident)));
        }
        if self.mode == Mode::Lists {
            let server = Old { ident: format!("{}\r\n", self.ident), packet: self.lists.packet() };
            return raising.tcp(self.port, &self.faults, server);
        }
        let key =
            host_key().map_err(|error| SimError::Setup { service: label.to_owned(), problem: error.to_string() })?;
        let stage = &raising.stage;
        let accounts = Arc::new(Accounts::new(label, &self.users, self.accept, self.lockout, stage));
        let keys = Keys { any: self.any_key, known: self.authorized.clone() };
        let server = Server { config: Arc::new(self.config(key)), accounts, keys, shell: Shell::new(stage) };
        raising.tcp(self.port, &self.faults, server)
    }

    fn config(&self, key: PrivateKey) -> Config {
        let passwords = !self.users.is_empty() || self.accept == Accept::Any;
        let keys = !passwords || self.any_key || !self.authorized.is_empty();
        let both = [(keys, MethodKind::PublicKey), (passwords, MethodKind::Password)];
        let methods: Vec<MethodKind> = both.into_iter().filter(|(has, _)| *has).map(|(_, method)| method).collect();
        Config {
            server_id: SshId::Standard(self.ident.clone().into()),
            methods: MethodSet::from(methods.as_slice()),
            // A simulated device need not hide how long it thinks.
            auth_rejection_time: Duration::ZERO,
            keys: vec![key],
            max_auth_attempts: 6,
            ..Config::default()
        }
    }
}

fn host_key() -> Result<PrivateKey, russh::keys::ssh_key::Error> {
    let pair = Ed25519Keypair::from_seed(&rand::random());
    PrivateKey::new(KeypairData::from(pair), "")
}

struct Ident(String);

impl Speaker for Ident {
    async fn speak(self: Arc<Self>, mut stream: TcpStream) -> io::Result<()> {
        stream.write_all(self.0.as_bytes()).await?;
        let mut sink = [0; 1024];
        while stream.read(&mut sink).await? > 0 {}
        Ok(())
    }
}

struct Old {
    ident: String,
    packet: Vec<u8>,
}

impl Speaker for Old {
    async fn speak(self: Arc<Self>, mut stream: TcpStream) -> io::Result<()> {
        stream.write_all(self.ident.as_bytes()).await?;
        let mut theirs = [0; 256];
        if stream.read(&mut theirs).await? > 0 {
            stream.write_all(&self.packet).await?;
        }
        stream.shutdown().await
    }
}

/// The keys that may log in.
#[derive(Clone)]
struct Keys {
    any: bool,
    known: Vec<String>,
}

struct Server {
    config: Arc<Config>,
    accounts: Arc<Accounts>,
    keys: Keys,
    shell: Shell,
}

impl Speaker for Server {
    async fn speak(self: Arc<Self>, stream: TcpStream) -> io::Result<()> {
        let (accounts, keys) = (Arc::clone(&self.accounts), self.keys.clone());
        let visit = Visit { accounts, keys, shell: self.shell.clone(), typed: Vec::new() };
        let session = russh::server::run_stream(Arc::clone(&self.config), stream, visit);
        session.await.map_err(io::Error::other)?.await.map_err(io::Error::other)
    }
}

struct Visit {
    accounts: Arc<Accounts>,
    keys: Keys,
    shell: Shell,
    typed: Vec<u8>,
}

impl Handler for Visit {
    type Error = russh::Error;

    async fn auth_publickey_offered(&mut self, _: &str, offer: PublicKeyOffer<'_>) -> Result<Auth, Self::Error> {
        let offered = offer.public_key.to_openssh().unwrap_or_default();
        let known = self.keys.known.iter().any(|known| offered.starts_with(known.as_str()));
        Ok(if known || self.keys.any { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        Ok(match self.accounts.login(user, password) {
            Login::Accepted => Auth::Accept,
            // Without this the server would offer no further method.
            Login::Refused | Login::ToldLocked => {
                let proceed_with_methods = Some(MethodSet::from([MethodKind::Password].as_slice()));
                Auth::Reject { proceed_with_methods, partial_success: false }
            }
        })
    }

    async fn channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), Self::Error> {
        session.channel_success(channel)?;
        session.data(channel, b"# ".to_vec())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_success(channel)?;
        let output = self.shell.run(&String::from_utf8_lossy(data)).unwrap_or_default();
        session.data(channel, output.into_bytes())?;
        session.exit_status_request(channel, 0)?;
        session.eof(channel)?;
        session.close(channel)
    }

    async fn data(&mut self, channel: ChannelId, data: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        for byte in data {
            match byte {
                b'\r' | b'\n' => {
                    let line = std::mem::take(&mut self.typed);
                    let Some(answer) = self.shell.run(&String::from_utf8_lossy(&line)) else {
                        return session.close(channel);
                    };
                    session.data(channel, format!("\r\n{answer}# ").into_bytes())?;
                }
                // A longer line than any command here is cut.
                _ if self.typed.len() < 4096 => self.typed.push(*byte),
                _ => {}
            }
        }
        Ok(())
    }
}
