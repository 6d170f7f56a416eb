//! Against real software: what is weak fails with evidence, what is hardened does not.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr, reason = "tests")]
#[path = "support/scans.rs"]
mod scans;
#[path = "support/servers.rs"]
mod servers;

use scans::{root, scan, scan_scoped, scan_with};
use servers::{Server, program, tcp, udp};
use std::{path::Path, process::Command};

fn write(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn run(program: &str, args: &[&str]) {
    let out = Command::new(program).args(args).output().unwrap();
    assert!(out.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// A self-signed certificate and its key, by openssl.
fn certificate(dir: &Path) -> (String, String) {
    let (cert, key) = (dir.join("cert.pem").display().to_string(), dir.join("key.pem").display().to_string());
    run(
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            &key,
            "-out",
            &cert,
            "-days",
            "300",
            "-subj",
            "/CN=device",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ],
    );
    (cert, key)
}

/// It does not fail, and says why not. A scan of few TCP ports never passes.
fn clears(s: &scans::Scanned, check: &str, saying: &str) {
    let (got, why) = s.verdict(check);
    assert_ne!(got, "FAIL", "{check}: {why}");
    assert!(why.contains(saying), "{check}: {why}");
}

#[test]
fn an_open_mosquitto_is_found_open_and_its_retained_secret_is_named() {
    let (Some(mosquitto), Some(publish)) = (program("mosquitto"), program("mosquitto_pub")) else { return };
    let dir = tempfile::tempdir().unwrap();
    let conf =
        write(dir.path(), "m.conf", "listener 18830 127.0.50.1\nallow_anonymous true\npersistence false\nuser root\n");
    let _server = Server::start(&mosquitto, &["-c", &conf], tcp("127.0.50.1:18830"));
    run(
        &publish,
        &[
            "-h",
            "127.0.50.1",
            "-p",
            "18830",
            "-r",
            "-t",
            "home/wifi/config",
            "-m",
            "{\"ssid\":\"home\",\"password\":\"hunter2hunter2\"}",
        ],
    );
    let s = scan("127.0.50.1", "tcp:18000-19000,udp:none");
    assert_eq!(s.endpoints(), ["tcp/18830 mqtt"]);
    assert_eq!(s.endpoint(18830)["authentication"], "none");
    assert_eq!(s.endpoint(18830)["facts"]["mqtt.protocols"], serde_json::json!(["3.1.1", "5"]));
    s.fails_only(&[
        "mqtt-anonymous-connect",
        "mqtt-cleartext-listener",
        "mqtt-retained-sensitive",
        "mqtt-sys-topics",
        "mqtt-wildcard-read",
    ]);
}

#[test]
fn a_mosquitto_with_passwords_acl_and_tls_is_not_called_weak() {
    let (Some(mosquitto), Some(passwd)) = (program("mosquitto"), program("mosquitto_passwd")) else { return };
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = certificate(dir.path());
    let users = write(dir.path(), "users", "");
    run(&passwd, &["-b", &users, "hub", "kX9-longer-than-any-list-entry"]);
    let acl = write(dir.path(), "acl", "user hub\ntopic readwrite hub/#\n");
    let conf = write(
        dir.path(),
        "m.conf",
        &format!(
            "listener 18831 127.0.50.2\ncertfile {cert}\nkeyfile {key}\nallow_anonymous false\npassword_file {users}\nacl_file {acl}\npersistence false\nuser root\n"
        ),
    );
    let _server = Server::start(&mosquitto, &["-c", &conf], tcp("127.0.50.2:18831"));
    let s = scan("127.0.50.2", "tcp:18000-19000,udp:none");
    assert_eq!(s.endpoints(), ["tcp/18831 mqtt"]);
    let e = s.endpoint(18831);
    assert_eq!(e["authentication"], "required");
    assert_eq!(e["tls"]["versions"], serde_json::json!(["1.2", "1.3"]));
    assert_eq!(e["tls"]["certificate"]["self_signed"], true);
    s.fails_only(&[]);
}

#[test]
fn a_mosquitto_with_a_default_password_is_proved_weak() {
    let (Some(mosquitto), Some(passwd)) = (program("mosquitto"), program("mosquitto_passwd")) else { return };
    let dir = tempfile::tempdir().unwrap();
    let users = write(dir.path(), "users", "");
    run(&passwd, &["-b", &users, "admin", "admin"]);
    let conf = write(
        dir.path(),
        "m.conf",
        &format!(
            "listener 18832 127.0.50.3\nallow_anonymous false\npassword_file {users}\npersistence false\nuser root\n"
        ),
    );
    let _server = Server::start(&mosquitto, &["-c", &conf], tcp("127.0.50.3:18832"));
    let s = scan("127.0.50.3", "tcp:18000-19000,udp:none");
    s.expect("mqtt-default-creds", "FAIL");
    s.expect("mqtt-anonymous-connect", "INCONCLUSIVE");
    assert_eq!(s.endpoint(18832)["logins"][0]["user"], "admin");
    let transcripts = std::fs::read_to_string(s.recording().join("transcripts.jsonl")).unwrap();
    assert!(!transcripts.is_empty());
}

#[test]
fn lighttpd_with_a_default_pair_fails_and_its_page_shows_no_secret() {
    let Some(lighttpd) = program("lighttpd") else { return };
    let dir = tempfile::tempdir().unwrap();
    let users = write(dir.path(), "users", "admin:admin\n");
    let root = dir.path().display();
    write(dir.path(), "index.html", "<title>Camera</title>Firmware: 1.2.3");
    let conf = write(
        dir.path(),
        "l.conf",
        &format!(
            "server.bind = \"127.0.50.4\"\nserver.port = 18080\nserver.document-root = \"{root}\"\nserver.modules = (\"mod_auth\", \"mod_authn_file\")\n\
         index-file.names = (\"index.html\")\nmimetype.assign = (\".html\" => \"text/html\")\nauth.backend = \"plain\"\nauth.backend.plain.userfile = \"{users}\"\n\
         auth.require = (\"/\" => (\"method\" => \"basic\", \"realm\" => \"camera\", \"require\" => \"valid-user\"))\n"
        ),
    );
    let _server = Server::start(&lighttpd, &["-D", "-f", &conf], tcp("127.0.50.4:18080"));
    let s = scan("127.0.50.4", "tcp:18000-19000,udp:none");
    assert_eq!(s.endpoints(), ["tcp/18080 http"]);
    s.fails_only(&["http-admin-cleartext", "http-basic-default-creds", "http-empty-password"]);
    assert_eq!(s.endpoint(18080)["logins"][0]["mechanism"], "http-basic");
    let transcripts = std::fs::read_to_string(s.recording().join("transcripts.jsonl")).unwrap();
    let wires: Vec<u8> = transcripts
        .lines()
        .flat_map(|l| {
            let v: serde_json::Value = serde_json::from_str(l).unwrap();
            let events = v["events"].as_array().unwrap().clone();
            events
                .into_iter()
                .flat_map(|e| {
                    use base64::Engine;
                    base64::engine::general_purpose::STANDARD.decode(e["data"].as_str().unwrap()).unwrap()
                })
                .collect::<Vec<u8>>()
        })
        .collect();
    // `admin:admin` in Basic's base64 must be masked wherever it was sent.
    assert!(!String::from_utf8_lossy(&wires).contains("YWRtaW46YWRtaW4="));
}

/// Who comes in and may not see the page is told so by 403: that is no refusal of the secret.
#[test]
fn a_lighttpd_that_forbids_its_page_to_who_logs_in_is_not_said_to_refuse_the_pair() {
    let Some(lighttpd) = program("lighttpd") else { return };
    let dir = tempfile::tempdir().unwrap();
    let users = write(dir.path(), "users", "admin:admin\n");
    let root = dir.path().display();
    let conf = write(
        dir.path(),
        "l.conf",
        &format!(
            "server.bind = \"127.0.50.44\"\nserver.port = 18080\nserver.document-root = \"{root}\"\nserver.modules = (\"mod_auth\", \"mod_authn_file\")\n\
         auth.backend = \"plain\"\nauth.backend.plain.userfile = \"{users}\"\n\
         auth.require = (\"/\" => (\"method\" => \"basic\", \"realm\" => \"camera\", \"require\" => \"valid-user\"))\n"
        ),
    );
    let _server = Server::start(&lighttpd, &["-D", "-f", &conf], tcp("127.0.50.44:18080"));
    let s = scan("127.0.50.44", "tcp:18000-19000,udp:none");
    s.expect("http-basic-default-creds", "INCONCLUSIVE");
    s.expect("http-empty-password", "INCONCLUSIVE");
}

#[test]
fn nginx_with_modern_tls_only_passes_what_tls_checks_can_decide() {
    let Some(nginx) = program("nginx") else { return };
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = certificate(dir.path());
    let root = dir.path().display();
    let conf = write(
        dir.path(),
        "n.conf",
        &format!(
            "daemon off;\npid {root}/pid;\nerror_log {root}/err;\nevents {{}}\nhttp {{ access_log off; client_body_temp_path {root}/b; proxy_temp_path {root}/p; fastcgi_temp_path {root}/f; uwsgi_temp_path {root}/u; scgi_temp_path {root}/s; server_tokens off;\n\
         server {{ listen 127.0.50.5:18443 ssl; ssl_certificate {cert}; ssl_certificate_key {key}; ssl_protocols TLSv1.2 TLSv1.3; return 200 ok; }} }}\n"
        ),
    );
    let _server = Server::start(&nginx, &["-c", &conf, "-e", &format!("{root}/e")], tcp("127.0.50.5:18443"));
    let s = scan("127.0.50.5", "tcp:18000-19000,udp:none");
    assert_eq!(s.endpoints(), ["tcp/18443 http"]);
    assert_eq!(s.endpoint(18443)["tls"]["versions"], serde_json::json!(["1.2", "1.3"]));
    s.fails_only(&[]);
}

#[test]
fn libcoap_over_plain_udp_is_read_and_over_dtls_it_is_only_seen() {
    let (Some(plain), Some(dtls)) = (program("coap-server-notls"), program("coap-server-openssl")) else { return };
    let _plain = Server::start(&plain, &["-A", "127.0.50.6", "-p", "15683"], udp("127.0.50.6:15683"));
    let s = scan("127.0.50.6", "tcp:none,udp:15683");
    assert_eq!(s.endpoints(), ["udp/15683 coap"]);
    let links = s.endpoint(15683)["facts"]["coap.resources"].as_array().unwrap().len();
    assert!(links >= 3, "{links}");
    let _dtls = Server::start(
        &dtls,
        &["-A", "127.0.50.7", "-p", "15683", "-k", "not-on-any-list", "-h", "hint"],
        udp("127.0.50.7:15684"),
    );
    let s = scan("127.0.50.7", "tcp:none,udp:15684");
    assert_eq!(s.endpoints(), ["udp/15684 coaps"]);
    assert!(s.endpoint(15684)["facts"]["dtls.answer"].as_str().unwrap().starts_with("accepted TLS_PSK"));
    s.fails_only(&[]);
}

#[test]
fn a_libcoap_with_the_key_of_a_sample_is_proved_weak_and_with_another_key_it_is_not() {
    let Some(dtls) = program("coap-server-openssl") else { return };
    for (host, key, verdict) in [("127.0.91.60", "secretPSK", "FAIL"), ("127.0.91.61", "not-on-any-list", "PASS")] {
        let ready = udp(&format!("{host}:15684"));
        let _server = Server::start(&dtls, &["-A", host, "-p", "15683", "-k", key, "-h", "hint"], ready);
        let dir = tempfile::tempdir().unwrap();
        let scope = format!(
            "authorised_by = \"the tests\"\nhosts = [\"{host}/32\"]\nports = \"tcp:none,udp:15684\"\npace = \"fast\"\n\
             [credentials]\nper_account = 8\n"
        );
        let scope = write(dir.path(), "scope.toml", &scope);
        let s = scan_scoped(host, &scope);
        // The whole of TCP was not looked at, so that a refusal of all keys is told from the records.
        let (got, why) = s.verdict("coap-dtls-default-psk");
        assert!(got == verdict || (verdict == "PASS" && got == "INCONCLUSIVE"), "{host}: {got} {why}");
        let refused = why.contains("4 listed credentials were refused");
        assert_eq!(refused, verdict == "PASS", "{why}");
    }
}

#[test]
fn a_stock_mosquitto_lets_one_user_end_the_session_of_another_and_one_that_names_clients_after_users_does_not() {
    let Some(mosquitto) = program("mosquitto") else { return };
    let dir = tempfile::tempdir().unwrap();
    let passwords = dir.path().join("passwords").display().to_string();
    run("mosquitto_passwd", &["-c", "-b", &passwords, "lamp", "Lk4-teratai-11"]);
    run("mosquitto_passwd", &["-b", &passwords, "tap", "Sw9-kemboja-32"]);
    run("chmod", &["0644", &passwords]);
    let secrets = [("lamp", "Lk4-teratai-11"), ("tap", "Sw9-kemboja-32")];
    let accounts: String = secrets
        .map(|(user, secret)| {
            let secret = write(dir.path(), user, secret);
            format!("[[accounts]]\nuser = \"{user}\"\nsecret = \"file:{secret}\"\nrole = \"user\"\n")
        })
        .concat();
    for (host, more, verdict) in
        [("127.0.91.62", "", "FAIL"), ("127.0.91.63", "use_username_as_clientid true\n", "PASS")]
    {
        let config =
            format!("user root\nlistener 11883 {host}\nallow_anonymous false\npassword_file {passwords}\n{more}");
        let config = write(dir.path(), &format!("{host}.conf"), &config);
        let _server = Server::start(&mosquitto, &["-c", &config], tcp(&format!("{host}:11883")));
        let scope = format!(
            "authorised_by = \"the tests\"\nhosts = [\"{host}/32\"]\nports = \"tcp:11883,udp:none\"\npace = \"fast\"\n{accounts}"
        );
        let s = scan_scoped(host, &write(dir.path(), "scope.toml", &scope));
        let (got, why) = s.verdict("mqtt-session-takeover");
        assert!(got == verdict || (verdict == "PASS" && got == "INCONCLUSIVE"), "{host}: {got} {why}");
        assert_eq!(why.contains("went on"), verdict == "PASS", "{why}");
    }
}

#[test]
fn snmpd_with_public_fails_and_with_v3_only_does_not() {
    let Some(snmpd) = program("snmpd") else { return };
    let dir = tempfile::tempdir().unwrap();
    let open = write(dir.path(), "open.conf", "agentaddress udp:127.0.50.8:10161\nrocommunity public 127.0.0.0/8\n");
    let persistent = dir.path().display().to_string();
    let _open = Server::start(
        &snmpd,
        &["-f", "-Lo", "-C", "-c", &open, "-I", "-smux", "-p", &format!("{persistent}/1")],
        udp("127.0.50.8:10161"),
    );
    let s = scan("127.0.50.8", "tcp:none,udp:10161");
    assert_eq!(s.endpoints(), ["udp/10161 snmp"]);
    s.expect("snmp-default-community-read", "FAIL");
    let v3 = write(dir.path(), "v3.conf", "agentaddress udp:127.0.50.9:10161\nrouser nobody authPriv\n");
    let _v3 = Server::start(
        &snmpd,
        &["-f", "-Lo", "-C", "-c", &v3, "-I", "-smux", "-p", &format!("{persistent}/2")],
        udp("127.0.50.9:10161"),
    );
    let s = scan("127.0.50.9", "tcp:none,udp:10161");
    assert_eq!(s.endpoints(), ["udp/10161 snmp"]);
    s.fails_only(&[]);
}

/// Runs a command in a mount namespace where the account `support` has the password `support`.
fn with_account(dir: &Path, command: &str) -> String {
    with_account_of(dir, "support", command)
}

/// The same for another account whose password is its name.
fn with_account_of(dir: &Path, name: &str, command: &str) -> String {
    let hash = Command::new("openssl").args(["passwd", "-6", name]).output().unwrap().stdout;
    let hash = String::from_utf8(hash).unwrap();
    let (passwd, shadow) =
        (std::fs::read_to_string("/etc/passwd").unwrap(), std::fs::read_to_string("/etc/shadow").unwrap());
    let passwd = write(dir, "passwd", &format!("{passwd}{name}:x:4242:4242::/tmp:/bin/sh\n"));
    let shadow = write(dir, "shadow", &format!("{shadow}{name}:{}:19000:0:99999:7:::\n", hash.trim()));
    write(
        dir,
        "run.sh",
        &format!("mount --bind {passwd} /etc/passwd && mount --bind {shadow} /etc/shadow && exec {command}\n"),
    )
}

#[test]
fn dropbear_with_a_default_account_is_proved_weak() {
    let (Some(dropbear), Some(keygen), true) = (program("dropbear"), program("dropbearkey"), root()) else { return };
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("hostkey").display().to_string();
    run(&keygen, &["-t", "ed25519", "-f", &key]);
    let script = with_account(
        dir.path(),
        &format!("{dropbear} -F -E -r {key} -p 127.0.50.10:10022 -P {}/pid", dir.path().display()),
    );
    let _server = Server::start("unshare", &["-m", "sh", &script], tcp("127.0.50.10:10022"));
    let s = scan("127.0.50.10", "tcp:10000-11000,udp:none");
    assert_eq!(s.endpoints(), ["tcp/10022 ssh"]);
    s.fails_only(&["ssh-default-creds"]);
    assert_eq!(s.endpoint(10022)["logins"][0]["user"], "support");
}

#[test]
fn dropbear_with_keys_only_is_not_called_weak() {
    let (Some(dropbear), Some(keygen)) = (program("dropbear"), program("dropbearkey")) else { return };
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("hostkey").display().to_string();
    run(&keygen, &["-t", "ed25519", "-f", &key]);
    let pid = dir.path().join("pid").display().to_string();
    let _server = Server::start(
        &dropbear,
        &["-F", "-E", "-s", "-r", &key, "-p", "127.0.50.11:10022", "-P", &pid],
        tcp("127.0.50.11:10022"),
    );
    let s = scan("127.0.50.11", "tcp:10000-11000,udp:none");
    assert_eq!(s.endpoints(), ["tcp/10022 ssh"]);
    s.fails_only(&[]);
}

#[test]
fn a_real_telnetd_on_an_odd_port_is_named_and_its_default_account_proved() {
    let (Some(telnetd), Some(socat), true) = (program("telnetd"), program("socat"), root()) else { return };
    let dir = tempfile::tempdir().unwrap();
    let script =
        with_account(dir.path(), &format!("{socat} TCP-LISTEN:10023,bind=127.0.50.12,reuseaddr,fork EXEC:{telnetd}"));
    let _server = Server::start("unshare", &["-m", "sh", &script], tcp("127.0.50.12:10023"));
    let s = scan("127.0.50.12", "tcp:10000-11000,udp:none");
    assert_eq!(s.endpoints(), ["tcp/10023 telnet"]);
    s.fails_only(&["svc-legacy-insecure", "telnet-default-creds"]);
}

#[test]
fn vsftpd_with_anonymous_access_fails_and_without_does_not() {
    let (Some(vsftpd), true) = (program("vsftpd"), root()) else { return };
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("ftp");
    std::fs::create_dir(&root).unwrap();
    for (host, anonymous) in [("127.0.50.13", "YES"), ("127.0.50.14", "NO")] {
        let conf = write(
            dir.path(),
            &format!("{host}.conf"),
            &format!(
                "listen=YES\nbackground=NO\nlisten_address={host}\nlisten_port=10021\nanonymous_enable={anonymous}\nlocal_enable=YES\nanon_root={0}\nsecure_chroot_dir={0}\nseccomp_sandbox=NO\n",
                root.display()
            ),
        );
        let _server = Server::start(&vsftpd, &[&conf], tcp(&format!("{host}:10021")));
        let s = scan(host, "tcp:10000-11000,udp:none");
        assert_eq!(s.endpoints(), ["tcp/10021 ftp"]);
        if anonymous == "YES" {
            s.fails_only(&["ftp-anonymous", "svc-legacy-insecure"]);
        } else {
            s.fails_only(&["svc-legacy-insecure"]);
        }
    }
}

#[test]
fn a_tftp_server_is_found_although_it_answers_from_another_port() {
    let (Some(tftpd), true) = (program("in.tftpd"), root()) else { return };
    let dir = tempfile::tempdir().unwrap();
    let files = dir.path().display().to_string();
    let _server = Server::start(&tftpd, &["-L", "--address", "127.0.50.15:69", "-s", &files], udp("127.0.50.15:69"));
    let s = scan("127.0.50.15", "tcp:none,udp:69");
    assert_eq!(s.endpoints(), ["udp/69 tftp"]);
    s.fails_only(&["svc-legacy-insecure"]);
    clears(&s, "tftp-open-read", "config.bin: refused with error 1");
}

#[test]
fn a_configuration_that_a_real_tftp_server_gives_out_is_found_and_not_kept() {
    let (Some(tftpd), true) = (program("in.tftpd"), root()) else { return };
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "config.bin", "secret-of-the-house\n");
    run("chmod", &["-R", "a+rX", dir.path().to_str().unwrap()]);
    let files = dir.path().display().to_string();
    let _server = Server::start(&tftpd, &["-L", "--address", "127.0.81.1:69", "-s", &files], udp("127.0.81.1:69"));
    let s = scan("127.0.81.1", "tcp:none,udp:69");
    s.fails_only(&["svc-legacy-insecure", "tftp-open-read"]);
    let tapes = std::fs::read_to_string(s.recording().join("transcripts.jsonl")).unwrap();
    let kept = base64_of(b"secret-of-the-house\n");
    assert!(!tapes.contains(&kept[4..20]), "the file was kept");
}

fn base64_of(bytes: &[u8]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("plain");
    std::fs::write(&file, bytes).unwrap();
    let out = Command::new("openssl").args(["base64", "-A", "-in", file.to_str().unwrap()]).output().unwrap();
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn an_snmpd_that_lets_private_write_fails_and_one_that_lets_public_read_does_not_fail_for_writing() {
    let Some(snmpd) = program("snmpd") else { return };
    let dir = tempfile::tempdir().unwrap();
    for (host, more, writes) in [("127.0.81.2", "rwcommunity private 127.0.0.0/8\n", true), ("127.0.81.3", "", false)] {
        let conf = format!("agentaddress udp:{host}:10161\nrocommunity public 127.0.0.0/8\n{more}");
        let conf = write(dir.path(), &format!("{host}.conf"), &conf);
        let kept = dir.path().join(host).display().to_string();
        let args = ["-f", "-Lo", "-C", "-c", &conf, "-I", "-smux", "-p", &kept];
        let _server = Server::start(&snmpd, &args, udp(&format!("{host}:10161")));
        let scope = format!("authorised_by = \"the test\"\nhosts = [\"{host}/32\"]\nmost = \"alter\"\n");
        let scope = write(dir.path(), &format!("{host}.toml"), &scope);
        let s = scan_with(host, "tcp:none,udp:10161", &["--scope", &scope]);
        s.expect("snmp-default-community-read", "FAIL");
        match writes {
            true => s.expect("snmp-default-community-write", "FAIL"),
            false => s.expect("snmp-default-community-write", "PASS"),
        }
        // Without leave to alter nothing is written, and nothing is said.
        scan(host, "tcp:none,udp:10161").expect("snmp-default-community-write", "INCONCLUSIVE");
    }
}

#[test]
fn an_rsync_module_without_a_secret_is_found_open_and_one_with_a_secret_is_not() {
    let Some(rsync) = program("rsync") else { return };
    let dir = tempfile::tempdir().unwrap();
    let secrets = write(dir.path(), "secrets", "owner:kX9-longer-than-any-list-entry\n");
    run("chmod", &["600", &secrets]);
    let motd = write(dir.path(), "motd", "Welcome to the backup\nask the owner\n");
    let files = dir.path().display();
    let closed = format!("auth users = owner\nsecrets file = {secrets}\n");
    for (host, more, open) in [("127.0.81.30", "", true), ("127.0.81.31", closed.as_str(), false)] {
        let conf = format!("motd file = {motd}\nuse chroot = no\n[backup]\npath = {files}\n{more}");
        let conf = write(dir.path(), &format!("{host}.conf"), &conf);
        let args = ["--daemon", "--no-detach", "--port", "10873", "--address", host, "--config", &conf];
        let _server = Server::start(&rsync, &args, tcp(&format!("{host}:10873")));
        let s = scan(host, "tcp:10000-11000,udp:none");
        assert_eq!(s.endpoints(), ["tcp/10873 rsync"]);
        match open {
            true => s.fails_only(&["file-share-open"]),
            false => clears(&s, "file-share-open", "`backup` is closed"),
        }
    }
}

#[test]
fn a_samba_that_speaks_smb1_fails_and_one_that_does_not_is_named_and_left_to_a_person() {
    let (Some(smbd), true) = (program("smbd"), root()) else { return };
    let dir = tempfile::tempdir().unwrap();
    for (host, least, old) in [("127.0.81.32", "NT1", true), ("127.0.81.33", "SMB2", false)] {
        let own = dir.path().join(host);
        std::fs::create_dir(&own).unwrap();
        let at = own.display();
        let conf = format!(
            "[global]\nserver min protocol = {least}\nbind interfaces only = yes\ninterfaces = {host}/255.0.0.0\nsmb ports = 445\n\
             lock directory = {at}\nstate directory = {at}\ncache directory = {at}\npid directory = {at}\n\
             private dir = {at}\nncalrpc dir = {at}/rpc\nlog file = {at}/log\nserver role = standalone\n"
        );
        let conf = write(dir.path(), &format!("{host}.conf"), &conf);
        let args = ["--foreground", "--no-process-group", "-s", &conf];
        let _server = Server::start(&smbd, &args, tcp(&format!("{host}:445")));
        let s = scan(host, "tcp:400-500,udp:none");
        assert_eq!(s.endpoints(), ["tcp/445 smb"]);
        match old {
            true => s.fails_only(&["file-share-open"]),
            false => clears(&s, "file-share-open", "whether a guest sees shares was not tried"),
        }
    }
}

#[test]
fn a_published_key_that_dropbear_or_openssh_would_take_is_proved_and_others_are_not_called_so() {
    let (Some(dropbear), Some(keygen), Some(sshd), true) =
        (program("dropbear"), program("dropbearkey"), program("sshd"), root())
    else {
        return;
    };
    let keys: toml::Table = toml::from_str(&std::fs::read_to_string("profiles/data/ssh-keys.toml").unwrap()).unwrap();
    let published = keys["key"][1]["public"].as_str().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let own = dir.path().join("own").display().to_string();
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &own]);
    let own = std::fs::read_to_string(dir.path().join("own.pub")).unwrap();
    let key = dir.path().join("hostkey").display().to_string();
    run(&keygen, &["-t", "ed25519", "-f", &key]);
    let key2 = dir.path().join("hostkey2").display().to_string();
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &key2]);
    run("chmod", &["755", dir.path().to_str().unwrap()]);
    let taken = [("weak", published, true), ("hardened", own.as_str(), false)];
    for (n, (name, authorized, weak)) in taken.iter().enumerate() {
        let home = dir.path().join(name);
        std::fs::create_dir_all(home.join(".ssh")).unwrap();
        write(&home.join(".ssh"), "authorized_keys", authorized);
        run("chown", &["-R", "4242:4242", home.to_str().unwrap()]);
        run("chmod", &["-R", "go-w", home.to_str().unwrap()]);
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
        let line = format!("{passwd}vagrant:x:4242:4242::{}:/bin/sh\n", home.display());
        let passwd = write(dir.path(), &format!("passwd-{name}"), &line);
        let shadow = std::fs::read_to_string("/etc/shadow").unwrap();
        let shadow = write(dir.path(), &format!("shadow-{name}"), &format!("{shadow}vagrant:*:19000:0:99999:7:::\n"));
        let (first, second) = (format!("127.0.81.{}", 10 + n), format!("127.0.81.{}", 20 + n));
        let pid = dir.path().join(format!("pid-{name}")).display().to_string();
        let servers = [
            (&first, format!("{dropbear} -F -E -s -r {key} -p {first}:10022 -P {pid}")),
            (
                &second,
                format!(
                    "{sshd} -D -e -f /dev/null -h {key2} -p 10022 -o ListenAddress={second} -o PidFile=none \
                     -o PasswordAuthentication=no -o KbdInteractiveAuthentication=no"
                ),
            ),
        ];
        for (host, command) in servers {
            let mounts = format!("mount --bind {passwd} /etc/passwd && mount --bind {shadow} /etc/shadow");
            let script =
                write(dir.path(), &format!("{host}.sh"), &format!("mkdir -p /run/sshd\n{mounts} && exec {command}\n"));
            let _server = Server::start("unshare", &["-m", "sh", &script], tcp(&format!("{host}:10022")));
            let s = scan(host, "tcp:10000-11000,udp:none");
            assert_eq!(s.endpoints(), ["tcp/10022 ssh"]);
            match weak {
                true => s.expect("ssh-known-authorized-key", "FAIL"),
                false => clears(&s, "ssh-known-authorized-key", "sshkey-0002 for `vagrant` is refused"),
            }
        }
    }
}

