//! The first messages of SMB: which versions a server speaks ([MS-SMB2] 2.2.3 and 2.2.4, [MS-CIFS] 2.2.4.52).
use super::Cursor;

/// SMB2 NEGOTIATE with the dialects 2.0.2, 2.1 and 3.0.
pub fn negotiate2() -> Vec<u8> {
    let mut message = b"\xfeSMB\x40\0".to_vec();
    message.resize(64, 0);
    // StructureSize, DialectCount, SecurityMode (signing enabled), Reserved.
    message.extend([36, 0, 3, 0, 1, 0, 0, 0]);
    // Capabilities, ClientGuid, ClientStartTime.
    message.resize(message.len() + 28, 0);
    message.extend([0x02, 0x02, 0x10, 0x02, 0x00, 0x03]);
    framed(&message)
}

/// SMB1 NEGOTIATE with `NT LM 0.12` alone, so that no server can answer in another version.
pub fn negotiate1() -> Vec<u8> {
    let mut message = b"\xffSMB\x72\0\0\0\0\x18\x01\x28".to_vec();
    message.resize(32, 0);
    let dialect = b"\x02NT LM 0.12\0";
    message.extend([0, u8::try_from(dialect.len()).unwrap_or(0), 0]);
    message.extend(dialect);
    framed(&message)
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&u32::try_from(message.len()).unwrap_or(0).to_be_bytes()[..], message].concat()
}

/// What a server chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    Smb1,
    /// Its dialect revision, and whether messages must be signed.
    Smb2 {
        dialect: u16,
        signing_required: bool,
    },
    /// It speaks SMB and takes none of what was offered.
    Neither,
}

pub fn chosen(reply: &[u8]) -> Option<Chosen> {
    let mut c = Cursor(reply);
    c.take(4)?;
    match c.take(4)? {
        b"\xffSMB" => {
            // Up to WordCount; then the index of the dialect.
            c.take(28)?;
            let words = c.u8()?;
            let index = (words > 0).then(|| c.u16()).flatten();
            Some(if index == Some(0) { Chosen::Smb1 } else { Chosen::Neither })
        }
        b"\xfeSMB" => {
            let little = |b: &[u8]| b.iter().rev().fold(0u16, |n, b| n << 8 | u16::from(*b));
            c.take(4)?;
            let failed = c.take(4)?.iter().any(|b| *b != 0);
            c.take(52)?;
            c.take(2)?;
            let mode = little(c.take(2)?);
            let dialect = little(c.take(2)?);
            Some(if failed { Chosen::Neither } else { Chosen::Smb2 { dialect, signing_required: mode & 2 != 0 } })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_lengths_in_front_are_those_of_the_messages() {
        for m in [negotiate1(), negotiate2()] {
            assert_eq!(usize::from(m[3]), m.len() - 4);
        }
        assert_eq!(negotiate2().len(), 4 + 64 + 36 + 6);
    }

    #[test]
    fn a_version_is_told_by_what_the_server_chose() {
        let mut one = negotiate1()[..36].to_vec();
        one.extend([17, 0, 0]);
        assert_eq!(chosen(&one), Some(Chosen::Smb1));
        let end = one.len() - 2;
        one[end..].fill(0xff);
        assert_eq!(chosen(&one), Some(Chosen::Neither));
        let mut two = negotiate2()[..68].to_vec();
        two.extend([65, 0, 3, 0, 0x00, 0x03]);
        assert_eq!(chosen(&two), Some(Chosen::Smb2 { dialect: 0x300, signing_required: true }));
        assert_eq!(chosen(b"HTTP/1.1 400"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            let _ = chosen(&bytes);
        }
    }
}
