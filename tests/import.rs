//! Captures: made here of traffic of real programs, and read as tshark reads them; and files made by hand that are broken.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr, reason = "tests")]
#[path = "support/scans.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod scans;
#[path = "support/verdicts.rs"]
mod verdicts;

use base64::{Engine, engine::general_purpose::STANDARD};
use etherparse::PacketBuilder;
use patuh::{
    judge::{Decision, Evidence, Verdict, check},
    model::{
        Ixit, Observation, Recording,
        observation::capture::{Capture, Destination, Opened, Place, Protocol, Unread},
    },
    scan::{
        Progress,
        capture::{self, CaptureError, Import, Named},
    },
};
use proptest::prelude::*;
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const DEVICE: [u8; 4] = [192, 168, 7, 20];
const CLOUD: [u8; 4] = [198, 51, 100, 7];
const OWN: [u8; 6] = [2, 0, 0, 0, 0, 7];
const OTHER: [u8; 6] = [2, 0, 0, 0, 0, 1];

struct Quiet;

impl Progress for Quiet {
    fn step(&self, _: usize, _: usize, _: &str) {}
}

fn import(files: &[PathBuf], device: &str, secrets: &[&str]) -> Result<Recording, CaptureError> {
    let dir = tempfile::tempdir().unwrap();
    let device: Vec<Named> = vec![device.parse().unwrap()];
    let secrets: Vec<Vec<u8>> = secrets.iter().map(|s| s.as_bytes().to_vec()).collect();
    let out = dir.path().join("recording");
    capture::run(&Import { files, device: &device, secrets: &secrets, dir: &out, progress: &Quiet })
}

fn captures(recording: &Recording) -> Vec<&Capture> {
    let all = recording.records().filter_map(|r| match &r.observation {
        Observation::Capture { capture } => Some(&**capture),
        _ => None,
    });
    all.collect()
}

fn destinations(recording: &Recording) -> Vec<(String, &Destination)> {
    let all = recording.records().filter_map(|r| match &r.observation {
        Observation::Destination { destination } => Some((r.subject.to_string(), &**destination)),
        _ => None,
    });
    all.collect()
}

/// `carrier: packets` of every secret.
fn secrets(recording: &Recording) -> BTreeSet<(String, Vec<u64>)> {
    let all = recording.records().filter_map(|r| match &r.observation {
        Observation::ClearSecret { secret } => Some((secret.carrier.clone(), secret.seen.packets.clone())),
        _ => None,
    });
    all.collect()
}

fn verdict(id: &str, hours: i64, recording: &Recording, ixit: Option<&Ixit>) -> (&'static str, String) {
    let parameters = toml::Table::from_iter([("hours".to_owned(), toml::Value::Integer(hours))]);
    let judge = (check::find(id).unwrap().bind)(parameters).unwrap();
    match judge.judge(&Evidence::new(recording, None, ixit)) {
        Decision::Absent { what, .. } => ("NOT_APPLICABLE", what),
        Decision::Judged(j) => {
            let word = match j.verdict() {
                Verdict::Pass => "PASS",
                Verdict::Inconclusive => "INCONCLUSIVE",
                Verdict::Fail => "FAIL",
            };
            let gaps: Vec<String> = j.gaps().map(ToString::to_string).collect();
            (word, format!("{} | {}", j.observed().join("; "), gaps.join("; ")))
        }
    }
}

/// How a file made by hand is written.
#[derive(Clone, Copy)]
struct Style {
    big_endian: bool,
    nano: bool,
    link: u32,
}

const PLAIN: Style = Style { big_endian: false, nano: false, link: 1 };

/// A pcap of packets, each with its time in microseconds.
fn pcap(style: Style, packets: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let word = |n: u32| if style.big_endian { n.to_be_bytes() } else { n.to_le_bytes() };
    let half = |n: u16| if style.big_endian { n.to_be_bytes() } else { n.to_le_bytes() };
    let mut out = Vec::new();
    out.extend(word(if style.nano { 0xa1b2_3c4d } else { 0xa1b2_c3d4 }));
    out.extend([half(2), half(4)].concat());
    out.extend([word(0), word(0), word(262_144), word(style.link)].concat());
    for (us, data) in packets {
        let fraction = u32::try_from(us % 1_000_000).unwrap() * if style.nano { 1000 } else { 1 };
        let length = word(u32::try_from(data.len()).unwrap());
        out.extend([word(u32::try_from(us / 1_000_000).unwrap()), word(fraction), length, length].concat());
        out.extend(data);
    }
    out
}

