//! What can go wrong with a simulated device: its file, or the sockets it needs.

use std::io;
use std::net::IpAddr;

use thiserror::Error;

use super::Transport;

/// The user's device file is wrong, or the machine cannot play it.
#[derive(Debug, Error)]
pub enum SimError {
    /// The file is not a device; `line` counts from 1.
    #[error("`{origin}` line {line}, key `{key}`: {problem}")]
    File { origin: String, line: usize, key: String, problem: String },
    /// The file reads well but asks for something that cannot be.
    #[error("`{origin}`, key `{key}`: {problem}")]
    Device { origin: String, key: String, problem: String },
    /// Somebody else, or another service of this device, has the port.
    #[error("{transport} port {port} is already in use on {host}: choose another host or shift the ports")]
    PortInUse { transport: Transport, host: IpAddr, port: u16 },
    /// The operating system keeps this port for privileged users.
    #[error(
        "{transport} port {port} on {host} needs privilege: shift the low ports or run with the right to bind them"
    )]
    PortNeedsPrivilege { transport: Transport, host: IpAddr, port: u16 },
    /// Any other refusal of the operating system.
    #[error("cannot listen on {transport} port {port} of {host}: {source}")]
    Listen { transport: Transport, host: IpAddr, port: u16, source: io::Error },
    /// A port plus the shift is above 65535.
    #[error("port {port} cannot be shifted by {by}")]
    PortOutOfRange { port: u16, by: u16 },
    /// A certificate or key could not be made.
    #[error("service `{service}` cannot start: {problem}")]
    Setup { service: String, problem: String },
}

impl SimError {
    pub(super) fn listen(transport: Transport, host: IpAddr, port: u16, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::PortInUse { transport, host, port },
            io::ErrorKind::PermissionDenied => Self::PortNeedsPrivilege { transport, host, port },
            _ => Self::Listen { transport, host, port, source },
        }
    }
}
