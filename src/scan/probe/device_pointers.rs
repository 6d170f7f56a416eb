//! Where the device points to its bill of materials (RFC 9472) and its usage description (RFC 8520).
use super::{
    Probe,
    web::{get, nowhere, shape},
};
use crate::model::{
    Endpoint, Observation, Touch,
    observation::{clean, public::Pointer},
};
use crate::scan::{
    net::{Trouble, tls},
    session::{Ctx, FIRST_BYTE, Identified},
};
use x509_parser::prelude::{FromDer, X509Certificate};

pub const PROBE: Probe = Probe {
    id: "device-pointers",
    version: 1,
    title: "pointers to SBOM and MUD",
    page: include_str!("device_pointers.md"),
    touch: Touch::Ask,
    subjects_from: &["tcp-ports", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

const SBOM: &str = "/.well-known/sbom";
/// id-pe-mud-url (RFC 8520, section 11).
const MUD: &str = "1.3.6.1.5.5.7.1.25";

async fn run(ctx: &Ctx) {
    ctx.each_service(ctx.services_named(&["http"]), |s| async move { sbom(ctx, &s).await }).await;
    ctx.each(
        ctx.tls_endpoints(),
        |e| *e,
        |e| async move {
            if let Err(t) = mud(ctx, e).await {
                ctx.trouble(None, e, &t);
            }
        },
    )
    .await;
}

async fn sbom(ctx: &Ctx, s: &Identified) -> Result<(), Trouble> {
    let reply = get(ctx, s, SBOM).await?;
    let kind = reply.header("content-type").to_ascii_lowercase();
    let read = serde_json::from_slice::<serde_json::Value>(&reply.body).is_ok_and(|v| v.is_object());
    let mut found = reply.status == 200 && kind.contains("json") && read;
    if found {
        let elsewhere = nowhere("/.well-known/*");
        let control = get(ctx, s, &elsewhere).await?;
        found = shape(&control, &elsewhere) != shape(&reply, SBOM);
    }
    let detail = clean(&format!("status {}, {kind}", reply.status), 120);
    let (pointer, at, status) = (Pointer::Sbom, SBOM.to_owned(), Some(reply.status));
    ctx.record(s.endpoint, Observation::PointerAsked { pointer, at, status, found, detail }, Some(reply.transcript));
    Ok(())
}

/// The certificate alone; nothing of what it points to is fetched.
async fn mud(ctx: &Ctx, e: Endpoint) -> Result<(), Trouble> {
    let (wire, chain) = tls::inside(ctx.tcp(e).await?, FIRST_BYTE).await?;
    let tape = wire.close().await;
    let url = chain.first().and_then(|leaf| url(leaf));
    let (found, detail) = match url {
        Some(url) => (true, clean(&url, 200)),
        None => (false, "its certificate names none".to_owned()),
    };
    let (pointer, at) = (Pointer::Mud, "the certificate".to_owned());
    ctx.record(e, Observation::PointerAsked { pointer, at, status: None, found, detail }, Some(tape));
    Ok(())
}

fn url(leaf: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(leaf).ok()?;
    let extension = certificate.extensions().iter().find(|e| e.oid.to_id_string() == MUD)?;
    // An IA5String: its tag, its length, its text.
    let text = match extension.value {
        [0x16, n, text @ ..] if usize::from(*n) == text.len() => text,
        _ => return None,
    };
    Some(String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, CustomExtension, KeyPair};

    #[test]
    fn the_address_of_a_usage_description_is_read_from_a_certificate() {
        let key = KeyPair::generate().unwrap();
        let address = "https://maker.example/icx200.json";
        let mut value = vec![0x16, u8::try_from(address.len()).unwrap()];
        value.extend(address.bytes());
        let mut params = CertificateParams::new(vec!["device".to_owned()]).unwrap();
        params.custom_extensions = vec![CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 25], value)];
        assert_eq!(url(params.self_signed(&key).unwrap().der()).as_deref(), Some(address));
        let without = CertificateParams::new(vec!["device".to_owned()]).unwrap().self_signed(&key).unwrap();
        assert_eq!(url(without.der()), None);
    }
}