fn file(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Who has the device's address, as it says on the link.
fn arp() -> Vec<u8> {
    let mut all = [[255; 6], OWN].concat();
    all.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
    all.extend([&OWN[..], &DEVICE, &[0; 6], &[192, 168, 7, 1]].concat());
    all
}

fn udp(from_device: bool, port: u16, payload: &[u8]) -> Vec<u8> {
    let builder = match from_device {
        true => PacketBuilder::ethernet2(OWN, OTHER).ipv4(DEVICE, CLOUD, 64).udp(40_000, port),
        false => PacketBuilder::ethernet2(OTHER, OWN).ipv4(CLOUD, DEVICE, 64).udp(port, 40_000),
    };
    let mut out = Vec::new();
    builder.write(&mut out, payload).unwrap();
    out
}

fn tcp(from_device: bool, port: u16, own: u16, sequence: u32, kind: &str, payload: &[u8]) -> Vec<u8> {
    let link = match from_device {
        true => PacketBuilder::ethernet2(OWN, OTHER).ipv4(DEVICE, CLOUD, 64).tcp(own, port, sequence, 1024),
        false => PacketBuilder::ethernet2(OTHER, OWN).ipv4(CLOUD, DEVICE, 64).tcp(port, own, sequence, 1024),
    };
    let builder = match kind {
        "syn" => link.syn(),
        "syn-ack" => link.syn().ack(1),
        "fin" => link.fin().ack(1),
        _ => link.ack(1),
    };
    let mut out = Vec::new();
    builder.write(&mut out, payload).unwrap();
    out
}

fn at(packets: Vec<Vec<u8>>) -> Vec<(u64, Vec<u8>)> {
    packets.into_iter().enumerate().map(|(n, p)| (n as u64 * 250_000, p)).collect()
}

/// A request whose segments come in any order, twice, and overlapping.
fn request() -> Vec<Vec<u8>> {
    let text = b"GET /a HTTP/1.1\r\nHost: cloud.example.com\r\nAuthorization: Basic dTpodW50ZXIyMg==\r\n\r\n";
    let data = |a: usize, b: usize| tcp(true, 80, 41_000, 1001 + u32::try_from(a).unwrap(), "", &text[a..b]);
    vec![
        arp(),
        tcp(true, 80, 41_000, 1000, "syn", b""),
        tcp(false, 80, 41_000, 5000, "syn-ack", b""),
        data(30, 60),
        data(0, 40),
        data(50, text.len()),
        data(0, 40),
        tcp(false, 80, 41_000, 5001, "", b"HTTP/1.1 204 No Content\r\n\r\n"),
        tcp(true, 80, 41_000, 1001 + u32::try_from(text.len()).unwrap(), "fin", b""),
        tcp(false, 80, 41_000, 5028, "fin", b""),
    ]
}

#[test]
fn a_request_is_read_from_segments_in_any_order_in_every_kind_of_pcap() {
    let dir = tempfile::tempdir().unwrap();
    let mut all = Vec::new();
    for (n, (big_endian, nano)) in [(false, false), (false, true), (true, false), (true, true)].into_iter().enumerate()
    {
        let style = Style { big_endian, nano, link: 1 };
        let path = file(dir.path(), &format!("{n}.pcap"), &pcap(style, &at(request())));
        let recording = import(&[path], "192.168.7.20", &[]).unwrap();
        let (capture, went) = (captures(&recording)[0].clone(), destinations(&recording));
        let (to, d) = went[0].clone();
        assert_eq!(went.len(), 1);
        assert_eq!(
            (to.as_str(), d.protocol, d.opened, d.place),
            ("tcp/198.51.100.7:80", Protocol::Http, Opened::Device, Place::Outside)
        );
        assert_eq!((d.names.as_slice(), d.connections, d.answered), (&["cloud.example.com".to_owned()][..], 1, 1));
        // The line with the password begins in the packet that brought the bytes from 42 on.
        assert_eq!(secrets(&recording), BTreeSet::from([("http basic".to_owned(), vec![4])]));
        assert_eq!(capture.device.macs, ["02:00:00:00:00:07"], "learnt by ARP");
        assert_eq!((capture.packets, capture.dropped, capture.unread.len()), (10, None, 0));
        assert_eq!(capture.device.spans.iter().map(|s| (s.from, s.to)).collect::<Vec<_>>(), [(0, 2)]);
        all.push(went.into_iter().map(|(s, d)| (s, d.sent, d.received)).collect::<Vec<_>>());
    }
    assert!(all.windows(2).all(|w| w[0] == w[1]));
}

#[test]
fn every_kind_of_link_gives_the_same_destination() {
    let dir = tempfile::tempdir().unwrap();
    let ethernet = udp(true, 9999, b"temp=21;hum=40");
    let ip = ethernet[14..].to_vec();
    let tagged = [&ethernet[..12], &[0x81, 0, 0, 7], &ethernet[12..]].concat();
    let cooked = [&[0, 4, 0, 1, 0, 6], &OWN[..], &[0, 0, 8, 0], &ip].concat();
    let cooked2 = [&[8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 4, 6], &OWN[..], &[0, 0], &ip].concat();
    let bsd = [&2u32.to_le_bytes()[..], &ip].concat();
    for (link, packet) in
        [(1, ethernet), (1, tagged), (101, ip.clone()), (228, ip), (113, cooked), (276, cooked2), (0, bsd)]
    {
        let style = Style { link, ..PLAIN };
        let path = file(dir.path(), "link.pcap", &pcap(style, &[(0, packet)]));
        let recording = import(&[path], "192.168.7.20", &[]).unwrap();
        let went: Vec<(String, Protocol)> =
            destinations(&recording).into_iter().map(|(s, d)| (s, d.protocol)).collect();
        assert_eq!(went, [("udp/198.51.100.7:9999".to_owned(), Protocol::Text)], "link {link}");
    }
}

#[test]
fn what_is_not_read_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let mut fragment = udp(true, 9999, b"temp=21;hum=40");
    fragment[14 + 6] |= 0x20;
    let path = file(dir.path(), "fragment.pcap", &pcap(PLAIN, &at(vec![arp(), fragment])));
    let recording = import(&[path], "192.168.7.20", &[]).unwrap();
    assert_eq!(captures(&recording)[0].unread.get(&Unread::Fragment), Some(&1));
    let mut cut = pcap(PLAIN, &[(0, udp(true, 9999, b"temp=21;hum=40"))]);
    cut[24 + 12] += 9;
    let recording = import(&[file(dir.path(), "cut.pcap", &cut)], "192.168.7.20", &[]).unwrap();
    assert_eq!(captures(&recording)[0].unread.get(&Unread::Cut), Some(&1));
    let style = Style { link: 147, ..PLAIN };
    let path = file(dir.path(), "other.pcap", &pcap(style, &at(vec![vec![1, 2, 3]])));
    let recording = import(&[path], "192.168.7.20", &[]).unwrap();
    assert_eq!(captures(&recording)[0].unread.get(&Unread::LinkType), Some(&1));
    // A hole in a connection.
    let mut packets = request();
    packets.remove(4);
    packets.remove(5);
    let path = file(dir.path(), "hole.pcap", &pcap(PLAIN, &at(packets)));
    let recording = import(&[path], "192.168.7.20", &[]).unwrap();
    assert_eq!(captures(&recording)[0].unread.get(&Unread::Hole), Some(&1));
}

