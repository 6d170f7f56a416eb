//! Whether an SSH server would take a key whose private half is published.
use super::{
    Probe,
    login::ssh::{self, Taken},
};
use crate::model::{Endpoint, Observation, Touch};
use crate::scan::{data::builtin, net::Trouble, session::Ctx};
use russh::keys::PublicKey;
use serde::Deserialize;
use std::{collections::BTreeSet, sync::LazyLock};

pub const PROBE: Probe = Probe {
    id: "ssh-known-keys",
    version: 1,
    title: "published SSH keys",
    page: include_str!("ssh_known_keys.md"),
    touch: Touch::Ask,
    subjects_from: &["tcp-ports", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

#[derive(Deserialize)]
struct Written {
    #[serde(rename = "key")]
    keys: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    users: Vec<String>,
    public: String,
}

static KEYS: LazyLock<Vec<Row>> =
    LazyLock::new(|| builtin::<Written>("ssh-keys.toml", include_str!("../../../profiles/data/ssh-keys.toml")).keys);

async fn run(ctx: &Ctx) {
    ctx.each_service(ctx.services_named(&["ssh"]), |s| async move { look(ctx, s.endpoint).await }).await;
}

/// Keys per connection: servers count each as an attempt, and commonly hang up at the sixth.
const AT_ONCE: usize = 3;

/// For each user a key that nobody has, then those that were shipped for him.
async fn look(ctx: &Ctx, e: Endpoint) -> Result<(), Trouble> {
    let users: BTreeSet<&str> = KEYS.iter().flat_map(|k| k.users.iter().map(String::as_str)).collect();
    for user in users {
        let own = KEYS.iter().filter(|k| k.users.iter().any(|u| u == user));
        let mut keys = vec![("(random)", nobodys()?)];
        for row in own {
            keys.push((row.id.as_str(), PublicKey::from_openssh(&row.public).map_err(ours)?));
        }
        for some in keys.chunks(AT_ONCE) {
            if ask(ctx, e, user, some).await? == Taken::NoKeys {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn ours(x: impl std::fmt::Display) -> Trouble {
    Trouble::Ours(std::io::Error::other(x.to_string()))
}

fn nobodys() -> Result<PublicKey, Trouble> {
    let key = ed25519_dalek::SigningKey::from_bytes(&rand::random()).verifying_key();
    let key = ssh_key::PublicKey::from(ssh_key::public::Ed25519PublicKey(key.to_bytes()));
    PublicKey::from_openssh(&key.to_openssh().map_err(ours)?).map_err(ours)
}

/// What was said last.
async fn ask(ctx: &Ctx, e: Endpoint, user: &str, keys: &[(&str, PublicKey)]) -> Result<Taken, Trouble> {
    let wanted: Vec<&PublicKey> = keys.iter().map(|(_, key)| key).collect();
    let (all, tape) = ssh::would_take(ctx, e, user, &wanted).await?;
    for ((id, _), taken) in keys.iter().zip(&all) {
        let (key, user, control) = ((*id).to_owned(), user.to_owned(), *id == "(random)");
        let (keys_offered, taken) = (*taken != Taken::NoKeys, *taken == Taken::Yes);
        ctx.record(e, Observation::SshKeyQuery { key, user, control, keys_offered, taken }, Some(tape.clone()));
    }
    Ok(all.last().copied().unwrap_or(Taken::No))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_key_is_a_public_key_and_few_are_asked() {
        let queries: usize = KEYS.iter().map(|k| k.users.len()).sum();
        assert!((3..=15).contains(&queries));
        for row in KEYS.iter() {
            PublicKey::from_openssh(&row.public).unwrap();
        }
    }
}
