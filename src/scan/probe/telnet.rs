//! Telnet as far as a probe needs it: options refused, text left (RFC 854).

const IAC: u8 = 255;

/// Splits what a server sent into its text and our refusals, in order.
pub fn negotiate(bytes: &[u8]) -> (String, Vec<u8>) {
    let (mut text, mut replies) = (Vec::new(), Vec::new());
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != IAC {
            text.push(*first);
            continue;
        }
        match rest {
            [IAC, after @ ..] => {
                text.push(IAC);
                rest = after;
            }
            // WILL and WONT are answered with DONT, DO and DONT with WONT.
            [251 | 252, option, after @ ..] => {
                replies.extend([IAC, 254, *option]);
                rest = after;
            }
            [253 | 254, option, after @ ..] => {
                replies.extend([IAC, 252, *option]);
                rest = after;
            }
            // A subnegotiation ends with IAC SE.
            [250, after @ ..] => {
                let end = after.windows(2).position(|w| w == [IAC, 240]).map_or(after.len(), |n| n + 2);
                rest = after.get(end..).unwrap_or_default();
            }
            [_, after @ ..] => rest = after,
            [] => {}
        }
    }
    (String::from_utf8_lossy(&text).replace('\0', ""), replies)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn options_are_refused_and_text_is_left() {
        let (text, replies) = negotiate(b"\xff\xfd\x18\xff\xfb\x01hello \xff\xfa\x18\x01\xff\xf0login: ");
        assert_eq!(text, "hello login: ");
        assert_eq!(replies, [255, 252, 24, 255, 254, 1]);
    }

    proptest! {
        #[test]
        fn no_bytes_can_make_it_panic(bytes: Vec<u8>) {
            let _ = negotiate(&bytes);
        }
    }
}