#[test]
fn what_is_no_capture_is_refused_with_its_reason_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let good = pcap(PLAIN, &at(request()));
    let mut huge = good.clone();
    huge[24 + 8..24 + 16].fill(0xff);
    let cases: [(&str, &[u8], &str); 6] = [
        ("empty", b"", "it is empty"),
        ("magic", b"PK\x03\x04 this is something else altogether", "neither pcap nor pcapng"),
        ("header", &good[..10], "it ends within its header"),
        ("cut", &good[..good.len() - 5], "after packet 9: it ends within a packet"),
        ("huge", &huge, "after packet 0: what follows says that it is longer than any packet"),
        ("none", &good[..24], "it holds no packet"),
    ];
    for (name, bytes, why) in cases {
        let path = file(dir.path(), name, bytes);
        let out = dir.path().join(format!("{name}-out"));
        let args = ["import", path.to_str().unwrap(), "--device", "192.168.7.20", "--out", out.to_str().unwrap()];
        let (code, _, err) = scans::patuh(&args);
        assert_eq!(code, 65, "{name}: {err}");
        assert!(err.contains(why), "{name}: {err}");
        assert!(!out.exists(), "{name}");
    }
}

#[test]
fn a_file_that_ends_anywhere_but_after_a_packet_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let packets = at(request());
    let good = pcap(PLAIN, &packets);
    let mut ends = BTreeSet::new();
    let mut end = 24;
    for (_, p) in &packets {
        end += 16 + p.len();
        ends.insert(end);
    }
    for length in (1..=good.len()).step_by(3).chain(ends.clone()) {
        let path = file(dir.path(), "cut.pcap", &good[..length]);
        assert_eq!(import(&[path], "192.168.7.20", &[]).is_ok(), ends.contains(&length), "{length}");
    }
}

