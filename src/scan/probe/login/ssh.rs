//! SSH password and keyboard-interactive, by russh over a wire of ours. No command is run after a success.
use super::{Account, Tried};
use crate::model::{
    Endpoint, Observation, Sha256Digest,
    digest::hex,
    observation::{Answer, clean},
};
use crate::scan::{net::Trouble, session::Ctx};
use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse};
use std::{sync::Arc, time::Duration};
use tokio::{sync::oneshot, task::JoinHandle};

/// Takes any key, and tells which one it was.
struct AnyKey(Option<oneshot::Sender<HostKey>>);

/// The key by which an SSH server is known.
pub struct HostKey {
    pub algorithm: String,
    /// Of the key as it goes over the wire.
    pub sha256: String,
    /// Of an RSA modulus.
    pub bits: Option<u32>,
}

impl client::Handler for AnyKey {
    type Error = russh::Error;
    // Whose key it is does not matter here: nothing secret is sent that is not on a public list.
    async fn check_server_key(&mut self, key: &russh::keys::PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        use russh::keys::{HashAlg, PublicKeyOrCertificate as K};
        let (algorithm, data) = match key {
            K::PublicKey { key, .. } => (key.algorithm().to_string(), key.key_data()),
            K::Certificate(c) => (c.algorithm().to_string(), c.public_key()),
        };
        let (digest, bits) = (data.fingerprint(HashAlg::Sha256), modulus_bits(data));
        if let (Some(tell), Some(d)) = (self.0.take(), digest.sha256()) {
            let _ = tell.send(HostKey { algorithm, sha256: hex(&d), bits });
        }
        Ok(true)
    }
}

fn modulus_bits(key: &russh::keys::ssh_key::public::KeyData) -> Option<u32> {
    let modulus = key.rsa()?.n().as_positive_bytes()?;
    let top = modulus.first().map_or(0, |b| 8 - b.leading_zeros());
    u32::try_from(modulus.len().saturating_sub(1)).ok().map(|whole| whole * 8 + top)
}

/// The server's key, by a key exchange without a log-in.
pub async fn host_key(ctx: &Ctx, e: Endpoint) -> Result<(HostKey, Sha256Digest), Trouble> {
    shown(ctx, e, client::Config::default).await
}

/// The key that proves itself by this algorithm.
pub async fn host_key_by(ctx: &Ctx, e: Endpoint, algorithm: &str) -> Result<(HostKey, Sha256Digest), Trouble> {
    let algorithm = russh::keys::Algorithm::new(algorithm).map_err(|e| Trouble::NotUnderstood(format!("SSH: {e}")))?;
    // Old servers know key exchange with SHA-1 alone. Nothing secret is sent.
    let mut kex = russh::Preferred::DEFAULT.kex.into_owned();
    kex.extend([russh::kex::DH_G14_SHA1, russh::kex::DH_G1_SHA1]);
    let preferred = russh::Preferred { key: vec![algorithm].into(), kex: kex.into(), ..russh::Preferred::DEFAULT };
    shown(ctx, e, || client::Config { preferred: preferred.clone(), ..client::Config::default() }).await
}

async fn shown(
    ctx: &Ctx,
    e: Endpoint,
    config: impl Fn() -> client::Config,
) -> Result<(HostKey, Sha256Digest), Trouble> {
    let once = || async {
        let (tell, mut told) = oneshot::channel();
        let open = Open::configured(ctx, e, AnyKey(Some(tell)), config()).await?;
        let tape = open.close().await?;
        let key = told.try_recv().map_err(|_| Trouble::NotUnderstood("SSH: no key was shown".to_owned()))?;
        Ok((key, tape))
    };
    ctx.patient(e, "ssh-host-key", once).await
}

struct Open {
    handle: Handle<AnyKey>,
    stop: oneshot::Sender<()>,
    carrier: JoinHandle<Sha256Digest>,
}

