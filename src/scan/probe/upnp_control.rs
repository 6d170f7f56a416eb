//! Whether a UPnP service does for strangers what it should do for nobody: map ports of others, call whom it is told to.
use super::{
    Probe,
    upnp::{Described, Service, described, responders, services},
};
use crate::model::{
    Observation, Sha256Digest, Touch, Why,
    observation::{
        clean,
        upnp::{EventCallback, MapCase, PortMapping},
    },
};
use crate::scan::{
    net::{
        Trouble,
        called::Ear,
        http::{Reply, Request},
    },
    session::{Ctx, Identified},
};
use reqwest::Method;
use std::{net::IpAddr, time::Duration};

pub const PROBE: Probe = Probe {
    id: "upnp-control",
    version: 1,
    title: "what UPnP services do for strangers",
    page: include_str!("upnp_control.md"),
    touch: Touch::Alter,
    subjects_from: &["udp-services", "service-identify", "upnp-description"],
    run: |ctx| Box::pin(run(ctx)),
};

/// The port that mappings lead to (discard): nothing should listen there.
const INNER: u16 = 9;
/// No service is known on it, and it is below 1024.
const LOW: u16 = 1021;
/// A mapping forgets itself after this, should everything else fail.
const LEASE: &str = "60";
const CALL: Duration = Duration::from_secs(3);
/// There is no such mapping (WANIPConnection, 2.4.16 and 2.4.18).
const NO_SUCH: u16 = 714;

async fn run(ctx: &Ctx) {
    ctx.each_service(responders(ctx), |s| async move { look(ctx, &s).await }).await;
}

async fn look(ctx: &Ctx, s: &Identified) -> Result<(), Trouble> {
    let Some(Described { web, reply, own, .. }) = described(ctx, s).await? else { return Ok(()) };
    let all = services(&reply.text());
    let maps = |v: &&Service| ["WANIPConnection", "WANPPPConnection"].iter().any(|k| v.kind.contains(k));
    for service in all.iter().filter(maps).filter(|v| !v.control.is_empty()).take(2) {
        let gateway = Gateway { ctx, web: &web, service };
        for case in MapCase::ALL {
            if let Err(t) = gateway.map(case, own).await {
                ctx.trouble(Some("mappings"), s.endpoint, &t);
                break;
            }
        }
    }
    if let Some(service) = all.iter().find(|v| !v.events.is_empty())
        && let Err(t) = events(ctx, s, &web, &service.events, own).await
    {
        ctx.trouble(Some("callbacks"), s.endpoint, &t);
    }
    Ok(())
}

struct Gateway<'a> {
    ctx: &'a Ctx,
    web: &'a Identified,
    service: &'a Service,
}

impl Gateway<'_> {
    /// Asks for a mapping that was not there, looks whether it is there, and takes it away.
    async fn map(&self, case: MapCase, own: IpAddr) -> Result<(), Trouble> {
        let client = match case {
            MapCase::Own | MapCase::LowPort => own,
            MapCase::Gateway => self.web.endpoint.host,
            MapCase::OtherHost => neighbour(own, self.web.endpoint.host),
        };
        let port = if case == MapCase::LowPort { LOW } else { rand::random_range(50_000..60_000) };
        let key =
            [("NewRemoteHost", String::new()), ("NewExternalPort", port.to_string()), ("NewProtocol", "TCP".into())];
        let there = self.act("GetSpecificPortMappingEntry", &key).await?;
        if there.status == 200 {
            let why = format!("port {port} is mapped already, and is left alone");
            return Err(Trouble::NotUnderstood(why));
        }
        let mut wanted = key.to_vec();
        wanted.extend([
            ("NewInternalPort", INNER.to_string()),
            ("NewInternalClient", client.to_string()),
            ("NewEnabled", "1".to_owned()),
            ("NewPortMappingDescription", "patuh".to_owned()),
            ("NewLeaseDuration", LEASE.to_owned()),
        ]);
        let reply = self.act("AddPortMapping", &wanted).await?;
        let mut mapping =
            PortMapping { case, client, port, status: reply.status, error: error(&reply), shown: None, gone: None };
        if mapping.taken() {
            let after = self.act("GetSpecificPortMappingEntry", &key).await?;
            mapping.shown = Some(after.status == 200 && after.text().contains(&client.to_string()));
            self.act("DeletePortMapping", &key).await?;
            let left = self.act("GetSpecificPortMappingEntry", &key).await?;
            mapping.gone = Some(left.status != 200 && error(&left).is_none_or(|e| e == NO_SUCH));
        }
        self.ctx.record(self.web.endpoint, Observation::PortMapping { mapping }, Some(reply.transcript));
        Ok(())
    }

    async fn act(&self, action: &str, arguments: &[(&str, String)]) -> Result<Reply, Trouble> {
        let kind = &self.service.kind;
        let all: String = arguments.iter().map(|(n, v)| format!("<{n}>{v}</{n}>")).collect();
        let mut request = Request::get(self.web.endpoint.addr().to_string(), &self.service.control);
        request.method = Method::POST;
        request.headers.push(("content-type", "text/xml; charset=\"utf-8\"".to_owned()));
        request.headers.push(("soapaction", format!("\"{kind}#{action}\"")));
        request.body = format!(
            "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body><u:{action} xmlns:u=\"{kind}\">{all}\
             </u:{action}></s:Body></s:Envelope>"
        )
        .into_bytes();
        self.ctx.http(self.web, request, &[]).await
    }
}

