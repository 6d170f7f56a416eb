//! Reading the files of a squashfs 4.0, as RAUC bundles are; packed with zlib or not at all.
use super::{cursor::Cursor, error::ImageError, unpack::inflate};
use std::collections::BTreeMap;

const FORMAT: &str = "squashfs";
const MAGIC: &[u8] = b"hsqs";
const HEADER: usize = 96;
/// A metadata block never unpacks to more (squashfs 4.0).
const META: usize = 8192;
const MOST_FILES: usize = 20_000;
/// Set in a block's length when the block is stored as it is.
const STORED_META: u16 = 1 << 15;
const STORED_DATA: u32 = 1 << 24;
const NO_FRAGMENT: u32 = u32::MAX;
const ZLIB: u16 = 1;

pub fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC) && bytes.get(28..30) == Some(&[4, 0])
}

/// The length that the header states.
pub fn length(bytes: &[u8]) -> Result<usize, ImageError> {
    let used = Cursor::at(FORMAT, bytes, 40).u64("the header")?;
    Ok(usize::try_from(used).unwrap_or(usize::MAX))
}

/// The files by their path, as far as `most` bytes; `None` if packed with something else than zlib.
pub fn files(bytes: &[u8], most: usize) -> Result<Option<BTreeMap<String, Vec<u8>>>, ImageError> {
    let image = Image::open(bytes)?;
    if image.packed_with != ZLIB {
        return Ok(None);
    }
    let root = Cursor::at(FORMAT, bytes, 32).u64("the header")?;
    let mut files = BTreeMap::new();
    let (mut left, mut seen) = (most, 0);
    let mut waiting = vec![(String::new(), root, 0)];
    while let Some((path, reference, depth)) = waiting.pop() {
        seen += 1;
        if seen > MOST_FILES || depth > 32 {
            return Err(ImageError::malformed(FORMAT, "too many files"));
        }
        match image.inode(reference)? {
            Inode::Directory { block, offset, size } => {
                for (name, child) in image.directory(block, offset, size)? {
                    let slash = if path.is_empty() { "" } else { "/" };
                    waiting.push((format!("{path}{slash}{name}"), child, depth + 1));
                }
            }
            Inode::File(file) => {
                let data = image.data(&file, left, &path)?;
                left = left.saturating_sub(data.len());
                files.insert(path, data);
            }
            Inode::Other => {}
        }
    }
    Ok(Some(files))
}

enum Inode {
    Directory { block: u32, offset: u16, size: usize },
    File(File),
    Other,
}

struct File {
    start: u64,
    size: u64,
    fragment: u32,
    offset: u32,
    blocks: Vec<u32>,
}

/// Metadata blocks unpacked in a row, and where each begins in them.
struct Table {
    bytes: Vec<u8>,
    starts: BTreeMap<u64, usize>,
}

struct Image<'a> {
    bytes: &'a [u8],
    block: usize,
    packed_with: u16,
    fragments: u64,
    fragment_count: u32,
    inodes: Table,
    directories: Table,
}

