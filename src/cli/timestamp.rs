//! `timestamp`: asks a time-stamping authority, or carries question and answer by hand.
use super::{Done, Exit, Failure, args::TimestampArgs, bundle::seal_failure, output, source};
use patuh::{
    bundle::{seal, timestamp},
    model::plan,
    scan::journal::RECORDING,
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// No answer of an authority is longer.
const LONGEST: usize = 256 * 1024;

pub async fn run(a: &TimestampArgs) -> Done {
    let Stamped { bytes, token } = stamped(&a.bundle)?;
    if let Some(path) = &a.request {
        write_query(path, &bytes, &a.bundle)?;
        return Ok(Exit::Passed);
    }
    let answer = match (&a.token, &a.tsa) {
        (Some(file), _) => source::read(file)?,
        (None, Some(url)) => ask(url, &bytes).await?,
        (None, None) => return Err(Failure::new(Exit::Usage, "name --token, --tsa or --request")),
    };
    let token = match token {
        None => seal::attach(&a.bundle, &answer),
        Some(file) => seal::keep(&file, &answer, &bytes),
    };
    let token = token.map_err(|e| seal_failure(&e))?;
    output::result(&format!("{} stamped at {} (serial {})\n", a.bundle.display(), token.time, token.serial))?;
    Ok(Exit::Passed)
}

/// What an authority is asked about.
struct Stamped {
    bytes: Vec<u8>,
    /// Where the answer belongs; `None` for a bundle.
    token: Option<PathBuf>,
}

/// Of a bundle its signature; of a recording its plan, as long as nothing was recorded, else its last line.
fn stamped(path: &Path) -> Result<Stamped, Failure> {
    if !path.exists() {
        return Err(Failure::new(Exit::NoInput, format!("`{}`: no such bundle or recording", path.display())));
    }
    if !path.join(plan::FILE).exists() {
        let bytes = seal::signature_of(path).map_err(|e| seal_failure(&e))?;
        return Ok(Stamped { bytes, token: None });
    }
    if !path.join(RECORDING).exists() {
        return Ok(Stamped { bytes: source::read(&path.join(plan::FILE))?, token: Some(path.join(plan::TOKEN)) });
    }
    let recording = source::recording(path)?;
    if recording.finished.is_none() {
        let message = format!("`{0}`: the scan did not finish; first: patuh scan --resume {0}", path.display());
        return Err(Failure::new(Exit::BadInput, message));
    }
    Ok(Stamped { bytes: recording.last, token: Some(path.join(plan::END_TOKEN)) })
}

/// Asks for the time of a recording's end.
pub async fn stamp_end(url: &str, dir: &Path) -> Result<(), Failure> {
    let Stamped { bytes, token } = stamped(dir)?;
    let answer = ask(url, &bytes).await?;
    let file = token.unwrap_or_else(|| dir.join(plan::END_TOKEN));
    let token = seal::keep(&file, &answer, &bytes).map_err(|e| seal_failure(&e))?;
    output::note(&format!("recording stamped at {} (serial {})", token.time, token.serial));
    Ok(())
}

/// The query in a file, and what to do with it.
pub fn write_query(path: &Path, stamped: &[u8], about: &Path) -> Result<(), Failure> {
    let query = timestamp::query(stamped).map_err(|e| Failure::new(Exit::Ours, e.to_string()))?;
    output::file(path, &query)?;
    output::note(&format!(
        "{}: send it to an authority (Content-Type: application/timestamp-query), then: patuh timestamp {} --token ANSWER",
        path.display(),
        about.display()
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
