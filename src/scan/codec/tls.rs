//! A ClientHello of our own and the server's first answer, for TLS (SSLv3 to 1.3) and DTLS 1.2. Because we
//! write the hello ourselves, "not offered" never means "our library cannot ask".
use super::Cursor;
use crate::model::observation::TlsVersion;

/// Suites by number: name, forward secrecy, AEAD. From the IANA TLS registry.
const SUITES: &[(u16, &str, bool, bool)] = &[
    (0x1301, "TLS_AES_128_GCM_SHA256", true, true),
    (0x1302, "TLS_AES_256_GCM_SHA384", true, true),
    (0x1303, "TLS_CHACHA20_POLY1305_SHA256", true, true),
    (0x1304, "TLS_AES_128_CCM_SHA256", true, true),
    (0x1305, "TLS_AES_128_CCM_8_SHA256", true, true),
    (0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", true, true),
    (0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", true, true),
    (0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", true, true),
    (0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", true, true),
    (0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", true, true),
    (0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", true, true),
    (0xccaa, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", true, true),
    (0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", true, true),
    (0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", true, true),
    (0xc0ac, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM", true, true),
    (0xc0ae, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", true, true),
    (0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", true, false),
    (0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", true, false),
    (0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", true, false),
    (0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", true, false),
    (0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", true, false),
    (0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", true, false),
    (0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", true, false),
    (0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", true, false),
    (0xc012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", true, false),
    (0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", true, false),
    (0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", true, false),
    (0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", true, false),
    (0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", true, false),
    (0x0016, "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA", true, false),
    (0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256", false, true),
    (0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384", false, true),
    (0xc09c, "TLS_RSA_WITH_AES_128_CCM", false, true),
    (0xc0a0, "TLS_RSA_WITH_AES_128_CCM_8", false, true),
    (0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256", false, false),
    (0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256", false, false),
    (0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA", false, false),
    (0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA", false, false),
    (0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA", false, false),
    (0x0005, "TLS_RSA_WITH_RC4_128_SHA", false, false),
    (0x0004, "TLS_RSA_WITH_RC4_128_MD5", false, false),
    (0xc011, "TLS_ECDHE_RSA_WITH_RC4_128_SHA", true, false),
    (0x0009, "TLS_RSA_WITH_DES_CBC_SHA", false, false),
    (0x0003, "TLS_RSA_EXPORT_WITH_RC4_40_MD5", false, false),
    (0x0008, "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA", false, false),
    (0x0034, "TLS_DH_anon_WITH_AES_128_CBC_SHA", true, false),
    (0x003a, "TLS_DH_anon_WITH_AES_256_CBC_SHA", true, false),
    (0xc018, "TLS_ECDH_anon_WITH_AES_128_CBC_SHA", true, false),
    (0x0001, "TLS_RSA_WITH_NULL_MD5", false, false),
    (0x0002, "TLS_RSA_WITH_NULL_SHA", false, false),
    (0x003b, "TLS_RSA_WITH_NULL_SHA256", false, false),
    (0x008c, "TLS_PSK_WITH_AES_128_CBC_SHA", false, false),
    (0x00a8, "TLS_PSK_WITH_AES_128_GCM_SHA256", false, true),
    (0xc0a4, "TLS_PSK_WITH_AES_128_CCM", false, true),
    (0xc0a8, "TLS_PSK_WITH_AES_128_CCM_8", false, true),
    (0x00ae, "TLS_PSK_WITH_AES_128_CBC_SHA256", false, false),
    (0xc037, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256", true, false),
];

pub fn suite(number: u16) -> (String, bool, bool) {
    match SUITES.iter().find(|s| s.0 == number) {
        Some((_, name, forward, aead)) => ((*name).to_owned(), *forward, *aead),
        None => (format!("0x{number:04x}"), false, false),
    }
}

/// Which suites a hello offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Forward secrecy with AEAD.
    Modern,
    /// Everything that we know for the version.
    All,
}

pub(super) fn wire_version(v: TlsVersion) -> u16 {
    match v {
        TlsVersion::Ssl3 => 0x0300,
        TlsVersion::Tls10 => 0x0301,
        TlsVersion::Tls11 => 0x0302,
        TlsVersion::Tls12 => 0x0303,
        TlsVersion::Tls13 => 0x0304,
    }
}

pub fn version_of(wire: u16) -> Option<TlsVersion> {
    TlsVersion::ALL.into_iter().find(|v| wire_version(*v) == wire)
}

/// Appends `body` after its length in `width` bytes.
pub(super) fn prefixed(out: &mut Vec<u8>, width: usize, body: &[u8]) {
    let n = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
    out.extend_from_slice(n.get(4 - width..).unwrap_or_default());
    out.extend_from_slice(body);
}

fn extension(out: &mut Vec<u8>, id: u16, body: &[u8]) {
    out.extend_from_slice(&id.to_be_bytes());
    prefixed(out, 2, body);
}

fn offered(version: TlsVersion, offer: Offer) -> Vec<u8> {
    let modern13 = |n: u16| n >> 8 == 0x13;
    let fits = |(n, _, forward, aead): &&(u16, &str, bool, bool)| match (version, offer) {
        (TlsVersion::Tls13, _) => modern13(*n),
        (_, Offer::Modern) => *forward && *aead && !modern13(*n),
        (TlsVersion::Tls12, Offer::All) => !modern13(*n),
        (_, Offer::All) => !modern13(*n) && !*aead,
    };
    SUITES.iter().filter(fits).flat_map(|s| s.0.to_be_bytes()).collect()
}

fn hello_body(version: TlsVersion, offer: Offer, random: &[u8; 32]) -> Vec<u8> {
    let mut body = wire_version(version.min(TlsVersion::Tls12)).to_be_bytes().to_vec();
    body.extend_from_slice(random);
    prefixed(&mut body, 1, &[]);
    prefixed(&mut body, 2, &offered(version, offer));
    prefixed(&mut body, 1, &[0]);
    if version > TlsVersion::Ssl3 {
        prefixed(&mut body, 2, &extensions(version));
    }
    body
}

fn extensions(version: TlsVersion) -> Vec<u8> {
    let mut all = Vec::new();
    // x25519, P-256, P-384, P-521, ffdhe2048
    extension(&mut all, 10, &[0, 10, 0, 29, 0, 23, 0, 24, 0, 25, 1, 0]);
    extension(&mut all, 11, &[1, 0]);
    if version >= TlsVersion::Tls12 {
        let schemes =
            [0x0403u16, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0807, 0x0203, 0x0201];
        let list: Vec<u8> = schemes.iter().flat_map(|s| s.to_be_bytes()).collect();
        let mut body = Vec::new();
        prefixed(&mut body, 2, &list);
        extension(&mut all, 13, &body);
    }
    if version == TlsVersion::Tls13 {
        extension(&mut all, 43, &[2, 3, 4]);
        // An empty share makes the server name its group (HelloRetryRequest): version and suite without any key.
        extension(&mut all, 51, &[0, 0]);
    } else {
        extension(&mut all, 0xff01, &[0]);
        extension(&mut all, 23, &[]);
    }
    all
}

/// A whole ClientHello record that offers `version` only.
pub fn client_hello(version: TlsVersion, offer: Offer, random: &[u8; 32]) -> Vec<u8> {
    let mut message = vec![1];
    prefixed(&mut message, 3, &hello_body(version, offer, random));
    let record_version = wire_version(version).min(0x0301);
    let mut record = vec![22];
    record.extend_from_slice(&record_version.to_be_bytes());
    prefixed(&mut record, 2, &message);
    record
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Hello {
        version: Option<TlsVersion>,
        suite: u16,
    },
    Alert {
        description: u8,
    },
    /// Whole records so far, but no message of the handshake yet.
    More,
    NotTls,
}

/// Reads the server's first answer; handshake messages may span records.
pub fn answer(bytes: &[u8]) -> Answer {
    let mut c = Cursor(bytes);
    let mut handshake = Vec::new();
    while let (Some(kind), Some(version)) = (c.u8(), c.u16()) {
        if !matches!(kind, 20..=23) || version >> 8 != 3 {
            return Answer::NotTls;
        }
        let Some(body) = c.vec16() else { break };
        match (kind, body) {
            (21, [_, description, ..]) => return Answer::Alert { description: *description },
            (22, _) => handshake.extend_from_slice(body),
            _ => {}
        }
        if let Some(hello) = server_hello(&handshake) {
            return hello;
        }
    }
    match bytes.first() {
        None | Some(20..=23) => Answer::More,
        Some(_) => Answer::NotTls,
    }
}

fn server_hello(handshake: &[u8]) -> Option<Answer> {
    let mut c = Cursor(handshake);
    let kind = c.u8()?;
    let n = c.u24()?;
    if kind != 2 {
        return Some(Answer::NotTls);
    }
    let mut h = Cursor(c.take(n)?);
    let mut version = h.u16()?;
    h.take(32)?;
    h.vec8()?;
    let suite = h.u16()?;
    h.u8()?;
    let mut ext = Cursor(h.vec16().unwrap_or_default());
    while let (Some(id), Some(body)) = (ext.u16(), ext.vec16()) {
        if let (43, [a, b]) = (id, body) {
            version = u16::from_be_bytes([*a, *b]);
        }
    }
    Some(Answer::Hello { version: version_of(version), suite })
}

/// A DTLS 1.2 ClientHello with PSK and certificate suites. `cookie` from an earlier HelloVerifyRequest.
pub fn dtls_client_hello(random: &[u8; 32], cookie: &[u8], sequence: u16) -> Vec<u8> {
    let mut body = vec![0xfe, 0xfd];
    body.extend_from_slice(random);
    prefixed(&mut body, 1, &[]);
    prefixed(&mut body, 1, cookie);
    let suites =
        [0xc0a8u16, 0xc0a4, 0x00a8, 0x00ae, 0x008c, 0xc0ae, 0xc0ac, 0xc02b, 0xc02f, 0xc023, 0xc027, 0x009c, 0x002f];
    let list: Vec<u8> = suites.iter().flat_map(|s| s.to_be_bytes()).collect();
    prefixed(&mut body, 2, &list);
    prefixed(&mut body, 1, &[0]);
    prefixed(&mut body, 2, &extensions(TlsVersion::Tls12));
    let mut message = vec![1];
    prefixed(&mut message, 3, &body);
    let [hi, lo] = sequence.to_be_bytes();
    message.splice(4..4, [hi, lo, 0, 0, 0]);
    let length: Vec<u8> = message.get(1..4).unwrap_or_default().to_vec();
    message.splice(9..9, length);
    let mut record = vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, hi, lo];
    prefixed(&mut record, 2, &message);
    record
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DtlsAnswer {
    HelloVerify { cookie: Vec<u8> },
    Hello { suite: u16 },
    Alert { description: u8 },
}

pub fn dtls_answer(datagram: &[u8]) -> Option<DtlsAnswer> {
    let mut c = Cursor(datagram);
    let kind = c.u8()?;
    if c.u16()? >> 8 != 0xfe {
        return None;
    }
    c.take(8)?;
    let body = c.vec16()?;
    match kind {
        21 => Some(DtlsAnswer::Alert { description: *body.get(1)? }),
        22 => {
            let mut m = Cursor(body);
            let message = m.u8()?;
            m.take(11)?;
            m.u16()?;
            match message {
                3 => Some(DtlsAnswer::HelloVerify { cookie: m.vec8()?.to_vec() }),
                2 => {
                    m.take(32)?;
                    m.vec8()?;
                    Some(DtlsAnswer::Hello { suite: m.u16()? })
                }
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tls13_hello_names_its_only_version_and_an_empty_share() {
        let h = client_hello(TlsVersion::Tls13, Offer::All, &[7; 32]);
        assert_eq!(h[..3], [22, 3, 1]);
        assert!(h.windows(7).any(|w| w == [0, 43, 0, 3, 2, 3, 4]));
        assert_eq!(usize::from(u16::from_be_bytes([h[3], h[4]])), h.len() - 5);
    }

    #[test]
    fn an_sslv3_hello_has_no_extensions() {
        let h = client_hello(TlsVersion::Ssl3, Offer::All, &[7; 32]);
        assert_eq!(h[..3], [22, 3, 0]);
        assert_eq!(h[h.len() - 2..], [1, 0], "ends with the compression methods");
    }

    proptest! {
        #[test]
        fn no_answer_can_make_the_readers_panic(bytes: Vec<u8>) {
            let _ = (answer(&bytes), dtls_answer(&bytes));
        }
    }
}
