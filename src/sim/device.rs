//! A device as a person writes it: identity, services, faults and the verdicts one expects.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::SimError;
use super::health::Death;
use super::service::{
    Service, coap, cwmp, dns, dtls, ftp, http, mdns, mqtt, natpmp, ntp, oldtls, raw, redis, rsync, rtsp, smp, snmp,
    ssdp, ssh, telnet, tftp,
};

/// A simulated device, ready to be started.
#[derive(Debug, Clone)]
pub struct Device {
    pub name: String,
    pub title: String,
    pub twin: Twin,
    /// Name of the other twin, where there is one.
    pub pair: Option<String>,
    pub identity: Identity,
    pub faults: Faults,
    pub services: Vec<Service>,
    /// What its owner gives to those who look at it.
    pub accounts: Vec<Supplied>,
    /// Check id to the verdict that this device ought to earn. The simulation does not interpret it.
    pub expect: BTreeMap<String, String>,
}

/// Whether the device is meant to fail or to comply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Twin {
    Good,
    Bad,
}

/// An account whose password its owner tells. The simulation does not interpret it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Supplied {
    pub user: String,
    pub password: String,
    pub role: String,
}

/// What the type plate says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    pub manufacturer: String,
    pub model: String,
    pub hardware: String,
    pub firmware: String,
    pub serial: String,
}

/// Weaknesses of the whole device, not of one service.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    /// At most this many TCP connections at a time; further ones are reset.
    pub sockets: Option<u32>,
    /// New TCP connections per second above which further ones are reset.
    pub rate: Option<u32>,
    /// New TCP connections per second above which the device is gone for three seconds.
    pub flood_reboot: Option<u32>,
    /// Every so many TCP connections, one gets no answer.
    pub deaf_every: Option<u64>,
    /// Input that its services do not survive.
    #[serde(default)]
    pub dies: Vec<Death>,
}

impl Device {
    /// Reads a device file. `origin` is the name to show in messages.
    ///
    /// # Errors
    /// [`SimError::File`] with line and key where the text is no device, [`SimError::Device`] where it contradicts itself.
    pub fn parse(text: &str, origin: &str) -> Result<Self, SimError> {
        let file: File = toml::from_str(text).map_err(|error| file_error(text, origin, &error))?;
        let device = file.into_device();
        check(&device, origin)?;
        Ok(device)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    title: String,
    twin: Twin,
    pair: Option<String>,
    identity: Identity,
    #[serde(default)]
    faults: Faults,
    #[serde(default)]
    accounts: Vec<Supplied>,
    #[serde(default)]
    expect: BTreeMap<String, String>,
    #[serde(default)]
    http: Vec<http::Http>,
    #[serde(default)]
    telnet: Vec<telnet::Telnet>,
    #[serde(default)]
    ftp: Vec<ftp::Ftp>,
    #[serde(default)]
    ssh: Vec<ssh::Ssh>,
    #[serde(default)]
    mqtt: Vec<mqtt::Mqtt>,
    #[serde(default)]
    coap: Vec<coap::Coap>,
    #[serde(default)]
    coaps: Vec<dtls::Coaps>,
    #[serde(default)]
    rtsp: Vec<rtsp::Rtsp>,
    #[serde(default)]
    rsync: Vec<rsync::Rsync>,
    #[serde(default)]
    dns: Vec<dns::Dns>,
    #[serde(default)]
    mdns: Vec<mdns::Mdns>,
    #[serde(default)]
    snmp: Vec<snmp::Snmp>,
    #[serde(default)]
    ssdp: Vec<ssdp::Ssdp>,
    #[serde(default)]
    cwmp: Vec<cwmp::Cwmp>,
    #[serde(default)]
    natpmp: Vec<natpmp::Natpmp>,
    #[serde(default)]
    smp: Vec<smp::Smp>,
    #[serde(default)]
    ntp: Vec<ntp::Ntp>,
    #[serde(default)]
    oldtls: Vec<oldtls::OldTls>,
    #[serde(default)]
    raw: Vec<raw::Raw>,
    #[serde(default)]
    redis: Vec<redis::Redis>,
    #[serde(default)]
    tftp: Vec<tftp::Tftp>,
    #[serde(default)]
    tarpit: Vec<raw::Tarpit>,
}

impl File {
    fn into_device(self) -> Device {
        let mut services = Vec::new();
        services.extend(self.http.into_iter().map(|spec| Service::Http(Box::new(spec))));
        services.extend(self.telnet.into_iter().map(Service::Telnet));
        services.extend(self.ftp.into_iter().map(Service::Ftp));
        services.extend(self.ssh.into_iter().map(Service::Ssh));
        services.extend(self.mqtt.into_iter().map(|spec| Service::Mqtt(Box::new(spec))));
        services.extend(self.coap.into_iter().map(Service::Coap));
        services.extend(self.coaps.into_iter().map(Service::Coaps));
        services.extend(self.rsync.into_iter().map(Service::Rsync));
        services.extend(self.rtsp.into_iter().map(Service::Rtsp));
        services.extend(self.dns.into_iter().map(Service::Dns));
        services.extend(self.mdns.into_iter().map(Service::Mdns));
        services.extend(self.snmp.into_iter().map(Service::Snmp));
        services.extend(self.ssdp.into_iter().map(Service::Ssdp));
        services.extend(self.cwmp.into_iter().map(Service::Cwmp));
        services.extend(self.natpmp.into_iter().map(Service::Natpmp));
        services.extend(self.smp.into_iter().map(Service::Smp));
        services.extend(self.ntp.into_iter().map(Service::Ntp));
        services.extend(self.oldtls.into_iter().map(Service::OldTls));
        services.extend(self.raw.into_iter().map(Service::Raw));
        services.extend(self.redis.into_iter().map(Service::Redis));
        services.extend(self.tftp.into_iter().map(Service::Tftp));
        services.extend(self.tarpit.into_iter().map(Service::Tarpit));
        Device {
            name: self.name,
            title: self.title,
            twin: self.twin,
            pair: self.pair,
            identity: self.identity,
            faults: self.faults,
            services,
            accounts: self.accounts,
            expect: self.expect,
        }
    }
}

fn check(device: &Device, origin: &str) -> Result<(), SimError> {
    const VERDICTS: [&str; 4] = ["PASS", "FAIL", "INCONCLUSIVE", "NOT_APPLICABLE"];
    let complain =
        |key: String, problem: &str| SimError::Device { origin: origin.to_owned(), key, problem: problem.to_owned() };
    if device.services.is_empty() {
        return Err(complain("services".into(), "a device needs at least one service"));
    }
    for (id, verdict) in &device.expect {
        if !VERDICTS.contains(&verdict.as_str()) {
            return Err(complain(format!("expect.{id}"), "say PASS, FAIL, INCONCLUSIVE or NOT_APPLICABLE"));
        }
    }
    for service in &device.services {
        service.check().map_err(|problem| complain(service.label(), problem))?;
    }
    Ok(())
}

pub(super) fn file_error(text: &str, origin: &str, error: &toml::de::Error) -> SimError {
    let at = error.span().map_or(0, |span| span.start);
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let key = text.lines().nth(line - 1).and_then(|line| line.split('=').next()).unwrap_or_default().trim();
    let problem = error.message().lines().collect::<Vec<_>>().join(" ");
    SimError::File { origin: origin.to_owned(), line, key: key.to_owned(), problem }
}
