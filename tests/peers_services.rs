//! Against real servers of industrial protocols, media, stores and announcements: each is called what it is, and only what is
//! weak fails.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr, reason = "tests")]
#[path = "support/scans.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod scans;
#[path = "support/servers.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod servers;

use scans::{not_run, root, scan};
use serde_json::Value;
use servers::{Server, program, tcp};
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

fn write(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// What `scripts/test` installs below `target`.
fn installed(path: &str) -> Option<String> {
    let found: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("target").join(path);
    let there = found.exists();
    if !there {
        not_run(&format!("`target/{path}` is not installed; scripts/test does it"));
    }
    there.then(|| found.display().to_string())
}

fn said(endpoint: &Value) -> [&str; 2] {
    ["product", "version"].map(|key| endpoint[key].as_str().unwrap_or_default())
}

const MODBUS: &str = r#"
import sys
from pymodbus.server import StartTcpServer
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.datastore import ModbusSlaveContext, ModbusServerContext, ModbusSequentialDataBlock
name = {"VendorName": "Acme", "ProductCode": "PM-5", "MajorMinorRevision": "1.20"}
class Kept(ModbusSequentialDataBlock):
    def setValues(self, address, values):
        print("written", address, values, file=open(sys.argv[3], "a"))
slave = ModbusSlaveContext(**{kind: Kept(0, [17] * 10) for kind in ("di", "co", "ir", "hr")})
StartTcpServer(context=ModbusServerContext(slaves=slave, single=True),
               identity=ModbusDeviceIdentification(info_name=name), address=(sys.argv[1], int(sys.argv[2])))
"#;

#[test]
fn a_modbus_server_says_what_it_is_on_any_port_and_nothing_in_it_is_written() {
    let Some(python) = installed("peers-venv/bin/python") else { return };
    if !root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let script = write(dir.path(), "modbus.py", MODBUS);
    let written = dir.path().join("written");
    for port in [502, 5020] {
        let args = [script.as_str(), "127.0.92.2", &port.to_string(), written.to_str().unwrap()];
        let _server = Server::start(&python, &args, tcp(&format!("127.0.92.2:{port}")));
        let s = scan("127.0.92.2", "tcp:500-510,5000-5100,udp:none");
        assert_eq!(s.endpoints(), [format!("tcp/{port} modbus")]);
        assert_eq!(said(s.endpoint(port)), ["PM-5", "1.20"]);
        s.fails_only(&[]);
        let (got, why) = s.verdict("svc-ot-presence");
        assert!(got == "INCONCLUSIVE" && why.contains("modbus is served"), "{got} {why}");
        assert!(!written.exists(), "{}", std::fs::read_to_string(&written).unwrap());
    }
}

const OPCUA: &str = r#"
import asyncio, sys
from asyncua import Server
async def main():
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://{sys.argv[1]}:4840/")
    async with server:
        await asyncio.Event().wait()
asyncio.run(main())
"#;

#[test]
fn an_opc_ua_server_is_known_by_its_acknowledgement() {
    let Some(python) = installed("peers-venv/bin/python") else { return };
    let dir = tempfile::tempdir().unwrap();
    let script = write(dir.path(), "opcua.py", OPCUA);
    let _server = Server::start(&python, &[&script, "127.0.92.3"], tcp("127.0.92.3:4840"));
    let s = scan("127.0.92.3", "tcp:4800-4900,udp:none");
    assert_eq!(s.endpoints(), ["tcp/4840 opcua"]);
    s.fails_only(&[]);
    let (got, why) = s.verdict("svc-ot-presence");
    assert!(got == "INCONCLUSIVE" && why.contains("opcua is served"), "{got} {why}");
}

#[test]
fn etcd_is_named_with_its_version_and_shows_its_insides() {
    let Some(etcd) = program("etcd") else { return };
    let dir = tempfile::tempdir().unwrap();
    let (data, [client, peer]) =
        (dir.path().join("data"), [2379, 2380].map(|port| format!("http://127.0.92.1:{port}")));
    let cluster = format!("default={peer}");
    let args = [
        ["--data-dir", data.to_str().unwrap()],
        ["--listen-client-urls", &client],
        ["--advertise-client-urls", &client],
        ["--listen-peer-urls", &peer],
        ["--initial-advertise-peer-urls", &peer],
        ["--initial-cluster", &cluster],
    ]
    .concat();
    let _server = Server::start(&etcd, &args, tcp("127.0.92.1:2379"));
    let s = scan("127.0.92.1", "tcp:2300-2400,udp:none");
    assert_eq!(s.endpoints(), ["tcp/2379 http", "tcp/2380 http"]);
    let told = Command::new(&etcd).arg("--version").output().unwrap().stdout;
    let told = String::from_utf8(told).unwrap();
    let version = told.lines().find_map(|l| l.strip_prefix("etcd Version: ")).unwrap();
    for port in [2379, 2380] {
        assert_eq!(said(s.endpoint(port)), ["etcd", version]);
    }
    s.fails_only(&["http-debug-endpoints"]);
}

const AEDES: &str = r#"
const [modules, host, user] = process.argv.slice(2);
const Aedes = require(modules + '/aedes');
const broker = new Aedes();
if (user) broker.authenticate = (client, name, password, done) =>
  done(null, name === user && String(password) === 'kX9-longer-than-any-list-entry');
require('net').createServer(broker.handle).listen(1883, host);
"#;

#[test]
fn aedes_is_found_open_and_with_a_password_only_its_missing_tls_fails() {
    let (Some(node), Some(modules)) = (program("node"), installed("peers-node/node_modules")) else { return };
    let dir = tempfile::tempdir().unwrap();
    let script = write(dir.path(), "aedes.cjs", AEDES);
    let _open = Server::start(&node, &[&script, &modules, "127.0.92.4"], tcp("127.0.92.4:1883"));
    let s = scan("127.0.92.4", "tcp:1800-1900,udp:none");
    assert_eq!(s.endpoints(), ["tcp/1883 mqtt"]);
    assert_eq!(s.endpoint(1883)["authentication"], "none");
    s.fails_only(&["mqtt-anonymous-connect", "mqtt-cleartext-listener", "mqtt-sys-topics"]);
    let _guarded = Server::start(&node, &[&script, &modules, "127.0.92.6", "hub"], tcp("127.0.92.6:1883"));
    let s = scan("127.0.92.6", "tcp:1800-1900,udp:none");
    assert_eq!(s.endpoints(), ["tcp/1883 mqtt"]);
    assert_eq!(s.endpoint(1883)["authentication"], "required");
    s.fails_only(&["mqtt-cleartext-listener"]);
}

const RTSP: &str = r#"
import sys, gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer, GLib
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address(sys.argv[1])
server.set_service("8554")
media = GstRtspServer.RTSPMediaFactory()
media.set_launch("( videotestsrc is-live=true ! video/x-raw,width=32,height=32 ! rtpvrawpay name=pay0 )")
server.get_mount_points().add_factory("/live", media)
server.attach(None)
GLib.MainLoop().run()
"#;

#[test]
fn a_media_server_that_answers_http_too_is_known_as_one() {
    let python = "/usr/bin/python3";
    let there = Command::new(python)
        .args(["-c", "import gi; gi.require_version('GstRtspServer', '1.0')"])
        .output()
        .is_ok_and(|o| o.status.success());
    if !there {
        return not_run("gir1.2-gst-rtsp-server-1.0 and python3-gi are not installed");
    }
    let dir = tempfile::tempdir().unwrap();
    let script = write(dir.path(), "rtsp.py", RTSP);
    let _server = Server::start(python, &[&script, "127.0.92.5"], tcp("127.0.92.5:8554"));
    let s = scan("127.0.92.5", "tcp:8500-8600,udp:none");
    assert_eq!(s.endpoints(), ["tcp/8554 rtsp"]);
    assert!(said(s.endpoint(8554))[0].contains("gstreamer"), "{}", s.endpoint(8554));
    let (got, why) = s.verdict("rtsp-unauth-stream");
    assert!(got != "PASS" && why.contains("8554"), "{got} {why}");
}

/// A router in a namespace of its own, on one cable with the tester.
struct Router {
    namespace: String,
}

const ROUTER: &str = "10.79.9.1";

fn ip(args: &[&str]) {
    let out = Command::new("ip").args(args).output().unwrap();
    assert!(out.status.success(), "ip {args:?}: {}", String::from_utf8_lossy(&out.stderr));
}

impl Router {
    fn new() -> Self {
        let router = Self { namespace: format!("patuh-router-{}", std::process::id()) };
        let ns = &router.namespace;
        ip(&["netns", "add", ns]);
        ip(&["link", "add", "pr-lan", "type", "veth", "peer", "name", "lan", "netns", ns]);
        ip(&["addr", "add", "10.79.9.2/24", "dev", "pr-lan"]);
        ip(&["link", "set", "pr-lan", "up"]);
        ip(&["-n", ns, "link", "add", "wan", "type", "veth", "peer", "name", "far"]);
        // miniupnpd maps no ports of an address that is not public. Nothing leads there from this namespace.
        for (side, address) in [("lan", "10.79.9.1/24"), ("wan", "9.9.9.9/24")] {
            ip(&["-n", ns, "addr", "add", address, "dev", side]);
            ip(&["-n", ns, "link", "set", side, "up"]);
        }
        ip(&["-n", ns, "link", "set", "far", "up"]);
        router
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.namespace]).status();
    }
}

