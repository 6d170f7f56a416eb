//! How far a laboratory's attacks reach: is the declared mechanism the one that was attacked, and in every way?
use super::{
    Check, Judge, Proves, Severity, bind,
    common::{listed, never_absent, not_declared},
    lab::{IMAGES, SERVERS, met, takes_genuine, trial, visit},
};
use crate::judge::{
    Decision, Evidence, Verdict,
    judgement::{Point, every},
};
use crate::model::{
    declarations::Entry,
    observation::lab::{ImageCase, PULL, ServerCase},
};
use serde::Deserialize;
use std::collections::BTreeSet;

const TABLE: &str = "7-UpdMech";

pub const EXERCISED: Check = Check {
    id: "upd-mechanism-exercised",
    title: "The declared update mechanism is the one that was attacked",
    page: include_str!("upd_mechanism_exercised.md"),
    expected: "table 7-UpdMech has one mechanism, and the device took the genuine image by it in the laboratory",
    remedy: "have an assessor attack the mechanisms named",
    severity: Severity::Info,
    pass: Proves::Nothing,
    needs: &[IMAGES],
    bind: bind::<Exercised>,
};

pub const ATTACKS: Check = Check {
    id: "upd-attacks-carried-out",
    title: "The update mechanism was attacked in every way that the laboratory knows",
    page: include_str!("upd_attacks_carried_out.md"),
    expected: "the device met every wrong certificate, old TLS, both ways back to plain HTTP, and every wrong image",
    remedy: "let the laboratory run through all cases, or have an assessor carry out those that are named",
    severity: Severity::Info,
    pass: Proves::Nothing,
    needs: &[IMAGES, SERVERS],
    bind: bind::<Attacks>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exercised {}

impl Judge for Exercised {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let trials = evidence.known_of(IMAGES, Some(ImageCase::Genuine.word()), trial);
        let trials = trials.only(|t| t.case == ImageCase::Genuine);
        let Some(entries) = evidence.declared(TABLE) else {
            return not_declared(TABLE, "which mechanisms there are is not known".to_owned());
        };
        let declared: Vec<&Entry> = entries.items().iter().map(|s| s.what).collect();
        let took = takes_genuine(trials.items(), ImageCase::Genuine);
        let decision = every(&trials, "no image was offered", |seen| reached(&declared, &seen.what.delivery, took));
        never_absent(decision, IMAGES, "the laboratory offered no genuine image")
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        undecided(&self.judge(evidence))
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

fn reached(declared: &[&Entry], attacked: &str, took: bool) -> Point {
    let [entry] = declared else {
        let names = listed(declared.iter().map(|e| e.name()));
        return Point::Unclear(format!("{} mechanisms are declared ({names}); one was attacked", declared.len()));
    };
    let (name, delivery) = (entry.name(), entry.text("x-delivery"));
    let more = listed(["x-paths", "x-ports"].iter().flat_map(|key| entry.list(key)));
    if !more.is_empty() {
        return Point::Unclear(format!("{name} takes updates at {more}, too, which was not attacked"));
    }
    match delivery {
        "" => Point::Unclear(format!("{name} does not say how updates come (x-delivery)")),
        d if d != attacked => {
            Point::Unclear(format!("{name} brings updates by `{delivery}`; the laboratory attacked `{attacked}`"))
        }
        PULL if took => {
            Point::Good(format!("{name} is the only mechanism: the device fetched the genuine image by it"))
        }
        _ if took => Point::Good(format!("{name} is the only mechanism: the genuine image was taken by `{attacked}`")),
        _ => Point::Unclear(format!("{name}: the genuine image was not seen to be taken")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attacks {}

/// Every mutation that needs nothing but the maker's image and keys.
const WRONG_IMAGES: [ImageCase; 8] = [
    ImageCase::PayloadBit,
    ImageCase::SignatureBit,
    ImageCase::Stripped,
    ImageCase::OtherKey,
    ImageCase::OtherModel,
    ImageCase::Truncated,
    ImageCase::Cut,
    ImageCase::Older,
];

impl Judge for Attacks {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let shown = evidence.known(SERVERS, visit).only(|v| met(v));
        let tried = evidence.known(IMAGES, trial).only(|t| t.fetched > 0);
        let servers: BTreeSet<ServerCase> = shown.items().iter().map(|s| s.what.case).collect();
        let images: BTreeSet<ImageCase> = tried.items().iter().map(|s| s.what.case).collect();
        let wanted = [&ServerCase::BAD_CERTIFICATES[..], &ServerCase::OLD_VERSIONS, &ServerCase::FALLBACKS].concat();
        let missing: Vec<&str> = wanted
            .iter()
            .filter(|c| !servers.contains(c))
            .map(|c| c.words())
            .chain(WRONG_IMAGES.iter().filter(|c| !images.contains(c)).map(|c| c.words()))
            .collect();
        let all = shown.map(|_| ()).and(tried.map(|_| ()));
        let decision = every(&all, "the device met nothing", |_| match missing.is_empty() {
            true => Point::Good(format!("met {} servers and {} images, all wrong", wanted.len(), WRONG_IMAGES.len())),
            false => Point::Unclear(format!("did not meet {}", missing.join(", "))),
        });
        never_absent(decision, SERVERS, "the device did not come to the laboratory")
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        undecided(&self.judge(evidence))
    }
}

/// Then a person, with tools of their own, decides.
fn undecided(decision: &Decision) -> bool {
    match decision {
        Decision::Absent { .. } => true,
        Decision::Judged(j) => j.verdict() == Verdict::Inconclusive,
    }
}
