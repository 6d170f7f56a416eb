//! `plan`: what a scan would do, in order, without sending anything.
use super::{Done, Exit, args::ScanArgs, output, scan};
use patuh::{
    model::{
        Scope,
        scope::{Pace, ranges},
    },
    scan::{
        Probe,
        probe::{MOST_GUESSES, default_udp_ports},
    },
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
            .map(|x| serde_json::json!({"probe": x.id, "title": x.title, "touch": x.touch, "runs": runs(x, &p.scope)}))
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
            "guessing" => guesses(&p.scope),
            "malformed-input" => malformed(&p.scope),
            _ => String::new(),
        };
        let allowed = if runs(probe, &p.scope) { "" } else { "  NOT RUN: more intrusive than the scope allows" };
        let _ = writeln!(out, "{:>2}. {:<18} {:<34} {note}{allowed}", n + 1, probe.id, probe.title);
    }
    let _ = writeln!(out, "about {seconds} s when the device answers at once and has few services; nothing was sent");
    output::result(&out)?;
    Ok(Exit::Passed)
}

/// Guessing and wrong input need grants of their own.
fn runs(probe: &Probe, scope: &Scope) -> bool {
    let granted = match probe.id {
        "guessing" => scope.guessing.is_some(),
        "malformed-input" => scope.malformed.is_some(),
        _ => true,
    };
    probe.touch <= scope.most && granted
}

/// What wrong input would cost.
fn malformed(scope: &Scope) -> String {
    let Some(grant) = &scope.malformed else { return "the scope file has no [malformed]".to_owned() };
    let (hold, recovery) = (grant.hold_seconds, grant.recovery_seconds);
    format!("may crash services; holds connections for {hold} s, waits up to {recovery} s for recovery")
}

/// What guessing would cost whom.
fn guesses(scope: &Scope) -> String {
    let Some(grant) = &scope.guessing else { return "the scope file has no [guessing]".to_owned() };
    let whose = grant.account.as_deref().unwrap_or("a name that is made up");
    let (most, wait) = (MOST_GUESSES, grant.wait_seconds);
    format!("at most {most} wrong log-ins per way for {whose}; waits up to {wait} s for recovery")
}
