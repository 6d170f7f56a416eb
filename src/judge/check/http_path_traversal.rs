//! A web server shows its own files, and no others.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Subject,
    observation::{ControlAnswer, web::Question},
};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "http-path-traversal",
    title: "Paths and parameters do not lead out of the web server's directory",
    page: include_str!("http_path_traversal.md"),
    expected: "no path and no parameter brings a file from outside the server's directory",
    remedy: "decode and resolve a path first, and refuse what lies outside the directory; name files by ids in parameters",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["http-questions"],
    bind: bind::<HttpPathTraversal>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpPathTraversal {}

impl Judge for HttpPathTraversal {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("http-questions", |r| match &r.observation {
            Observation::HttpControlled { question, path, answer, proof } => {
                Some((&r.subject, *question, path, *answer, proof))
            }
            _ => None,
        });
        let tried: BTreeSet<&Subject> =
            all.items().iter().filter(|s| s.what.1 == Question::OutsideRoot).map(|s| s.what.0).collect();
        // Servers of older recordings, which were asked other questions only, are not passed over.
        let asked = all.only(|(at, question, ..)| *question == Question::OutsideRoot || !tried.contains(at));
        every(&asked, "no HTTP service", |seen| {
            let (at, question, path, answer, proof) = seen.what;
            match (question, answer) {
                (Question::OutsideRoot, ControlAnswer::Answered) => Point::Bad(format!("{at} {path}: {proof}")),
                (Question::OutsideRoot, ControlAnswer::Refused) => {
                    Point::Good(format!("{at}: no way out of its directory brings a file of the system"))
                }
                (Question::OutsideRoot, ControlAnswer::Silent | ControlAnswer::Unclear) => {
                    Point::Unclear(format!("{at} {path}: {proof}"))
                }
                (Question::Trace | Question::UnknownMethod | Question::ForeignOrigin | Question::ForeignHost, _) => {
                    Point::Unclear(format!("{at}: recorded without asking for files outside its directory"))
                }
            }
        })
    }
}
