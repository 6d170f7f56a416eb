//! What the checks of captures ask in the same way: whether the device was watched long enough, from where its traffic can
//! be seen, and what the maker declares of the hosts that it talks to.
use crate::judge::{Decision, Evidence, Judgement, Known, Verdict};
use crate::model::{
    Gap, Observation, Record, Subject, Why,
    declarations::Entry,
    observation::capture::{Capture, Destination, Place, Protocol, Span, Unread},
};
use ipnet::IpNet;
use std::{collections::BTreeMap, net::IpAddr};

pub(super) const RUN: &str = "capture";
pub(super) const TABLE: &str = "x-egress";

/// What keeps a capture from showing that something did not happen, whatever is asked.
const ALWAYS: [Unread; 5] = [Unread::LinkType, Unread::Malformed, Unread::Fragment, Unread::Connections, Unread::Rows];
/// And where content is asked for.
pub(super) const CONTENT: [Unread; 3] = [Unread::Cut, Unread::Beyond, Unread::Hole];

pub(super) fn destination(record: &Record) -> Option<&Destination> {
    match &record.observation {
        Observation::Destination { destination } => Some(destination),
        _ => None,
    }
}

fn capture(record: &Record) -> Option<&Capture> {
    match &record.observation {
        Observation::Capture { capture } => Some(capture),
        _ => None,
    }
}

/// Every capture once, however often and under whatever name it was imported.
pub(super) fn captures<'a>(evidence: &Evidence<'a>) -> Vec<&'a Capture> {
    let all = evidence.known(RUN, capture);
    let by_digest: BTreeMap<_, _> = all.items().iter().map(|s| (&s.what.sha256, s.what)).collect();
    by_digest.into_values().collect()
}

/// Why nothing can be told from what is not in this capture.
pub(super) fn flaws(c: &Capture, content: &[Unread]) -> Vec<String> {
    let d = &c.device;
    let unread = c.unread.iter().filter(|(why, n)| **n > 0 && (ALWAYS.contains(why) || content.contains(why)));
    let mut all: Vec<String> = unread.map(|(why, n)| format!("{n} {} were not looked at", why.words())).collect();
    match c.dropped {
        Some(0) => {}
        Some(n) => all.push(format!("{n} packets were lost while capturing")),
        None => all.push("whether packets were lost while capturing is not known".to_owned()),
    }
    if !c.filters.is_empty() {
        all.push("it was filtered".to_owned());
    }
    if d.macs.is_empty() {
        all.push("the device is known by its addresses alone, and may have others".to_owned());
    }
    if d.sent_outside == 0 || d.received_outside == 0 {
        all.push("no traffic with an outside host is seen in both directions from where it was made".to_owned());
    }
    all
}

/// Seconds that spans cover together; what overlaps counts once.
pub(super) fn covered(mut spans: Vec<Span>) -> u64 {
    spans.sort_unstable();
    let (mut total, mut until) = (0, 0);
    for s in spans {
        let from = s.from.max(until);
        total += s.to.saturating_sub(from);
        until = until.max(s.to);
    }
    total
}

/// `decision`, but where it is a PASS or finds nothing to judge and the device was not watched for that many hours in
/// captures without a flaw: undecided.
pub(super) fn watched(decision: Decision, evidence: &Evidence<'_>, hours: u32, content: &[Unread]) -> Decision {
    let observed = match &decision {
        Decision::Judged(j) if j.verdict() != Verdict::Pass => return decision,
        Decision::Judged(j) => j.observed().join("; "),
        Decision::Absent { what, .. } => what.clone(),
    };
    let all = captures(evidence);
    let sound = all.iter().filter(|c| flaws(c, content).is_empty());
    let seconds = covered(sound.flat_map(|c| c.device.spans.iter().copied()).collect());
    let hours = u64::from(hours);
    if seconds > 0 && seconds >= hours * 3600 {
        return decision;
    }
    let told = all.iter().flat_map(|c| flaws(c, content).into_iter().map(|f| format!("{}: {f}", c.name))).take(6);
    let told: Vec<String> =
        [format!("the device was watched for {} of {hours} hours", seconds / 3600)].into_iter().chain(told).collect();
    undecided(&told.join("; "), observed)
}

pub(super) fn undecided(why: &str, observed: String) -> Decision {
    let gap = Gap { wanted: RUN.to_owned(), subject: None, why: Why::NotUnderstood(why.to_owned()) };
    Decision::Judged(Judgement::missing(gap, observed))
}

/// Hosts that the device spoke to by itself, or may have; what keeps a local network going is none.
pub(super) fn destinations<'a>(evidence: &Evidence<'a>) -> Known<&'a Destination> {
    use crate::model::observation::capture::Opened;
    let upkeep = |d: &Destination| match d.protocol {
        Protocol::Dns
        | Protocol::Mdns
        | Protocol::Llmnr
        | Protocol::Netbios
        | Protocol::Dhcp
        | Protocol::Ssdp
        | Protocol::Icmp
        | Protocol::Igmp => d.place == Place::Local,
        _ => false,
    };
    evidence.known(RUN, destination).only(|d| d.opened != Opened::Peer && d.place != Place::Group && !upkeep(d))
}

/// How a destination is called in a verdict.
pub(super) fn called(subject: &Subject, d: &Destination) -> String {
    let name = if d.names.is_empty() { String::new() } else { format!("{} ", d.names.join(" or ")) };
    format!("{name}({subject}, {})", d.protocol.word())
}

/// A host of table x-egress.
pub(super) struct Declared<'a> {
    host: &'a str,
    port: Option<i64>,
    protocol: &'a str,
}

