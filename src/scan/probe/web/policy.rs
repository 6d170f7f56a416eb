//! What a page tells the browser, and where it leads.
use crate::model::observation::{
    clean,
    web::{Cookie, HttpPolicy},
};
use crate::scan::{
    data::pattern,
    net::http::Reply,
    probe::html::{self, Page},
    session::Identified,
};
use regex::Regex;
use std::{collections::BTreeSet, sync::LazyLock};

/// The most of each kind that is recorded.
const MOST: usize = 20;

pub fn policy(s: &Identified, path: &str, reply: &Reply) -> HttpPolicy {
    let text = reply.text();
    let page = html::read(&text);
    let header = |name: &str| clean(&reply.header(name), 200).to_ascii_lowercase();
    let framing = [header("content-security-policy"), header("x-frame-options")];
    let [csp, xfo] = framing.map(|f| f.replace(' ', ""));
    HttpPolicy {
        path: clean(path, 200),
        status: reply.status,
        html: reply.header("content-type").starts_with("text/html") && !reply.body.is_empty(),
        tls: s.tls,
        no_framing: csp.contains("frame-ancestors'") || matches!(xfo.as_str(), "deny" | "sameorigin"),
        no_sniffing: header("x-content-type-options") == "nosniff",
        referrer: header("referrer-policy"),
        hsts: header("strict-transport-security"),
        insecure: few(insecure(&page, &text)),
        secrets_in_urls: few(secrets(s, &page, &reply.header("location"))),
        cookies: cookies(reply),
    }
}

fn few(all: BTreeSet<String>) -> Vec<String> {
    all.into_iter().map(|t| clean(&t, 120)).take(MOST).collect()
}

static SOCKET: LazyLock<Regex> = LazyLock::new(|| pattern("websocket", r#"new WebSocket\(\s*["'`]ws://"#));

/// Active content and form targets that go over cleartext.
fn insecure(page: &Page, text: &str) -> BTreeSet<String> {
    let cleartext = |url: &&String| url.to_ascii_lowercase().starts_with("http://");
    let loads = page.loads.iter().filter(cleartext).cloned();
    let targets = page.forms.iter().map(|f| &f.action).filter(cleartext).cloned();
    let sockets = SOCKET.is_match(text).then(|| "ws:// in a script".to_owned());
    loads.chain(targets).chain(sockets).collect()
}

/// Names that carry a password or a session and nothing else. Tokens against forged requests and keys of map services
/// stand in addresses on purpose, so that `token` and `key` are not among them.
static SECRET: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        "secret-parameter",
        r"(?i)[?&;](password|passwd|passwort|pwd|pass|psw|sid|session_?id|phpsessid|jsessionid|stok|access_token)=[^&;#]",
    )
});

/// Parameters of addresses of the device itself that carry a secret.
fn secrets(s: &Identified, page: &Page, location: &str) -> BTreeSet<String> {
    let own = s.endpoint.addr().to_string();
    let here = |url: &&str| !url.contains("//") || url.contains(&own);
    let urls = page.links.iter().chain(&page.loads).map(String::as_str).chain([location]);
    let actions = page.forms.iter().map(|f| f.action.as_str());
    let names = urls.chain(actions).filter(here).filter_map(|u| SECRET.captures(u)).filter_map(|c| c.get(1));
    let mut found: BTreeSet<String> = names.map(|m| m.as_str().to_ascii_lowercase()).collect();
    if page.forms.iter().any(|f| f.method == "get" && f.has("password")) {
        found.insert("the password of a form that is sent by GET".to_owned());
    }
    found
}

/// The cookies that a reply sets, without their values.
pub fn cookies(reply: &Reply) -> Vec<Cookie> {
    let all = reply.headers.get_all("set-cookie").iter().filter_map(|v| v.to_str().ok());
    let of = |text: &str| {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().and_then(|p| p.split_once('=')).map(|(n, _)| clean(n, 60)).unwrap_or_default();
        let mut cookie = Cookie { name, ..Cookie::default() };
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            match key.trim().to_ascii_lowercase().as_str() {
                "secure" => cookie.secure = true,
                "httponly" => cookie.http_only = true,
                "samesite" => cookie.same_site = clean(&value.trim().to_ascii_lowercase(), 10),
                _ => {}
            }
        }
        cookie
    };
    let all: BTreeSet<Cookie> = all.map(of).filter(|c| !c.name.is_empty()).collect();
    all.into_iter().take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Endpoint, Sha256Digest};

    fn read(headers: &[(&str, &str)], body: &str) -> HttpPolicy {
        let mut map = reqwest::header::HeaderMap::new();
        for (name, value) in headers {
            map.append(reqwest::header::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        let reply = Reply { status: 200, headers: map, body: body.into(), transcript: Sha256Digest::of(b"") };
        let endpoint = Endpoint::tcp("192.0.2.7".parse().unwrap(), 443);
        let (service, vendor, says) = ("http".to_owned(), None, Vec::new());
        policy(&Identified { endpoint, service, tls: true, starttls: false, vendor, says }, "/", &reply)
    }

    #[test]
    fn secrets_in_addresses_are_told_from_tokens_against_forged_requests() {
        let p = read(&[], "<a href='/page?sid=12ab'>x</a><a href=/login.cgi?user=a&pwd=b>y</a>");
        assert_eq!(p.secrets_in_urls, ["pwd", "sid"]);
        let p =
            read(&[], "<a href='/apply?csrf_token=1&token=2&key=3'>x</a><a href='https://maps.example/?sid=9'>m</a>");
        assert!(p.secrets_in_urls.is_empty(), "{p:?}");
        let p = read(&[("location", "/cgi-bin/luci/;stok=0123/")], "");
        assert_eq!(p.secrets_in_urls, ["stok"]);
        let p = read(&[], "<form method=GET action=/login><input name=u><input type=password name=p></form>");
        assert_eq!(p.secrets_in_urls.len(), 1);
        let p = read(&[], "<form onsubmit='go()'><input name=u><input type=password name=p></form>");
        assert!(p.secrets_in_urls.is_empty(), "a script may send it: {p:?}");
    }

    #[test]
    fn links_over_cleartext_are_no_mixed_content_and_scripts_are() {
        let p = read(&[], "<a href=http://example.org/>help</a><img src=http://example.org/a.png>");
        assert!(p.insecure.is_empty(), "{p:?}");
        let p = read(&[], "<script src=http://cdn.example/x.js></script><form action=http://192.0.2.7/login></form>");
        assert_eq!(p.insecure.len(), 2);
    }

    #[test]
    fn headers_and_cookies_are_read_as_browsers_read_them() {
        let p = read(
            &[
                ("content-type", "text/html"),
                ("content-security-policy", "default-src 'self'; frame-ancestors 'none'"),
                ("set-cookie", "sid=1; Path=/; HTTPOnly; samesite=Lax"),
                ("set-cookie", "lang=en"),
            ],
            "<p>",
        );
        assert!(p.html && p.no_framing && !p.no_sniffing);
        let flags: Vec<_> = p.cookies.iter().map(|c| (c.name.as_str(), c.http_only, c.same_site.as_str())).collect();
        assert_eq!(flags, [("lang", false, ""), ("sid", true, "lax")]);
        assert!(!read(&[("x-frame-options", "ALLOWALL")], "").no_framing);
    }
}
