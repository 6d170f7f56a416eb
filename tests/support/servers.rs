//! Servers on loopback addresses of their own, started and stopped by the tests.
use crate::scans::not_run;
use std::{
    io::{Read, Seek},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A server that is stopped by its process id when the test ends.
pub struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // The whole group: some servers fork.
        let _ = Command::new("kill").args(["--", &format!("-{}", self.0.id())]).stderr(Stdio::null()).status();
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// Starts a program and waits until `ready` accepts a connection, or for a UDP server until it is bound.
    pub fn start(program: &str, args: &[&str], ready: Ready) -> Self {
        use std::os::unix::process::CommandExt;
        let mut log = tempfile::tempfile().unwrap();
        let child = Command::new(program)
            .args(args)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log.try_clone().unwrap())
            .spawn()
            .unwrap_or_else(|e| panic!("{program}: {e}"));
        let mut server = Self(child);
        let started = Instant::now();
        while !ready.holds() {
            if let Some(status) = server.0.try_wait().unwrap() {
                let mut said = String::new();
                log.rewind().unwrap();
                log.read_to_string(&mut said).unwrap();
                panic!("{program} ended with {status}: {said}");
            }
            assert!(started.elapsed() < Duration::from_secs(15), "{program} is not ready");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }
}

pub enum Ready {
    Tcp(SocketAddr),
    Udp(SocketAddr),
}

impl Ready {
    fn holds(&self) -> bool {
        match self {
            Self::Tcp(a) => TcpStream::connect_timeout(a, Duration::from_millis(200)).is_ok(),
            // Somebody is bound there as soon as we no longer can be.
            Self::Udp(a) => std::net::UdpSocket::bind(a).is_err(),
        }
    }
}

pub fn tcp(address: &str) -> Ready {
    Ready::Tcp(address.parse().unwrap())
}

pub fn udp(address: &str) -> Ready {
    Ready::Udp(address.parse().unwrap())
}

/// Where a program is. Missing, it is named, and in CI that is a failure.
pub fn program(name: &str) -> Option<String> {
    let dirs = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let found = dirs.split(':').map(|d| Path::new(d).join(name)).find(|p| p.is_file());
    if found.is_none() {
        not_run(&format!("`{name}` is not installed"));
    }
    found.map(|p| p.display().to_string())
}