impl<'a> Image<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, ImageError> {
        if !is(bytes) {
            return Err(ImageError::malformed(FORMAT, "no header of version 4.0"));
        }
        let mut c = Cursor::new(FORMAT, bytes);
        c.take(HEADER, "the header")?;
        let used = length(bytes)?;
        Cursor::new(FORMAT, bytes).take(used, "the file system")?;
        let mut c = Cursor::at(FORMAT, bytes, 12);
        let (block, fragment_count, packed_with) = (c.length("header")?, c.u32("header")?, c.u16("header")?);
        let mut c = Cursor::at(FORMAT, bytes, 64);
        let (inodes, directories, fragments) = (c.u64("header")?, c.u64("header")?, c.u64("header")?);
        if !(4096..=1 << 20).contains(&block) {
            return Err(ImageError::malformed(FORMAT, "a block size that no squashfs has"));
        }
        let mut image = Self {
            bytes,
            block,
            packed_with,
            fragments,
            fragment_count,
            inodes: Table { bytes: Vec::new(), starts: BTreeMap::new() },
            directories: Table { bytes: Vec::new(), starts: BTreeMap::new() },
        };
        if packed_with == ZLIB {
            image.inodes = image.table(inodes, directories)?;
            let end = if fragment_count > 0 { image.pointer(fragments)? } else { u64::MAX };
            image.directories =
                image.table(directories, end.min(fragments).min(used.try_into().unwrap_or(u64::MAX)))?;
        }
        Ok(image)
    }

    fn pointer(&self, at: u64) -> Result<u64, ImageError> {
        Cursor::at(FORMAT, self.bytes, usize::try_from(at).unwrap_or(usize::MAX)).u64("the fragment table")
    }

    fn table(&self, from: u64, until: u64) -> Result<Table, ImageError> {
        let mut table = Table { bytes: Vec::new(), starts: BTreeMap::new() };
        let until = usize::try_from(until).unwrap_or(usize::MAX);
        let mut c = Cursor::at(FORMAT, self.bytes, usize::try_from(from).unwrap_or(usize::MAX));
        while c.position() < until && table.bytes.len() < MOST_FILES * 512 {
            let at = u64::try_from(c.position()).unwrap_or(u64::MAX).saturating_sub(from);
            table.starts.insert(at, table.bytes.len());
            // What follows the table is no metadata block; a reference past the table's end is found later.
            let Ok(block) = self.meta(&mut c) else { break };
            table.bytes.extend_from_slice(&block);
        }
        Ok(table)
    }

    fn meta(&self, c: &mut Cursor<'_>) -> Result<Vec<u8>, ImageError> {
        let word = c.u16("a metadata block")?;
        let packed = c.take(usize::from(word & !STORED_META), "a metadata block")?;
        if word & STORED_META != 0 { Ok(packed.to_vec()) } else { inflate(packed, META, "a metadata block") }
    }

    fn inode(&self, reference: u64) -> Result<Inode, ImageError> {
        let at = place(&self.inodes, reference >> 16, reference & 0xffff)?;
        let mut c = Cursor::at(FORMAT, &self.inodes.bytes, at);
        let kind = c.u16("an inode")?;
        c.take(14, "an inode")?;
        let what = "an inode";
        Ok(match kind {
            1 => {
                let (block, _, size, offset) = (c.u32(what)?, c.u32(what)?, c.u16(what)?, c.u16(what)?);
                Inode::Directory { block, offset, size: usize::from(size) }
            }
            8 => {
                let (_, size, block, _) = (c.u32(what)?, c.length(what)?, c.u32(what)?, c.u32(what)?);
                let (_, offset) = (c.u16(what)?, c.u16(what)?);
                Inode::Directory { block, offset, size }
            }
            2 => {
                let (start, fragment, offset, size) = (c.u32(what)?, c.u32(what)?, c.u32(what)?, c.u32(what)?);
                Inode::File(self.file(u64::from(start), u64::from(size), fragment, offset, c)?)
            }
            9 => {
                let (start, size, _, _) = (c.u64(what)?, c.u64(what)?, c.u64(what)?, c.u32(what)?);
                let (fragment, offset, _) = (c.u32(what)?, c.u32(what)?, c.u32(what)?);
                Inode::File(self.file(start, size, fragment, offset, c)?)
            }
            _ => Inode::Other,
        })
    }

    fn file(&self, start: u64, size: u64, fragment: u32, offset: u32, mut c: Cursor<'_>) -> Result<File, ImageError> {
        let block = u64::try_from(self.block).unwrap_or(u64::MAX);
        let count = if fragment == NO_FRAGMENT { size.div_ceil(block) } else { size / block };
        let mut blocks = Vec::new();
        for _ in 0..count {
            blocks.push(c.u32("a file's blocks")?);
        }
        Ok(File { start, size, fragment, offset, blocks })
    }

    fn directory(&self, block: u32, offset: u16, size: usize) -> Result<Vec<(String, u64)>, ImageError> {
        let at = place(&self.directories, u64::from(block), u64::from(offset))?;
        // The size counts three bytes for `.` and `..`, which are not stored.
        let end = at.saturating_add(size.saturating_sub(3));
        let mut c = Cursor::at(FORMAT, &self.directories.bytes, at);
        let (what, mut all) = ("a directory", Vec::new());
        while c.position() < end {
            let (count, start, _) = (c.u32(what)?, c.u32(what)?, c.u32(what)?);
            for _ in 0..=count.min(256) {
                let (offset, _, _, length) = (c.u16(what)?, c.u16(what)?, c.u16(what)?, c.u16(what)?);
                let name = String::from_utf8_lossy(c.take(usize::from(length) + 1, what)?).into_owned();
                all.push((name, (u64::from(start) << 16) | u64::from(offset)));
            }
        }
        Ok(all)
    }

    fn data(&self, file: &File, most: usize, path: &str) -> Result<Vec<u8>, ImageError> {
        let size = usize::try_from(file.size).unwrap_or(usize::MAX);
        if size > most {
            return Err(ImageError::Bomb { what: super::shown(path), most });
        }
        let mut c = Cursor::at(FORMAT, self.bytes, usize::try_from(file.start).unwrap_or(usize::MAX));
        let mut out = Vec::new();
        for word in &file.blocks {
            // A block of no length is a hole.
            if *word == 0 {
                out.resize(out.len().saturating_add(self.block).min(size), 0);
                continue;
            }
            out.extend_from_slice(&self.block(&mut c, *word, path)?);
        }
        if file.fragment != NO_FRAGMENT {
            let tail = size.saturating_sub(out.len());
            let block = self.fragment(file.fragment, path)?;
            let mut c = Cursor::at(FORMAT, &block, usize::try_from(file.offset).unwrap_or(usize::MAX));
            out.extend_from_slice(c.take(tail, path)?);
        }
        out.truncate(size);
        Ok(out)
    }

    fn block(&self, c: &mut Cursor<'_>, word: u32, path: &str) -> Result<Vec<u8>, ImageError> {
        let packed = c.take(usize::try_from(word & !STORED_DATA).unwrap_or(usize::MAX), path)?;
        if word & STORED_DATA != 0 { Ok(packed.to_vec()) } else { inflate(packed, self.block, path) }
    }

    fn fragment(&self, number: u32, path: &str) -> Result<Vec<u8>, ImageError> {
        if number >= self.fragment_count {
            return Err(ImageError::malformed(FORMAT, "a file names a fragment that is not there"));
        }
        // 512 entries of 16 bytes fill one metadata block.
        let at = self.pointer(self.fragments.saturating_add(u64::from(number / 512) * 8))?;
        let mut c = Cursor::at(FORMAT, self.bytes, usize::try_from(at).unwrap_or(usize::MAX));
        let table = self.meta(&mut c)?;
        let mut c = Cursor::at(FORMAT, &table, usize::try_from(number % 512).unwrap_or(0) * 16);
        let (start, word) = (c.u64("a fragment")?, c.u32("a fragment")?);
        let mut c = Cursor::at(FORMAT, self.bytes, usize::try_from(start).unwrap_or(usize::MAX));
        self.block(&mut c, word, path)
    }
}

fn place(table: &Table, block: u64, offset: u64) -> Result<usize, ImageError> {
    let start = table.starts.get(&block).ok_or_else(|| ImageError::malformed(FORMAT, "a reference leads nowhere"))?;
    Ok(start.saturating_add(usize::try_from(offset).unwrap_or(usize::MAX)))
}
