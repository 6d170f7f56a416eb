//! Questions that a web server should not answer, and what its pages tell browsers.
use super::{
    Probe,
    web::{
        exposure::{Asked, exposures},
        get, nowhere,
        outside::outside_root,
        policy::policy,
        shape,
    },
};
use crate::model::{
    Observation, Touch,
    observation::{
        ControlAnswer, HttpPage, clean,
        web::{Question, Shown},
    },
};
use crate::scan::{
    net::{
        Trouble,
        http::{Reply, Request},
    },
    session::{Ctx, Identified},
};
use reqwest::Method;

pub const PROBE: Probe = Probe {
    id: "http-questions",
    version: 2,
    title: "questions to web servers",
    page: include_str!("http_questions.md"),
    touch: Touch::Ask,
    subjects_from: &["tcp-ports", "service-identify", "http-surface"],
    run: |ctx| Box::pin(run(ctx)),
};

/// A host name that nobody has (RFC 2606).
const FOREIGN: &str = "patuh.invalid";
/// Pages of data that are asked from a foreign origin and under a foreign name.
const MOST_DATA: usize = 2;

async fn run(ctx: &Ctx) {
    ctx.each_service(ctx.services_named(&["http"]), |s| async move { look(ctx, &s).await }).await;
}

async fn look(ctx: &Ctx, s: &Identified) -> Result<(), Trouble> {
    let pages = Pages::of(ctx, s);
    for path in &pages.shown {
        let reply = get(ctx, s, path).await?;
        let policy = policy(s, path, &reply);
        ctx.record(s.endpoint, Observation::HttpPolicy { policy: Box::new(policy) }, Some(reply.transcript));
    }
    methods(ctx, s).await?;
    for path in pages.shown.iter().take(1).chain(&pages.data).chain(&pages.closed) {
        foreign_origin(ctx, s, path, pages.private.contains(path)).await?;
    }
    for path in &pages.data {
        foreign_host(ctx, s, path, pages.private.contains(path)).await?;
    }
    errors(ctx, s).await?;
    outside_root(ctx, s).await
}

/// The pages of one endpoint that earlier probes saw, by what they are good for.
struct Pages {
    /// Read by a browser: the first page and the login.
    shown: Vec<String>,
    /// Answers for programs that anybody gets.
    data: Vec<String>,
    /// Of these, the ones with secrets or personal data.
    private: Vec<String>,
    /// One page that asks for a login.
    closed: Option<String>,
}

impl Pages {
    fn of(ctx: &Ctx, s: &Identified) -> Self {
        let mine = |r: &crate::model::Record| r.subject == s.endpoint.into();
        let (mut pages, mut private) = (Vec::new(), Vec::new());
        for record in ctx.seen("http-surface").into_iter().filter(mine) {
            match record.observation {
                Observation::Http { page } => pages.push(*page),
                Observation::HttpShown { path, shows: Shown::Info, .. } => private.push(path),
                _ => {}
            }
        }
        let path = |p: &HttpPage| p.path.clone();
        let login = pages.iter().find(|p| p.login_form && p.path != "/");
        let is_data = |p: &&HttpPage| {
            p.status == 200 && !p.same_as_missing && ["json", "xml"].iter().any(|t| p.content_type.contains(t))
        };
        Self {
            shown: std::iter::once("/".to_owned()).chain(login.map(path)).collect(),
            data: pages.iter().filter(is_data).map(path).take(MOST_DATA).collect(),
            private,
            closed: pages.iter().find(|p| p.status == 401).map(path),
        }
    }
}

fn tell(ctx: &Ctx, s: &Identified, question: Question, path: &str, found: (ControlAnswer, String), reply: Reply) {
    let (answer, proof) = found;
    let (path, proof) = (clean(path, 200), clean(&proof, 160));
    let told = Observation::HttpControlled { question, path, answer, proof };
    ctx.record(s.endpoint, told, Some(reply.transcript));
}