#[test]
fn dnsmasq_is_named_over_udp_and_over_tcp() {
    let Some(dnsmasq) = program("dnsmasq") else { return };
    let _server = Server::start(
        &dnsmasq,
        &[
            "-k",
            "--no-resolv",
            "--no-hosts",
            "--listen-address=127.0.50.16",
            "--bind-interfaces",
            "--port=10053",
            "--conf-file=/dev/null",
            "--pid-file=",
            "--user=",
        ],
        tcp("127.0.50.16:10053"),
    );
    let s = scan("127.0.50.16", "tcp:10000-11000,udp:10053");
    assert_eq!(s.endpoints(), ["tcp/10053 dns", "udp/10053 dns"]);
    s.fails_only(&[]);
}

#[test]
fn a_redis_without_a_secret_is_open_one_with_a_listed_secret_is_proved_weak_and_another_is_not() {
    let Some(redis) = program("redis-server") else { return };
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().display().to_string();
    let secrets = [("127.0.50.20", ""), ("127.0.50.21", "foobared"), ("127.0.50.22", "kX9-longer-than-any-list-entry")];
    for (host, secret) in secrets {
        let mut args = vec!["--port", "16379", "--bind", host, "--save", "", "--dir", &home, "--protected-mode", "no"];
        if !secret.is_empty() {
            args.extend(["--requirepass", secret]);
        }
        let _server = Server::start(&redis, &args, tcp(&format!("{host}:16379")));
        let s = scan(host, "tcp:16000-17000,udp:none");
        assert_eq!(s.endpoints(), ["tcp/16379 redis"]);
        match secret {
            "" => s.fails_only(&["datastore-remote-open"]),
            "foobared" => s.fails_only(&["redis-default-creds"]),
            _ => s.fails_only(&[]),
        }
        let transcripts = std::fs::read(s.recording().join("transcripts.jsonl")).unwrap();
        assert!(!String::from_utf8_lossy(&transcripts).contains("Zm9vYmFyZW"), "the secret is in a transcript");
    }
}

