//! What a maker publishes, visited on simulated sites: only what the scope names, and judged by what came.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr, reason = "tests")]
#[path = "support/scans.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod scans;
#[path = "support/verdicts.rs"]
mod verdicts;

use hickory_proto::{
    op::{Message, MessageType, ResponseCode},
    rr::{RData, Record, RecordType, rdata::A},
};
use patuh::{
    judge::Evidence,
    model::{Ixit, Observation, Recording},
};
use scans::patuh as command;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
};
use verdicts::verdict_on;

/// A site answers by path: status, further head lines, body. Whom it met is kept.
type Pages = BTreeMap<&'static str, (u16, &'static str, String)>;
type Asked = Arc<Mutex<Vec<String>>>;

fn site(address: &str, pages: Pages) -> (u16, Asked) {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let (port, asked) = (listener.local_addr().unwrap().port(), Asked::default());
    let seen = asked.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let (mut head, mut reader) = (Vec::new(), BufReader::new(stream.try_clone().unwrap()));
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) <= 2 {
                    break;
                }
                head.push(line.trim().to_owned());
            }
            let path = head.first().and_then(|l| l.split(' ').nth(1)).unwrap_or_default().to_owned();
            seen.lock().unwrap().push(head.join("\n"));
            let none = (404, "content-type: text/html", "<p>Not found</p>".to_owned());
            let (status, more, body) = pages.get(path.as_str()).or_else(|| pages.get("*")).unwrap_or(&none);
            let text = format!(
                "HTTP/1.1 {status} X\r\n{more}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(text.as_bytes());
        }
    });
    (port, asked)
}

/// A name server that knows these names alone.
fn names(address: &str, known: &[(&str, &str)]) -> SocketAddr {
    let socket = UdpSocket::bind((address, 0)).unwrap();
    let at = socket.local_addr().unwrap();
    let known: BTreeMap<String, Ipv4Addr> = known.iter().map(|(n, a)| (format!("{n}."), a.parse().unwrap())).collect();
    thread::spawn(move || {
        let mut buffer = [0u8; 1500];
        while let Ok((n, from)) = socket.recv_from(&mut buffer) {
            let question = Message::from_vec(&buffer[..n]).unwrap();
            let query = question.queries[0].clone();
            let mut answer = question.clone();
            answer.metadata.message_type = MessageType::Response;
            match known.get(&query.name().to_ascii()) {
                Some(a) if query.query_type() == RecordType::A => {
                    answer.add_answer(Record::from_rdata(query.name().clone(), 60, RData::A(A(*a))));
                }
                Some(_) => {}
                None => answer.metadata.response_code = ResponseCode::NXDomain,
            }
            socket.send_to(&answer.to_vec().unwrap(), from).unwrap();
        }
    });
    at
}

fn html(text: &str) -> (u16, &'static str, String) {
    (200, "content-type: text/html; charset=utf-8", format!("<html lang=en><title>Maker</title><p>{text}</p></html>"))
}

const POLICY: &str = "If you believe that you have found a vulnerability in one of our products, please tell us before you tell \
    anybody else, so that we can mend it for all the people who use the product. Describe what you did and what happened. Write to \
    security@maker.example, if you like with our key. We acknowledge your report within three working days. After that you get a \
    status update every two weeks until the flaw is closed.";
const SUPPORT: &str = "Here you find for each of our cameras how long it gets security updates from us. The camera ICX-200 is \
    supported until 31 December 2031. After that day it can still be used, but nobody mends flaws in it any more, and we advise to \
    replace it by then, since what is not mended is open to everybody.";

/// A recording of a scan that looked at nothing but whether a port is there.
fn scanned(dir: &Path, address: &str) -> PathBuf {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let ports = format!("tcp:{},udp:none", listener.local_addr().unwrap().port());
    let out = dir.join("recording");
    let (code, _, err) =
        command(&["scan", address, "--ports", &ports, "--probe", "tcp-ports", "--out", out.to_str().unwrap()]);
    assert_eq!(code, 0, "{err}");
    out
}

fn recording(dir: &Path) -> Recording {
    Recording::parse(&std::fs::read(dir.join("recording.jsonl")).unwrap()).unwrap()
}

