//! Laws of judging, over recordings that nobody wrote by hand.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
use patuh::{
    judge::{
        Inputs, Profile,
        assess::{Outcome, assess},
        profile::{BUILTIN, Catalogue, Method},
    },
    model::Recording,
    scan::PROBES,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const AT: &str = "2026-01-01T00:00:00Z";

fn line(v: Value) -> String {
    v.to_string() + "\n"
}

fn header() -> String {
    let plan: Vec<&str> = PROBES.iter().map(|p| p.id).collect();
    line(
        json!({"line":"header","format":"recording/1","tool":{"name":"patuh","version":"0"},"targets":["d"],"hosts":["127.0.0.1"],
        "scope":{"authorised_by":"t","hosts":["127.0.0.1/32"]},"plan":plan,"started":AT}),
    )
}

/// All probes finished, with these observations of these probes, and these gaps.
fn recording(records: &[(usize, Value)], gaps: &[(usize, &str)]) -> Recording {
    let mut text = header();
    let mut n = 0;
    for (p, probe) in PROBES.iter().enumerate() {
        let run = format!("p{p}");
        text += &line(
            json!({"line":"run-started","run":run,"probe":probe.id,"version":1,"subjects_from":probe.subjects_from,"at":AT}),
        );
        for (_, o) in records.iter().filter(|(of, _)| of % PROBES.len() == p) {
            n += 1;
            text += &line(
                json!({"line":"record","id":format!("r{n}"),"run":run,"subject":subject(o),"at":AT,"observation":o}),
            );
        }
        for (_, why) in gaps.iter().filter(|(of, _)| of % PROBES.len() == p) {
            text += &line(json!({"line":"gap","run":run,"gap":{"wanted":probe.id,"why":why}}));
        }
        text += &line(json!({"line":"run-finished","run":run,"at":AT}));
    }
    text += &line(json!({"line":"finished","at":AT}));
    Recording::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// A run names each endpoint once, so the two services have an endpoint each.
fn subject(o: &Value) -> &'static str {
    if o["service"] == "http" { "tcp/127.0.0.1:443" } else { "tcp/127.0.0.1:80" }
}

fn observation() -> impl Strategy<Value = (usize, Value)> {
    let one = prop_oneof![
        Just(("tcp-ports", json!({"kind":"port","state":{"state":"open"},"service":null}))),
        Just((
            "tcp-ports",
            json!({"kind":"swept","transport":"tcp","asked":"1-65535","open":"80","refused":"1-79,81-65535","silent":"","waited_ms":1,"took_ms":1})
        )),
        Just((
            "service-identify",
            json!({"kind":"service","service":"telnet","tls":false,"starttls":false,"product":null,"version":null,"vendor":null,"says":["x"]})
        )),
        Just((
            "service-identify",
            json!({"kind":"service","service":"http","tls":true,"starttls":false,"product":"nginx","version":"1.2","vendor":null,"says":["x"]})
        )),
        Just((
            "tls-versions",
            json!({"kind":"tls","version":"1.0","answer":{"answer":"accepted","suite":"S","forward_secrecy":false,"aead":false}})
        )),
        Just((
            "tls-versions",
            json!({"kind":"tls","version":"1.3","answer":{"answer":"accepted","suite":"S","forward_secrecy":true,"aead":true}})
        )),
        Just((
            "mqtt-session",
            json!({"kind":"mqtt-connect","protocol":"5","presented":"nothing","code":0,"accepted":true})
        )),
        Just(("logins", json!({"kind":"login-surface","mechanism":"telnet","path":"","asks":"yes","proof":"login:"}))),
        Just((
            "logins",
            json!({"kind":"login-trial","mechanism":"telnet","user":"r","presented":"wrong","answer":"refused","proof":""})
        )),
        Just((
            "logins",
            json!({"kind":"login-trial","mechanism":"telnet","user":"r","presented":{"listed":"cred-0001"},"answer":"accepted","proof":""})
        )),
    ];
    one.prop_map(|(probe, o)| (PROBES.iter().position(|p| p.id == probe).unwrap(), o))
}

fn judged(r: &Recording) -> Value {
    let profile = Profile::builtin("etsi-en303645-v2").unwrap();
    serde_json::to_value(assess(&Inputs { recording: r, ics: None, ixit: None }, &profile)).unwrap()
}

fn verdicts(v: &Value) -> Vec<(String, String)> {
    let rows = v["results"].as_array().unwrap();
    rows.iter().map(|r| (r["check"].as_str().unwrap().to_owned(), r["verdict"].as_str().unwrap().to_owned())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_gap_moves_a_verdict_only_to_inconclusive(records in prop::collection::vec(observation(), 0..12), at in 0usize..PROBES.len()) {
        let (before, after) = (judged(&recording(&records, &[])), judged(&recording(&records, &[(at, "device-gone")])));
        for (b, a) in verdicts(&before).iter().zip(verdicts(&after)) {
            prop_assert!(*b == a || a.1 == "INCONCLUSIVE", "{:?} became {:?}", b, a);
        }
    }

    #[test]
    fn the_order_of_records_is_irrelevant(records in prop::collection::vec(observation(), 0..10)) {
        let mut turned = records.clone();
        turned.reverse();
        prop_assert_eq!(verdicts(&judged(&recording(&records, &[]))), verdicts(&judged(&recording(&turned, &[]))));
    }

    #[test]
    fn the_same_recording_gives_the_same_bytes(records in prop::collection::vec(observation(), 0..10)) {
        let r = recording(&records, &[]);
        prop_assert_eq!(judged(&r).to_string(), judged(&r).to_string());
    }

    #[test]
    fn a_recording_cut_off_anywhere_can_be_read_and_says_what_is_missing(at in 0usize..4000) {
        let mut text = header();
        text += &line(json!({"line":"run-started","run":"p0","probe":"tcp-ports","version":1,"subjects_from":[],"at":AT}));
        text += &line(json!({"line":"run-finished","run":"p0","at":AT}));
        let cut = &text.as_bytes()[..at.min(text.len())];
        match Recording::parse(cut) {
            Ok(r) => prop_assert!(!r.gaps().is_empty()),
            Err(e) => prop_assert!(!cut.contains(&b'\n'), "{}", e),
        }
    }
}

#[test]
fn having_judged_nothing_is_never_a_pass() {
    for (id, _) in BUILTIN {
        let profile = Profile::builtin(id).unwrap();
        let empty = Recording::parse(header().as_bytes()).unwrap();
        let a = assess(&Inputs { recording: &empty, ics: None, ixit: None }, &profile);
        assert_eq!(a.verdict, Outcome::Inconclusive, "{id}");
        for r in &a.results {
            assert_eq!(r.verdict, Outcome::Inconclusive, "{id} {}: {}", r.check, r.observed);
        }
        assert_eq!(a.counts.pass, 0);
    }
}

#[test]
fn ten_thousand_observations_are_judged_within_a_second() {
    let o = json!({"kind":"login-trial","mechanism":"telnet","user":"r","presented":{"listed":"cred-0001"},"answer":"refused","proof":""});
    let at = PROBES.iter().position(|p| p.id == "logins").unwrap();
    let records: Vec<_> = (0..10_000).map(|_| (at, o.clone())).collect();
    let r = recording(&records, &[]);
    let started = std::time::Instant::now();
    judged(&r);
    assert!(started.elapsed().as_millis() < 1000, "{:?}", started.elapsed());
}

#[test]
fn the_catalogues_and_the_method_are_whole() {
    let count = |id: &str| Catalogue::find(id).unwrap().provisions.len();
    assert_eq!((count("en303645-v2"), count("en303645-v3")), (68, 78));
    let m = Method::find("ts103701-v1").unwrap();
    let cases: usize = m.groups.iter().map(|g| g.cases.len()).sum();
    assert_eq!((m.groups.len(), cases, m.units().count()), (68, 109, 226));
    assert_eq!(Profile::builtin("asean-baseline").unwrap().requirements.len(), 33);
    assert_eq!(Profile::builtin("sg-cls-iot:1").unwrap().requirements.len(), 13);
}

#[test]
fn a_mistake_in_a_profile_is_named_with_file_line_and_remedy() {
    let good = "id = \"x\"\ntitle = \"x\"\nedition = \"1\"\njurisdiction = \"x\"\nlegal_status = \"none\"\nvalid_from = \"2026-01-01\"\ndisclaimer = \"x\"\nconfidence = \"high\"\ncatalogue = \"en303645-v2\"\nsources = []\n[[level]]\nid = \"1\"\ntitle = \"x\"\n[[requirement]]\nid = \"5.1-1\"\nlevel = \"1\"\nbinding = \"mandatory\"\ntext = \"x\"\ncites = [\"5.1-1\"]\nchecks = [\"telnet-default-creds\"]\n";
    Profile::parse("p.toml", good, None).unwrap();
    for (from, to, message) in [
        (
            "telnet-default-creds",
            "telnet-default-cred",
            "p.toml:20: requirement `5.1-1` names unknown check `telnet-default-cred`; did you mean `telnet-default-creds`?",
        ),
        (
            "cites = [\"5.1-1\"]",
            "cites = [\"5.1-9\"]",
            "p.toml:19: requirement `5.1-1` cites unknown provision `5.1-9` of `en303645-v2`",
        ),
        ("level = \"1\"\nb", "level = \"2\"\nb", "p.toml:16: requirement `5.1-1` has unknown level `2`; use 1"),
        (
            "checks = [\"telnet-default-creds\"]",
            "",
            "p.toml:15: requirement `5.1-1` maps to nothing; give it checks or attest",
        ),
        (
            "[[level]]",
            "[parameters.tls-modern-version]\nminimum = \"1.2\"\n[[level]]",
            "p.toml:11: parameters for `tls-modern-version`, which no requirement uses",
        ),
        ("binding", "bindings", "p.toml:17: unknown field `bindings`"),
    ] {
        let e = Profile::parse("p.toml", &good.replacen(from, to, 1), None).unwrap_err().to_string();
        assert!(e.starts_with(message), "{e}\n  instead of\n{message}");
    }
    let wrong = good
        .replace("[[level]]", "[parameters.tls-modern-version]\nminimun = \"1.2\"\n[[level]]")
        .replace("telnet-default-creds", "tls-modern-version");
    let e = Profile::parse("p.toml", &wrong, None).unwrap_err().to_string();
    assert!(e.contains("`tls-modern-version`") && e.contains("minimun"), "{e}");
}