#[test]
fn a_default_account_of_an_ftp_server_that_wants_tls_is_proved_and_no_refusal_in_clear_is_believed() {
    let (Some(ftpd), true) = (program("vsftpd"), root()) else { return };
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = certificate(dir.path());
    let empty = dir.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let conf = format!(
        "listen=YES\nlisten_address=127.0.50.23\nlisten_port=10021\nanonymous_enable=NO\nlocal_enable=YES\nssl_enable=YES\n\
         force_local_logins_ssl=YES\nrequire_ssl_reuse=NO\nrsa_cert_file={cert}\nrsa_private_key_file={key}\n\
         secure_chroot_dir={}\npam_service_name=vsftpd\nbackground=NO\n",
        empty.display()
    );
    let serve = format!("{ftpd} {}", write(dir.path(), "vsftpd.conf", &conf));
    let script = with_account_of(dir.path(), "user", &serve);
    let _server = Server::start("unshare", &["-m", "sh", &script], tcp("127.0.50.23:10021"));
    let s = scan("127.0.50.23", "tcp:10000-11000,udp:none");
    assert_eq!(s.endpoints(), ["tcp/10021 ftp"]);
    s.fails_only(&["ftp-default-creds"]);
    assert_eq!(s.endpoint(10021)["logins"][0]["user"], "user");
}

