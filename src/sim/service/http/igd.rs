//! The UPnP services of a gateway: mappings of ports, and events.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::wire::{Request, Response};

/// What the description of the device names.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Igd {
    pub control: String,
    pub events: String,
    /// Whether it maps high ports alone, and calls and maps nobody but the one who asks.
    #[serde(default)]
    pub secure: bool,
    /// Says yes to a mapping, and makes none.
    #[serde(default)]
    pub nods: bool,
    /// What becomes of a document type in a message.
    #[serde(default)]
    pub doctype: Doctype,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doctype {
    #[default]
    Refused,
    PassedOver,
    /// What it names is fetched.
    Followed,
}

pub(super) struct State {
    spec: Igd,
    /// By outer port: the inner host and port.
    mapped: Mutex<BTreeMap<u16, (String, String)>>,
}

impl State {
    pub fn new(spec: &Igd) -> Self {
        Self { spec: spec.clone(), mapped: Mutex::default() }
    }

    pub fn is_its_own(&self, path: &str) -> bool {
        [&self.spec.control, &self.spec.events].iter().any(|own| *own == path)
    }

    pub fn answer(&self, request: &Request, from: IpAddr) -> Response {
        match request.method.as_str() {
            "POST" if request.path == self.spec.control => self.act(request, from),
            "SUBSCRIBE" if request.path == self.spec.events => self.subscribe(request, from),
            "UNSUBSCRIBE" if request.path == self.spec.events => Response::html(200, ""),
            _ => Response::html(405, "<h1>405 Method Not Allowed</h1>\n"),
        }
    }

    fn act(&self, request: &Request, from: IpAddr) -> Response {
        let text = String::from_utf8_lossy(&request.body).into_owned();
        if text.contains("<!DOCTYPE") {
            match self.spec.doctype {
                Doctype::Refused => return Response::html(400, "<h1>400 Bad Request</h1>\n"),
                Doctype::PassedOver => {}
                Doctype::Followed => fetch(&text, own(request)),
            }
        }
        let field = |name: &str| {
            let (_, rest) = text.split_once(&format!("<{name}>"))?;
            Some(rest.split('<').next()?.to_owned())
        };
        let Some(port) = field("NewExternalPort").and_then(|p| p.parse::<u16>().ok()) else { return fault(402) };
        let Ok(mut mapped) = self.mapped.lock() else { return fault(501) };
        let action = request.header("soapaction").unwrap_or_default().trim_matches('"').rsplit('#').next();
        match action.unwrap_or_default() {
            "AddPortMapping" => {
                let client = field("NewInternalClient").unwrap_or_default();
                if self.spec.secure && (client != from.to_string() || port < 1024) {
                    return fault(606);
                }
                if !self.spec.nods {
                    mapped.insert(port, (client, field("NewInternalPort").unwrap_or_default()));
                }
                done("AddPortMapping", "")
            }
            "DeletePortMapping" if self.spec.nods || mapped.remove(&port).is_some() => done("DeletePortMapping", ""),
            "GetSpecificPortMappingEntry" => match mapped.get(&port) {
                Some((client, inner)) => done(
                    "GetSpecificPortMappingEntry",
                    &format!(
                        "<NewInternalPort>{inner}</NewInternalPort><NewInternalClient>{client}</NewInternalClient>"
                    ),
                ),
                None => fault(714),
            },
            "DeletePortMapping" => fault(714),
            _ => fault(401),
        }
    }

    /// Calls the address that it is told to, unless it is careful.
    fn subscribe(&self, request: &Request, from: IpAddr) -> Response {
        let callback = request.header("callback").unwrap_or_default().trim_matches(['<', '>']);
        let place = callback.strip_prefix("http://").and_then(|rest| rest.split_once('/'));
        let Some((at, path)) = place.and_then(|(at, path)| Some((at.parse::<SocketAddr>().ok()?, path))) else {
            return Response::html(412, "");
        };
        if self.spec.secure && at.ip() != from {
            return Response::html(412, "");
        }
        let notice = format!("NOTIFY /{path} HTTP/1.1\r\nHOST: {at}\r\nNT: upnp:event\r\nContent-Length: 0\r\n\r\n");
        let own = own(request);
        tokio::spawn(async move { call(own, at, &notice).await });
        Response::html(200, "").with("SID", "uuid:1").with("TIMEOUT", "Second-60")
    }
}

/// The device's own address, by the name under which it was asked.
fn own(request: &Request) -> Option<IpAddr> {
    request.header("host")?.parse::<SocketAddr>().ok().map(|own| own.ip())
}

/// Gets what a document names, as a careless parser does.
fn fetch(text: &str, own: Option<IpAddr>) {
    let named = text.split_once("SYSTEM \"http://").and_then(|(_, rest)| rest.split('"').next());
    let place = named.and_then(|url| url.split_once('/'));
    if let Some((at, path)) = place.and_then(|(at, path)| Some((at.parse::<SocketAddr>().ok()?, path))) {
        let question = format!("GET /{path} HTTP/1.1\r\nHost: {at}\r\n\r\n");
        tokio::spawn(async move { call(own, at, &question).await });
    }
}

/// From the device's own address, which on loopback no route says.
async fn call(own: Option<IpAddr>, at: SocketAddr, notice: &str) -> std::io::Result<()> {
    let socket = if at.is_ipv4() { tokio::net::TcpSocket::new_v4()? } else { tokio::net::TcpSocket::new_v6()? };
    if let Some(own) = own {
        socket.bind((own, 0).into())?;
    }
    let mut stream: TcpStream = tokio::time::timeout(Duration::from_secs(2), socket.connect(at)).await??;
    stream.write_all(notice.as_bytes()).await?;
    stream.shutdown().await
}

fn done(action: &str, told: &str) -> Response {
    soap(
        200,
        &format!(
            "<u:{action}Response xmlns:u=\"urn:schemas-upnp-org:service:WANIPConnection:1\">{told}</u:{action}Response>"
        ),
    )
}

fn fault(code: u16) -> Response {
    let detail = format!("<detail><UPnPError><errorCode>{code}</errorCode></UPnPError></detail>");
    soap(
        500,
        &format!("<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring>{detail}</s:Fault>"),
    )
}

fn soap(status: u16, body: &str) -> Response {
    let envelope = format!(
        "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>{body}</s:Body></s:Envelope>"
    );
    Response::new(status, "text/xml", envelope)
}
