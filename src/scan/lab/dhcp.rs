//! The laboratory's DHCP server (RFC 2131): the device, told by its MAC address, gets its address, and the laboratory as its
//! way out, name server and time server. Nobody else is answered.
use super::{
    plan::Plan,
    stage::{Event, Stage},
};
use crate::model::observation::clean;
use dhcproto::v4::{Decodable, Decoder, DhcpOption, Encodable, Message, MessageType, Opcode, OptionCode};
use serde::Deserialize;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};
use tokio::net::UdpSocket;

pub const PORT: u16 = 67;
const CLIENT: u16 = 68;

/// Whom to serve, and where.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dhcp {
    /// The device's MAC address, such as `02:00:00:00:00:07`.
    pub mac: String,
    /// The interface of the device's network; nothing is sent on others.
    pub interface: String,
    /// Of the device's network.
    #[serde(default = "Dhcp::default_prefix")]
    pub prefix: u8,
    #[serde(default = "Dhcp::default_lease")]
    pub lease_seconds: u32,
}

impl Dhcp {
    fn default_prefix() -> u8 {
        24
    }

    fn default_lease() -> u32 {
        3600
    }

    fn hardware(&self) -> Option<[u8; 6]> {
        let bytes: Vec<u8> = self.mac.split(':').map(|b| u8::from_str_radix(b, 16)).collect::<Result<_, _>>().ok()?;
        bytes.try_into().ok()
    }

    /// What the form cannot rule out, by its key.
    pub fn wrong(&self) -> Option<&'static str> {
        if self.hardware().is_none() {
            return Some("dhcp.mac: write six bytes, such as 02:00:00:00:00:07");
        }
        if self.interface.is_empty() || self.interface.len() > 15 {
            return Some("dhcp.interface: name the interface of the device's network");
        }
        if !(1..=30).contains(&self.prefix) || self.lease_seconds < 60 {
            return Some("dhcp: a prefix of 1 to 30, and 60 or more lease_seconds");
        }
        None
    }
}

/// What the device is given.
pub struct Lease {
    mac: [u8; 6],
    address: Ipv4Addr,
    server: Ipv4Addr,
    mask: Ipv4Addr,
    seconds: u32,
    dns: bool,
    ntp: bool,
}

impl Lease {
    /// `None`: the plan gives no addresses.
    pub fn of(plan: &Plan) -> Option<Self> {
        let dhcp = plan.dhcp.as_ref()?;
        let (Some(IpAddr::V4(address)), IpAddr::V4(server)) = (plan.device.first().copied(), plan.address) else {
            return None;
        };
        let mask = u32::MAX.checked_shl(32 - u32::from(dhcp.prefix)).unwrap_or_default();
        Some(Self {
            mac: dhcp.hardware()?,
            address,
            server,
            mask: mask.into(),
            seconds: dhcp.lease_seconds,
            // DHCP names no ports.
            dns: plan.dns.as_ref().is_some_and(|d| d.port == 53),
            ntp: plan.ntp.as_ref().is_some_and(|n| n.port == 123),
        })
    }

    /// The answer, and of which kind it is. `None`: it is not the device's, or nothing that a server answers.
    fn answer(&self, asked: &Message) -> Option<(MessageType, Message)> {
        if asked.opcode() != Opcode::BootRequest || asked.chaddr() != self.mac {
            return None;
        }
        let given = |code| match asked.opts().get(code) {
            Some(DhcpOption::RequestedIpAddress(a) | DhcpOption::ServerIdentifier(a)) => Some(*a),
            _ => None,
        };
        let elsewhere = given(OptionCode::ServerIdentifier).is_some_and(|s| s != self.server);
        let wanted = given(OptionCode::RequestedIpAddress).unwrap_or(asked.ciaddr());
        let kind = match asked.opts().msg_type()? {
            MessageType::Discover => MessageType::Offer,
            MessageType::Request if elsewhere => return None,
            MessageType::Request if wanted == self.address => MessageType::Ack,
            MessageType::Request => MessageType::Nak,
            MessageType::Inform => MessageType::Ack,
            _ => return None,
        };
        let leased = kind != MessageType::Nak && asked.opts().msg_type() != Some(MessageType::Inform);
        let address = if leased { self.address } else { Ipv4Addr::UNSPECIFIED };
        let none = Ipv4Addr::UNSPECIFIED;
        let mut out = Message::new_with_id(asked.xid(), asked.ciaddr(), address, none, asked.giaddr(), &self.mac);
        out.set_opcode(Opcode::BootReply).set_flags(asked.flags());
        let opts = out.opts_mut();
        opts.insert(DhcpOption::MessageType(kind));
        opts.insert(DhcpOption::ServerIdentifier(self.server));
        if kind == MessageType::Nak {
            return Some((kind, out));
        }
        if leased {
            opts.insert(DhcpOption::AddressLeaseTime(self.seconds));
        }
        opts.insert(DhcpOption::SubnetMask(self.mask));
        opts.insert(DhcpOption::Router(vec![self.server]));
        if self.dns {
            opts.insert(DhcpOption::DomainNameServer(vec![self.server]));
        }
        if self.ntp {
            opts.insert(DhcpOption::NtpServers(vec![self.server]));
        }
        Some((kind, out))
    }
}

