//! One site at run time: takes connections, in TLS where it has to, and answers requests.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::api::{self, ApiLogin};
use super::auth::{self, Tokens};
use super::form::FormLogin;
use super::igd;
use super::onvif;
use super::websocket::WebSocket;
use super::wire::{self, Request, Response, Stays};
use super::{Access, Auth, Careless, Framing, Http, Route, panel};
use crate::sim::account::{Accounts, Login};
use crate::sim::fill::fill;
use crate::sim::listen::Speaker;
use crate::sim::{Identity, SimError, Stage};

/// What common servers say to a visitor who forgot the `s` of `https`.
const PLAIN_TO_TLS: &str = "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\
    <body><h1>400 Bad Request</h1>The plain HTTP request was sent to HTTPS port</body></html>\n";
const UPLOAD_PAGE: &str = "<html><body><h1>Firmware update</h1><p>Current version: {firmware}</p><form method=\"post\" \
    enctype=\"multipart/form-data\"><input type=\"file\" name=\"firmware\"><button>Upload</button></form></body></html>\n";
const USERS: &str = "root:x:0:0:root:/root:/bin/sh\nwww:x:33:33:www:/srv/www:/bin/false\n";
const METHODS: [&str; 3] = ["GET", "HEAD", "POST"];
const TLS_HANDSHAKE_RECORD: u8 = 22;

pub(super) struct Site {
    spec: Http,
    identity: Identity,
    acceptor: Option<TlsAcceptor>,
    accounts: Accounts,
    realm: String,
    nonces: Tokens,
    form: FormLogin,
    api: ApiLogin,
    upload_page: String,
    panel: Option<panel::State>,
    igd: Option<igd::State>,
    /// Authority to redirect to.
    secure: Option<String>,
}

impl Site {
    pub fn new(spec: &Http, label: &str, stage: &Arc<Stage>) -> Result<Self, SimError> {
        let mut spec = spec.clone();
        for route in &mut spec.routes {
            route.body = fill(&route.body, stage);
            for value in route.headers.values_mut() {
                *value = fill(value, stage);
            }
        }
        for text in spec.websockets.iter_mut().flat_map(|socket| &mut socket.send) {
            *text = fill(text, stage);
        }
        spec.form.text = fill(&spec.form.text, stage);
        let acceptor = spec.tls.as_ref().map(|tls| tls.acceptor(label, stage)).transpose()?;
        let secure = spec.redirect_https.map(|port| stage.authority(port, 443)).transpose()?;
        let form = FormLogin {
            spec: spec.form.clone(),
            title: stage.identity.model.clone(),
            cookie_flags: match (spec.careless.contains(&Careless::CookieFlags), acceptor.is_some()) {
                (true, _) => "",
                (false, true) => "; HttpOnly; SameSite=Strict; Secure",
                (false, false) => "; HttpOnly",
            },
            careless: spec.careless.clone(),
            sessions: Tokens::default(),
            csrf: Tokens::default(),
            whose: std::sync::Mutex::default(),
        };
        Ok(Self {
            accounts: Accounts::new(label, &spec.users, spec.accept, spec.lockout, stage),
            realm: fill(&spec.realm, stage),
            upload_page: fill(UPLOAD_PAGE, stage),
            nonces: Tokens::default(),
            panel: spec.panel.as_ref().map(panel::State::new),
            igd: spec.igd.as_ref().map(igd::State::new),
            identity: stage.identity.clone(),
            spec,
            acceptor,
            form,
            api: ApiLogin::default(),
            secure,
        })
    }
}

impl Speaker for Site {
    async fn speak(self: Arc<Self>, stream: TcpStream) -> io::Result<()> {
        let from = stream.peer_addr()?.ip();
        let Some(acceptor) = &self.acceptor else { return self.converse(stream, from).await };
        let mut first = [0];
        stream.peek(&mut first).await?;
        if first != [TLS_HANDSHAKE_RECORD] {
            return self.refuse_plain(stream).await;
        }
        let stream = acceptor.accept(stream).await?;
        self.converse(stream, from).await
    }
}

impl Site {
    async fn refuse_plain(&self, stream: TcpStream) -> io::Result<()> {
        let mut stream = BufStream::new(stream);
        // Reading the request first keeps the close from resetting the answer away.
        drop(wire::read_head(&mut stream).await);
        let response = self.signed(Response::html(400, PLAIN_TO_TLS));
        wire::write(&mut stream, &response, Framing::Length, "GET", Stays::Closes).await?;
        stream.shutdown().await
    }

