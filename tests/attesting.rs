//! Declarations and assessors drive judging: what is declared and not seen stays open, what is seen and not declared
//! fails, what a person attests completes and never lifts.
#![expect(clippy::unwrap_used, reason = "tests")]
#[path = "support/recorded.rs"]
mod recorded;
use patuh::{
    judge::{
        Assessment, Inputs, Profile,
        assess::{Outcome, Read, RequirementRow},
        assess_attested,
        profile::Method,
    },
    model::{Attestations, Ics, Ixit, Recording, Sha256Digest},
    report::{Report, Standing, html, text},
};
use proptest::prelude::*;
use recorded::{Seen, accepted, open, recording, service, surface};
use serde_json::json;

/// What is laid beside a recording.
#[derive(Default)]
struct Beside<'a> {
    ics: &'a str,
    ixit: &'a str,
    attested: &'a str,
}

fn judged(r: &Recording, beside: &Beside<'_>) -> Assessment {
    let digest = Sha256Digest::of(b"");
    let ics = Read { value: Ics::parse("ics.toml", beside.ics).unwrap(), digest: digest.clone() };
    let ixit = Read { value: Ixit::parse("ixit.toml", beside.ixit).unwrap(), digest: digest.clone() };
    let said = Read { value: Attestations::parse("attestations.jsonl", beside.attested).unwrap(), digest };
    let inputs = Inputs { recording: r, ics: Some(&ics), ixit: Some(&ixit) };
    assess_attested(&inputs, Some(&said), &Profile::builtin("etsi-en303645-v2").unwrap())
}

fn requirement<'a>(a: &'a Assessment, id: &str) -> &'a RequirementRow {
    a.requirements.iter().find(|r| r.id == id).unwrap()
}

fn said(unit: &str, verdict: &str, by: &str, expires: Option<&str>) -> String {
    json!({"line":"attestation","unit":unit,"verdict":verdict,"by":by,"why":"looked at it","at":"2026-05-01T00:00:00Z","expires":expires})
        .to_string()
        + "\n"
}

/// The units of a provision's group that are not repeats of others.
fn units(group: &str) -> Vec<String> {
    let all = Method::find("ts103701-v1").unwrap().units();
    all.filter(|(g, _, u)| g.id == group && u.same_as.is_none()).map(|(_, _, u)| u.id.clone()).collect()
}

const MECHANISMS: [&str; 7] = ["http-form", "http-basic", "ssh", "ftp", "mqtt", "snmp", "rtsp"];

fn seven() -> String {
    let one = |(n, m): (usize, &&str)| format!("[[1-AuthMech]]\nid = \"Auth-{n}\"\nx-mechanism = \"{m}\"\n");
    MECHANISMS.iter().enumerate().map(one).collect()
}

#[test]
fn declared_mechanisms_that_were_not_exercised_leave_brute_force_open_and_are_named() {
    let four: Vec<Seen> = MECHANISMS[..4].iter().map(|m| surface(m, "tcp/127.0.0.1:443")).collect();
    let a = judged(&recording(&four), &Beside { ixit: &seven(), ..Beside::default() });
    let row = requirement(&a, "5.1-5");
    assert_eq!(row.outcome, Outcome::Inconclusive);
    let why = row.reasons.iter().find(|r| r.starts_with("auth-mech-inventory: ")).unwrap();
    for (n, m) in MECHANISMS.iter().enumerate() {
        assert_eq!(why.contains(&format!("Auth-{n} ({m})")), n >= 4, "{why}");
    }
    let check = a.results.iter().find(|r| r.check == "auth-mech-inventory").unwrap();
    let of =
        |outcome| check.entries.iter().filter(|e| e.verdict == outcome).map(|e| e.entry.as_str()).collect::<Vec<_>>();
    assert_eq!(of(Outcome::Pass), ["Auth-0", "Auth-1", "Auth-2", "Auth-3"]);
    assert_eq!(of(Outcome::Inconclusive), ["Auth-4", "Auth-5", "Auth-6"]);
    assert!(text(&a).contains("1-AuthMech Auth-5: INCONCLUSIVE"), "{}", text(&a));
    // All seven exercised, it is a person's turn.
    let all: Vec<Seen> = MECHANISMS.iter().map(|m| surface(m, "tcp/127.0.0.1:443")).collect();
    let a = judged(&recording(&all), &Beside { ixit: &seven(), ..Beside::default() });
    let row = requirement(&a, "5.1-5");
    assert_eq!(row.outcome, Outcome::AwaitingAssessor, "{:?}", row.reasons);
}

