//! What the maker publishes about updates: reached as declared, and about what it should be.
use super::{
    Check, Judge, Proves, Severity, bind,
    common::{never_absent, not_declared},
    documents::{RUN, Reach, TABLE, declared, open_to_a_person, reach},
    terms::{find, is_whole_english},
};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::observation::public::Document;
use serde::Deserialize;

const NON_UPDATABLE: &str = "pub_non_updatable";
/// A page of fewer characters may be a cookie banner, or be filled by scripts.
const LITTLE: usize = 200;

pub const PUBLISHED: Check = Check {
    id: "non-updatable-published",
    title: "What cannot be updated is published",
    page: include_str!("non_updatable_published.md"),
    expected: "the declared address shows anybody a page about updates and about replacement",
    remedy: "publish why the parts cannot be updated, how long they are supported, and how they are replaced",
    severity: Severity::Low,
    pass: Proves::Partial,
    needs: &[RUN],
    bind: bind::<Published>,
};

pub const BY_ADDRESS: Check = Check {
    id: "pub-access-by-address",
    title: "Publications are declared by their address alone",
    page: include_str!("pub_access_by_address.md"),
    expected: "the IXIT names nothing but web addresses as the way to the publications about updates and flaws",
    remedy: "have an assessor follow the way that is declared",
    severity: Severity::Info,
    pass: Proves::Nothing,
    needs: &[],
    bind: bind::<ByAddress>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {}

impl Judge for Published {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let decision = every(&declared(evidence, NON_UPDATABLE), "no publication is declared", |seen| {
            match reach(evidence, seen.what) {
                Reach::Open(d) | Reach::Copy(d) => about(d),
                Reach::Not(why) => Point::Bad(why),
                Reach::Unclear(why) => Point::Unclear(why),
            }
        });
        never_absent(decision, "ixit table 2-UserInfo", "it declares no address of such a publication")
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        open_to_a_person(&self.judge(evidence))
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

fn about(d: &Document) -> Point {
    let url = &d.url;
    let Some(text) = d.text.as_deref().filter(|t| t.chars().count() >= LITTLE) else {
        return Point::Unclear(format!("{url} has too little text that we can read: read it"));
    };
    match (find("support", text), find("replacement", text)) {
        (Some(support), Some(replacement)) => {
            Point::Good(format!("{url} speaks of `{support}` and of `{replacement}`"))
        }
        (None, None) if is_whole_english(d) => {
            Point::Bad(format!("{url} speaks neither of updates nor of replacement"))
        }
        _ => Point::Unclear(format!("{url}: see that it says why there is no update, and how parts are replaced")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ByAddress {}

const FIELDS: [&str; 3] = [NON_UPDATABLE, "pub_support_period", "pub_vdp"];

impl Judge for ByAddress {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let Some(entries) = evidence.declared(TABLE) else {
            return not_declared(TABLE, "how users find the publications is not declared".to_owned());
        };
        let decision = every(&entries, "nothing is declared", |seen| {
            let said: Vec<&str> = FIELDS.iter().map(|f| seen.what.text(f)).filter(|t| !t.is_empty()).collect();
            let in_words =
                |t: &&&str| !t.split_whitespace().all(|w| w.starts_with("https://") || w.starts_with("http://"));
            match (said.is_empty(), said.iter().find(in_words)) {
                (true, _) => Point::Unclear("no publication is declared".to_owned()),
                (false, Some(words)) => Point::Unclear(format!("`{words}`: more than an address")),
                (false, None) => Point::Good(format!("declared by address alone: {}", said.join(", "))),
            }
        });
        never_absent(decision, "ixit table 2-UserInfo", "it declares no publication")
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        open_to_a_person(&self.judge(evidence))
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}