impl Open {
    async fn to(ctx: &Ctx, e: Endpoint) -> Result<Self, Trouble> {
        ctx.patient(e, "ssh", || Self::configured(ctx, e, AnyKey(None), client::Config::default())).await
    }

    async fn configured(ctx: &Ctx, e: Endpoint, key: AnyKey, config: client::Config) -> Result<Self, Trouble> {
        let wire = ctx.tcp(e).await?;
        let (near, far) = tokio::io::duplex(64 * 1024);
        let (stop, stopped) = oneshot::channel();
        let carrier = tokio::spawn(wire.carry(far, stopped));
        let config = client::Config { inactivity_timeout: Some(Duration::from_secs(20)), ..config };
        let connecting = client::connect_stream(Arc::new(config), near, key);
        match tokio::time::timeout(Duration::from_secs(15), connecting).await {
            Ok(Ok(handle)) => Ok(Self { handle, stop, carrier }),
            Ok(Err(e)) => Err(broken(&e)),
            Err(_) => Err(Trouble::Silent(15_000)),
        }
    }

    async fn close(self) -> Result<Sha256Digest, Trouble> {
        let _ = self.handle.disconnect(russh::Disconnect::ByApplication, "", "").await;
        drop(self.handle);
        drop(self.stop);
        self.carrier.await.map_err(|e| Trouble::Ours(std::io::Error::other(e)))
    }
}

fn broken(e: &russh::Error) -> Trouble {
    match e {
        russh::Error::Disconnect | russh::Error::HUP => Trouble::Closed,
        russh::Error::IO(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => Trouble::Closed,
        other => Trouble::NotUnderstood(format!("SSH: {other}")),
    }
}

/// The `none` method: accepted means that no credential is needed.
pub async fn nothing(ctx: &Ctx, e: Endpoint) -> Result<Tried, Trouble> {
    let mut open = Open::to(ctx, e).await?;
    let result = open.handle.authenticate_none("root").await;
    let tape = open.close().await?;
    if let Ok(AuthResult::Failure { remaining_methods, .. }) = &result {
        let methods = remaining_methods.iter().map(|m| clean(<&str>::from(m), 40)).collect();
        ctx.record(e, Observation::SshMethods { methods }, Some(tape.clone()));
    }
    let (answer, proof) = match result {
        Ok(AuthResult::Success) => (Answer::Accepted, "the method `none` is accepted".to_owned()),
        Ok(AuthResult::Failure { remaining_methods, .. }) => {
            (Answer::Refused, format!("it asks for {}", methods(&remaining_methods)))
        }
        Err(e) => (Answer::Unclear, e.to_string()),
    };
    Ok(Tried::new(answer, proof, tape))
}

fn methods(set: &russh::MethodSet) -> String {
    set.iter().map(|m| String::from(<&str>::from(m))).collect::<Vec<_>>().join(", ")
}

pub async fn pair(ctx: &Ctx, e: Endpoint, user: &str, secret: &str) -> Result<Tried, Trouble> {
    let mut open = match Open::to(ctx, e).await {
        Ok(o) => o,
        Err(Trouble::Refused | Trouble::Closed) => {
            let proof = "it no longer takes connections".to_owned();
            return Ok(Tried { answer: Answer::LockSign, proof, transcript: None, account: Account::Named });
        }
        Err(t) => return Err(t),
    };
    let result = open.handle.authenticate_password(user, secret).await;
    let result = match result {
        Ok(AuthResult::Failure { remaining_methods, .. })
            if !remaining_methods.contains(&russh::MethodKind::Password)
                && remaining_methods.contains(&russh::MethodKind::KeyboardInteractive) =>
        {
            interactive(&mut open.handle, user, secret).await
        }
        other => other,
    };
    let tape = open.close().await?;
    let (answer, proof) = match result {
        Ok(AuthResult::Success) => (Answer::Accepted, "the server said SSH_MSG_USERAUTH_SUCCESS".to_owned()),
        Ok(AuthResult::Failure { remaining_methods, .. }) if password_possible(&remaining_methods) => {
            (Answer::Refused, "the server said SSH_MSG_USERAUTH_FAILURE".to_owned())
        }
        Ok(AuthResult::Failure { remaining_methods, .. }) => {
            (Answer::Refused, format!("passwords are not offered, only {}", methods(&remaining_methods)))
        }
        Err(e) => (Answer::Unclear, e.to_string()),
    };
    Ok(Tried::new(answer, proof, tape))
}

fn password_possible(set: &russh::MethodSet) -> bool {
    set.contains(&russh::MethodKind::Password) || set.contains(&russh::MethodKind::KeyboardInteractive)
}

async fn interactive(handle: &mut Handle<AnyKey>, user: &str, secret: &str) -> Result<AuthResult, russh::Error> {
    let mut answer = handle.authenticate_keyboard_interactive_start(user, None::<String>).await?;
    for _ in 0..3 {
        answer = match answer {
            KeyboardInteractiveAuthResponse::Success => return Ok(AuthResult::Success),
            KeyboardInteractiveAuthResponse::Failure { remaining_methods, partial_success } => {
                return Ok(AuthResult::Failure { remaining_methods, partial_success });
            }
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => {
                let replies = prompts.iter().map(|_| secret.to_owned()).collect();
                handle.authenticate_keyboard_interactive_respond(replies).await?
            }
        };
    }
    Err(russh::Error::NotAuthenticated)
}

/// What a server says to the question whether a key would be taken (RFC 4252, section 7).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    Yes,
    No,
    /// It takes no keys at all.
    NoKeys,
}

