//! Telnet, FTP, RTSP and SSH.

use std::sync::Arc;

use russh::client;
use tokio::io::AsyncReadExt;

use super::{builtin, say, tcp, until, up, with_services};

fn key(service: &str, user: &str) -> (String, String) {
    (service.to_owned(), user.to_owned())
}

#[tokio::test]
async fn telnet_lets_the_factory_login_in_and_computes() {
    let device = builtin("ip-camera-bad", 2, 1).await;
    let mut stream = tcp(&device, 2323).await;
    until(&mut stream, "login: ").await;
    say(&mut stream, "root\r\n", "Password: ").await;
    say(&mut stream, "wrong\r\n", "incorrect\r\n\r\nlogin: ").await;
    say(&mut stream, "root\r\n", "Password: ").await;
    say(&mut stream, "xc3511\r\n", "# ").await;
    assert!(say(&mut stream, "echo $((6*7))\r\n", "\r\n# ").await.contains("\r\n42\r\n"));
    assert!(say(&mut stream, "id\n", "\r\n# ").await.contains("uid=0(root)"));
    let counters = device.counters();
    assert_eq!(counters.logins.get(&key("telnet:2323", "root")), Some(&2));
    assert_eq!((counters.failed_logins, counters.connections), (1, 1));
}

#[tokio::test]
async fn telnet_strips_the_commands_of_the_client() {
    let device = builtin("trap-odd-ports", 2, 2).await;
    let mut stream = tcp(&device, 2323).await;
    until(&mut stream, "# ").await;
    tokio::io::AsyncWriteExt::write_all(&mut stream, &[255, 253, 1, 255, 250, 31, 0, 80, 0, 24, 255, 240])
        .await
        .unwrap();
    assert!(say(&mut stream, "echo hi\r\0", "\r\n# ").await.contains("\r\nhi\r\n"));
}

#[tokio::test]
async fn a_locked_account_refuses_the_right_password() {
    let device = builtin("trap-lockout", 2, 3).await;
    let mut stream = tcp(&device, 20_023).await;
    for _ in 0..3 {
        until(&mut stream, "login: ").await;
        say(&mut stream, "root\r\n", "Password: ").await;
        say(&mut stream, "wrong\r\n", "incorrect").await;
    }
    let mut stream = tcp(&device, 20_023).await;
    until(&mut stream, "login: ").await;
    say(&mut stream, "root\r\n", "Password: ").await;
    say(&mut stream, "ikwb\r\n", "incorrect").await;
    assert!(device.counters().locked.contains(&key("telnet:23", "root")));
}

#[tokio::test]
async fn ftp_lists_files_for_an_anonymous_visitor() {
    let device = builtin("ip-camera-bad", 2, 4).await;
    let mut stream = tcp(&device, 20_021).await;
    until(&mut stream, "\r\n").await;
    say(&mut stream, "USER anonymous\r\n", "331 ").await;
    say(&mut stream, "PASS a@example.invalid\r\n", "230 ").await;
    let passive = say(&mut stream, "PASV\r\n", ").\r\n").await;
    let numbers: Vec<u16> = passive.split(['(', ')', ',']).filter_map(|part| part.parse().ok()).collect();
    let mut data = tcp(&device, numbers[4] * 256 + numbers[5]).await;
    say(&mut stream, "LIST\r\n", "226 ").await;
    let mut listing = String::new();
    data.read_to_string(&mut listing).await.unwrap();
    assert!(listing.contains("config.xml"));
}

#[tokio::test]
async fn ftp_refuses_a_visitor_without_an_account() {
    let device = up(&with_services("[[ftp]]\nport = 21\nauth_tls = 'announced'"), 2, 5).await;
    let mut stream = tcp(&device, 20_021).await;
    assert!(say(&mut stream, "FEAT\r\n", "211 End").await.contains("AUTH TLS"));
    say(&mut stream, "USER anonymous\r\n", "331 ").await;
    say(&mut stream, "PASS x\r\n", "530 ").await;
    say(&mut stream, "LIST\r\n", "530 ").await;
}

#[tokio::test]
async fn rtsp_describes_an_open_stream_and_hides_a_closed_one() {
    let open = builtin("ip-camera-bad", 2, 6).await;
    let mut stream = tcp(&open, 20_554).await;
    let query = "DESCRIBE rtsp://camera/ RTSP/1.0\r\nCSeq: 7\r\n\r\n";
    let answer = say(&mut stream, query, "trackID=1").await;
    assert!(answer.starts_with("RTSP/1.0 200 OK\r\nCSeq: 7\r\n"), "{answer}");
    let closed = builtin("ip-camera-good", 2, 7).await;
    let mut stream = tcp(&closed, 20_554).await;
    assert!(say(&mut stream, query, "\r\n\r\n").await.contains("401 Unauthorized"));
}

struct Client;

impl client::Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &russh::keys::PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

#[tokio::test]
async fn ssh_lets_the_factory_login_in_and_runs_a_command() {
    let device = builtin("fwa-gateway-bad", 2, 8).await;
    let config = Arc::new(client::Config::default());
    let mut session = client::connect(config, (device.host(), 20_022), Client).await.unwrap();
    assert!(!session.authenticate_password("root", "wrong").await.unwrap().success());
    assert!(session.authenticate_password("root", "admin").await.unwrap().success());
    let mut channel = session.channel_open_session().await.unwrap();
    channel.exec(true, "echo $((6*7))").await.unwrap();
    let mut output = Vec::new();
    while let Some(message) = channel.wait().await {
        if let russh::ChannelMsg::Data { data } = message {
            output.extend_from_slice(&data);
        }
    }
    assert_eq!(output, b"42\r\n");
    assert_eq!(device.counters().logins.get(&key("ssh:22", "root")), Some(&2));
}

#[tokio::test]
async fn ssh_shows_the_ident_of_the_device() {
    let device = up(&with_services("[[ssh]]\nport = 22\nmode = 'banner'\nident = 'SSH-2.0-dropbear_0.52'"), 2, 9).await;
    let mut stream = tcp(&device, 20_022).await;
    assert_eq!(until(&mut stream, "\n").await, "SSH-2.0-dropbear_0.52\r\n");
}
