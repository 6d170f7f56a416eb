//! Logs whose every line names the line before it, so that none can be taken out or moved, and the last stands for all.
use super::Sha256Digest;
use std::io::{self, BufRead, Read};
use thiserror::Error;

const OPENING: &[u8] = br#","prev":"sha256:"#;
const CLOSING: &[u8] = br#""}"#;
const LINK: usize = OPENING.len() + 64 + CLOSING.len();

/// No connection's transcript is longer, even of a device that sends byte by byte.
const LONGEST: u64 = 64 << 20;

/// Reads the next line with its newline, as far as there is one. A file without newlines is not held whole.
pub fn read_line(file: &mut dyn BufRead, into: &mut Vec<u8>) -> io::Result<()> {
    into.clear();
    if file.take(LONGEST).read_until(b'\n', into)? as u64 == LONGEST && into.last() != Some(&b'\n') {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is longer than any that a scan writes"));
    }
    Ok(())
}

/// The line of an object (its JSON), with the digest of the line before it.
pub fn link(object: &str, prev: &Sha256Digest) -> String {
    format!(r#"{},"prev":"{prev}"}}"#, object.strip_suffix('}').unwrap_or(object))
}

/// Where in a line the link begins, and what it says of the line before.
pub fn links(line: &[u8]) -> Option<(usize, Sha256Digest)> {
    let at = line.len().checked_sub(LINK)?;
    let digits = line.get(at..)?.strip_prefix(OPENING)?.strip_suffix(CLOSING)?;
    Some((at, Sha256Digest::of_hex(digits)?))
}

#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Broken {
    #[error("the line does not name the one before it")]
    NoLink,
    #[error("the line before it is not the one that it names: lines were removed, added, changed or moved here")]
    Other,
}

/// A chain as far as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// What the first line names as the one before it.
    pub seed: Option<Sha256Digest>,
    pub first: Option<Sha256Digest>,
    pub last: Option<Sha256Digest>,
}

impl Chain {
    /// Takes the next line (without its newline), and gives where its link begins.
    pub fn take(&mut self, line: &[u8]) -> Result<usize, Broken> {
        let (at, prev) = links(line).ok_or(Broken::NoLink)?;
        let digest = Sha256Digest::of(line);
        match &self.last {
            None => (self.seed, self.first) = (Some(prev), Some(digest.clone())),
            Some(last) if *last != prev => return Err(Broken::Other),
            Some(_) => {}
        }
        self.last = Some(digest);
        Ok(at)
    }
}