#[test]
fn the_same_capture_twice_is_one_and_another_device_is_not_this_one() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = pcap(PLAIN, &at(request()));
    let (a, b) = (file(dir.path(), "a.pcap", &bytes), file(dir.path(), "b.pcap", &bytes));
    assert_eq!(captures(&import(&[a.clone(), b], "192.168.7.20", &[]).unwrap()).len(), 1);
    let recording = import(&[a], "192.168.7.99", &[]).unwrap();
    assert_eq!((captures(&recording)[0].device.sent, destinations(&recording).len()), (0, 0));
    assert_eq!(verdict("egress-cleartext", 0, &recording, None).0, "INCONCLUSIVE", "nothing was seen of the device");
}

/// Questions of the device, each with its source port and transaction id, asked twice and answered once.
fn questions(sent: &[(u16, u16)]) -> Vec<Vec<u8>> {
    let question = |(port, id): &(u16, u16)| {
        let mut payload = id.to_be_bytes().to_vec();
        payload.extend(b"\x01\0\0\x01\0\0\0\0\0\0\x05cloud\x07example\x03com\0\0\x01\0\x01");
        let mut out = Vec::new();
        let builder = PacketBuilder::ethernet2(OWN, OTHER).ipv4(DEVICE, CLOUD, 64).udp(*port, 53);
        builder.write(&mut out, &payload).unwrap();
        let mut answer = Vec::new();
        (payload[2], payload[3]) = (0x81, 0x83);
        let builder = PacketBuilder::ethernet2(OTHER, OWN).ipv4(CLOUD, DEVICE, 64).udp(53, *port);
        builder.write(&mut answer, &payload).unwrap();
        [out.clone(), out, answer]
    };
    [vec![arp()], sent.iter().flat_map(question).collect()].concat()
}

#[test]
fn ports_and_ids_of_name_questions_are_kept_in_order_and_judged() {
    let dir = tempfile::tempdir().unwrap();
    // Squares modulo a prime wander over the whole range.
    let wander = |n: u64, by: u64| u16::try_from(n * n * by % 65_521).unwrap();
    let random: Vec<(u16, u16)> =
        (0..120).map(|n| (32_768 + wander(n + 300, 7919) % 28_000, wander(n + 700, 104_729 % 65_521))).collect();
    let fixed: Vec<(u16, u16)> = random.iter().map(|(_, id)| (1024, *id)).collect();
    let counted: Vec<(u16, u16)> = (0..40).map(|n| (random[usize::from(n)].0, 7 + n)).collect();
    for (name, sent, expected) in
        [("random", &random, "PASS"), ("fixed", &fixed, "FAIL"), ("counted", &counted, "FAIL")]
    {
        let path = file(dir.path(), name, &pcap(PLAIN, &at(questions(sent))));
        let recording = import(&[path], "192.168.7.20", &[]).unwrap();
        let kept: Vec<_> = recording
            .records()
            .filter_map(|r| match &r.observation {
                Observation::NameQuestions { questions } => Some((r.subject.to_string(), questions.sent.clone())),
                _ => None,
            })
            .collect();
        assert_eq!(kept, [("udp/198.51.100.7:53".to_owned(), sent.clone())]);
        let (got, why) = verdicts::verdict_on("dns-client-randomness", &Evidence::new(&recording, None, None));
        assert_eq!(got, expected, "{name}: {why}");
    }
}

/// The most memory that a process had, in KiB.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