/// On the plan's interface alone.
pub async fn bind(dhcp: &Dhcp) -> std::io::Result<UdpSocket> {
    let socket = UdpSocket::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT))).await?;
    socket.bind_device(Some(dhcp.interface.as_bytes()))?;
    socket.set_broadcast(true)?;
    Ok(socket)
}

pub async fn serve(socket: UdpSocket, lease: Lease, stage: Arc<Stage>) {
    let mut buffer = [0u8; 1500];
    loop {
        let Ok((length, _)) = socket.recv_from(&mut buffer).await else { continue };
        let Some(asked) = read(buffer.get(..length).unwrap_or_default()) else { continue };
        let Some((kind, answer)) = lease.answer(&asked) else { continue };
        let Ok(bytes) = answer.to_vec() else { continue };
        // It has no address yet, or may be about to get another.
        let _ = socket.send_to(&bytes, (Ipv4Addr::BROADCAST, CLIENT)).await;
        let (name, class) = (text(&asked, OptionCode::Hostname), text(&asked, OptionCode::ClassIdentifier));
        let wants_time = matches!(
            asked.opts().get(OptionCode::ParameterRequestList),
            Some(DhcpOption::ParameterRequestList(all)) if all.contains(&OptionCode::NtpServers)
        );
        let answer = clean(&format!("{kind:?}").to_lowercase(), 16);
        stage.tell(Event::Lease { from: lease.address.into(), answer, name, class, wants_time });
    }
}

fn read(bytes: &[u8]) -> Option<Message> {
    Message::decode(&mut Decoder::new(bytes)).ok()
}

/// What the device says of itself.
fn text(asked: &Message, code: OptionCode) -> String {
    match asked.opts().get(code) {
        Some(DhcpOption::Hostname(name)) => clean(name, 64),
        Some(DhcpOption::ClassIdentifier(class)) => clean(&String::from_utf8_lossy(class), 64),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lease() -> Lease {
        Lease {
            mac: [2, 0, 0, 0, 0, 7],
            address: [192, 0, 2, 20].into(),
            server: [192, 0, 2, 1].into(),
            mask: [255, 255, 255, 0].into(),
            seconds: 3600,
            dns: true,
            ntp: false,
        }
    }

    fn asked(mac: [u8; 6], kind: MessageType, wanted: Option<Ipv4Addr>) -> Message {
        let none = Ipv4Addr::UNSPECIFIED;
        let mut message = Message::new_with_id(7, none, none, none, none, &mac);
        message.opts_mut().insert(DhcpOption::MessageType(kind));
        wanted.map(|w| message.opts_mut().insert(DhcpOption::RequestedIpAddress(w)));
        message
    }

    #[test]
    fn the_device_gets_its_address_another_address_is_refused_and_a_stranger_hears_nothing() {
        let own = [2, 0, 0, 0, 0, 7];
        let kind = |m: &Message| lease().answer(m).map(|a| a.0);
        assert_eq!(kind(&asked(own, MessageType::Discover, None)), Some(MessageType::Offer));
        assert_eq!(kind(&asked(own, MessageType::Request, Some([192, 0, 2, 20].into()))), Some(MessageType::Ack));
        assert_eq!(kind(&asked(own, MessageType::Request, Some([192, 0, 2, 21].into()))), Some(MessageType::Nak));
        assert_eq!(kind(&asked([2, 0, 0, 0, 0, 8], MessageType::Discover, None)), None);
        assert_eq!(kind(&asked(own, MessageType::Release, None)), None);
        let mut other = asked(own, MessageType::Request, Some([192, 0, 2, 20].into()));
        other.opts_mut().insert(DhcpOption::ServerIdentifier([192, 0, 2, 9].into()));
        assert_eq!(kind(&other), None, "it took another server's offer");
        let (_, offer) = lease().answer(&asked(own, MessageType::Discover, None)).unwrap();
        assert_eq!(offer.yiaddr(), Ipv4Addr::from([192, 0, 2, 20]));
        assert!(offer.opts().get(OptionCode::DomainNameServer).is_some());
        assert!(offer.opts().get(OptionCode::NtpServers).is_none(), "the time is served on another port");
    }

    proptest! {
        #[test]
        fn nothing_that_is_asked_brings_it_down(bytes: Vec<u8>) {
            if let Some(message) = read(&bytes) {
                let _ = lease().answer(&message).map(|a| a.1.to_vec());
            }
        }
    }
}
