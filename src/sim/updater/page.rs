//! The device's own page: what it runs, its buttons, and, where it has one, its upload.
use super::{Answers, Delivery, Isolated, State, Updater, current, lock, resilience::Local};
use base64::{Engine, engine::general_purpose::STANDARD};
use rsa::RsaPublicKey;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// The user and password of uploads.
pub const ACCOUNT: &str = "admin:lab-upload";
const LONGEST_HEAD: usize = 8 * 1024;
const LARGEST: usize = 16 << 20;

pub async fn serve(listener: TcpListener, state: Arc<State>, device: Updater, key: RsaPublicKey) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let (state, device, key) = (state.clone(), device.clone(), key.clone());
        // A visitor who leaves or lies is normal for a device: nothing to report.
        tokio::spawn(async move {
            let _ = tokio::time::timeout(Duration::from_secs(10), visit(stream, &state, &device, &key)).await;
        });
    }
}

async fn visit(mut stream: TcpStream, state: &Arc<State>, device: &Updater, key: &RsaPublicKey) -> std::io::Result<()> {
    let (head, body) = read(&mut stream).await?;
    let status = match head.split(' ').nth(1).filter(|_| head.starts_with("POST ")).unwrap_or_default() {
        "/recover" => {
            device.version.clone_into(&mut lock(&state.runs));
            None
        }
        "/check" => {
            state.button.notify_one();
            None
        }
        "/isolate" => {
            state.off.store(true, Ordering::Relaxed);
            None
        }
        "/rejoin" => {
            state.off.store(state.isolated == Isolated::StaysAway, Ordering::Relaxed);
            None
        }
        "/upload" if device.delivery == Delivery::Upload => Some(upload(&head, &body, state, device, key).await),
        _ => None,
    };
    let runs = current(&state.runs);
    let stopped = state.isolated == Isolated::Stops && state.off.load(Ordering::Relaxed);
    let works = head.starts_with("GET /works ");
    let lost = works && state.local == Local::NeedsServers && state.away.load(Ordering::Relaxed);
    let well = if runs.is_empty() || stopped || lost { "500 No Software" } else { "200 OK" };
    let text = format!("{{\"version\":\"{runs}\"}}\n");
    let head = format!("HTTP/1.0 {}\r\nContent-Length: {}\r\n\r\n", status.unwrap_or(well), text.len());
    stream.write_all(format!("{head}{text}").as_bytes()).await?;
    stream.shutdown().await
}

/// The head, and what came of the stated body before the end.
async fn read(stream: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let (mut all, mut end) = (Vec::new(), None);
    while end.is_none() && all.len() < LONGEST_HEAD && stream.read_buf(&mut all).await? > 0 {
        end = all.windows(4).position(|w| w == b"\r\n\r\n");
    }
    let body = all.split_off(end.map_or(all.len(), |n| n + 4));
    let head = String::from_utf8_lossy(&all).into_owned();
    let length = header(&head, "content-length").and_then(|l| l.parse::<usize>().ok()).unwrap_or(0).min(LARGEST);
    let mut body = body;
    while body.len() < length && stream.read_buf(&mut body).await? > 0 {}
    Ok((head, body))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let of = |line: &'a str| line.split_once(':').filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.trim());
    head.lines().find_map(of)
}

async fn upload(head: &str, body: &[u8], state: &Arc<State>, device: &Updater, key: &RsaPublicKey) -> &'static str {
    let account = format!("Basic {}", STANDARD.encode(ACCOUNT));
    if header(head, "authorization") != Some(account.as_str()) {
        return "401 Unauthorized";
    }
    let stated = header(head, "content-length").and_then(|l| l.parse().ok());
    let (file, whole) = (file(head, body).to_vec(), stated == Some(body.len()));
    let (device, key, state) = (device.clone(), key.clone(), state.clone());
    let answers = device.answers;
    let installing = tokio::spawn(async move { device.install(&key, &file, whole, &state.runs).await.is_some() });
    // It answers, and then starts what it installed.
    let done = tokio::time::timeout(Duration::from_millis(300), installing).await.is_err();
    match (answers, done) {
        (Answers::AlwaysYes, _) | (Answers::Truly, true) => "200 OK",
        (Answers::AlwaysNo, _) | (Answers::Truly, false) => "400 Bad Image",
    }
}

/// The file in a form, or all of the body.
fn file<'a>(head: &str, body: &'a [u8]) -> &'a [u8] {
    let Some((_, boundary)) = header(head, "content-type").and_then(|t| t.split_once("boundary=")) else { return body };
    let end = format!("\r\n--{boundary}--");
    let start = body.windows(4).position(|w| w == b"\r\n\r\n").map_or(0, |n| n + 4);
    let rest = body.get(start..).unwrap_or_default();
    let stop =
        rest.len().checked_sub(end.len() + 2).filter(|n| rest.get(*n..).is_some_and(|r| r.starts_with(end.as_bytes())));
    rest.get(..stop.unwrap_or(rest.len())).unwrap_or_default()
}
