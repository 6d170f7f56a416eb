//! What a suite is made of, told from its name, and the named policies of `profiles/data/tls-policies.toml`.
use crate::judge::Evidence;
use crate::judge::evidence::Known;
use crate::model::{
    Observation,
    observation::{
        TlsVersion,
        tls::{Standing, TlsFeature, TlsList},
    },
};
use serde::Deserialize;
use std::sync::LazyLock;

/// The rows also name their source and how sure it is, for people.
#[derive(Debug, Deserialize)]
pub(super) struct Policy {
    pub id: String,
    pub title: String,
    forbidden: Vec<String>,
    #[serde(default)]
    allowed: Vec<String>,
    #[serde(default)]
    groups: Vec<String>,
    pub dh_bits: u32,
    pub curve_bits: u32,
    pub rsa_bits: u32,
    pub ec_bits: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    policy: Vec<Policy>,
}

static POLICIES: LazyLock<Vec<Policy>> = LazyLock::new(|| {
    let read = toml::from_str::<File>(include_str!("../../../profiles/data/tls-policies.toml"));
    read.unwrap_or_default().policy
});

/// A policy by its id, as a parameter names it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Named(pub &'static Policy);

impl TryFrom<String> for Named {
    type Error = String;

    fn try_from(id: String) -> Result<Self, String> {
        let all = || POLICIES.iter().map(|p| p.id.as_str()).collect::<Vec<_>>().join(", ");
        POLICIES.iter().find(|p| p.id == id).map(Self).ok_or_else(|| format!("no policy `{id}`; there are {}", all()))
    }
}

/// The list has it; were it not to parse, a profile that names none could not be bound either.
pub(super) fn broken() -> Named {
    static NOTHING: LazyLock<Policy> = LazyLock::new(|| Policy {
        id: "none".to_owned(),
        title: String::new(),
        forbidden: Vec::new(),
        allowed: vec!["none".to_owned()],
        groups: Vec::new(),
        dh_bits: u32::MAX,
        curve_bits: u32::MAX,
        rsa_bits: u32::MAX,
        ec_bits: u32::MAX,
    });
    POLICIES.iter().find(|p| p.id == "broken").map_or(Named(&NOTHING), Named)
}

impl Policy {
    /// Why a suite is forbidden, if it is.
    pub fn forbids(&self, suite: &str) -> Option<String> {
        let parts = parts(suite);
        let bad: Vec<&str> = parts.into_iter().filter(|p| self.forbidden.iter().any(|f| f == p)).collect();
        match (bad.is_empty(), self.allowed.is_empty() || self.allowed.iter().any(|a| a == suite)) {
            (false, _) => Some(bad.join(", ")),
            (true, false) => Some(format!("not in {}", self.id)),
            (true, true) => None,
        }
    }

    /// Why a group is forbidden, if it is. One that we do not know is not.
    pub fn forbids_group(&self, group: &str) -> Option<String> {
        if !self.groups.is_empty() && !self.groups.iter().any(|g| g == group) {
            return Some(format!("not in {}", self.id));
        }
        let (bits, least) = match bits(group)? {
            Size::Curve(n) => (n, self.curve_bits),
            Size::Field(n) => (n, self.dh_bits),
        };
        (bits < least).then(|| format!("{bits} bits"))
    }
}

enum Size {
    Curve(u32),
    Field(u32),
}

fn bits(group: &str) -> Option<Size> {
    let number = |after: &str| {
        let rest = group.strip_prefix(after)?;
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<u32>().ok()
    };
    match group {
        "x25519" => Some(Size::Curve(255)),
        "x448" => Some(Size::Curve(448)),
        _ => number("ffdhe").map(Size::Field).or_else(|| {
            let curve = number("secp").or_else(|| number("sect")).or_else(|| number("brainpoolP"));
            curve.map(Size::Curve)
        }),
    }
}

/// Whether its name says anything: an unknown number does not.
pub(super) fn is_known(suite: &str) -> bool {
    suite.starts_with("TLS_")
}

