//! Views for other people's tools: the PDF that archives and screen readers take, packets that Wireshark dissects.
#![expect(clippy::unwrap_used, reason = "tests")]
#[path = "support/judged.rs"]
mod judged;
#[path = "support/sealing.rs"]
mod support;
use base64::{Engine, engine::general_purpose::STANDARD};
use judged::judged;
use patuh::{
    bundle::{Content, Interim},
    model::{Recording, Sha256Digest},
    report::{Report, Standing, pcapng, pdf},
};
use serde_json::json;
use std::{fs, path::Path, process::Command};
use support::{lines, views};

/// What a stock tool prints, once it is content.
fn stock(program: &str, args: &[&str], file: &Path) -> String {
    let out = Command::new(program).args(args).arg(file).output();
    assert!(out.is_ok(), "{program}: {out:?}; scripts/test installs it");
    let out = out.unwrap();
    assert!(out.status.success(), "{program} {args:?}: {out:?}");
    String::from_utf8_lossy(&out.stdout).into_owned()
}

fn document(lines: &[String], standing: Standing) -> Vec<u8> {
    let (recording, assessments) = judged(lines, None);
    pdf(&Report { recording: &recording, assessments: &assessments, standing, replaces: None, laboratory: None })
        .unwrap()
}

fn bad() -> Vec<String> {
    lines("BusyBox telnetd").iter().map(|l| l.replace("\"asks\":\"yes\"", "\"asks\":\"no\"")).collect()
}

#[test]
fn the_document_is_tagged_archival_and_the_same_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("report.pdf");
    let bytes = document(&bad(), Standing::Interim);
    assert_eq!(bytes, document(&bad(), Standing::Interim), "the same report gives the same bytes");
    fs::write(&file, &bytes).unwrap();
    assert!(stock("qpdf", &["--check"], &file).contains("No syntax or stream encoding errors found"));
    let info = stock("pdfinfo", &[], &file);
    for line in ["Tagged:          yes", "Title:           Conformance report: 127.0.0.1", "2026"] {
        assert!(info.contains(line), "{info}");
    }
    let about = stock("pdfinfo", &["-meta"], &file);
    for standard in ["<pdfaid:part>2</pdfaid:part>", "<pdfaid:conformance>A</", "<pdfuaid:part>1</pdfuaid:part>"] {
        assert!(about.contains(standard), "{about}");
    }
    let fonts = stock("pdffonts", &[], &file);
    let embedded = fonts.lines().skip(2).filter(|l| l.contains(" yes yes yes")).count();
    assert_eq!((embedded, fonts.lines().count()), (2, 4), "{fonts}");
    let structure = stock("pdfinfo", &["-struct"], &file);
    for kind in ["H1", "H2", "Table", "TH", "TD", "Caption", "LBody"] {
        assert!(structure.contains(kind), "no {kind}");
    }
}

/// Verifying makes the views again, on whatever machine.
#[test]
fn nothing_that_depends_on_the_machine_is_among_a_bundles_views() {
    let (recording, assessments) = judged(&bad(), None);
    let made = views(&Content {
        recording: &recording,
        assessments: &assessments,
        interim: Interim::Yes,
        supersedes: None,
        laboratory: None,
    })
    .unwrap();
    assert!(made.len() > 4 && made.iter().all(|(name, _)| !name.ends_with(".pdf")));
}

#[test]
fn the_document_says_what_the_page_says() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("report.pdf");
    fs::write(&file, document(&bad(), Standing::Interim)).unwrap();
    let text = Command::new("pdftotext").arg(&file).arg("-").output().unwrap();
    let text = String::from_utf8(text.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    let (recording, assessments) = judged(&bad(), None);
    for a in &assessments {
        assert!(text.contains(&a.profile.title) && text.contains(&a.profile.sha256), "{}", a.profile.id);
        for r in &a.requirements {
            assert!(text.contains(&r.id), "{}", r.id);
        }
        for c in &a.results {
            assert!(text.contains(c.title), "{}", c.title);
        }
    }
    for words in ["Interim. This bundle was sealed before", "BusyBox telnetd", "FAIL", "page 1 of", "End of report"] {
        assert!(text.contains(words), "{words}");
    }
    for record in recording.records() {
        assert!(text.contains(&*record.id) && text.contains(&*record.at), "{}", record.id);
    }
}

