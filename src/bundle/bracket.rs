//! Three times that the laboratory does not tell itself: before the first packet, after the last, and after the seal.
use super::{
    layout::{self, Files},
    payload::{Bracket, Ingredients},
    statement::Claims,
    timestamp::{self, Token},
    verify::{LineOutcome, VerificationLine, bytes, line},
};
use jiff::{SignedDuration, Timestamp};

/// A clock of the laboratory may be this far off.
const OFF: SignedDuration = SignedDuration::from_mins(5);

/// What an authority told, and what the laboratory's clock said of the same moment.
struct Stamp {
    file: &'static str,
    token: Token,
    /// What happened then, and when by the laboratory's clock.
    event: &'static str,
    told: String,
}

/// Before the first packet, after the last, after the seal.
type Stamps = [Option<Stamp>; 3];

/// The line of verifying that is about time.
pub(super) fn check(
    files: &Files,
    from: Option<&Ingredients>,
    claims: Option<&Claims>,
    anchors: Option<&[u8]>,
) -> VerificationLine {
    let recorded = from
        .map(|f| &f.recorded.value)
        .map_or(String::new(), |r| format!("recorded from {} to {}, ", r.header.started, r.as_of()));
    let told = format!("{recorded}sealed at {}", claims.map_or("", |c| &c.sealed_at));
    let (outcome, detail) = match stamps(files, from, claims).and_then(|s| judged(&s, anchors, &told)) {
        Ok(told) => told,
        Err(why) => (LineOutcome::Failed, why),
    };
    line("time", outcome, detail)
}

fn stamps(files: &Files, from: Option<&Ingredients>, claims: Option<&Claims>) -> Result<Stamps, String> {
    let read = |file, event, token: Option<&[u8]>, stamped: Option<&[u8]>, told: Option<&str>| {
        let (Some(token), Some(stamped)) = (token, stamped) else { return Ok::<_, String>(None) };
        let token = timestamp::read(token, stamped).map_err(|e| format!("`{file}`: {e}"))?;
        Ok(Some(Stamp { file, token, event, told: told.unwrap_or_default().to_owned() }))
    };
    let none = Bracket::default();
    let (bracket, recording) = (from.map_or(&none, |f| &f.bracket), from.map(|f| &f.recorded.value));
    Ok([
        read(
            layout::BEFORE,
            "the scan began",
            bracket.before.as_deref(),
            bracket.plan.as_deref(),
            recording.map(|r| r.header.started.as_str()),
        )?,
        read(
            layout::AFTER,
            "the recording ended",
            bracket.after.as_deref(),
            recording.map(|r| r.last.as_slice()),
            recording.map(|r| r.as_of()),
        )?,
        read(
            layout::TOKEN,
            "it was sealed",
            bytes(files, layout::TOKEN),
            bytes(files, layout::SIGNATURE),
            claims.map(|c| c.sealed_at.as_str()),
        )?,
    ])
}

fn judged(stamps: &Stamps, anchors: Option<&[u8]>, told: &str) -> Result<(LineOutcome, String), String> {
    let all: Vec<&Stamp> = stamps.iter().flatten().collect();
    if all.is_empty() {
        return Ok((LineOutcome::NotChecked, format!("lab clock only: {told}")));
    }
    ordered(stamps, &all)?;
    for stamp in &all {
        let known = anchors.map_or(Ok(()), |a| stamp.token.trusted(a));
        known.map_err(|e| format!("`{}`: {e}", stamp.file))?;
    }
    let said = format!("{}; {told} by the lab's clock", said(stamps));
    Ok(match (anchors, stamps) {
        (None, _) => {
            let detail = format!("{said}; authority not compared with your records, give them with --tsa-anchors");
            (LineOutcome::NotChecked, detail)
        }
        (Some(_), [_, _, None]) => (LineOutcome::NotChecked, format!("{said}; no authority stamped the seal")),
        (Some(_), [_, _, Some(_)]) => (LineOutcome::Ok, said),
    })
}

/// The stamps are in the order of what they are about, and no clock says otherwise.
fn ordered(stamps: &Stamps, all: &[&Stamp]) -> Result<(), String> {
    for (a, b) in all.iter().zip(all.iter().skip(1)) {
        if at(&a.token.time)? > at(&b.token.time)? {
            let (x, y) = (&a.token.time, &b.token.time);
            return Err(format!("`{}` was stamped at {y}, before `{}` at {x}", b.file, a.file));
        }
    }
    for (n, stamp) in stamps.iter().enumerate() {
        let Some(Stamp { file, token, event, told }) = stamp else { continue };
        // The plan is stamped before the scan begins, everything else after what it is about.
        let ahead = match n {
            0 => at(&token.time)?.duration_since(at(told)?),
            _ => at(told)?.duration_since(at(&token.time)?),
        };
        if ahead > OFF {
            let when = if n == 0 { "after" } else { "before" };
            let stamped = &token.time;
            return Err(format!("`{file}`: stamped at {stamped}, {when} {event} at {told}: the lab's clock was wrong"));
        }
    }
    Ok(())
}

fn at(time: &str) -> Result<Timestamp, String> {
    time.parse().map_err(|_| format!("`{time}` is no time"))
}

fn said(stamps: &Stamps) -> String {
    let [before, after, sealed] = stamps;
    let time = |s: &Stamp| s.token.time.clone();
    let recorded = match (before, after) {
        (Some(a), Some(b)) => Some(format!("recorded between {} and {}", time(a), time(b))),
        (Some(a), None) => Some(format!("recorded after {}", time(a))),
        (None, Some(b)) => Some(format!("recorded before {}", time(b))),
        (None, None) => None,
    };
    let sealed = sealed.as_ref().map(|s| format!("seal stamped at {} (serial {})", time(s), s.token.serial));
    [recorded, sealed].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
