//! The little of BER that SNMP needs (X.690, definite lengths).
use super::Cursor;

pub fn write(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u8::try_from(body.len()) {
        Ok(n) if n < 128 => out.push(n),
        _ => {
            let n = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
            let n: Vec<u8> = n.into_iter().skip_while(|b| *b == 0).collect();
            out.push(0x80 | u8::try_from(n.len()).unwrap_or(4));
            out.extend(n);
        }
    }
    out.extend_from_slice(body);
    out
}

/// A two's complement INTEGER.
pub fn integer(n: i32) -> Vec<u8> {
    let bytes = n.to_be_bytes();
    let sign = if n < 0 { 0xff } else { 0 };
    let mut at = bytes.as_slice();
    while let [first, rest @ ..] = at {
        let Some(next) = rest.first() else { break };
        if *first != sign || (next & 0x80 != 0) != (n < 0) {
            break;
        }
        at = rest;
    }
    write(2, at)
}

/// Tag and contents of the next value.
pub fn read<'a>(c: &mut Cursor<'a>) -> Option<(u8, &'a [u8])> {
    let tag = c.u8()?;
    let first = c.u8()?;
    let n = match first {
        n if n < 128 => usize::from(n),
        n => c.take(usize::from(n & 0x7f)).filter(|b| b.len() <= 4)?.iter().fold(0, |n, b| n << 8 | usize::from(*b)),
    };
    Some((tag, c.take(n)?))
}