fn write(dir: &Path, name: &str, text: &str) -> String {
    std::fs::write(dir.join(name), text).unwrap();
    dir.join(name).display().to_string()
}

struct Visited {
    dir: tempfile::TempDir,
    ixit: Ixit,
    code: i32,
    err: String,
}

impl Visited {
    fn recording(&self) -> Recording {
        recording(&self.dir.path().join("recording"))
    }

    fn verdict(&self, check: &str) -> (&'static str, String) {
        verdict_on(check, &Evidence::new(&self.recording(), None, Some(&self.ixit)))
    }

    fn expect(&self, all: &[(&str, &str)]) {
        for (check, wanted) in all {
            let (got, why) = self.verdict(check);
            assert_eq!(got, *wanted, "{check}: {why}");
        }
    }
}

/// Visits what `ixit` names, `HOST` being the site with its port, when `hosts` are in the scope.
fn visit(address: &str, server: SocketAddr, hosts: &[&str], ixit: &str) -> Visited {
    let dir = tempfile::tempdir().unwrap();
    let out = scanned(dir.path(), address);
    let names: Vec<String> = hosts.iter().map(|h| format!("\"{h}\"")).collect();
    let scope = format!(
        "authorised_by = \"the tests\"\nhosts = [\"{address}/32\"]\n[public]\nhosts = [{}]\nname_server = \"{server}\"\n",
        names.join(",")
    );
    let scope = write(dir.path(), "scope.toml", &scope);
    let file = write(dir.path(), "ixit.toml", ixit);
    let (code, _, err) = command(&["documents", out.to_str().unwrap(), "--ixit", &file, "--scope", &scope]);
    Visited { dir, ixit: Ixit::parse("ixit", ixit).unwrap(), code, err }
}

#[test]
fn a_maker_who_publishes_all_of_it_passes_and_a_second_run_stands_for_the_first() {
    let expires = "Contact: mailto:psirt@maker.example\nExpires: 2099-01-01T00:00:00Z\n";
    let metadata = r#"{"canonical_url":"https://maker.example/x","last_updated":"2026-01-01T00:00:00Z","metadata_version":"2.0","publisher":{},"role":"csaf_provider"}"#;
    let pages = Pages::from([
        ("/vdp", (302, "location: /en/vdp", String::new())),
        ("/en/vdp", html(POLICY)),
        ("/support", html(SUPPORT)),
        ("/sensors", html("It has a camera and a microphone.")),
        ("/.well-known/security.txt", (200, "content-type: text/plain", expires.to_owned())),
        ("/.well-known/csaf/provider-metadata.json", (200, "content-type: application/json", metadata.to_owned())),
    ]);
    let (port, asked) = site("127.0.95.1", pages);
    let server = names("127.0.95.1", &[("www.maker.example", "127.0.95.1")]);
    let at = format!("http://www.maker.example:{port}");
    let ixit = format!(
        "[dut]\nmodel = \"ICX-200\"\n[2-UserInfo]\npub_vdp = \"see {at}/vdp.\"\npub_support_period = \"{at}/support\"\n\
         support_period = \"until 2031-12-31\"\ndoc_sensors = \"{at}/sensors\"\nx-site = \"{at}\"\n"
    );
    let v = visit("127.0.95.1", server, &["www.maker.example"], &ixit);
    assert_eq!(v.code, 0, "{}", v.err);
    v.expect(&[
        ("vdp-policy-published", "PASS"),
        ("vdp-policy-content", "PASS"),
        ("vdp-security-txt-site", "PASS"),
        ("support-period-published", "PASS"),
        ("support-period-current", "PASS"),
        ("support-period-reachable", "PASS"),
        ("doc-urls-reachable", "PASS"),
        ("doc-sensors-reachable", "PASS"),
        ("advisory-feed", "PASS"),
        ("doc-telemetry-reachable", "NOT_APPLICABLE"),
        ("eos-notice", "NOT_APPLICABLE"),
    ]);
    // From a clean session, each page once, and one path that cannot exist.
    let asked = asked.lock().unwrap().clone();
    assert!(
        asked
            .iter()
            .all(|a| a.to_lowercase().contains("host: www.maker.example") && !a.to_lowercase().contains("cookie"))
    );
    assert_eq!(asked.iter().filter(|a| a.starts_with("GET /patuh-")).count(), 1, "{asked:?}");
    // The page is gone on another day: that day counts.
    let (gone, _) = site("127.0.95.1", Pages::new());
    let later = ixit.replace(&port.to_string(), &gone.to_string());
    let file = write(v.dir.path(), "later.toml", &later);
    let scope = v.dir.path().join("scope.toml");
    let out = v.dir.path().join("recording");
    let (code, _, err) =
        command(&["documents", out.to_str().unwrap(), "--ixit", &file, "--scope", scope.to_str().unwrap()]);
    assert_eq!(code, 0, "{err}");
    let later = Ixit::parse("ixit", &later).unwrap();
    let (got, why) = verdict_on("vdp-policy-published", &Evidence::new(&v.recording(), None, Some(&later)));
    assert_eq!(got, "FAIL", "{why}");
    // What was seen is in the recording, text and all, under the chain.
    let text = v.recording().records().find_map(|r| match &r.observation {
        Observation::Document { document } if document.name == "pub_vdp" => document.text.clone(),
        _ => None,
    });
    assert!(text.unwrap().contains("three working days"));
}

