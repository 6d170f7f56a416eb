//! Whether services that read XML fetch what a document tells them to fetch. Only we are ever named.
use super::{
    Probe,
    onvif_services::DEVICE,
    upnp::{Described, Service, described, responders, services},
    web::shape,
};
use crate::model::{
    Observation, Record, Touch,
    observation::{
        clean,
        web::{XmlEntity, XmlForm},
    },
};
use crate::scan::{
    net::{
        Trouble,
        called::Ear,
        http::{Keep, Reply, Request},
        wire::Replies,
    },
    session::{Ctx, Identified},
};
use reqwest::Method;
use std::time::Duration;

pub const PROBE: Probe = Probe {
    id: "xml-entities",
    version: 1,
    title: "entities of XML documents",
    page: include_str!("xml_entities.md"),
    touch: Touch::Stress,
    subjects_from: &["udp-services", "service-identify", "upnp-description", "onvif-services"],
    run: |ctx| Box::pin(run(ctx)),
};

const CALL: Duration = Duration::from_secs(2);

async fn run(ctx: &Ctx) {
    ctx.each_service(responders(ctx), |s| async move { upnp(ctx, &s).await }).await;
    ctx.each_service(cameras(ctx), |s| async move {
        let content = "application/soap+xml; charset=utf-8".to_owned();
        let body = "<tds:GetSystemDateAndTime xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\"/>".to_owned();
        let reader = Reader {
            ctx,
            at: &s,
            path: DEVICE,
            headers: vec![("content-type", content)],
            envelope: "http://www.w3.org/2003/05/soap-envelope",
            body,
        };
        reader.look().await
    })
    .await;
}

/// Web servers that answered in ONVIF.
fn cameras(ctx: &Ctx) -> Vec<Identified> {
    let answers = |r: &Record| matches!(r.observation, Observation::OnvifAnswer { .. });
    let seen: Vec<Record> = ctx.seen("onvif-services").into_iter().filter(answers).collect();
    let mut all = ctx.services_named(&["http"]);
    all.retain(|s| seen.iter().any(|r| r.subject == s.endpoint.into()));
    all
}

/// The first service of a description that is controlled, asked for an action that no service has.
async fn upnp(ctx: &Ctx, s: &Identified) -> Result<(), Trouble> {
    let Some(Described { web, reply, .. }) = described(ctx, s).await? else { return Ok(()) };
    let all = services(&reply.text());
    let Some(Service { kind, control, .. }) = all.iter().find(|v| !v.control.is_empty()) else { return Ok(()) };
    let headers = vec![
        ("content-type", "text/xml; charset=\"utf-8\"".to_owned()),
        ("soapaction", format!("\"{kind}#PatuhNone\"")),
    ];
    let envelope = "http://schemas.xmlsoap.org/soap/envelope/";
    let body = format!("<u:PatuhNone xmlns:u=\"{kind}\"></u:PatuhNone>");
    Reader { ctx, at: &web, path: control, headers, envelope, body }.look().await
}

/// A service that reads XML, and an ordinary message to it.
struct Reader<'a> {
    ctx: &'a Ctx,
    at: &'a Identified,
    path: &'a str,
    headers: Vec<(&'static str, String)>,
    envelope: &'static str,
    body: String,
}

impl Reader<'_> {
    async fn look(&self) -> Result<(), Trouble> {
        // A socket that sends nothing says which address of ours the device sees.
        let own = self.ctx.udp(self.at.endpoint, Replies::ThatPort).await?.own_address()?;
        let ear = Ear::open(own, self.ctx.session.journal.clone()).await?;
        let plain = self.post("", "").await?;
        let at = ear.at()?;
        for form in [XmlForm::Entity, XmlForm::Dtd] {
            let token = format!("patuh-{:016x}", rand::random::<u64>());
            let (kind, used) = match form {
                XmlForm::Entity => (format!("<!DOCTYPE e [<!ENTITY ct SYSTEM \"http://{at}/{token}\">]>"), "&ct;"),
                XmlForm::Dtd => (format!("<!DOCTYPE e SYSTEM \"http://{at}/{token}\">"), ""),
            };
            let reply = self.post(&kind, used).await?;
            let heard = ear.called(self.at.endpoint.host, &token, CALL).await;
            let (path, status, fetched) = (clean(self.path, 200), reply.status, heard.is_some());
            let as_ordinary = shape(&reply, self.path) == shape(&plain, self.path);
            let entity = XmlEntity { path, form, status, as_ordinary, fetched };
            let seen = Observation::XmlEntity { entity };
            self.ctx.record(self.at.endpoint, seen, Some(heard.unwrap_or(reply.transcript)));
        }
        Ok(())
    }

    async fn post(&self, kind: &str, used: &str) -> Result<Reply, Trouble> {
        let mut request = Request::get(self.at.endpoint.addr().to_string(), self.path);
        request.method = Method::POST;
        request.headers.clone_from(&self.headers);
        request.keep = Keep::Heads;
        let Self { envelope, body, .. } = self;
        request.body = format!(
            "<?xml version=\"1.0\"?>{kind}<s:Envelope xmlns:s=\"{envelope}\"><s:Header><p:c xmlns:p=\"urn:patuh\">{used}</p:c>\
             </s:Header><s:Body>{body}</s:Body></s:Envelope>"
        )
        .into_bytes();
        self.ctx.http(self.at, request, &[]).await
    }
}
