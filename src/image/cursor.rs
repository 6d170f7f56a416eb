//! Reading a stranger's bytes in order: what is missing has a name, and nothing is read past the end.
use super::error::ImageError;

/// A place in the bytes of one format.
#[derive(Clone)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    format: &'static str,
}

impl<'a> Cursor<'a> {
    pub fn new(format: &'static str, bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, format }
    }

    /// The same bytes from another place; past the end, the next read says what is missing.
    pub fn at(format: &'static str, bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, format }
    }

    pub fn position(&self) -> usize {
        self.at
    }

    pub fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    pub fn take(&mut self, length: usize, what: &str) -> Result<&'a [u8], ImageError> {
        let end = self.at.saturating_add(length);
        let Some(part) = self.bytes.get(self.at..end) else {
            let missing = end.saturating_sub(self.bytes.len());
            let what = crate::model::observation::clean(what, 80);
            return Err(ImageError::Truncated { format: self.format, what, missing });
        };
        self.at = end;
        Ok(part)
    }

    pub fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], ImageError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N, what)?);
        Ok(out)
    }

    pub fn u8(&mut self, what: &str) -> Result<u8, ImageError> {
        Ok(u8::from_le_bytes(self.array(what)?))
    }

    pub fn u16(&mut self, what: &str) -> Result<u16, ImageError> {
        Ok(u16::from_le_bytes(self.array(what)?))
    }

    pub fn u32(&mut self, what: &str) -> Result<u32, ImageError> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    pub fn u64(&mut self, what: &str) -> Result<u64, ImageError> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    /// A length of 32 bits.
    pub fn length(&mut self, what: &str) -> Result<usize, ImageError> {
        Ok(usize::try_from(self.u32(what)?).unwrap_or(usize::MAX))
    }

    /// Goes on to the next multiple of `step`, or to the end.
    pub fn align(&mut self, step: usize) {
        self.at = self.at.next_multiple_of(step).min(self.bytes.len().max(self.at));
    }
}