#[test]
fn a_maker_who_publishes_badly_fails_by_what_came_and_nothing_else() {
    let form =
        "<html lang=en><form action=/in method=post><input name=u><input type=password name=p></form>Sign in</html>";
    let expired = "Contact: mailto:psirt@maker.example\nExpires: 2020-01-01T00:00:00Z\n";
    let pages = Pages::from([
        ("/vdp", (302, "location: /login", String::new())),
        ("/login", (200, "content-type: text/html", form.to_owned())),
        ("/support", html(&SUPPORT.replace("2031", "2025"))),
        ("/.well-known/security.txt", (200, "content-type: text/plain", expired.to_owned())),
    ]);
    let (port, _) = site("127.0.95.2", pages);
    let server = names("127.0.95.2", &[("maker.example", "127.0.95.2")]);
    let at = format!("http://maker.example:{port}");
    let ixit = format!(
        "[dut]\nmodel = \"ICX-200\"\n[2-UserInfo]\npub_vdp = \"{at}/vdp\"\npub_support_period = \"{at}/support\"\n\
         support_period = \"until 2025-12-31\"\ndoc_telemetry_data = \"{at}/gone\"\ndoc_sensors = \"on the leaflet\"\nx-site = \"{at}\"\n"
    );
    let v = visit("127.0.95.2", server, &["maker.example"], &ixit);
    assert_eq!(v.code, 0, "{}", v.err);
    v.expect(&[
        ("vdp-policy-published", "FAIL"),
        ("vdp-policy-content", "INCONCLUSIVE"),
        ("vdp-security-txt-site", "FAIL"),
        ("support-period-published", "PASS"),
        ("support-period-current", "FAIL"),
        ("eos-notice", "FAIL"),
        ("doc-urls-reachable", "FAIL"),
        ("doc-telemetry-reachable", "FAIL"),
        ("doc-sensors-reachable", "INCONCLUSIVE"),
        ("doc-personal-data-reachable", "NOT_APPLICABLE"),
        ("advisory-feed", "NOT_APPLICABLE"),
    ]);
}

#[test]
fn a_site_that_shows_one_page_for_every_path_a_wall_against_machines_and_an_empty_page_are_no_publication() {
    let pages = Pages::from([("*", html(POLICY))]);
    let (catch_all, _) = site("127.0.95.3", pages);
    let pages = Pages::from([("*", (403, "cf-mitigated: challenge", "Just a moment".to_owned()))]);
    let (walled, _) = site("127.0.95.3", pages);
    let pages = Pages::from([("/vdp", html("We use cookies. Accept all."))]);
    let (empty, _) = site("127.0.95.3", pages);
    let server = names("127.0.95.3", &[("maker.example", "127.0.95.3")]);
    for (port, wanted) in [(catch_all, "FAIL"), (walled, "INCONCLUSIVE"), (empty, "INCONCLUSIVE")] {
        let ixit = format!(
            "[2-UserInfo]\npub_vdp = \"http://maker.example:{port}/vdp\"\nx-site = \"http://maker.example:{port}\"\n"
        );
        let v = visit("127.0.95.3", server, &["maker.example"], &ixit);
        v.expect(&[("vdp-policy-published", wanted)]);
        assert!(["NOT_APPLICABLE", "INCONCLUSIVE"].contains(&v.verdict("vdp-security-txt-site").0));
        assert_ne!(v.verdict("advisory-feed").0, "PASS");
    }
}

