//! An upload to the device's own page, written by hand: it must be told how much of it the device took, and one is cut.
use super::hand::{Giving, Handed, Header, sent};
use crate::{
    model::{Endpoint, Touch, observation::clean, observation::lab::ImageCase},
    scan::net::{Tape, Trouble, Wire, tls, wire},
};
use reqwest::Url;
use std::{net::IpAddr, time::Duration};

const WAIT: Duration = Duration::from_secs(10);
/// A device may verify, and even install, before it answers.
const LONGEST_ANSWER: Duration = Duration::from_secs(180);
const MOST: usize = 64 * 1024;
const CHUNK: usize = 16 * 1024;
const BOUNDARY: &str = "patuh-6f1d0b9e2c";

impl Giving {
    pub(super) async fn upload(&self, url: &Url, method: &str, field: Option<&str>, headers: &[Header]) -> Handed {
        let image = &self.image;
        let mut wire = match self.connected(url).await {
            Ok(wire) => wire,
            Err(why) => return Handed::nothing(&why),
        };
        headers.iter().filter(|h| h.secret).for_each(|h| wire.tape.hide(h.value.as_bytes()));
        let (before, after) = around(field);
        let length = before.len() + image.bytes.len() + after.len();
        let head = head(url, method, field, headers, length);
        let (mut taken, mut broken) = (0, wire.send(&[head.as_bytes(), before.as_bytes()].concat()).await.err());
        for chunk in sent(image).chunks(CHUNK) {
            if broken.is_some() {
                break;
            }
            match wire.send(chunk).await {
                Ok(()) => taken += u64::try_from(chunk.len()).unwrap_or(u64::MAX),
                Err(e) => broken = Some(e),
            }
        }
        if image.case == ImageCase::Cut && broken.is_none() {
            let transcript = Some(wire.close().await);
            return Handed { taken, answer: "cut by the laboratory".to_owned(), transcript };
        }
        if broken.is_none() {
            broken = wire.send(after.as_bytes()).await.err();
        }
        // Also where it would not have all of it: it may say why.
        let reply = wire.collect(LONGEST_ANSWER, LONGEST_ANSWER, MOST, whole).await;
        let transcript = Some(wire.close().await);
        let (taken, answer) = said(reply, broken, taken);
        Handed { taken, answer: clean(&answer, 200), transcript }
    }

    async fn connected(&self, url: &Url) -> Result<Wire, String> {
        let host: IpAddr = url
            .host_str()
            .unwrap_or_default()
            .trim_matches(['[', ']'])
            .parse()
            .map_err(|_| format!("`{url}` names no address"))?;
        let endpoint = Endpoint::tcp(host, url.port_or_known_default().unwrap_or(80));
        let admitted = self.scope.admit(endpoint, Touch::Alter).map_err(|e| e.to_string())?;
        let said = |e: Trouble| e.to_string();
        let stream = wire::dial(admitted, WAIT).await.map_err(said)?;
        let local = stream.local_addr().map(|a| a.to_string()).unwrap_or_default();
        let wire = Wire::of(stream, Tape::new(self.journal.clone(), endpoint, local), None);
        match url.scheme() {
            "https" => Ok(tls::inside(wire, WAIT).await.map_err(said)?.0),
            _ => Ok(wire),
        }
    }
}

fn head(url: &Url, method: &str, field: Option<&str>, headers: &[Header], length: usize) -> String {
    let path = url.query().map_or_else(|| url.path().to_owned(), |q| format!("{}?{q}", url.path()));
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.to_owned(), |p| format!("{host}:{p}"));
    let kind = match field {
        Some(_) => format!("multipart/form-data; boundary={BOUNDARY}"),
        None => "application/octet-stream".to_owned(),
    };
    let more: String = headers.iter().map(|h| format!("{}: {}\r\n", h.name, h.value)).collect();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n{more}\r\n"
    )
}

/// What stands before and after the file in a form (RFC 7578).
fn around(field: Option<&str>) -> (String, String) {
    let Some(field) = field else { return (String::new(), String::new()) };
    let disposition = format!("Content-Disposition: form-data; name=\"{field}\"; filename=\"update.bin\"");
    let before = format!("--{BOUNDARY}\r\n{disposition}\r\nContent-Type: application/octet-stream\r\n\r\n");
    (before, format!("\r\n--{BOUNDARY}--\r\n"))
}

/// An answer is whole when its head and the stated body are there; without a length it ends with its connection.
fn whole(bytes: &[u8]) -> bool {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut reply = httparse::Response::new(&mut fields);
    let Ok(httparse::Status::Complete(head)) = reply.parse(bytes) else { return false };
    // "100 Continue" is no answer yet.
    let length = reply.headers.iter().find(|h| h.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|h| std::str::from_utf8(h.value).ok()?.trim().parse::<usize>().ok());
    reply.code.is_some_and(|c| c >= 200) && length.is_some_and(|l| bytes.len() - head >= l)
}

/// What was taken: nothing, where the answer says that the upload as such was refused, or where none came after it broke.
fn said(reply: Result<Vec<u8>, Trouble>, broken: Option<Trouble>, taken: u64) -> (u64, String) {
    let status = reply.as_ref().ok().and_then(|bytes| {
        let mut fields = [httparse::EMPTY_HEADER; 64];
        let mut reply = httparse::Response::new(&mut fields);
        reply.parse(bytes).ok()?;
        reply.code
    });
    match (status, broken) {
        (Some(status @ (401 | 403 | 404 | 405 | 407 | 409 | 411 | 413 | 415 | 429 | 501 | 503)), _) => {
            (0, format!("HTTP {status}"))
        }
        (Some(status), _) => (taken, format!("HTTP {status}")),
        (None, Some(e)) => (0, e.to_string()),
        // Whether it read what was sent is not known; if it starts the image nevertheless, its version says so.
        (None, None) => (0, "no answer in HTTP".to_owned()),
    }
}
