//! CoAP over UDP (RFC 7252): discovery, block-wise transfer (RFC 7959), separate answers and protected resources.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU32, Ordering};

use coap_lite::{CoapOption, ContentFormat, MessageClass, MessageType, Packet, RequestType, ResponseType};
use serde::Deserialize;

use crate::sim::SimError;
use crate::sim::fill::fill;
use crate::sim::listen::{Answerer, Raising};

/// A CoAP service without security.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coap {
    pub port: u16,
    pub resources: Vec<Resource>,
    /// Largest block: 16, 32, 64, 128, 256, 512 or 1024.
    #[serde(default = "block")]
    pub block: u16,
    /// How many datagrams to lose before any is answered.
    #[serde(default)]
    pub drop_first: u32,
    /// Says 2.04 to every PUT, whatever it is for, and does nothing.
    #[serde(default)]
    pub nods: bool,
    /// An LwM2M firmware object (5), and what it does with a package.
    pub firmware: Option<Firmware>,
    /// Passes over critical options that it does not know.
    #[serde(default)]
    pub careless: bool,
    /// Whether NON requests are answered.
    #[serde(default)]
    pub answers: Answers,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answers {
    #[default]
    All,
    /// Only confirmable requests.
    Confirmable,
}

/// What the firmware object does with a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Firmware {
    /// 4.01 for everybody.
    Refuses,
    /// It takes it, and finds it wrong.
    Checks,
    /// It takes it, and holds it for downloaded.
    Takes,
}

/// One resource.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// Such as `/3/0/3`.
    pub path: String,
    #[serde(default)]
    pub rt: String,
    #[serde(default)]
    pub payload: String,
    #[serde(default)]
    pub access: Access,
    /// Announced as observable, and a GET with Observe is entered.
    #[serde(default)]
    pub observe: bool,
    /// Who observes is told of a change at once.
    #[serde(default)]
    pub changes: bool,
    /// Acknowledges first and answers in a message of its own.
    #[serde(default)]
    pub separate: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Anybody reads.
    #[default]
    Read,
    /// Anybody reads and writes; what is written is forgotten.
    Write,
    /// 4.01 for everybody, since nobody can authenticate without security.
    Protected,
}

fn block() -> u16 {
    64
}

impl Coap {
    pub(super) fn check(&self) -> Result<(), &'static str> {
        if size_exponent(self.block).is_none() {
            return Err("`block` is 16, 32, 64, 128, 256, 512 or 1024");
        }
        Ok(())
    }

    pub(super) async fn raise(&self, raising: &mut Raising) -> Result<(), SimError> {
        let mut spec = self.clone();
        for resource in &mut spec.resources {
            resource.payload = fill(&resource.payload, &raising.stage);
        }
        let server = Server {
            left_to_drop: AtomicU32::new(spec.drop_first),
            next_id: AtomicU16::new(rand::random()),
            holds: AtomicBool::new(false),
            spec,
        };
        raising.udp(self.port, server).await
    }
}

struct Server {
    spec: Coap,
    left_to_drop: AtomicU32,
    next_id: AtomicU16,
    /// A package that was written.
    holds: AtomicBool,
}

struct Reply {
    code: ResponseType,
    payload: Vec<u8>,
    format: ContentFormat,
    resource: Option<Resource>,
}

impl Answerer for Server {
    fn answer(&self, _from: SocketAddr, datagram: &[u8]) -> Vec<Vec<u8>> {
        let lost = self.left_to_drop.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if lost.is_ok() {
            return Vec::new();
        }
        let Ok(request) = Packet::from_bytes(datagram) else { return Vec::new() };
        let packets = self.converse(&request);
        packets.iter().filter_map(|packet| packet.to_bytes().ok()).collect()
    }
}

impl Server {
    fn converse(&self, request: &Packet) -> Vec<Packet> {
        let kind = request.header.get_type();
        match (kind, request.header.code) {
            // A ping (RFC 7252, 4.3).
            (MessageType::Confirmable, MessageClass::Empty) => vec![bare(request, MessageType::Reset)],
            (MessageType::NonConfirmable, _) if self.spec.answers == Answers::Confirmable => Vec::new(),
            (MessageType::Confirmable | MessageType::NonConfirmable, MessageClass::Request(method)) => {
                self.respond(request, method)
            }
            _ => Vec::new(),
        }
    }

    fn respond(&self, request: &Packet, method: RequestType) -> Vec<Packet> {
        let reply = self.reply(request, method);
        let confirmable = request.header.get_type() == MessageType::Confirmable;
        let separate = confirmable && reply.resource.as_ref().is_some_and(|resource| resource.separate);
        let mut response = Packet::new();
        response.header.code = MessageClass::Response(reply.code);
        response.set_token(request.get_token().to_vec());
        if confirmable && !separate {
            response.header.set_type(MessageType::Acknowledgement);
            response.header.message_id = request.header.message_id;
        } else {
            let kind = if separate { MessageType::Confirmable } else { MessageType::NonConfirmable };
            response.header.set_type(kind);
            response.header.message_id = self.next_id.fetch_add(1, Ordering::Relaxed);
        }
        let observed = reply.resource.as_ref().is_some_and(|resource| resource.observe);
        if observed && request.get_option(CoapOption::Observe).is_some() {
            response.set_observe_value(1);
        }
        let changes = observed && request.get_observe_value().is_some_and(|v| v.is_ok_and(|v| v == 0));
        let changes = changes && reply.resource.as_ref().is_some_and(|resource| resource.changes);
        self.fit(request, &mut response, reply);
        let mut packets = Vec::new();
        if separate {
            packets.push(bare(request, MessageType::Acknowledgement));
        }
        packets.push(response);
        if let Some(answer) = packets.last().filter(|_| changes) {
            let mut notification = answer.clone();
            notification.header.set_type(MessageType::NonConfirmable);
            notification.header.message_id = self.next_id.fetch_add(1, Ordering::Relaxed);
            notification.set_observe_value(2);
            packets.push(notification);
        }
        packets
    }

