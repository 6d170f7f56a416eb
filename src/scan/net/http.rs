//! HTTP by reqwest over a wire of ours: reqwest speaks to a private socket, a task carries the bytes to the
//! device and keeps them. So every request is admitted, paced and recorded like any other connection.
use super::wire::{Trouble, Wire};
use crate::model::Sha256Digest;
use reqwest::{Method, header::HeaderMap, redirect::Policy};
use std::{sync::atomic::AtomicU64, sync::atomic::Ordering, time::Duration};
use tokio::net::UnixListener;

/// The most of a body that is read.
const MOST: usize = 256 * 1024;

/// What the transcript keeps of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    All,
    /// Its head: the body may be private.
    Heads,
}

#[derive(Clone, Debug)]
pub struct Request<'a> {
    pub method: Method,
    pub host: String,
    pub path: &'a str,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    pub keep: Keep,
    /// How much of the reply's body is read.
    pub most: usize,
}

impl<'a> Request<'a> {
    pub fn get(host: String, path: &'a str) -> Self {
        Self { method: Method::GET, host, path, headers: Vec::new(), body: Vec::new(), keep: Keep::All, most: MOST }
    }
}

#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    /// At most as many bytes as were asked for.
    pub body: Vec<u8>,
    pub transcript: Sha256Digest,
}

impl Reply {
    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned()).unwrap_or_default()
    }
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends one request over `wire` and reads the reply within `wait`.
pub async fn exchange(wire: Wire, request: Request<'_>, wait: Duration) -> Result<Reply, Trouble> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = format!("patuh-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let dir = std::env::temp_dir().join(name);
    let made = make_private(&dir);
    let socket = dir.join("wire");
    let listener = made.and_then(|()| UnixListener::bind(&socket)).map_err(Trouble::Ours);
    let result = match listener {
        Ok(listener) => {
            let (stop, stopped) = tokio::sync::oneshot::channel();
            let carrier = tokio::spawn(carry(listener, wire, stopped));
            let reply = tokio::time::timeout(wait, ask(&socket, request)).await;
            drop(stop);
            let transcript = carrier.await.map_err(|e| Trouble::Ours(std::io::Error::other(e)))?;
            match reply {
                Err(_) => Err(Trouble::Silent(wait.as_millis())),
                Ok(Err(e)) => Err(e),
                Ok(Ok((status, headers, body))) => Ok(Reply { status, headers, body, transcript }),
            }
        }
        Err(e) => Err(e),
    };
    let _ = std::fs::remove_dir_all(&dir);
    result
}

fn make_private(dir: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().mode(0o700).create(dir)
}

async fn ask(socket: &std::path::Path, request: Request<'_>) -> Result<(u16, HeaderMap, Vec<u8>), Trouble> {
    // Needed once per process; a second call only says that it is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let read = |e: reqwest::Error| match innermost(&e) {
        // hyper's words for a connection that ended before the head of an answer.
        said if said == "connection closed before message completed" => Trouble::Closed,
        said => Trouble::NotUnderstood(format!("not readable as HTTP: {said}")),
    };
    let client = reqwest::Client::builder()
        .unix_socket(socket)
        .no_proxy()
        .redirect(Policy::none())
        .http1_only()
        .http1_title_case_headers()
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_ignore_invalid_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http09_responses()
        .user_agent(concat!("patuh/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(read)?;
    let url = format!("http://{}{}", request.host, request.path);
    let most = request.most;
    let mut builder = client.request(request.method, &url).header("connection", "close");
    for (name, value) in request.headers {
        builder = builder.header(name, value);
    }
    if !request.body.is_empty() {
        builder = builder.body(request.body);
    }
    let mut response = builder.send().await.map_err(read)?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut body = Vec::new();
    while body.len() < most {
        match response.chunk().await {
            Ok(Some(c)) => body.extend_from_slice(&c),
            // A body cut short is what the device sent; the tape shows it as it came.
            Ok(None) | Err(_) => break,
        }
    }
    body.truncate(most);
    Ok((status, headers, body))
}

fn innermost(e: &dyn std::error::Error) -> String {
    let mut at = e;
    while let Some(source) = at.source() {
        at = source;
    }
    at.to_string()
}

/// Waits for reqwest to connect, then carries its bytes.
async fn carry(listener: UnixListener, wire: Wire, mut stopped: tokio::sync::oneshot::Receiver<()>) -> Sha256Digest {
    let accepted = tokio::select! { a = listener.accept() => a.ok(), _ = &mut stopped => None };
    match accepted {
        Some((near, _)) => wire.carry(near, stopped).await,
        None => wire.close().await,
    }
}
