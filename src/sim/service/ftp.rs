//! FTP (RFC 959): logins, a passive listing and, where the device has it, the announcement of AUTH TLS.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::sim::SimError;
use crate::sim::account::{Accept, Accounts, Lockout, Login, User};
use crate::sim::fill::fill;
use crate::sim::listen::{LineFaults, Raising, Speaker};
use crate::sim::text;

const DATA_WAIT: Duration = Duration::from_secs(10);

/// An FTP service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ftp {
    pub port: u16,
    #[serde(default = "ready")]
    pub banner: String,
    #[serde(default)]
    pub anonymous: Anonymous,
    #[serde(default)]
    pub accept: Accept,
    #[serde(default)]
    pub users: Vec<User>,
    pub lockout: Option<Lockout>,
    /// Whether FEAT announces AUTH TLS. The handshake itself is refused.
    #[serde(default)]
    pub auth_tls: AuthTls,
    /// Lines of the listing.
    #[serde(default)]
    pub files: Vec<String>,
    #[serde(default)]
    pub faults: LineFaults,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Anonymous {
    Welcome,
    #[default]
    Refused,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthTls {
    Announced,
    #[default]
    Absent,
}

fn ready() -> String {
    String::from("{model} FTP server ready")
}

impl Ftp {
    pub(super) fn raise(&self, label: &str, raising: &mut Raising) -> Result<(), SimError> {
        let accounts = Accounts::new(label, &self.users, self.accept, self.lockout, &raising.stage);
        let banner = fill(&self.banner, &raising.stage);
        let host = raising.stage.host;
        raising.tcp(self.port, &self.faults, Server { spec: self.clone(), banner, host, accounts })
    }
}

struct Server {
    spec: Ftp,
    banner: String,
    host: IpAddr,
    accounts: Accounts,
}

#[derive(Default)]
struct Visit {
    user: String,
    login: Standing,
    data: Option<TcpListener>,
}

#[derive(Default, PartialEq, Eq)]
enum Standing {
    #[default]
    Outside,
    Inside,
}

impl Speaker for Server {
    async fn speak(self: Arc<Self>, stream: TcpStream) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        stream.write_all(format!("220 {}\r\n", self.banner).as_bytes()).await?;
        let mut visit = Visit::default();
        while let Some(line) = text::line(&mut stream).await? {
            let (verb, argument) = line.split_once(' ').unwrap_or((&line, ""));
            let verb = verb.to_ascii_uppercase();
            if verb == "LIST" && visit.login == Standing::Inside {
                self.list(&mut visit, &mut stream).await?;
                continue;
            }
            let answer = self.answer(&verb, argument, &mut visit).await?;
            stream.write_all(answer.as_bytes()).await?;
            if verb == "QUIT" {
                break;
            }
        }
        stream.shutdown().await
    }
}

impl Server {
    async fn answer(&self, verb: &str, argument: &str, visit: &mut Visit) -> io::Result<String> {
        Ok(match verb {
            "USER" => {
                *visit = Visit { user: argument.to_owned(), ..Visit::default() };
                String::from("331 Please specify the password.\r\n")
            }
            "PASS" => self.pass(argument, visit),
            "SYST" => String::from("215 UNIX Type: L8\r\n"),
            "FEAT" => self.features(),
            "QUIT" => String::from("221 Goodbye.\r\n"),
            "NOOP" => String::from("200 NOOP ok.\r\n"),
            "AUTH" if self.spec.auth_tls == AuthTls::Announced => String::from("431 TLS is not available now.\r\n"),
            _ if visit.login == Standing::Outside => String::from("530 Please login with USER and PASS.\r\n"),
            "PWD" => String::from("257 \"/\" is the current directory\r\n"),
            "TYPE" => String::from("200 Switching mode.\r\n"),
            "PASV" => self.passive(visit).await?,
            "STOR" | "DELE" => String::from("550 Permission denied.\r\n"),
            _ => String::from("502 Command not implemented.\r\n"),
        })
    }

    fn pass(&self, password: &str, visit: &mut Visit) -> String {
        let guest = self.spec.anonymous == Anonymous::Welcome && matches!(visit.user.as_str(), "anonymous" | "ftp");
        let login = if guest { Login::Accepted } else { self.accounts.login(&visit.user, password) };
        match login {
            Login::Accepted => {
                visit.login = Standing::Inside;
                String::from("230 Login successful.\r\n")
            }
            Login::Refused => String::from("530 Login incorrect.\r\n"),
            Login::ToldLocked => String::from("421 Too many failures, account locked.\r\n"),
        }
    }

    fn features(&self) -> String {
        let auth = match self.spec.auth_tls {
            AuthTls::Announced => " AUTH TLS\r\n PBSZ\r\n PROT\r\n",
            AuthTls::Absent => "",
        };
        format!("211-Features:\r\n PASV\r\n UTF8\r\n{auth}211 End\r\n")
    }

    async fn passive(&self, visit: &mut Visit) -> io::Result<String> {
        let IpAddr::V4(host) = self.host else {
            return Ok(String::from("522 Use EPSV.\r\n"));
        };
        let listener = TcpListener::bind((self.host, 0)).await?;
        let [high, low] = listener.local_addr()?.port().to_be_bytes();
        visit.data = Some(listener);
        let address = host.octets().map(|octet| octet.to_string()).join(",");
        Ok(format!("227 Entering Passive Mode ({address},{high},{low}).\r\n"))
    }

    async fn list(&self, visit: &mut Visit, stream: &mut BufReader<TcpStream>) -> io::Result<()> {
        let Some(listener) = visit.data.take() else {
            return stream.write_all(b"425 Use PASV first.\r\n").await;
        };
        stream.write_all(b"150 Here comes the directory listing.\r\n").await?;
        let (mut data, _) = tokio::time::timeout(DATA_WAIT, listener.accept()).await??;
        for file in &self.spec.files {
            data.write_all(format!("{file}\r\n").as_bytes()).await?;
        }
        data.shutdown().await?;
        stream.write_all(b"226 Directory send OK.\r\n").await
    }
}
