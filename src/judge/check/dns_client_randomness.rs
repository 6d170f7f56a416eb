//! Who can guess a question's port and number can answer it.
use super::{
    Check, Judge, Proves, Severity, bind,
    capture::{RUN, captures},
};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, observation::capture::Questions};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "dns-client-randomness",
    title: "Outgoing DNS questions use random ports and ids",
    page: include_str!("dns_client_randomness.md"),
    expected: "source ports and transaction ids of DNS questions are spread over their range and follow no order",
    remedy: "use a resolver library that takes port and id from a random generator (RFC 5452)",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &[RUN],
    bind: bind::<DnsClientRandomness>,
};

/// Questions from which a PASS, and from which a FAIL.
const ENOUGH: usize = 100;
const SOME: usize = 20;
/// Of uniform draws a hundred times, fewer distinct values or a smaller range never came; a larger correlation once in 500.
const DISTINCT_IDS: f64 = 0.95;
const DISTINCT_PORTS: f64 = 0.90;
const RANGE: u16 = 8192;
const UNRELATED: f64 = 0.3;
/// An order that nobody takes for chance, and so few values that they are guessed at once.
const IN_ORDER: f64 = 0.9;
const FEW: usize = 5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DnsClientRandomness {}

impl Judge for DnsClientRandomness {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known(RUN, |r| match &r.observation {
            Observation::NameQuestions { questions } => Some(questions),
            _ => None,
        });
        // Where one server was asked often enough, what others were asked seldom adds nothing.
        let often = all.items().iter().any(|s| s.what.sent.len() >= ENOUGH);
        let judged = all.only(|q| !often || q.sent.len() >= ENOUGH);
        // Behind another router ports are that router's.
        let translated = captures(evidence).iter().any(|c| c.device.macs.is_empty());
        every(&judged, "the device asked no name server by UDP", |seen| match (point(seen.what), translated) {
            (Point::Good(what) | Point::Bad(what), true) => Point::Unclear(format!(
                "{what}; the device is known by its address alone, and a router may have changed them"
            )),
            (point, _) => point,
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried(RUN)
    }
}

fn point(questions: &Questions) -> Point {
    let ids: Vec<u16> = questions.sent.iter().map(|s| s.1).collect();
    // Questions for both kinds of address go from one port.
    let mut ports: Vec<u16> = questions.sent.iter().map(|s| s.0).collect();
    ports.dedup();
    let (ids, ports, asked) = (Spread::of(&ids), Spread::of(&ports), questions.sent.len());
    let what = format!("{asked} questions; ids: {ids}; ports: {ports}");
    if asked >= SOME && (ids.is_guessed() || ports.is_guessed()) {
        return Point::Bad(what);
    }
    let random = ids.is_random(DISTINCT_IDS) && ports.is_random(DISTINCT_PORTS) && ports.range >= RANGE;
    match asked >= ENOUGH && random {
        true => Point::Good(what),
        false => Point::Unclear(what),
    }
}

/// How a list of numbers is spread.
struct Spread {
    drawn: usize,
    distinct: usize,
    range: u16,
    /// Of each number with the next one, by Pearson; none where all are the same.
    correlation: Option<f64>,
}

impl Spread {
    fn of(list: &[u16]) -> Self {
        let (low, high) = (list.iter().min().copied().unwrap_or(0), list.iter().max().copied().unwrap_or(0));
        let distinct = list.iter().collect::<BTreeSet<_>>().len();
        Self { drawn: list.len(), distinct, range: high - low, correlation: correlation(list) }
    }

    fn is_guessed(&self) -> bool {
        self.distinct < FEW || self.drawn >= SOME && self.correlation.is_some_and(|r| r > IN_ORDER)
    }

    fn is_random(&self, distinct: f64) -> bool {
        let share = number(self.distinct) / number(self.drawn).max(1.0);
        share >= distinct && self.correlation.is_some_and(|r| r.abs() < UNRELATED)
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} distinct within {}", self.distinct, self.range)?;
        self.correlation.map_or(Ok(()), |r| write!(f, ", correlation {r:.2}"))
    }
}

fn correlation(list: &[u16]) -> Option<f64> {
    let of = |list: &[u16]| list.iter().map(|n| f64::from(*n)).collect::<Vec<f64>>();
    let (these, next) = (of(list.split_last()?.1), of(list.split_first()?.1));
    let around = |list: &[f64]| {
        let mean = list.iter().sum::<f64>() / number(list.len()).max(1.0);
        list.iter().map(|n| n - mean).collect::<Vec<f64>>()
    };
    let (a, b) = (around(&these), around(&next));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let scale = (product(&a, &a) * product(&b, &b)).sqrt();
    (scale > 0.0).then(|| product(&a, &b) / scale)
}

fn number(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Sha256Digest,
        observation::capture::{Cited, Place},
    };

    /// Numbers of a simple generator (Knuth's MMIX), by their upper half.
    fn drawn(seed: u64, n: usize) -> Vec<u16> {
        let next = |x: &u64| Some(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
        let all = std::iter::successors(Some(seed), next).skip(1);
        all.map(|x| u16::from_be_bytes([x.to_be_bytes()[0], x.to_be_bytes()[1]])).take(n).collect()
    }

    fn asked(ports: Vec<u16>, ids: Vec<u16>) -> Point {
        let seen = Cited { capture: Sha256Digest::of(b""), packets: Vec::new() };
        point(&Questions { place: Place::Local, sent: ports.into_iter().zip(ids).collect(), seen })
    }

    fn high(ports: Vec<u16>) -> Vec<u16> {
        ports.into_iter().map(|p| 32_768 + p % 28_232).collect()
    }

    #[test]
    fn chance_passes_and_order_repetition_and_a_fixed_port_fail() {
        for seed in 0..200 {
            let point = asked(high(drawn(seed, 100)), drawn(seed + 1000, 100));
            assert!(!matches!(point, Point::Bad(_)), "{seed}: {point:?}");
        }
        assert!(matches!(asked(high(drawn(1, 100)), drawn(2, 100)), Point::Good(_)));
        // Both kinds of address are asked for from one port.
        let twice = high(drawn(3, 100)).into_iter().flat_map(|p| [p, p]).collect();
        assert!(matches!(asked(twice, drawn(4, 200)), Point::Good(_)));
        assert!(matches!(asked(vec![5353; 30], drawn(5, 30)), Point::Bad(_)));
        assert!(matches!(asked((40_000..40_030).collect(), drawn(6, 30)), Point::Bad(_)));
        assert!(matches!(asked(high(drawn(7, 30)), (1..31).collect()), Point::Bad(_)));
        assert!(matches!(asked(high(drawn(8, 99)), drawn(9, 99)), Point::Unclear(_)));
        assert!(matches!(asked(vec![1024; 5], vec![1; 5]), Point::Unclear(_)));
    }
}
