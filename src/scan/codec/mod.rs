//! Bytes to values and back, one file per protocol. No sockets, no verdicts; never panics on any input.
pub mod ber;
pub mod client_hello;
pub mod industrial;
pub mod infra;
pub mod markup;
pub mod onvif;
pub mod smb;
pub mod snmp;
pub mod ssh;
pub mod tls;
pub mod tls_flight;
pub mod tls_names;

/// Reads big-endian numbers and slices off the front of a byte string.
pub struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    pub fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(n)?;
        self.0 = tail;
        Some(head)
    }
    pub fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }
    pub fn u16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_be_bytes)
    }
    pub fn u24(&mut self) -> Option<usize> {
        Some(self.take(3)?.iter().fold(0, |n, b| n << 8 | usize::from(*b)))
    }
    /// A byte string after its one- or two-byte length.
    pub fn vec8(&mut self) -> Option<&'a [u8]> {
        let n = self.u8()?;
        self.take(n.into())
    }
    pub fn vec16(&mut self) -> Option<&'a [u8]> {
        let n = self.u16()?;
        self.take(n.into())
    }
}
