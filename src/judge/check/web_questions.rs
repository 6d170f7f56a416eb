//! Questions that a web server should not answer to anybody.
use super::{Check, Judge, Proves, Severity};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation,
    observation::{ControlAnswer, web::Question},
};
use serde::Deserialize;

pub const METHODS: Check = Check {
    id: "http-methods",
    title: "HTTP methods that nobody needs are refused",
    page: include_str!("http_methods.md"),
    expected: "TRACE does not send a request back, and a method that does not exist is refused",
    remedy: "allow only the methods that the interface uses",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &["http-questions"],
    bind: |p| bound(&[Question::Trace, Question::UnknownMethod], "no HTTP service", p),
};

pub const ORIGIN: Check = Check {
    id: "http-cors-origin",
    title: "Pages of other origins cannot read the device's data",
    page: include_str!("http_cors_origin.md"),
    expected: "no foreign origin may read with the user's session, or read private data",
    remedy: "name the origins that may read, and never repeat the one that asks",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &["http-questions"],
    bind: |p| bound(&[Question::ForeignOrigin], "no HTTP service", p),
};

pub const HOST: Check = Check {
    id: "http-host-header-rebind",
    title: "Data is not given under a foreign host name",
    page: include_str!("http_host_header_rebind.md"),
    expected: "what is given without a login is not given under a host name that is not the device's",
    remedy: "answer only to the device's own names and addresses",
    severity: Severity::Low,
    pass: Proves::Partial,
    needs: &["http-questions"],
    bind: |p| bound(&[Question::ForeignHost], "no data is given without a login", p),
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoParameters {}

fn bound(
    questions: &'static [Question],
    absent: &'static str,
    parameters: toml::Table,
) -> Result<Box<dyn Judge>, String> {
    let NoParameters {} = parameters.try_into().map_err(|e: toml::de::Error| e.message().to_owned())?;
    Ok(Box::new(WebQuestions { questions, absent }))
}

struct WebQuestions {
    questions: &'static [Question],
    absent: &'static str,
}

impl Judge for WebQuestions {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let asked = evidence.known("http-questions", |r| match &r.observation {
            Observation::HttpControlled { question, path, answer, proof } if self.questions.contains(question) => {
                Some((*question, path, *answer, proof))
            }
            _ => None,
        });
        every(&asked, self.absent, |seen| {
            let (question, path, answer, proof) = seen.what;
            let what = format!("{} {path}: {}", seen.subject(), question.words());
            match answer {
                ControlAnswer::Answered => Point::Bad(format!("{what} works: {proof}")),
                ControlAnswer::Refused | ControlAnswer::Silent => Point::Good(format!("{what} does not: {proof}")),
                ControlAnswer::Unclear => Point::Unclear(format!("{what} is answered with {proof}")),
            }
        })
    }
}
