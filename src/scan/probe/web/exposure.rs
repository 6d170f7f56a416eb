//! What a page shows that is not meant for strangers. A rule reads content; a path and a status never count alone.
use super::paths::{Kind, kind};
use crate::model::observation::web::Shown;
use crate::scan::{
    data::{pattern, rows},
    net::http::Reply,
    sensitive,
};
use regex::Regex;
use serde::Deserialize;
use std::{collections::BTreeSet, sync::LazyLock};

#[derive(Deserialize)]
struct Row {
    id: String,
    shows: Shown,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    html: bool,
    #[serde(default)]
    errors: bool,
    #[serde(default)]
    least: usize,
    class: Option<String>,
    pattern: String,
}

static RULES: LazyLock<Vec<(Row, Regex)>> = LazyLock::new(|| {
    let all: Vec<Row> =
        rows("web-exposures.toml", include_str!("../../../../profiles/data/web-exposures.toml"), "exposure");
    all.into_iter().map(|r| (pattern(&r.id, &r.pattern), r)).map(|(p, r)| (r, p)).collect()
});

/// The most of a body that a rule reads.
const MOST: usize = 64 * 1024;

/// One thing that a page shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exposure {
    pub shows: Shown,
    pub rule: String,
    pub sensitive: Vec<String>,
}

/// Whether the answer is to a question that was meant to go wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Well,
    Wrongly,
}

/// All that the answer to a GET of `path` shows.
pub fn exposures(path: &str, reply: &Reply, asked: Asked) -> Vec<Exposure> {
    let body = reply.body.get(..MOST).unwrap_or(&reply.body);
    let content_type = reply.header("content-type");
    // Each byte as the character of its number, so that rules can name bytes that are no text.
    let text: String = format!("{content_type}\n").chars().chain(body.iter().map(|b| char::from(*b))).collect();
    let page = Page { path, kind: kind(path), html: is_html(body), length: reply.body.len(), wrong: false };
    let page = Page { wrong: reply.status >= 400 || asked == Asked::Wrongly, ..page };
    let answered = (200..=299).contains(&reply.status);
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for (row, regex) in RULES.iter().filter(|(row, _)| page.concerns(row) && (answered || row.errors)) {
        if row.class.is_none() && regex.is_match(&text) && seen.insert(row.shows) {
            let sensitive = sensitive::classes(&reply.text());
            found.push(Exposure { shows: row.shows, rule: row.id.clone(), sensitive });
        }
    }
    if answered && is_data(body) && !seen.contains(&Shown::Backup) {
        found.extend(info(&text, &reply.text()));
    }
    found
}

/// Data of the device and its user in an answer for programs.
fn info(text: &str, body: &str) -> Option<Exposure> {
    let mut classes: BTreeSet<String> = sensitive::classes(body).into_iter().collect();
    let mut rule = "classes".to_owned();
    for (row, regex) in RULES.iter() {
        if let Some(class) = row.class.as_ref().filter(|_| regex.is_match(text)) {
            classes.insert(class.clone());
            rule.clone_from(&row.id);
        }
    }
    let sensitive: Vec<String> = classes.into_iter().collect();
    (!sensitive.is_empty()).then_some(Exposure { shows: Shown::Info, rule, sensitive })
}

struct Page<'a> {
    path: &'a str,
    kind: Option<Kind>,
    html: bool,
    length: usize,
    wrong: bool,
}

impl Page<'_> {
    fn concerns(&self, row: &Row) -> bool {
        let path = match (row.shows, row.paths.is_empty()) {
            (_, false) => row.paths.iter().any(|p| p == self.path),
            (Shown::Backup, true) => self.kind == Some(Kind::Config),
            (Shown::Log, true) => self.kind == Some(Kind::Log),
            (Shown::Picture, true) => self.kind == Some(Kind::Picture),
            (Shown::Listing | Shown::Error | Shown::Info, true) => true,
            (Shown::Debug | Shown::Source | Shown::Sample, true) => false,
        };
        path && (row.html || !self.html) && (!row.errors || self.wrong) && self.length >= row.least
    }
}

/// The first characters of a text, without what may stand before them.
fn start(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..512).unwrap_or(body)).to_ascii_lowercase();
    text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}').to_owned()
}

