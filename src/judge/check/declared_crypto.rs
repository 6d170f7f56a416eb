//! What the maker writes about cryptography (IXIT, 11-ComMech and 1-AuthMech), as far as words can be compared.
use crate::judge::Evidence;
use crate::model::{declarations::Entry, observation::TlsVersion};
use std::collections::BTreeSet;

pub(super) const TABLES: &[&str] = &["1-AuthMech", "11-ComMech"];

/// Everything that the entries say together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Declared {
    pub tls: BTreeSet<TlsVersion>,
    pub dtls: BTreeSet<&'static str>,
    pub ssh: bool,
    /// Suites by IANA name.
    pub suites: BTreeSet<String>,
    /// Clients have to show a certificate.
    pub mutual: bool,
}

/// Nothing where 11-ComMech was not supplied.
pub(super) fn declared(evidence: &Evidence<'_>) -> Option<Declared> {
    let ixit = evidence.ixit?;
    ixit.declared("11-ComMech")?;
    let entries = TABLES.iter().filter_map(|t| ixit.declared(t)).flatten();
    let words: Vec<String> =
        entries.map(|e| format!("{} {}", e.text("description"), e.text("crypto_details"))).collect();
    Some(read(&words.join("\n")))
}

/// Whether an entry says that it is protected by TLS or SSH.
pub(super) fn names_a_channel(entry: &Entry) -> bool {
    let says = read(entry.text("crypto_details"));
    says.ssh || !says.tls.is_empty()
}

fn read(text: &str) -> Declared {
    let mut out = Declared { suites: suites(text), ..Declared::default() };
    let lower = text.to_ascii_lowercase();
    // `TLS 1.2`, `TLSv1.3`, `TLS 1.2/1.3`, `DTLS1.2`.
    let mut rest = lower.as_str();
    while let Some(at) = rest.find("tls") {
        let datagrams = rest.get(..at).is_some_and(|before| before.ends_with('d'));
        rest = rest.get(at + 3..).unwrap_or_default();
        for number in numbers(rest) {
            match (datagrams, number) {
                (true, n) => out.dtls.extend(["1.0", "1.2", "1.3"].into_iter().find(|v| *v == n)),
                (false, n) => out.tls.extend(TlsVersion::parse(n)),
            }
        }
    }
    out.ssh = lower.contains("ssh");
    out.mutual =
        ["mutual", "mtls", "client certificate", "client-certificate", "two-way"].iter().any(|w| lower.contains(w));
    out
}

/// The version numbers that follow directly, with what usually stands between them.
fn numbers(text: &str) -> Vec<&str> {
    let mut rest = text;
    let mut out = Vec::new();
    loop {
        let start = rest.trim_start_matches([' ', 'v', '/', ',', '-', '_']);
        let start = start.strip_prefix("and ").or(start.strip_prefix("or ")).unwrap_or(start);
        let start = start.trim_start_matches([' ', 'v']);
        match start.get(..3) {
            Some(n @ ("1.0" | "1.1" | "1.2" | "1.3")) => {
                out.push(n);
                rest = start.get(3..).unwrap_or_default();
            }
            Some(_) | None => return out,
        }
    }
}

fn suites(text: &str) -> BTreeSet<String> {
    let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    text.split(word).filter(|w| w.starts_with("TLS_") && w.len() > 8).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_makers_write_them() {
        for text in ["TLS 1.2 and 1.3", "TLSv1.2, TLSv1.3", "HTTPS (TLS1.2/1.3)", "tls v1.3 or v1.2"] {
            assert_eq!(read(text).tls, BTreeSet::from([TlsVersion::Tls12, TlsVersion::Tls13]), "{text}");
        }
        let both = read("CoAP over DTLS 1.2 with TLS_PSK_WITH_AES_128_CCM_8; MQTT with TLS 1.3, mutual");
        assert_eq!((both.dtls, both.tls), (BTreeSet::from(["1.2"]), BTreeSet::from([TlsVersion::Tls13])));
        assert_eq!((both.suites.len(), both.mutual, both.ssh), (1, true, false));
        assert_eq!(read("TLS, state of the art"), Declared::default());
    }
}