#[test]
fn a_million_packets_of_ever_new_connections_stay_within_time_and_memory() {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = pcap(PLAIN, &at(vec![arp()]));
    for n in 0..1_000_000u32 {
        let own = u16::try_from(n % 60_000).unwrap() + 1024;
        let port = u16::try_from(n / 60_000).unwrap() + 1;
        // Half of each connection never ends, and its bytes never come into order.
        let packet = tcp(true, port, own, n.wrapping_mul(7919), "", &[0x41; 16]);
        let length = u32::try_from(packet.len()).unwrap();
        bytes.extend([n / 1000, n % 1000, length, length].iter().flat_map(|w| w.to_le_bytes()));
        bytes.extend(packet);
    }
    let (path, out) = (file(dir.path(), "million.pcap", &bytes), dir.path().join("out"));
    drop(bytes);
    let started = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_patuh"));
    command.args(["import", path.to_str().unwrap(), "--device", "192.168.7.20", "--out", out.to_str().unwrap()]);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let mut most = 0;
    let status = loop {
        most = most.max(peak(child.id()));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(started.elapsed() < Duration::from_secs(120), "it takes too long");
        std::thread::sleep(Duration::from_millis(10));
    };
    eprintln!("1,000,001 packets: {:?}, {most} KiB", started.elapsed());
    assert_eq!(status.code(), Some(2), "what was not followed is told");
    assert!(most > 0 && most < 128 * 1024, "{most} KiB");
    let recording = Recording::parse(&std::fs::read(out.join("recording.jsonl")).unwrap()).unwrap();
    assert!(captures(&recording)[0].unread.contains_key(&Unread::Connections));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Any packets of any kind of link, and any bytes after a good beginning: read or refused, and no panic.
    #[test]
    fn no_bytes_panic_the_reader(
        link in prop::sample::select(vec![1u32, 0, 12, 101, 108, 113, 276, 999]),
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..12),
        rest in prop::collection::vec(any::<u8>(), 0..60),
        section: bool,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = pcap(Style { link, ..PLAIN }, &at(packets));
        if section {
            // A section and an interface of pcapng, and then anything.
            bytes = b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0".to_vec();
            bytes.extend(b"\x01\0\0\0\x14\0\0\0\x01\0\0\0\0\0\0\0\x14\0\0\0");
        }
        bytes.extend(rest);
        let _ = import(&[file(dir.path(), "any", &bytes)], "192.168.7.20", &["canary"]);
    }

    /// The same with content that looks like a protocol.
    #[test]
    fn no_content_panics_the_reader(
        start in prop::sample::select(vec![
            &b"\x16\x03\x01\x00\x90\x01\x00\x00\x8c\x03\x03"[..], b"\x10\x20\x00\x04MQTT\x05\xce", b"GET / HTTP/1.1\r\nAuthorization: ",
            b"\x30\x20\x02\x01\x01\x04", b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03", b"\xff\xfa", b"USER a\r\nPASS ", b"\x50\x01",
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..120),
        port in prop::sample::select(vec![53u16, 80, 161, 1883, 5683, 5353]),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let content = [start, &rest].concat();
        let packets = vec![
            udp(true, port, &content), udp(false, port, &content),
            tcp(true, port, 41_000, 1, "syn", b""), tcp(true, port, 41_000, 2, "", &content),
            tcp(false, port, 41_000, 2, "", &content),
        ];
        let path = file(dir.path(), "content.pcap", &pcap(PLAIN, &at(packets)));
        prop_assert!(import(&[path], "192.168.7.20", &["canary"]).is_ok());
    }
}

const CANARY: &str = "sunflower-77-canary";
const IXIT: &str =
    "[[x-egress]]\nhost = \"cloud.example.com\"\nport = 443\nprotocol = \"https\"\npurpose = \"control\"\n";
const REST: &str = "[[x-egress]]\nhost = \"stats.example.net\"\npurpose = \"statistics\"\n\n[[x-egress]]\nhost = \"198.51.100.9\"\npurpose = \"brokers\"\n";

/// What the device does: names, HTTPS, HTTP and FTP with a password, MQTT with a password, CoAP.
const DOES: &str = r#"set -eu
mount --bind "$1/resolv.conf" /etc/resolv.conf
for n in 1 2; do
  curl -s -m 20 --cacert "$1/cert.pem" -o /dev/null https://cloud.example.com/
  curl -s -m 20 -u "owner:$2" -o /dev/null http://stats.example.net/
  curl -s -m 20 -d "wifi_password=$2" -o /dev/null http://stats.example.net/setup
  curl -s -m 20 -u "owner:$2" -o /dev/null ftp://stats.example.net/ || true
  mosquitto_pub -h 198.51.100.9 -u dev -P "$2" -t a -m '{"temp":21}'
  coap-client-notls -B 2 -m get coap://198.51.100.9/time >/dev/null
  # The device has to be there for more than a second.
  sleep 1
