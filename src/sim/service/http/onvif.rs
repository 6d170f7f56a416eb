//! ONVIF services: the clock for everybody, the rest for users who prove their password by a UsernameToken.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use sha1::{Digest as _, Sha1};

use super::Access;
use super::wire::{Request, Response};
use crate::sim::Identity;
use crate::sim::account::{Accounts, Login};

/// How far a token's time may be from the device's.
const WINDOW: SignedDuration = SignedDuration::from_secs(300);
const OPEN: &str = "GetSystemDateAndTime";
const FAULT: &str = "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode>\
    </s:Code><s:Reason><s:Text>Sender not Authorized</s:Text></s:Reason></s:Fault>";

/// The ONVIF side of a site.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Onvif {
    /// Who may ask what the specification closes.
    #[serde(default)]
    pub access: Access,
    /// Seconds by which the device's clock is wrong.
    #[serde(default)]
    pub clock: i64,
}

pub(super) fn is_its_own(path: &str) -> bool {
    path.starts_with("/onvif/")
}

impl Onvif {
    pub(super) fn answer(&self, request: &Request, accounts: &Accounts, identity: &Identity) -> Response {
        let xml = String::from_utf8_lossy(&request.body).into_owned();
        let Some(operation) = operation(&xml) else { return soap(400, "<s:Fault/>") };
        let closed = operation != OPEN && self.access == Access::Login;
        match closed.then(|| self.log_in(&xml, accounts)) {
            Some(Login::ToldLocked) => return soap(429, FAULT),
            Some(Login::Refused) => return soap(400, FAULT),
            Some(Login::Accepted) | None => {}
        }
        let told = match operation.as_str() {
            OPEN => self.time(),
            "GetDeviceInformation" => format!(
                "<tds:Manufacturer>{}</tds:Manufacturer><tds:Model>{}</tds:Model><tds:SerialNumber>{}</tds:SerialNumber>",
                identity.manufacturer, identity.model, identity.serial
            ),
            "GetUsers" => String::from(
                "<tds:User><tt:Username>admin</tt:Username><tt:UserLevel>Administrator</tt:UserLevel></tds:User>",
            ),
            "GetNetworkInterfaces" => String::from("<tds:NetworkInterfaces token=\"eth0\"/>"),
            "GetProfiles" => String::from("<trt:Profiles token=\"main\"/>"),
            _ => return soap(500, "<s:Fault><s:Code><s:Value>ter:ActionNotSupported</s:Value></s:Code></s:Fault>"),
        };
        soap(200, &format!("<tds:{operation}Response>{told}</tds:{operation}Response>"))
    }

    fn now(&self) -> Timestamp {
        let now = crate::sim::clock::now();
        now.checked_add(SignedDuration::from_secs(self.clock)).unwrap_or(now)
    }

    fn time(&self) -> String {
        let now = self.now().to_string();
        let part = |from: usize, to: usize| now.get(from..to).unwrap_or_default().to_owned();
        format!(
            "<tt:UTCDateTime><tt:Time><tt:Hour>{}</tt:Hour><tt:Minute>{}</tt:Minute><tt:Second>{}</tt:Second></tt:Time>\
             <tt:Date><tt:Year>{}</tt:Year><tt:Month>{}</tt:Month><tt:Day>{}</tt:Day></tt:Date></tt:UTCDateTime>",
            part(11, 13),
            part(14, 16),
            part(17, 19),
            part(0, 4),
            part(5, 7),
            part(8, 10)
        )
    }

    /// A UsernameToken; one whose time is far from the device's is refused, whatever it proves.
    fn log_in(&self, xml: &str, accounts: &Accounts) -> Login {
        let field = |name: &str| text_of(xml, name);
        let (Some(user), Some(digest), Some(nonce), Some(created)) =
            (field("Username"), field("Password"), field("Nonce"), field("Created"))
        else {
            return Login::Refused;
        };
        let fresh = created.parse::<Timestamp>().is_ok_and(|t| t.duration_since(self.now()).abs() <= WINDOW);
        accounts.prove(&user, |password| {
            let mut hash = Sha1::new();
            hash.update(STANDARD.decode(nonce.trim()).unwrap_or_default());
            hash.update(created.as_bytes());
            hash.update(password.as_bytes());
            fresh && STANDARD.encode(hash.finalize()) == digest
        })
    }
}

/// The first element of the body, without its prefix.
fn operation(xml: &str) -> Option<String> {
    let body = xml.split_once("Body>")?.1.trim_start().strip_prefix('<')?;
    let name = body.split([' ', '/', '>']).next()?;
    Some(name.rsplit(':').next()?.to_owned())
}

/// The text of the first element of this local name.
fn text_of(xml: &str, name: &str) -> Option<String> {
    xml.split('<').find_map(|part| {
        let (tag, text) = part.split_once('>')?;
        let local = tag.split(' ').next()?.rsplit(':').next()?;
        (local == name).then(|| text.to_owned())
    })
}

fn soap(status: u16, body: &str) -> Response {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\" xmlns:trt=\"http://www.onvif.org/ver10/media/wsdl\" \
         xmlns:tt=\"http://www.onvif.org/ver10/schema\" xmlns:ter=\"http://www.onvif.org/ver10/error\"><s:Body>{body}</s:Body></s:Envelope>"
    );
    Response::new(status, "application/soap+xml; charset=utf-8", xml)
}
