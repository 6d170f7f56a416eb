//! Suites, groups and signature schemes: offer all, take away what was chosen, and again until the server refuses.
use super::ask::{Asker, Over, Said, Until, kex};
use crate::model::{
    Observation, Sha256Digest, Why,
    observation::{
        TlsVersion,
        tls::{Chooser, TlsList},
    },
};
use crate::scan::codec::{
    tls_flight::{Extras, Flight, Hello, Kex},
    tls_names as names,
};
use std::collections::BTreeSet;

/// Suites in one hello. Old stacks cannot read long lists.
const AT_ONCE: usize = 64;

/// Groups of finite fields: offering one would hide which prime the server has of its own (RFC 7919).
fn curves() -> Vec<u16> {
    names::groups().into_iter().filter(|g| !(256..=260).contains(g)).collect()
}

/// A hello of `suites` with nothing else about it.
pub fn plain<'a>(version: TlsVersion, suites: &'a [u16], groups: &'a [u16], schemes: &'a [u16]) -> Hello<'a> {
    Hello { version, suites, groups, schemes, compressions: &[0], name: None, extras: Extras::None }
}

/// The groups and schemes of every hello that asks about something else.
pub struct Usual {
    pub groups: Vec<u16>,
    pub schemes: Vec<u16>,
}

impl Usual {
    pub fn new(version: TlsVersion) -> Self {
        let groups = if version == TlsVersion::Tls13 { names::groups() } else { curves() };
        Self { groups, schemes: names::schemes() }
    }
}

/// Everything that a version may be asked for, likely ones first, in hellos of bounded length.
fn candidates(version: TlsVersion) -> Vec<Vec<u16>> {
    let new = |n: &str| !n.contains("_WITH_") && n.starts_with("TLS_");
    let modern = |n: &str| n.contains("_GCM_") || n.contains("_CCM") || n.contains("POLY1305") || n.contains("MGM");
    let hashed = |n: &str| n.ends_with("_SHA256") || n.ends_with("_SHA384");
    let fits = |n: &str| match version {
        TlsVersion::Tls13 => new(n),
        TlsVersion::Tls12 => !new(n),
        _ => !new(n) && !modern(n) && !hashed(n),
    };
    let likely = |n: &str| {
        let common = ["TLS_ECDHE_RSA", "TLS_ECDHE_ECDSA", "TLS_DHE_RSA", "TLS_RSA_WITH"];
        let odd = ["ARIA", "CAMELLIA", "SEED", "IDEA", "NULL", "EXPORT"];
        common.iter().any(|c| n.starts_with(c)) && !odd.iter().any(|o| n.contains(o))
    };
    let all = names::suites(fits);
    let (first, rest): (Vec<u16>, Vec<u16>) = all.into_iter().partition(|n| likely(&names::suite(*n)));
    let mut first = first;
    // A server whose clients choose shows its suites in this order.
    first.sort_by_key(|n| (!modern(&names::suite(*n)), kex(*n) == Kex::Other, *n));
    [first, rest].iter().flat_map(|list| list.chunks(AT_ONCE).map(<[u16]>::to_vec)).collect()
}

/// What this version accepts, and in the same order as it was taken.
pub struct Taken {
    pub suites: Vec<u16>,
    pub tape: Option<Sha256Digest>,
}

pub async fn suites(asker: &Asker<'_>, version: TlsVersion) -> Result<Taken, Over> {
    let usual = Usual::new(version);
    let mut taken = Taken { suites: Vec::new(), tape: None };
    let mut lists = 0;
    for mut left in candidates(version) {
        let before = taken.suites.len();
        while !left.is_empty() {
            let hello = plain(version, &left, &usual.groups, &usual.schemes);
            let (said, tape) = asker.ask(&hello, Until::Hello).await?;
            let Some(flight) = accepted(&said, version) else { break };
            let Some(at) = left.iter().position(|n| *n == flight.suite) else {
                let why = format!("it chose {}, which was not offered", names::suite(flight.suite));
                asker.ctx.gap(Some(asker.at.endpoint.into()), Why::NotUnderstood(why));
                break;
            };
            taken.suites.push(left.remove(at));
            taken.tape = Some(tape);
        }
        lists += usize::from(taken.suites.len() > before);
    }
    let chooses = chooser(asker, version, &usual, &taken.suites).await?;
    if chooses == Chooser::Server && lists > 1 && taken.suites.len() <= AT_ONCE {
        taken.suites = ordered(asker, version, &usual, taken.suites).await?;
    }
    control(asker, version, &usual, &taken.suites).await?;
    let names = taken.suites.iter().map(|n| names::suite(*n)).collect();
    let list = TlsList::Suites { names, chooses };
    asker.ctx.record(asker.at.endpoint, Observation::TlsAccepts { version, list }, taken.tape.clone());
    Ok(taken)
}

/// The flight, if it is one under the version that was asked for.
pub fn accepted(said: &Said, version: TlsVersion) -> Option<&Flight> {
    match said {
        Said::Flight(f) if crate::scan::codec::tls::version_of(f.version) == Some(version) => Some(f),
        Said::Flight(_) | Said::Alert(_) | Said::Closed => None,
    }
}

