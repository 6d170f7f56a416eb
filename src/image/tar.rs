//! tar archives (ustar, GNU and pax names), as Mender and many plain packages use them.
use super::cursor::Cursor;
use super::error::ImageError;

const FORMAT: &str = "tar";
const BLOCK: usize = 512;
const MOST_ENTRIES: usize = 100_000;

#[derive(Clone)]
pub struct Entry {
    header: Vec<u8>,
    pub name: String,
    pub data: Vec<u8>,
}

pub struct Tar {
    pub entries: Vec<Entry>,
    trailer: Vec<u8>,
}

impl Tar {
    pub fn data(&self, name: &str) -> Option<&[u8]> {
        self.entries.iter().find(|e| e.name == name).map(|e| e.data.as_slice())
    }
}

pub fn is(bytes: &[u8]) -> bool {
    bytes.get(257..262) == Some(b"ustar") && bytes.get(..BLOCK).is_some_and(|h| octal(h, 148, 8) == Some(sum(h)))
}

pub fn read(bytes: &[u8]) -> Result<Tar, ImageError> {
    let mut cursor = Cursor::new(FORMAT, bytes);
    let (mut entries, mut longer) = (Vec::new(), None);
    loop {
        let start = cursor.position();
        let header = cursor.take(BLOCK, "the header of the next entry (no end mark was found)")?;
        if header.iter().all(|b| *b == 0) {
            return Ok(Tar { entries, trailer: bytes.get(start..).unwrap_or_default().to_vec() });
        }
        if octal(header, 148, 8) != Some(sum(header)) {
            return Err(ImageError::malformed(FORMAT, format!("the header at byte {start} has a wrong sum")));
        }
        let short = name(header);
        let size = octal(header, 124, 12).and_then(|s| usize::try_from(s).ok());
        let size = size.ok_or_else(|| ImageError::malformed(FORMAT, "an entry has no length"))?;
        let data = cursor.take(size, &format!("the entry `{short}`"))?.to_vec();
        cursor.align(BLOCK);
        let kind = header.get(156).copied().unwrap_or(0);
        let own = longer.take();
        match kind {
            b'L' => longer = Some(String::from_utf8_lossy(&data).trim_end_matches('\0').to_owned()),
            b'x' => longer = pax(&data),
            _ => {}
        }
        // The headers that only name the next entry are kept, so that writing gives the same bytes.
        let name = if matches!(kind, b'L' | b'x' | b'g') { String::new() } else { own.unwrap_or(short) };
        entries.push(Entry { header: header.to_vec(), name, data });
        if entries.len() > MOST_ENTRIES {
            return Err(ImageError::malformed(FORMAT, "too many entries"));
        }
    }
}

/// The archive again; lengths and sums follow the data.
pub fn write(tar: &Tar) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in &tar.entries {
        let mut header = entry.header.clone();
        if octal(&header, 124, 12) != u64::try_from(entry.data.len()).ok() {
            put(&mut header, 124, &format!("{:011o}\0", entry.data.len()));
            let sum = sum(&header);
            put(&mut header, 148, &format!("{sum:06o}\0 "));
        }
        out.extend_from_slice(&header);
        out.extend_from_slice(&entry.data);
        out.resize(out.len().next_multiple_of(BLOCK), 0);
    }
    out.extend_from_slice(&tar.trailer);
    out
}

fn name(header: &[u8]) -> String {
    let text = |from: usize, length: usize| {
        let field = header.get(from..from + length).unwrap_or_default();
        String::from_utf8_lossy(field.split(|b| *b == 0).next().unwrap_or_default()).into_owned()
    };
    let (name, prefix) = (text(0, 100), text(345, 155));
    let posix = header.get(257..263) == Some(b"ustar\0");
    if posix && !prefix.is_empty() { format!("{prefix}/{name}") } else { name }
}

/// The `path` record of a pax header.
fn pax(data: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(data);
    text.lines().find_map(|l| l.split_once(' ')?.1.strip_prefix("path=").map(str::to_owned))
}

fn octal(header: &[u8], from: usize, length: usize) -> Option<u64> {
    let text = std::str::from_utf8(header.get(from..from + length)?).ok()?;
    u64::from_str_radix(text.trim_matches(['\0', ' ']), 8).ok()
}

/// The header's bytes added up, the sum itself taken for spaces (POSIX ustar).
fn sum(header: &[u8]) -> u64 {
    header.iter().enumerate().map(|(at, b)| if (148..156).contains(&at) { 32 } else { u64::from(*b) }).sum()
}

fn put(header: &mut [u8], from: usize, text: &str) {
    if let Some(place) = header.get_mut(from..from + text.len()) {
        place.copy_from_slice(text.as_bytes());
    }
}
