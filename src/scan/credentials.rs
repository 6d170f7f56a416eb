//! The lists of publicly known default credentials, and which of them to try first.
use super::data::{builtin, rows};
use serde::Deserialize;
use std::sync::LazyLock;

#[derive(Deserialize)]
struct Written {
    #[serde(rename = "credential")]
    credentials: Vec<Credential>,
    #[serde(rename = "token")]
    tokens: Vec<Token>,
    #[serde(rename = "community")]
    communities: Vec<Community>,
}

/// A user and a secret that shipped devices have used.
#[derive(Clone, Debug, Deserialize)]
pub struct Credential {
    pub id: String,
    pub user: String,
    pub secret: String,
    pub protocols: Vec<String>,
    #[serde(default)]
    pub vendors: Vec<String>,
    /// How common it is, 1 to 100.
    weight: u32,
}

/// A token that is the same on every device of a product.
#[derive(Clone, Debug, Deserialize)]
struct Token {
    id: String,
    kind: String,
    header: String,
    value: String,
    #[serde(default)]
    vendor: String,
}

/// An identity and a key of DTLS that samples of software carry; the key in hex digits.
#[derive(Clone, Debug, Deserialize)]
struct PreShared {
    id: String,
    identity: String,
    key_hex: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Community {
    pub id: String,
    pub value: String,
}

static LISTS: LazyLock<Written> =
    LazyLock::new(|| builtin("credentials.toml", include_str!("../../profiles/data/credentials.toml")));

/// Keys of DTLS from samples: the identity is the user.
pub fn pre_shared_keys() -> Vec<Credential> {
    let one = |k: &PreShared| Credential {
        id: k.id.clone(),
        user: k.identity.clone(),
        secret: k.key_hex.clone(),
        protocols: Vec::new(),
        vendors: Vec::new(),
        weight: 1,
    };
    KEYS.iter().map(one).collect()
}

static KEYS: LazyLock<Vec<PreShared>> =
    LazyLock::new(|| rows("pre-shared-keys.toml", include_str!("../../profiles/data/pre-shared-keys.toml"), "key"));

pub fn communities() -> &'static [Community] {
    &LISTS.communities
}

pub fn all() -> &'static [Credential] {
    &LISTS.credentials
}

pub fn find(id: &str) -> Option<&'static Credential> {
    all().iter().find(|c| c.id == id)
}

/// Tokens that stand in a header, those of the named vendors first: the header is the user, the token the secret. What is
/// a user and a password in truth is tried as such, on the account that it is charged to.
pub fn tokens(hints: &str) -> Vec<Credential> {
    let hints = hints.to_lowercase();
    let fits = |t: &&Token| t.kind == "header" && !t.value.starts_with("Basic ");
    let own = |t: &Token| !t.vendor.is_empty() && hints.contains(&t.vendor);
    let (first, rest): (Vec<&Token>, Vec<&Token>) =
        LISTS.tokens.iter().filter(fits).filter(|t| t.vendor.is_empty() || own(t)).partition(|t| own(t));
    let credential = |t: &Token| Credential {
        id: t.id.clone(),
        user: t.header.clone(),
        secret: t.value.clone(),
        protocols: Vec::new(),
        vendors: Vec::new(),
        weight: 1,
    };
    first.into_iter().chain(rest).map(credential).collect()
}

/// The candidates for a protocol: those of the vendors named in `hints`, and the commonest, in turn.
pub fn candidates(protocol: &str, hints: &str) -> Vec<Credential> {
    let hints = hints.to_lowercase();
    let vendor = |c: &Credential| c.vendors.iter().any(|v| v.len() > 2 && hints.contains(v.as_str()));
    // Anonymous FTP is a question of its own, asked before these.
    let other = |c: &&Credential| protocol == "ftp" && matches!(c.user.as_str(), "anonymous" | "ftp");
    let fits = |c: &&Credential| c.protocols.iter().any(|p| p == protocol) && !other(c);
    let mut common: Vec<&Credential> = all().iter().filter(fits).collect();
    common.sort_by_key(|c| (std::cmp::Reverse(c.weight), &c.id));
    let own: Vec<&Credential> = common.iter().copied().filter(|c| vendor(c)).collect();
    // In turn, since an account's budget is small: a maker's own default, then the commonest of all.
    let mut list: Vec<Credential> = Vec::with_capacity(common.len());
    let (mut own, mut common) = (own.into_iter(), common.into_iter());
    loop {
        let next = [own.next(), common.next()];
        if next.iter().all(Option::is_none) {
            return list;
        }
        for c in next.into_iter().flatten() {
            if !list.iter().any(|l| l.id == c.id) {
                list.push(c.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_list_is_long_enough_unique_and_has_provenance() {
        assert!(all().len() >= 150, "{}", all().len());
        let pairs: BTreeSet<_> = all().iter().map(|c| (&c.user, &c.secret)).collect();
        assert_eq!(pairs.len(), all().len());
        let ids: BTreeSet<_> = all().iter().map(|c| &c.id).collect();
        assert_eq!(ids.len(), all().len());
        let raw: toml::Table = toml::from_str(include_str!("../../profiles/data/credentials.toml")).unwrap();
        let sources = raw["source"].as_table().unwrap();
        for row in raw["credential"].as_array().unwrap() {
            assert!(sources.contains_key(row["source"].as_str().unwrap()), "{row}");
        }
    }

    #[test]
    fn every_pre_shared_key_is_hex_and_names_a_source() {
        let raw: toml::Table = toml::from_str(include_str!("../../profiles/data/pre-shared-keys.toml")).unwrap();
        for row in raw["key"].as_array().unwrap() {
            assert!(raw["source"].as_table().unwrap().contains_key(row["source"].as_str().unwrap()), "{row}");
        }
        for key in pre_shared_keys() {
            assert!(
                key.secret.len().is_multiple_of(2) && key.secret.bytes().all(|b| b.is_ascii_hexdigit()),
                "{}",
                key.id
            );
        }
    }

    #[test]
    fn tokens_of_strangers_are_not_tried_and_no_password_hides_among_them() {
        let ids = |hints: &str| tokens(hints).into_iter().map(|t| t.id).collect::<Vec<_>>();
        assert_eq!(ids("Server: APISIX/3").first().map(String::as_str), Some("tok-0001"));
        assert!(!ids("").contains(&"tok-0001".to_owned()));
        assert!(tokens("emqx").iter().all(|t| !t.secret.starts_with("Basic ")));
    }

    #[test]
    fn a_vendors_own_default_comes_first() {
        let first = &candidates("http", "Server: Hikvision-Webs")[0];
        assert!(first.vendors.iter().any(|v| v == "hikvision"), "{first:?}");
    }
}
