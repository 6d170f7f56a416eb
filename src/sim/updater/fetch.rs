//! How an update client fetches: a name server, a TLS server that it believes or not, and HTTP.
use super::{Fallback, Home, Trust};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpSocket, TcpStream, UdpSocket},
};

const WAIT: Duration = Duration::from_secs(3);

/// The body of a good reply.
pub struct Fetched {
    pub bytes: Vec<u8>,
    pub whole: bool,
}

/// From where, how carefully, and with which clock.
pub struct From<'a> {
    pub home: &'a Home,
    pub trust: Trust,
    pub fallback: Fallback,
    pub off_s: i64,
}

impl From<'_> {
    pub async fn get(&self, path: &str) -> Option<Fetched> {
        let home = self.home;
        let address = resolve(home).await?;
        let tls = async {
            match self.fallback {
                Fallback::OnlyHttp => None,
                Fallback::None | Fallback::Http => self.over_tls(address, path).await,
            }
        };
        match tokio::time::timeout(WAIT, tls).await.ok().flatten() {
            Some(reply) => body(&reply),
            None if self.fallback != Fallback::None => {
                let mut stream = connect(home, address, home.http_port).await?;
                body(&tokio::time::timeout(WAIT, ask(&mut stream, home, path)).await.ok()??)
            }
            None => None,
        }
    }

    async fn over_tls(&self, address: Ipv4Addr, path: &str) -> Option<Vec<u8>> {
        let stream = connect(self.home, address, self.home.https_port).await?;
        let config = config(self.home, self.trust, self.off_s).ok()?;
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let name = ServerName::try_from(self.home.name.clone()).ok()?;
        ask(&mut connector.connect(name, stream).await.ok()?, self.home, path).await
    }
}

/// How many seconds the time that it is told (SNTP, RFC 4330) is off.
pub async fn time(home: &Home, server: SocketAddr) -> Option<i64> {
    let socket = UdpSocket::bind((home.page.ip(), 0)).await.ok()?;
    let mut question = [0u8; 48];
    question[0] = 0x23;
    socket.send_to(&question, server).await.ok()?;
    let mut reply = [0u8; 48];
    tokio::time::timeout(WAIT, socket.recv(&mut reply)).await.ok()?.ok()?;
    let seconds = u32::from_be_bytes(reply.get(40..44)?.try_into().ok()?);
    Some(i64::from(seconds) - 2_208_988_800 - crate::sim::clock::now().as_second())
}

/// From its own address, as a device does.
async fn connect(home: &Home, address: Ipv4Addr, port: u16) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.bind((home.page.ip(), 0).into()).ok()?;
    socket.connect((address, port).into()).await.ok()
}

async fn resolve(home: &Home) -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind((home.page.ip(), 0)).await.ok()?;
    let mut query = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in home.name.split('.') {
        query.push(u8::try_from(label.len()).ok()?);
        query.extend_from_slice(label.as_bytes());
    }
    query.extend_from_slice(&[0, 0, 1, 0, 1]);
    socket.send_to(&query, home.dns).await.ok()?;
    let mut reply = [0u8; 512];
    let n = tokio::time::timeout(WAIT, socket.recv(&mut reply)).await.ok()?.ok()?;
    let reply = reply.get(..n)?;
    let [.., a, b, c, d] = reply else { return None };
    // One answer, and it stands last.
    (reply.get(6..8)? == [0, 1]).then(|| Ipv4Addr::new(*a, *b, *c, *d))
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin>(io: &mut S, home: &Home, path: &str) -> Option<Vec<u8>> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", home.name);
    io.write_all(request.as_bytes()).await.ok()?;
    io.flush().await.ok()?;
    let mut reply = Vec::new();
    // A server that does not say good-bye is judged by the length that it stated.
    let _ = io.take(1 << 24).read_to_end(&mut reply).await;
    (!reply.is_empty()).then_some(reply)
}

fn body(reply: &[u8]) -> Option<Fetched> {
    let end = reply.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(reply.get(..end)?).to_lowercase();
    let length = head.lines().find_map(|l| l.strip_prefix("content-length: "))?.trim().parse::<usize>().ok()?;
    let body = reply.get(end + 4..)?;
    head.starts_with("http/1.1 200").then(|| Fetched { bytes: body.to_vec(), whole: body.len() == length })
}

fn config(home: &Home, trust: Trust, off_s: i64) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(home.ca.clone()))?;
    let strict = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let strict = strict.build().map_err(|e| Error::General(e.to_string()))?;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let lax = Arc::new(Lax { strict, trust, off_s });
    let mut config = builder.dangerous().with_custom_certificate_verifier(lax).with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

/// As strict as the client is.
#[derive(Debug)]
struct Lax {
    strict: Arc<WebPkiServerVerifier>,
    trust: Trust,
    off_s: i64,
}

impl ServerCertVerifier for Lax {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        use CertificateError as E;
        let now = now.as_secs().saturating_add_signed(self.off_s);
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
        match (self.strict.verify_server_cert(end, between, name, ocsp, now), self.trust) {
            (Err(_), Trust::Anything) => Ok(ServerCertVerified::assertion()),
            (
                Err(Error::InvalidCertificate(E::NotValidForName | E::NotValidForNameContext { .. })),
                Trust::ChainOnly,
            ) => Ok(ServerCertVerified::assertion()),
            (verified, _) => verified,
        }
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict.verify_tls12_signature(message, certificate, signature)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict.verify_tls13_signature(message, certificate, signature)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.strict.supported_verify_schemes()
    }
}
