//! What a laboratory saw, in words.
use super::{list, some};
use crate::model::observation::{
    lab::{ClockMove, ImageTrial, IsolationPhase, Met, PULL, Package, Prompted, Visit},
    outage::Outage,
};

pub fn visit(v: &Visit) -> String {
    let shown = v.case.words();
    let met = match &v.tls {
        None => format!("came over plain HTTP (while shown {shown})"),
        Some(tls) => {
            let name = tls.name.as_deref().unwrap_or("no name");
            let offered = list(tls.offered.iter().map(|o| o.word()));
            format!("asked for {name} offering TLS {}, was shown {shown}: {}", some(&offered), tls.end.words())
        }
    };
    match &v.request {
        None => met,
        Some(r) => format!("{met}; {} {}{}: {}, {} of {} bytes", r.method, r.host, r.path, r.status, r.sent, r.of),
    }
}

pub fn time(off_s: i64) -> String {
    match off_s {
        0 => "asked for the time, and was told the right one".to_owned(),
        off => format!("asked for the time, and was told one that is {off} s off"),
    }
}

pub fn moved(m: &ClockMove) -> String {
    let met = |met| match met {
        Met::NoOne => "did not come",
        Met::Refused => "came and asked for nothing",
        Met::Believed => "came and asked",
    };
    format!(
        "told {} ({} s off) {} times: it {}; told the right time again {} times: it {}",
        m.told.words(),
        m.off_s,
        m.asked,
        met(m.met),
        m.asked_after,
        met(m.met_after)
    )
}

pub fn watched(ms: u64, polls: &[u64], set_up: Option<&str>) -> String {
    let set_up = set_up.map(|s| format!("; set up with {s}")).unwrap_or_default();
    format!("looked for updates {} times in {} s{set_up}", polls.len(), ms / 1000)
}

pub fn isolation(i: &IsolationPhase) -> String {
    let works = if i.works { "it worked" } else { "it did not work" };
    format!("{}, in {} s: heard {} times, {works}", i.phase.words(), i.watched_ms / 1000, i.heard)
}

pub fn outage(o: &Outage) -> String {
    let back = match o.back_ms {
        Some(ms) => format!("as before after {:.1} s", std::time::Duration::from_millis(ms).as_secs_f64()),
        None => format!("not as before in {} s", o.waited_ms / 1000),
    };
    let worked = o.asked.iter().filter(|a| a.works).count();
    let attempts = match o.attempts.len() {
        0 => String::new(),
        n => format!("{n} attempts to connect, "),
    };
    format!(
        "{} for {} s (round {}): heard {} times, {attempts}local functions worked {worked} of {} times; {back}",
        o.cut.words(),
        o.away_ms / 1000,
        o.round,
        o.heard,
        o.asked.len()
    )
}

pub fn trial(t: &ImageTrial) -> String {
    let ran = |v: &Option<String>| v.clone().unwrap_or_else(|| "an unreadable version".to_owned());
    let seen = list(t.seen.iter());
    let prompted = match t.prompted {
        Prompted::Unknown => "",
        Prompted::Nobody => " and nobody made it look",
        Prompted::Trigger => " and was made to look",
    };
    let prompted = match t.delivery.as_str() {
        PULL => prompted.to_owned(),
        by => format!(" by {by} ({})", t.answer.as_deref().unwrap_or("no answer")),
    };
    format!(
        "was offered {} ({}){prompted}, took {} of {} bytes; ran {} before, {} afterwards (seen: {})",
        t.case.words(),
        t.version,
        t.fetched,
        t.bytes,
        ran(&t.before),
        ran(&t.after),
        some(&seen)
    )
}

pub fn package(p: &Package) -> String {
    let signatures = list(p.signatures.iter().map(|s| format!("{} {} {}", s.place, s.scheme, s.state)));
    let weak = list(p.weak.iter().map(|w| &w.1));
    format!("{} package; signatures: {}; weak: {}", p.format, some(&signatures), some(&weak))
}
