//! What a client's hello offers, in the words of the registries, with its JA4 fingerprint.
use crate::{
    model::{
        digest::hex,
        observation::{TlsVersion, clean},
    },
    scan::codec::{
        client_hello::{self, ClientHello},
        tls, tls_names,
    },
};
use sha2::{Digest, Sha256};

/// Numbers among the suites that are none (RFC 5746, RFC 7507).
const SIGNALS: [u16; 2] = [0x00ff, 0x5600];

pub(super) struct Offer {
    pub name: Option<String>,
    pub offered: Vec<TlsVersion>,
    pub suites: Vec<String>,
    pub groups: Vec<String>,
    pub alpn: Vec<String>,
    pub ja4: String,
}

/// Reads the hello at the beginning of what a client sent.
pub(super) fn offer(client: &[u8]) -> Option<Offer> {
    let hello = client_hello::parse(&client_hello::whole(client).ok()??)?;
    let named = |numbers: &[u16], name: fn(u16) -> String| -> Vec<String> {
        numbers.iter().filter(|n| !is_grease(**n) && !SIGNALS.contains(n)).take(128).map(|n| name(*n)).collect()
    };
    Some(Offer {
        name: hello.name.as_ref().map(|n| clean(&n.to_ascii_lowercase(), 253)),
        ja4: ja4(&hello),
        suites: named(&hello.suites, tls_names::suite),
        groups: named(&hello.groups, tls_names::group),
        alpn: hello.alpn.iter().map(|a| clean(a, 40)).collect(),
        offered: hello.offered,
    })
}

/// Version and suite that the server chose.
pub(super) fn agreed(server: &[u8]) -> Option<(TlsVersion, String)> {
    match tls::answer(server) {
        tls::Answer::Hello { version, suite } => Some((version?, tls_names::suite(suite))),
        tls::Answer::Alert { .. } | tls::Answer::More | tls::Answer::NotTls => None,
    }
}

/// Values that clients send so that servers learn to skip what they do not know (RFC 8701).
fn is_grease(n: u16) -> bool {
    n & 0x0f0f == 0x0a0a && n >> 8 == n & 0xff
}

/// As FoxIO publishes it: what the hello is, then digests of its sorted suites and of its sorted extensions with the
/// signature schemes.
fn ja4(hello: &ClientHello) -> String {
    let real = |all: &[u16]| -> Vec<u16> { all.iter().copied().filter(|n| !is_grease(*n)).collect() };
    let (suites, extensions, signatures) = (real(&hello.suites), real(&hello.extensions), real(&hello.signatures));
    let version = match hello.offered.last() {
        Some(TlsVersion::Tls13) => "13",
        Some(TlsVersion::Tls12) => "12",
        Some(TlsVersion::Tls11) => "11",
        Some(TlsVersion::Tls10) => "10",
        Some(TlsVersion::Ssl3) => "s3",
        None => "00",
    };
    let named = if hello.extensions.contains(&0) { 'd' } else { 'i' };
    let alpn = hello.alpn.first().map_or_else(|| "00".to_owned(), |a| ends(a.as_bytes()));
    let listed = |mut all: Vec<u16>, sorted: bool| {
        if sorted {
            all.sort_unstable();
        }
        all.iter().map(|n| format!("{n:04x}")).collect::<Vec<_>>().join(",")
    };
    let kept: Vec<u16> = extensions.iter().copied().filter(|e| ![0, 16].contains(e)).collect();
    let mut second = listed(kept, true);
    if !signatures.is_empty() {
        second = format!("{second}_{}", listed(signatures, false));
    }
    format!(
        "t{version}{named}{:02}{:02}{alpn}_{}_{}",
        suites.len().min(99),
        extensions.len().min(99),
        digest(&listed(suites.clone(), true)),
        digest(&second)
    )
}

fn ends(alpn: &[u8]) -> String {
    match (alpn.first(), alpn.last()) {
        (Some(a), Some(z)) if a.is_ascii_alphanumeric() && z.is_ascii_alphanumeric() => {
            [char::from(*a), char::from(*z)].into_iter().collect()
        }
        (Some(_), Some(_)) => {
            let all = hex(alpn);
            all.chars().next().into_iter().chain(all.chars().last()).collect()
        }
        (None, _) | (_, None) => "00".to_owned(),
    }
}

fn digest(text: &str) -> String {
    if text.is_empty() {
        return "000000000000".to_owned();
    }
    hex(&Sha256::digest(text)).chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the published description of JA4.
    #[test]
    fn the_fingerprint_is_that_of_the_published_example() {
        let suites = [
            0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d,
            0x002f, 0x0035,
        ];
        let extensions =
            [0x1b, 0, 0x33, 0x10, 0x4469, 0x17, 0x2d, 0x0d, 0x05, 0x23, 0x12, 0x2b, 0xff01, 0x0b, 0x0a, 0x15];
        let hello = ClientHello {
            name: Some("example.org".to_owned()),
            offered: vec![TlsVersion::Tls12, TlsVersion::Tls13],
            random: [0; 32],
            suites: [0x2a2a].into_iter().chain(suites).collect(),
            groups: Vec::new(),
            signatures: vec![0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601],
            alpn: vec!["h2".to_owned(), "http/1.1".to_owned()],
            extensions: [0x1a1a].into_iter().chain(extensions).collect(),
        };
        assert_eq!(ja4(&hello), "t13d1516h2_8daaf6152771_e5627efa2ab1");
    }
}
