//! `doctor`: what this machine allows, and what that costs.
use super::{Done, Exit, output};
use std::{fmt::Write, net::TcpListener};

pub fn run() -> Done {
    let mut out = String::new();
    let mut line = |what: &str, good: bool, cost: &str| {
        let _ = writeln!(out, "{:<28} {}", what, if good { "yes".to_owned() } else { format!("no: {cost}") });
    };
    let low = bind_low();
    line("may bind ports below 1024", low, "simulated devices use shifted ports (demo does it by itself)");
    let files = rlimit::increase_nofile_limit(8192).unwrap_or(0);
    line("thousands of open files", files >= 4096, "wide sweeps go slower");
    let arp = std::path::Path::new("/proc/net/arp").exists();
    line("neighbour table", arp, "the MAC address of a device is not recorded");
    let keygen = found("ssh-keygen");
    line("ssh-keygen", keygen, "signatures cannot be checked with stock tools here");
    line("raw sockets needed", false, "nothing needs them; every sweep uses ordinary connections");
    let _ = writeln!(out, "{:<28} {}", "clock (UTC)", patuh::scan::clock::now());
    output::result(&out)?;
    Ok(Exit::Passed)
}

fn bind_low() -> bool {
    TcpListener::bind(("127.0.99.99", 81)).is_ok()
}

fn found(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|p| std::env::split_paths(&p).any(|d| d.join(program).is_file()))
}
