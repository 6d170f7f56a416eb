//! Recordings of a finished scan, built from what was seen.
use patuh::{
    model::{Recording, Touch},
    scan::PROBES,
};
use serde_json::{Value, json};

pub const AT: &str = "2026-06-01T00:00:00Z";

/// One thing seen: the probe, the subject, the observation.
pub type Seen = (&'static str, &'static str, Value);

/// The lines of `recording.jsonl`: every probe ran and finished.
pub fn lines(seen: &[Seen]) -> String {
    let plan: Vec<&str> = PROBES.iter().map(|p| p.id).collect();
    let mut lines = vec![json!({"line":"header","format":"recording/1","tool":{"name":"patuh","version":"0"},
        "targets":["127.0.0.1"],"hosts":["127.0.0.1"],"plan":plan,"started":AT,
        "scope":{"authorised_by":"test","hosts":["127.0.0.1/32"]}})];
    let mut n = 0;
    for (p, probe) in PROBES.iter().enumerate() {
        let run = format!("p{p}");
        lines.push(json!({"line":"run-started","run":run,"probe":probe.id,"version":1,
            "subjects_from":probe.subjects_from,"at":AT}));
        for (_, subject, o) in seen.iter().filter(|(of, ..)| *of == probe.id) {
            n += 1;
            lines.push(
                json!({"line":"record","id":format!("r{n}"),"run":run,"subject":subject,"at":AT,"observation":o}),
            );
        }
        // What the scope does not grant is not run.
        if probe.touch > Touch::LogIn {
            lines.push(json!({"line":"gap","run":run,"gap":{"wanted":probe.id,"why":"too-intrusive"}}));
        }
        lines.push(json!({"line":"run-finished","run":run,"at":AT}));
    }
    lines.push(json!({"line":"finished","at":AT}));
    lines.iter().map(|l| l.to_string() + "\n").collect()
}

pub fn recording(seen: &[Seen]) -> Recording {
    Recording::parse(lines(seen).as_bytes()).unwrap()
}

pub fn surface(mechanism: &str, subject: &'static str) -> Seen {
    ("logins", subject, json!({"kind":"login-surface","mechanism":mechanism,"path":"","asks":"yes","proof":"seen"}))
}

pub fn open(subject: &'static str) -> Seen {
    ("tcp-ports", subject, json!({"kind":"port","state":{"state":"open"},"service":null}))
}

pub fn service(word: &str, subject: &'static str) -> Seen {
    let o = json!({"kind":"service","service":word,"tls":false,"starttls":false,"product":"busybox","version":"1.36",
        "vendor":null,"says":["hello"]});
    ("service-identify", subject, o)
}

/// A listed credential, accepted twice while a wrong one was refused.
pub fn accepted(mechanism: &str, subject: &'static str) -> Vec<Seen> {
    let trial = |presented: Value, answer: &str| {
        let o = json!({"kind":"login-trial","mechanism":mechanism,"user":"root","presented":presented,"answer":answer,"proof":""});
        ("logins", subject, o)
    };
    let listed = json!({"listed":"cred-0001"});
    vec![
        surface(mechanism, subject),
        trial(json!("wrong"), "refused"),
        trial(listed.clone(), "accepted"),
        trial(listed, "accepted"),
    ]
}
