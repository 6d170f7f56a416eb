//! The laboratory's time server (RFC 5905, as a server of SNTP): the right time, or one that is as wrong as is due.
use super::stage::{Event, Stage};
use crate::scan::clock;
use std::sync::Arc;
use tokio::net::UdpSocket;

/// Seconds from 1900 to 1970.
const ERA: i64 = 2_208_988_800;
const CLIENT: u8 = 3;

pub async fn serve(socket: UdpSocket, stage: Arc<Stage>) {
    let mut buffer = [0u8; 512];
    loop {
        // An ICMP error for an earlier answer arrives as an error here.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        let question = buffer.get(..length).unwrap_or_default();
        if !stage.is_device(from.ip()) {
            continue;
        }
        let off_s = stage.off_s();
        let Some(answer) = answer(question, clock::unix_ms().saturating_add(off_s.saturating_mul(1000))) else {
            continue;
        };
        let _ = socket.send_to(&answer, from).await;
        stage.tell(Event::Time { from: from.ip().to_canonical(), off_s });
    }
}

/// `None`: it is no question for the time.
fn answer(question: &[u8], unix_ms: i64) -> Option<Vec<u8>> {
    let (first, sent) = (*question.first()?, question.get(40..48)?);
    let version = (first >> 3) & 7;
    if first & 7 != CLIENT || !(1..=4).contains(&version) {
        return None;
    }
    let seconds = (unix_ms.div_euclid(1000) + ERA).rem_euclid(1 << 32);
    let fraction = (unix_ms.rem_euclid(1000) << 32) / 1000;
    let stamp = [u32::try_from(seconds).ok()?.to_be_bytes(), u32::try_from(fraction).ok()?.to_be_bytes()].concat();
    // Synchronised; its version; a server of stratum 1 with a local reference, 2^-10 s exact.
    let mut out = vec![(version << 3) | 4, 1, 6, 0xf6];
    out.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 66]);
    out.extend_from_slice(b"LOCL");
    for part in [&stamp[..], sent, &stamp, &stamp] {
        out.extend_from_slice(part);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_client_gets_its_own_stamp_back_and_the_time_also_beyond_the_first_era() {
        let mut question = vec![0x23];
        question.resize(40, 0);
        question.extend_from_slice(b"whatever");
        let told = |ms: i64| answer(&question, ms).unwrap();
        assert_eq!((told(0)[0], &told(0)[24..32], told(0).len()), (0x24, &b"whatever"[..], 48));
        assert_eq!(told(1500)[40..48], [0x83, 0xaa, 0x7e, 0x81, 0x80, 0, 0, 0]);
        // 2036-02-07T06:28:16Z
        assert_eq!(told(2_085_978_496_000)[40..44], [0; 4]);
        question[0] = 0x24;
        assert_eq!(answer(&question, 0), None);
    }

    proptest! {
        #[test]
        fn nothing_that_is_asked_brings_it_down(question: Vec<u8>, ms: i64) {
            if let Some(told) = answer(&question, ms) {
                prop_assert!(told.len() == 48 && question.len() >= 48);
            }
        }
    }
}
