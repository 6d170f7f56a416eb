//! Accounts that work are accounts that are declared.
use super::common::not_declared;
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Record, Subject,
    declarations::ixit::Supplied,
    observation::{Answer, Mechanism, Presented},
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

pub const CHECK: Check = Check {
    id: "account-undocumented",
    title: "No undocumented accounts",
    page: include_str!("account_undocumented.md"),
    expected: "every account that was proved is named in table 1-AuthMech",
    remedy: "remove the account, or document it",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["logins"],
    bind: bind::<AccountUndocumented>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountUndocumented {}

impl Judge for AccountUndocumented {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let trials = evidence.known("logins", trial);
        let Some(declared) = accounts(evidence) else {
            let proved: BTreeSet<&str> =
                trials.items().iter().filter(|s| s.what.1 == Answer::Accepted).map(|s| s.what.0.1).collect();
            let seen = match proved.is_empty() {
                true => "no account was proved".to_owned(),
                false => format!("accepted: {}", proved.into_iter().collect::<Vec<_>>().join(", ")),
            };
            return not_declared("1-AuthMech", seen);
        };
        let mut accepted: BTreeMap<(&Subject, Key<'_>), u32> = BTreeMap::new();
        for seen in trials.items().iter().filter(|s| s.what.1 == Answer::Accepted) {
            *accepted.entry((seen.subject(), seen.what.0)).or_default() += 1;
        }
        every(&trials, "no log-in was tried", |seen| {
            let (key @ (mechanism, user, _), _) = seen.what;
            let what = format!("{} on {}", mechanism.word(), seen.subject());
            // Any credential would do where a random one does.
            let any = accepted.contains_key(&(seen.subject(), (mechanism, "(random)", None)));
            match accepted.get(&(seen.subject(), key)) {
                Some(n) if *n >= 2 && !any && key.2.is_some() && !declared.contains(user) => {
                    Point::Bad(format!("{what}: account `{user}` opens and is not declared"))
                }
                Some(n) if *n < 2 && key.2.is_some() => Point::Unclear(format!("{what}: `{user}` was accepted once")),
                Some(_) if any => Point::Unclear(format!("{what}: it takes anybody, so that no account is proved")),
                Some(_) | None => Point::Good(format!("{what}: no account was proved that is not declared")),
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        accounts(evidence).is_none()
    }

    fn tables(&self) -> &'static [&'static str] {
        &["1-AuthMech"]
    }
}

/// The accounts that the maker names, by `x-accounts`; nothing where no entry does.
fn accounts<'a>(evidence: &Evidence<'a>) -> Option<BTreeSet<&'a str>> {
    let Supplied::Entries(entries) = evidence.ixit?.supplied("1-AuthMech") else { return None };
    let named = entries.iter().filter(|e| !e.observed && e.fields.contains_key("x-accounts"));
    let all: Vec<_> = named.collect();
    (!all.is_empty()).then(|| all.iter().flat_map(|e| e.list("x-accounts")).map(String::as_str).collect())
}

/// Mechanism, user, and the credential's id in the list; none for the random control.
type Key<'a> = (Mechanism, &'a str, Option<&'a str>);

fn trial(record: &Record) -> Option<(Key<'_>, Answer)> {
    match &record.observation {
        // A token and a key of DTLS are no accounts.
        Observation::LoginTrial { mechanism: Mechanism::HttpToken | Mechanism::Psk | Mechanism::Redis, .. } => None,
        Observation::LoginTrial { mechanism, user, presented, answer, .. } => match presented {
            Presented::Listed(id) => Some(((*mechanism, user, Some(id)), *answer)),
            Presented::Wrong => Some(((*mechanism, user, None), *answer)),
            Presented::Nothing | Presented::Anonymous | Presented::Supplied => None,
        },
        _ => None,
    }
}
