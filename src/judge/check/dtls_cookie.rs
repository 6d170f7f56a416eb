//! Who answers much to an address that nobody proved can be aimed at somebody else.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::Observation;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "dtls-cookie",
    title: "DTLS asks for proof of address before big answers",
    page: include_str!("dtls_cookie.md"),
    expected: "the first answer is a demand for a cookie and no larger than a few times the hello",
    remedy: "enable the cookie exchange of the DTLS library",
    severity: Severity::Medium,
    pass: Proves::Full,
    needs: &["dtls-survey"],
    bind: bind::<DtlsCookie>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DtlsCookie {
    /// The most bytes that may come back for one that was sent.
    #[serde(default = "three")]
    most: u64,
}

fn three() -> u64 {
    3
}

impl Judge for DtlsCookie {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let flights = evidence.known("dtls-survey", |r| match r.observation {
            Observation::DtlsFirstFlight { cookie_asked, sent, received } => Some((cookie_asked, sent, received)),
            _ => None,
        });
        every(&flights, "no DTLS service", |seen| {
            let (cookie, sent, received) = seen.what;
            let at = seen.subject();
            match (cookie, received <= sent.saturating_mul(self.most)) {
                (true, true) => Point::Good(format!("{at}: asks for a cookie first")),
                (true, false) => {
                    Point::Bad(format!("{at}: {received} bytes for {sent}, although it asks for a cookie"))
                }
                (false, _) => Point::Bad(format!("{at}: goes on without a cookie, {received} bytes for {sent}")),
            }
        })
    }
}
