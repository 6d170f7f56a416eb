//! `plan`: what a scan would do, in order, without sending anything.
use super::{Done, Exit, args::ScanArgs, output, scan};
use patuh::{
    model::scope::{Pace, ranges},
    scan::probe::default_udp_ports,
};
use std::fmt::Write;

pub async fn run(a: ScanArgs) -> Done {
    let json = a.json;
    let p = scan::prepare(&a).await?;
    let udp = p.scope.ports.udp.clone().unwrap_or_else(default_udp_ports);
    // Connections a second that each pace reaches on a host that answers at once.
    let rate = match p.scope.pace {
        Pace::Gentle => 200,
        Pace::Adaptive => 20_000,
        Pace::Fast => 60_000,
    };
    let seconds = p.scope.ports.tcp.len() / rate + udp.len() * 2;
    if json {
        let steps: Vec<_> = p
            .probes
            .iter()
            .map(|x| serde_json::json!({"probe": x.id, "title": x.title, "touch": x.touch, "runs": x.touch <= p.scope.most}))
            .collect();
        let plan = serde_json::json!({"schema": "plan/1", "hosts": p.target.hosts(), "tcp_ports": p.scope.ports.tcp.len(),
            "udp_ports": udp, "credentials": p.scope.credentials, "pace": p.scope.pace, "steps": steps, "about_seconds": seconds});
        output::result(&(serde_json::to_string_pretty(&plan).unwrap_or_default() + "\n"))?;
        return Ok(Exit::Passed);
    }
    let mut out = String::new();
    for (name, _, used) in &p.target.addresses {
        let _ = writeln!(out, "target {name} at {used}; authorised by {}", p.scope.authorised_by);
    }
    for (n, probe) in p.probes.iter().enumerate() {
        let note = match probe.id {
            "tcp-ports" => format!("{} ports", p.scope.ports.tcp.len()),
            "udp-services" => format!("{} ports: {}", udp.len(), ranges(&udp)),
            "logins" => format!(
                "at most {} failed attempts per account, {} per service",
                p.scope.credentials.per_account, p.scope.credentials.per_service
            ),
            _ => String::new(),
        };
        let allowed = if probe.touch <= p.scope.most { "" } else { "  NOT RUN: more intrusive than the scope allows" };
        let _ = writeln!(out, "{:>2}. {:<18} {:<34} {note}{allowed}", n + 1, probe.id, probe.title);
    }
    let _ = writeln!(out, "about {seconds} s when the device answers at once and has few services; nothing was sent");
    output::result(&out)?;
    Ok(Exit::Passed)
}
