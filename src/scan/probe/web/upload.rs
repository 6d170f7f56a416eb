//! Upload forms: does one ask who is there before it takes a file?
use super::paths::{Kind, kind};
use crate::model::{
    Observation, Touch,
    observation::{Asks, HttpPage},
};
use crate::scan::{
    net::{Trouble, http::Request},
    probe::html,
    session::{Ctx, Identified},
};

/// An upload path that answers: does it ask who is there before it takes a file? Returns whether something was recorded.
pub async fn upload(ctx: &Ctx, s: &Identified, page: &HttpPage) -> Result<bool, Trouble> {
    let known = kind(&page.path) == Some(Kind::Update);
    let guarded =
        matches!(page.status, 401 | 403) || (matches!(page.status, 301..=308) && page.location.contains("login"));
    let record = |asks, proof: String, tape| {
        ctx.record(
            s.endpoint,
            Observation::HttpUpload { path: page.path.clone(), status: page.status, asks, proof },
            tape,
        );
    };
    if known && guarded {
        record(Asks::Yes, format!("status {} without a login", page.status), None);
    } else if page.upload_form && ctx.session.scope.most < Touch::Stress {
        let proof = "the upload form is shown without a login; nothing was uploaded, since the scope does not allow it";
        record(Asks::Unclear, proof.to_owned(), None);
    } else if page.upload_form {
        let boundary = format!("patuh{:016x}", rand::random::<u64>());
        let body = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"patuh-empty.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n\r\n--{boundary}--\r\n"
        );
        let mut request = Request::get(s.endpoint.addr().to_string(), &page.path);
        request.method = reqwest::Method::POST;
        request.headers.push(("content-type", format!("multipart/form-data; boundary={boundary}")));
        request.body = body.into_bytes();
        let reply = ctx.http(s, request, &[]).await?;
        let login = html::read(&reply.text()).login.is_some() || reply.header("location").contains("login");
        let (asks, what) = match reply.status {
            401 | 403 => (Asks::Yes, "refused"),
            _ if login => (Asks::Yes, "sent to the login"),
            200..=299 => (Asks::No, "taken without a login"),
            _ => (Asks::Unclear, "not clear"),
        };
        record(asks, format!("an empty file was {what} (status {})", reply.status), Some(reply.transcript));
    } else {
        return Ok(false);
    }
    Ok(true)
}
