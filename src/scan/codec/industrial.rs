//! Industrial protocols, as far as they tell what a device is without touching what it does.
use super::Cursor;

/// Modbus over TCP, function 43/14 (Modbus Application Protocol 1.1b3, 6.21): the basic identification of unit 1. It reads texts alone.
pub const MODBUS_IDENTITY: [u8; 11] = [0, 1, 0, 0, 0, 5, 1, 0x2b, 0x0e, 1, 0];

/// OPC UA over TCP, Hello (OPC 10000-6, 7.1.2.3) for an endpoint that no server has to know.
pub const OPCUA_HELLO: &[u8] =
    b"HELF\x32\0\0\0\0\0\0\0\xff\xff\0\0\xff\xff\0\0\0\0\0\0\0\0\0\0\x12\0\0\0opc.tcp://dut:4840";

/// What a Modbus device says that it is; all empty where it refuses to say.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Modbus {
    pub vendor: Option<String>,
    pub product: Option<String>,
    pub revision: Option<String>,
}

/// Reads the answer to [`MODBUS_IDENTITY`]; an echo of it is none.
pub fn modbus(reply: &[u8]) -> Option<Modbus> {
    let mut c = Cursor(reply);
    let (transaction, protocol, length, unit) = (c.u16()?, c.u16()?, c.u16()?, c.u8()?);
    if (transaction, protocol, unit) != (1, 0, 1) || usize::from(length) != c.0.len() + 1 {
        return None;
    }
    match c.u8()? {
        // An exception, with its code: it is Modbus, and does not say what.
        0xab if c.0.len() == 1 => return Some(Modbus::default()),
        0x2b => {}
        _ => return None,
    }
    // Kind and code of the reading, how much the device conforms, whether more follows, and from which object on.
    let (kind, code, conforms) = (c.u8()?, c.u8()?, c.u8()?);
    if (kind, code) != (0x0e, 1) || ![1, 2, 3, 0x81, 0x82, 0x83].contains(&conforms) {
        return None;
    }
    let (_more, _next, count) = (c.u8()?, c.u8()?, c.u8()?);
    let mut all = Modbus::default();
    for _ in 0..count {
        let (object, text) = (c.u8()?, String::from_utf8_lossy(c.vec8()?).into_owned());
        match object {
            0 => all.vendor = Some(text),
            1 => all.product = Some(text),
            2 => all.revision = Some(text),
            _ => {}
        }
    }
    Some(all)
}

/// Whether the answer to [`OPCUA_HELLO`] is OPC UA's: an Acknowledge, or an Error that names the endpoint or the sizes.
pub fn is_opcua(reply: &[u8]) -> bool {
    let length = reply.get(4..8).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes);
    let whole = length.is_some_and(|l| usize::try_from(l) == Ok(reply.len()));
    whole && (reply.starts_with(b"ACKF") && reply.len() == 28 || reply.starts_with(b"ERRF") && reply.len() >= 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_modbus_device_says_what_it_is_or_refuses_and_an_echo_says_nothing() {
        let told = b"\0\x01\0\0\0\x18\x01\x2b\x0e\x01\x01\0\0\x03\0\x04Acme\x01\x02PM\x02\x041.20";
        let text = |s: &str| Some(s.to_owned());
        let all = Modbus { vendor: text("Acme"), product: text("PM"), revision: text("1.20") };
        assert_eq!(modbus(told), Some(all));
        assert_eq!(modbus(b"\0\x01\0\0\0\x03\x01\xab\x01"), Some(Modbus::default()));
        assert_eq!(modbus(&MODBUS_IDENTITY), None);
        assert_eq!(modbus(b"HTTP/1.1 400 Bad Request"), None);
    }

    #[test]
    fn opc_ua_acknowledges_or_names_an_error() {
        let acknowledge = [b"ACKF\x1c\0\0\0".as_slice(), &[0; 20]].concat();
        assert!(is_opcua(&acknowledge) && !is_opcua(OPCUA_HELLO) && !is_opcua(b"ACKF"));
        assert_eq!(OPCUA_HELLO.len(), 50);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = (modbus(&bytes), is_opcua(&bytes));
        }
    }
}
