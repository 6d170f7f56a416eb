//! A check is a question put to evidence: one record and one function, in a file named after its id.
//! It never sees a socket and knows no region; a region's thresholds are the fields of its struct.
use super::{Decision, Evidence, assess::Outcome, judgement::Point};
use crate::model::Shared;
use serde::{Serialize, de::DeserializeOwned};

mod account_undocumented;
mod announced;
mod auth_bruteforce_declared;
mod auth_declared;
mod auth_lockout_not_permanent_dos;
mod auth_mech_inventory;
mod banner_version;
mod capture;
mod client_hello_profile;
mod client_tls_validation_all;
mod coap;
mod coap_core_exposure;
mod coap_critical_option;
mod coap_dtls_default_psk;
mod coap_dtls_profile;
mod coap_nosec_only;
mod coap_observe_unauth;
mod coap_read_unauth;
mod coap_write_unauth;
mod common;
mod crypto_details;
mod crypto_observed;
mod csp_in_transit_clear;
mod cwmp_connreq_auth;
mod cwmp_connreq_default_creds;
mod datastore_remote_open;
mod declared_crypto;
mod default_creds;
mod dev_unique_password_two_samples;
mod dhcp_host_leak;
mod dhcp_info_leak;
mod disc_target_binding;
mod disclosure;
mod dns_client_randomness;
mod dns_open_resolver;
mod documents;
mod dtls_cookie;
mod egress;
mod file_share_open;
mod ftp_anonymous;
mod ftp_default_creds;
mod guessing;
mod http_admin_cleartext;
mod http_admin_unauthenticated;
mod http_authz_roles;
mod http_basic_default_creds;
mod http_csrf;
mod http_digest_default_creds;
mod http_digest_quality;
mod http_empty_password;
mod http_first_use_forced_change;
mod http_form_default_creds;
mod http_injection_canary;
mod http_json_login_default_creds;
mod http_password_change;
mod http_password_policy;
mod http_path_traversal;
mod http_session_timeout;
mod http_session_token_entropy;
mod http_setup_authz;
mod http_static_bearer_token;
mod http_user_enumeration;
mod input_methods;
mod interfaces;
mod isolation;
mod lab;
pub mod labels;
mod local_control_proto_auth;
mod lwm2m_security_object;
mod m2m_password_rejected;
mod malformed;
mod matter_commissioning_window;
mod mdns_info_leak;
mod media_stream_encrypted;
mod model_designation_match;
mod mqtt;
mod mqtt_anonymous_connect;
mod mqtt_any_credential;
mod mqtt_cleartext_listener;
mod mqtt_default_creds;
mod mqtt_retained_sensitive;
mod mqtt_session_takeover;
mod mqtt_sys_topics;
mod mqtt_unauthorised_publish;
mod mqtt_wildcard_read;
mod natpmp_pcp_exposed;
mod net_sec_impl;
mod ntp_control_exposed;
mod onvif_default_creds;
mod onvif_unauth;
mod oscore_enforced;
mod outage;
mod pointers;
mod psti_statement;
mod publications;
mod reconnect_backoff;
mod redis_default_creds;
mod rtsp_default_creds;
mod rtsp_unauth_stream;
mod samples;
mod sec_params_shown;
mod sides;
mod snmp_default_community_read;
mod snmp_default_community_write;
mod snmp_info_leak;
mod snmp_legacy_version;
mod snmpv3_weak;
mod ssh_algorithms;
mod ssh_auth_methods;
mod ssh_default_creds;
mod ssh_known_authorized_key;
mod support_period;
mod svc_amplification;
mod svc_declared_state_mismatch;
mod svc_identify;
mod svc_intermittent_rescan;
mod svc_inventory_cross_advertised;
mod svc_known_backdoor_ports;
mod svc_legacy_insecure;
mod svc_ot_presence;
mod svc_outdated_component;
mod svc_remote_debug;
mod svc_state_diff;
mod svc_undeclared_open;
mod tcp_full_sweep_v4;
mod telnet_default_creds;
mod telnet_noauth_shell;
mod terms;
mod tftp_open_read;
mod tls;
mod tls_cert_strength;
mod tls_cert_validity;
mod tls_forward_secrecy;
mod tls_key_known_static;
mod tls_key_shared_samples;
mod tls_known_flaws;
mod tls_legacy_versions_refused;
mod tls_matches_declaration;
mod tls_modern_version;
mod tls_mtls_enforced;
mod tls_pqc_readiness;
mod tls_protocol_hygiene;
mod tls_weak_suites;
mod udp_probe_sweep;
mod upd_automatic_default;
mod upd_check_periodic;
mod upd_client_cert_validation;
mod upd_client_downgrade;
mod upd_clock_manipulation;
mod upd_debug_ota_open;
mod upd_exercised;
mod upd_failed_boot_rollback;
mod upd_image_downgrade;
mod upd_image_payload_bitflip;
mod upd_image_signature_bitflip;
mod upd_image_truncated;
mod upd_image_unsigned;
mod upd_image_wrong_key;
mod upd_image_wrong_model;
mod upd_interrupted;
mod upd_lwm2m_firmware_object;
mod upd_mechanism_inventory;
mod upd_metadata;
mod upd_package_signature_static;
mod upd_paths_declared;
mod upd_plaintext_fallback;
mod upd_suit;
mod upd_transport_encrypted;
mod upd_upload_unauthenticated;
mod upd_version_visible;
mod upnp;
mod upnp_callback_ssrf;
mod upnp_description_leak;
mod upnp_igd_portmap;
mod vdp_security_txt;
mod web_exposure;
mod web_policy;
mod web_questions;
mod web_sessions;
mod ws_unauth;
mod xml_xxe;