#[test]
fn a_mechanism_declared_for_one_port_is_not_exercised_by_finding_it_on_another() {
    let ixit = "[[1-AuthMech]]\nid = \"web\"\nx-mechanism = \"http-form\"\n[[1-AuthMech]]\nid = \"service\"\nx-mechanism = \"http-form\"\n\
        [[x-endpoints]]\ntransport = \"tcp\"\nport = 443\nprotocol = \"https\"\nauth_ref = \"web\"\n\
        [[x-endpoints]]\ntransport = \"tcp\"\nport = 8443\nprotocol = \"https\"\nauth_ref = [\"service\"]\n";
    let a = judged(&recording(&[surface("http-form", "tcp/127.0.0.1:443")]), &Beside { ixit, ..Beside::default() });
    let row = requirement(&a, "5.1-5");
    let why = row.reasons.iter().find(|r| r.starts_with("auth-mech-inventory: ")).unwrap();
    assert!(why.contains("service (http-form)") && !why.contains("web (http-form)"), "{why}");
}

#[test]
fn telnet_on_an_odd_port_that_nobody_declared_fails_the_completeness_units() {
    let at = "tcp/127.0.0.1:50023";
    let seen = [open(at), service("telnet", at), surface("telnet", at)];
    let ixit = "[[x-endpoints]]\ntransport = \"tcp\"\nport = 443\nprotocol = \"https\"\n[[1-AuthMech]]\nid = \"a\"\nx-mechanism = \"http-form\"\n";
    let a = judged(&recording(&seen), &Beside { ixit, ..Beside::default() });
    for unit in ["5.1-1-2a", "5.6-1-2a"] {
        assert_eq!(a.units.iter().find(|u| u.id == unit).unwrap().verdict, Outcome::Fail, "{unit}");
    }
    assert_eq!(requirement(&a, "5.6-1").outcome, Outcome::Fail);
    assert!(requirement(&a, "5.6-1").reasons.join("\n").contains("127.0.0.1:50023 (telnet) is not declared"));
    let check = a.results.iter().find(|r| r.check == "svc-undeclared-open").unwrap();
    assert_eq!(
        check.entries.iter().map(|e| (e.entry.as_str(), e.verdict)).collect::<Vec<_>>(),
        [("tcp/443", Outcome::Inconclusive)]
    );
}

#[test]
fn each_declared_log_in_has_its_own_verdict_on_default_passwords() {
    let mut seen = accepted("ssh", "tcp/127.0.0.1:22");
    seen.push(surface("ssh", "tcp/127.0.0.1:2222"));
    let refused =
        json!({"kind":"login-trial","mechanism":"ssh","user":"root","presented":"wrong","answer":"refused","proof":""});
    let listed = json!({"kind":"login-trial","mechanism":"ssh","user":"root","presented":{"listed":"cred-0001"},"answer":"refused","proof":""});
    seen.extend([("logins", "tcp/127.0.0.1:2222", refused), ("logins", "tcp/127.0.0.1:2222", listed)]);
    let one = |(id, port): (&str, u16)| {
        format!(
            "[[1-AuthMech]]\nid = \"{id}\"\nx-mechanism = \"ssh\"\n[[x-endpoints]]\ntransport = \"tcp\"\nport = {port}\nprotocol = \"ssh\"\nauth_ref = \"{id}\"\n"
        )
    };
    let ixit: String = [("bad", 22), ("good", 2222), ("gone", 2022)].map(one).concat();
    let a = judged(&recording(&seen), &Beside { ixit: &ixit, ..Beside::default() });
    let check = a.results.iter().find(|r| r.check == "ssh-default-creds").unwrap();
    let rows: Vec<_> = check.entries.iter().map(|e| (e.entry.as_str(), e.verdict)).collect();
    assert_eq!(rows, [("bad", Outcome::Fail), ("good", Outcome::Pass), ("gone", Outcome::Inconclusive)]);
}