/// Notes that it was asked to sign, and never does.
struct NeverSigns(bool);

struct Unsigned;

impl From<russh::SendError> for Unsigned {
    fn from(_: russh::SendError) -> Self {
        Self
    }
}

impl russh::Signer for NeverSigns {
    type Error = Unsigned;

    async fn auth_sign(
        &mut self,
        _: &russh::keys::agent::AgentIdentity,
        _: Option<russh::keys::HashAlg>,
        _: Vec<u8>,
    ) -> Result<Vec<u8>, Unsigned> {
        self.0 = true;
        Err(Unsigned)
    }
}

/// Whether the server would take these public keys for this user, all asked on one connection. Nothing is signed.
pub async fn would_take(
    ctx: &Ctx,
    e: Endpoint,
    user: &str,
    keys: &[&russh::keys::PublicKey],
) -> Result<(Vec<Taken>, Sha256Digest), Trouble> {
    let mut open = Open::to(ctx, e).await?;
    let mut all = Vec::with_capacity(keys.len());
    for key in keys {
        all.push(one_key(&mut open.handle, user, key).await?);
    }
    Ok((all, open.close().await?))
}

async fn one_key(handle: &mut Handle<AnyKey>, user: &str, key: &russh::keys::PublicKey) -> Result<Taken, Trouble> {
    use russh::keys::{Algorithm, HashAlg};
    // Old servers know RSA with SHA-1 alone, new ones refuse it.
    let hashes: &[Option<HashAlg>] = match key.algorithm() {
        Algorithm::Rsa { .. } => &[Some(HashAlg::Sha512), None],
        _ => &[None],
    };
    for hash in hashes {
        let mut signer = NeverSigns(false);
        let said = handle.authenticate_publickey_with(user, key.clone(), *hash, &mut signer).await;
        match said {
            _ if signer.0 => return Ok(Taken::Yes),
            Ok(AuthResult::Failure { remaining_methods, .. })
                if !remaining_methods.contains(&russh::MethodKind::PublicKey) =>
            {
                return Ok(Taken::NoKeys);
            }
            Ok(AuthResult::Failure { .. }) => {}
            Ok(AuthResult::Success) => return Err(Trouble::NotUnderstood("SSH: it let us in unasked".to_owned())),
            Err(Unsigned) => return Err(Trouble::Closed),
        }
    }
    Ok(Taken::No)
}
