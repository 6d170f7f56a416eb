//! HTTP/1 on the wire (RFC 9112): bounded requests in, responses out.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::Framing;

const LARGEST_HEAD: usize = 16 * 1024;
const MOST_HEADERS: usize = 64;
/// Of a longer body the rest is read and forgotten.
const LARGEST_BODY: u64 = 64 * 1024;
const LONGEST_UPLOAD: u64 = 64 * 1024 * 1024;

pub(super) struct Request {
    pub method: String,
    pub path: String,
    /// Path and query, as sent.
    pub target: String,
    pub minor: u8,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether the client wants the connection to stay.
    pub fn keeps_alive(&self) -> bool {
        let connection = self.header("connection").unwrap_or_default().to_ascii_lowercase();
        self.minor == 1 && !connection.contains("close")
    }

    /// A cookie of the visitor.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.header("cookie")?.split(';').find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
    }

    /// A field of a posted form.
    pub fn field(&self, name: &str) -> Option<String> {
        let body = std::str::from_utf8(&self.body).ok()?;
        body.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, v)| decode(v))
    }
}

pub(super) struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("Content-Type".into(), content_type.into())], body: body.into() }
    }

    pub fn html(status: u16, body: &str) -> Self {
        Self::new(status, "text/html; charset=utf-8", body)
    }

    pub fn redirect(status: u16, to: &str) -> Self {
        Self::html(status, "").with("Location", to)
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// Reads the head of a request; `None` when the visitor is done.
pub(super) async fn read_head<R: AsyncBufRead + Unpin>(reader: &mut R) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    loop {
        let room = LARGEST_HEAD.saturating_sub(head.len()) as u64;
        if (&mut *reader).take(room).read_until(b'\n', &mut head).await? == 0 {
            return if head.is_empty() { Ok(None) } else { Err(bad("request cut off or too large")) };
        }
        if head.ends_with(b"\r\n\r\n") || head.ends_with(b"\n\n") {
            return parse(&head).map(Some);
        }
    }
}

fn parse(head: &[u8]) -> io::Result<Request> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    request.parse(head).map_err(|_| bad("malformed request"))?;
    let target = request.path.unwrap_or("/").to_owned();
    let path = target.split(['?', '#']).next().unwrap_or("/").to_owned();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Request {
        method: request.method.unwrap_or_default().to_owned(),
        path,
        target,
        minor: request.version.unwrap_or(0),
        headers: request.headers.iter().map(|header| (header.name.to_owned(), text(header.value))).collect(),
        body: Vec::new(),
    })
}

/// Reads the body that the head announced, after the go-ahead where the client waits for one.
pub(super) async fn read_body<S>(stream: &mut S, request: &mut Request) -> io::Result<()>
where
    S: AsyncBufRead + AsyncWrite + Unpin,
{
    let length = match request.header("content-length") {
        None => return Ok(()),
        Some(length) => length.trim().parse::<u64>().map_err(|_| bad("malformed length"))?,
    };
    if length > LONGEST_UPLOAD {
        return Err(bad("body too large"));
    }
    if request.header("expect").is_some_and(|expect| expect.eq_ignore_ascii_case("100-continue")) {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        stream.flush().await?;
    }
    let kept = length.min(LARGEST_BODY);
    (&mut *stream).take(kept).read_to_end(&mut request.body).await?;
    if (request.body.len() as u64) < kept {
        return Err(bad("body cut off"));
    }
    tokio::io::copy(&mut stream.take(length - kept), &mut tokio::io::sink()).await?;
    Ok(())
}

/// Writes a response; a HEAD request gets no body.
pub(super) async fn write<W: AsyncWrite + Unpin>(
    stream: &mut W,
    response: &Response,
    framing: Framing,
    method: &str,
    stays: Stays,
) -> io::Result<()> {
    let version = if framing == Framing::Close { "HTTP/1.0" } else { "HTTP/1.1" };
    let mut head = format!("{version} {} {}\r\n", response.status, reason(response.status));
    for (name, value) in &response.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if framing == Framing::Length {
        head.push_str(&format!("Content-Length: {}\r\n", response.body.len()));
    }
    head.push_str(match stays {
        Stays::Open => "Connection: keep-alive\r\n\r\n",
        Stays::Closes => "Connection: close\r\n\r\n",
    });
    stream.write_all(head.as_bytes()).await?;
    if method != "HEAD" {
        stream.write_all(&response.body).await?;
    }
    stream.flush().await
}

/// What happens to the connection after a response.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stays {
    Open,
    Closes,
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        _ => "Status",
    }
}

fn bad(problem: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

/// Which file a path leads to, joined to `/srv/www` and decoded once.
pub(super) fn file(path: &str) -> String {
    let mut at = vec!["srv".to_owned(), "www".to_owned()];
    for part in decode(path).split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            at.pop();
        } else {
            at.push(part.to_owned());
        }
    }
    format!("/{}", at.join("/"))
}

/// For how long a shell would sleep that gets the parameters of this target.
pub(super) fn slept(target: &str) -> std::time::Duration {
    let query = decode(target.split_once('?').map_or("", |(_, query)| query));
    let seconds = query.split_once(";sleep ").and_then(|(_, rest)| rest.chars().next()?.to_digit(10));
    std::time::Duration::from_secs(seconds.unwrap_or(0).into())
}

/// Percent and plus decoding of a form value.
fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let pair = [bytes.next().unwrap_or(b'0'), bytes.next().unwrap_or(b'0')];
                let hex = std::str::from_utf8(&pair).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok());
                out.push(hex.unwrap_or(b'?'));
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
