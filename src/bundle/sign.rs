//! Keys and SSHSIG signatures, as stock `ssh-keygen -Y` makes and checks them (OpenSSH PROTOCOL.sshsig).
use super::agent::{Agent, AgentError};
use signature::Signer;
use ssh_key::{
    Algorithm, Fingerprint, HashAlg, LineEnding, PrivateKey, PublicKey, Signature, SshSig,
    private::{Ed25519Keypair, KeypairData},
};
use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};
use thiserror::Error;

pub const NAMESPACE: &str = "patuh-evidence-bundle";

#[derive(Debug, Error)]
pub enum KeyError {
    #[error("{}: {error}; name an SSH private key with --key", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("{}: not an SSH private key that can sign ({error}); use an ed25519, ecdsa or rsa key in OpenSSH form; of each 256 ecdsa keys one cannot be read, then make another", path.display())]
    NotAKey { path: PathBuf, error: ssh_key::Error },
    #[error("{}: the key is locked with a pass phrase; give the pass phrase, or use a key without one", path.display())]
    Locked { path: PathBuf },
    #[error("{}: the pass phrase does not open the key", path.display())]
    WrongPhrase { path: PathBuf },
    #[error("{}: {error}; choose another path for the new key", path.display())]
    Write { path: PathBuf, error: io::Error },
    #[error("the key cannot sign: {0}; use an ed25519, ecdsa (nistp256) or rsa key")]
    Sign(ssh_key::Error),
    #[error("the rsa key cannot sign: {0}; use an ed25519 key")]
    SignRsa(String),
    #[error("{}: not an SSH public key ({error}); name the .pub file of a key that the agent holds", path.display())]
    NotPublic { path: PathBuf, error: ssh_key::Error },
    #[error("{}: the agent does not hold this key; add it with ssh-add", path.display())]
    NotInAgent { path: PathBuf },
    #[error("the statement cannot be written: {0}")]
    Statement(String),
    #[error("this kind of key cannot sign an envelope; use an ed25519, ecdsa (nistp256) or rsa key")]
    Kind,
    #[error(transparent)]
    Agent(#[from] AgentError),
}

/// A key that is ready to sign: from a file, or held by an agent.
#[derive(Debug)]
pub enum SigningKey {
    File(Box<PrivateKey>),
    Agent { agent: Agent, public: Box<PublicKey> },
}

impl SigningKey {
    /// Reads an OpenSSH private key file.
    pub fn load(path: &Path, phrase: Option<&str>) -> Result<Self, KeyError> {
        let owned = || path.to_owned();
        let text = fs::read_to_string(path).map_err(|error| KeyError::Read { path: owned(), error })?;
        let key = PrivateKey::from_openssh(&text).map_err(|error| KeyError::NotAKey { path: owned(), error })?;
        let key = match (key.is_encrypted(), phrase) {
            (false, _) => key,
            (true, None) => return Err(KeyError::Locked { path: owned() }),
            (true, Some(p)) => key.decrypt(p).map_err(|_| KeyError::WrongPhrase { path: owned() })?,
        };
        Ok(Self::File(Box::new(key)))
    }

    /// The agent's key whose public half is in the file `public` (as `ssh-keygen` writes `.pub`).
    pub fn from_agent(socket: &Path, public: &Path) -> Result<Self, KeyError> {
        let owned = || public.to_owned();
        let text = fs::read_to_string(public).map_err(|error| KeyError::Read { path: owned(), error })?;
        let key = PublicKey::from_openssh(text.trim()).map_err(|error| KeyError::NotPublic { path: owned(), error })?;
        let agent = Agent::new(socket);
        if !agent.keys()?.contains(key.key_data()) {
            return Err(KeyError::NotInAgent { path: owned() });
        }
        Ok(Self::Agent { agent, public: Box::new(key) })
    }

    fn public(&self) -> &PublicKey {
        match self {
            Self::File(key) => key.public_key(),
            Self::Agent { public, .. } => public,
        }
    }

    pub fn fingerprint(&self) -> String {
        self.public().fingerprint(HashAlg::Sha256).to_string()
    }

    /// One line without comment: no byte of it is outside the signature's reach.
    pub fn public_line(&self) -> Result<String, KeyError> {
        line_of(self.public()).map_err(KeyError::Sign)
    }

    /// The armoured SSH signature over `message`, as a seal.
    pub fn sign(&self, message: &[u8]) -> Result<String, KeyError> {
        self.sign_for(NAMESPACE, message)
    }

    /// The armoured SSH signature over `message`, for one purpose alone.
    pub fn sign_for(&self, namespace: &str, message: &[u8]) -> Result<String, KeyError> {
        let data = SshSig::signed_data(namespace, HashAlg::Sha512, message).map_err(KeyError::Sign)?;
        let signature = self.signature(&data)?;
        let signed = SshSig::new(self.public().key_data().clone(), namespace, HashAlg::Sha512, signature);
        signed.and_then(|s| armour(&s)).map_err(KeyError::Sign)
    }