/// An address beside ours that is neither ours nor the device's.
fn neighbour(own: IpAddr, device: IpAddr) -> IpAddr {
    let beside = |step: u8| match own {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            IpAddr::from([a, b, c, (d.wrapping_add(step) % 253) + 1])
        }
        IpAddr::V6(v6) => IpAddr::from((v6.to_bits() ^ u128::from(step)).to_be_bytes()),
    };
    (1..=3).map(beside).find(|a| *a != own && *a != device).unwrap_or(own)
}

/// The UPnP error code of a SOAP fault.
fn error(reply: &Reply) -> Option<u16> {
    reply.text().split_once("<errorCode>")?.1.split('<').next()?.trim().parse().ok()
}

/// Subscribes for ourselves, and then for our second address: who is called there is called by anybody's word.
async fn events(ctx: &Ctx, s: &Identified, web: &Identified, path: &str, own: IpAddr) -> Result<(), Trouble> {
    let control = subscribe(ctx, web, path, (own, false)).await?;
    match ctx.session.scope.elsewhere.filter(|e| *e != own) {
        None => ctx.gap_of("callbacks", Some(s.endpoint.into()), Why::NotSupplied),
        Some(elsewhere) if control => drop(subscribe(ctx, web, path, (elsewhere, true)).await?),
        Some(_) => {}
    }
    Ok(())
}

/// Whether the address of ours was called.
async fn subscribe(ctx: &Ctx, web: &Identified, path: &str, (to, elsewhere): (IpAddr, bool)) -> Result<bool, Trouble> {
    let ear = Ear::open(to, ctx.session.journal.clone()).await?;
    let (at, token) = (ear.at()?, format!("patuh-{:016x}", rand::random::<u64>()));
    let mut request = Request::get(web.endpoint.addr().to_string(), path);
    request.method = method("SUBSCRIBE")?;
    request.headers.push(("callback", format!("<http://{at}/{token}>")));
    request.headers.push(("nt", "upnp:event".to_owned()));
    request.headers.push(("timeout", "Second-60".to_owned()));
    let reply = ctx.http(web, request, &[]).await?;
    let heard: Option<Sha256Digest> = ear.called(web.endpoint.host, &token, CALL).await;
    let sid = reply.header("sid");
    if !sid.is_empty() {
        let mut leave = Request::get(web.endpoint.addr().to_string(), path);
        leave.method = method("UNSUBSCRIBE")?;
        leave.headers.push(("sid", sid));
        ctx.http(web, leave, &[]).await?;
    }
    let (path, called) = (clean(path, 200), heard.is_some());
    let callback = EventCallback { path, to, elsewhere, status: reply.status, called };
    ctx.record(web.endpoint, Observation::EventCallback { callback }, Some(heard.unwrap_or(reply.transcript)));
    Ok(called)
}

fn method(name: &str) -> Result<Method, Trouble> {
    Method::from_bytes(name.as_bytes()).map_err(|e| Trouble::NotUnderstood(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbour_is_nobody_of_the_two() {
        for (own, device) in [("192.0.2.1", "192.0.2.3"), ("192.0.2.253", "192.0.2.1"), ("2001:db8::2", "2001:db8::3")]
        {
            let (own, device): (IpAddr, IpAddr) = (own.parse().unwrap(), device.parse().unwrap());
            let beside = neighbour(own, device);
            assert!(beside != own && beside != device, "{beside}");
        }
    }
}
