//! JUnit XML for build servers (the form of Jenkins' junit-10.xsd): a suite per profile, a test case per case.
//!
//! What failed is a failure, what was not decided is an error, so that neither is ever green. What waits
//! for a person, and what does not apply, is skipped.
use super::{
    case::{Case, cases, named, standing},
    html::{Report, ReportError, environment},
};
use crate::judge::{
    Assessment,
    assess::{Outcome, tool},
};
use minijinja::context;
use serde::Serialize;

pub fn junit(report: &Report<'_>) -> Result<String, ReportError> {
    // The name's ending switches escaping on.
    let env = environment("junit.xml", include_str!("junit.xml.j2"))?;
    let suites: Vec<Suite> = report.assessments.iter().map(|a| suite(report, a)).collect();
    let sum = |of: fn(&Suite) -> usize| suites.iter().map(of).sum::<usize>();
    Ok(env.get_template("junit.xml")?.render(context! {
        name => tool().name,
        tests => sum(|s| s.tests),
        failures => sum(|s| s.failures),
        errors => sum(|s| s.errors),
        suites => suites,
    })?)
}

#[derive(Serialize)]
struct Suite {
    name: String,
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
    timestamp: String,
    properties: Vec<(&'static str, String)>,
    cases: Vec<TestCase>,
}

#[derive(Serialize)]
struct TestCase {
    class: String,
    name: String,
    tag: Option<&'static str>,
    kind: &'static str,
    message: String,
    detail: String,
}

fn suite(report: &Report<'_>, a: &Assessment) -> Suite {
    let cases: Vec<TestCase> = cases(a).iter().map(test_case).collect();
    let count = |tag| cases.iter().filter(|c| c.tag == Some(tag)).count();
    let p = &a.profile;
    Suite {
        name: p.id.clone(),
        tests: cases.len(),
        failures: count("failure"),
        errors: count("error"),
        skipped: count("skipped"),
        // The schema's times have no zone; ours are UTC.
        timestamp: a.as_of.get(..19).unwrap_or(&a.as_of).to_owned(),
        properties: vec![
            ("profile.level", p.level.clone()),
            ("profile.edition", p.edition.clone()),
            ("profile.sha256", p.sha256.clone()),
            ("recording", a.inputs.recording.to_string()),
            ("verdict", a.verdict.word().to_owned()),
            ("standing", standing(report.standing).to_owned()),
            ("tool", format!("{} {}", a.tool.name, a.tool.version)),
            ("note", p.disclaimer.clone()),
        ],
        cases,
    }
}

fn test_case(case: &Case<'_>) -> TestCase {
    let (tag, kind) = match case.outcome {
        Outcome::Pass => (None, ""),
        Outcome::Fail => (Some("failure"), "fail"),
        Outcome::Inconclusive => (Some("error"), "inconclusive"),
        Outcome::NotApplicable => (Some("skipped"), "not-applicable"),
        Outcome::AwaitingAssessor => (Some("skipped"), "awaiting-assessor"),
    };
    let lines = [
        ("requirement", case.requirement.text.clone()),
        ("expected", case.expected().to_owned()),
        ("severity", case.severity()),
        ("subjects", named(case.subjects(), ", ")),
        ("evidence", named(case.evidence(), ", ")),
        ("not looked at", case.gaps().join("; ")),
        ("remedy", case.remedy().to_owned()),
    ];
    let told = lines.iter().filter(|(_, text)| !text.is_empty()).map(|(label, text)| format!("{label}: {text}"));
    TestCase {
        class: format!("{}.{}", case.assessment.profile.id, case.requirement.id),
        name: format!("{}: {}", case.name(), case.title()),
        tag,
        kind,
        message: format!("{}: {}", case.outcome.word(), case.said()),
        detail: told.collect::<Vec<_>>().join(" | "),
    }
}
