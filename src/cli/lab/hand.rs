//! How images are handed over, with the secrets that the plan refers to.
use super::{
    super::{Exit, Failure, update},
    lab::{Hand, Push, UploadHeader},
};
use patuh::model::{
    Endpoint, Scope, Touch,
    declarations::secret::{is_name, is_reference},
};
use reqwest::{Url, header};
use std::path::Path;

pub fn hand(push: &Push, base: &Path, scope: &Scope) -> Result<Hand, Failure> {
    let (url, method, field, headers) = match push {
        Push::Tool { over, command } => return Ok(Hand::Tool { over: over.clone(), command: command.clone() }),
        Push::Upload { url, method, field, headers } => (url, method, field, headers),
    };
    let url = Url::parse(url).map_err(|e| wrong("url", &e.to_string()))?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let host = host.parse().map_err(|_| wrong("url", "it names no address"))?;
    // Refused before the first image, and not at it.
    scope
        .admit(Endpoint::tcp(host, url.port_or_known_default().unwrap_or(80)), Touch::Alter)
        .map_err(|e| Failure::new(Exit::NotPermitted, format!("images.push.url: {e}")))?;
    let headers = headers.iter().map(|(name, value)| value_of(name, value, base)).collect::<Result<_, _>>()?;
    Ok(Hand::Upload { url, method: method.clone(), field: field.clone(), headers })
}

fn value_of(name: &str, value: &str, base: &Path) -> Result<UploadHeader, Failure> {
    let secret = is_reference(value);
    let private = ["authorization", "cookie"].contains(&name.to_lowercase().as_str()) || is_name(name);
    if private && !secret {
        return Err(wrong("headers", &format!("the value of `{name}` is secret; write env:NAME or file:PATH")));
    }
    let value = match value.split_once(':') {
        Some(("env", variable)) => std::env::var(variable)
            .map_err(|_| Failure::new(Exit::NoInput, format!("`{value}`: the variable is not set")))?,
        Some(("file", path)) => {
            let bytes = update::read(&base.join(path))?;
            String::from_utf8_lossy(&bytes).trim_end().to_owned()
        }
        Some(_) | None => value.to_owned(),
    };
    let good = header::HeaderName::from_bytes(name.as_bytes()).is_ok() && header::HeaderValue::from_str(&value).is_ok();
    match good {
        true => Ok(UploadHeader { name: name.to_owned(), value, secret }),
        false => Err(wrong("headers", &format!("`{name}` is no header, or its value has line ends"))),
    }
}

fn wrong(key: &str, why: &str) -> Failure {
    Failure::new(Exit::BadConfig, format!("images.push.{key}: {why}"))
}
