//! A client that offers what is broken can be made to use it.
use super::{
    Check, Judge, Proves, Severity, bind,
    capture::{RUN, watched},
    tls::{Named, broken, few, is_known},
};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Record,
    observation::{TlsVersion, capture::Hello},
};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "client-hello-profile",
    title: "Outbound ClientHello offers only good versions and suites",
    page: include_str!("client_hello_profile.md"),
    expected: "every hello of the device offers TLS 1.2 or newer and no suite that the policy forbids",
    remedy: "update the TLS client, and restrict its suites to ECDHE with AES-GCM or ChaCha20-Poly1305",
    severity: Severity::Medium,
    pass: Proves::Full,
    needs: &[RUN],
    bind: bind::<ClientHelloProfile>,
};

fn a_day() -> u32 {
    24
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientHelloProfile {
    #[serde(default = "broken")]
    policy: Named,
    #[serde(default = "a_day")]
    hours: u32,
}

impl Judge for ClientHelloProfile {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let hellos = evidence.known(RUN, |r: &Record| match &r.observation {
            Observation::ClientHello { hello } => Some(hello),
            _ => None,
        });
        let decision = every(&hellos, "no TLS connection of the device", |s| {
            let name = s.what.name.as_ref().map(|n| format!("{n} ")).unwrap_or_default();
            self.point(s.what, &format!("{name}({})", s.subject()))
        });
        watched(decision, evidence, self.hours, &[])
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried(RUN)
    }
}

impl ClientHelloProfile {
    fn point(&self, hello: &Hello, to: &str) -> Point {
        let old = hello.agreed.iter().map(|a| a.0).find(|v| *v < TlsVersion::Tls12);
        let Some(newest) = hello.offered.last() else {
            return Point::Unclear(format!("{to}: offers a version that is not known"));
        };
        if *newest < TlsVersion::Tls12 {
            return Point::Bad(format!("{to}: offers nothing newer than {}", newest.word()));
        }
        if let Some(old) = old {
            return Point::Bad(format!("{to}: went on under {}", old.word()));
        }
        let bad: Vec<String> =
            hello.suites.iter().filter_map(|n| self.policy.0.forbids(n).map(|why| format!("{n} ({why})"))).collect();
        let unknown: Vec<String> = hello.suites.iter().filter(|n| !is_known(n)).cloned().collect();
        match (bad.is_empty(), unknown.is_empty()) {
            (false, _) => Point::Bad(format!("{to}: offers {}", few(&bad))),
            (true, false) => Point::Unclear(format!("{to}: nothing is known of {}", few(&unknown))),
            (true, true) => Point::Good(format!("{to}: offers {} suites, up to {}", hello.suites.len(), newest.word())),
        }
    }
}