done
getent hosts gone.example.org || true
echo done
"#;

const SERVES: &str = r#"set -eu
cd "$1"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2 \
  -subj /CN=cloud.example.com -addext subjectAltName=DNS:cloud.example.com 2>/dev/null
printf 'nameserver 10.77.8.1\noptions timeout:2 attempts:2\n' >resolv.conf
dnsmasq -C /dev/null -R -h -u root --pid-file= -a 10.77.8.1 -z -A /cloud.example.com/198.51.100.7 \
  -A /stats.example.net/198.51.100.8 --local=/example.org/ -k &
printf 'listener 1883 198.51.100.9\nallow_anonymous true\nuser root\n' >mosquitto.conf
mosquitto -c mosquitto.conf >/dev/null 2>&1 &
coap-server-notls -A 198.51.100.9 >/dev/null 2>&1 &
mkdir -p empty
printf 'listen=YES\nlisten_address=198.51.100.8\nanonymous_enable=NO\nlocal_enable=YES\nsecure_chroot_dir=%s/empty\nbackground=NO\nrun_as_launching_user=NO\n' "$PWD" >vsftpd.conf
vsftpd vsftpd.conf >/dev/null 2>&1 &
cat >nginx.conf <<X
daemon off; worker_processes 1; user root; pid $PWD/nginx.pid; error_log /dev/null;
events {}
http { access_log off; client_body_temp_path $PWD/body; proxy_temp_path $PWD/p; fastcgi_temp_path $PWD/f; uwsgi_temp_path $PWD/u; scgi_temp_path $PWD/s;
  server { listen 198.51.100.7:443 ssl; ssl_certificate cert.pem; ssl_certificate_key key.pem; return 200 ok; }
  server { listen 198.51.100.8:80; return 200 ok; } }
X
nginx -p "$PWD" -c nginx.conf >/dev/null 2>&1 &
for port in 198.51.100.7/443 198.51.100.8/80 198.51.100.8/21 198.51.100.9/1883 10.77.8.1/53; do
  until (exec 3<>"/dev/tcp/$port") 2>/dev/null; do sleep 0.05; done
done
echo ready
wait
"#;

