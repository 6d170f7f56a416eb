//! A table for spreadsheets: one line per case, RFC 4180, every field quoted.
use super::case::{cases, named};
use crate::judge::Assessment;
use crate::model::observation::clean;

const HEAD: &str = "profile,level,requirement,binding,case,outcome,severity,title,expected,observed,subjects,evidence,not looked at,remedy\r\n";

/// Lines end in CR LF. What a spreadsheet would take for a formula is led by an apostrophe.
pub fn csv(assessments: &[Assessment]) -> String {
    let mut out = HEAD.to_owned();
    for case in assessments.iter().flat_map(cases) {
        let p = &case.assessment.profile;
        let fields = [
            p.id.clone(),
            p.level.clone(),
            case.requirement.id.clone(),
            case.requirement.level.to_owned(),
            case.name().to_owned(),
            case.outcome.word().to_owned(),
            case.severity(),
            case.title(),
            case.expected().to_owned(),
            case.said(),
            named(case.subjects(), " "),
            named(case.evidence(), " "),
            case.gaps().join("; "),
            case.remedy().to_owned(),
        ];
        let line: Vec<String> = fields.iter().map(|f| quoted(f)).collect();
        out.push_str(&line.join(","));
        out.push_str("\r\n");
    }
    out
}

/// One field. A leading `=`, `+`, `-` or `@` would be a formula to a spreadsheet.
pub(super) fn quoted(field: &str) -> String {
    let field = clean(field, usize::MAX);
    let lead = if field.trim_start().starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    format!("\"{lead}{}\"", field.replace('"', "\"\""))
}
