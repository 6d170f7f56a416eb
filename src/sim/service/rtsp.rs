//! RTSP (RFC 2326): a camera stream inside the connection, open or behind Basic or Digest.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::http::{Tokens, digest_challenge, prove_digest};
use crate::sim::SimError;
use crate::sim::account::{Accept, Accounts, Lockout, Login, User};
use crate::sim::fill::fill;
use crate::sim::listen::{LineFaults, Raising, Speaker};
use crate::sim::text;

const MOST_HEADERS: usize = 64;
/// Packets of one PLAY.
const PACKETS: u8 = 8;

/// An RTSP service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rtsp {
    pub port: u16,
    pub auth: Auth,
    #[serde(default)]
    pub server: String,
    #[serde(default)]
    pub accept: Accept,
    #[serde(default)]
    pub users: Vec<User>,
    pub lockout: Option<Lockout>,
    /// How media are carried.
    #[serde(default = "carried")]
    pub carried: String,
    /// Whether what is described also plays.
    #[serde(default)]
    pub media: Media,
    #[serde(default)]
    pub faults: LineFaults,
}

fn carried() -> String {
    String::from("RTP/AVP")
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Media {
    #[default]
    Plays,
    /// SETUP wants a credential, DESCRIBE does not.
    Guarded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    None,
    Basic,
    Digest,
}

impl Rtsp {
    pub(super) fn raise(&self, label: &str, raising: &mut Raising) -> Result<(), SimError> {
        let stage = &raising.stage;
        let camera = Camera {
            auth: self.auth,
            media: self.media,
            carried: self.carried.clone(),
            nonces: Tokens::default(),
            server: fill(&self.server, stage),
            model: stage.identity.model.clone(),
            host: stage.host.to_string(),
            accounts: Accounts::new(label, &self.users, self.accept, self.lockout, stage),
        };
        raising.tcp(self.port, &self.faults, camera)
    }
}

struct Camera {
    auth: Auth,
    media: Media,
    carried: String,
    nonces: Tokens,
    server: String,
    model: String,
    host: String,
    accounts: Accounts,
}

#[derive(Default)]
struct Request {
    method: String,
    target: String,
    sequence: String,
    authorization: Option<String>,
}

impl Speaker for Camera {
    async fn speak(self: Arc<Self>, stream: TcpStream) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        while let Some(request) = read(&mut stream).await? {
            stream.write_all(self.answer(&request).as_bytes()).await?;
            if request.method == "PLAY" && self.plays(&request) {
                for n in 0..PACKETS {
                    stream.write_all(&packet(n)).await?;
                }
            }
        }
        stream.shutdown().await
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let Some(start) = text::line(stream).await? else { return Ok(None) };
    let mut words = start.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut request = Request { method, target, ..Request::default() };
    for _ in 0..MOST_HEADERS {
        let Some(line) = text::line(stream).await? else { return Ok(None) };
        if line.is_empty() {
            return Ok(Some(request));
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        match name.to_ascii_lowercase().as_str() {
            "cseq" => request.sequence = value.trim().to_owned(),
            "authorization" => request.authorization = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "too many headers"))
}

impl Camera {
    fn answer(&self, request: &Request) -> String {
        match request.method.as_str() {
            "OPTIONS" => self.response(request, "200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n", ""),
            "DESCRIBE" if self.lets_in(request) => {
                let (host, model, carried) = (&self.host, &self.model, &self.carried);
                let sdp = format!(
                    "v=0\r\no=- 0 0 IN IP4 {host}\r\ns={model}\r\nt=0 0\r\nm=video 0 {carried} 96\r\n\
                     a=rtpmap:96 H264/90000\r\na=control:trackID=1\r\n"
                );
                self.response(request, "200 OK", "Content-Type: application/sdp\r\n", &sdp)
            }
            "SETUP" if self.plays(request) => {
                let headers = "Session: 12345678;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
                self.response(request, "200 OK", headers, "")
            }
            "PLAY" | "TEARDOWN" if self.plays(request) => self.response(request, "200 OK", "", ""),
            "DESCRIBE" | "SETUP" | "PLAY" | "TEARDOWN" => {
                let challenge = match self.auth {
                    Auth::Digest => digest_challenge(&self.model, &self.nonces),
                    Auth::None | Auth::Basic => format!("Basic realm=\"{}\"", self.model),
                };
                self.response(request, "401 Unauthorized", &format!("WWW-Authenticate: {challenge}\r\n"), "")
            }
            _ => self.response(request, "501 Not Implemented", "", ""),
        }
    }

    fn lets_in(&self, request: &Request) -> bool {
        let header = request.authorization.as_deref();
        match self.auth {
            Auth::None => true,
            Auth::Basic => header
                .and_then(credentials)
                .is_some_and(|(user, password)| self.accounts.login(&user, &password) == Login::Accepted),
            Auth::Digest => header
                .and_then(|h| {
                    let line = (request.method.as_str(), request.target.as_str());
                    prove_digest(h, line, &self.model, &self.nonces, &self.accounts)
                })
                .is_some_and(|login| login == Login::Accepted),
        }
    }

    fn plays(&self, request: &Request) -> bool {
        self.media == Media::Plays && self.lets_in(request)
    }

    fn response(&self, request: &Request, status: &str, headers: &str, body: &str) -> String {
        let Request { sequence, .. } = request;
        let (server, length) = (&self.server, body.len());
        format!(
            "RTSP/1.0 {status}\r\nCSeq: {sequence}\r\nServer: {server}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        )
    }
}

/// An interleaved RTP packet of noise.
fn packet(n: u8) -> Vec<u8> {
    let mut bytes = vec![b'$', 0, 0, 32, 0x80, 96, 0, n];
    bytes.resize(36, 0x55);
    bytes
}

fn credentials(header: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(header.strip_prefix("Basic ")?).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}
