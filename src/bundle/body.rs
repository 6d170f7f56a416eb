//! A file's content, hashed once. What grows with a scan stays where it is and is read again piece by piece, so that
//! no bundle is too large for the memory of the one who checks it.
use crate::model::Sha256Digest;
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};
use zip::ZipArchive;

#[derive(Clone, Debug)]
pub struct Body {
    size: u64,
    sha256: Sha256Digest,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Held(Arc<Vec<u8>>),
    Kept(Arc<Place>),
}

#[derive(Debug)]
enum Place {
    File(PathBuf),
    /// The entry of that number in a zip.
    Zip(PathBuf, usize),
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self { size, sha256: Sha256Digest::of(&bytes), content: Content::Held(Arc::new(bytes)) }
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

/// Two bodies are equal when their bytes are, wherever they stand.
impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        (self.size, &self.sha256) == (other.size, &other.sha256)
    }
}

impl Eq for Body {}

impl Body {
    /// Hashes the file at `path` and leaves it there.
    pub fn file(path: &Path) -> io::Result<Self> {
        let (size, sha256) = hashed(&mut File::open(path)?)?;
        Ok(Self { size, sha256, content: Content::Kept(Arc::new(Place::File(path.to_owned()))) })
    }

    /// Hashes what `reader` gives: the entry of that number in the zip at `path`.
    pub(super) fn entry(path: &Path, entry: usize, reader: &mut dyn Read) -> io::Result<Self> {
        let (size, sha256) = hashed(reader)?;
        Ok(Self { size, sha256, content: Content::Kept(Arc::new(Place::Zip(path.to_owned(), entry))) })
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn digest(&self) -> &Sha256Digest {
        &self.sha256
    }

    /// The bytes, unless they are left where they stand.
    pub fn held(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Held(bytes) => Some(bytes),
            Content::Kept(_) => None,
        }
    }

    /// Lets `with` read the bytes. Those that are no longer the ones that were hashed are an error.
    pub fn read<T>(&self, with: impl FnOnce(&mut dyn BufRead) -> io::Result<T>) -> io::Result<T> {
        self.read_hashing(|reader| {
            let mut reader = BufReader::with_capacity(BUFFER, Hashing { reader, hash: Sha256::new(), size: 0 });
            let result = with(&mut reader)?;
            io::copy(&mut reader, &mut io::sink())?;
            Ok((result, Sha256Digest::from(reader.into_inner().hash)))
        })
    }

    /// As [`Self::read`], where `with` reads all and hashes it itself: it gives the digest with its result.
    pub fn read_hashing<T>(
        &self,
        with: impl FnOnce(&mut dyn BufRead) -> io::Result<(T, Sha256Digest)>,
    ) -> io::Result<T> {
        // One byte more than there was tells that it grew.
        let most = self.size.saturating_add(1);
        let (result, sha256) = match &self.content {
            Content::Held(bytes) => with(&mut &bytes[..]),
            Content::Kept(place) => match place.as_ref() {
                Place::File(path) => with(&mut BufReader::with_capacity(BUFFER, File::open(path)?.take(most))),
                Place::Zip(path, entry) => {
                    let mut zip = ZipArchive::new(BufReader::new(File::open(path)?))?;
                    with(&mut BufReader::with_capacity(BUFFER, zip.by_index(*entry)?.take(most)))
                }
            },
        }?;
        if sha256 != self.sha256 {
            return Err(io::Error::other("was changed while it was read; leave it alone and try again"));
        }
        Ok(result)
    }

    pub fn copy(&self, to: &mut dyn Write) -> io::Result<()> {
        if let Some(bytes) = self.held() {
            return to.write_all(bytes);
        }
        self.read(|from| io::copy(from, to).map(drop))
    }

    pub fn to_vec(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.copy(&mut bytes)?;
        Ok(bytes)
    }
}

const BUFFER: usize = 256 * 1024;

fn hashed(reader: &mut dyn Read) -> io::Result<(u64, Sha256Digest)> {
    let mut hashing = Hashing { reader, hash: Sha256::new(), size: 0 };
    io::copy(&mut BufReader::with_capacity(BUFFER, &mut hashing), &mut io::sink())?;
    Ok((hashing.size, Sha256Digest::from(hashing.hash)))
}

struct Hashing<'a> {
    reader: &'a mut dyn Read,
    hash: Sha256,
    size: u64,
}

impl Read for Hashing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.hash.update(buffer.get(..count).unwrap_or_default());
        self.size = self.size.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}
