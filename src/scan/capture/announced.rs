//! What the device tells of itself when it asks for an address (RFC 2131 and 2132; RFC 8415).
use crate::model::observation::clean;

const MAGIC: &[u8] = &[0x63, 0x82, 0x53, 0x63];
/// The fixed part of a BOOTP message, before the magic.
const FIXED: usize = 236;
const MOST: usize = 100;

/// What one option of a request says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub option: &'static str,
    pub value: String,
}

/// Everything that a datagram from the device to this port tells of it.
pub(super) fn told(payload: &[u8], server_port: u16) -> Vec<Told> {
    match server_port {
        67 => four(payload).unwrap_or_default(),
        547 => six(payload),
        _ => Vec::new(),
    }
}

fn four(payload: &[u8]) -> Option<Vec<Told>> {
    let (request, rest) = (payload.first() == Some(&1), payload.get(FIXED..)?);
    let mut rest = rest.strip_prefix(MAGIC).filter(|_| request)?;
    let mut all = Vec::new();
    while let Some((code, more)) = rest.split_first() {
        match code {
            0 => rest = more,
            255 => break,
            _ => {
                let Some((length, more)) = more.split_first() else { break };
                let Some((value, more)) = more.split_at_checked(usize::from(*length)) else { break };
                rest = more;
                let text = match code {
                    12 => Some(("host name", value)),
                    60 => Some(("vendor class", value)),
                    77 => Some(("user class", value)),
                    // Flags and two unused bytes come first (RFC 4702, 2).
                    81 => Some(("full name", value.get(3..).unwrap_or_default())),
                    _ => None,
                };
                all.extend(text.and_then(|(option, value)| written(option, value)));
            }
        }
    }
    Some(all)
}

fn six(payload: &[u8]) -> Vec<Told> {
    // Solicit, Request, Confirm, Renew, Rebind, Release, Decline, Information-request.
    let asks = payload.first().is_some_and(|kind| [1, 3, 4, 5, 6, 8, 9, 11].contains(kind));
    let mut rest = payload.get(4..).filter(|_| asks).unwrap_or_default();
    let mut all = Vec::new();
    while let Some((head, more)) = rest.split_first_chunk::<4>() {
        let [c1, c2, l1, l2] = *head;
        let Some((value, more)) = more.split_at_checked(usize::from(u16::from_be_bytes([l1, l2]))) else { break };
        rest = more;
        let text = match u16::from_be_bytes([c1, c2]) {
            // After the enterprise number and the length of the first class.
            16 => Some(("vendor class", value.get(6..).unwrap_or_default())),
            39 => Some(("full name", value.get(1..).unwrap_or_default())),
            _ => None,
        };
        all.extend(text.and_then(|(option, value)| written(option, value)));
    }
    all
}

/// Labels of a name are parted by their lengths, which `clean` shows as dots.
fn written(option: &'static str, value: &[u8]) -> Option<Told> {
    let value = clean(String::from_utf8_lossy(value).trim_matches(|c: char| c.is_control()), MOST);
    (!value.is_empty()).then_some(Told { option, value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn request(options: &[u8]) -> Vec<u8> {
        let mut message = vec![1, 1, 6, 0];
        message.resize(FIXED, 0);
        message.extend_from_slice(MAGIC);
        message.extend_from_slice(&[53, 1, 1]);
        message.extend_from_slice(options);
        message
    }

    fn all(payload: &[u8], port: u16) -> Vec<(&'static str, String)> {
        told(payload, port).into_iter().map(|t| (t.option, t.value)).collect()
    }

    #[test]
    fn a_request_tells_its_name_and_its_software() {
        let mut options = vec![12, 6];
        options.extend_from_slice(b"cam-17");
        options.extend_from_slice(&[0, 60, 12]);
        options.extend_from_slice(b"udhcp 1.30.1");
        options.push(255);
        let wanted = [("host name", "cam-17".to_owned()), ("vendor class", "udhcp 1.30.1".to_owned())];
        assert_eq!(all(&request(&options), 67), wanted);
        let mut answer = request(&options);
        answer[0] = 2;
        assert!(all(&answer, 67).is_empty() && all(&request(&options), 53).is_empty());
        let six = [&[1, 0, 0, 7, 0, 39, 0, 8, 0, 6][..], b"camera", &[0, 16, 0, 9, 0, 0, 0, 9, 0, 3], b"x/2"].concat();
        assert_eq!(all(&six, 547), [("full name", "camera".to_owned()), ("vendor class", "x/2".to_owned())]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(options in proptest::collection::vec(any::<u8>(), 0..400), port in prop_oneof![Just(67u16), Just(547)]) {
            told(&options, port);
            told(&request(&options), port);
        }
    }
}