#[test]
fn no_host_is_visited_that_the_scope_does_not_name_whether_declared_or_redirected_to() {
    let (other, met) = site("127.0.95.5", Pages::from([("*", html(POLICY))]));
    let there = format!("location: http://other.example:{other}/vdp");
    let there: &'static str = there.leak();
    let (port, _) = site("127.0.95.4", Pages::from([("/vdp", (302, there, String::new()))]));
    let known =
        [("maker.example", "127.0.95.4"), ("other.example", "127.0.95.5"), ("evil.maker.example", "127.0.95.5")];
    let server = names("127.0.95.4", &known);
    let ixit = format!(
        "[2-UserInfo]\npub_vdp = \"http://maker.example:{port}/vdp\"\ndoc_deletion = \"http://evil.maker.example:{other}/x\"\n\
         doc_sensors = \"http://unknown.maker.example/x\"\n"
    );
    let v = visit("127.0.95.4", server, &["maker.example"], &ixit);
    assert_eq!(v.code, 2, "{}", v.err);
    assert!(v.err.contains("other.example") && v.err.contains("evil.maker.example"), "{}", v.err);
    assert!(met.lock().unwrap().is_empty(), "{:?}", met.lock().unwrap());
    v.expect(&[("vdp-policy-published", "INCONCLUSIVE"), ("doc-urls-reachable", "INCONCLUSIVE")]);
}

#[test]
fn without_sites_in_the_scope_nothing_leaves_and_the_remedy_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let out = scanned(dir.path(), "127.0.95.6");
    let before = std::fs::read(out.join("recording.jsonl")).unwrap();
    let ixit = write(dir.path(), "ixit.toml", "[2-UserInfo]\npub_vdp = \"https://maker.example/vdp\"\n");
    let (code, _, err) = command(&["documents", out.to_str().unwrap(), "--ixit", &ixit]);
    assert_eq!(code, 77, "{err}");
    assert!(err.contains("[public]") && err.contains("--saved"), "{err}");
    assert_eq!(std::fs::read(out.join("recording.jsonl")).unwrap(), before);
    // What nobody looked at holds up nothing: a person may decide it.
    let (got, _) = verdict_on("vdp-policy-published", &Evidence::new(&recording(&out), None, None));
    assert_eq!(got, "INCONCLUSIVE");
}

#[test]
fn copies_are_judged_by_their_content_offline_and_never_as_reachable() {
    let dir = tempfile::tempdir().unwrap();
    let out = scanned(dir.path(), "127.0.95.7");
    let copies = dir.path().join("copies");
    std::fs::create_dir(&copies).unwrap();
    write(&copies, "pub_vdp.html", &html(POLICY).2);
    write(&copies, "statement.pdf", "%PDF-1.7");
    let ixit = write(
        dir.path(),
        "ixit.toml",
        "[2-UserInfo]\npub_vdp = \"https://maker.example/vdp\"\ndoc_sensors = \"on the box\"\n",
    );
    let args = ["documents", out.to_str().unwrap(), "--ixit", &ixit, "--saved", copies.to_str().unwrap()];
    let (code, _, err) = command(&args);
    assert_eq!(code, 0, "{err}");
    let r = recording(&out);
    for (check, wanted) in [
        ("vdp-policy-content", "PASS"),
        ("vdp-policy-published", "INCONCLUSIVE"),
        ("psti-statement", "INCONCLUSIVE"),
        ("support-period-published", "INCONCLUSIVE"),
    ] {
        let (got, why) = verdict_on(check, &Evidence::new(&r, None, None));
        assert_eq!(got, wanted, "{check}: {why}");
    }
    write(&copies, "pub_vpd.html", "x");
    let (code, _, err) = command(&args);
    assert_eq!(code, 65, "{err}");
    assert!(err.contains("pub_vpd.html") && err.contains("pub_vdp"), "{err}");
}