fn is_html(body: &[u8]) -> bool {
    let start = start(body);
    start.starts_with("<!doctype html")
        || start.starts_with("<html")
        || (start.contains("<head") && start.contains('>'))
}

/// JSON or XML that speaks for the device. The description of an interface holds addresses of its makers.
fn is_data(body: &[u8]) -> bool {
    let start = start(body);
    let described = start.contains("\"swagger\"") || start.contains("\"openapi\"");
    !described && !is_html(body) && start.starts_with(['{', '[', '<'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Sha256Digest;
    use reqwest::header::{CONTENT_TYPE, HeaderMap};

    fn reply(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Reply {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        Reply { status, headers, body: body.into(), transcript: Sha256Digest::of(b"") }
    }

    fn shown(path: &str, r: &Reply) -> Vec<Shown> {
        exposures(path, r, Asked::Well).into_iter().map(|e| e.shows).collect()
    }

    #[test]
    fn every_rule_is_told_by_its_example_and_not_by_its_counter_example() {
        let text = include_str!("../../../../profiles/data/web-exposures.toml");
        crate::scan::data::examples_hold(text, "exposure", RULES.len());
        for (row, _) in RULES.iter() {
            let known = row.paths.iter().all(|p| p == "/info.php" || p == "/console/" || kind(p).is_some());
            assert!(known, "{}: a path that nobody asks", row.id);
        }
    }

    #[test]
    fn a_shell_that_is_sent_for_every_path_shows_nothing() {
        let shell = "<!doctype html><html><head><title>Camera</title></head><body><div id=app></div>\
            <script>const t={password:'Password',ssid:'SSID'}; var psk=\"enter it here\"</script></body></html>";
        for r in [reply(200, "text/html", shell), reply(200, "application/octet-stream", shell.repeat(9))] {
            for row in super::super::paths::PATHS.iter() {
                assert_eq!(shown(&row.path, &r), [], "{}", row.path);
            }
        }
    }

    #[test]
    fn what_is_wrong_at_one_path_is_nothing_at_another() {
        let head = reply(200, "text/plain", "ref: refs/heads/main\n");
        assert_eq!(shown("/.git/HEAD", &head), [Shown::Source]);
        assert_eq!(shown("/status", &head), []);
        let picture = [b"\xff\xd8\xff\xe0".as_slice(), &[7; 3000]].concat();
        assert_eq!(shown("/snapshot.jpg", &reply(200, "image/jpeg", picture.clone())), [Shown::Picture]);
        assert_eq!(shown("/favicon.ico", &reply(200, "image/jpeg", picture.clone())), []);
        assert_eq!(shown("/snapshot.jpg", &reply(200, "image/jpeg", picture[..900].to_vec())), [], "a logo");
        assert_eq!(shown("/snapshot.jpg", &reply(404, "image/jpeg", picture)), [], "an error page with a picture");
    }

    #[test]
    fn a_licence_and_a_description_of_an_interface_tell_nothing_about_the_device() {
        let licence = "Copyright (c) 2019 Jane Doe <jane@example.org>. Installed in /usr/lib/x.c";
        assert_eq!(shown("/license", &reply(200, "text/plain", licence)), []);
        let described = r#"{"openapi":"3.0.1","info":{"contact":{"email":"api@example.org"}}}"#;
        assert_eq!(shown("/openapi.json", &reply(200, "application/json", described)), []);
        let told = r#"{"name":"cam","serial":"BOC20-00417","wifi_password":"sunflower-77"}"#;
        let found = exposures("/api/info", &reply(200, "application/json", told), Asked::Well);
        assert_eq!(found[0].sensitive, ["password", "serial"]);
    }

    #[test]
    fn a_path_that_an_error_page_repeats_is_no_leak() {
        let echo = "<h1>404</h1><p>/usr/share/www/main.js was not found on this server</p>";
        assert_eq!(shown("/patuh-1", &reply(404, "text/html", echo)), []);
        let trace = "<pre>Traceback (most recent call last):\n File \"/srv/app.py\", line 3</pre>";
        assert_eq!(shown("/patuh-1", &reply(500, "text/html", trace)), [Shown::Error]);
        assert_eq!(shown("/help", &reply(200, "text/html", trace)), [], "a page about errors");
    }
}
