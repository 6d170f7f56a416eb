//! The services of a device: each is data that knows how to come up and speak its protocol.

pub mod coap;
pub mod cwmp;
pub mod dns;
pub mod dtls;
pub mod ftp;
mod hello;
pub mod http;
pub mod mdns;
pub mod mqtt;
pub mod natpmp;
pub mod ntp;
pub mod oldtls;
pub mod raw;
pub mod redis;
pub mod rsync;
pub mod rtsp;
pub mod smp;
pub mod snmp;
pub mod ssdp;
pub mod ssh;
pub mod telnet;
pub mod tftp;
pub mod tls;

use super::SimError;
use super::listen::Raising;

/// One service of a device.
#[derive(Debug, Clone)]
pub enum Service {
    Http(Box<http::Http>),
    Telnet(telnet::Telnet),
    Tftp(tftp::Tftp),
    Ftp(ftp::Ftp),
    Ssh(ssh::Ssh),
    Mqtt(Box<mqtt::Mqtt>),
    Coap(coap::Coap),
    Coaps(dtls::Coaps),
    Rsync(rsync::Rsync),
    Rtsp(rtsp::Rtsp),
    Dns(dns::Dns),
    Mdns(mdns::Mdns),
    Smp(smp::Smp),
    Snmp(snmp::Snmp),
    Ssdp(ssdp::Ssdp),
    Cwmp(cwmp::Cwmp),
    Natpmp(natpmp::Natpmp),
    Ntp(ntp::Ntp),
    OldTls(oldtls::OldTls),
    Raw(raw::Raw),
    Redis(redis::Redis),
    Tarpit(raw::Tarpit),
}

impl Service {
    /// Protocol and port as in the device file, such as `telnet:2323`.
    pub fn label(&self) -> String {
        let (protocol, port) = match self {
            Self::Http(spec) => ("http", spec.port),
            Self::Telnet(spec) => ("telnet", spec.port),
            Self::Ftp(spec) => ("ftp", spec.port),
            Self::Ssh(spec) => ("ssh", spec.port),
            Self::Mqtt(spec) => ("mqtt", spec.port),
            Self::Coap(spec) => ("coap", spec.port),
            Self::Coaps(spec) => ("coaps", spec.port),
            Self::Rsync(spec) => ("rsync", spec.port),
            Self::Rtsp(spec) => ("rtsp", spec.port),
            Self::Dns(spec) => ("dns", spec.port),
            Self::Mdns(spec) => ("mdns", spec.port),
            Self::Smp(spec) => ("smp", spec.port),
            Self::Snmp(spec) => ("snmp", spec.port),
            Self::Ssdp(spec) => ("ssdp", spec.port),
            Self::Cwmp(spec) => ("cwmp", spec.port),
            Self::Natpmp(spec) => ("natpmp", spec.port),
            Self::Ntp(spec) => ("ntp", spec.port),
            Self::OldTls(spec) => ("oldtls", spec.port),
            Self::Raw(spec) => ("raw", spec.port),
            Self::Redis(spec) => ("redis", spec.port),
            Self::Tftp(spec) => ("tftp", spec.port),
            Self::Tarpit(spec) => ("tarpit", spec.first),
        };
        format!("{protocol}:{port}")
    }

    /// What the form of the file cannot rule out.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        match self {
            Self::Http(spec) => spec.check(),
            Self::Tarpit(spec) => spec.check(),
            Self::Coap(spec) => spec.check(),
            Self::Telnet(_)
            | Self::Ftp(_)
            | Self::Ssh(_)
            | Self::Mqtt(_)
            | Self::Coaps(_)
            | Self::Rsync(_)
            | Self::Rtsp(_)
            | Self::Dns(_)
            | Self::Mdns(_)
            | Self::Smp(_)
            | Self::Snmp(_)
            | Self::Ssdp(_)
            | Self::Cwmp(_)
            | Self::Natpmp(_)
            | Self::Ntp(_)
            | Self::OldTls(_)
            | Self::Raw(_)
            | Self::Redis(_)
            | Self::Tftp(_) => Ok(()),
        }
    }

    pub(super) async fn raise(&self, raising: &mut Raising) -> Result<(), SimError> {
        let label = self.label();
        match self {
            Self::Http(spec) => spec.raise(&label, raising),
            Self::Telnet(spec) => spec.raise(&label, raising),
            Self::Ftp(spec) => spec.raise(&label, raising),
            Self::Ssh(spec) => spec.raise(&label, raising),
            Self::Mqtt(spec) => spec.raise(&label, raising),
            Self::Coap(spec) => spec.raise(raising).await,
            Self::Coaps(spec) => spec.raise(raising).await,
            Self::Rsync(spec) => spec.raise(raising),
            Self::Rtsp(spec) => spec.raise(&label, raising),
            Self::Dns(spec) => spec.raise(raising).await,
            Self::Mdns(spec) => spec.raise(raising).await,
            Self::Smp(spec) => spec.raise(raising).await,
            Self::Snmp(spec) => spec.raise(raising).await,
            Self::Ssdp(spec) => spec.raise(raising).await,
            Self::Cwmp(spec) => spec.raise(&label, raising),
            Self::Natpmp(spec) => spec.raise(raising).await,
            Self::Ntp(spec) => spec.raise(raising).await,
            Self::OldTls(spec) => spec.raise(&label, raising),
            Self::Raw(spec) => spec.raise(raising),
            Self::Redis(spec) => spec.raise(&label, raising),
            Self::Tftp(spec) => spec.raise(raising).await,
            Self::Tarpit(spec) => spec.raise(raising),
        }
    }
}
