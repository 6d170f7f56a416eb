//! What a capture shows, in words.
use super::{list, some};
use crate::model::observation::capture::{
    Announced, Asked, Capture, Cited, ClearSecret, Destination, Hello, NamedBy, Opened, Place, Questions,
};
use std::collections::BTreeSet;

pub fn capture(c: &Capture) -> String {
    let dropped = c.dropped.map_or("what was dropped is not known".to_owned(), |n| format!("{n} dropped"));
    let filters =
        if c.filters.is_empty() { String::new() } else { format!(", filtered by {}", c.filters.join(" and ")) };
    let d = &c.device;
    let hours = d.spans.iter().map(|s| s.to.saturating_sub(s.from)).sum::<u64>() / 3600;
    let unread: Vec<String> = c.unread.iter().map(|(why, n)| format!("{n} {}", why.words())).collect();
    let macs = some(&d.macs.join(", ")).to_owned();
    format!(
        "{} ({} bytes, sha256 {}): {} packets, {dropped}{filters}; the device ({macs}; {}) sent {} and received {}, outside {} and {}, \
         over {hours} hours; not looked at: {}; {} secrets searched for",
        c.name,
        c.bytes,
        c.sha256.hex(),
        c.packets,
        list(d.addresses.iter()),
        d.sent,
        d.received,
        d.sent_outside,
        d.received_outside,
        some(&unread.join(", ")),
        c.searched
    )
}

pub fn destination(d: &Destination) -> String {
    let named = match d.named_by {
        NamedBy::Itself => " (as it says itself)",
        NamedBy::Dns => " (by answers of name servers)",
        NamedBy::Nothing => "",
    };
    format!(
        "{} {}: {}{named}; {}, {} connections, {} answered, {} bytes sent, {} received; {}",
        d.protocol.word(),
        place(d.place),
        some(&d.names.join(", ")),
        opened(d.opened),
        d.connections,
        d.answered,
        d.sent,
        d.received,
        packets(&d.seen)
    )
}

pub fn announced(a: &Announced) -> String {
    format!("asking for an address, {} times, it says its {} `{}`; {}", a.times, a.option, a.value, packets(&a.seen))
}

pub fn hello(h: &Hello) -> String {
    let offered: Vec<&str> = h.offered.iter().map(|v| v.word()).collect();
    let agreed: Vec<String> = h.agreed.iter().map(|(v, suite)| format!("{} with {suite}", v.word())).collect();
    format!(
        "hello for {}: TLS {}; suites {}; groups {}; JA4 {}; agreed: {}; {} connections; {}",
        h.name.as_deref().unwrap_or("no name"),
        some(&offered.join(", ")),
        h.suites.join(", "),
        some(&h.groups.join(", ")),
        h.ja4,
        some(&agreed.join(", ")),
        h.connections,
        packets(&h.seen)
    )
}

pub fn asked(a: &Asked) -> String {
    format!(
        "asked for {} ({}) {} times: {} answered, {} times told that there is no such name; {}",
        a.name,
        a.records.join(", "),
        a.times,
        a.answered,
        a.nonexistent,
        packets(&a.seen)
    )
}

pub fn questions(q: &Questions) -> String {
    let distinct = |of: fn(&(u16, u16)) -> u16| q.sent.iter().map(of).collect::<BTreeSet<u16>>().len();
    format!(
        "{} questions from {} ports with {} transaction ids; {}",
        q.sent.len(),
        distinct(|s| s.0),
        distinct(|s| s.1),
        packets(&q.seen)
    )
}

pub fn secret(s: &ClearSecret) -> String {
    format!(
        "a secret in clear ({}, {}) over {}, {} times, {}; {}; {}",
        s.class,
        s.carrier,
        s.protocol.word(),
        s.times,
        place(s.place),
        opened(s.opened),
        packets(&s.seen)
    )
}

fn packets(seen: &Cited) -> String {
    let short: String = seen.capture.hex().chars().take(8).collect();
    format!("packets {} of capture {short}", list(seen.packets.iter()))
}

fn place(p: Place) -> &'static str {
    match p {
        Place::Outside => "outside",
        Place::Local => "in the local network",
        Place::Group => "to a group",
    }
}

fn opened(o: Opened) -> &'static str {
    match o {
        Opened::Device => "begun by the device",
        Opened::Peer => "begun by the other side",
        Opened::Unclear => "begun before the capture",
    }
}
