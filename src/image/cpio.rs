//! cpio archives in the `newc` and `crc` forms, as SWUpdate and initramfs use them.
use super::{cursor::Cursor, error::ImageError};

const FORMAT: &str = "cpio";
const HEADER: usize = 110;
const TRAILER: &str = "TRAILER!!!";
/// No package holds more files.
const MOST_ENTRIES: usize = 100_000;
/// Where the length and the sum stand in a header, in hexadecimal digits (cpio(5)).
const LENGTH: std::ops::Range<usize> = 54..62;
const SUM: std::ops::Range<usize> = 102..110;

#[derive(Clone)]
pub struct Entry {
    header: Vec<u8>,
    pub name: String,
    pub data: Vec<u8>,
}

pub struct Cpio {
    pub entries: Vec<Entry>,
    trailer: Vec<u8>,
}

pub fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(b"070701") || bytes.starts_with(b"070702")
}

pub fn read(bytes: &[u8]) -> Result<Cpio, ImageError> {
    let mut cursor = Cursor::new(FORMAT, bytes);
    let mut entries = Vec::new();
    loop {
        let start = cursor.position();
        let header = cursor.take(HEADER, "the header of the next entry (no end mark was found)")?;
        if !is(header) {
            return Err(ImageError::malformed(FORMAT, format!("no entry at byte {start}")));
        }
        let name_length = number(header, 94..102)?;
        let name = cursor.take(name_length, "the name of an entry")?;
        let name = String::from_utf8_lossy(name.strip_suffix(&[0]).unwrap_or(name)).into_owned();
        cursor.align(4);
        if name == TRAILER {
            return Ok(Cpio { entries, trailer: bytes.get(start..).unwrap_or_default().to_vec() });
        }
        let data = cursor.take(number(header, LENGTH)?, &format!("the entry `{name}`"))?.to_vec();
        cursor.align(4);
        let entry = Entry { header: header.to_vec(), name, data };
        if header.starts_with(b"070702") && number(header, SUM)? != usize::try_from(sum(&entry.data)).unwrap_or(0) {
            return Err(ImageError::malformed(FORMAT, format!("the sum of `{}` is wrong", super::shown(&entry.name))));
        }
        entries.push(entry);
        if entries.len() > MOST_ENTRIES {
            return Err(ImageError::malformed(FORMAT, "too many entries"));
        }
    }
}

/// The archive again; lengths and sums follow the data.
pub fn write(cpio: &Cpio) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in &cpio.entries {
        let mut header = entry.header.clone();
        put(&mut header, LENGTH, u32::try_from(entry.data.len()).unwrap_or(u32::MAX));
        if header.starts_with(b"070702") {
            put(&mut header, SUM, sum(&entry.data));
        }
        out.extend_from_slice(&header);
        out.extend_from_slice(entry.name.as_bytes());
        out.push(0);
        out.resize(out.len().next_multiple_of(4), 0);
        out.extend_from_slice(&entry.data);
        out.resize(out.len().next_multiple_of(4), 0);
    }
    out.extend_from_slice(&cpio.trailer);
    out
}

fn number(header: &[u8], at: std::ops::Range<usize>) -> Result<usize, ImageError> {
    let digits = header.get(at).and_then(|d| std::str::from_utf8(d).ok());
    digits
        .and_then(|d| usize::from_str_radix(d, 16).ok())
        .ok_or_else(|| ImageError::malformed(FORMAT, "a header holds no hexadecimal number"))
}

fn put(header: &mut [u8], at: std::ops::Range<usize>, value: u32) {
    if let Some(place) = header.get_mut(at) {
        place.copy_from_slice(format!("{value:08X}").as_bytes());
    }
}

fn sum(data: &[u8]) -> u32 {
    data.iter().fold(0u32, |s, b| s.wrapping_add(u32::from(*b)))
}
