//! RTSP requests and replies (RFC 2326) over a wire of ours.
use crate::model::{Endpoint, observation::clean};
use crate::scan::{
    net::{Trouble, Wire},
    session::{Ctx, FIRST_BYTE, Identified},
};
use std::{collections::BTreeSet, time::Duration};

const MOST: usize = 32 * 1024;

pub struct Reply {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Reply {
    fn headers<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a str> {
        let fields = self.head.lines().skip(1).filter_map(|l| l.split_once(':'));
        fields.filter(move |(n, _)| n.trim().eq_ignore_ascii_case(name)).map(|(_, v)| v.trim())
    }

    pub fn header(&self, name: &'static str) -> &str {
        self.headers(name).next().unwrap_or_default()
    }

    /// The challenges of a 401, as they stand.
    pub fn challenges(&self) -> Vec<String> {
        self.headers("www-authenticate").map(str::to_owned).collect()
    }

    /// A session description (RFC 8866), not just any page with status 200.
    pub fn describes(&self) -> bool {
        self.status == 200 && self.body.starts_with("v=0") && self.body.contains("m=")
    }

    /// How the media that it describes are carried: the third word of each `m=` line.
    pub fn carried(&self) -> Vec<String> {
        let media = self.body.lines().filter_map(|l| l.strip_prefix("m=")?.split_whitespace().nth(2));
        media.map(|word| clean(word, 40)).collect::<BTreeSet<_>>().into_iter().take(8).collect()
    }
}

pub fn uri(e: Endpoint, path: &str) -> String {
    format!("rtsp://{}{path}", e.addr())
}

pub struct Talk {
    pub wire: Wire,
    sequence: u32,
}

impl Talk {
    pub async fn open(ctx: &Ctx, at: &Identified) -> Result<Self, Trouble> {
        Ok(Self { wire: ctx.connect(at.endpoint, at.tls).await?, sequence: 0 })
    }

    pub async fn ask(&mut self, method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<Reply, Trouble> {
        self.sequence += 1;
        let more: String = headers.iter().map(|(n, v)| format!("{n}: {v}\r\n")).collect();
        let request = format!("{method} {uri} RTSP/1.0\r\nCSeq: {}\r\nUser-Agent: patuh\r\n{more}\r\n", self.sequence);
        self.wire.send(request.as_bytes()).await?;
        let bytes = self.wire.collect(FIRST_BYTE, Duration::from_secs(8), MOST, |b| split(b).is_some()).await?;
        reply(&bytes).ok_or_else(|| Trouble::NotUnderstood("not readable as RTSP".to_owned()))
    }

    pub async fn describe(&mut self, uri: &str, authorization: Option<&str>) -> Result<Reply, Trouble> {
        let mut headers = vec![("Accept", "application/sdp")];
        headers.extend(authorization.map(|a| ("Authorization", a)));
        self.ask("DESCRIBE", uri, &headers).await
    }
}

/// Head and body, once both are whole.
fn split(bytes: &[u8]) -> Option<(String, Vec<u8>)> {
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(bytes.get(..end)?).into_owned();
    let length = head.lines().filter_map(|l| l.split_once(':')).find(|(n, _)| n.eq_ignore_ascii_case("content-length"));
    let length: usize = length.and_then(|(_, v)| v.trim().parse().ok()).unwrap_or(0);
    let body = bytes.get(end + 4..)?;
    (body.len() >= length.min(MOST)).then(|| (head, body.iter().copied().take(length).collect()))
}

pub fn reply(bytes: &[u8]) -> Option<Reply> {
    let (head, body) = split(bytes)?;
    let status = head.strip_prefix("RTSP/")?.split_whitespace().nth(1)?.parse().ok()?;
    Some(Reply { status, body: String::from_utf8_lossy(&body).into_owned(), head })
}

/// The first control address of a session description, resolved against where it came from.
pub fn control(reply: &Reply, uri: &str) -> String {
    let base = match reply.header("content-base") {
        "" => uri,
        base => base,
    };
    let media = reply.body.split("\nm=").nth(1).unwrap_or_default();
    let control = media.lines().find_map(|l| l.trim().strip_prefix("a=control:")).unwrap_or_default();
    match control {
        "" | "*" => base.to_owned(),
        whole if whole.starts_with("rtsp://") => whole.to_owned(),
        part => format!("{}/{part}", base.trim_end_matches('/')),
    }
}

/// Counts interleaved RTP packets of version 2 (RFC 2326, 10.12) in a row of bytes.
pub fn packets(mut bytes: &[u8]) -> u32 {
    let mut n = 0;
    while let [b'$', channel, high, low, rest @ ..] = bytes {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((packet, after)) = rest.split_at_checked(length) else { break };
        // Even channels carry media, odd ones their reports.
        n += u32::from(channel % 2 == 0 && packet.len() > 12 && packet.first().is_some_and(|b| b >> 6 == 2));
        bytes = after;
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_reply_is_whole_only_with_its_body() {
        let text = "RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 9\r\n\r\nv=0\r\nm=v";
        assert!(split(text.as_bytes()).is_none());
        let r = reply(format!("{text}i").as_bytes()).unwrap();
        assert!(r.describes() && r.body == "v=0\r\nm=vi");
        let body = "v=0\r\nm=video 0 RTP/SAVP 96\r\na=x\r\nm=audio 0 RTP/AVP 0\r\n";
        let r = reply(format!("RTSP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
        assert_eq!(r.carried(), ["RTP/AVP", "RTP/SAVP"]);
    }

    #[test]
    fn only_media_packets_count() {
        let packet = |channel: u8, first: u8| [&[b'$', channel, 0, 16, first][..], &[0; 15]].concat();
        let all = [packet(0, 0x80), packet(1, 0x80), packet(0, 0x40), packet(2, 0x80)].concat();
        assert_eq!(packets(&all), 2);
        assert_eq!(packets(&all[..all.len() - 1]), 1);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_readers_panic(bytes: Vec<u8>) {
            let _ = (reply(&bytes).map(|r| control(&r, "rtsp://x/")), packets(&bytes));
        }
    }
}
