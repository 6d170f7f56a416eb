//! The KEXINIT of an SSH server (RFC 4253, 7.1): which algorithms it offers, without any key exchange.
use super::Cursor;
use crate::model::observation::clean;
use std::collections::BTreeMap;

/// Our identification; the server sends its KEXINIT after it.
pub const IDENT: &[u8] = b"SSH-2.0-patuh\r\n";

/// The name-lists in the order of the packet. The lists of the other direction are the same in practice; where they are
/// not, both are kept.
const FIELDS: [&str; 8] =
    ["kex", "host-key", "cipher", "cipher-to-client", "mac", "mac-to-client", "compression", "compression-to-client"];
const KEXINIT: u8 = 20;

/// The lists, once the packet is whole: the identification line comes before it, and perhaps others before that.
pub fn kexinit(bytes: &[u8]) -> Option<BTreeMap<String, Vec<String>>> {
    let packet = after_ident(bytes)?;
    let mut c = Cursor(packet);
    let length = usize::try_from(u32::from_be_bytes(c.take(4)?.try_into().ok()?)).ok()?;
    let mut p = Cursor(c.take(length)?);
    p.u8()?;
    if p.u8()? != KEXINIT {
        return None;
    }
    p.take(16)?;
    let mut all = BTreeMap::new();
    for field in FIELDS {
        let n = usize::try_from(u32::from_be_bytes(p.take(4)?.try_into().ok()?)).ok()?;
        let text = String::from_utf8_lossy(p.take(n)?).into_owned();
        let names: Vec<String> = text.split(',').filter(|n| !n.is_empty()).map(|n| clean(n, 64)).take(100).collect();
        all.insert(field.to_owned(), names);
    }
    for field in ["cipher", "mac", "compression"] {
        let other = format!("{field}-to-client");
        if all.get(&other) == all.get(field) {
            all.remove(&other);
        }
    }
    Some(all)
}

fn after_ident(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes;
    loop {
        let end = rest.iter().position(|b| *b == b'\n')?;
        let (line, after) = rest.split_at_checked(end + 1)?;
        if line.starts_with(b"SSH-") {
            return Some(after);
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_lists_are_read_after_lines_that_come_before_the_identification() {
        let mut payload = vec![0, KEXINIT];
        payload.extend([0; 16]);
        let lists =
            ["curve25519-sha256", "ssh-ed25519", "aes128-ctr,aes256-ctr", "aes128-ctr", "m", "m", "none", "none"];
        for list in lists {
            payload.extend(u32::try_from(list.len()).unwrap().to_be_bytes());
            payload.extend(list.as_bytes());
        }
        let mut bytes = b"hello\r\nSSH-2.0-x\r\n".to_vec();
        bytes.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
        assert_eq!(kexinit(&bytes), None, "not whole yet");
        bytes.extend(payload);
        let all = kexinit(&bytes).unwrap();
        assert_eq!(all["cipher"], ["aes128-ctr", "aes256-ctr"]);
        assert_eq!(all["cipher-to-client"], ["aes128-ctr"], "kept where it differs");
        assert!(!all.contains_key("mac-to-client"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = kexinit(&bytes);
        }
    }
}