#[test]
fn a_devices_odd_letters_are_written_as_code_points() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("report.pdf");
    fs::write(&file, document(&lines("caf\u{e9} \u{4e2d} \u{5d0} \u{202e}x"), Standing::Sealed)).unwrap();
    let text = Command::new("pdftotext").arg(&file).arg("-").output().unwrap();
    let text = String::from_utf8(text.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("caf\u{e9} [U+4E2D] [U+05D0] .x"), "{text}");
}

/// A transcript line as a scan writes it.
fn transcript(endpoint: &str, layer: &str, events: &[(&str, &[u8])]) -> String {
    let events: Vec<_> = events
        .iter()
        .enumerate()
        .map(|(n, (way, data))| json!({"us": n * 1000, "way": way, "data": STANDARD.encode(data)}))
        .collect();
    json!({"endpoint": endpoint, "local": "192.0.2.1:40000", "layer": layer, "opened": "2026-01-01T00:00:01Z",
        "closed": "done", "bytes": {"sent": 1, "received": 1}, "masked": true, "events": events})
    .to_string()
}

#[test]
fn wireshark_dissects_transcripts_on_odd_ports_and_inside_tls() {
    let connect = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a";
    let all = [
        (
            "tcp/192.0.2.7:9443",
            "https",
            "tls-plaintext",
            vec![
                ("sent", b"GET /status".as_slice()),
                ("sent", b" HTTP/1.1\r\nHost: camera\r\n\r\n"),
                ("received", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
            ],
        ),
        ("tcp/192.0.2.7:18830", "mqtt", "wire", vec![("sent", connect.as_slice()), ("received", b"\x20\x02\x00\x05")]),
        ("udp/[2001:db8::7]:15683", "coap", "wire", vec![("sent", b"\x40\x01\x12\x34\xb4core".as_slice())]),
    ];
    let transcripts: Vec<String> = all.iter().map(|(at, _, layer, events)| transcript(at, layer, events)).collect();
    let mut recorded = lines("telnetd");
    let at = recorded.iter().position(|l| l.contains("run-finished")).unwrap();
    for (n, ((subject, service, ..), t)) in all.iter().zip(&transcripts).enumerate() {
        let seen = json!({"kind":"service","service":service,"tls":false,"starttls":false,"product":null,
            "version":null,"vendor":null,"says":[]});
        let record = json!({"line":"record","id":format!("r{}", n + 50),"run":"p0","subject":subject,
            "at":"2026-01-01T00:00:00Z","observation":seen,"transcript":Sha256Digest::of(t.as_bytes()).to_string()});
        recorded.insert(at, record.to_string());
    }
    let recording = Recording::parse((recorded.join("\n") + "\n").as_bytes()).unwrap();
    let text = transcripts.join("\n") + "\n";
    let bytes = pcapng(&recording, text.as_bytes()).unwrap();
    assert_eq!(bytes, pcapng(&recording, text.as_bytes()).unwrap());
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("transcripts.pcapng");
    fs::write(&file, bytes).unwrap();
    let shown = |filter: &str, fields: &[&str]| {
        let mut args = vec!["-n", "-Y", filter, "-T", "fields"];
        fields.iter().for_each(|f| args.extend(["-e", f]));
        args.push("-r");
        stock("tshark", &args, &file)
    };
    assert_eq!(
        shown("http.request", &["http.request.uri", "ip.dst", "exported_pdu.dst_port"]).trim_end(),
        "/status\t192.0.2.7\t9443"
    );
    assert_eq!(shown("http.response", &["http.response.code"]).trim(), "200");
    assert_eq!(shown("mqtt", &["mqtt.msgtype"]).split_whitespace().collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(shown("coap", &["coap.opt.uri_path", "ipv6.dst"]).trim_end(), "core\t2001:db8::7");
    assert!(shown("coap", &["frame.comment"]).contains("record r52; transcripts.jsonl:3, secrets masked"));
    assert!(shown("http.request", &["frame.comment"]).contains("record r50; transcripts.jsonl:1, inside TLS"));
    assert_eq!(shown("_ws.malformed", &["frame.number"]), "");
    let about = stock("capinfos", &[], &file);
    assert!(about.contains("not captured") && about.contains("Number of packets:   5"), "{about}");
}

#[test]
fn a_transcript_that_cannot_be_read_is_named() {
    let recording = Recording::parse((lines("x").join("\n") + "\n").as_bytes()).unwrap();
    let text = transcript("tcp/192.0.2.7:80", "wire", &[]) + "\n{}\n";
    let error = pcapng(&recording, text.as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("transcripts.jsonl:2: missing field `endpoint`"), "{error}");
}
