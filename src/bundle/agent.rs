//! Keys that never leave their agent (SSH agent protocol, draft-miller-ssh-agent): two questions over the
//! socket that `SSH_AUTH_SOCK` names.
use ssh_key::{Signature, public::KeyData};
use std::{
    io,
    path::{Path, PathBuf},
};
use thiserror::Error;

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
/// RSA keys sign with SHA-512; other keys take no notice.
const RSA_SHA2_512: u32 = 4;
/// No answer of an agent is longer (OpenSSH has the same limit).
const LONGEST: u32 = 256 * 1024;

#[derive(Debug, Error)]
pub enum AgentError {
    #[error("{}: {error}; start an SSH agent and let SSH_AUTH_SOCK name its socket", path.display())]
    Socket { path: PathBuf, error: io::Error },
    #[error("the SSH agent would not sign; unlock it or confirm the use of the key")]
    Refused,
    #[error("the SSH agent's answer cannot be read; use a key file with --key")]
    Answer,
}

/// An agent, by its socket.
#[derive(Debug)]
pub struct Agent(PathBuf);

impl Agent {
    pub fn new(socket: &Path) -> Self {
        Self(socket.to_owned())
    }

    /// The public keys that it holds; those of a kind unknown to us are left out.
    pub fn keys(&self) -> Result<Vec<KeyData>, AgentError> {
        let answer = self.ask(&[REQUEST_IDENTITIES])?;
        let mut rest = answer.strip_prefix(&[IDENTITIES_ANSWER]).ok_or(AgentError::Answer)?;
        let count = number(&mut rest).ok_or(AgentError::Answer)?;
        let mut keys = Vec::new();
        for _ in 0..count {
            let blob = string(&mut rest).ok_or(AgentError::Answer)?;
            string(&mut rest).ok_or(AgentError::Answer)?;
            keys.extend(ssh_key::PublicKey::from_bytes(blob).map(|k| k.key_data().clone()));
        }
        Ok(keys)
    }

    /// The signature by `key` over exactly these bytes.
    pub fn sign(&self, key: &KeyData, data: &[u8]) -> Result<Signature, AgentError> {
        let blob = ssh_key::PublicKey::from(key.clone()).to_bytes().map_err(|_| AgentError::Answer)?;
        let mut request = vec![SIGN_REQUEST];
        for part in [&blob, data] {
            let length = u32::try_from(part.len()).map_err(|_| AgentError::Answer)?;
            request.extend(length.to_be_bytes());
            request.extend(part);
        }
        request.extend(RSA_SHA2_512.to_be_bytes());
        let answer = self.ask(&request)?;
        let mut rest = answer.strip_prefix(&[SIGN_RESPONSE]).ok_or(AgentError::Refused)?;
        let signature = string(&mut rest).ok_or(AgentError::Answer)?;
        Signature::try_from(signature).map_err(|_| AgentError::Answer)
    }

    #[cfg(unix)]
    fn ask(&self, request: &[u8]) -> Result<Vec<u8>, AgentError> {
        use std::io::{Read, Write};
        let failed = |error| AgentError::Socket { path: self.0.clone(), error };
        let length = u32::try_from(request.len()).map_err(|_| AgentError::Answer)?;
        let mut socket = std::os::unix::net::UnixStream::connect(&self.0).map_err(failed)?;
        socket.write_all(&length.to_be_bytes()).and_then(|()| socket.write_all(request)).map_err(failed)?;
        let mut head = [0; 4];
        socket.read_exact(&mut head).map_err(failed)?;
        let length = u32::from_be_bytes(head);
        if length > LONGEST {
            return Err(AgentError::Answer);
        }
        let mut answer = Vec::new();
        socket.take(length.into()).read_to_end(&mut answer).map_err(failed)?;
        Ok(answer)
    }

    #[cfg(not(unix))]
    fn ask(&self, _: &[u8]) -> Result<Vec<u8>, AgentError> {
        let error = io::Error::from(io::ErrorKind::Unsupported);
        Err(AgentError::Socket { path: self.0.clone(), error })
    }
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (head, tail) = rest.split_first_chunk::<4>()?;
    *rest = tail;
    Some(u32::from_be_bytes(*head))
}

fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(number(rest)?).ok()?;
    let (head, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(head)
}
