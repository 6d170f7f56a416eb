//! SNMP v1 and v2c GET of sysDescr, GET and SET of sysContact, and v3 engine discovery (RFC 1157, 3416, 3414).
use super::{Cursor, ber};

const SYS_DESCR: [u8; 8] = [0x2b, 6, 1, 2, 1, 1, 1, 0];
const SYS_CONTACT: [u8; 8] = [0x2b, 6, 1, 2, 1, 1, 4, 0];
const GET: u8 = 0xa0;
const GET_NEXT: u8 = 0xa1;
const SET: u8 = 0xa3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    V1,
    V2c,
}

pub fn get_sysdescr(version: Version, community: &[u8], request: i32) -> Vec<u8> {
    message(version, community, request, GET, &SYS_DESCR, &ber::write(5, &[]))
}

pub fn get_contact(version: Version, community: &[u8], request: i32) -> Vec<u8> {
    message(version, community, request, GET, &SYS_CONTACT, &ber::write(5, &[]))
}

/// Asks for what comes after `name`, which is written as BER writes it.
pub fn get_next(version: Version, community: &[u8], request: i32, name: &[u8]) -> Vec<u8> {
    message(version, community, request, GET_NEXT, name, &ber::write(5, &[]))
}

/// Writes sysContact. `value` is what was read there.
pub fn set_contact(version: Version, community: &[u8], request: i32, value: &[u8]) -> Vec<u8> {
    message(version, community, request, SET, &SYS_CONTACT, &ber::write(4, value))
}

fn message(version: Version, community: &[u8], request: i32, kind: u8, name: &[u8], value: &[u8]) -> Vec<u8> {
    let number = match version {
        Version::V1 => 0,
        Version::V2c => 1,
    };
    let binding = ber::write(0x30, &[&ber::write(6, name), value].concat());
    let fields = [ber::integer(request), ber::integer(0), ber::integer(0), ber::write(0x30, &binding)].concat();
    let message = [ber::integer(number), ber::write(4, community), ber::write(kind, &fields)].concat();
    ber::write(0x30, &message)
}

/// The value of sysDescr in a GetResponse without error.
pub fn sysdescr(datagram: &[u8]) -> Option<Vec<u8>> {
    response(datagram).filter(|r| r.status == 0)?.text
}

/// What a GetResponse says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub request: Vec<u8>,
    pub status: u8,
    /// The value of its first binding, when that is text.
    pub text: Option<Vec<u8>>,
    /// The name of its first binding.
    pub name: Vec<u8>,
    /// The tag of its value: 0x80 to 0x82 say that there is none (RFC 3416, section 3).
    pub kind: u8,
    /// Its value, whatever it is.
    pub value: Vec<u8>,
}

pub fn response(datagram: &[u8]) -> Option<Response> {
    let (0x30, message) = ber::read(&mut Cursor(datagram))? else { return None };
    let mut m = Cursor(message);
    let (2, _) = ber::read(&mut m)? else { return None };
    let (4, _) = ber::read(&mut m)? else { return None };
    let (0xa2, pdu) = ber::read(&mut m)? else { return None };
    let mut p = Cursor(pdu);
    let (2, request) = ber::read(&mut p)? else { return None };
    let (2, status) = ber::read(&mut p)? else { return None };
    ber::read(&mut p)?;
    let (0x30, list) = ber::read(&mut p)? else { return None };
    let first = || {
        let (0x30, binding) = ber::read(&mut Cursor(list))? else { return None };
        let mut b = Cursor(binding);
        let (_, name) = ber::read(&mut b)?;
        let (kind, value) = ber::read(&mut b)?;
        Some((name.to_vec(), kind, value.to_vec()))
    };
    let (name, kind, value) = first().unwrap_or_default();
    let text = (kind == 4).then(|| value.clone());
    let status = if status.iter().all(|b| *b == 0) { 0 } else { status.last().copied().unwrap_or(0).max(1) };
    Some(Response { request: request.to_vec(), status, text, name, kind, value })
}

/// An SNMPv3 engine as its discovery report shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    id: Vec<u8>,
    boots: Vec<u8>,
    time: Vec<u8>,
}

/// The engine that sent an SNMPv3 message (RFC 3414, 2.4).
pub fn engine(datagram: &[u8]) -> Option<Engine> {
    let mut m = Cursor(v3(datagram)?.0);
    let (0x30, usm) = ber::read(&mut m)? else { return None };
    let mut u = Cursor(usm);
    let (4, id) = ber::read(&mut u)? else { return None };
    let (2, boots) = ber::read(&mut u)? else { return None };
    let (2, time) = ber::read(&mut u)? else { return None };
    Some(Engine { id: id.to_vec(), boots: boots.to_vec(), time: time.to_vec() })
}

