//! The statement of compliance that comes with a product in the United Kingdom (SI 2023/1007, Schedule 4).
use super::{
    Check, Judge, Proves, Severity, bind,
    documents::{Declared, RUN, TABLE, declared, field, open_to_a_person},
    support_period::model,
    terms::{dates, find, is_whole_english, periods, plain},
};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::observation::{clean, public::Document};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "psti-statement",
    title: "The statement of compliance is complete and about this model",
    page: include_str!("psti_statement.md"),
    expected: "every field of the statement is filled in, and model and support period are those of the IXIT",
    remedy: "complete the statement of compliance",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &[RUN],
    bind: bind::<PstiStatement>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PstiStatement {}

/// Fields by the topic without which they cannot be there.
const FIELDS: [(&str, &str); 7] = [
    ("product and batch", "soc-product"),
    ("manufacturer and address", "soc-manufacturer"),
    ("declaration", "soc-declaration"),
    ("requirements that are met", "soc-requirements"),
    ("defined support period", "soc-support"),
    ("signature, name and function", "soc-signature"),
    ("date of issue", "soc-date"),
];

impl Judge for PstiStatement {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let known = declared(evidence, "statement");
        every(&known, "no statement of compliance was given", |seen| match seen.what {
            Declared::Elsewhere(place) => Point::Unclear(format!("the statement is {place}: read it")),
            Declared::Seen(d) => point(evidence, d),
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        open_to_a_person(&self.judge(evidence))
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE, "dut"]
    }
}

fn point(evidence: &Evidence<'_>, d: &Document) -> Point {
    let url = &d.url;
    let unread = || Point::Unclear(format!("{url}: no text that could be read; read it"));
    let (Some(text), true) = (&d.text, d.status.is_none_or(|s| (200..=299).contains(&s))) else { return unread() };
    if !is_whole_english(d) {
        return Point::Unclear(format!("{url} is not surely an English text: read it"));
    }
    let lacks: Vec<&str> = FIELDS.iter().filter(|(_, t)| find(t, text).is_none()).map(|(f, _)| *f).collect();
    if !lacks.is_empty() {
        return Point::Bad(format!("{url} has nothing that could be: {}", lacks.join(", ")));
    }
    if let Some(model) = model(evidence).filter(|m| !plain(text).contains(&plain(m))) {
        return Point::Bad(format!("{url} does not name the model `{}`", clean(model, 60)));
    }
    let said = field(evidence, "support_period").unwrap_or_default();
    let (end, length) = (dates(said), periods(said));
    let agrees = end.is_subset(&dates(text)) && (!end.is_empty() || length.is_subset(&periods(text)));
    match agrees {
        true => Point::Good(format!("{url} has words of every field; a person reads its wording")),
        false => Point::Bad(format!("{url} does not say the support period of the IXIT, `{}`", clean(said, 80))),
    }
}
