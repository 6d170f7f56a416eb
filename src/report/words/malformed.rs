//! Wrong input in a person's words.
use crate::model::observation::malformed::{Event, Loss, Malformed};

pub(super) fn words(m: &Malformed) -> String {
    let set = m.set.word();
    let inside = if m.path.is_empty() { String::new() } else { format!(" at {}", m.path) };
    let what = match &m.event {
        Event::Before { asked, answered, slowest_ms, cases } => {
            format!(
                "before {cases} cases, {answered} of {asked} ordinary questions answered, the slowest in {slowest_ms} ms"
            )
        }
        Event::Survived { case, answered_after_ms } => {
            format!("{case}: an ordinary question was answered {answered_after_ms} ms after it")
        }
        Event::Lost { case, loss } => format!("{case}: {}", lost(loss)),
        Event::Again { case, loss: Some(loss) } => format!("{case} again, alone: {}", lost(loss)),
        Event::Again { case, loss: None } => format!("{case} again, alone: ordinary questions were answered"),
        Event::Together { cases, loss: Some(loss) } => format!("{} again, together: {}", cases.join(", "), lost(loss)),
        Event::Together { cases, loss: None } => {
            format!("{} again, together: ordinary questions were answered", cases.join(", "))
        }
        Event::Suspected { case, length, sha256, hex } => {
            let rest = if u64::try_from(hex.len() / 2).is_ok_and(|n| n < *length) { "..." } else { "" };
            format!("{case} is these {length} bytes ({sha256}): {hex}{rest}")
        }
        Event::Held { case, connections, held_ms, meanwhile, closed_after_ms, back_after_ms } => format!(
            "{case}: {connections} held for {held_ms} ms; meanwhile the service {}; {}; {}",
            meanwhile.words(),
            closed_after_ms.map_or("not closed by it".to_owned(), |ms| format!("closed by it after {ms} ms")),
            back(*back_after_ms)
        ),
        Event::After { asked, answered } => format!("at the end, {answered} of {asked} ordinary questions answered"),
    };
    format!("wrong input ({set}{inside}): {what}")
}

fn lost(loss: &Loss) -> String {
    let elsewhere = match loss.elsewhere {
        Some(standing) => format!("another port {}", standing.words()),
        None => "no other port to compare with".to_owned(),
    };
    format!("the service {}; {elsewhere}; {}", loss.how.words(), back(loss.back_after_ms))
}

fn back(after: Option<u64>) -> String {
    after.map_or("not back within the time granted".to_owned(), |ms| format!("back after {ms} ms"))
}