async fn methods(ctx: &Ctx, s: &Identified) -> Result<(), Trouble> {
    let marker = format!("{:016x}", rand::random::<u64>());
    let mut trace = Request::get(s.endpoint.addr().to_string(), "/");
    trace.method = Method::TRACE;
    trace.headers.push(("x-patuh", marker.clone()));
    let reply = ctx.http(s, trace, &[]).await?;
    let found = match reply.status {
        _ if reply.text().contains(&marker) => (ControlAnswer::Answered, "the request came back".to_owned()),
        200..=299 => (ControlAnswer::Unclear, format!("status {}, without the request", reply.status)),
        status => (ControlAnswer::Refused, format!("status {status}")),
    };
    tell(ctx, s, Question::Trace, "/", found, reply);
    let mut unknown = Request::get(s.endpoint.addr().to_string(), "/");
    unknown.method = Method::from_bytes(b"PATUH").map_err(|e| Trouble::NotUnderstood(e.to_string()))?;
    let reply = ctx.http(s, unknown, &[]).await?;
    let found = match reply.status {
        200..=299 => (ControlAnswer::Unclear, format!("status {}, as if it were one", reply.status)),
        status => (ControlAnswer::Refused, format!("status {status}")),
    };
    tell(ctx, s, Question::UnknownMethod, "/", found, reply);
    Ok(())
}

/// Whether a page of another origin could read the answer. The first page is also asked from `null`, the origin of a file.
async fn foreign_origin(ctx: &Ctx, s: &Identified, path: &str, private: bool) -> Result<(), Trouble> {
    let null = (path == "/").then(|| "null".to_owned());
    for origin in std::iter::once(format!("https://{FOREIGN}")).chain(null) {
        let mut request = Request::get(s.endpoint.addr().to_string(), path);
        request.headers.push(("origin", origin.clone()));
        let reply = ctx.http(s, request, &[]).await?;
        let allowed = reply.header("access-control-allow-origin");
        let session = reply.header("access-control-allow-credentials").eq_ignore_ascii_case("true");
        let found = match (allowed.as_str(), session) {
            ("", _) => (ControlAnswer::Refused, format!("no origin is allowed to {origin}")),
            (a, true) if a == origin => {
                (ControlAnswer::Answered, format!("{origin} may read it with the user's session"))
            }
            (a, _) if private && (a == "*" || a == origin) => {
                (ControlAnswer::Answered, format!("{origin} may read it, and it tells data of the device"))
            }
            // With `*` no browser sends a session.
            ("*", _) => (ControlAnswer::Refused, "any origin may read what anybody gets".to_owned()),
            (a, false) if a == origin => (ControlAnswer::Refused, format!("{origin} may read it, without a session")),
            _ => (ControlAnswer::Refused, "another origin is allowed".to_owned()),
        };
        tell(ctx, s, Question::ForeignOrigin, path, found, reply);
    }
    Ok(())
}

async fn foreign_host(ctx: &Ctx, s: &Identified, path: &str, private: bool) -> Result<(), Trouble> {
    let own = get(ctx, s, path).await?;
    let reply = ctx.http(s, Request::get(FOREIGN.to_owned(), path), &[]).await?;
    let found = match reply.status {
        200 if shape(&own, path) == shape(&reply, path) => match private {
            true => (ControlAnswer::Answered, format!("the same data of the device comes for the host `{FOREIGN}`")),
            false => (ControlAnswer::Unclear, "the same, which tells no data of the device that we know of".to_owned()),
        },
        200..=299 => (ControlAnswer::Unclear, format!("status {}, with another answer", reply.status)),
        status => (ControlAnswer::Refused, format!("status {status}")),
    };
    tell(ctx, s, Question::ForeignHost, path, found, reply);
    Ok(())
}

/// Requests that are wrong in some way, at paths that cannot exist.
async fn errors(ctx: &Ctx, s: &Identified) -> Result<(), Trouble> {
    for (form, broken) in [("/*?x=%3C%27%3E", false), ("/*%00", false), ("/api/*", true)] {
        let path = nowhere(form);
        let mut request = Request::get(s.endpoint.addr().to_string(), &path);
        if broken {
            request.method = Method::POST;
            request.headers.push(("content-type", "application/json".to_owned()));
            request.body = b"{\"patuh\":".to_vec();
        }
        let reply = ctx.http(s, request, &[]).await?;
        let (path, status) = (clean(&path, 200), reply.status);
        for found in exposures(&path, &reply, Asked::Wrongly).into_iter().filter(|e| e.shows == Shown::Error) {
            let (path, rule, sensitive) = (path.clone(), found.rule, found.sensitive);
            let shown = Observation::HttpShown { path, status, shows: Shown::Error, rule, sensitive };
            ctx.record(s.endpoint, shown, Some(reply.transcript.clone()));
        }
        ctx.record(s.endpoint, Observation::HttpMissing { path, status }, Some(reply.transcript));
    }
    Ok(())
}