const NO_PASSWORDS: &str =
    "[conditions]\n\"1\" = false\n[claims]\n\"5.1-1\" = { support = \"not-applicable\", reason = \"no passwords\" }\n";

#[test]
fn a_claim_of_not_applicable_that_the_device_refutes_is_a_contradiction_and_changes_nothing() {
    let r = recording(&[surface("ssh", "tcp/127.0.0.1:22")]);
    let (plain, a) = (judged(&r, &Beside::default()), judged(&r, &Beside { ics: NO_PASSWORDS, ..Beside::default() }));
    assert_eq!(requirement(&a, "5.1-1").outcome, requirement(&plain, "5.1-1").outcome);
    let about: Vec<_> = a.contradictions.iter().map(|c| (c.about.as_str(), c.evidence.join(","))).collect();
    assert_eq!(about, [("5.1-1", "r1".to_owned()), ("condition 1", "r1".to_owned())]);
    assert!(text(&a).contains("declared otherwise than observed (2)"));
    let page = html(&Report {
        recording: &r,
        assessments: &[a],
        standing: Standing::Unsealed,
        replaces: None,
        laboratory: None,
    })
    .unwrap();
    assert!(page.contains("Declared otherwise than observed") && page.contains("a log-in by ssh"));
    // Where nothing of it is seen, the claim stands.
    let a = judged(&recording(&[]), &Beside { ics: NO_PASSWORDS, ..Beside::default() });
    assert_eq!((requirement(&a, "5.1-1").outcome, a.contradictions.len()), (Outcome::NotApplicable, 0));
}

#[test]
fn only_a_provision_with_a_condition_can_be_claimed_away() {
    let ics = "[claims]\n\"5.2-1\" = { support = \"not-applicable\", reason = \"we have none\" }\n";
    let a = judged(&recording(&[]), &Beside { ics, ..Beside::default() });
    assert_ne!(requirement(&a, "5.2-1").outcome, Outcome::NotApplicable);
    assert!(a.contradictions.iter().any(|c| c.about == "5.2-1"), "{:?}", a.contradictions);
    let held = NO_PASSWORDS.replace("false", "true");
    let a = judged(&recording(&[]), &Beside { ics: &held, ..Beside::default() });
    assert_ne!(requirement(&a, "5.1-1").outcome, Outcome::NotApplicable);
    let other = format!("catalogue = \"en303645-v3\"\n{NO_PASSWORDS}");
    let a = judged(&recording(&[]), &Beside { ics: &other, ..Beside::default() });
    assert_ne!(requirement(&a, "5.1-1").outcome, Outcome::NotApplicable, "another edition's claims are not used");
}

#[test]
fn what_the_maker_says_is_not_met_fails() {
    let ics = "[claims]\n\"5.4-1\" = { support = \"no\", reason = \"flash is not encrypted\" }\n";
    let a = judged(&recording(&[]), &Beside { ics, ..Beside::default() });
    assert_eq!(requirement(&a, "5.4-1").outcome, Outcome::Fail);
    assert!(requirement(&a, "5.4-1").reasons.join("\n").contains("flash is not encrypted"));
}