/// A program that is stopped by its process id.
struct Running(Child);

impl Running {
    /// Waits until it says so.
    fn start(command: &mut Command, ready: &str) -> Self {
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        let mut lines = said.lines().map_while(Result::ok);
        assert!(lines.any(|l| l.contains(ready)), "{command:?} ended");
        // What it says later is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self(child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_router_with_miniupnpd_and_avahi_is_read_by_its_description_and_its_announcements() {
    let (Some(upnp), Some(avahi)) = (program("miniupnpd"), program("avahi-daemon")) else { return };
    if !root() {
        return;
    }
    let (router, dir) = (Router::new(), tempfile::tempdir().unwrap());
    let conf = "ext_ifname=wan\nlistening_ip=lan\nhttp_port=5000\nenable_upnp=yes\nenable_natpmp=yes\nsecure_mode=yes\n\
                uuid=11111111-2222-3333-4444-555555555555\nallow 1024-65535 10.79.9.0/24 1024-65535\n";
    let conf = write(dir.path(), "upnp.conf", conf);
    let pid = dir.path().join("pid").display().to_string();
    let inside = ["netns", "exec", &router.namespace];
    let args = [&inside[..], &[&upnp, "-d", "-f", &conf, "-P", &pid]].concat();
    let _upnp = Server::start("ip", &args, tcp(&format!("{ROUTER}:5000")));
    let conf = "[server]\nhost-name=lampu\nuse-ipv4=yes\nuse-ipv6=no\nenable-dbus=no\nallow-interfaces=lan\n\
                [publish]\npublish-workstation=yes\npublish-hinfo=no\n";
    let conf = write(dir.path(), "avahi.conf", conf);
    let own = "mkdir -p /run/avahi-daemon && mount -t tmpfs tmpfs /run/avahi-daemon && exec \"$@\"";
    let program = [&avahi, "-f", &conf, "--no-drop-root", "--no-chroot", "--no-rlimits"];
    let mut command = Command::new("ip");
    command.args(inside).args(["sh", "-c", own, "sh"]).args(program);
    let _avahi = Running::start(&mut command, "Server startup complete");
    let s = scan(ROUTER, "tcp:4990-5010,udp:1900,5351,5353");
    assert_eq!(s.endpoints(), ["tcp/5000 http", "udp/1900 ssdp", "udp/5351 natpmp", "udp/5353 mdns"]);
    assert_eq!(said(s.endpoint(5000))[0], "miniupnpd");
    s.fails_only(&["upnp-description-leak"]);
    let (got, why) = s.verdict("natpmp-pcp-exposed");
    assert!(got == "INCONCLUSIVE" && why.contains("answers on the LAN"), "{got} {why}");
    let recording = std::fs::read_to_string(s.recording().join("recording.jsonl")).unwrap();
    assert!(recording.contains("\"service\":\"_workstation._tcp\"") && recording.contains("lampu"), "announced");
}