/// How far a verdict carries for the requirement: proof, or only support that a person completes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proves {
    Full,
    Partial,
    /// It only says whether we looked.
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

/// A check with its parameters bound.
pub trait Judge: Send + Sync {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision;

    /// Whether the recording holds nothing by which it could decide, because one sample or one state alone was given,
    /// or nobody granted the look. Then it holds up no requirement: an assessor may decide the same question.
    fn left_to_assessor(&self, _: &Evidence<'_>) -> bool {
        false
    }

    /// Whether the same is asked from every side from which the device was recorded, each recording by itself.
    fn everywhere(&self) -> bool {
        false
    }

    /// What it comes to for each declared entry of the IXIT, where it exercises entries.
    fn entries(&self, _: &Evidence<'_>) -> Vec<EntryRow> {
        Vec::new()
    }

    /// The tables of the IXIT that it compares with what was seen.
    fn tables(&self) -> &'static [&'static str] {
        &[]
    }
}

/// One declared entry, and what was seen of it.
#[derive(Clone, Debug, Serialize)]
pub struct EntryRow {
    pub table: &'static str,
    pub entry: String,
    pub verdict: Outcome,
    pub observed: String,
    pub evidence: Vec<Shared>,
}

impl EntryRow {
    fn of(table: &'static str, entry: String, point: Point, evidence: Vec<Shared>) -> Self {
        let (verdict, observed) = match point {
            Point::Good(said) => (Outcome::Pass, said),
            Point::Bad(said) => (Outcome::Fail, said),
            Point::Unclear(said) => (Outcome::Inconclusive, said),
        };
        Self { table, entry, verdict, observed, evidence }
    }
}

#[derive(Debug)]
pub struct Check {
    pub id: &'static str,
    pub title: &'static str,
    /// The page: what it asks, why, how it is decided, remedy, examples.
    pub page: &'static str,
    /// What has to hold, in a few words.
    pub expected: &'static str,
    pub remedy: &'static str,
    pub severity: Severity,
    pub pass: Proves,
    /// The probes whose runs it reads.
    pub needs: &'static [&'static str],
    pub bind: fn(toml::Table) -> Result<Box<dyn Judge>, String>,
}

impl Check {
    /// Only a laboratory gives it evidence. Where none was used it decides nothing, and an assessor with tools of their own
    /// may do it instead.
    pub fn in_laboratory(&self) -> bool {
        !self.needs.is_empty() && self.needs.iter().all(|n| n.starts_with("lab-") || *n == "update-package")
    }

    /// The tables of the IXIT that it compares with what was seen, whatever its parameters are.
    pub fn tables(&self) -> &'static [&'static str] {
        (self.bind)(toml::Table::new()).map(|judge| judge.tables()).unwrap_or_default()
    }
}

/// Reads a check's parameters; an unknown or misspelt one is an error.
pub fn bind<J: Judge + DeserializeOwned + 'static>(parameters: toml::Table) -> Result<Box<dyn Judge>, String> {
    let judge: J = parameters.try_into().map_err(|e: toml::de::Error| e.message().to_owned())?;
    Ok(Box::new(judge))
}

