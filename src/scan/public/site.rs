//! A visit to a site of the maker: a clean session, few redirects, and a control by a path that cannot exist.
use super::{Notes, names, saved, text};
use crate::model::{
    Endpoint, Observation, Scope, Sha256Digest, Subject, Why,
    observation::{
        clean,
        public::{Document, Pointer, Wall, Whence},
    },
    scope::Public,
};
use crate::scan::{
    net::{
        Tape, Trouble, Wire, http,
        http::{Reply, Request},
        tls, wire,
    },
    probe::{html, nowhere, security_txt},
    session::CONNECT,
};
use reqwest::Url;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::Semaphore;

const WAIT: Duration = Duration::from_secs(20);
/// Redirects that are followed, within the scope.
const REDIRECTS: usize = 3;
/// What is read of a page.
const MOST: usize = 768 * 1024;
/// Words in the address of a page that asks for an account.
const ACCOUNT: [&str; 7] = ["login", "log-in", "signin", "sign-in", "register", "account", "/auth"];
/// A page of fewer characters beside its log-in form is the log-in page.
const LITTLE: usize = 600;

/// Why a page was not seen.
enum Missed {
    Host(String),
    Trouble(Trouble),
    Other(String),
}

impl Missed {
    fn why(self) -> Why {
        match self {
            Self::Host(_) | Self::Trouble(Trouble::NotAdmitted(_)) => Why::OutOfScope,
            Self::Trouble(Trouble::Ours(e)) => Why::OurError(e.to_string()),
            Self::Trouble(other) => Why::NotUnderstood(other.to_string()),
            Self::Other(why) => Why::NotUnderstood(why),
        }
    }
}

pub(super) struct Sites<'a> {
    scope: &'a Scope,
    notes: &'a Notes,
    slot: Arc<Semaphore>,
    /// What each site sends for a path that cannot exist.
    missing: BTreeMap<String, (u16, String)>,
}

/// What came at the end of the redirects.
struct Came {
    url: Url,
    reply: Reply,
}

impl<'a> Sites<'a> {
    pub fn new(scope: &'a Scope, notes: &'a Notes) -> Self {
        Self { scope, notes, slot: Arc::new(Semaphore::new(1)), missing: BTreeMap::new() }
    }

    /// Visits one document of a field.
    pub async fn document(&mut self, name: &str, url: &str) {
        match self.look(name, url).await {
            Ok((document, host, transcript)) => {
                self.notes.record(
                    Subject::Domain(host),
                    Observation::Document { document: Box::new(document) },
                    Some(transcript),
                );
            }
            Err(missed) => self.missed(name, url, missed),
        }
    }

    fn missed(&self, name: &str, url: &str, missed: Missed) {
        let named = match &missed {
            Missed::Host(host) => Some(host.clone()),
            Missed::Trouble(_) | Missed::Other(_) => Url::parse(url).ok().and_then(|u| u.host_str().map(str::to_owned)),
        };
        self.notes.gap(name, named.map(|h| Subject::Domain(clean(&h, 200))), missed.why());
    }

    async fn look(&mut self, name: &str, url: &str) -> Result<(Document, String, Sha256Digest), Missed> {
        let first = Url::parse(url).map_err(|e| Missed::Other(format!("`{}` is no address: {e}", clean(url, 120))))?;
        let Came { url: ended, reply } = self.follow(first).await?;
        let missing = self.missing(&ended).await?;
        let host = clean(ended.host_str().unwrap_or_default(), 200);
        let content_type = reply.header("content-type");
        let readable = text::read(&reply.body, &content_type);
        let document = Document {
            name: name.to_owned(),
            url: clean(url, 300),
            whence: Whence::Fetched,
            ended: clean(ended.as_str(), 300),
            status: Some(reply.status),
            wall: wall(&reply, &ended, readable.text.as_deref()),
            same_as_missing: missing == shape(&reply, &ended),
            content_type: clean(&content_type, 80),
            language: readable.language,
            bytes: reply.body.len() as u64,
            sha256: Sha256Digest::of(&reply.body),
            text: readable.text,
            cut: readable.cut || reply.body.len() >= MOST,
        };
        Ok((document, host, reply.transcript))
    }

    /// A file that stands at a fixed place of the maker's domain.
    pub async fn for_machines(&mut self, name: &str, site: &str) {
        let site = site.trim().trim_end_matches('/');
        let base = if site.contains("://") { site.to_owned() } else { format!("https://{site}") };
        let path = if name == saved::SECURITY_TXT { SECURITY_TXT } else { ADVISORIES };
        let url = format!("{base}{path}");
        let first = Url::parse(&url).map_err(|e| Missed::Other(format!("`{}` is no site: {e}", clean(site, 120))));
        let came = match first {
            Ok(first) => self.follow(first).await,
            Err(e) => Err(e),
        };
        let Came { url: ended, reply } = match came {
            Ok(came) => came,
            Err(missed) => return self.missed(name, &url, missed),
        };
        // Who turns machines away has not said that the file is not there.
        if wall(&reply, &ended, None) == Wall::Robots {
            let why = Missed::Other(format!("the site turned us away with status {}", reply.status));
            return self.missed(name, &url, why);
        }
        let host = Subject::Domain(clean(ended.host_str().unwrap_or_default(), 200));
        let seen = if name == saved::SECURITY_TXT {
            let plain = reply.header("content-type").starts_with("text/plain");
            let said =
                if reply.status == 200 && plain { security_txt::read(&reply.text()) } else { Default::default() };
            // A page of HTML in its place is what some sites send for every path.
            let status = if reply.status == 200 && !plain { 404 } else { reply.status };
            said.seen(path, status)
        } else {
            let (found, detail) = if reply.status == 200 { metadata(&reply.body) } else { (false, String::new()) };
            let (pointer, at, status) = (Pointer::Advisories, clean(ended.as_str(), 300), Some(reply.status));
            let detail = if detail.is_empty() { format!("status {}", reply.status) } else { detail };
            Observation::PointerAsked { pointer, at, status, found, detail }
        };
        self.notes.record(host, seen, Some(reply.transcript));
    }

