//! The files of the built-in devices, and how devices come up and go down.

use super::super::{Device, PortShift, SimError, Transport, find, list, start};
use super::{SHIFT, host, with_services};

#[test]
fn builtin_devices_are_sorted_and_bear_their_names() {
    assert!(list().is_sorted_by(|one, next| one.name < next.name));
    for builtin in list() {
        let device = Device::parse(builtin.toml, builtin.name).unwrap();
        assert_eq!(device.name, builtin.name);
        assert!(!device.expect.is_empty(), "{} expects nothing", builtin.name);
    }
}

#[test]
fn twins_name_each_other() {
    for builtin in list() {
        let device = Device::parse(builtin.toml, builtin.name).unwrap();
        if let Some(pair) = &device.pair {
            let twin = Device::parse(find(pair).unwrap().toml, pair).unwrap();
            assert_eq!(twin.pair.as_deref(), Some(builtin.name));
            assert_ne!(twin.twin, device.twin);
        }
    }
}

#[tokio::test]
async fn every_builtin_device_starts_stops_and_starts_again() {
    for builtin in list() {
        let device = Device::parse(builtin.toml, builtin.name).unwrap();
        for _ in 0..2 {
            let running = start(&device, host(1, 1), SHIFT).await.unwrap();
            assert!(!running.endpoints().is_empty());
            assert!(running.counters().alive);
            running.stop().await;
        }
    }
}

#[tokio::test]
async fn the_shift_moves_low_ports_only() {
    let file = with_services("[[raw]]\nport = 23\nmode = 'silent'\n[[raw]]\nport = 2323\nmode = 'silent'");
    let device = Device::parse(&file, "test").unwrap();
    let running = start(&device, host(1, 2), PortShift::By(20_000)).await.unwrap();
    assert_eq!(running.endpoints(), [(Transport::Tcp, 2323), (Transport::Tcp, 20_023)]);
    running.stop().await;
}

#[tokio::test]
async fn a_port_in_use_is_an_error_of_its_own() {
    let device = Device::parse(find("trap-odd-ports").unwrap().toml, "test").unwrap();
    let first = start(&device, host(1, 3), SHIFT).await.unwrap();
    let second = start(&device, host(1, 3), SHIFT).await;
    assert!(matches!(second, Err(SimError::PortInUse { transport: Transport::Tcp, port: 8000, .. })));
    first.stop().await;
}

#[test]
fn a_mistake_is_named_with_file_line_and_key() {
    let text = with_services("[[telnet]]\nport = 23\nusers = []\npasword = 'x'\n");
    let error = Device::parse(&text, "my.toml").unwrap_err().to_string();
    assert!(error.starts_with("`my.toml` line 13, key `pasword`: unknown field `pasword`"), "{error}");
}

#[test]
fn an_unknown_verdict_is_refused() {
    let text = with_services("[[raw]]\nport = 23\nmode = 'silent'\n[expect]\nsvc-identify = 'OK'\n");
    let error = Device::parse(&text, "my.toml").unwrap_err().to_string();
    assert!(error.contains("`expect.svc-identify`"), "{error}");
}