#[test]
fn a_requirement_passes_when_every_unit_of_it_is_attested_and_not_before() {
    let group = "5.4-3";
    let all = units(group);
    assert!(all.len() > 1);
    let with = |lines: String| {
        let a = judged(&recording(&[]), &Beside { attested: &lines, ..Beside::default() });
        (requirement(&a, group).outcome, a)
    };
    let pass = |u: &String| said(u, "pass", "A. Tan", None);
    assert_eq!(with(String::new()).0, Outcome::AwaitingAssessor);
    assert_eq!(with(all.iter().skip(1).map(pass).collect()).0, Outcome::AwaitingAssessor, "one unit is open");
    let whole: String = all.iter().map(pass).collect();
    let (outcome, a) = with(whole.clone());
    assert_eq!(outcome, Outcome::Pass);
    assert!(a.units.iter().filter(|u| all.contains(&u.id)).all(|u| u.attested_by == ["A. Tan"]));
    // A second person's doubt counts, and nobody outvotes a FAIL.
    let first = all.first().unwrap();
    assert_eq!(with(whole.clone() + &said(first, "inconclusive", "B. Lim", None)).0, Outcome::Inconclusive);
    assert_eq!(with(whole.clone() + &said(first, "fail", "B. Lim", None)).0, Outcome::Fail);
    // The same person may think again: both lines stay, the newer one counts.
    let (outcome, a) = with(said(first, "fail", "A. Tan", None) + &whole);
    assert_eq!((outcome, a.attestations.len()), (Outcome::Pass, all.len() + 1));
    assert_eq!(a.attestations.first().unwrap().standing.word(), "superseded");
    // The requirement as a whole can be attested, too.
    assert_eq!(with(said(group, "pass", "A. Tan", None)).0, Outcome::Pass);
}

#[test]
fn an_expired_attestation_is_shown_and_counts_no_more() {
    let lines: String = units("5.4-3").iter().map(|u| said(u, "pass", "A. Tan", Some("2026-05-31"))).collect();
    let a = judged(&recording(&[]), &Beside { attested: &lines, ..Beside::default() });
    assert_eq!(requirement(&a, "5.4-3").outcome, Outcome::AwaitingAssessor);
    assert!(a.attestations.iter().all(|t| t.standing.word() == "expired") && text(&a).contains("(expired)"));
    let on_its_last_day = lines.replace("2026-05-31", "2026-06-01");
    let a = judged(&recording(&[]), &Beside { attested: &on_its_last_day, ..Beside::default() });
    assert_eq!(requirement(&a, "5.4-3").outcome, Outcome::Pass);
}

#[test]
fn an_attested_pass_never_lifts_a_fail_and_shows_as_contradicted() {
    let r = recording(&accepted("telnet", "tcp/127.0.0.1:23"));
    let lines = said("5.1-1", "pass", "A. Tan", None) + &said("5.1-1-2c", "pass", "A. Tan", None);
    let a = judged(&r, &Beside { attested: &lines, ..Beside::default() });
    assert_eq!(requirement(&a, "5.1-1").outcome, Outcome::Fail);
    assert_eq!(a.units.iter().find(|u| u.id == "5.1-1-2c").unwrap().verdict, Outcome::Fail);
    assert!(a.attestations.iter().all(|t| t.standing.word() == "contradicted"), "{:?}", a.attestations);
}

#[test]
fn a_waiver_is_seen_everywhere_and_changes_no_outcome() {
    let r = recording(&accepted("telnet", "tcp/127.0.0.1:23"));
    let waiver = json!({"line":"waiver","requirement":"5.1-1","by":"C. Ng","why":"next release","at":"2026-05-01T00:00:00Z","expires":"2026-12-31"});
    let (plain, a) =
        (judged(&r, &Beside::default()), judged(&r, &Beside { attested: &format!("{waiver}\n"), ..Beside::default() }));
    assert_eq!((a.verdict, requirement(&a, "5.1-1").outcome), (plain.verdict, Outcome::Fail));
    assert!(text(&a).contains("waived by C. Ng until 2026-12-31, which changes no outcome"));
    assert_eq!(a.waivers.len(), 1);
    let page = html(&Report {
        recording: &r,
        assessments: &[a],
        standing: Standing::Unsealed,
        replaces: None,
        laboratory: None,
    })
    .unwrap();
    assert!(page.contains("waived by C. Ng"));
}

