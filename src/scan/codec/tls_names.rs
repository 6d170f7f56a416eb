//! Names and numbers of suites, groups and signature schemes, from the IANA registries.
use crate::scan::data::builtin;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

/// Named groups: RFC 8422, RFC 7919, RFC 7027, RFC 8734 and the hybrids of post-quantum key exchange.
const GROUPS: &[(u16, &str)] = &[
    (29, "x25519"),
    (23, "secp256r1"),
    (24, "secp384r1"),
    (25, "secp521r1"),
    (30, "x448"),
    (0x11ec, "X25519MLKEM768"),
    (0x11eb, "SecP256r1MLKEM768"),
    (0x11ed, "SecP384r1MLKEM1024"),
    (256, "ffdhe2048"),
    (257, "ffdhe3072"),
    (258, "ffdhe4096"),
    (259, "ffdhe6144"),
    (260, "ffdhe8192"),
    (26, "brainpoolP256r1"),
    (27, "brainpoolP384r1"),
    (28, "brainpoolP512r1"),
    (31, "brainpoolP256r1tls13"),
    (32, "brainpoolP384r1tls13"),
    (33, "brainpoolP512r1tls13"),
    (22, "secp256k1"),
    (21, "secp224r1"),
    (20, "secp224k1"),
    (19, "secp192r1"),
    (18, "secp192k1"),
    (17, "secp160r2"),
    (16, "secp160r1"),
    (15, "secp160k1"),
    (14, "sect571r1"),
    (13, "sect571k1"),
    (12, "sect409r1"),
    (11, "sect409k1"),
    (10, "sect283r1"),
    (9, "sect283k1"),
    (8, "sect239k1"),
    (7, "sect233r1"),
    (6, "sect233k1"),
    (5, "sect193r2"),
    (4, "sect193r1"),
    (3, "sect163r2"),
    (2, "sect163r1"),
    (1, "sect163k1"),
];

/// Signature schemes: RFC 8446, 4.2.3, and the pairs of hash and signature of RFC 5246.
const SCHEMES: &[(u16, &str)] = &[
    (0x0403, "ecdsa_secp256r1_sha256"),
    (0x0503, "ecdsa_secp384r1_sha384"),
    (0x0603, "ecdsa_secp521r1_sha512"),
    (0x0804, "rsa_pss_rsae_sha256"),
    (0x0805, "rsa_pss_rsae_sha384"),
    (0x0806, "rsa_pss_rsae_sha512"),
    (0x0401, "rsa_pkcs1_sha256"),
    (0x0501, "rsa_pkcs1_sha384"),
    (0x0601, "rsa_pkcs1_sha512"),
    (0x0807, "ed25519"),
    (0x0808, "ed448"),
    (0x0809, "rsa_pss_pss_sha256"),
    (0x080a, "rsa_pss_pss_sha384"),
    (0x080b, "rsa_pss_pss_sha512"),
    (0x0303, "ecdsa_sha224"),
    (0x0301, "rsa_pkcs1_sha224"),
    (0x0203, "ecdsa_sha1"),
    (0x0201, "rsa_pkcs1_sha1"),
    (0x0202, "dsa_sha1"),
    (0x0302, "dsa_sha224"),
    (0x0402, "dsa_sha256"),
    (0x0502, "dsa_sha384"),
    (0x0602, "dsa_sha512"),
    (0x0103, "ecdsa_md5"),
    (0x0101, "rsa_pkcs1_md5"),
];

#[derive(serde::Deserialize)]
struct Written {
    suites: BTreeMap<String, String>,
}

static SUITES: LazyLock<BTreeMap<u16, String>> = LazyLock::new(|| {
    let written: Written = builtin("tls-suites.toml", include_str!("../../../profiles/data/tls-suites.toml"));
    written.suites.into_iter().filter_map(|(n, name)| Some((u16::from_str_radix(&n, 16).ok()?, name))).collect()
});

fn numbered(n: u16) -> String {
    format!("0x{n:04x}")
}

pub fn suite(n: u16) -> String {
    SUITES.get(&n).cloned().unwrap_or_else(|| numbered(n))
}

/// Every suite of the registry whose name fits, by number.
pub fn suites(fits: impl Fn(&str) -> bool) -> Vec<u16> {
    SUITES.iter().filter(|(_, name)| fits(name)).map(|(n, _)| *n).collect()
}

pub fn group(n: u16) -> String {
    GROUPS.iter().find(|g| g.0 == n).map_or_else(|| numbered(n), |g| g.1.to_owned())
}

/// All groups, the commonest first.
pub fn groups() -> Vec<u16> {
    GROUPS.iter().map(|g| g.0).collect()
}

pub fn scheme(n: u16) -> String {
    SCHEMES.iter().find(|s| s.0 == n).map_or_else(|| numbered(n), |s| s.1.to_owned())
}

pub fn schemes() -> Vec<u16> {
    SCHEMES.iter().map(|s| s.0).collect()
}

/// Primes by which keys of the library of CVE-2017-15361 are told: modulo each, they are powers of 65537.
const ROCA_PRIMES: &[u32] = &[11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

/// Whether an RSA modulus, big-endian, has that structure. A random one has it by chance once in millions.
pub fn roca(modulus: &[u8]) -> bool {
    let residue = |p: u32| modulus.iter().fold(0, |n: u32, b| (n * 256 + u32::from(*b)) % p);
    let power = |p: u32| {
        let mut all = BTreeSet::from([1]);
        let mut x = 65537 % p;
        while all.insert(x) {
            x = x * 65537 % p;
        }
        all.contains(&residue(p))
    };
    modulus.len() >= 32 && ROCA_PRIMES.iter().all(|p| power(*p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_of_the_list_has_a_number_and_a_name() {
        assert!(SUITES.len() > 300);
        assert_eq!(suite(0xc02f), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
        assert_eq!(suite(0xfafa), "0xfafa");
        assert!(suites(|n| n.contains("EXPORT")).contains(&3));
    }

    #[test]
    fn a_modulus_that_is_a_power_of_65537_everywhere_is_told_and_another_is_not() {
        let mut power = vec![0u8; 33];
        power[32] = 1; // 1 is a power of anything.
        assert!(roca(&power));
        power[32] = 2;
        assert!(!roca(&power));
    }
}
