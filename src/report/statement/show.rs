//! A draft as text, page and object. Every form says DRAFT first.
use super::{Filled, Says, Statement};
use crate::report::case::named;
use crate::report::{
    html::{ReportError, environment},
    text::Page,
};
use minijinja::context;

impl Says {
    fn words(self) -> &'static str {
        match self {
            Self::Maker => "the maker says",
            Self::Ixit => "the maker's IXIT says",
            Self::Nobody => "TO BE FILLED IN",
            Self::ByHand => "TO BE FILLED IN by hand, on the document",
        }
    }
}

fn shown(f: &Filled) -> String {
    match &f.value {
        Some(value) => format!("{value} ({})", f.says.words()),
        None => format!("[ {} ]", f.says.words()),
    }
}

/// At most 100 columns.
pub fn text(s: &Statement<'_>) -> String {
    let mut page = Page::default();
    page.put("", s.draft);
    page.put("", s.title);
    page.put(
        "",
        &format!("{} Confidence in this form: {}. Sources: {}.", s.purpose, s.confidence, s.sources.join("; ")),
    );
    page.put("", &s.profile.disclaimer);
    page.head(&s.finding);
    page.put("", &judged(s));
    page.head(&format!("fields ({} to be filled in)", s.missing.len()));
    s.fields.iter().for_each(|f| page.put("  ", &format!("{}: {}", f.label, shown(f))));
    page.head(&format!("requirements ({})", s.requirements.len()));
    for r in &s.requirements {
        page.put("  ", &format!("{} ({}): {} [{}]", r.id, r.binding, r.reads, r.outcome.word()));
        let (evidence, checks) = (named(&r.evidence, ", "), r.checks.join(", "));
        let artefact = r.artefact.unwrap_or_default();
        for (label, value) in [
            ("asks", r.text),
            ("basis", &r.reasons.join("; ")),
            ("checks", &checks),
            ("evidence", &evidence),
            ("still to do", r.to_do),
            ("the scheme wants to see", artefact),
        ] {
            page.labelled(label, value);
        }
    }
    if !s.recognition.is_empty() {
        page.head("labels that stand in for one another");
        s.recognition.iter().for_each(|r| page.put("  ", r));
    }
    page.head(s.draft);
    page.0
}

fn judged(s: &Statement<'_>) -> String {
    let p = s.profile;
    format!(
        "Judged: {} under {} (level {}, edition {}), as of {}; recording {}.",
        s.targets.join(", "),
        p.id,
        p.level,
        p.edition,
        s.as_of,
        s.inputs.recording
    )
}

/// One page that needs no network and no script.
pub fn html(s: &Statement<'_>) -> Result<String, ReportError> {
    let env = environment("statement.html", include_str!("../statement.html.j2"))?;
    let fields: Vec<_> =
        s.fields.iter().map(|f| context! { label => f.label, shown => shown(f), empty => f.value.is_none() }).collect();
    Ok(env.get_template("statement.html")?.render(context! { s => s, fields => fields, judged => judged(s) })?)
}

/// One `statement/1` object.
pub fn json(s: &Statement<'_>) -> String {
    // Plain data with text keys: writing it to memory cannot fail.
    serde_json::to_string_pretty(s).unwrap_or_default() + "\n"
}
