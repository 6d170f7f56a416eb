//! What a DTLS server accepts, told without any key: hellos of one kind of key exchange at a time.
use super::Probe;
use crate::model::{Endpoint, Observation, Sha256Digest, Touch, Why, observation::TlsVersion};
use crate::scan::{
    codec::{
        tls_flight::{DtlsReply, Extras, Hello, dtls_reply},
        tls_names as names,
    },
    net::{Trouble, wire::Replies},
    session::Ctx,
};
use std::time::Duration;

pub const PROBE: Probe = Probe {
    id: "dtls-survey",
    version: 1,
    title: "DTLS versions, suites and cookies",
    page: include_str!("dtls_survey.md"),
    touch: Touch::Ask,
    subjects_from: &["udp-services", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

const WAIT: Duration = Duration::from_millis(600);
/// How long the rest of a first flight may take to come.
const TAIL: Duration = Duration::from_millis(300);
/// Retransmissions of the server are not waited for: ours are sent anew.
const TRIES: u16 = 3;
const MOST: usize = 80;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    V10,
    V12,
    V13,
}

impl Version {
    fn word(self) -> &'static str {
        match self {
            Self::V10 => "1.0",
            Self::V12 => "1.2",
            Self::V13 => "1.3",
        }
    }
    /// In the hello, where 1.3 is called 1.2 (RFC 9147, 5.3).
    fn legacy(self) -> [u8; 2] {
        match self {
            Self::V10 => [0xfe, 0xff],
            Self::V12 | Self::V13 => [0xfe, 0xfd],
        }
    }
    fn chosen(self) -> u16 {
        match self {
            Self::V10 => 0xfeff,
            Self::V12 => 0xfefd,
            Self::V13 => 0xfefc,
        }
    }
    /// The version of TLS whose hello it is built like.
    fn like(self) -> TlsVersion {
        match self {
            Self::V10 => TlsVersion::Tls11,
            Self::V12 => TlsVersion::Tls12,
            Self::V13 => TlsVersion::Tls13,
        }
    }
}

/// Suites by their key exchange: a server without the credential for one kind may say nothing to a mixed hello.
fn kinds(version: Version) -> Vec<Vec<u16>> {
    let modern = |n: &str| n.contains("_GCM_") || n.contains("_CCM") || n.contains("POLY1305");
    let hashed = |n: &str| n.ends_with("_SHA256") || n.ends_with("_SHA384");
    if version == Version::V13 {
        return vec![names::suites(|n| !n.contains("_WITH_") && n.starts_with("TLS_"))];
    }
    // Stream ciphers are not for datagrams (RFC 6347, 4.1.2.2).
    let fits =
        |n: &str| n.contains("_WITH_") && !n.contains("RC4") && (version == Version::V12 || !(modern(n) || hashed(n)));
    let kinds = [
        "TLS_PSK_",
        "TLS_ECDHE_PSK_",
        "TLS_DHE_PSK_",
        "TLS_ECDHE_ECDSA_",
        "TLS_ECDHE_RSA_",
        "TLS_DHE_RSA_",
        "TLS_RSA_WITH_",
        "TLS_ECDH_anon_",
        "TLS_DH_anon_",
    ];
    kinds.iter().map(|k| names::suites(|n| n.starts_with(k) && fits(n))).filter(|l| !l.is_empty()).collect()
}

async fn run(ctx: &Ctx) {
    let all = ctx.services_named(&["coaps", "dtls"]);
    ctx.each(all, |s| s.endpoint, |s| async move { look(ctx, s.endpoint).await }).await;
}

async fn look(ctx: &Ctx, e: Endpoint) {
    let mut left = MOST;
    if let Err(t) = first_flight(ctx, e).await {
        return ctx.trouble(None, e, &t);
    }
    let mut any = false;
    for version in [Version::V12, Version::V10, Version::V13] {
        match accepted(ctx, e, version, &mut left).await {
            Ok((suites, tape)) => {
                any |= !suites.is_empty();
                let (version, suites) = (version.word().to_owned(), suites.iter().map(|n| names::suite(*n)).collect());
                ctx.record(e, Observation::DtlsAccepts { version, suites }, tape);
            }
            Err(t) => ctx.trouble(None, e, &t),
        }
    }
    if !any {
        // Refusals count only from a server that accepts something.
        ctx.gap(
            Some(e.into()),
            Why::NotUnderstood("it accepts no suite that we know, so refusals prove nothing".to_owned()),
        );
    }
    if left == 0 {
        ctx.gap(Some(e.into()), Why::NotUnderstood(format!("{MOST} hellos were not enough to ask for everything")));
    }
}