/// Whether the order of the client's list decides.
async fn chooser(a: &Asker<'_>, version: TlsVersion, usual: &Usual, suites: &[u16]) -> Result<Chooser, Over> {
    let [first, .., last] = suites else { return Ok(Chooser::Unclear) };
    let turned = [*last, *first];
    let (said, _) = a.ask(&plain(version, &turned, &usual.groups, &usual.schemes), Until::Hello).await?;
    Ok(match accepted(&said, version) {
        Some(f) if f.suite == *first => Chooser::Server,
        Some(f) if f.suite == *last => Chooser::Client,
        Some(_) | None => Chooser::Unclear,
    })
}

/// The server's order over all of them, where they were found by several hellos.
async fn ordered(a: &Asker<'_>, version: TlsVersion, usual: &Usual, all: Vec<u16>) -> Result<Vec<u16>, Over> {
    let (mut left, mut out) = (all.clone(), Vec::new());
    while !left.is_empty() {
        let (said, _) = a.ask(&plain(version, &left, &usual.groups, &usual.schemes), Until::Hello).await?;
        let chosen = accepted(&said, version).and_then(|f| left.iter().position(|n| *n == f.suite));
        let Some(at) = chosen else { return Ok(all) };
        out.push(left.remove(at));
    }
    Ok(out)
}

/// Refusals count only from a server that still accepts what it accepted at first.
async fn control(a: &Asker<'_>, version: TlsVersion, usual: &Usual, suites: &[u16]) -> Result<(), Over> {
    let (said, _) = a.ask(&plain(version, suites, &usual.groups, &usual.schemes), Until::Hello).await?;
    if suites.is_empty() || accepted(&said, version).is_none() {
        let why = format!("under {} it refused in the end what it had accepted, or everything", version.word());
        a.ctx.gap(Some(a.at.endpoint.into()), Why::NotUnderstood(why));
    }
    Ok(())
}

/// The groups of ephemeral key exchange, and the sizes of its own primes.
pub async fn groups(asker: &Asker<'_>, version: TlsVersion, suites: &[u16]) -> Result<(), Over> {
    let usual = Usual::new(version);
    let ecdhe: Vec<u16> = match version {
        TlsVersion::Tls13 => suites.to_vec(),
        _ => suites.iter().copied().filter(|n| kex(*n) == Kex::Curve).collect(),
    };
    let (mut left, mut found, mut cite) = (usual.groups.clone(), Vec::new(), None);
    while !ecdhe.is_empty() && !left.is_empty() {
        let (said, tape) = asker.ask(&plain(version, &ecdhe, &left, &usual.schemes), Until::Done).await?;
        let Some(chosen) = accepted(&said, version).and_then(|f| f.group) else { break };
        cite = Some(tape);
        // A server that takes no notice of the list shows its only group again.
        let Some(at) = left.iter().position(|n| *n == chosen) else {
            if !found.contains(&chosen) {
                found.push(chosen);
            }
            break;
        };
        found.push(left.remove(at));
    }
    if !ecdhe.is_empty() {
        let list = TlsList::Groups { names: found.iter().map(|n| names::group(*n)).collect() };
        asker.ctx.record(asker.at.endpoint, Observation::TlsAccepts { version, list }, cite);
    }
    primes(asker, version, suites, &usual).await
}

async fn primes(asker: &Asker<'_>, version: TlsVersion, suites: &[u16], usual: &Usual) -> Result<(), Over> {
    if version == TlsVersion::Tls13 {
        return Ok(());
    }
    let export = |n: &u16| names::suite(*n).contains("EXPORT");
    let dhe: Vec<u16> = suites.iter().copied().filter(|n| kex(*n) == Kex::FiniteField).collect();
    let (weak, rest): (Vec<u16>, Vec<u16>) = dhe.into_iter().partition(export);
    let (mut bits, mut cite) = (BTreeSet::new(), None);
    for list in [weak, rest].iter().filter(|l| !l.is_empty()) {
        let (said, tape) = asker.ask(&plain(version, list, &usual.groups, &usual.schemes), Until::Done).await?;
        bits.extend(accepted(&said, version).and_then(|f| f.dh_bits));
        cite = Some(tape);
    }
    if cite.is_some() {
        let list = TlsList::DhBits { bits: bits.into_iter().collect() };
        asker.ctx.record(asker.at.endpoint, Observation::TlsAccepts { version, list }, cite);
    }
    Ok(())
}

/// By which schemes it signs its key exchange. TLS 1.3 encrypts that, and before 1.2 there is no choice.
pub async fn signatures(asker: &Asker<'_>, suites: &[u16]) -> Result<(), Over> {
    let version = TlsVersion::Tls12;
    let usual = Usual::new(version);
    let signed: Vec<u16> = suites.iter().copied().filter(|n| kex(*n) != Kex::Other).collect();
    let (mut left, mut found, mut cite) = (usual.schemes.clone(), Vec::new(), None);
    while !signed.is_empty() && !left.is_empty() {
        let (said, tape) = asker.ask(&plain(version, &signed, &usual.groups, &left), Until::Done).await?;
        let Some(chosen) = accepted(&said, version).and_then(|f| f.scheme) else { break };
        cite = Some(tape);
        let Some(at) = left.iter().position(|n| *n == chosen) else {
            if !found.contains(&chosen) {
                found.push(chosen);
            }
            break;
        };
        found.push(left.remove(at));
    }
    if !signed.is_empty() {
        let list = TlsList::Signatures { names: found.iter().map(|n| names::scheme(*n)).collect() };
        asker.ctx.record(asker.at.endpoint, Observation::TlsAccepts { version, list }, cite);
    }
    Ok(())
}
