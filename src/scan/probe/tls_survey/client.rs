//! What a client gets that has no certificate, or one that nobody can believe, from a server that asks for one.
use super::super::{
    mqtt,
    starttls::{self, Place, Start},
};
use crate::model::{
    Observation, Sha256Digest,
    observation::tls::{ClientOutcome, ClientProof},
};
use crate::scan::{
    net::{
        Trouble,
        tls::{self, ClientKey},
    },
    session::Ctx,
};
use std::{io::ErrorKind, time::Duration};

/// Under TLS 1.3 a refusal comes after the handshake.
const ANSWER: Duration = Duration::from_secs(3);

pub async fn trials(ctx: &Ctx, at: Place) {
    // Who asks for certificates before a mail is not asked for an application behind it.
    if at.start != Start::AtOnce {
        return;
    }
    for presented in [ClientProof::None, ClientProof::SelfSigned] {
        match trial(ctx, at, presented).await {
            Ok((outcome, tape)) => ctx.record(at.endpoint, Observation::TlsClient { presented, outcome }, tape),
            Err(t) => ctx.trouble(None, at.endpoint, &t),
        }
    }
}

type Tried = (ClientOutcome, Option<Sha256Digest>);

async fn trial(ctx: &Ctx, at: Place, presented: ClientProof) -> Result<Tried, Trouble> {
    let key = match presented {
        ClientProof::None => None,
        ClientProof::SelfSigned => Some(ClientKey::self_signed().map_err(Trouble::NotUnderstood)?),
    };
    let http = format!("GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", at.endpoint.addr());
    let connect = mqtt::connect(mqtt::Level::V311, None);
    let mut last = (ClientOutcome::Silent, None);
    for question in [http.as_bytes(), &connect] {
        last = one(ctx, at, key.as_ref(), question).await?;
        if last.0 != ClientOutcome::Silent {
            break;
        }
    }
    Ok(last)
}

async fn one(ctx: &Ctx, at: Place, key: Option<&ClientKey>, question: &[u8]) -> Result<Tried, Trouble> {
    let wire = starttls::open(ctx, at).await?;
    let mut wire = match tls::shown(wire, ANSWER, key).await {
        Ok((wire, _)) => wire,
        Err(Trouble::NotUnderstood(why)) if why.contains("alert") => return Ok((ClientOutcome::Refused, None)),
        Err(t) => return Err(t),
    };
    let got = match wire.send(question).await {
        Ok(()) => wire.collect(ANSWER, ANSWER, 4096, |b| b.len() >= 4).await,
        Err(t) => Err(t),
    };
    let tape = wire.close().await;
    let outcome = match got {
        Ok(bytes) => told(&bytes),
        // rustls reports the server's alert as invalid data.
        Err(Trouble::Ours(e)) if e.kind() == ErrorKind::InvalidData => ClientOutcome::Refused,
        Err(Trouble::Closed | Trouble::Silent(_)) => ClientOutcome::Silent,
        Err(t) => return Err(t),
    };
    Ok((outcome, Some(tape)))
}

/// An application may refuse in its own words: HTTP by 400 (nginx), 401, 403; MQTT by a code that is not 0.
fn told(bytes: &[u8]) -> ClientOutcome {
    let text = String::from_utf8_lossy(bytes);
    let status = text.strip_prefix("HTTP/1.").and_then(|t| t.get(2..5)).and_then(|s| s.parse::<u16>().ok());
    match (status, bytes) {
        (Some(400 | 401 | 403 | 495 | 496), _) | (None, [0x20, _, _, 1..=255]) => ClientOutcome::Refused,
        (Some(_), _) | (None, _) => ClientOutcome::Served,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_in_the_words_of_the_application_is_no_service() {
        assert_eq!(told(b"HTTP/1.1 400 Bad Request\r\n"), ClientOutcome::Refused);
        assert_eq!(told(b"HTTP/1.1 200 OK\r\n"), ClientOutcome::Served);
        assert_eq!(told(&[0x20, 2, 0, 5]), ClientOutcome::Refused);
        assert_eq!(told(&[0x20, 2, 0, 0]), ClientOutcome::Served);
    }
}
