//! RTSP (RFC 2326): OPTIONS and DESCRIBE of a camera stream, open or behind Basic.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::sim::SimError;
use crate::sim::account::{Accept, Accounts, Lockout, Login, User};
use crate::sim::fill::fill;
use crate::sim::listen::{LineFaults, Raising, Speaker};
use crate::sim::text;

const MOST_HEADERS: usize = 64;

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
    #[serde(default)]
    pub faults: LineFaults,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    None,
    Basic,
}

impl Rtsp {
    pub(super) fn raise(&self, label: &str, raising: &mut Raising) -> Result<(), SimError> {
        let stage = &raising.stage;
        let camera = Camera {
            auth: self.auth,
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
    server: String,
    model: String,
    host: String,
    accounts: Accounts,
}

#[derive(Default)]
struct Request {
    method: String,
    sequence: String,
    authorization: Option<String>,
}

impl Speaker for Camera {
    async fn speak(self: Arc<Self>, stream: TcpStream) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        while let Some(request) = read(&mut stream).await? {
            stream.write_all(self.answer(&request).as_bytes()).await?;
        }
        stream.shutdown().await
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let Some(start) = text::line(stream).await? else { return Ok(None) };
    let mut request = Request { method: start.split(' ').next().unwrap_or_default().to_owned(), ..Request::default() };
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
                let (host, model) = (&self.host, &self.model);
                let sdp = format!(
                    "v=0\r\no=- 0 0 IN IP4 {host}\r\ns={model}\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n\
                     a=rtpmap:96 H264/90000\r\na=control:trackID=1\r\n"
                );
                self.response(request, "200 OK", "Content-Type: application/sdp\r\n", &sdp)
            }
            "DESCRIBE" | "SETUP" | "PLAY" => {
                let challenge = format!("WWW-Authenticate: Basic realm=\"{}\"\r\n", self.model);
                self.response(request, "401 Unauthorized", &challenge, "")
            }
            _ => self.response(request, "501 Not Implemented", "", ""),
        }
    }

    fn lets_in(&self, request: &Request) -> bool {
        self.auth == Auth::None
            || request
                .authorization
                .as_deref()
                .and_then(credentials)
                .is_some_and(|(user, password)| self.accounts.login(&user, &password) == Login::Accepted)
    }

    fn response(&self, request: &Request, status: &str, headers: &str, body: &str) -> String {
        let Request { sequence, .. } = request;
        let (server, length) = (&self.server, body.len());
        format!(
            "RTSP/1.0 {status}\r\nCSeq: {sequence}\r\nServer: {server}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        )
    }
}

fn credentials(header: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(header.strip_prefix("Basic ")?).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}