fn ip(args: &[&str]) {
    let out = Command::new("ip").args(args).output().unwrap();
    assert!(out.status.success(), "ip {args:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// The device's network and the world's, with a cable between them.
struct Network {
    device: String,
    world: String,
}

impl Network {
    fn new() -> Self {
        let id = std::process::id();
        let network = Self { device: format!("patuh-dut-{id}"), world: format!("patuh-world-{id}") };
        let (device, world) = (network.device.as_str(), network.world.as_str());
        ip(&["netns", "add", device]);
        ip(&["netns", "add", world]);
        ip(&["link", "add", "cable", "netns", device, "type", "veth", "peer", "name", "cable", "netns", world]);
        let addresses: [(&str, &[&str]); 2] = [
            (device, &["10.77.8.2/24"]),
            (world, &["10.77.8.1/24", "198.51.100.7/32", "198.51.100.8/32", "198.51.100.9/32"]),
        ];
        for (ns, all) in addresses {
            all.iter().for_each(|a| ip(&["-n", ns, "addr", "add", a, "dev", "cable"]));
            ip(&["-n", ns, "link", "set", "lo", "up"]);
            ip(&["-n", ns, "link", "set", "cable", "up"]);
        }
        ip(&["-n", device, "route", "add", "default", "via", "10.77.8.1"]);
        network
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for ns in [&self.device, &self.world] {
            let _ = Command::new("ip").args(["netns", "del", ns]).status();
        }
    }
}

/// A program and what it started, ended together.
struct Running(Child);

impl Running {
    fn start(ns: &str, args: &[&str]) -> Self {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new("ip");
        command.args(["netns", "exec", ns]).args(args).process_group(0).stdin(Stdio::null());
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    fn says(&mut self, word: &str, on_error: bool) {
        let from: Box<dyn Read> = match on_error {
            true => Box::new(self.0.stderr.as_mut().unwrap()),
            false => Box::new(self.0.stdout.as_mut().unwrap()),
        };
        let mut said = BufReader::new(from).lines().map(Result::unwrap);
        assert!(said.any(|l| l.contains(word)), "it ended without saying `{word}`");
    }

    fn stop(&mut self) {
        let _ = Command::new("kill").args(["-INT", "--", &format!("-{}", self.0.id())]).stderr(Stdio::null()).status();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["--", &format!("-{}", self.0.id())]).stderr(Stdio::null()).status();
        self.stop();
    }
}

/// Two captures of the same minutes, one of them filtered.
fn captured(dir: &Path) -> (PathBuf, PathBuf) {
    let network = Network::new();
    let (device, world, at) = (network.device.as_str(), network.world.as_str(), dir.to_str().unwrap());
    let mut servers = Running::start(world, &["bash", "-c", SERVES, "serves", at]);
    servers.says("ready", false);
    let (whole, filtered) = (dir.join("day.pcapng"), dir.join("filtered.pcapng"));
    let capture = |file: &Path, more: &[&str]| {
        let args = [&["dumpcap", "-q", "-i", "cable", "-w", file.to_str().unwrap()], more].concat();
        let mut running = Running::start(device, &args);
        running.says("File:", true);
        running
    };
    // Learnt addresses are forgotten, so that the capture shows who has which.
    ip(&["-n", device, "neigh", "flush", "all"]);
    ip(&["-n", world, "neigh", "flush", "all"]);
    let mut recorders = [capture(&whole, &[]), capture(&filtered, &["-f", "tcp port 443"])];
    let mut does = Running::start(device, &["unshare", "-m", "bash", "-c", DOES, "does", at, CANARY]);
    does.says("done", false);
    recorders.iter_mut().for_each(Running::stop);
    (whole, filtered)
}

/// Values of fields of the packets that a filter keeps, as tshark reads them.
fn tshark(file: &Path, filter: &str, fields: &[&str]) -> BTreeSet<String> {
    let fields: Vec<&str> = fields.iter().flat_map(|f| ["-e", *f]).collect();
    let out = Command::new("tshark")
        .arg("-r")
        .arg(file)
        .args(["-Y", filter, "-T", "fields", "-E", "separator=:", "-E", "occurrence=f"])
        .args(fields)
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn all_bytes(dir: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    files.flat_map(|p| std::fs::read(p).unwrap()).collect()
}

#[test]
fn traffic_of_real_programs_is_read_as_tshark_reads_it_and_no_secret_is_kept() {
    let programs =
        ["tshark", "dumpcap", "curl", "nginx", "mosquitto", "mosquitto_pub", "vsftpd", "dnsmasq", "coap-client-notls"];
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let there = |p: &&str| path.split(':').any(|d| Path::new(d).join(p).is_file());
    if let Some(missing) = programs.iter().find(|p| !there(p)) {
        return scans::not_run(&format!("`{missing}` is not installed"));
    }
    if !scans::root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (whole, filtered) = captured(dir.path());
    let out = dir.path().join("camera");
    let key = dir.path().join("wifi-key");
    std::fs::write(&key, format!("{CANARY}\n")).unwrap();
    let reference = format!("file:{}", key.display());
    let args = [
        "import",
        whole.to_str().unwrap(),
        "--device",
        "10.77.8.2",
        "--secret",
        &reference,
        "--out",
        out.to_str().unwrap(),
    ];
    let (code, _, err) = scans::patuh(&args);
    assert_eq!(code, 0, "{err}");
    let recording = Recording::parse(&std::fs::read(out.join("recording.jsonl")).unwrap()).unwrap();

    // Whom the device called, by TCP and UDP.
    let mut theirs: BTreeSet<String> =
        tshark(&whole, "ip.src == 10.77.8.2 && tcp.flags.syn == 1 && tcp.flags.ack == 0", &["ip.dst", "tcp.dstport"])
            .into_iter()
            .map(|l| format!("tcp/{l}"))
            .collect();
    let datagrams = tshark(&whole, "ip.src == 10.77.8.2 && udp && !icmp", &["ip.dst", "udp.dstport"]);
    theirs.extend(datagrams.into_iter().map(|l| format!("udp/{l}")));
    let went = destinations(&recording);
    let by_device = went.iter().filter(|(_, d)| d.opened == Opened::Device).map(|(s, _)| s.clone());
    let ours: BTreeSet<String> = by_device.filter(|s| !s.starts_with("host/")).collect();
    assert_eq!(ours, theirs);
    let spoken: BTreeSet<(String, &str)> =
        went.iter().filter(|(s, _)| s.contains("198.51.100")).map(|(s, d)| (s.clone(), d.protocol.word())).collect();
    for (to, protocol) in [
        ("tcp/198.51.100.7:443", "tls"),
        ("tcp/198.51.100.8:80", "http"),
        ("tcp/198.51.100.8:21", "ftp"),
        ("tcp/198.51.100.9:1883", "mqtt"),
        ("udp/198.51.100.9:5683", "coap"),
    ] {
        assert!(spoken.contains(&(to.to_owned(), protocol)), "{to} {protocol}: {spoken:?}");
    }

    // Names of hellos and of questions, and the hellos' packets.
    let hellos = recording.records().filter_map(|r| match &r.observation {
        Observation::ClientHello { hello } => Some((hello.name.clone().unwrap(), hello.seen.packets.clone())),
        _ => None,
    });
    let hellos: BTreeSet<String> = hellos.flat_map(|(n, p)| p.into_iter().map(move |p| format!("{p}:{n}"))).collect();
    assert_eq!(
        hellos,
        tshark(&whole, "tls.handshake.type == 1", &["frame.number", "tls.handshake.extensions_server_name"])
    );
    let names: BTreeSet<String> = recording
        .records()
        .filter_map(|r| match &r.observation {
            Observation::NameAsked { asked } => Some(asked.name.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(names, tshark(&whole, "dns.flags.response == 0 && udp.dstport == 53", &["dns.qry.name"]));

    // Secrets, in the very packets in which tshark sees them, and none besides.
    let packets = |filter: &str| -> Vec<u64> {
        let mut all: Vec<u64> = tshark(&whole, filter, &["frame.number"]).iter().map(|n| n.parse().unwrap()).collect();
        all.sort_unstable();
        all
    };
    let found = secrets(&recording);
    let of = |carrier: &str| found.iter().find(|f| f.0 == carrier).map(|f| f.1.clone()).unwrap_or_default();
    assert_eq!(of("http basic"), packets("http.authbasic"));
    assert_eq!(of("ftp pass"), packets("ftp.request.command == \"PASS\""));
    assert_eq!(of("mqtt connect"), packets("mqtt.passwd"));
    assert_eq!(of("http content"), packets("urlencoded-form.key == \"wifi_password\""));
    let carriers: BTreeSet<&str> = found.iter().map(|f| f.0.as_str()).collect();
    assert_eq!(
        carriers,
        BTreeSet::from(["as it is", "ftp pass", "http basic", "http content", "in Base64", "mqtt connect"])
    );

    // What was found is not kept in any form.
    let kept = all_bytes(&out);
    let base64 = STANDARD.encode(format!("owner:{CANARY}"));
    for secret in [CANARY, &base64, "sunflower"] {
        assert!(!kept.windows(secret.len()).any(|w| w == secret.as_bytes()), "{secret} is in the recording");
    }

    // Judged: what is not declared, what is in clear, what the hellos offer.
    let (some, all) = (Ixit::parse("ixit", IXIT).unwrap(), Ixit::parse("ixit", &format!("{IXIT}\n{REST}")).unwrap());
    let (word, why) = verdict("egress-destinations", 0, &recording, Some(&some));
    assert!(word == "FAIL" && why.contains("stats.example.net") && !why.contains("cloud.example.com"), "{word}: {why}");
    let (word, why) = verdict("egress-destinations", 0, &recording, Some(&all));
    assert_eq!(word, "PASS", "{why}");
    assert_eq!(
        verdict("egress-destinations", 24, &recording, Some(&all)).0,
        "INCONCLUSIVE",
        "a few seconds are no day"
    );
    assert_eq!(verdict("egress-cleartext", 0, &recording, None).0, "FAIL");
    assert_eq!(verdict("csp-in-transit-clear", 0, &recording, None).0, "FAIL");
    let (word, why) = verdict("client-hello-profile", 0, &recording, None);
    assert_eq!(word, "PASS", "{why}");

    // Without the rest of the traffic nothing is clean, and the command says so.
    let part = dir.path().join("part");
    let args = ["import", filtered.to_str().unwrap(), "--device", "10.77.8.2", "--out", part.to_str().unwrap()];
    let (code, _, err) = scans::patuh(&args);
    assert!(code == 2 && err.contains("filtered by `tcp port 443`"), "{code}: {err}");
    let recording = Recording::parse(&std::fs::read(part.join("recording.jsonl")).unwrap()).unwrap();
    assert_eq!(verdict("egress-cleartext", 0, &recording, None).0, "INCONCLUSIVE");
}