/// What is declared of a destination.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Declared,
    /// The host is, and this port or protocol of it is not.
    Otherwise,
    /// Some of its names are.
    Partly,
    Undeclared,
    /// It shows no name, and its address is not declared.
    Nameless,
}

/// The declared hosts, and those of them that are so broad that they would excuse anything.
pub(super) fn declared<'a>(evidence: &Evidence<'a>) -> Option<(Vec<Declared<'a>>, Vec<&'a str>)> {
    let entries: Known<&'a Entry> = evidence.declared(TABLE)?;
    let all = entries.items().iter().map(|s| Declared {
        host: s.what.text("host"),
        port: s.what.number("port"),
        protocol: s.what.text("protocol"),
    });
    let (narrow, broad): (Vec<_>, Vec<_>) = all.partition(|d| is_narrow(d.host));
    Some((narrow, broad.into_iter().map(|d| d.host).collect()))
}

/// A name, all names of one organisation's domain (`*.example.com`), an address, or a network that is not vast.
fn is_narrow(host: &str) -> bool {
    if let Ok(net) = host.parse::<IpNet>() {
        return net.prefix_len() >= if net.addr().is_ipv4() { 16 } else { 32 };
    }
    match host.strip_prefix("*.") {
        Some(rest) => !rest.contains('*') && psl::domain_str(rest).is_some(),
        None => !host.is_empty() && !host.contains('*'),
    }
}

pub(super) fn standing(declared: &[Declared<'_>], subject: &Subject, d: &Destination) -> Standing {
    let address = match subject {
        Subject::Host(host) => Some(*host),
        Subject::Endpoint(e) => Some(e.host),
        Subject::Device | Subject::Domain(_) => None,
    };
    let of = |covers: &dyn Fn(&str) -> bool| {
        let hosts: Vec<&Declared<'_>> = declared.iter().filter(|x| covers(x.host)).collect();
        let port = subject.endpoint().map(|e| i64::from(e.port));
        let all = |x: &&Declared<'_>| x.port.is_none_or(|p| Some(p) == port) && speaks(x.protocol, d.protocol);
        match (hosts.is_empty(), hosts.iter().any(all)) {
            (true, _) => Standing::Undeclared,
            (false, true) => Standing::Declared,
            (false, false) => Standing::Otherwise,
        }
    };
    let by_address = of(&|host| address.is_some_and(|a| covers_address(host, a)));
    if by_address != Standing::Undeclared {
        return by_address;
    }
    let by_name: Vec<Standing> = d.names.iter().map(|n| of(&|host| covers_name(host, n, d.place))).collect();
    let known = by_name.iter().filter(|s| **s != Standing::Undeclared).count();
    match known {
        _ if by_name.is_empty() => Standing::Nameless,
        0 => Standing::Undeclared,
        n if n < by_name.len() => Standing::Partly,
        _ if by_name.contains(&Standing::Otherwise) => Standing::Otherwise,
        _ => Standing::Declared,
    }
}

fn covers_address(host: &str, address: IpAddr) -> bool {
    let one = host.parse::<IpAddr>().is_ok_and(|a| a == address);
    one || host.parse::<IpNet>().is_ok_and(|net| net.contains(&address))
}

/// Names of the local network say nothing of hosts outside.
fn covers_name(host: &str, name: &str, place: Place) -> bool {
    let host = host.to_ascii_lowercase();
    let here = ["local", "lan", "internal", "arpa"].contains(&host.rsplit('.').next().unwrap_or_default());
    if (here || !host.contains('.')) && place == Place::Outside {
        return false;
    }
    match host.strip_prefix("*.") {
        Some(rest) => name.strip_suffix(rest).is_some_and(|before| before.len() > 1 && before.ends_with('.')),
        None => host == name,
    }
}

/// Whether the word of a declaration means the protocol that was seen. No word leaves it open.
fn speaks(word: &str, seen: Protocol) -> bool {
    match word.to_ascii_lowercase().as_str() {
        "" => true,
        "https" | "mqtts" | "ftps" | "smtps" | "imaps" | "tls" | "wss" | "dot" | "doh" => {
            matches!(seen, Protocol::Tls | Protocol::Quic)
        }
        "coaps" | "dtls" => seen == Protocol::Dtls,
        "ws" => seen == Protocol::Http,
        other => other == seen.word(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_counts_once() {
        let span = |from, to| Span { from, to };
        assert_eq!(covered(vec![span(0, 10), span(5, 20), span(5, 7), span(30, 31)]), 21);
        assert_eq!(covered(vec![span(0, 10), span(0, 10)]), 10);
        assert_eq!(covered(Vec::new()), 0);
    }

    #[test]
    fn a_host_that_would_excuse_anything_is_too_broad() {
        for host in ["cloud.example.com", "*.example.com", "*.example.co.uk", "192.0.2.7", "192.0.2.0/24", "hub.local"]
        {
            assert!(is_narrow(host), "{host}");
        }
        for host in ["", "*", "*.com", "*.co.uk", "cloud.*", "0.0.0.0/0", "::/0", "10.0.0.0/8"] {
            assert!(!is_narrow(host), "{host}");
        }
    }

    #[test]
    fn a_local_name_covers_no_host_outside() {
        assert!(covers_name("hub.local", "hub.local", Place::Local));
        assert!(!covers_name("hub.local", "hub.local", Place::Outside));
        assert!(covers_name("*.Example.com", "a.b.example.com", Place::Outside));
        for name in ["example.com", "badexample.com", ".example.com"] {
            assert!(!covers_name("*.example.com", name, Place::Outside), "{name}");
        }
    }
}
