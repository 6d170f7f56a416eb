//! Lines of text from a visitor who may send anything, in bounded memory.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// The longest line that anyone may send.
pub(super) const LONGEST_LINE: u64 = 4096;

/// Reads one line without its end; `None` at the end of the stream. An overlong line is an error.
pub(super) async fn line<R: AsyncBufRead + Unpin>(reader: &mut R) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let read = reader.take(LONGEST_LINE).read_until(b'\n', &mut bytes).await?;
    if read == 0 {
        return Ok(None);
    }
    if bytes.pop_if(|last| *last == b'\n').is_none() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "line too long or cut off"));
    }
    bytes.pop_if(|last| *last == b'\r');
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}
