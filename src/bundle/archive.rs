//! A bag as one zip file, for carrying. The file itself is not signed: what is in it is checked like a directory.
//!
//! Written the same way each time (sorted, fixed times, no extra fields). Read as a stranger's: nothing is
//! unpacked to disk, no name is believed, and nothing may grow beyond what a bundle can be.
use super::{
    body::Body,
    layout::{Files, MOST_BYTES, MOST_ENTRIES, ReadError, checked, is_log},
};
use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufReader, Read, Seek, SeekFrom, Write},
    path::Path,
};
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter, result::ZipError, write::SimpleFileOptions};

/// More than this many times its packed size, no bundle unpacks to; the recording of a full sweep is far below.
const MOST_GROWTH: u64 = 200;
/// Below this, growth is no danger.
const SMALL: u64 = 16 << 20;
/// No directory of a bundle's zip is longer: an entry's name, its fixed part, and what others add to it.
const MOST_DIRECTORY: u64 = 4 << 20;
/// Length of the fixed part of a central directory entry, and where its three lengths stand (APPNOTE, 4.3.12).
const ENTRY: usize = 46;

/// The zip of a bag. Its files stand below one directory with the bag's name.
pub fn write<W: Write + Seek>(files: &Files, name: &str, to: W) -> Result<W, ZipError> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .system(System::Unix)
        .unix_permissions(0o644);
    let mut zip = ZipWriter::new(to);
    for (path, body) in files {
        zip.start_file(format!("{name}/{path}"), options)?;
        body.copy(&mut zip)?;
    }
    zip.finish()
}

/// The files of a zip, by their path below its one directory (or from its root, if the bag stands there).
pub fn read(path: &Path) -> Result<Files, ReadError> {
    let refused = |e: ZipError| ReadError::Archive(e.to_string());
    let file = File::open(path).map_err(|e| ReadError::io(path, e))?;
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(refused)?;
    let names = names(path, &zip)?;
    let root = root(&names);
    let mut files = Files::new();
    let mut total: u64 = 0;
    for at in 0..zip.len() {
        let mut entry = zip.by_index(at).map_err(refused)?;
        let raw = text(entry.name_raw())?;
        if entry.is_dir() {
            continue;
        }
        let kind = entry.unix_mode().map_or(0, |m| m & 0o170_000);
        if !matches!(kind, 0 | 0o100_000) {
            return Err(ReadError::NotPlain(raw));
        }
        let packed = entry.compressed_size();
        let room = MOST_BYTES.saturating_sub(total).min(packed.saturating_mul(MOST_GROWTH).max(SMALL));
        let name = raw.strip_prefix(&root).unwrap_or(&raw).to_owned();
        let mut content = entry.by_ref().take(room.saturating_add(1));
        let body = if is_log(&name) {
            Body::entry(path, at, &mut content)
        } else {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes).map(|_| bytes.into())
        };
        let body = body.map_err(|e| ReadError::Archive(format!("`{raw}` cannot be unpacked: {e}")))?;
        if body.size() > room {
            return Err(ReadError::Bomb(raw));
        }
        total = total.saturating_add(body.size());
        files.insert(checked(name)?, body);
    }
    Ok(files)
}

/// The names in the directory of the zip, as they are written there: none twice, none that leaves the bag.
fn names(path: &Path, zip: &ZipArchive<BufReader<File>>) -> Result<BTreeSet<String>, ReadError> {
    if zip.offset() != 0 {
        return Err(ReadError::Archive("something stands before the first entry".to_owned()));
    }
    let cut = || ReadError::Archive("its directory is cut off".to_owned());
    let mut directory = Vec::new();
    let mut file = File::open(path).map_err(|e| ReadError::io(path, e))?;
    let read = file.seek(SeekFrom::Start(zip.central_directory_start()));
    read.and_then(|_| file.take(MOST_DIRECTORY).read_to_end(&mut directory)).map_err(|e| ReadError::io(path, e))?;
    let mut rest = directory.as_slice();
    let mut names = BTreeSet::new();
    let mut count = 0_usize;
    while rest.starts_with(b"PK\x01\x02") {
        let length = |at: usize| Some(usize::from(u16::from_le_bytes([*rest.get(at)?, *rest.get(at + 1)?])));
        let (Some(name), Some(extra), Some(comment)) = (length(28), length(30), length(32)) else { return Err(cut()) };
        let name = text(rest.get(ENTRY..ENTRY + name).ok_or_else(cut)?)?;
        let parts = name.trim_end_matches('/').split('/');
        if name.starts_with('/') || name.contains('\\') || parts.into_iter().any(|p| matches!(p, "" | "." | "..")) {
            return Err(ReadError::Outside(name));
        }
        if !names.insert(name.clone()) {
            return Err(ReadError::Twice(name));
        }
        count += 1;
        if count > MOST_ENTRIES {
            return Err(ReadError::TooLarge);
        }
        rest = rest.get(ENTRY + name.len() + extra + comment..).ok_or_else(cut)?;
    }
    if count == zip.len() { Ok(names) } else { Err(cut()) }
}

/// Names in a bundle are plain ASCII; whatever else is written there is not one of ours.
fn text(raw: &[u8]) -> Result<String, ReadError> {
    let shown = || String::from_utf8_lossy(raw).into_owned();
    if raw.is_ascii() { Ok(shown()) } else { Err(ReadError::Unexpected(shown())) }
}

/// The one directory that everything stands in, with its `/`; empty if the bag is at the root.
fn root(names: &BTreeSet<String>) -> String {
    let first = names.first().and_then(|n| n.split_once('/')).map(|(d, _)| format!("{d}/")).unwrap_or_default();
    if names.iter().all(|n| n.starts_with(&first)) { first } else { String::new() }
}
