//! Weak devices: few sockets, closing services, reboots.

use std::io::ErrorKind;
use std::net::SocketAddr;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::super::Running;
use super::super::stage::Power;
use super::{builtin, tcp, until, up, with_services};

/// Whether the device throws a new connection out, and not politely; the reset may come before the connect returns.
async fn resets(device: &Running, port: u16) -> bool {
    let visit = async {
        let mut stream = TcpStream::connect(SocketAddr::new(device.host(), port)).await?;
        stream.read_u8().await
    };
    visit.await.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset)
}

async fn refuses(device: &Running, port: u16) -> bool {
    let connected = TcpStream::connect(SocketAddr::new(device.host(), port)).await;
    connected.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

#[tokio::test]
async fn the_fifth_connection_to_a_device_of_four_is_reset() {
    let device = builtin("constrained-four-sockets", 4, 1).await;
    let mut held = Vec::new();
    for port in [20_080, 1883, 20_080, 1883] {
        held.push(tcp(&device, port).await);
    }
    while device.counters().open < 4 {
        tokio::task::yield_now().await;
    }
    assert!(resets(&device, 20_080).await);
    let counters = device.counters();
    assert_eq!((counters.connections, counters.reset, counters.most_open), (5, 1, 4));
}

#[tokio::test]
async fn a_place_is_free_again_after_a_visit() {
    let file = with_services("[[telnet]]\nport = 23\nauth = 'none'\n[faults]\nsockets = 1");
    let device = up(&file, 4, 2).await;
    for _ in 0..3 {
        let mut stream = tcp(&device, 20_023).await;
        until(&mut stream, "# ").await;
        drop(stream);
        while device.counters().open > 0 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(device.counters().reset, 0);
}

#[tokio::test]
async fn a_vanishing_service_refuses_after_its_last_connection() {
    let device = builtin("trap-vanishing-service", 4, 3).await;
    for _ in 0..3 {
        until(&mut tcp(&device, 20_023).await, "login: ").await;
    }
    assert!(refuses(&device, 20_023).await);
    assert!(!refuses(&device, 20_080).await);
}

#[tokio::test]
async fn a_hurried_device_resets_what_is_too_fast() {
    let file = with_services("[[telnet]]\nport = 23\nauth = 'none'\n[faults]\nrate = 2");
    let device = up(&file, 4, 4).await;
    let mut admitted = 0;
    while !resets(&device, 20_023).await {
        admitted += 1;
    }
    assert!(admitted >= 2);
    assert_eq!(device.counters().reset, 1);
}

#[tokio::test]
async fn a_flooded_device_goes_away_and_comes_back() {
    let file = with_services("[[telnet]]\nport = 23\nauth = 'none'\n[faults]\nflood_reboot = 1");
    let device = up(&file, 4, 5).await;
    let mut stream = tcp(&device, 20_023).await;
    until(&mut stream, "# ").await;
    while !resets(&device, 20_023).await {}
    assert!(!device.counters().alive);
    // The device ends what it had open, and then its port is closed.
    let mut rest = Vec::new();
    drop(stream.read_to_end(&mut rest).await);
    assert!(refuses(&device, 20_023).await);
    device.stage.power().wait_for(|power| *power == Power::On).await.unwrap();
    while refuses(&device, 20_023).await {
        tokio::task::yield_now().await;
    }
    assert!(device.counters().alive);
}

#[tokio::test]
async fn an_endless_service_sends_more_than_anyone_wants() {
    let device = builtin("trap-endless", 4, 6).await;
    let mut stream = tcp(&device, 20_023).await;
    let mut megabyte = vec![0; 1 << 20];
    stream.read_exact(&mut megabyte).await.unwrap();
}

#[tokio::test]
async fn a_hostile_banner_arrives_as_it_is_written() {
    let device = builtin("trap-hostile-banner", 4, 7).await;
    let mut stream = tcp(&device, 20_021).await;
    assert!(until(&mut stream, "\n").await.contains("\u{1b}[31mred\u{1b}[0m \0 <img"));
}

#[tokio::test]
async fn every_port_of_a_tarpit_accepts() {
    let device = builtin("trap-tarpit", 4, 8).await;
    for port in [8081, 8200, 8380] {
        tcp(&device, port).await;
    }
    assert_eq!(device.endpoints().len(), 301);
}
