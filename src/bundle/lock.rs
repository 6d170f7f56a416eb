//! Locking a file for those who may open it, as `age` does: to its own keys or to SSH keys.
use age::{Decryptor, Encryptor, IdentityFile, secrecy::SecretString, ssh, x25519};
use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
};
use thiserror::Error;

#[derive(Debug, Error)]
pub enum LockError {
    #[error("`{0}` is neither a recipient (age1..., ssh-ed25519 ..., ssh-rsa ...) nor a file of such lines")]
    Recipient(String),
    #[error("`{}` is neither an age identity nor an SSH private key that age can use (ed25519 or RSA)", .0.display())]
    Identity(PathBuf),
    #[error("{0}; give the private half of a key that it was locked for")]
    Locked(String),
    #[error("it unlocks to more than {most} bytes; it was not made by this tool")]
    TooLarge { most: u64 },
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Who may open a file.
pub struct Recipients(Vec<Box<dyn age::Recipient>>);

impl Recipients {
    /// Each name is a recipient, or a file with one on each line (`.pub` files of SSH, recipients files of age).
    pub fn read(names: &[String]) -> Result<Self, LockError> {
        let mut all = Vec::new();
        for name in names {
            let unknown = || LockError::Recipient(name.clone());
            if let Some(one) = recipient(name) {
                all.push(one);
                continue;
            }
            let text = std::fs::read_to_string(name).map_err(|_| unknown())?;
            let before = all.len();
            for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
                all.push(recipient(line).ok_or_else(unknown)?);
            }
            if all.len() == before {
                return Err(unknown());
            }
        }
        Ok(Self(all))
    }

    /// Locks what is written by `content`.
    pub fn lock(&self, to: &mut dyn Write, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let recipients = self.0.iter().map(|r| r.as_ref() as &dyn age::Recipient);
        let mut locked = Encryptor::with_recipients(recipients).map_err(io::Error::other)?.wrap_output(to)?;
        content(&mut locked)?;
        locked.finish().map(drop)
    }
}

fn recipient(text: &str) -> Option<Box<dyn age::Recipient>> {
    let own = text.parse::<x25519::Recipient>().ok().map(|r| Box::new(r) as _);
    own.or_else(|| text.parse::<ssh::Recipient>().ok().map(|r| Box::new(r) as _))
}

/// What opens a locked file.
pub struct Identity(Vec<Box<dyn age::Identity>>);

impl Identity {
    /// The file of an SSH private key, or one of age's own identities. `phrase` unlocks an SSH key that needs it.
    pub fn read(path: &Path, phrase: Option<String>) -> Result<Self, LockError> {
        let bytes = std::fs::read(path)?;
        let unknown = || LockError::Identity(path.to_owned());
        match ssh::Identity::from_buffer(bytes.as_slice(), None) {
            Ok(ssh::Identity::Unsupported(_)) => Err(unknown()),
            Ok(key) => Ok(Self(vec![Box::new(key.with_callbacks(Phrase(phrase)))])),
            Err(_) => {
                let file = IdentityFile::from_buffer(bytes.as_slice()).map_err(|_| unknown())?;
                let keys = file.into_identities().map_err(|_| unknown())?;
                Ok(Self(keys.into_iter().map(|k| k as Box<dyn age::Identity>).collect()))
            }
        }
    }

    /// What is locked in the file at `path`: at most so many bytes.
    pub fn unlock(&self, path: &Path, most: u64) -> Result<Vec<u8>, LockError> {
        let locked = |e: age::DecryptError| LockError::Locked(e.to_string());
        let file = io::BufReader::new(std::fs::File::open(path)?);
        let decryptor = Decryptor::new_buffered(file).map_err(locked)?;
        let keys = self.0.iter().map(|k| k.as_ref() as &dyn age::Identity);
        let mut bytes = Vec::new();
        decryptor.decrypt(keys).map_err(locked)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most { Err(LockError::TooLarge { most }) } else { Ok(bytes) }
    }
}

/// Answers nothing but the passphrase that was given: a person is never asked in the middle.
#[derive(Clone)]
struct Phrase(Option<String>);

impl age::Callbacks for Phrase {
    fn display_message(&self, _: &str) {}

    fn confirm(&self, _: &str, _: &str, _: Option<&str>) -> Option<bool> {
        None
    }

    fn request_public_string(&self, _: &str) -> Option<String> {
        None
    }

    fn request_passphrase(&self, _: &str) -> Option<SecretString> {
        self.0.clone().map(SecretString::from)
    }
}