/// Every check, sorted by id.
pub static CHECKS: &[&Check] = &[
    &account_undocumented::CHECK,
    &pointers::ADVISORIES,
    &auth_bruteforce_declared::CHECK,
    &guessing::HTTP,
    &crypto_observed::AUTH,
    &auth_declared::ADMITS,
    &auth_declared::REFUSES,
    &auth_lockout_not_permanent_dos::CHECK,
    &auth_mech_inventory::CHECK,
    &banner_version::CHECK,
    &web_exposure::PICTURE,
    &client_hello_profile::CHECK,
    &client_tls_validation_all::CHECK,
    &coap_core_exposure::CHECK,
    &coap_critical_option::CHECK,
    &coap_dtls_default_psk::CHECK,
    &coap_dtls_profile::CHECK,
    &malformed::COAP,
    &coap_nosec_only::CHECK,
    &coap_observe_unauth::CHECK,
    &coap_read_unauth::CHECK,
    &malformed::COAP_TCP,
    &coap_write_unauth::CHECK,
    &crypto_observed::COMMUNICATION,
    &crypto_details::AUTH,
    &crypto_details::COMMUNICATION,
    &crypto_details::UPDATE,
    &csp_in_transit_clear::CHECK,
    &cwmp_connreq_auth::CHECK,
    &cwmp_connreq_default_creds::CHECK,
    &datastore_remote_open::CHECK,
    &labels::DECLARED,
    &labels::DERIVABLE,
    &labels::PATTERN,
    &dev_unique_password_two_samples::CHECK,
    &dhcp_host_leak::CHECK,
    &dhcp_info_leak::CHECK,
    &disc_target_binding::CHECK,
    &malformed::DISCOVERY,
    &dns_client_randomness::CHECK,
    &dns_open_resolver::CHECK,
    &documents::PERSONAL,
    &documents::SENSORS,
    &documents::TELEMETRY,
    &documents::EVERY,
    &dtls_cookie::CHECK,
    &egress::CLEARTEXT,
    &egress::DESTINATIONS,
    &egress::TUNNELS,
    &egress::UNREGISTERED,
    &support_period::NOTICE,
    &file_share_open::CHECK,
    &ftp_anonymous::CHECK,
    &ftp_default_creds::CHECK,
    &sides::GUEST,
    &http_admin_cleartext::CHECK,
    &http_admin_unauthenticated::CHECK,
    &http_authz_roles::CHECK,
    &http_basic_default_creds::CHECK,
    &web_exposure::BACKUP,
    &web_sessions::COOKIES,
    &web_questions::ORIGIN,
    &web_policy::IN_URL,
    &http_csrf::CHECK,
    &web_exposure::DEBUG,
    &web_exposure::SAMPLE,
    &http_digest_default_creds::CHECK,
    &http_digest_quality::CHECK,
    &web_exposure::LISTING,
    &http_empty_password::CHECK,
    &web_exposure::ERROR,
    &http_first_use_forced_change::CHECK,
    &http_form_default_creds::CHECK,
    &web_questions::HOST,
    &web_policy::MIXED,
    &web_exposure::INFO,
    &http_injection_canary::CHECK,
    &http_json_login_default_creds::CHECK,
    &malformed::JSON,
    &malformed::HTTP,
    &web_questions::METHODS,
    &http_password_change::CHECK,
    &http_password_policy::CHECK,
    &http_path_traversal::CHECK,
    &web_policy::HEADERS,
    &web_sessions::LIFECYCLE,
    &http_session_timeout::CHECK,
    &http_session_token_entropy::CHECK,
    &http_setup_authz::CHECK,
    &malformed::SLOW,
    &http_static_bearer_token::CHECK,
    &http_user_enumeration::CHECK,
    &web_exposure::SOURCE,
    &input_methods::CHECK,
    &interfaces::AIR,
    &interfaces::DEBUG,
    &interfaces::REACHED,
    &isolation::EFFECTIVE,
    &isolation::FUNCTION,
    &isolation::RETURN,
    &malformed::STEADY,
    &local_control_proto_auth::CHECK,
    &web_exposure::LOG,
    &lwm2m_security_object::CHECK,
    &m2m_password_rejected::CHECK,
    &matter_commissioning_window::CHECK,
    &mdns_info_leak::CHECK,
    &media_stream_encrypted::CHECK,
    &model_designation_match::CHECK,
    &mqtt_anonymous_connect::CHECK,
    &mqtt_any_credential::CHECK,
    &guessing::MQTT,
    &mqtt_cleartext_listener::CHECK,
    &mqtt_default_creds::CHECK,
    &malformed::MQTT,
    &malformed::IDLE,
    &mqtt_retained_sensitive::CHECK,
    &mqtt_session_takeover::CHECK,
    &mqtt_sys_topics::CHECK,
    &mqtt_unauthorised_publish::CHECK,
    &mqtt_wildcard_read::CHECK,
    &natpmp_pcp_exposed::CHECK,
    &net_sec_impl::COVERED,
    &net_sec_impl::REVIEWED,
    &net_sec_impl::RUNNING,
    &publications::PUBLISHED,
    &documents::NON_UPDATABLE,
    &ntp_control_exposed::CHECK,
    &onvif_default_creds::CHECK,
    &onvif_unauth::CHECK,
    &oscore_enforced::CHECK,
    &outage::NETWORK,
    &outage::POWER,
    &dev_unique_password_two_samples::KEYS,
    &psti_statement::CHECK,
    &publications::BY_ADDRESS,
    &reconnect_backoff::CHECK,
    &redis_default_creds::CHECK,
    &rtsp_default_creds::CHECK,
    &malformed::MEDIA,
    &rtsp_unauth_stream::CHECK,
    &pointers::DEVICE,
    &sec_params_shown::CHECK,
    &snmp_default_community_read::CHECK,
    &snmp_default_community_write::CHECK,
    &snmp_info_leak::CHECK,
    &snmp_legacy_version::CHECK,
    &malformed::SNMP,
    &snmpv3_weak::CHECK,
    &ssh_algorithms::CHECK,
    &ssh_auth_methods::CHECK,
    &guessing::SSH,
    &ssh_default_creds::CHECK,
    &ssh_known_authorized_key::CHECK,
    &support_period::CURRENT,
    &support_period::PUBLISHED,
    &documents::SUPPORT,
    &svc_amplification::CHECK,
    &svc_declared_state_mismatch::CHECK,
    &svc_identify::CHECK,
    &svc_intermittent_rescan::CHECK,
    &svc_inventory_cross_advertised::CHECK,
    &svc_known_backdoor_ports::CHECK,
    &svc_legacy_insecure::CHECK,
    &sides::MANAGEMENT,
    &svc_ot_presence::CHECK,
    &svc_outdated_component::CHECK,
    &svc_remote_debug::CHECK,
    &svc_state_diff::CHECK,
    &svc_undeclared_open::CHECK,
    &tcp_full_sweep_v4::CHECK,
    &tcp_full_sweep_v4::V6,
    &telnet_default_creds::CHECK,
    &telnet_noauth_shell::CHECK,
    &tftp_open_read::CHECK,
    &tls_cert_strength::CHECK,
    &tls_cert_validity::CHECK,
    &tls_forward_secrecy::CHECK,
    &tls_key_known_static::CHECK,
    &tls_key_shared_samples::CHECK,
    &tls_known_flaws::CHECK,
    &tls_legacy_versions_refused::CHECK,
    &malformed::TLS,
    &tls_matches_declaration::CHECK,
    &tls_modern_version::CHECK,
    &tls_mtls_enforced::CHECK,
    &tls_pqc_readiness::CHECK,
    &tls_protocol_hygiene::CHECK,
    &tls_weak_suites::CHECK,
    &udp_probe_sweep::CHECK,
    &upd_exercised::ATTACKS,
    &upd_automatic_default::CHECK,
    &upd_check_periodic::CHECK,
    &upd_client_cert_validation::CHECK,
    &upd_client_downgrade::CHECK,
    &upd_clock_manipulation::CHECK,
    &upd_debug_ota_open::CHECK,
    &upd_failed_boot_rollback::CHECK,
    &upd_metadata::EXPIRED,
    &upd_image_downgrade::CHECK,
    &upd_image_payload_bitflip::CHECK,
    &upd_image_signature_bitflip::CHECK,
    &upd_image_truncated::CHECK,
    &upd_image_unsigned::CHECK,
    &upd_image_wrong_key::CHECK,
    &upd_image_wrong_model::CHECK,
    &upd_interrupted::CHECK,
    &upd_paths_declared::LOADERS,
    &upd_lwm2m_firmware_object::CHECK,
    &upd_exercised::EXERCISED,
    &upd_mechanism_inventory::CHECK,
    &upd_metadata::CHANGED,
    &upd_paths_declared::NAMES,
    &upd_package_signature_static::CHECK,
    &upd_plaintext_fallback::CHECK,
    &upd_suit::BAD_SIGNATURE,
    &upd_suit::STRUCTURE,
    &upd_suit::PAYLOAD_MISMATCH,
    &upd_suit::ROLLBACK,
    &upd_suit::WRONG_CLASS,
    &upd_transport_encrypted::CHECK,
    &upd_upload_unauthenticated::CHECK,
    &upd_version_visible::CHECK,
    &upnp_callback_ssrf::CHECK,
    &upnp_description_leak::CHECK,
    &upnp_igd_portmap::CHECK,
    &disclosure::LANGUAGE,
    &disclosure::CONTENT,
    &disclosure::PUBLISHED,
    &vdp_security_txt::CHECK,
    &disclosure::SECURITY_TXT,
    &sides::WAN_ADMIN,
    &sides::WAN_PORTS,
    &malformed::FRAMES,
    &ws_unauth::CHECK,
    &xml_xxe::CHECK,
];

pub fn find(id: &str) -> Option<&'static Check> {
    CHECKS.iter().copied().find(|c| c.id == id)
}
