//! Looking into what a package carries: containers within containers, to a bounded depth and size.
use super::{cpio, error::ImageError, squashfs, tar};
use flate2::bufread::{MultiGzDecoder, ZlibDecoder};
use std::io::{Cursor as IoCursor, Read};

/// All that may come out of one package.
pub const MOST_BYTES: usize = 1 << 30;
/// No honest file packs better than this (deflate's own limit is 1032; file systems full of nothing reach it).
const MOST_GROWTH: usize = 400;
/// Below this, growth is no danger.
const SMALL: usize = 64 << 20;
const MOST_DEPTH: usize = 6;

/// One thing found inside, and the parts that could not be looked into.
pub trait Visitor {
    fn visit(&mut self, path: &str, bytes: &[u8]);
    fn unseen(&mut self, path: &str, why: &str);
}

/// What has been unpacked so far counts against one budget.
pub struct Walk<'v> {
    visitor: &'v mut dyn Visitor,
    left: usize,
}

impl<'v> Walk<'v> {
    pub fn new(visitor: &'v mut dyn Visitor) -> Self {
        Self { visitor, left: MOST_BYTES }
    }

    /// Shows these bytes to the visitor, then everything in them if they are a container.
    ///
    /// A container that is broken deep inside is no error of the package: it is named as not looked into.
    pub fn enter(&mut self, path: &str, bytes: &[u8], depth: usize) -> Result<(), ImageError> {
        self.visitor.visit(path, bytes);
        if depth >= MOST_DEPTH {
            if container(bytes) {
                self.visitor.unseen(path, "it lies too deep");
            }
            return Ok(());
        }
        match self.parts(path, bytes) {
            Ok(parts) => parts.into_iter().try_for_each(|(name, data)| {
                self.spend(&name, data.len())?;
                self.enter(&format!("{path}{}{name}", if path.is_empty() { "" } else { "!" }), &data, depth + 1)
            }),
            Err(bomb @ ImageError::Bomb { .. }) => Err(bomb),
            Err(e) => {
                self.visitor.unseen(path, &e.to_string());
                Ok(())
            }
        }
    }

    fn spend(&mut self, what: &str, length: usize) -> Result<(), ImageError> {
        let bomb = || ImageError::Bomb { what: super::shown(what), most: MOST_BYTES };
        self.left = self.left.checked_sub(length).ok_or_else(bomb)?;
        Ok(())
    }

    fn parts(&mut self, path: &str, bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, ImageError> {
        if bytes.starts_with(&[0x1f, 0x8b]) {
            return Ok(vec![("(gzip)".to_owned(), gunzip(bytes, self.left, path)?)]);
        }
        if cpio::is(bytes) {
            return Ok(cpio::read(bytes)?.entries.into_iter().map(|e| (e.name, e.data)).collect());
        }
        if tar::is(bytes) {
            return Ok(tar::read(bytes)?.entries.into_iter().map(|e| (e.name, e.data)).collect());
        }
        if bytes.starts_with(b"PK\x03\x04") {
            return zip_files(bytes, self.left, path);
        }
        if squashfs::is(bytes) {
            let files = squashfs::files(bytes, self.left)?;
            if files.is_none() {
                self.visitor.unseen(path, "a squashfs that is not packed with zlib");
            }
            return Ok(files.into_iter().flatten().collect());
        }
        if let Some(name) = packed(bytes) {
            self.visitor.unseen(path, name);
        }
        Ok(Vec::new())
    }
}

fn container(bytes: &[u8]) -> bool {
    let zip_or_gzip = bytes.starts_with(&[0x1f, 0x8b]) || bytes.starts_with(b"PK\x03\x04");
    zip_or_gzip || cpio::is(bytes) || tar::is(bytes) || squashfs::is(bytes) || packed(bytes).is_some()
}

/// Packings that are recognised but not read.
fn packed(bytes: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 5] = [
        (b"\xfd7zXZ\0", "packed with xz"),
        (b"\x28\xb5\x2f\xfd", "packed with zstd"),
        (b"BZh", "packed with bzip2"),
        (b"\x04\x22\x4d\x18", "packed with lz4"),
        (b"\x31\x18\x10\x06", "a UBIFS file system"),
    ];
    let ext = bytes.get(1080..1082) == Some(&[0x53, 0xef]);
    // The names of an ext file system's files are not read, but its bytes are searched like any others.
    if ext { None } else { known.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, name)| *name) }
}

/// What a zlib stream holds, which is at most `most` bytes.
pub fn inflate(packed: &[u8], most: usize, what: &str) -> Result<Vec<u8>, ImageError> {
    bounded(ZlibDecoder::new(packed), most, what, "zlib")
}

/// What a gzip file holds.
pub fn gunzip(bytes: &[u8], most: usize, what: &str) -> Result<Vec<u8>, ImageError> {
    bounded(MultiGzDecoder::new(bytes), room(bytes.len(), most), what, "gzip")
}

fn room(packed: usize, most: usize) -> usize {
    packed.saturating_mul(MOST_GROWTH).max(SMALL).min(most)
}

fn bounded(from: impl Read, most: usize, what: &str, format: &'static str) -> Result<Vec<u8>, ImageError> {
    let mut out = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    from.take(limit).read_to_end(&mut out).map_err(|e| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => {
            ImageError::Truncated { format, what: format!("the end of `{}`", super::shown(what)), missing: 1 }
        }
        _ => ImageError::malformed(format, format!("`{}` cannot be unpacked", super::shown(what))),
    })?;
    if out.len() > most {
        return Err(ImageError::Bomb { what: super::shown(what), most });
    }
    Ok(out)
}

pub fn zip_files(bytes: &[u8], most: usize, path: &str) -> Result<Vec<(String, Vec<u8>)>, ImageError> {
    let refused = |e: zip::result::ZipError| ImageError::malformed("zip", e.to_string());
    let mut zip = zip::ZipArchive::new(IoCursor::new(bytes)).map_err(refused)?;
    let (mut files, mut left) = (Vec::new(), room(bytes.len(), most));
    for at in 0..zip.len() {
        let entry = zip.by_index(at).map_err(refused)?;
        let name = entry.name().map_err(refused)?.into_owned();
        let data = bounded(entry, left, &format!("{path}!{name}"), "zip")?;
        left = left.saturating_sub(data.len());
        files.push((name, data));
    }
    Ok(files)
}
