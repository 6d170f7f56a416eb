//! One device that does everything to those who look at it: its scan ends, stays small, and shows nothing that steers a terminal.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr, reason = "tests")]
#[path = "support/scans.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod scans;

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream, UdpSocket},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const HOST: &str = "127.0.87.1";
const LONGEST: Duration = Duration::from_secs(280);
const MOST_KIB: u64 = 128 * 1024;

/// Serves each connection to a port in a thread of its own; whoever leaves is forgotten.
fn serve(port: u16, speak: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + Sync + Clone + 'static) {
    let listener = TcpListener::bind((HOST, port)).unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let speak = speak.clone();
            std::thread::spawn(move || {
                stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                drop(speak(&mut stream));
            });
        }
    });
}

/// Waits for the visitor to say something.
fn heard(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut buffer = vec![0; 8192];
    let n = stream.read(&mut buffer)?;
    buffer.truncate(n);
    Ok(buffer)
}

fn forever(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    loop {
        stream.write_all(bytes)?;
    }
}

/// 64 MiB of zeros, packed.
fn bomb() -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        packed.write_all(&vec![0; 1 << 20]).unwrap();
    }
    packed.finish().unwrap()
}

/// The beginning of a TLS 1.2 handshake: a hello, and a certificate message that announces `announced` bytes.
fn hello(announced: usize) -> Vec<u8> {
    let body = [&[3, 3][..], &[7; 32], &[0, 0xc0, 0x2f, 0]].concat();
    let mut out = vec![22, 3, 3, 0, u8::try_from(body.len() + 4).unwrap(), 2, 0, 0, u8::try_from(body.len()).unwrap()];
    out.extend(body);
    let length = u32::try_from(announced).unwrap().to_be_bytes();
    out.extend([22, 3, 3, 0, 4, 11]);
    out.extend(&length[1..]);
    out
}

fn mqtt(stream: &mut TcpStream, then: &[u8], times: usize) -> std::io::Result<()> {
    loop {
        let packet = heard(stream)?;
        match packet.first().map(|b| b >> 4) {
            Some(1) => stream.write_all(&[0x20, 2, 0, 0])?,
            Some(8) => {
                stream.write_all(&[0x90, 3, 0, 1, 0])?;
                for _ in 0..times {
                    stream.write_all(then)?;
                }
            }
            Some(12) => stream.write_all(&[0xd0, 0])?,
            Some(_) => {}
            None => return Ok(()),
        }
    }
}

fn raise() {
    serve(21, |s| s.write_all("220 \0\u{1b}[31m\u{1b}]0;owned\u{7}\u{202e}evil\u{2066}\r\n".as_bytes()));
    serve(23, |s| {
        loop {
            s.write_all(b"l")?;
            std::thread::sleep(Duration::from_secs(1));
        }
    });
    serve(80, |s| {
        heard(s)?;
        s.write_all(b"HTTP/1.1 200 OK\r\nX-Long: ")?;
        (0..10).try_for_each(|_| s.write_all(&vec![b'a'; 1 << 20]))?;
        s.write_all(b"\r\n\r\n<title>\x1b[2J</title>")
    });
    let packed = bomb();
    serve(8080, move |s| {
        heard(s)?;
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n",
            packed.len()
        );
        s.write_all(head.as_bytes())?;
        s.write_all(&packed)
    });
    serve(8081, |s| {
        heard(s)?;
        s.write_all("HTTP/1.1 200 \u{202e}OK\r\nServer: a\u{1b}[5mb\r\nContent-Type: text/html\r\n\r\n<title>\u{202e}\u{1b}[2Jtitle\u{0}</title>".as_bytes())?;
        forever(s, b"<p>and on and on</p>")
    });
    serve(443, |s| {
        heard(s)?;
        s.write_all(&hello(0xff_ffff))?;
        forever(s, &[&[22, 3, 3, 0x40, 0][..], &[0; 0x4000]].concat())
    });
    serve(8443, |s| {
        heard(s)?;
        s.write_all(&hello(1 << 20))?;
        (0..64).try_for_each(|_| s.write_all(&[&[22, 3, 3, 0x40, 0][..], &[0x30; 0x4000]].concat()))
    });
    let retained: Vec<u8> =
        (0..1000u32).flat_map(|n| [&[0x31, 12, 0, 6][..], format!("t/{n:04}").as_bytes(), b"data"].concat()).collect();
    serve(1883, move |s| mqtt(s, &retained, 100));
    serve(1884, |s| mqtt(s, &[0x31, 0xff, 0xff, 0xff, 0x7f, 0, 1, b'x'], 1));
    serve(1885, |s| {
        heard(s)?;
        forever(s, &[0x20, 0xff, 0xff, 0xff, 0xff])
    });
    coap();
}

