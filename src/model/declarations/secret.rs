//! Secrets do not belong into declarations, which travel to laboratories and into bundles.

const WORDS: [&str; 10] =
    ["password", "passwd", "passphrase", "passwort", "secret", "token", "psk", "apikey", "api_key", "pin"];

/// `env:NAME` or `file:PATH`.
pub fn is_reference(text: &str) -> bool {
    ["env:", "file:"].iter().any(|p| text.strip_prefix(p).is_some_and(|rest| !rest.trim().is_empty()))
}

/// Whether a key that no table has was probably meant to hold a secret.
pub fn is_name(key: &str) -> bool {
    let key = key.to_lowercase();
    WORDS
        .iter()
        .chain(&["credential", "private_key", "x-password"])
        .any(|w| key == *w || key.ends_with(&format!("_{w}")))
}

/// A private key, a password inside a URL, or `password=...` and the like.
pub fn in_clear(text: &str) -> bool {
    private_key(text) || text.split_whitespace().any(url_with_password) || assigned(text)
}

fn private_key(text: &str) -> bool {
    text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----")
}

fn url_with_password(word: &str) -> bool {
    let Some((_, rest)) = word.split_once("://") else { return false };
    let Some((user, _)) = rest.split('/').next().unwrap_or_default().split_once('@') else { return false };
    user.split_once(':').is_some_and(|(_, password)| !password.is_empty() && !password.starts_with('<'))
}

/// `password=x` written together, or `password: x9` where the word that follows has a digit: prose such as
/// `password: set by the user` has none.
fn assigned(text: &str) -> bool {
    let lower = text.to_lowercase();
    WORDS.iter().any(|word| {
        lower.match_indices(word).any(|(at, _)| {
            let whole = !lower.get(..at).unwrap_or_default().ends_with(char::is_alphanumeric);
            let rest = lower.get(at + word.len()..).unwrap_or_default();
            let value = |t: &str| {
                t.split_whitespace().next().unwrap_or_default().trim_matches(['"', '\'', ',', ';']).to_owned()
            };
            let told = |v: &str| v.chars().count() >= 4 && !v.starts_with(['<', '{', '$']) && !is_reference(v);
            let together = rest.strip_prefix('=').map(value).is_some_and(|v| told(&v));
            let digit = |v: &String| v.chars().any(|c| c.is_ascii_digit());
            let apart = rest.trim_start().strip_prefix([':', '=']).map(value).filter(digit).is_some_and(|v| told(&v));
            whole && (together || apart)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_told_from_prose_about_secrets() {
        for clear in [
            "password=hunter2!",
            "log in with password: Summer2024",
            "https://admin:admin@192.168.1.1/",
            "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl",
            "the PSK=abcdefgh of the lab",
        ] {
            assert!(in_clear(clear), "{clear}");
        }
        for prose in [
            "password: set by the user at first use",
            "a secret per device, from the chip's generator",
            "https://example.com/manual@2",
            "token: see file:/lab/token",
            "mapping=1 to 1",
            "spinning=false",
            "SHA-256 with a 128-bit salt",
        ] {
            assert!(!in_clear(prose), "{prose}");
        }
    }
}
