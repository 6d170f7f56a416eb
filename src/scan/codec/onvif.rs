//! The few SOAP messages of ONVIF that a reader needs (ONVIF Core Specification; WS-Security UsernameToken profile 1.0).
use super::markup;
use base64::{Engine, engine::general_purpose::STANDARD};
use html5gum::{Token, Tokenizer};
use sha1::{Digest, Sha1};
use std::collections::{BTreeMap, BTreeSet};

const DEVICE: &str = "http://www.onvif.org/ver10/device/wsdl";
const MEDIA: &str = "http://www.onvif.org/ver10/media/wsdl";
const SECURITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-";
pub const CONTENT: &str = "application/soap+xml; charset=utf-8";

/// What is asked. Only reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Open to everybody by the specification: a client has to set its clock before it can log in.
    Time,
    Information,
    Users,
    Interfaces,
    Profiles,
}

impl Operation {
    pub const CLOSED: [Self; 4] = [Self::Information, Self::Users, Self::Interfaces, Self::Profiles];

    pub fn name(self) -> &'static str {
        match self {
            Self::Time => "GetSystemDateAndTime",
            Self::Information => "GetDeviceInformation",
            Self::Users => "GetUsers",
            Self::Interfaces => "GetNetworkInterfaces",
            Self::Profiles => "GetProfiles",
        }
    }

    fn namespace(self) -> &'static str {
        match self {
            Self::Time | Self::Information | Self::Users | Self::Interfaces => DEVICE,
            Self::Profiles => MEDIA,
        }
    }
}

/// The message that asks for `operation`; `header` goes before its body.
pub fn ask(operation: Operation, header: &str) -> Vec<u8> {
    let (name, space) = (operation.name(), operation.namespace());
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\">{header}\
         <s:Body><{name} xmlns=\"{space}\"/></s:Body></s:Envelope>"
    )
    .into_bytes()
}

/// A header that proves `secret` by its digest, and the digest, which must not be kept.
pub fn token(user: &str, secret: &str, nonce: &[u8; 16], created: &str) -> (String, String) {
    let mut hash = Sha1::new();
    for part in [nonce.as_slice(), created.as_bytes(), secret.as_bytes()] {
        hash.update(part);
    }
    let (digest, nonce) = (STANDARD.encode(hash.finalize()), STANDARD.encode(nonce));
    let user = user.replace('&', "&amp;").replace('<', "&lt;");
    let header = format!(
        "<s:Header><w:Security s:mustUnderstand=\"1\" xmlns:w=\"{SECURITY}wssecurity-secext-1.0.xsd\" \
         xmlns:u=\"{SECURITY}wssecurity-utility-1.0.xsd\"><w:UsernameToken><w:Username>{user}</w:Username>\
         <w:Password Type=\"{SECURITY}username-token-profile-1.0#PasswordDigest\">{digest}</w:Password>\
         <w:Nonce EncodingType=\"{SECURITY}soap-message-security-1.0#Base64Binary\">{nonce}</w:Nonce>\
         <u:Created>{created}</u:Created></w:UsernameToken></w:Security></s:Header>"
    );
    (header, digest)
}

/// The elements of a reply by their local names in lower case, and the last text of each.
#[derive(Debug, Default)]
pub struct Soap {
    names: BTreeSet<String>,
    texts: BTreeMap<String, String>,
    utc: BTreeMap<String, String>,
}

pub fn read(xml: &str) -> Soap {
    let mut soap = Soap::default();
    let (mut inside, mut utc) = (String::new(), false);
    for token in Tokenizer::new(markup::tame(xml)).flatten() {
        match token {
            Token::StartTag(tag) => {
                inside = local(&tag.name);
                utc |= inside == "utcdatetime";
                if soap.names.len() < 500 {
                    soap.names.insert(inside.clone());
                }
            }
            Token::String(text) => {
                let text = String::from_utf8_lossy(&text).trim().to_owned();
                if !text.is_empty() && soap.texts.len() < 500 {
                    let into = if utc { &mut soap.utc } else { &mut soap.texts };
                    into.insert(inside.clone(), text);
                }
            }
            Token::EndTag(tag) => {
                utc &= local(&tag.name) != "utcdatetime";
                inside.clear();
            }
            _ => {}
        }
    }
    soap
}

fn local(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name).to_lowercase();
    name.rsplit(':').next().unwrap_or_default().to_owned()
}

impl Soap {
    /// The reply to this operation, with something in it.
    pub fn answers(&self, operation: Operation) -> bool {
        self.names.contains(&format!("{}response", operation.name().to_lowercase()))
    }

    pub fn is_soap(&self) -> bool {
        self.names.contains("envelope") && self.names.contains("body")
    }

    /// The codes and the reason of a fault.
    pub fn fault(&self) -> Option<String> {
        let words: Vec<&str> = ["value", "text", "faultcode", "faultstring"]
            .iter()
            .filter_map(|n| self.texts.get(*n))
            .map(String::as_str)
            .collect();
        self.names.contains("fault").then(|| words.join(" "))
    }

    /// The names of what was told, without the frame.
    pub fn told(&self) -> Vec<&str> {
        let frame = |n: &&String| !matches!(n.as_str(), "envelope" | "header" | "body") && !n.ends_with("response");
        self.names.iter().filter(frame).map(String::as_str).collect()
    }

    /// The device's clock as an RFC 3339 time.
    pub fn time(&self) -> Option<String> {
        let n = |name: &str| self.utc.get(name)?.parse::<u16>().ok();
        let (y, mo, d) = (n("year")?, n("month")?, n("day")?);
        let (h, mi, s) = (n("hour")?, n("minute")?, n("second")?);
        Some(format!("{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}Z"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_digest_is_that_of_the_example_of_the_programmers_guide() {
        // ONVIF Application Programmer's Guide 1.0, 6.1.1.3.
        let nonce: [u8; 16] = STANDARD.decode("LKqI6G/AikKCQrN0zqZFlg==").unwrap().try_into().unwrap();
        let (header, digest) = token("user", "userpassword", &nonce, "2010-09-16T07:50:45Z");
        assert_eq!(digest, "tuOSpGlFlIXsozq4HFNeeGeFLEI=");
        assert!(header.contains("<w:Username>user</w:Username>"));
    }

    #[test]
    fn the_clock_is_read_in_utc_and_not_in_local_time() {
        let xml = "<a:GetSystemDateAndTimeResponse><t:UTCDateTime><t:Time><t:Hour>7</t:Hour><t:Minute>5</t:Minute>\
                   <t:Second>9</t:Second></t:Time><t:Date><t:Year>2010</t:Year><t:Month>9</t:Month><t:Day>16</t:Day></t:Date>\
                   </t:UTCDateTime><t:LocalDateTime><t:Time><t:Hour>9</t:Hour></t:Time></t:LocalDateTime></a:GetSystemDateAndTimeResponse>";
        let soap = read(xml);
        assert!(soap.answers(Operation::Time) && !soap.answers(Operation::Users));
        assert_eq!(soap.time().unwrap(), "2010-09-16T07:05:09Z");
    }

    #[test]
    fn a_fault_tells_its_codes() {
        let xml = "<s:Envelope><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value>\
                   </s:Subcode></s:Code></s:Fault></s:Body></s:Envelope>";
        assert_eq!(read(xml).fault().unwrap(), "ter:NotAuthorized");
        assert!(read(xml).is_soap() && read("<html></html>").fault().is_none());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text: String) {
            let soap = read(&text);
            let _ = (soap.time(), soap.fault(), soap.told().len());
        }
    }
}