/// The security parameters and the plain scoped PDU's own PDU (its tag and content) of an SNMPv3 message.
fn v3(datagram: &[u8]) -> Option<(&[u8], u8, &[u8])> {
    let (0x30, message) = ber::read(&mut Cursor(datagram))? else { return None };
    let mut m = Cursor(message);
    let (2, [3]) = ber::read(&mut m)? else { return None };
    ber::read(&mut m)?;
    let (4, security) = ber::read(&mut m)? else { return None };
    let (0x30, scoped) = ber::read(&mut m)? else { return None };
    let mut s = Cursor(scoped);
    ber::read(&mut s)?;
    ber::read(&mut s)?;
    let (tag, pdu) = ber::read(&mut s)?;
    Some((security, tag, pdu))
}

/// A GET of sysDescr by a user, without authentication and without privacy.
pub fn v3_get_sysdescr(engine: &Engine, user: &[u8], id: i32) -> Vec<u8> {
    let global = [ber::integer(id), ber::integer(65507), ber::write(4, &[4]), ber::integer(3)].concat();
    let usm = [
        ber::write(4, &engine.id),
        ber::write(2, &engine.boots),
        ber::write(2, &engine.time),
        ber::write(4, user),
        ber::write(4, &[]),
        ber::write(4, &[]),
    ];
    let usm = ber::write(0x30, &usm.concat());
    let binding = ber::write(0x30, &[ber::write(6, &SYS_DESCR), ber::write(5, &[])].concat());
    let pdu = [ber::integer(id), ber::integer(0), ber::integer(0), ber::write(0x30, &binding)].concat();
    let scoped = ber::write(0x30, &[ber::write(4, &engine.id), ber::write(4, &[]), ber::write(0xa0, &pdu)].concat());
    ber::write(0x30, &[ber::integer(3), ber::write(0x30, &global), ber::write(4, &usm), scoped].concat())
}

/// What an agent answers to a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserAnswer {
    Value(Vec<u8>),
    /// A report, by the name of its counter (RFC 3414, 5).
    Report(&'static str),
}

pub fn v3_answer(datagram: &[u8]) -> Option<UserAnswer> {
    let (_, tag, pdu) = v3(datagram)?;
    let mut p = Cursor(pdu);
    ber::read(&mut p)?;
    let (2, status) = ber::read(&mut p)? else { return None };
    ber::read(&mut p)?;
    let (0x30, list) = ber::read(&mut p)? else { return None };
    let (0x30, binding) = ber::read(&mut Cursor(list))? else { return None };
    let mut b = Cursor(binding);
    let (6, name) = ber::read(&mut b)? else { return None };
    match (tag, ber::read(&mut b)?) {
        (0xa2, (4, value)) if status.iter().all(|b| *b == 0) => Some(UserAnswer::Value(value.to_vec())),
        (0xa2, _) => Some(UserAnswer::Report("noAccess")),
        (0xa8, _) => Some(UserAnswer::Report(match name.strip_prefix(&USM_STATS)? {
            [1, 0] => "usmStatsUnsupportedSecLevels",
            [2, 0] => "usmStatsNotInTimeWindows",
            [3, 0] => "usmStatsUnknownUserNames",
            [4, 0] => "usmStatsUnknownEngineIDs",
            [5, 0] => "usmStatsWrongDigests",
            [6, 0] => "usmStatsDecryptionErrors",
            _ => "another report",
        })),
        _ => None,
    }
}

/// 1.3.6.1.6.3.15.1.1
const USM_STATS: [u8; 8] = [0x2b, 6, 1, 6, 3, 15, 1, 1];

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

    #[test]
    fn our_own_request_names_the_engine_that_it_is_for() {
        let of = Engine { id: vec![0x80, 0, 0xff, 0xff, 5], boots: vec![1], time: vec![0, 200] };
        let sent = v3_get_sysdescr(&of, b"initial", 7);
        assert_eq!(engine(&sent), Some(of));
        assert_eq!(v3_answer(&sent), None, "a question is no answer");
    }

    proptest! {
        #[test]
        fn no_datagram_can_make_the_readers_panic(bytes: Vec<u8>) {
            let _ = (sysdescr(&bytes), version(&bytes), engine(&bytes), v3_answer(&bytes));
        }
    }
}