/// Links that lead to themselves, in blocks without end.
fn coap() {
    let socket = UdpSocket::bind((HOST, 5683)).unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((n, from)) = socket.recv_from(&mut buffer) {
            let Ok(request) = coap_lite::Packet::from_bytes(&buffer[..n]) else { continue };
            let mut reply = coap_lite::Packet::new();
            reply.header.set_type(coap_lite::MessageType::Acknowledgement);
            reply.header.message_id = request.header.message_id;
            reply.set_token(request.get_token().to_vec());
            reply.header.code = coap_lite::MessageClass::Response(coap_lite::ResponseType::Content);
            let asked = request.get_first_option(coap_lite::CoapOption::Block2);
            let number = asked.map_or(0, |b| b.iter().fold(0u32, |n, x| n << 8 | u32::from(*x)) >> 4);
            let block = (number << 4 | 8 | 6).to_be_bytes();
            reply.add_option(coap_lite::CoapOption::Block2, block[1..].to_vec());
            reply.payload = b"</.well-known/core>;rt=\"\x1b[31m\",</a/../.well-known/core>,".repeat(18);
            let _ = socket.send_to(&reply.to_bytes().unwrap_or_default(), from);
        }
    });
}

/// The largest that the process has been so far, in KiB.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

#[test]
fn a_scan_of_a_hostile_device_ends_stays_small_and_its_reports_are_clean() {
    if !scans::root() {
        return;
    }
    raise();
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("recording");
    let log = std::fs::File::create(dir.path().join("log")).unwrap();
    let ports = "tcp:21,23,80,443,1883-1885,8080,8081,8443,udp:5683";
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_patuh"))
        .args(["scan", HOST, "--ports", ports, "--pace", "fast", "--out", out.to_str().unwrap()])
        .env("PATUH_LEDGER", dir.path().join("ledger"))
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut most = 0;
    let status = loop {
        most = most.max(peak(child.id()));
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if started.elapsed() > LONGEST {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let said = std::fs::read_to_string(dir.path().join("log")).unwrap();
    eprintln!("ended after {:?}, at most {most} KiB", started.elapsed());
    assert!(status.is_some_and(|s| s.success()), "{status:?} after {:?}: {said}", started.elapsed());
    assert!(!said.contains("panicked"), "{said}");
    assert!(most > 0 && most < MOST_KIB, "{most} KiB");
    let at = out.to_str().unwrap();
    for args in [
        vec!["inventory", at],
        vec!["judge", at, "--profile", "etsi-en303645-v2"],
        vec!["judge", at, "--profile", "etsi-en303645-v2", "--format", "html"],
    ] {
        let (_, shown, _) = scans::patuh(&args);
        assert!(shown.len() > 200, "{args:?}");
        let steers = |c: &char| {
            (c.is_control() && !"\n\t".contains(*c)) || "\u{202e}\u{202d}\u{2066}\u{2067}\u{2068}".contains(*c)
        };
        assert_eq!(shown.chars().find(steers), None, "{args:?}");
    }
}
