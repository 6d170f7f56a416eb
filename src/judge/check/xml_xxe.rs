//! A reader of XML fetches nothing that a stranger's document names.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::Observation;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "xml-xxe",
    title: "XML services do not fetch external entities",
    page: include_str!("xml_xxe.md"),
    expected: "a message with an external entity or document type is refused, and nothing of it is fetched",
    remedy: "switch document types off in the XML parser",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["xml-entities"],
    bind: bind::<XmlXxe>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct XmlXxe {}

impl Judge for XmlXxe {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("xml-entities", |r| match &r.observation {
            Observation::XmlEntity { entity } => Some(entity),
            _ => None,
        });
        every(&all, "no UPnP or ONVIF service that reads XML", |seen| {
            let x = seen.what;
            let what = format!("{}{}: {}", seen.subject(), x.path, x.form.words());
            match (x.fetched, x.as_ordinary) {
                (true, _) => Point::Bad(format!("{what} is fetched from where a stranger says")),
                (false, false) => Point::Good(format!("{what} is refused with {}", x.status)),
                (false, true) => {
                    Point::Unclear(format!("{what} is taken and not fetched; could the device have called us?"))
                }
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried("xml-entities")
    }
}