#[test]
fn a_broken_or_unsigned_attestation_is_an_error_that_names_its_line() {
    let good = said("5.4-3-1a", "pass", "A. Tan", None);
    for (bad, message) in [
        ("{", "a.jsonl:2: EOF"),
        (&said("5.4-3-1a", "passed", "A. Tan", None), "a.jsonl:2: unknown variant `passed`"),
        (&said("5.4-3-1a", "pass", " ", None), "a.jsonl:2: a judgement needs somebody and a reason"),
        (&said("5.4-3-1a", "pass", "A. Tan", Some("soon")), "a.jsonl:2: `soon` is not a day"),
        (&good.replace("\"why\"", "\"second\":\"A. Tan\",\"why\""), "a.jsonl:2: the second person is `A. Tan` again"),
        (
            &good.replace(
                "\"why\"",
                &format!("\"attachment\":{{\"name\":\"../x\",\"sha256\":\"{}\"}},\"why\"", Sha256Digest::of(b"")),
            ),
            "a.jsonl:2: `../x` is not the name of a file",
        ),
    ] {
        let e = Attestations::parse("a.jsonl", &format!("{good}{bad}")).unwrap_err().to_string();
        assert!(e.starts_with(message), "{e}\n  instead of\n{message}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever people attest, nothing that the checks found wrong or could not tell becomes better.
    #[test]
    fn attestations_lift_nothing_but_what_awaits_them(
        passes in prop::collection::vec(any::<prop::sample::Index>(), 0..60), telnet in any::<bool>(), whole in any::<bool>(),
    ) {
        let seen = if telnet { accepted("telnet", "tcp/127.0.0.1:23") } else { vec![surface("ssh", "tcp/127.0.0.1:22")] };
        let r = recording(&seen);
        let before = judged(&r, &Beside::default());
        let mut ids: Vec<String> = before.units.iter().map(|u| u.id.clone()).collect();
        if whole {
            ids.extend(before.requirements.iter().map(|r| r.id.clone()));
        }
        let lines: String = passes.iter().map(|i| said(i.get::<String>(&ids), "pass", "A. Tan", None)).collect();
        let after = judged(&r, &Beside { attested: &lines, ..Beside::default() });
        for (b, a) in before.requirements.iter().zip(&after.requirements) {
            let lifted = b.outcome == Outcome::AwaitingAssessor && a.outcome == Outcome::Pass;
            prop_assert!(a.outcome == b.outcome || lifted, "{}: {:?} became {:?}", b.id, b.outcome, a.outcome);
        }
        for (b, a) in before.units.iter().zip(&after.units) {
            let lifted = b.verdict == Outcome::AwaitingAssessor && a.verdict == Outcome::Pass;
            prop_assert!(a.verdict == b.verdict || lifted, "{}: {:?} became {:?}", b.id, b.verdict, a.verdict);
        }
    }
}

#[test]
fn a_deciding_check_passes_or_fails_a_unit_without_a_person_and_leaves_what_it_cannot_tell_to_one() {
    let nothing = recording(&[]);
    let outcome = |details: &str, attested: &str| {
        let ixit = format!("[[11-ComMech]]\nid = \"Com-1\"\ncrypto_details = \"{details}\"\n");
        let a = judged(&nothing, &Beside { ixit: &ixit, attested, ..Beside::default() });
        a.units.iter().find(|u| u.id == "5.5-1-1c").unwrap().verdict
    };
    let (passed, failed) = (said("5.5-1-1c", "pass", "A. Tan", None), said("5.5-1-1c", "fail", "A. Tan", None));
    assert_eq!(outcome("TLS 1.3, AES-128-GCM", ""), Outcome::Pass);
    assert_eq!(outcome("TLS 1.3, AES-128-GCM", &failed), Outcome::Fail, "a person may know of a newer attack");
    assert_eq!(outcome("TLS 1.0", ""), Outcome::Fail);
    assert_eq!(outcome("TLS 1.0", &passed), Outcome::Fail, "a person does not lift what a check found");
    assert_eq!(outcome("our own cipher", ""), Outcome::AwaitingAssessor);
    assert_eq!(outcome("our own cipher", &passed), Outcome::Pass, "the supplier's evidence was looked at");
}