#[test]
fn one_host_key_in_two_devices_fails_and_two_keys_do_not() {
    let (Some(dropbear), Some(keygen)) = (program("dropbear"), program("dropbearkey")) else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (shared, own) = (path("shared"), path("own"));
    run(&keygen, &["-t", "ed25519", "-f", &shared]);
    run(&keygen, &["-t", "ed25519", "-f", &own]);
    let samples = [("127.0.50.24", &shared), ("127.0.50.25", &shared), ("127.0.50.26", &own)].map(|(host, key)| {
        let at = format!("{host}:10022");
        let server = Server::start(&dropbear, &["-F", "-E", "-s", "-r", key, "-p", &at, "-P", &path(host)], tcp(&at));
        let scanned = scan(host, "tcp:10022,udp:none");
        drop(server);
        scanned
    });
    let judge = |a: usize, b: usize| {
        let (first, other) = (samples[a].recording(), samples[b].recording());
        let args = ["judge", first.to_str().unwrap(), "--sample", other.to_str().unwrap()];
        let (_, out, err) = scans::patuh(&[&args[..], &["--profile", "etsi-en303645-v2", "--format", "json"]].concat());
        let all: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {err}"));
        let rows = all["results"].as_array().unwrap();
        let row = rows.iter().find(|r| r["check"] == "tls-key-shared-samples").unwrap().clone();
        (row["verdict"].as_str().unwrap().to_owned(), row.to_string(), out)
    };
    let (verdict, row, bytes) = judge(0, 1);
    assert_eq!(verdict, "FAIL", "{row}");
    assert!(row.contains("\"s2:r"), "{row}");
    assert_eq!(bytes, judge(0, 1).2, "the same inputs give the same bytes");
    assert_eq!(judge(0, 2).0, "INCONCLUSIVE", "one port was asked, so that other keys may be elsewhere");
    samples[0].expect("tls-key-shared-samples", "INCONCLUSIVE");
}