    async fn converse<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S, from: IpAddr) -> io::Result<()> {
        let mut stream = BufStream::new(stream);
        loop {
            let mut origin = None;
            let (response, method, stays) = match wire::read_head(&mut stream).await {
                Ok(None) => break,
                Ok(Some(request)) if self.upgrades(&request).is_some() => {
                    let Some(socket) = self.upgrades(&request) else { break };
                    return socket.speak(&mut stream, &request).await;
                }
                Ok(Some(mut request)) => {
                    origin = request.header("origin").map(str::to_owned);
                    let (response, stays) = self.handle(&mut stream, &mut request, from).await?;
                    (response, request.method, stays)
                }
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    (Response::html(400, "<h1>400 Bad Request</h1>\n"), String::new(), Stays::Closes)
                }
                Err(error) => return Err(error),
            };
            let response = self.allowing(origin.as_deref(), response);
            wire::write(&mut stream, &self.signed(response), self.spec.framing, &method, stays).await?;
            if stays == Stays::Closes {
                break;
            }
        }
        stream.shutdown().await
    }

    /// Refuses before the body is read where it can, as a careful update page does.
    async fn handle<S>(
        &self,
        stream: &mut BufStream<S>,
        request: &mut Request,
        from: IpAddr,
    ) -> io::Result<(Response, Stays)>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if let Some(answer) = self.before_all(request) {
            return Ok((answer, Stays::Closes));
        }
        if self.spec.onvif.is_some() && request.method == "POST" && onvif::is_its_own(&request.path) {
            wire::read_body(stream, request).await?;
            let response = self.spec.onvif.as_ref().map(|spec| spec.answer(request, &self.accounts, &self.identity));
            return Ok((response.unwrap_or_else(|| Response::html(404, "")), self.stays(request)));
        }
        if let Some(igd) = self.igd.as_ref().filter(|igd| igd.is_its_own(&request.path)) {
            wire::read_body(stream, request).await?;
            return Ok((igd.answer(request, from), self.stays(request)));
        }
        let before = self.accounts.in_a_row();
        if let Some(refusal) = self.refusal(request) {
            self.slow_down(before).await;
            let has_body = request.header("content-length").is_some_and(|length| length.trim() != "0");
            let stays = if has_body || !request.keeps_alive() { Stays::Closes } else { self.stays(request) };
            return Ok((refusal, stays));
        }
        wire::read_body(stream, request).await?;
        if self.spec.careless.contains(&Careless::Shell) {
            tokio::time::sleep(wire::slept(&request.target)).await;
        }
        let answer = self.answer(request);
        self.slow_down(before).await;
        Ok((answer, self.stays(request)))
    }

    /// A failure waits longer, the more came before it.
    async fn slow_down(&self, before: u32) {
        let now = self.accounts.in_a_row();
        if now > before && self.spec.slower_ms > 0 {
            tokio::time::sleep(Duration::from_millis(self.spec.slower_ms * u64::from(now))).await;
        }
    }

    /// What is answered before anybody asks for a page.
    fn before_all(&self, request: &Request) -> Option<Response> {
        if request.method == "TRACE" && self.spec.careless.contains(&Careless::Trace) {
            let lines = request.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
            let head = format!("TRACE {} HTTP/1.1\r\n{}", request.target, lines.collect::<String>());
            return Some(Response::new(200, "message/http", head));
        }
        if self.spec.careless.contains(&Careless::OutsideRoot) && wire::file(&request.path) == "/etc/passwd" {
            return Some(Response::new(200, "text/plain", USERS));
        }
        let foreign = |host: &str| host.split(':').next().unwrap_or_default().parse::<std::net::IpAddr>().is_err();
        let asked = request.header("host").unwrap_or_default();
        (self.spec.own_hosts && foreign(asked)).then(|| Response::html(421, "<h1>421 Misdirected Request</h1>\n"))
    }

    fn stays(&self, request: &Request) -> Stays {
        let stays = self.spec.framing == Framing::Length && request.keeps_alive();
        if stays { Stays::Open } else { Stays::Closes }
    }

    /// What a visitor gets who may not see this page.
    fn refusal(&self, request: &Request) -> Option<Response> {
        if let Some(authority) = &self.secure {
            return Some(Response::redirect(301, &format!("https://{authority}{}", request.target)));
        }
        if self.access(request) == Access::Open {
            return None;
        }
        match self.spec.auth {
            Auth::None => None,
            Auth::Basic => {
                let pair = request.header("authorization").and_then(auth::basic);
                let login = pair.map(|(user, password)| self.accounts.login(&user, &password));
                self.challenge(login, || format!("Basic realm=\"{}\"", self.realm))
            }
            Auth::Digest => {
                let lasts =
                    [Careless::OneNonce, Careless::LastingNonces].iter().any(|c| self.spec.careless.contains(c));
                let login = auth::digest(request, &self.realm, &self.nonces, &self.accounts);
                if !lasts {
                    auth::spend(request, &self.nonces);
                }
                self.challenge(login, || match self.spec.careless.contains(&Careless::OneNonce) {
                    true => auth::same_challenge(&self.realm, &self.nonces),
                    false => auth::digest_challenge(&self.realm, &self.nonces),
                })
            }
            Auth::Form if self.form.is_inside(request) => self.too_low(request),
            Auth::Form => Some(Response::redirect(302, &self.spec.form.page)),
            Auth::Json if self.api.is_inside(request) => None,
            Auth::Json => Some(api::json(401, &serde_json::json!({"error": "unauthorized"}))),
            Auth::Token if api::bearer(request) == self.spec.token.as_deref() => None,
            Auth::Token => {
                let refusal = api::json(401, &serde_json::json!({"error": "unauthorized"}));
                Some(refusal.with("WWW-Authenticate", "Bearer"))
            }
        }
    }

    /// What a user gets on a page of admins.
    fn too_low(&self, request: &Request) -> Option<Response> {
        let of_admins = self.access(request) == Access::Admin && !self.spec.careless.contains(&Careless::Roles);
        (of_admins && !self.is_admin(request)).then(|| Response::html(403, "<h1>403 Forbidden</h1>\n"))
    }

    fn is_admin(&self, request: &Request) -> bool {
        let user = request.cookie(super::form::COOKIE).and_then(|session| self.form.user_of(session));
        user.is_some_and(|user| self.spec.admins.contains(&user))
    }

    fn challenge(&self, login: Option<Login>, challenge: impl Fn() -> String) -> Option<Response> {
        match login {
            Some(Login::Accepted) => None,
            Some(Login::ToldLocked) => Some(Response::html(429, "<h1>429 Too Many Requests</h1>\n")),
            Some(Login::Refused) | None => {
                Some(Response::html(401, "<h1>401 Unauthorized</h1>\n").with("WWW-Authenticate", &challenge()))
            }
        }
    }

    fn access(&self, request: &Request) -> Access {
        let form = &self.spec.form;
        if self.spec.auth == Auth::Form && [&form.page, &form.logout].contains(&&request.path) {
            return Access::Open;
        }
        if self.spec.auth == Auth::Json && api::is_its_own(&request.path) {
            return Access::Open;
        }
        if let Some(upload) = self.spec.upload.as_ref().filter(|upload| upload.path == request.path) {
            return upload.access;
        }
        if self.panel.as_ref().is_some_and(|panel| panel.is_of_admins(&request.path)) && !self.spec.admins.is_empty() {
            return Access::Admin;
        }
        // A page that does not exist is as protected as those that do: names must not leak.
        self.route(&request.path).map_or(Access::Login, |route| route.access)
    }

    fn answer(&self, request: &Request) -> Response {
        if self.spec.auth == Auth::Form
            && let Some(response) = self.form.answer(request, &self.accounts)
        {
            return response;
        }
        if let Some(panel) = &self.panel
            && let Some(response) = panel.answer(request, &self.form, &self.accounts)
        {
            return response;
        }
        if self.spec.auth == Auth::Json
            && let Some(response) = self.api.answer(request, &self.accounts)
        {
            return response;
        }
        if self.spec.upload.as_ref().is_some_and(|upload| upload.path == request.path) {
            return self.upload(request);
        }
        match self.route(&request.path) {
            // A server that answers everything does so for every method, too.
            Some(route) if route.path != "*" && !METHODS.contains(&request.method.as_str()) => {
                Response::html(405, "<h1>405 Method Not Allowed</h1>\n").with("Allow", "GET, HEAD, POST")
            }
            Some(route) => {
                let mut response = Response::new(route.status, &route.content_type, route.bytes());
                if self.is_admin(request) {
                    response.body.extend_from_slice(route.for_admins.as_bytes());
                }
                response.headers.extend(route.headers.clone());
                response
            }
            None => Response::html(404, "<h1>404 Not Found</h1>\n"),
        }
    }

    fn upload(&self, request: &Request) -> Response {
        match request.method.as_str() {
            "POST" | "PUT" if request.body.is_empty() => Response::html(400, "<p>No file received.</p>\n"),
            "POST" | "PUT" => Response::html(200, "<p>File received, verifying. Do not switch off.</p>\n"),
            _ => Response::html(200, &self.upload_page),
        }
    }

    fn upgrades(&self, request: &Request) -> Option<&WebSocket> {
        let socket = self.spec.websockets.iter().find(|socket| socket.path == request.path)?;
        let asked = request.header("upgrade").is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket"));
        (asked && (socket.access == Access::Open || self.refusal(request).is_none())).then_some(socket)
    }

    fn route(&self, path: &str) -> Option<&Route> {
        let exact = self.spec.routes.iter().find(|route| route.path == path);
        exact.or_else(|| self.spec.routes.iter().find(|route| route.path == "*"))
    }

    /// Lets whoever asks read.
    fn allowing(&self, origin: Option<&str>, response: Response) -> Response {
        match origin.filter(|_| self.spec.careless.contains(&Careless::Origin)) {
            Some(origin) => {
                response.with("Access-Control-Allow-Origin", origin).with("Access-Control-Allow-Credentials", "true")
            }
            None => response,
        }
    }

    fn signed(&self, response: Response) -> Response {
        match &self.spec.server {
            Some(server) => response.with("Server", server),
            None => response,
        }
    }
}