    async fn follow(&self, first: Url) -> Result<Came, Missed> {
        let mut url = first;
        for _ in 0..=REDIRECTS {
            let reply = self.get(&url).await?;
            let to = reply.header("location");
            if !matches!(reply.status, 301 | 302 | 303 | 307 | 308) || to.is_empty() {
                return Ok(Came { url, reply });
            }
            url = url.join(&to).map_err(|e| Missed::Other(format!("a redirect leads to no address: {e}")))?;
        }
        Err(Missed::Other(format!("more than {REDIRECTS} redirects")))
    }

    /// One request on a connection of its own, without cookies.
    async fn get(&self, url: &Url) -> Result<Reply, Missed> {
        let secret = match url.scheme() {
            "https" => true,
            "http" => false,
            other => return Err(Missed::Other(format!("addresses of `{other}` are not visited"))),
        };
        let host = url.host_str().unwrap_or_default().to_owned();
        let granted = self.scope.public.as_ref().filter(|p| p.names(&host));
        let granted: &Public = granted.ok_or_else(|| Missed::Host(host.clone()))?;
        let found = names::addresses(&host, granted).await.map_err(|e| Missed::Other(format!("`{host}`: {e}")))?;
        let port = url.port_or_known_default().unwrap_or(443);
        let mut last = Missed::Other(format!("`{host}` has no address"));
        for address in found {
            match self.at(Endpoint::tcp(address, port), url, secret).await {
                Ok(reply) => return Ok(reply),
                Err(t) => last = Missed::Trouble(t),
            }
        }
        Err(last)
    }

    async fn at(&self, at: Endpoint, url: &Url, secret: bool) -> Result<Reply, Trouble> {
        let host = url.host_str().unwrap_or_default();
        let admitted = self.scope.admit_site(host, at).map_err(Trouble::NotAdmitted)?;
        let permit = self.slot.clone().acquire_owned().await;
        let permit = permit.map_err(|e| Trouble::Ours(std::io::Error::other(e)))?;
        let stream = wire::dial(admitted, CONNECT).await?;
        let local = stream.local_addr().map(|a| a.to_string()).unwrap_or_default();
        let tape = Tape::new(self.notes.journal.clone(), at, local);
        let mut wire = Wire::of(stream, tape, Some(permit));
        if secret {
            wire = tls::of_a_site(wire, host, WAIT).await?;
        }
        let authority = url.port().map_or(host.to_owned(), |p| format!("{host}:{p}"));
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let headers = vec![("accept", "text/html, text/plain, */*;q=0.5".to_owned())];
        let request = Request { headers, most: MOST, ..Request::get(authority, &path) };
        http::exchange(wire, request, WAIT).await
    }

    /// What the site that a document ended at sends for a path that cannot exist.
    async fn missing(&mut self, at: &Url) -> Result<(u16, String), Missed> {
        let site = at.origin().ascii_serialization();
        if let Some(known) = self.missing.get(&site) {
            return Ok(known.clone());
        }
        let mut nowhere_at = at.clone();
        nowhere_at.set_path(&nowhere("/*"));
        nowhere_at.set_query(None);
        let Came { url, reply } = self.follow(nowhere_at).await?;
        let shape = shape(&reply, &url);
        self.missing.insert(site, shape.clone());
        Ok(shape)
    }
}

const SECURITY_TXT: &str = "/.well-known/security.txt";
const ADVISORIES: &str = "/.well-known/csaf/provider-metadata.json";

/// What stays the same when a site answers every path alike.
fn shape(reply: &Reply, url: &Url) -> (u16, String) {
    let text = reply.text().replace(url.path().trim_start_matches('/'), "");
    (reply.status, text.chars().filter(|c| !c.is_ascii_digit()).collect())
}

fn wall(reply: &Reply, ended: &Url, text: Option<&str>) -> Wall {
    let challenged = reply.header("cf-mitigated").eq_ignore_ascii_case("challenge");
    if challenged || matches!(reply.status, 403 | 429 | 503) {
        return Wall::Robots;
    }
    if matches!(reply.status, 401 | 407) {
        return Wall::LogIn;
    }
    let asks = html::read(&reply.text()).login.is_some();
    let path = ended.path().to_ascii_lowercase();
    let little = text.is_some_and(|t| t.chars().count() < LITTLE);
    if asks && (little || ACCOUNT.iter().any(|w| path.contains(w))) { Wall::LogIn } else { Wall::Nothing }
}

/// Whether it is a provider's metadata (CSAF 2.0, section 7.1.8), and what it says or lacks.
pub(super) fn metadata(body: &[u8]) -> (bool, String) {
    let Ok(read) = serde_json::from_slice::<serde_json::Value>(body) else {
        return (false, "it is no JSON".to_owned());
    };
    let needed = ["canonical_url", "last_updated", "metadata_version", "publisher", "role"];
    let lacks: Vec<&str> = needed.into_iter().filter(|n| read.get(n).is_none()).collect();
    if !lacks.is_empty() {
        return (false, format!("JSON without {}", lacks.join(", ")));
    }
    let role = read.get("role").and_then(|r| r.as_str()).unwrap_or_default();
    (true, clean(&format!("role {role}"), 80))
}