    /// The signature over exactly these bytes.
    pub fn signature(&self, data: &[u8]) -> Result<Signature, KeyError> {
        match self {
            Self::Agent { agent, public } => Ok(agent.sign(public.key_data(), data)?),
            Self::File(key) if key.algorithm().is_rsa() => rsa(key, data),
            Self::File(key) => key.try_sign(data).map_err(|e| KeyError::Sign(e.into())),
        }
    }
}

/// The one place where the newer version of the crate, which russh carries, is needed: 0.6.7 cannot sign
/// with RSA because it hands the first prime on twice.
fn rsa(key: &PrivateKey, data: &[u8]) -> Result<Signature, KeyError> {
    use russh::keys::{signature::Signer as _, ssh_key as newer};
    let text = key.to_openssh(LineEnding::LF).map_err(KeyError::Sign)?;
    let newer = newer::PrivateKey::from_openssh(text.as_bytes()).map_err(|e| KeyError::SignRsa(e.to_string()))?;
    let signature: newer::Signature = newer.try_sign(data).map_err(|e| KeyError::SignRsa(e.to_string()))?;
    let algorithm = Algorithm::Rsa { hash: Some(HashAlg::Sha512) };
    Signature::new(algorithm, signature.as_bytes()).map_err(KeyError::Sign)
}

/// Makes an ed25519 key without a pass phrase: `path` (readable by its owner alone) and `path.pub`.
/// Never over an existing file.
pub fn keygen(path: &Path) -> Result<SigningKey, KeyError> {
    let pair = Ed25519Keypair::from_seed(&rand::random());
    let key = PrivateKey::new(KeypairData::Ed25519(pair), "patuh").map_err(KeyError::Sign)?;
    let text = key.to_openssh(LineEnding::LF).map_err(KeyError::Sign)?;
    let public = key.public_key().to_openssh().map_err(KeyError::Sign)?;
    let mut public_path = path.as_os_str().to_owned();
    public_path.push(".pub");
    create(path, text.as_bytes(), 0o600)?;
    create(Path::new(&public_path), format!("{public}\n").as_bytes(), 0o644)?;
    Ok(SigningKey::File(Box::new(key)))
}

fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<(), KeyError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let written = options.open(path).and_then(|mut f| f.write_all(bytes));
    written.map_err(|error| KeyError::Write { path: path.to_owned(), error })
}

#[derive(Debug, Error)]
pub enum SignatureError {
    #[error("`{file}`: {0}", file = super::layout::CMS)]
    Cms(String),
    #[error("`{0}` is not one SSH public key line as this tool writes it")]
    Signer(String),
    #[error("`{0}` is not an armoured SSH signature as this tool writes it")]
    Armour(String),
    #[error("`{signature}` was made with another key than `{signer}`")]
    OtherKey { signature: String, signer: String },
    #[error("`{file}` was made for namespace `{namespace}`, not `{wanted}`")]
    Namespace { file: String, namespace: String, wanted: String },
    #[error("`{0}` does not fit what it was made over: one of them was changed")]
    Mismatch(String),
    #[error("`{}` names the signer {claimed}, the key in `{file}` is {found}", super::layout::STATEMENT)]
    Claimed { claimed: String, file: String, found: String },
    #[error("the statement, a signature or a signer's key is missing or unreadable")]
    Missing,
    #[error("`{}` is not an envelope of `seal/statement.json` as this tool writes it", super::layout::ENVELOPE)]
    Envelope,
    #[error("`{envelope}`: the signature of {0} does not fit", envelope = super::layout::ENVELOPE)]
    EnvelopeSignature(String),
}

/// A file of the seal: its name and its bytes.
pub type Named<'a> = (&'a str, &'a [u8]);

/// The key that signed `message`. Both files must be exactly as they would be written again, so that not
/// one bit of them is free.
pub fn check(message: &[u8], signature: Named<'_>, signer: Named<'_>) -> Result<PublicKey, SignatureError> {
    let (signature_name, signer_name) = (signature.0.to_owned(), signer.0.to_owned());
    let Some(key) = key_of(signer.1) else { return Err(SignatureError::Signer(signer_name)) };
    if unarmoured(signature)?.public_key() != key.key_data() {
        return Err(SignatureError::OtherKey { signature: signature_name, signer: signer_name });
    }
    key_of_signature(NAMESPACE, message, signature)
}

/// The key that the signature itself names, once it fits `message` and was made for this namespace.
pub fn key_of_signature(namespace: &str, message: &[u8], signature: Named<'_>) -> Result<PublicKey, SignatureError> {
    let (signed, file) = (unarmoured(signature)?, signature.0.to_owned());
    if signed.namespace() != namespace {
        let (namespace, wanted) = (signed.namespace().to_owned(), namespace.to_owned());
        return Err(SignatureError::Namespace { file, namespace, wanted });
    }
    let key = PublicKey::new(signed.public_key().clone(), "");
    key.verify(namespace, message, &signed).map_err(|_| SignatureError::Mismatch(file))?;
    Ok(key)
}

/// Exactly as it would be written again, so that not one bit of it is free.
fn unarmoured((name, bytes): Named<'_>) -> Result<SshSig, SignatureError> {
    let wrong = || SignatureError::Armour(name.to_owned());
    let signed = SshSig::from_pem(bytes).map_err(|_| wrong())?;
    let plain = signed.version() == SshSig::VERSION && signed.reserved().is_empty();
    let again = armour(&signed).map_err(|_| wrong())?;
    if plain && again.as_bytes() == bytes { Ok(signed) } else { Err(wrong()) }
}

/// A public key line as [`SigningKey::public_line`] writes it, and nothing else.
fn key_of(line: &[u8]) -> Option<PublicKey> {
    let line = std::str::from_utf8(line).ok()?;
    let key = PublicKey::from_openssh(line.trim_end()).ok()?;
    (line_of(&key).ok()?.as_str() == line).then_some(key)
}

pub fn fingerprint(key: &PublicKey) -> Fingerprint {
    key.fingerprint(HashAlg::Sha256)
}

fn armour(signature: &SshSig) -> Result<String, ssh_key::Error> {
    Ok(format!("{}\n", signature.to_pem(LineEnding::LF)?.trim_end()))
}

fn line_of(key: &PublicKey) -> Result<String, ssh_key::Error> {
    Ok(format!("{}\n", PublicKey::new(key.key_data().clone(), "").to_openssh()?.trim_end()))
}
