//! Visits to running devices, over real sockets on the loopback network.

mod devices;
mod faults;
mod text;
mod things;
mod web;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use super::{Device, PortShift, Running, find, start};

/// A shift that lets any user run the tests.
const SHIFT: PortShift = PortShift::By(20_000);

/// A built-in device on an address of its own: `127.88.<set>.<number>`.
async fn builtin(name: &str, set: u8, number: u8) -> Running {
    let builtin = find(name).unwrap();
    up(builtin.toml, set, number).await
}

async fn up(toml: &str, set: u8, number: u8) -> Running {
    let device = Device::parse(toml, "test").unwrap();
    start(&device, host(set, number), SHIFT).await.unwrap()
}

/// The least that a device file needs, before its services.
fn with_services(services: &str) -> String {
    format!(
        "name = 't'\ntitle = 't'\ntwin = 'bad'\n[identity]\nmanufacturer = 'Maker'\nmodel = 'Model'\nhardware = 'H'\n\
         firmware = '1.2.3'\nserial = 'S1'\n{services}"
    )
}

fn host(set: u8, number: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 88, set, number))
}

async fn tcp(device: &Running, port: u16) -> TcpStream {
    TcpStream::connect(SocketAddr::new(device.host(), port)).await.unwrap()
}

async fn udp(device: &Running, port: u16) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(SocketAddr::new(device.host(), port)).await.unwrap();
    socket
}

async fn ask(socket: &UdpSocket, query: &[u8]) -> Vec<u8> {
    socket.send(query).await.unwrap();
    receive(socket).await
}

async fn receive(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = vec![0; 2048];
    let length = socket.recv(&mut buffer).await.unwrap();
    buffer.truncate(length);
    buffer
}

/// Reads until `end` has come.
async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains(end) {
        let byte = stream.read_u8().await.unwrap_or_else(|_| panic!("no `{end}` in {seen:?}"));
        seen.push(byte);
    }
    String::from_utf8_lossy(&seen).into_owned()
}

async fn say(stream: &mut TcpStream, text: &str, end: &str) -> String {
    stream.write_all(text.as_bytes()).await.unwrap();
    until(stream, end).await
}
