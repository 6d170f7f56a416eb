//! MQTT, CoAP, DTLS, SNMP, DNS, mDNS, SSDP and NTP.

use coap_lite::{CoapOption, MessageClass, MessageType, Packet, RequestType, ResponseType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{ask, builtin, receive, say, tcp, udp, up, with_services};

const CONNECT_311: [u8; 16] = [0x10, 14, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, 2, b'c', b't'];
const CONNECT_5: [u8; 17] = [0x10, 15, 0, 4, b'M', b'Q', b'T', b'T', 5, 2, 0, 60, 0, 0, 2, b'c', b't'];
const SUBSCRIBE_ALL: [u8; 8] = [0x82, 6, 0, 1, 0, 1, b'#', 0];
const PING: [u8; 2] = [0xc0, 0];

/// First byte and body of the next packet.
async fn packet(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let first = stream.read_u8().await.unwrap();
    let length = stream.read_u8().await.unwrap();
    assert!(length < 0x80, "a long packet");
    let mut body = vec![0; length.into()];
    stream.read_exact(&mut body).await.unwrap();
    (first, body)
}

async fn send(stream: &mut TcpStream, packet_: &[u8]) -> (u8, Vec<u8>) {
    stream.write_all(packet_).await.unwrap();
    packet(stream).await
}

#[tokio::test]
async fn an_open_broker_delivers_what_it_retained() {
    let device = builtin("smart-hub-bad", 5, 1).await;
    let mut stream = tcp(&device, 1883).await;
    assert_eq!(send(&mut stream, &CONNECT_311).await, (0x20, vec![0, 0]));
    assert_eq!(send(&mut stream, &SUBSCRIBE_ALL).await, (0x90, vec![0, 1, 0]));
    let (first, body) = packet(&mut stream).await;
    assert_eq!(first, 0x31);
    assert!(String::from_utf8_lossy(&body).contains("hub/config/wifi{\"ssid\""));
    packet(&mut stream).await;
    // `#` leaves `$SYS` out.
    assert_eq!(send(&mut stream, &PING).await, (0xd0, vec![]));
}

#[tokio::test]
async fn a_message_reaches_another_subscriber() {
    let device = builtin("trap-odd-ports", 5, 2).await;
    let (mut one, mut other) = (tcp(&device, 18_830).await, tcp(&device, 18_830).await);
    send(&mut one, &CONNECT_311).await;
    send(&mut one, &SUBSCRIBE_ALL).await;
    send(&mut other, &CONNECT_5).await;
    other.write_all(&[0x30, 6, 0, 1, b'a', 0, b'h', b'i']).await.unwrap();
    assert_eq!(packet(&mut one).await, (0x30, b"\0\x01ahi".to_vec()));
}

#[tokio::test]
async fn a_closed_broker_refuses_with_the_code_of_the_version() {
    let device = builtin("constrained-four-sockets", 5, 3).await;
    assert_eq!(send(&mut tcp(&device, 1883).await, &CONNECT_311).await, (0x20, vec![0, 5]));
    assert_eq!(send(&mut tcp(&device, 1883).await, &CONNECT_5).await, (0x20, vec![0, 0x87, 0]));
    let mut login = CONNECT_311.to_vec();
    login.extend_from_slice(b"\0\x03kd4\0\x13Sv7-Ginster-Welle-28");
    login[1] = 14 + 5 + 22;
    login[9] = 0xc2;
    login[21..23].copy_from_slice(&[0, 20]);
    assert_eq!(send(&mut tcp(&device, 1883).await, &login).await, (0x20, vec![0, 0]));
}

#[tokio::test]
async fn a_granted_subscription_may_deliver_nothing() {
    let device = builtin("trap-suback-no-delivery", 5, 4).await;
    let mut stream = tcp(&device, 1883).await;
    send(&mut stream, &CONNECT_311).await;
    assert_eq!(send(&mut stream, &SUBSCRIBE_ALL).await, (0x90, vec![0, 1, 0]));
    assert_eq!(send(&mut stream, &PING).await, (0xd0, vec![]));
}

#[tokio::test]
async fn a_refused_subscription_carries_the_code_of_the_version() {
    let device = builtin("trap-suback-refused", 5, 5).await;
    let mut stream = tcp(&device, 1883).await;
    send(&mut stream, &CONNECT_311).await;
    assert_eq!(send(&mut stream, &SUBSCRIBE_ALL).await, (0x90, vec![0, 1, 0x80]));
    let mut stream = tcp(&device, 1883).await;
    send(&mut stream, &CONNECT_5).await;
    assert_eq!(send(&mut stream, &[0x82, 7, 0, 1, 0, 0, 1, b'#', 0]).await, (0x90, vec![0, 1, 0, 0x87]));
}

#[tokio::test]
async fn mqtt_speaks_through_a_websocket() {
    let device = builtin("smart-hub-bad", 5, 6).await;
    let mut stream = tcp(&device, 9001).await;
    let upgrade = "GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    // The key and its answer are those of RFC 6455, 1.3.
    assert!(say(&mut stream, upgrade, "\r\n\r\n").await.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    let mut frame = vec![0x82, 0x80 | 16, 0, 0, 0, 0];
    frame.extend_from_slice(&CONNECT_311);
    assert_eq!(send(&mut stream, &frame).await, (0x82, vec![0x20, 2, 0, 0]));
}

fn get(id: u16, path: &str, block: Option<u8>) -> Vec<u8> {
    let mut packet = Packet::new();
    packet.header.set_type(MessageType::Confirmable);
    packet.header.code = MessageClass::Request(RequestType::Get);
    packet.header.message_id = id;
    packet.set_token(vec![7]);
    for segment in path.split('/').skip(1) {
        packet.add_option(CoapOption::UriPath, segment.as_bytes().to_vec());
    }
    if let Some(number) = block {
        packet.add_option(CoapOption::Block2, vec![number << 4 | 1]);
    }
    packet.to_bytes().unwrap()
}

#[tokio::test]
async fn coap_discovery_comes_in_blocks() {
    let device = builtin("coap-sensor-bad", 5, 7).await;
    let socket = udp(&device, 5683).await;
    let mut links = Vec::new();
    for number in 0..15 {
        let block = (number > 0).then_some(number);
        let answer = ask(&socket, &get(number.into(), "/.well-known/core", block)).await;
        let answer = Packet::from_bytes(&answer).unwrap();
        assert_eq!(answer.header.code, MessageClass::Response(ResponseType::Content));
        links.extend_from_slice(&answer.payload);
        let option = answer.get_first_option(CoapOption::Block2).unwrap();
        if option.last().unwrap() & 8 == 0 {
            break;
        }
        assert_eq!(answer.payload.len(), 32);
    }
    let links = String::from_utf8(links).unwrap();
    assert!(links.starts_with("</sensors/temp>;rt=\"temperature-c\";obs,") && links.ends_with("</slow>"), "{links}");
}

#[tokio::test]
async fn coap_answers_a_ping_with_a_reset() {
    let device = builtin("coap-sensor-good", 5, 8).await;
    assert_eq!(ask(&udp(&device, 5683).await, &[0x40, 0, 0x12, 0x34]).await, [0x70, 0, 0x12, 0x34]);
}

#[tokio::test]
async fn coap_protects_the_resources_of_the_good_twin() {
    let device = builtin("coap-sensor-good", 5, 9).await;
    let answer = ask(&udp(&device, 5683).await, &get(1, "/config", None)).await;
    let answer = Packet::from_bytes(&answer).unwrap();
    assert_eq!(answer.header.code, MessageClass::Response(ResponseType::Unauthorized));
}

#[tokio::test]
async fn a_picky_coap_server_loses_ignores_and_answers_apart() {
    let device = builtin("trap-coap-picky", 5, 10).await;
    let socket = udp(&device, 5683).await;
    socket.send(&get(1, "/config/network", None)).await.unwrap();
    let mut non = get(2, "/config/network", None);
    non[0] |= 0x10;
    socket.send(&non).await.unwrap();
    // Only the third is answered: an empty acknowledgement, then a message of its own.
    assert_eq!(ask(&socket, &get(3, "/config/network", None)).await, [0x60, 0, 0, 3]);
    let answer = Packet::from_bytes(&receive(&socket).await).unwrap();
    assert_eq!((answer.header.get_type(), answer.payload.len()), (MessageType::Confirmable, 16));
    assert_eq!(answer.get_token(), [7]);
}

fn client_hello(cookie: &[u8], suite: [u8; 2]) -> Vec<u8> {
    let mut body = vec![0xfe, 0xfd];
    body.extend_from_slice(&[9; 32]);
    body.push(0);
    body.push(u8::try_from(cookie.len()).unwrap());
    body.extend_from_slice(cookie);
    body.extend_from_slice(&[0, 2]);
    body.extend_from_slice(&suite);
    body.extend_from_slice(&[1, 0]);
    let length = u8::try_from(body.len()).unwrap();
    let mut record = vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, length + 12];
    record.extend_from_slice(&[1, 0, 0, length, 0, 0, 0, 0, 0, 0, 0, length]);
    record.extend_from_slice(&body);
    record
}

#[tokio::test]
async fn dtls_asks_for_a_cookie_and_then_shows_itself() {
    let device = up(&with_services("[[coaps]]\nport = 5684\nhint = 'RST1-2207'"), 5, 11).await;
    let socket = udp(&device, 5684).await;
    let verify = ask(&socket, &client_hello(&[], [0xc0, 0xa8])).await;
    assert_eq!((verify[0], verify[13]), (22, 3));
    let cookie = &verify[28..];
    let flight = ask(&socket, &client_hello(cookie, [0xc0, 0xa8])).await;
    assert_eq!((flight[0], flight[13]), (22, 2));
    assert!(String::from_utf8_lossy(&flight).contains("RST1-2207"));
    let alert = ask(&socket, &client_hello(cookie, [0x00, 0x2f])).await;
    assert_eq!((alert[0], &alert[13..]), (21, &[2, 40][..]));
}

#[tokio::test]
async fn dtls_with_keys_asks_for_a_cookie_unless_told_not_to() {
    for (cookie, answer) in [("asked", 3), ("absent", 2)] {
        let spec = format!("[[coaps]]\nport = 5684\ncookie = '{cookie}'\nkeys = [{{ identity = 'a', key = 'b' }}]");
        let device = up(&with_services(&spec), 5, 13).await;
        let first = ask(&udp(&device, 5684).await, &client_hello(&[], [0xc0, 0xa8])).await;
        assert_eq!((first[0], first[13]), (22, answer), "{cookie}");
        device.stop().await;
    }
}

/// GET of sysDescr.0 in v2c with this community and request id.
fn snmp_get(community: &str, id: u8) -> Vec<u8> {
    let mut pdu = vec![0xa0, 25, 2, 1, id, 2, 1, 0, 2, 1, 0, 0x30, 14, 0x30, 12];
    pdu.extend_from_slice(&[6, 8, 0x2b, 6, 1, 2, 1, 1, 1, 0, 5, 0]);
    let mut message = vec![2, 1, 1, 4, u8::try_from(community.len()).unwrap()];
    message.extend_from_slice(community.as_bytes());
    message.extend(pdu);
    let mut packet = vec![0x30, u8::try_from(message.len()).unwrap()];
    packet.extend(message);
    packet
}

#[tokio::test]
async fn snmp_answers_its_community_only() {
    let device = builtin("fwa-gateway-bad", 5, 12).await;
    let socket = udp(&device, 20_161).await;
    socket.send(&snmp_get("no-such", 1)).await.unwrap();
    let answer = ask(&socket, &snmp_get("public", 2)).await;
    assert!(answer.windows(5).any(|bytes| bytes == [0xa2, 67, 2, 1, 2] || bytes[2..] == [2, 1, 2]));
    assert!(String::from_utf8_lossy(&answer).contains("SN-5G Gateway H4 firmware 3.0.2"));
}

#[tokio::test]
async fn snmp_of_the_good_twin_is_version_3_only() {
    let device = builtin("fwa-gateway-good", 5, 13).await;
    let socket = udp(&device, 20_161).await;
    socket.send(&snmp_get("public", 1)).await.unwrap();
    let mut discovery = vec![0x30, 56, 2, 1, 3, 0x30, 15, 2, 2, 0x11, 0x22, 2, 3, 0, 0xff, 0xe3, 4, 1, 4, 2, 1, 3];
    discovery.extend_from_slice(&[4, 16, 0x30, 14, 4, 0, 2, 1, 0, 2, 1, 0, 4, 0, 4, 0, 4, 0]);
    discovery.extend_from_slice(&[0x30, 17, 4, 0, 4, 0, 0xa0, 11, 2, 1, 0, 2, 1, 0, 2, 1, 0, 0x30, 0]);
    discovery[1] = u8::try_from(discovery.len() - 2).unwrap();
    let report = ask(&socket, &discovery).await;
    assert_eq!(report[2..5], [2, 1, 3]);
    assert!(report.windows(10).any(|bytes| bytes == [0x2b, 6, 1, 6, 3, 15, 1, 1, 4, 0]));
}

fn dns_query(name: &str, kind: u8, class: u8) -> Vec<u8> {
    let mut query = vec![0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        query.push(u8::try_from(label.len()).unwrap());
        query.extend_from_slice(label.as_bytes());
    }
    query.extend_from_slice(&[0, 0, kind, 0, class]);
    query
}

#[tokio::test]
async fn dns_tells_its_version_and_resolves_for_anybody_or_refuses() {
    let (bad, good) = (builtin("fwa-gateway-bad", 5, 14).await, builtin("fwa-gateway-good", 5, 15).await);
    let socket = udp(&bad, 20_053).await;
    assert!(ask(&socket, &dns_query("version.bind", 16, 3)).await.ends_with(b"\x0cdnsmasq-2.45"));
    let open = ask(&socket, &dns_query("example.invalid", 1, 1)).await;
    assert_eq!((open[3], open[7]), (0x80, 1));
    let refused = ask(&udp(&good, 20_053).await, &dns_query("example.invalid", 1, 1)).await;
    assert_eq!((refused[3] & 15, refused[7]), (5, 0));
    let mut stream = tcp(&good, 20_053).await;
    let query = dns_query("version.bind", 16, 3);
    stream.write_u16(u16::try_from(query.len()).unwrap()).await.unwrap();
    stream.write_all(&query).await.unwrap();
    assert_eq!(usize::from(stream.read_u16().await.unwrap()), query.len());
}

#[tokio::test]
async fn mdns_names_its_service_and_its_port() {
    let device = builtin("smart-hub-bad", 5, 16).await;
    let socket = udp(&device, 5353).await;
    let browse = ask(&socket, &dns_query("_services._dns-sd._udp.local", 12, 1)).await;
    assert!(String::from_utf8_lossy(&browse).contains("_kandil-hub\u{4}_tcp"));
    let found = ask(&socket, &dns_query("_kandil-hub._tcp.local", 12, 1)).await;
    assert_eq!(found[7], 4);
    assert!(found.windows(2).any(|bytes| bytes == 20_080_u16.to_be_bytes()));
    assert!(String::from_utf8_lossy(&found).contains("fw=5.1.0"));
}

#[tokio::test]
async fn ssdp_points_to_the_description() {
    let device = builtin("fwa-gateway-bad", 5, 17).await;
    let search = b"M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n";
    let answer = String::from_utf8(ask(&udp(&device, 1900).await, search).await).unwrap();
    assert!(answer.contains("LOCATION: http://127.88.5.17:5000/rootDesc.xml\r\n"), "{answer}");
    let description = say(&mut tcp(&device, 5000).await, "GET /rootDesc.xml HTTP/1.0\r\n\r\n", "</root>").await;
    assert!(description.contains("<serialNumber>SN5G-55012</serialNumber>"));
}

#[tokio::test]
async fn ntp_tells_the_time_and_more() {
    let device = builtin("fwa-gateway-bad", 5, 18).await;
    let socket = udp(&device, 20_123).await;
    let mut query = vec![0x23];
    query.resize(48, 0);
    query[40..].copy_from_slice(b"origin!!");
    let answer = ask(&socket, &query).await;
    assert_eq!((answer.len(), answer[0], &answer[24..32]), (48, 0x24, &b"origin!!"[..]));
    let mut control = vec![0x16, 2, 0, 1];
    control.resize(12, 0);
    assert!(String::from_utf8_lossy(&ask(&socket, &control).await).contains("ntpd 4.2.6p5"));
}
