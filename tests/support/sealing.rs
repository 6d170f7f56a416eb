//! A small recording as a scan writes it, and the views as the command line hands them in.
use patuh::bundle::{Content, Interim, ProfileSource};
use patuh::judge::check;
use patuh::model::Sha256Digest;
use patuh::report::{Report, Standing};
use serde_json::{Value, json};

/// One mandatory requirement that its check alone completes, and one that needs nobody.
pub const PROFILE: &str = r#"
id = "test-profile"
title = "A profile for tests"
edition = "1"
jurisdiction = "none"
legal_status = "none"
valid_from = "2020-01-01"
disclaimer = "Not an official assessment."
confidence = "high"
catalogue = "en303645-v2"
sources = []
[[level]]
id = "1"
title = "only"
[[requirement]]
id = "T-1"
level = "1"
binding = "mandatory"
text = "No Telnet service gives a shell to everybody."
cites = ["5.1-1"]
checks = ["telnet-noauth-shell"]
"#;

pub fn profile() -> ProfileSource {
    ProfileSource::written("test-profile.toml", PROFILE, None).unwrap()
}

/// The views as the command line hands them in.
pub fn views(content: &Content<'_>) -> Result<Vec<(String, Vec<u8>)>, String> {
    let standing = match content.interim {
        Interim::No => Standing::Sealed,
        Interim::Yes => Standing::Interim,
    };
    let replaces = content.supersedes.map(|s| (s.bundle_id.as_str(), s.reason.as_str()));
    let (recording, assessments, laboratory) = (content.recording, content.assessments, content.laboratory);
    let report = Report { recording, assessments, standing, replaces, laboratory };
    patuh::report::views(&report).map_err(|e| e.to_string())
}

pub const TRANSCRIPT: &str = r#"{"conn":"c1","remote":"tcp/127.0.0.1:2323","data":"bG9naW46"}"#;

/// The lines of a finished recording in which a Telnet service shows `says`.
pub fn lines(says: &str) -> Vec<String> {
    let plan = check::find("telnet-noauth-shell").unwrap().needs;
    let at = "2026-01-01T00:00:00Z";
    let digest = Sha256Digest::of(TRANSCRIPT.as_bytes()).to_string();
    let mut lines: Vec<Value> = vec![json!({"line":"header","format":"recording/1",
        "tool":{"name":"patuh","version":"0"},"targets":["127.0.0.1"],"hosts":["127.0.0.1"],"plan":plan,
        "started":at,"scope":{"authorised_by":"test","hosts":["127.0.0.1/32"]}})];
    let surface = json!({"kind":"login-surface","mechanism":"telnet","path":"","asks":"yes","proof":"login:"});
    let service = json!({"kind":"service","service":"telnet","tls":false,"starttls":false,"product":says,
        "version":null,"vendor":null,"says":[says]});
    let mut n = 0;
    for (p, probe) in plan.iter().enumerate() {
        let run = format!("p{p}");
        lines.push(json!({"line":"run-started","run":run,"probe":probe,"version":1,"subjects_from":[],"at":at}));
        let seen = if p == 0 { vec![&surface, &service] } else { vec![] };
        for observation in seen {
            n += 1;
            lines.push(json!({"line":"record","id":format!("r{n}"),"run":run,"subject":"tcp/127.0.0.1:2323",
                "at":at,"observation":observation,"transcript":digest}));
        }
        lines.push(json!({"line":"run-finished","run":run,"at":at}));
    }
    lines.push(json!({"line":"finished","at":"2026-01-01T00:10:00Z"}));
    lines.iter().map(ToString::to_string).collect()
}
