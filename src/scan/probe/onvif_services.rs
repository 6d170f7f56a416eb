//! What an ONVIF device tells to somebody who has not logged in.
use super::Probe;
use crate::model::{
    Observation, Touch,
    observation::{ControlAnswer, clean},
};
use crate::scan::{
    codec::onvif::{self, CONTENT, Operation, Soap},
    net::{
        Trouble,
        http::{Reply, Request},
    },
    session::{Ctx, Identified},
};

pub const PROBE: Probe = Probe {
    id: "onvif-services",
    version: 1,
    title: "what ONVIF tells",
    page: include_str!("onvif_services.md"),
    touch: Touch::Ask,
    subjects_from: &["tcp-ports", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

/// The entry point that the specification fixes (ONVIF Core, 5.1.1), and where devices keep the media service.
pub const DEVICE: &str = "/onvif/device_service";
const MEDIA: &str = "/onvif/media_service";

async fn run(ctx: &Ctx) {
    let all = ctx.services_named(&["http"]);
    ctx.each_service(all, |s| async move { look(ctx, &s).await }).await;
}

/// One message without a credential.
pub async fn post(ctx: &Ctx, s: &Identified, path: &str, operation: Operation) -> Result<Reply, Trouble> {
    let mut request = Request::get(s.endpoint.addr().to_string(), path);
    request.method = reqwest::Method::POST;
    request.headers.push(("content-type", CONTENT.to_owned()));
    request.body = onvif::ask(operation, "");
    ctx.http(s, request, &[]).await
}

async fn look(ctx: &Ctx, s: &Identified) -> Result<(), Trouble> {
    let first = post(ctx, s, DEVICE, Operation::Time).await?;
    let soap = onvif::read(&first.text());
    // Any page may come back for a path that a server does not know: only SOAP is ONVIF.
    let faults = soap.is_soap() && soap.fault().is_some();
    if !faults && !soap.answers(Operation::Time) {
        return Ok(());
    }
    record(ctx, s, DEVICE, Operation::Time, &first, &soap);
    for operation in Operation::CLOSED {
        let path = if operation == Operation::Profiles { MEDIA } else { DEVICE };
        let reply = post(ctx, s, path, operation).await?;
        record(ctx, s, path, operation, &reply, &onvif::read(&reply.text()));
    }
    Ok(())
}

fn record(ctx: &Ctx, s: &Identified, path: &str, operation: Operation, reply: &Reply, soap: &Soap) {
    let (answer, proof) = said(operation, reply, soap);
    let (operation, path, status) = (operation.name().to_owned(), path.to_owned(), reply.status);
    let proof = clean(&proof, 200);
    let seen = Observation::OnvifAnswer { operation, path, status, answer, proof };
    ctx.record(s.endpoint, seen, Some(reply.transcript.clone()));
}

/// Refused: by 401 or 403, or by a fault that says so. A fault for another reason tells nothing.
pub fn said(operation: Operation, reply: &Reply, soap: &Soap) -> (ControlAnswer, String) {
    let fault = soap.fault();
    let denied = fault.as_ref().is_some_and(|f| {
        let f = f.to_lowercase();
        f.contains("notauthorized") || f.contains("failedauthentication") || f.contains("not authorized")
    });
    match reply.status {
        200 if soap.answers(operation) && fault.is_none() => {
            (ControlAnswer::Answered, format!("it told {}", soap.told().join(", ")))
        }
        401 | 403 => (ControlAnswer::Refused, format!("status {}", reply.status)),
        status if denied => (ControlAnswer::Refused, format!("status {status}, {}", fault.unwrap_or_default())),
        status => {
            (ControlAnswer::Unclear, format!("status {status}, {}", fault.unwrap_or_else(|| "no fault".to_owned())))
        }
    }
}