/// What a suite is made of, in words that a policy can forbid.
pub(super) fn parts(suite: &str) -> Vec<&'static str> {
    let (kex, cipher) = suite.split_once("_WITH_").unwrap_or(("", suite));
    let kex = kex.strip_prefix("TLS_").unwrap_or(kex);
    let has = |w: &str| cipher.split('_').any(|p| p == w);
    let key_exchange = kex.strip_suffix("_EXPORT").or(kex.strip_suffix("_EXPORT1024")).unwrap_or(kex);
    let all = [
        (has("NULL"), "null"),
        (kex.contains("EXPORT"), "export"),
        (kex.contains("anon"), "anonymous"),
        (has("RC4"), "rc4"),
        (has("RC2"), "rc2"),
        (has("DES") || has("DES40"), "des"),
        (has("3DES"), "3des"),
        (has("IDEA"), "idea"),
        (has("SEED"), "seed"),
        (has("MD5"), "md5"),
        (has("CBC"), "cbc"),
        (has("8") && has("CCM"), "ccm8"),
        (matches!(key_exchange, "RSA" | "RSA_PSK" | "KRB5"), "static-rsa"),
        (matches!(key_exchange, "DH_RSA" | "DH_DSS" | "ECDH_RSA" | "ECDH_ECDSA"), "static-dh"),
        (matches!(key_exchange, "PSK"), "static-psk"),
    ];
    // `3DES_EDE` is no DES of 56 bits.
    all.into_iter().filter(|(there, _)| *there).map(|(_, word)| word).collect()
}

/// Whether each connection has a key of its own: TLS 1.3, or ephemeral key exchange before it.
pub(super) fn is_ephemeral(suite: &str) -> bool {
    !suite.contains("_WITH_") || suite.contains("_ECDHE_") || suite.contains("_DHE_")
}

/// The lists of the survey.
pub(super) fn lists<'a>(evidence: &Evidence<'a>) -> Known<(TlsVersion, &'a TlsList)> {
    evidence.known("tls-survey", |r| match &r.observation {
        Observation::TlsAccepts { version, list } => Some((*version, list)),
        _ => None,
    })
}

pub(super) fn features<'a>(evidence: &Evidence<'a>) -> Known<(TlsFeature, Standing)> {
    evidence.known("tls-survey", |r| match &r.observation {
        Observation::TlsFeature { feature, standing, .. } => Some((*feature, *standing)),
        _ => None,
    })
}

/// A few names, and how many more.
pub(super) fn few(all: &[String]) -> String {
    match all {
        [a, b, c, rest @ ..] if !rest.is_empty() => format!("{a}, {b}, {c} and {} more", rest.len()),
        all => all.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_what_is_wrong_with_a_suite() {
        assert_eq!(parts("TLS_RSA_EXPORT_WITH_RC4_40_MD5"), ["export", "rc4", "md5", "static-rsa"]);
        assert_eq!(parts("TLS_RSA_WITH_3DES_EDE_CBC_SHA"), ["3des", "cbc", "static-rsa"]);
        assert_eq!(parts("TLS_DH_anon_WITH_AES_128_CBC_SHA"), ["anonymous", "cbc"]);
        assert_eq!(parts("TLS_RSA_EXPORT_WITH_DES40_CBC_SHA"), ["export", "des", "cbc", "static-rsa"]);
        assert_eq!(parts("TLS_PSK_WITH_AES_128_CCM_8"), ["ccm8", "static-psk"]);
        assert!(parts("TLS_AES_128_GCM_SHA256").is_empty());
        assert!(parts("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256").is_empty());
    }

    #[test]
    fn every_policy_has_a_source_and_is_found_by_its_id() {
        assert!(POLICIES.len() >= 5 && broken().0.id == "broken");
        let raw: toml::Table = toml::from_str(include_str!("../../../profiles/data/tls-policies.toml")).unwrap();
        for row in raw["policy"].as_array().unwrap() {
            let text = |key: &str| row[key].as_str().unwrap();
            assert!(!text("source").is_empty() && ["high", "medium", "low"].contains(&text("confidence")), "{row}");
        }
        for p in POLICIES.iter() {
            assert!(Named::try_from(p.id.clone()).is_ok());
            assert!(p.allowed.iter().all(|a| is_known(a)), "{}", p.id);
        }
        assert!(Named::try_from("brokn".to_owned()).unwrap_err().contains("rfc9325"));
    }

    #[test]
    fn small_groups_are_refused_and_unknown_ones_are_not() {
        let broken = broken().0;
        assert_eq!(broken.forbids_group("secp192r1"), Some("192 bits".to_owned()));
        assert_eq!(broken.forbids_group("x25519").or(broken.forbids_group("ffdhe2048")), None);
        assert_eq!(broken.forbids_group("X25519MLKEM768").or(broken.forbids_group("0x9999")), None);
    }
}
