//! Control questions of NTP (RFC 9327, appendix of RFC 1305) and one recursive question of DNS (RFC 1035),
//! read requests of TFTP (RFC 1350).
use super::Cursor;

/// What a reply says to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Yes(String),
    No(String),
    Unreadable,
}

/// Version 2, mode 6, operation 1: read variables.
pub fn ntp_variables() -> Vec<u8> {
    vec![0x16, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
}

/// Version 2, mode 7, implementation 3, request 42: the clients that the server remembers.
pub fn ntp_monlist() -> Vec<u8> {
    let mut bytes = vec![0x17, 0, 3, 42, 0, 0, 0, 0];
    bytes.resize(48, 0);
    bytes
}

pub fn ntp_control(_: &[u8], reply: &[u8]) -> Answer {
    let (Some([first, second, ..]), Some(length)) = (reply.get(..2), reply.get(10..12)) else {
        return Answer::Unreadable;
    };
    let length = length.iter().fold(0usize, |n, b| n << 8 | usize::from(*b));
    // Mode 6, and a response.
    match (first & 7, second & 0x80, second & 0x40) {
        (6, 0x80, 0x40) => Answer::No("an error".to_owned()),
        (6, 0x80, _) if length > 0 => {
            let text = reply.get(12..).unwrap_or_default();
            Answer::Yes(String::from_utf8_lossy(text.get(..length).unwrap_or(text)).into_owned())
        }
        (6, 0x80, _) => Answer::No("no variables".to_owned()),
        _ => Answer::Unreadable,
    }
}

pub fn ntp_private(_: &[u8], reply: &[u8]) -> Answer {
    let (Some(first), Some([high, low])) = (reply.first(), reply.get(4..6)) else { return Answer::Unreadable };
    if first & 7 != 7 || first & 0x80 == 0 {
        return Answer::Unreadable;
    }
    let entries = u16::from_be_bytes([*high & 0x0f, *low]);
    match high >> 4 {
        0 => Answer::Yes(format!("monlist with {entries} entries in its first packet")),
        error => Answer::No(format!("error {error}")),
    }
}

/// A question for the address of `patuh-<label>.example.com`, with recursion desired.
pub fn dns_question(id: u16, label: u32) -> Vec<u8> {
    let mut bytes = id.to_be_bytes().to_vec();
    bytes.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for part in [format!("patuh-{label:08x}").as_str(), "example", "com"] {
        bytes.push(u8::try_from(part.len()).unwrap_or(0));
        bytes.extend(part.as_bytes());
    }
    bytes.extend([0, 0, 1, 0, 1]);
    bytes
}

/// Recursion is there when it is offered and the question is worked on: with an answer, with "no such name" or with "the
/// servers that I asked did not answer".
pub fn dns_recursion(sent: &[u8], reply: &[u8]) -> Answer {
    let mut c = Cursor(reply);
    let (Some(id), Some(flags), Some(_), Some(answers)) = (c.u16(), c.u16(), c.u16(), c.u16()) else {
        return Answer::Unreadable;
    };
    if sent.get(..2) != Some(&id.to_be_bytes()) || flags & 0x8000 == 0 {
        return Answer::Unreadable;
    }
    let (available, code) = (flags & 0x80 != 0, flags & 15);
    match (available, code) {
        (_, 5) => Answer::No("refused".to_owned()),
        (true, 0) => Answer::Yes(format!("recursion is available, {answers} answers")),
        (true, 2) => Answer::Yes("recursion is available, and the servers that it asked did not answer".to_owned()),
        (true, 3) => Answer::Yes("recursion is available, and there is no such name".to_owned()),
        (true, n) => Answer::No(format!("code {n}")),
        (false, n) => Answer::No(format!("recursion is not available, code {n}")),
    }
}

/// A TFTP read request in octet mode (RFC 1350, section 5).
pub fn tftp_want(name: &str) -> Vec<u8> {
    [&[0, 1], name.as_bytes(), b"\0octet\0"].concat()
}

/// Ends a transfer.
pub fn tftp_stop() -> Vec<u8> {
    b"\0\x05\0\0enough\0".to_vec()
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tftp<'a> {
    /// The first block of a file.
    Data(&'a [u8]),
    Error(u16),
}

pub fn tftp(reply: &[u8]) -> Option<Tftp<'_>> {
    let mut c = Cursor(reply);
    match (c.u16()?, c.u16()?) {
        (3, 1) => Some(Tftp::Data(c.0)),
        (5, code) => Some(Tftp::Error(code)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_time_reply_is_no_control_reply_and_an_error_is_none() {
        let time = [0x24; 48];
        assert_eq!(ntp_control(&[], &time), Answer::Unreadable);
        assert_eq!(ntp_private(&[], &time), Answer::Unreadable);
        assert_eq!(ntp_control(&[], &[0x16, 0xc1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), Answer::No("an error".to_owned()));
        let text = [&[0x16, 0x81, 0, 1, 0, 0, 0, 0, 0, 0, 0, 4][..], b"a=\"b"].concat();
        assert_eq!(ntp_control(&[], &text), Answer::Yes("a=\"b".to_owned()));
    }

    #[test]
    fn an_answer_to_somebody_elses_question_says_nothing() {
        let sent = dns_question(7, 1);
        let mut reply = sent.clone();
        reply[2..4].copy_from_slice(&[0x81, 0x83]);
        assert!(matches!(dns_recursion(&sent, &reply), Answer::Yes(_)));
        reply[3] = 0x05;
        assert_eq!(dns_recursion(&sent, &reply), Answer::No("refused".to_owned()));
        reply[1] = 8;
        assert_eq!(dns_recursion(&sent, &reply), Answer::Unreadable);
    }

    #[test]
    fn a_first_block_and_an_error_are_told_apart_from_what_is_no_tftp() {
        assert_eq!(tftp(b"\0\x03\0\x01abc"), Some(Tftp::Data(b"abc")));
        assert_eq!(tftp(b"\0\x05\0\x01no\0"), Some(Tftp::Error(1)));
        assert_eq!(tftp(b"\0\x03\0\x02abc"), None);
        assert_eq!(tftp(b"\0\x03"), None);
    }

    proptest! {
        #[test]
        fn no_datagram_makes_the_readers_panic(bytes: Vec<u8>) {
            let _ = (ntp_control(&[], &bytes), ntp_private(&[], &bytes), dns_recursion(&bytes, &bytes));
            let _ = tftp(&bytes);
        }
    }
}
