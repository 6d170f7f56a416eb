//! SNMP v1 and v2c GET of sysDescr, and v3 engine discovery (RFC 1157, 3416, 3414).
use super::{Cursor, ber};

const SYS_DESCR: [u8; 8] = [0x2b, 6, 1, 2, 1, 1, 1, 0];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    V1,
    V2c,
}

pub fn get_sysdescr(version: Version, community: &[u8], request: i32) -> Vec<u8> {
    let number = match version {
        Version::V1 => 0,
        Version::V2c => 1,
    };
    let binding = ber::write(0x30, &[ber::write(6, &SYS_DESCR), ber::write(5, &[])].concat());
    let fields = [ber::integer(request), ber::integer(0), ber::integer(0), ber::write(0x30, &binding)].concat();
    let message = [ber::integer(number), ber::write(4, community), ber::write(0xa0, &fields)].concat();
    ber::write(0x30, &message)
}

/// The value of sysDescr in a GetResponse without error.
pub fn sysdescr(datagram: &[u8]) -> Option<Vec<u8>> {
    let (0x30, message) = ber::read(&mut Cursor(datagram))? else { return None };
    let mut m = Cursor(message);
    let (2, _) = ber::read(&mut m)? else { return None };
    let (4, _) = ber::read(&mut m)? else { return None };
    let (0xa2, pdu) = ber::read(&mut m)? else { return None };
    let mut p = Cursor(pdu);
    ber::read(&mut p)?;
    let (2, status) = ber::read(&mut p)? else { return None };
    if status.iter().any(|b| *b != 0) {
        return None;
    }
    ber::read(&mut p)?;
    let (0x30, list) = ber::read(&mut p)? else { return None };
    let (0x30, binding) = ber::read(&mut Cursor(list))? else { return None };
    let mut b = Cursor(binding);
    ber::read(&mut b)?;
    let (4, value) = ber::read(&mut b)? else { return None };
    Some(value.to_vec())
}

/// A request without an engine id: an SNMPv3 agent answers it with a report that names its own.
pub fn v3_discovery(id: i32) -> Vec<u8> {
    let global = [ber::integer(id), ber::integer(65507), ber::write(4, &[4]), ber::integer(3)].concat();
    let usm = [
        ber::write(4, &[]),
        ber::integer(0),
        ber::integer(0),
        ber::write(4, &[]),
        ber::write(4, &[]),
        ber::write(4, &[]),
    ];
    let usm = ber::write(0x30, &usm.concat());
    let pdu = [ber::integer(id), ber::integer(0), ber::integer(0), ber::write(0x30, &[])].concat();
    let scoped = ber::write(0x30, &[ber::write(4, &[]), ber::write(4, &[]), ber::write(0xa0, &pdu)].concat());
    ber::write(0x30, &[ber::integer(3), ber::write(0x30, &global), ber::write(4, &usm), scoped].concat())
}

/// The version number of any SNMP message: 0 for v1, 1 for v2c, 3 for v3.
pub fn version(datagram: &[u8]) -> Option<u8> {
    let (0x30, message) = ber::read(&mut Cursor(datagram))? else { return None };
    let (2, [v]) = ber::read(&mut Cursor(message))? else { return None };
    Some(*v)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_v2c_request_is_the_one_that_net_snmp_sends() {
        let bytes = get_sysdescr(Version::V2c, b"public", 1);
        let golden = "302602010104067075626c6963a019020101020100020100300e300c06082b060102010101000500";
        assert_eq!(crate::model::digest::hex(&bytes), golden);
    }

    proptest! {
        #[test]
        fn no_datagram_can_make_the_readers_panic(bytes: Vec<u8>) {
            let _ = (sysdescr(&bytes), version(&bytes));
        }
    }
}