/// What a stranger whose address nobody proved gets for one hello.
async fn first_flight(ctx: &Ctx, e: Endpoint) -> Result<(), Trouble> {
    let offered: Vec<u16> = kinds(Version::V12).concat();
    let (groups, schemes) = (names::groups(), names::schemes());
    let hello = hello(Version::V12, offered.get(..24).unwrap_or_default(), &groups, &schemes);
    let bytes = hello.datagram(Version::V12.legacy(), &rand::random(), &[], 0);
    for _ in 0..TRIES {
        // A port of its own each time: an association may outlive its first hello.
        let mut socket = ctx.udp(e, Replies::ThatPort).await?;
        socket.send(&bytes).await?;
        let first = match socket.receive(WAIT * 2).await {
            Ok(first) => first,
            Err(Trouble::Silent(_)) => continue,
            Err(t) => return Err(t),
        };
        let mut received = first.len();
        while let Ok(more) = socket.receive(TAIL).await {
            received += more.len();
        }
        let cookie_asked = match dtls_reply(&first) {
            Some(DtlsReply::HelloVerify { .. }) => true,
            Some(DtlsReply::Hello { cookie, .. }) => cookie,
            Some(DtlsReply::Alert { .. }) | None => {
                let why = "its first answer is no cookie and no hello".to_owned();
                ctx.gap(Some(e.into()), Why::NotUnderstood(why));
                return Ok(());
            }
        };
        let (sent, received) = (bytes.len() as u64, received as u64);
        ctx.record(e, Observation::DtlsFirstFlight { cookie_asked, sent, received }, Some(socket.close()));
        return Ok(());
    }
    Err(Trouble::Silent(WAIT.as_millis() * 2))
}

fn hello<'a>(version: Version, suites: &'a [u16], groups: &'a [u16], schemes: &'a [u16]) -> Hello<'a> {
    Hello { version: version.like(), suites, groups, schemes, compressions: &[0], name: None, extras: Extras::None }
}

type Accepted = (Vec<u16>, Option<Sha256Digest>);

async fn accepted(ctx: &Ctx, e: Endpoint, version: Version, left: &mut usize) -> Result<Accepted, Trouble> {
    let (mut found, mut cite) = (Vec::new(), None);
    for mut kind in kinds(version) {
        while !kind.is_empty() && *left > 0 {
            *left -= 1;
            let (chosen, tape) = one(ctx, e, version, &kind).await?;
            cite = cite.or_else(|| Some(tape.clone()));
            let Some(at) = chosen.and_then(|c| kind.iter().position(|n| *n == c)) else { break };
            found.push(kind.remove(at));
            cite = Some(tape);
        }
    }
    Ok((found, cite))
}

/// The suite that is chosen of these, if one is.
async fn one(ctx: &Ctx, e: Endpoint, version: Version, suites: &[u16]) -> Result<(Option<u16>, Sha256Digest), Trouble> {
    let (groups, schemes) = (names::groups(), names::schemes());
    let hello = hello(version, suites, &groups, &schemes);
    let random = rand::random();
    let mut socket = ctx.udp(e, Replies::ThatPort).await?;
    let (mut cookie, mut sequence) = (Vec::new(), 0);
    for _ in 0..TRIES {
        socket.send(&hello.datagram(version.legacy(), &random, &cookie, sequence)).await?;
        match socket.receive(WAIT).await {
            Ok(reply) => match dtls_reply(&reply) {
                Some(DtlsReply::HelloVerify { cookie: c }) => {
                    cookie = c;
                    sequence += 1;
                }
                Some(DtlsReply::Hello { version: v, suite, .. }) => {
                    return Ok(((v == version.chosen()).then_some(suite), socket.close()));
                }
                Some(DtlsReply::Alert { .. }) => return Ok((None, socket.close())),
                None => {}
            },
            // Without the credential some servers say nothing after the cookie; one more try tells loss from that.
            Err(Trouble::Silent(_)) => {}
            Err(t) => return Err(t),
        }
    }
    Ok((None, socket.close()))
}
