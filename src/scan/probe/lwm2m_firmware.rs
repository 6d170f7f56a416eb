//! Whether a stranger writes a package to the firmware object of LwM2M (OMA LwM2M 1.1, annex E.6). What is written is no
//! firmware, it is never applied, and it is taken back.
use super::{
    Probe,
    coap::{exchange, request},
    coap_observe::links,
    lwm2m_objects::is_object,
};
use crate::model::{Endpoint, Observation, Touch, Why};
use crate::scan::{
    net::{Datagrams, Trouble, wire::Replies},
    session::Ctx,
};
use coap_lite::{CoapOption, RequestType};
use std::time::Duration;

pub const PROBE: Probe = Probe {
    id: "lwm2m-firmware",
    version: 1,
    title: "LwM2M firmware written by strangers",
    page: include_str!("lwm2m_firmware.md"),
    touch: Touch::Alter,
    subjects_from: &["coap-resources"],
    run: |ctx| Box::pin(run(ctx)),
};

const PACKAGE: &str = "/5/0/0";
const STATE: &str = "/5/0/3";
const RESULT: &str = "/5/0/5";
/// No resource of the object has this number.
const NOWHERE: &str = "/5/0/65432";
const JUNK: &[u8] = b"patuh: this is no firmware";
const IDLE: u8 = 0;
/// How long a device may think of a package.
const THINKS: Duration = Duration::from_secs(2);

async fn run(ctx: &Ctx) {
    ctx.each(
        links(ctx, is_object),
        |(e, _)| *e,
        |(e, _)| async move {
            if let Err(t) = look(ctx, e).await {
                ctx.trouble(None, e, &t);
            }
        },
    )
    .await;
}

async fn look(ctx: &Ctx, e: Endpoint) -> Result<(), Trouble> {
    let mut socket = ctx.udp(e, Replies::ThatPort).await?;
    let (found, state) = read(&mut socket, STATE).await?;
    let mut seen = Seen { present: found != "4.04", ..Seen::default() };
    if seen.present && state.is_some_and(|s| s != IDLE) {
        socket.close();
        let why = "an update is under way, so that nothing was written to the firmware object";
        ctx.gap(Some(e.into()), Why::NotUnderstood(why.to_owned()));
        return Ok(());
    }
    if seen.present {
        seen.control = write(&mut socket, NOWHERE, JUNK).await?;
        seen.code = write(&mut socket, PACKAGE, JUNK).await?;
    }
    if seen.code.starts_with('2') {
        tokio::time::sleep(THINKS).await;
        seen.state = read(&mut socket, STATE).await?.1;
        seen.result = read(&mut socket, RESULT).await?.1;
        // An empty package takes back what was written.
        write(&mut socket, PACKAGE, &[]).await?;
        if seen.state.is_some_and(|s| s != IDLE) && read(&mut socket, STATE).await?.1 != Some(IDLE) {
            let why = "what was written to the firmware object could not be taken back: start the device anew";
            ctx.gap(Some(e.into()), Why::NotUnderstood(why.to_owned()));
        }
    }
    let Seen { present, control, code, state, result } = seen;
    let observation = Observation::Lwm2mFirmware { present, control, code, state, result };
    ctx.record(e, observation, Some(socket.close()));
    Ok(())
}

#[derive(Default)]
struct Seen {
    present: bool,
    control: String,
    code: String,
    state: Option<u8>,
    result: Option<u8>,
}

async fn read(socket: &mut Datagrams, path: &str) -> Result<(String, Option<u8>), Trouble> {
    let mut ask = request(RequestType::Get, path);
    // Plain text; some answer in another format all the same.
    ask.add_option(CoapOption::Accept, Vec::new());
    let reply = exchange(socket, &ask).await?;
    Ok((reply.header.get_code(), number(&reply.payload)))
}

async fn write(socket: &mut Datagrams, path: &str, value: &[u8]) -> Result<String, Trouble> {
    let mut ask = request(RequestType::Put, path);
    ask.payload = value.to_vec();
    Ok(exchange(socket, &ask).await?.header.get_code())
}

/// A number of one byte as text, as TLV, or as CBOR.
fn number(value: &[u8]) -> Option<u8> {
    match value {
        [0xc1, _, n] => Some(*n),
        [n @ 0..=0x17] => Some(*n),
        text => std::str::from_utf8(text).ok()?.trim().parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_in_each_format_that_devices_answer_in() {
        assert_eq!(
            [number(b"0"), number(b"10"), number(&[0xc1, 3, 2]), number(&[2])],
            [Some(0), Some(10), Some(2), Some(2)]
        );
        assert_eq!([number(b""), number(b"idle"), number(&[0xff, 0xff])], [None, None, None]);
    }
}
