//! DTLS with a pre-shared key: no key of a sample may open it.
use super::default_creds;
use super::{Check, EntryRow, Judge, Proves, Severity, bind};
use crate::judge::{Decision, Evidence};
use crate::model::observation::Mechanism;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "coap-dtls-default-psk",
    title: "Default DTLS keys and identities are refused",
    page: include_str!("coap_dtls_default_psk.md"),
    expected: "every DTLS service refuses the listed identities and keys",
    remedy: "give each device an identity and a random key of its own",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["logins"],
    bind: bind::<CoapDtlsDefaultPsk>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CoapDtlsDefaultPsk {}

impl Judge for CoapDtlsDefaultPsk {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        default_creds::judge(evidence, Mechanism::Psk, "no DTLS service that asks for a pre-shared key")
    }

    fn entries(&self, evidence: &Evidence<'_>) -> Vec<EntryRow> {
        default_creds::entries(evidence, Mechanism::Psk)
    }

    fn everywhere(&self) -> bool {
        true
    }
}
