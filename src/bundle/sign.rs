//! Keys and SSHSIG signatures, as stock `ssh-keygen -Y` makes and checks them (OpenSSH PROTOCOL.sshsig).
use ssh_key::{
    Fingerprint, HashAlg, LineEnding, PrivateKey, PublicKey, SshSig,
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
    #[error("{}: not an SSH private key that can sign ({error}); use an ed25519, ecdsa or rsa key in OpenSSH form", path.display())]
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
}

/// A private key that is ready to sign.
#[derive(Debug)]
pub struct SigningKey(PrivateKey);

impl SigningKey {
    /// Reads an OpenSSH private key file.
    pub fn load(path: &Path, phrase: Option<&str>) -> Result<Self, KeyError> {
        let owned = || path.to_owned();
        let text = fs::read_to_string(path).map_err(|error| KeyError::Read { path: owned(), error })?;
        let key = PrivateKey::from_openssh(&text).map_err(|error| KeyError::NotAKey { path: owned(), error })?;
        match (key.is_encrypted(), phrase) {
            (false, _) => Ok(Self(key)),
            (true, None) => Err(KeyError::Locked { path: owned() }),
            (true, Some(p)) => key.decrypt(p).map(Self).map_err(|_| KeyError::WrongPhrase { path: owned() }),
        }
    }

    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }

    /// One line without comment: no byte of it is outside the signature's reach.
    pub fn public_line(&self) -> Result<String, KeyError> {
        line_of(self.0.public_key()).map_err(KeyError::Sign)
    }

    /// The armoured signature over `message`.
    pub fn sign(&self, message: &[u8]) -> Result<String, KeyError> {
        if self.0.algorithm().is_rsa() {
            return self.sign_rsa(message);
        }
        let signature = self.0.sign(NAMESPACE, HashAlg::Sha512, message).map_err(KeyError::Sign)?;
        armour(&signature).map_err(KeyError::Sign)
    }
}

/// The one place where the newer version of the crate, which russh carries, is needed: 0.6.7 cannot sign
/// with RSA because it hands the first prime on twice.
impl SigningKey {
    fn sign_rsa(&self, message: &[u8]) -> Result<String, KeyError> {
        use russh::keys::ssh_key as newer;
        let text = self.0.to_openssh(LineEnding::LF).map_err(KeyError::Sign)?;
        let signed = newer::PrivateKey::from_openssh(text.as_bytes())
            .and_then(|key| key.sign(NAMESPACE, newer::HashAlg::Sha512, message))
            .and_then(|signature| signature.to_pem(newer::LineEnding::LF));
        let pem = signed.map_err(|e| KeyError::SignRsa(e.to_string()))?;
        armour(&SshSig::from_pem(pem).map_err(KeyError::Sign)?).map_err(KeyError::Sign)
    }
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
    Ok(SigningKey(key))
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
    #[error("`seal/signer.pub` is not one SSH public key line as this tool writes it")]
    Signer,
    #[error("`seal/statement.json.sshsig` is not an armoured SSH signature as this tool writes it")]
    Armour,
    #[error("`seal/statement.json.sshsig` was made with another key than `seal/signer.pub`")]
    OtherKey,
    #[error("`seal/statement.json.sshsig` was made for namespace `{0}`, not `{NAMESPACE}`")]
    Namespace(String),
    #[error("`seal/statement.json.sshsig` does not fit `seal/statement.json`: one of them was changed")]
    Mismatch,
}

/// The key that signed `message`. Both files must be exactly as they would be written again, so that not
/// one bit of them is free.
pub fn check(message: &[u8], signature: &[u8], signer: &[u8]) -> Result<PublicKey, SignatureError> {
    let line = std::str::from_utf8(signer).map_err(|_| SignatureError::Signer)?;
    let key = PublicKey::from_openssh(line.trim_end()).map_err(|_| SignatureError::Signer)?;
    if line_of(&key).ok().as_deref() != Some(line) {
        return Err(SignatureError::Signer);
    }
    let signed = SshSig::from_pem(signature).map_err(|_| SignatureError::Armour)?;
    if signed.version() != SshSig::VERSION || !signed.reserved().is_empty() {
        return Err(SignatureError::Armour);
    }
    if armour(&signed).ok().as_deref().map(str::as_bytes) != Some(signature) {
        return Err(SignatureError::Armour);
    }
    if signed.public_key() != key.key_data() {
        return Err(SignatureError::OtherKey);
    }
    if signed.namespace() != NAMESPACE {
        return Err(SignatureError::Namespace(signed.namespace().to_owned()));
    }
    key.verify(NAMESPACE, message, &signed).map_err(|_| SignatureError::Mismatch)?;
    Ok(key)
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
