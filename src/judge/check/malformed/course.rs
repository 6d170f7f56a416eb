//! What happened to one service under one kind of wrong input, and what that says.
use crate::judge::judgement::Point;
use crate::model::observation::malformed::{Event, Loss, Set, Standing};
use std::collections::{BTreeMap, BTreeSet};

/// A service that takes longer cannot be told from a lost one.
const SLOW_MS: u64 = 2000;
/// Of the isolated bytes, what a reader sees at once.
const SHOWN: usize = 64;

pub fn steady(asked: u32, answered: u32, slowest_ms: u64) -> bool {
    answered == asked && slowest_ms < SLOW_MS
}

struct Hold<'a> {
    case: &'a str,
    connections: u32,
    held_ms: u64,
    meanwhile: Standing,
    closed_after_ms: Option<u64>,
    back_after_ms: Option<u64>,
}

#[derive(Default)]
pub struct Course<'a> {
    before: Option<(u32, u32, u64)>,
    cases: u32,
    survived: BTreeSet<&'a str>,
    lost: Vec<(&'a str, Loss)>,
    again: BTreeMap<&'a str, Vec<Option<Loss>>>,
    suspected: BTreeMap<&'a str, String>,
    held: Vec<Hold<'a>>,
    after: Option<(u32, u32)>,
}

impl<'a> Course<'a> {
    pub fn add(&mut self, event: &'a Event) {
        match event {
            Event::Before { asked, answered, slowest_ms, cases } => {
                (self.before, self.cases) = (Some((*asked, *answered, *slowest_ms)), *cases);
            }
            Event::Survived { case, .. } => {
                self.survived.insert(case);
            }
            Event::Lost { case, loss } => self.lost.push((case, *loss)),
            Event::Again { case, loss } => self.again.entry(case).or_default().push(*loss),
            Event::Together { .. } => {}
            Event::Suspected { case, length, hex, .. } => {
                let shown: String = hex.chars().take(SHOWN).collect();
                let rest = if shown.len() < hex.len() { "..." } else { "" };
                self.suspected.insert(case, format!("{length} bytes, {shown}{rest}"));
            }
            Event::Held { case, connections, held_ms, meanwhile, closed_after_ms, back_after_ms } => {
                self.held.push(Hold {
                    case,
                    connections: *connections,
                    held_ms: *held_ms,
                    meanwhile: *meanwhile,
                    closed_after_ms: *closed_after_ms,
                    back_after_ms: *back_after_ms,
                });
            }
            Event::After { asked, answered } => self.after = Some((*asked, *answered)),
        }
    }

    pub fn point(&self, set: Set, at: &str, hold_seconds: u64) -> Point {
        match self.before {
            None => return Point::Unclear(format!("{at}: nobody asked how it stood before")),
            Some((asked, answered, slowest)) if !steady(asked, answered, slowest) => {
                return Point::Unclear(format!(
                    "{at} was not steady before anything was sent: {answered} of {asked} answers, the slowest in {slowest} ms"
                ));
            }
            Some(_) => {}
        }
        let reproduced = self.again.iter().filter(|(_, tries)| tries.len() > 1 && tries.iter().all(Option::is_some));
        let mut doubt = None;
        for (case, tries) in reproduced {
            let what = self.suspected.get(case).map(String::as_str).unwrap_or_default();
            let losses: Vec<Loss> = tries.iter().flatten().copied().collect();
            let how = losses.last().map(lost).unwrap_or_default();
            if losses.iter().all(tells) {
                return Point::Bad(format!(
                    "{at} is lost after {case} ({what}), each of {} times: {how}",
                    losses.len() + 1
                ));
            }
            doubt = Some(format!("{at} shuts us out, or is lost, after {case} ({what}): {how}"));
        }
        if let Some(point) = self.blocked(at) {
            return point;
        }
        if let Some(doubt) = doubt.or_else(|| self.doubt(at)).or_else(|| self.kept_open(set, at, hold_seconds)) {
            return Point::Unclear(doubt);
        }
        let sent = self.survived.len() + self.held.iter().map(|h| h.case).collect::<BTreeSet<_>>().len();
        match self.after {
            Some((asked, answered)) if asked == answered && u32::try_from(sent).is_ok_and(|n| n >= self.cases) => {
                Point::Good(format!("{at} answers as before after each of {sent} cases"))
            }
            Some((asked, answered)) if asked != answered => {
                Point::Unclear(format!("{at}: at the end {answered} of {asked} ordinary questions were answered"))
            }
            Some(_) | None => Point::Unclear(format!("{at}: {sent} of {} cases were sent", self.cases)),
        }
    }

