//! Parsers of what strangers send, fed with golden packets and what becomes of them by chance. `scripts/fuzz SECONDS` runs
//! it for longer; the chance is the same in each run of the same length.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
use patuh::{
    model::{Ics, Ixit, Recording},
    scan::probe::parsers::{PARSERS, Parser},
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use std::{
    panic::catch_unwind,
    path::Path,
    time::{Duration, Instant},
};

/// What no packet of an ordinary size may take.
const MOST: Duration = Duration::from_secs(2);
const LARGEST: usize = 64 * 1024;
/// Inputs of a short run, for each parser.
const FEW: u64 = 1000;

const FILES: &[(&str, Parser)] = &[
    ("update-image", |b| drop(patuh::image::inspect(b, None, None))),
    ("recording", |b| drop(Recording::parse(b))),
    ("ics", |b| drop(Ics::parse("ics", &String::from_utf8_lossy(b)))),
    ("ixit", |b| drop(Ixit::parse("ixit", &String::from_utf8_lossy(b)))),
];

/// One change for which parsers are known to be unready.
fn change(bytes: &mut Vec<u8>, other: &[u8], rng: &mut StdRng) {
    let at = rng.random_range(0..=bytes.len());
    match rng.random_range(0..8) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, rng.random()),
        2 if at < bytes.len() => bytes[at] ^= 1 << rng.random_range(0..8),
        3 if at < bytes.len() => bytes[at] = *[0, 1, 0x7f, 0x80, 0xfe, 0xff, b'\n', b'<', b'"'].choose(rng).unwrap(),
        4 if at + 4 <= bytes.len() => {
            let n: u32 = *[0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX, 0xffff].choose(rng).unwrap();
            bytes[at..at + 4].copy_from_slice(&n.to_be_bytes());
        }
        5 => {
            let end = rng.random_range(at..=bytes.len());
            let piece = bytes[at..end].repeat(rng.random_range(1..200));
            bytes.splice(at..at, piece.into_iter().take(LARGEST));
        }
        6 => {
            let from = rng.random_range(0..=other.len());
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
        _ => bytes.extend((0..rng.random_range(0..64)).map(|_| rng.random::<u8>())),
    }
    bytes.truncate(LARGEST);
}

/// Golden packets, by the directory of their parser.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/wire").join(name);
    let mut files: Vec<_> = std::fs::read_dir(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display())).collect();
    files.sort_by_key(|f| f.as_ref().unwrap().path());
    files.into_iter().map(|f| std::fs::read(f.unwrap().path()).unwrap()).collect()
}

fn feed(name: &str, parser: Parser, bytes: &[u8]) {
    let started = Instant::now();
    let fed = catch_unwind(|| parser(bytes));
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    assert!(fed.is_ok(), "{name} panics on {hex}");
    assert!(started.elapsed() < MOST, "{name} takes {:?} for {hex}", started.elapsed());
}

#[test]
fn no_golden_packet_nor_what_chance_makes_of_it_stops_a_parser() {
    let seconds = std::env::var("PATUH_FUZZ_SECONDS").ok().map(|s| s.parse::<u64>().unwrap());
    let only = std::env::var("PATUH_FUZZ_ONLY").ok();
    for (name, parser) in PARSERS.iter().chain(FILES).filter(|p| only.as_deref().is_none_or(|o| o == p.0)) {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "{name}: no seed");
        seeds.iter().for_each(|s| feed(name, *parser, s));
        let (mut rng, started, mut fed) = (StdRng::seed_from_u64(303_645), Instant::now(), 0u64);
        while seconds.map_or(fed < FEW, |s| started.elapsed().as_secs() < s) {
            let mut bytes = seeds.choose(&mut rng).unwrap().clone();
            let other = seeds.choose(&mut rng).unwrap();
            for _ in 0..rng.random_range(1..6) {
                change(&mut bytes, other, &mut rng);
            }
            feed(name, *parser, &bytes);
            fed += 1;
        }
        eprintln!("{name}: {fed} inputs in {:?}", started.elapsed());
    }
}
