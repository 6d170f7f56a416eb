//! The devices that come with the program.

/// A built-in device: its name and its file.
#[derive(Debug, Clone, Copy)]
pub struct Builtin {
    pub name: &'static str,
    pub toml: &'static str,
}

/// All built-in devices, by name.
pub fn list() -> &'static [Builtin] {
    BUILTIN
}

/// The built-in device of this name.
pub fn find(name: &str) -> Option<&'static Builtin> {
    BUILTIN.iter().find(|builtin| builtin.name == name)
}

const BUILTIN: &[Builtin] = &[
    Builtin { name: "account-panel-bad", toml: include_str!("../../fixtures/duts/account-panel-bad.toml") },
    Builtin { name: "account-panel-good", toml: include_str!("../../fixtures/duts/account-panel-good.toml") },
    Builtin { name: "account-panel-weak", toml: include_str!("../../fixtures/duts/account-panel-weak.toml") },
    Builtin { name: "branch-router-bad", toml: include_str!("../../fixtures/duts/branch-router-bad.toml") },
    Builtin { name: "branch-router-good", toml: include_str!("../../fixtures/duts/branch-router-good.toml") },
    Builtin { name: "coap-sensor-bad", toml: include_str!("../../fixtures/duts/coap-sensor-bad.toml") },
    Builtin { name: "coap-sensor-good", toml: include_str!("../../fixtures/duts/coap-sensor-good.toml") },
    Builtin {
        name: "constrained-four-sockets",
        toml: include_str!("../../fixtures/duts/constrained-four-sockets.toml"),
    },
    Builtin { name: "edge-box-bad", toml: include_str!("../../fixtures/duts/edge-box-bad.toml") },
    Builtin { name: "edge-box-good", toml: include_str!("../../fixtures/duts/edge-box-good.toml") },
    Builtin { name: "fwa-gateway-bad", toml: include_str!("../../fixtures/duts/fwa-gateway-bad.toml") },
    Builtin { name: "fwa-gateway-good", toml: include_str!("../../fixtures/duts/fwa-gateway-good.toml") },
    Builtin { name: "gateway-wan-bad", toml: include_str!("../../fixtures/duts/gateway-wan-bad.toml") },
    Builtin { name: "gateway-wan-good", toml: include_str!("../../fixtures/duts/gateway-wan-good.toml") },
    Builtin { name: "ip-camera-bad", toml: include_str!("../../fixtures/duts/ip-camera-bad.toml") },
    Builtin { name: "ip-camera-good", toml: include_str!("../../fixtures/duts/ip-camera-good.toml") },
    Builtin { name: "light-hub-bad", toml: include_str!("../../fixtures/duts/light-hub-bad.toml") },
    Builtin { name: "light-hub-good", toml: include_str!("../../fixtures/duts/light-hub-good.toml") },
    Builtin { name: "login-guard-bad", toml: include_str!("../../fixtures/duts/login-guard-bad.toml") },
    Builtin { name: "login-guard-good", toml: include_str!("../../fixtures/duts/login-guard-good.toml") },
    Builtin { name: "ota-plug-bad", toml: include_str!("../../fixtures/duts/ota-plug-bad.toml") },
    Builtin { name: "ota-plug-good", toml: include_str!("../../fixtures/duts/ota-plug-good.toml") },
    Builtin { name: "robust-box-bad", toml: include_str!("../../fixtures/duts/robust-box-bad.toml") },
    Builtin { name: "robust-box-good", toml: include_str!("../../fixtures/duts/robust-box-good.toml") },
    Builtin { name: "smart-hub-bad", toml: include_str!("../../fixtures/duts/smart-hub-bad.toml") },
    Builtin { name: "smart-hub-good", toml: include_str!("../../fixtures/duts/smart-hub-good.toml") },
    Builtin { name: "tls-box-bad", toml: include_str!("../../fixtures/duts/tls-box-bad.toml") },
    Builtin { name: "tls-box-good", toml: include_str!("../../fixtures/duts/tls-box-good.toml") },
    Builtin { name: "trap-account-panel", toml: include_str!("../../fixtures/duts/trap-account-panel.toml") },
    Builtin { name: "trap-any-credential", toml: include_str!("../../fixtures/duts/trap-any-credential.toml") },
    Builtin { name: "trap-bare-listeners", toml: include_str!("../../fixtures/duts/trap-bare-listeners.toml") },
    Builtin { name: "trap-catch-all-200", toml: include_str!("../../fixtures/duts/trap-catch-all-200.toml") },
    Builtin { name: "trap-coap-picky", toml: include_str!("../../fixtures/duts/trap-coap-picky.toml") },
    Builtin { name: "trap-crashed-once", toml: include_str!("../../fixtures/duts/trap-crashed-once.toml") },
    Builtin { name: "trap-deaf-at-times", toml: include_str!("../../fixtures/duts/trap-deaf-at-times.toml") },
    Builtin { name: "trap-described-only", toml: include_str!("../../fixtures/duts/trap-described-only.toml") },
    Builtin { name: "trap-endless", toml: include_str!("../../fixtures/duts/trap-endless.toml") },
    Builtin { name: "trap-flood-reboot", toml: include_str!("../../fixtures/duts/trap-flood-reboot.toml") },
    Builtin { name: "trap-hollow-answers", toml: include_str!("../../fixtures/duts/trap-hollow-answers.toml") },
    Builtin { name: "trap-hostile-banner", toml: include_str!("../../fixtures/duts/trap-hostile-banner.toml") },
    Builtin { name: "trap-lockout", toml: include_str!("../../fixtures/duts/trap-lockout.toml") },
    Builtin { name: "trap-lwm2m-checks", toml: include_str!("../../fixtures/duts/trap-lwm2m-checks.toml") },
    Builtin { name: "trap-matter-window", toml: include_str!("../../fixtures/duts/trap-matter-window.toml") },
    Builtin { name: "trap-mqtt-read-only", toml: include_str!("../../fixtures/duts/trap-mqtt-read-only.toml") },
    Builtin { name: "trap-odd-ports", toml: include_str!("../../fixtures/duts/trap-odd-ports.toml") },
    Builtin { name: "trap-one-client", toml: include_str!("../../fixtures/duts/trap-one-client.toml") },
    Builtin { name: "trap-plain-to-tls", toml: include_str!("../../fixtures/duts/trap-plain-to-tls.toml") },
    Builtin { name: "trap-shuts-out", toml: include_str!("../../fixtures/duts/trap-shuts-out.toml") },
    Builtin { name: "trap-slow-first-byte", toml: include_str!("../../fixtures/duts/trap-slow-first-byte.toml") },
    Builtin { name: "trap-smp-echo", toml: include_str!("../../fixtures/duts/trap-smp-echo.toml") },
    Builtin { name: "trap-suback-no-delivery", toml: include_str!("../../fixtures/duts/trap-suback-no-delivery.toml") },
    Builtin { name: "trap-suback-refused", toml: include_str!("../../fixtures/duts/trap-suback-refused.toml") },
    Builtin { name: "trap-success-words", toml: include_str!("../../fixtures/duts/trap-success-words.toml") },
    Builtin { name: "trap-tarpit", toml: include_str!("../../fixtures/duts/trap-tarpit.toml") },
    Builtin { name: "trap-tls-dated", toml: include_str!("../../fixtures/duts/trap-tls-dated.toml") },
    Builtin { name: "trap-tls-unusual", toml: include_str!("../../fixtures/duts/trap-tls-unusual.toml") },
    Builtin { name: "trap-vanishing-service", toml: include_str!("../../fixtures/duts/trap-vanishing-service.toml") },
    Builtin { name: "trap-web-lookalikes", toml: include_str!("../../fixtures/duts/trap-web-lookalikes.toml") },
    Builtin { name: "trap-wrong-clock", toml: include_str!("../../fixtures/duts/trap-wrong-clock.toml") },
    Builtin { name: "web-panel-bad", toml: include_str!("../../fixtures/duts/web-panel-bad.toml") },
    Builtin { name: "web-panel-good", toml: include_str!("../../fixtures/duts/web-panel-good.toml") },
];