    /// One connection that shuts out all others, twice.
    fn blocked(&self, at: &str) -> Option<Point> {
        let mut by_case: BTreeMap<&str, Vec<&Hold<'_>>> = BTreeMap::new();
        for hold in self.held.iter().filter(|h| h.connections == 1) {
            by_case.entry(hold.case).or_default().push(hold);
        }
        let blocks =
            |h: &&Hold<'_>| matches!(h.meanwhile, Standing::Mute | Standing::Silent) && h.back_after_ms.is_some();
        by_case.retain(|_, holds| holds.len() > 1 && holds.iter().all(blocks));
        let ms = by_case.values().flatten().map(|h| h.held_ms).min()?;
        let cases: Vec<&str> = by_case.into_keys().collect();
        let cases = cases.join(" and by ");
        Some(Point::Bad(format!(
            "{at}: all others are kept out by {cases} for as long as it lasts, here {ms} ms, twice"
        )))
    }

    fn doubt(&self, at: &str) -> Option<String> {
        if let Some((case, loss)) = self.lost.first() {
            let again = match loss.back_after_ms {
                Some(_) => "which did not happen again each time",
                None => "so that nothing could be sent again",
            };
            return Some(format!("{at} was lost after {case}, {again}: {}", lost(loss)));
        }
        let hold = self.held.iter().find(|h| h.meanwhile != Standing::Answers || h.back_after_ms.is_none())?;
        let back = hold.back_after_ms.map_or("it did not come back", |_| "it came back");
        let (case, n, meanwhile) = (hold.case, hold.connections, hold.meanwhile.words());
        Some(format!(
            "{at} {meanwhile} while {case} lasts ({n} connections), and {back}; it may be made for few at a time"
        ))
    }

    /// A connection that it left open: a slow one only says little where it was held for long, a silent one must be closed.
    fn kept_open(&self, set: Set, at: &str, seconds: u64) -> Option<String> {
        let enough = |h: &Hold<'_>| set != Set::MqttIdle && h.held_ms >= seconds.saturating_mul(1000);
        let hold = self.held.iter().find(|h| h.closed_after_ms.is_none() && !enough(h))?;
        Some(format!("{at}: {} was not closed in the {} ms that it was held", hold.case, hold.held_ms))
    }
}

/// Whether a loss can be nothing but a service that is down. Closing connections, or dropping all that we send, may be
/// a defence against us.
fn tells(loss: &Loss) -> bool {
    match loss.how {
        Standing::Refused | Standing::Unreachable | Standing::Mute => true,
        Standing::Silent => {
            matches!(loss.elsewhere, Some(Standing::Answers | Standing::Refused | Standing::Unreachable))
        }
        Standing::Answers | Standing::Closed => false,
    }
}

fn lost(loss: &Loss) -> String {
    let elsewhere =
        loss.elsewhere.map_or("no other port to compare with".to_owned(), |s| format!("another port {}", s.words()));
    let back = loss.back_after_ms.map_or("not back in time".to_owned(), |ms| format!("back after {ms} ms"));
    format!("it {}, {elsewhere}, {back}", loss.how.words())
}
