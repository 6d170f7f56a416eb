//! `timestamp`: asks a time-stamping authority, or carries question and answer by hand.
use super::{Done, Exit, Failure, args::TimestampArgs, bundle::seal_failure, output, source};
use patuh::bundle::{seal, timestamp};
use std::{path::Path, time::Duration};

/// No answer of an authority is longer.
const LONGEST: usize = 256 * 1024;

pub async fn run(a: &TimestampArgs) -> Done {
    if !a.bundle.exists() {
        return Err(Failure::new(Exit::NoInput, format!("`{}`: no such bundle", a.bundle.display())));
    }
    let stamped = seal::signature_of(&a.bundle).map_err(|e| seal_failure(&e))?;
    if let Some(path) = &a.request {
        write_query(path, &stamped)?;
        return Ok(Exit::Passed);
    }
    let answer = match (&a.token, &a.tsa) {
        (Some(file), _) => source::read(file)?,
        (None, Some(url)) => ask(url, &stamped).await?,
        (None, None) => return Err(Failure::new(Exit::Usage, "name --token, --tsa or --request")),
    };
    let token = seal::attach(&a.bundle, &answer).map_err(|e| seal_failure(&e))?;
    output::result(&format!("{} stamped at {} (serial {})\n", a.bundle.display(), token.time, token.serial))?;
    Ok(Exit::Passed)
}

/// The query in a file, and what to do with it.
pub fn write_query(path: &Path, stamped: &[u8]) -> Result<(), Failure> {
    let query = timestamp::query(stamped).map_err(|e| Failure::new(Exit::Ours, e.to_string()))?;
    output::file(path, &query)?;
    output::note(&format!(
        "{}: send it to an authority (Content-Type: application/timestamp-query), then: patuh timestamp BUNDLE --token ANSWER",
        path.display()
    ));
    Ok(())
}

/// One question over http to the address that the user named. The answer is signed; the way there need not be.
pub async fn ask(url: &str, stamped: &[u8]) -> Result<Vec<u8>, Failure> {
    let query = timestamp::query(stamped).map_err(|e| Failure::new(Exit::Ours, e.to_string()))?;
    if !url.starts_with("http://") {
        let message =
            format!("`{url}`: a time-stamping authority is asked over http://; its answer is signed by itself");
        return Err(Failure::new(Exit::Usage, message));
    }
    let failed = |e: reqwest::Error| Failure::new(Exit::Unreachable, format!("`{url}`: {}", e.without_url()));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(30))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(failed)?;
    let sent = client.post(url).header("Content-Type", "application/timestamp-query").body(query).send().await;
    let mut response = sent.and_then(reqwest::Response::error_for_status).map_err(failed)?;
    let mut answer = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        answer.extend_from_slice(&chunk);
        if answer.len() > LONGEST {
            return Err(Failure::new(Exit::Unreachable, format!("`{url}`: the answer is too long for a time-stamp")));
        }
    }
    Ok(answer)
}