    /// Puts the payload in, or the block of it that is asked for.
    fn fit(&self, request: &Packet, response: &mut Packet, reply: Reply) {
        if reply.payload.is_empty() {
            return;
        }
        let asked = request
            .get_first_option(CoapOption::Block2)
            .map(|value| value.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)));
        let own = size_exponent(self.spec.block).unwrap_or(0);
        let exponent = asked.map_or(own, |asked| own.min(asked & 7));
        let size = 16_usize << exponent;
        let number = asked.unwrap_or(0) >> 4;
        let start = usize::try_from(number).unwrap_or(usize::MAX).saturating_mul(size);
        let Some(rest) = reply.payload.get(start..).filter(|rest| !rest.is_empty()) else {
            response.header.code = MessageClass::Response(ResponseType::BadRequest);
            return;
        };
        response.set_content_format(reply.format);
        let more = rest.len() > size;
        if asked.is_some() || more {
            let value = number << 4 | u32::from(more) << 3 | exponent;
            let bytes = value.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            response.add_option(CoapOption::Block2, bytes);
        }
        response.payload = rest.iter().take(size).copied().collect();
    }

    fn reply(&self, request: &Packet, method: RequestType) -> Reply {
        let path = path(request);
        // An odd number beyond all that this server knows (RFC 7252, 5.4.1).
        if !self.spec.careless && request.options().any(|(number, _)| number % 2 == 1 && *number > 60) {
            return code(ResponseType::BadOption);
        }
        if self.spec.nods && method == RequestType::Put {
            return code(ResponseType::Changed);
        }
        if path == "/.well-known/core" && method == RequestType::Get {
            let payload = self.links().into_bytes();
            let format = ContentFormat::ApplicationLinkFormat;
            return Reply { code: ResponseType::Content, payload, format, resource: None };
        }
        if let Some(firmware) = self.spec.firmware.filter(|_| path.starts_with("/5/0/")) {
            return self.firmware(firmware, &path, method, &request.payload);
        }
        let Some(resource) = self.spec.resources.iter().find(|resource| resource.path == path) else {
            return code(ResponseType::NotFound);
        };
        match (resource.access, method) {
            (Access::Protected, _) => code(ResponseType::Unauthorized),
            (_, RequestType::Get) => Reply {
                code: ResponseType::Content,
                payload: resource.payload.clone().into_bytes(),
                format: ContentFormat::TextPlain,
                resource: Some(resource.clone()),
            },
            (Access::Write, RequestType::Put | RequestType::Post) => code(ResponseType::Changed),
            (Access::Read | Access::Write, _) => code(ResponseType::MethodNotAllowed),
        }
    }

    /// Package (0), state (3) and result (5) of the firmware object.
    fn firmware(&self, does: Firmware, path: &str, method: RequestType, package: &[u8]) -> Reply {
        let holds = self.holds.load(Ordering::Relaxed);
        let text = match (does, path, method) {
            (Firmware::Refuses, _, _) => return code(ResponseType::Unauthorized),
            (_, "/5/0/0", RequestType::Put) => {
                self.holds.store(!package.is_empty(), Ordering::Relaxed);
                return code(ResponseType::Changed);
            }
            (Firmware::Takes, "/5/0/3", RequestType::Get) if holds => "2",
            (Firmware::Checks, "/5/0/5", RequestType::Get) if holds => "5",
            (_, "/5/0/3" | "/5/0/5", RequestType::Get) => "0",
            _ => return code(ResponseType::NotFound),
        };
        let payload = text.as_bytes().to_vec();
        Reply { code: ResponseType::Content, payload, format: ContentFormat::TextPlain, resource: None }
    }

    /// The link format of RFC 6690.
    fn links(&self) -> String {
        let link = |resource: &Resource| {
            let rt = if resource.rt.is_empty() { String::new() } else { format!(";rt=\"{}\"", resource.rt) };
            format!("<{}>{rt}{}", resource.path, if resource.observe { ";obs" } else { "" })
        };
        self.spec.resources.iter().map(link).collect::<Vec<_>>().join(",")
    }
}

fn code(code: ResponseType) -> Reply {
    Reply { code, payload: Vec::new(), format: ContentFormat::TextPlain, resource: None }
}

/// A message without code, token or payload that answers this one.
fn bare(request: &Packet, kind: MessageType) -> Packet {
    let mut packet = Packet::new();
    packet.header.set_type(kind);
    packet.header.code = MessageClass::Empty;
    packet.header.message_id = request.header.message_id;
    packet
}

fn path(request: &Packet) -> String {
    let segments = request.get_option(CoapOption::UriPath).into_iter().flatten();
    segments.map(|segment| format!("/{}", String::from_utf8_lossy(segment))).collect()
}

/// The SZX of a block size.
fn size_exponent(size: u16) -> Option<u32> {
    let valid = size.is_power_of_two() && (16..=1024).contains(&size);
    valid.then(|| size.trailing_zeros() - 4)
}
