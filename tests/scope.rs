//! What a capture sees of a scan: nothing goes to anybody but the device.
#![expect(clippy::unwrap_used, clippy::print_stderr, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#[path = "support/scans.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod scans;
#[path = "support/servers.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod servers;

use scans::root;
use servers::program;
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
};

const SCANNER: &str = "10.77.9.1";
const DEVICE: &str = "10.77.9.2";
const NEIGHBOUR: &str = "10.77.9.3";

/// A page that sends everybody on to the neighbour, by every way that a page has.
const REDIRECT: &str = "
import http.server, socketserver
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(302)
        self.send_header('Location', 'http://10.77.9.3:8099/login')
        self.send_header('Link', '<http://10.77.9.3:8099/>; rel=next')
        self.end_headers()
        self.wfile.write(b'<form action=\"http://10.77.9.3:8099/login\" method=post><input name=user><input type=password name=pw></form>')
    do_POST = do_GET
server = socketserver.ThreadingTCPServer(('10.77.9.2', 8099), H)
print('ready', flush=True)
server.serve_forever()
";

fn ip(args: &[&str]) {
    let out = Command::new("ip").args(args).output().unwrap();
    assert!(out.status.success(), "ip {args:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// Two namespaces with a cable between them: the scanner's, and one with the device and its neighbour.
struct Network {
    near: String,
    far: String,
}

impl Network {
    fn new() -> Self {
        let id = std::process::id();
        let network = Self { near: format!("patuh-near-{id}"), far: format!("patuh-far-{id}") };
        let (near, far) = (network.near.as_str(), network.far.as_str());
        ip(&["netns", "add", near]);
        ip(&["netns", "add", far]);
        ip(&["link", "add", "cable", "netns", near, "type", "veth", "peer", "name", "cable", "netns", far]);
        for (ns, addresses) in [(near, vec![SCANNER]), (far, vec![DEVICE, NEIGHBOUR])] {
            for address in addresses {
                ip(&["-n", ns, "addr", "add", &format!("{address}/24"), "dev", "cable"]);
            }
            ip(&["-n", ns, "link", "set", "lo", "up"]);
            ip(&["-n", ns, "link", "set", "cable", "up"]);
            ip(&["-n", ns, "route", "add", "default", "via", if ns == near { NEIGHBOUR } else { SCANNER }]);
        }
        network
    }

    fn start(&self, ns: &str, args: &[&str]) -> Running {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", ns]).args(args).stdin(Stdio::null());
        Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for ns in [&self.near, &self.far] {
            let _ = Command::new("ip").args(["netns", "del", ns]).status();
        }
    }
}

/// A program in a namespace, stopped by its process id.
struct Running(Child);

impl Running {
    /// Waits for the first line that holds `word`, on standard output or error.
    fn says(&mut self, word: &str, on_error: bool) {
        let from: Box<dyn Read> = match on_error {
            true => Box::new(self.0.stderr.as_mut().unwrap()),
            false => Box::new(self.0.stdout.as_mut().unwrap()),
        };
        let mut lines = BufReader::new(from).lines();
        assert!(lines.any(|l| l.unwrap().contains(word)), "it ended without saying `{word}`");
    }

    fn stop(&mut self) {
        let _ = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Whom the scanner sent a packet, and for whom it asked by ARP.
fn addresses(tshark: &str, capture: &Path) -> BTreeSet<String> {
    // The first of each: an ICMP error holds the packet that it is about.
    let fields =
        "-T fields -e ip.src -e ip.dst -e arp.src.proto_ipv4 -e arp.dst.proto_ipv4 -E separator=, -E occurrence=f";
    let out = Command::new(tshark).arg("-r").arg(capture).args(fields.split(' ')).output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    let rows = text.lines().map(|l| l.split(',').collect::<Vec<_>>());
    let sent = rows.filter_map(|row| match row.as_slice() {
        [from, to, "", ""] | ["", "", from, to] if *from == SCANNER => Some((*to).to_owned()),
        _ => None,
    });
    sent.collect()
}

#[test]
fn a_capture_of_a_whole_scan_holds_no_packet_to_anybody_but_the_device() {
    let (Some(tshark), Some(dumpcap), Some(python), true) =
        (program("tshark"), program("dumpcap"), program("python3"), root())
    else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let (network, capture) = (Network::new(), dir.path().join("scan.pcapng"));
    let (near, far) = (network.near.as_str(), network.far.as_str());
    let patuh = env!("CARGO_BIN_EXE_patuh");
    let mut device = network.start(far, &[patuh, "sim", "run", "fwa-gateway-bad", "--bind", DEVICE]);
    device.says("tcp/", false);
    let mut redirect = network.start(far, &[&python, "-c", REDIRECT]);
    redirect.says("ready", false);
    let mut recorder = network.start(near, &[&dumpcap, "-i", "cable", "-w", capture.to_str().unwrap()]);
    recorder.says("File:", true);
    let out = dir.path().join("recording");
    let scan = Command::new("timeout")
        .env("PATUH_LEDGER", dir.path())
        .args(["300", "ip", "netns", "exec", near, patuh, "scan", DEVICE, "--pace", "fast", "--out"])
        .arg(&out)
        .output()
        .unwrap();
    assert!(scan.status.success(), "{}", String::from_utf8_lossy(&scan.stderr));
    recorder.stop();
    let seen = addresses(&tshark, &capture);
    let expected = BTreeSet::from([DEVICE.to_owned()]);
    assert_eq!(seen, expected, "of a device that sends its visitors to {NEIGHBOUR}");
    let recording = std::fs::read_to_string(out.join("recording.jsonl")).unwrap();
    assert!(recording.contains("tcp/10.77.9.2:8099"), "the page that redirects was found");
}
