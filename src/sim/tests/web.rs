//! HTTP and HTTPS.

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE, WWW_AUTHENTICATE};
use reqwest::{Client, Response, redirect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::super::Running;
use super::{builtin, say, tcp, up, with_services};

/// A client that follows nothing and believes every certificate.
fn client() -> Client {
    // The second test to come here finds the provider installed.
    drop(rustls::crypto::ring::default_provider().install_default());
    let builder = Client::builder().no_proxy().redirect(redirect::Policy::none());
    builder.danger_accept_invalid_certs(true).tls_info(true).build().unwrap()
}

fn url(scheme: &str, device: &Running, port: u16, path: &str) -> String {
    format!("{scheme}://{}:{port}{path}", device.host())
}

fn header(response: &Response, name: reqwest::header::HeaderName) -> String {
    response.headers().get(name).unwrap().to_str().unwrap().to_owned()
}

/// Logs in with the form token of a fresh page.
async fn log_in(client: &Client, login: &str, password: &str) -> Response {
    let page = client.get(login).send().await.unwrap().text().await.unwrap();
    let token = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let body = format!("csrf={token}&username=admin&password={password}");
    client.post(login).body(body).send().await.unwrap()
}

#[tokio::test]
async fn a_form_login_opens_the_protected_pages_until_the_logout() {
    let device = builtin("ip-camera-bad", 3, 1).await;
    let client = client();
    let home = url("http", &device, 20_080, "/");
    let denied = client.get(&home).send().await.unwrap();
    assert_eq!((denied.status().as_u16(), header(&denied, LOCATION)), (302, String::from("/login")));
    let login = url("http", &device, 20_080, "/login");
    assert_eq!(log_in(&client, &login, "wrong").await.status(), 200);
    let accepted = log_in(&client, &login, "admin").await;
    assert_eq!(accepted.status(), 302);
    let cookie = header(&accepted, SET_COOKIE).split(';').next().unwrap().to_owned();
    let page = client.get(&home).header(COOKIE, &cookie).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Firmware 2.4.1"), "{page}");
    client.get(url("http", &device, 20_080, "/logout")).header(COOKIE, &cookie).send().await.unwrap();
    assert_eq!(client.get(&home).header(COOKIE, &cookie).send().await.unwrap().status(), 302);
    assert_eq!(device.counters().failed_logins, 1);
}

#[tokio::test]
async fn a_form_without_its_token_is_no_login() {
    let device = builtin("ip-camera-bad", 3, 2).await;
    let login = url("http", &device, 20_080, "/login");
    let response = client().post(login).body("username=admin&password=admin").send().await.unwrap();
    assert_eq!(response.status(), 403);
    assert!(device.counters().logins.is_empty());
}

#[tokio::test]
async fn basic_takes_the_factory_login_only() {
    let device = builtin("smart-hub-bad", 3, 3).await;
    let home = url("http", &device, 20_080, "/");
    let ask = |password: Option<&'static str>| client().get(&home).basic_auth("admin", password).send();
    let refused = ask(Some("wrong")).await.unwrap();
    assert_eq!(
        (refused.status().as_u16(), header(&refused, WWW_AUTHENTICATE)),
        (401, "Basic realm=\"KH-Hub 2\"".into())
    );
    assert_eq!(ask(Some("password")).await.unwrap().status(), 200);
}

#[tokio::test]
async fn digest_takes_the_right_response_and_no_other() {
    let device = up(
        &with_services(
            "[[cwmp]]\nport = 7547\npath = '/cr'\nauth = 'digest'\nusers = [{ user = 'acs', password = 'pw' }]",
        ),
        3,
        4,
    )
    .await;
    let client = client();
    let target = url("http", &device, 7547, "/cr");
    for (password, status) in [("wrong", 401), ("pw", 200)] {
        let challenge = header(&client.get(&target).send().await.unwrap(), WWW_AUTHENTICATE);
        let nonce = challenge.split("nonce=\"").nth(1).unwrap().trim_end_matches('"').to_owned();
        let hash = |text: String| format!("{:x}", <md5::Md5 as md5::Digest>::digest(text));
        let (ha1, ha2) = (hash(format!("acs:cwmp:{password}")), hash("GET:/cr".into()));
        let response = hash(format!("{ha1}:{nonce}:00000001:abc:auth:{ha2}"));
        let authorization = format!(
            "Digest username=\"acs\", realm=\"cwmp\", nonce=\"{nonce}\", uri=\"/cr\", qop=auth, nc=00000001, \
             cnonce=\"abc\", response=\"{response}\""
        );
        let answer = client.get(&target).header("Authorization", authorization).send().await.unwrap();
        assert_eq!(answer.status(), status);
    }
}

#[tokio::test]
async fn the_update_page_of_the_bad_twin_takes_files_and_that_of_the_good_twin_does_not() {
    let (bad, good) = (builtin("ip-camera-bad", 3, 5).await, builtin("ip-camera-good", 3, 6).await);
    let client = client();
    let taken = client.post(url("http", &bad, 20_080, "/update")).body("CT-NOT-A-FIRMWARE").send().await.unwrap();
    assert!(taken.text().await.unwrap().contains("verifying"));
    let refused = client.post(url("https", &good, 20_443, "/update")).body("CT-NOT-A-FIRMWARE").send().await.unwrap();
    assert_eq!(header(&refused, LOCATION), "/login");
}

#[tokio::test]
async fn the_good_twin_redirects_to_https_and_publishes_where_to_report() {
    let device = builtin("ip-camera-good", 3, 7).await;
    let client = client();
    let redirect = client.get(url("http", &device, 20_080, "/x?y")).send().await.unwrap();
    assert_eq!(header(&redirect, LOCATION), url("https", &device, 20_443, "/x?y"));
    let contact = client.get(url("https", &device, 20_443, "/.well-known/security.txt")).send().await.unwrap();
    let text = contact.text().await.unwrap();
    let expires: jiff::Timestamp =
        text.lines().find_map(|line| line.strip_prefix("Expires: ")).unwrap().parse().unwrap();
    assert!(expires > crate::sim::clock::now());
}

#[tokio::test]
async fn the_certificate_of_the_bad_twin_has_expired() {
    let device = builtin("smart-hub-bad", 3, 8).await;
    let response = client().get(url("https", &device, 20_443, "/")).send().await.unwrap();
    let der = response.extensions().get::<reqwest::tls::TlsInfo>().unwrap().peer_certificate().unwrap().to_vec();
    let (_, certificate) = X509Certificate::from_der(&der).unwrap();
    assert_eq!(certificate.validity().not_after.to_rfc2822().unwrap(), "Fri, 01 Jan 2021 00:00:00 +0000");
}

#[tokio::test]
async fn plain_http_to_a_tls_port_gets_a_400() {
    let device = builtin("trap-plain-to-tls", 3, 9).await;
    let mut stream = tcp(&device, 8443).await;
    let answer = say(&mut stream, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "</html>").await;
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    assert!(answer.contains("sent to HTTPS port"));
}

#[tokio::test]
async fn the_catch_all_answers_200_to_every_path() {
    let device = builtin("trap-catch-all-200", 3, 10).await;
    for path in ["/", "/.git/HEAD", "/no/such/page"] {
        assert_eq!(client().get(url("http", &device, 20_080, path)).send().await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn a_locked_form_says_so_when_told_to() {
    let file = with_services(
        "[[http]]\nport = 80\nauth = 'form'\nusers = [{ user = 'admin', password = 'right' }]\n\
         lockout = { after = 2, seconds = 60, answer = 'told' }",
    );
    let device = up(&file, 3, 11).await;
    let login = url("http", &device, 20_080, "/login");
    let mut statuses = Vec::new();
    for password in ["a", "b", "right"] {
        statuses.push(log_in(&client(), &login, password).await.status().as_u16());
    }
    assert_eq!(statuses, [200, 429, 429]);
}

#[tokio::test]
async fn an_old_server_closes_without_a_length() {
    let device = builtin("trap-odd-ports", 3, 12).await;
    let mut stream = tcp(&device, 8000).await;
    let answer = say(&mut stream, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "</html>").await;
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n") && !answer.contains("Content-Length"), "{answer}");
}

/// A ClientHello of TLS 1.2 that offers this suite only.
fn client_hello(suite: [u8; 2]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend_from_slice(&[9; 32]);
    body.extend_from_slice(&[0, 0, 2]);
    body.extend_from_slice(&suite);
    body.extend_from_slice(&[1, 0]);
    let length = u8::try_from(body.len()).unwrap();
    let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(body);
    record
}

#[tokio::test]
async fn a_server_of_the_past_shows_its_version_or_an_alert() {
    let device = builtin("trap-tls-unusual", 3, 13).await;
    for (port, suite, start) in [
        (4430, [0, 0x2f], &[22, 3, 0][..]),
        (4431, [0xc0, 9], &[22, 3, 1]),
        (4431, [0x13, 1], &[21, 3, 1, 0, 2, 2, 40]),
    ] {
        let mut stream = tcp(&device, port).await;
        stream.write_all(&client_hello(suite)).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert!(answer.starts_with(start), "{answer:?}");
    }
}

#[tokio::test]
async fn a_port_that_wants_a_client_certificate_serves_nobody_without() {
    let device = builtin("trap-tls-unusual", 3, 14).await;
    assert!(client().get(url("https", &device, 4432, "/")).send().await.is_err());
}
