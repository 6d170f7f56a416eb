//! A client's hello (RFC 8446, 4.1.2; RFC 5246, 7.4.1.2), as far as it says what the client can do.
use super::{Cursor, tls};
use crate::model::observation::TlsVersion;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    pub name: Option<String>,
    /// Lowest first. Before TLS 1.3 a client names its highest version only.
    pub offered: Vec<TlsVersion>,
    pub random: [u8; 32],
    pub suites: Vec<u16>,
    pub groups: Vec<u16>,
    /// Signature schemes.
    pub signatures: Vec<u16>,
    pub alpn: Vec<String>,
    /// The numbers of all extensions.
    pub extensions: Vec<u16>,
}

/// The bytes of the handshake message in `records`, once it is whole. `Err`: this is no client's hello.
pub fn whole(records: &[u8]) -> Result<Option<Vec<u8>>, &'static str> {
    let mut cursor = Cursor(records);
    let mut message = Vec::new();
    while !cursor.0.is_empty() {
        if cursor.0.first() != Some(&22) {
            return Err("it does not begin with a TLS handshake");
        }
        let Some(fragment) = cursor.take(3).and_then(|_| cursor.vec16()) else { break };
        message.extend_from_slice(fragment);
        let mut head = Cursor(&message);
        match (head.u8(), head.u24()) {
            (Some(1) | None, None) => {}
            (Some(1), Some(length)) if length > 1 << 16 => return Err("its hello is longer than 64 KiB"),
            (Some(1), Some(length)) => {
                if let Some(body) = head.take(length) {
                    return Ok(Some(body.to_vec()));
                }
            }
            _ => return Err("its first message is no hello"),
        }
    }
    Ok(None)
}

/// Reads the body of a hello.
pub fn parse(body: &[u8]) -> Option<ClientHello> {
    let mut cursor = Cursor(body);
    let legacy = cursor.u16()?;
    let random = cursor.take(32)?.try_into().ok()?;
    cursor.vec8()?;
    let suites = numbers(cursor.vec16()?);
    cursor.vec8()?;
    let offered = tls::version_of(legacy.min(0x0303)).into_iter().collect();
    let (groups, signatures, alpn, extensions) = Default::default();
    let mut hello = ClientHello { name: None, offered, random, suites, groups, signatures, alpn, extensions };
    let mut all = Cursor(cursor.vec16().unwrap_or_default());
    while let (Some(kind), Some(body)) = (all.u16(), all.vec16()) {
        let mut body = Cursor(body);
        hello.extensions.push(kind);
        match kind {
            0 => hello.name = server_name(body),
            10 => hello.groups = body.vec16().map(numbers).unwrap_or_default(),
            13 => hello.signatures = body.vec16().map(numbers).unwrap_or_default(),
            16 => hello.alpn = body.vec16().map(protocols).unwrap_or_default(),
            43 => {
                let listed = body.vec8().map(numbers).unwrap_or_default();
                hello.offered = listed.into_iter().filter_map(tls::version_of).collect();
                hello.offered.sort_unstable();
            }
            _ => {}
        }
    }
    Some(hello)
}

fn numbers(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).filter_map(|c| c.try_into().ok().map(u16::from_be_bytes)).collect()
}

fn server_name(mut body: Cursor<'_>) -> Option<String> {
    let mut list = Cursor(body.vec16()?);
    (list.u8()? == 0).then_some(())?;
    String::from_utf8(list.vec16()?.to_vec()).ok()
}

fn protocols(list: &[u8]) -> Vec<String> {
    let mut cursor = Cursor(list);
    std::iter::from_fn(|| cursor.vec8()).take(16).map(|p| String::from_utf8_lossy(p).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_hello_is_read_only_when_it_is_whole() {
        let ours = tls::client_hello(TlsVersion::Tls13, tls::Offer::Modern, &[7; 32]);
        for cut in [1, 5, 40, ours.len() - 1] {
            assert_eq!(whole(&ours[..cut]), Ok(None), "{cut}");
        }
        let hello = parse(&whole(&ours).unwrap().unwrap()).unwrap();
        assert_eq!((hello.random, hello.offered), ([7; 32], vec![TlsVersion::Tls13]));
        assert!(hello.suites.contains(&0x1301) && hello.groups.contains(&29));
        assert!(whole(b"GET / HTTP/1.1\r\n").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = whole(&bytes);
            let _ = parse(&bytes);
        }
    }
}
