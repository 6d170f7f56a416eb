//! Packages that are nothing but an archive: what they carry, and that nobody signed it.
use super::{
    error::ImageError,
    facts::{Facts, Format, Match, Material, Payload, Signed},
    shown, tar,
    unpack::{MOST_BYTES, gunzip, zip_files},
};

pub fn facts(format: Format, bytes: &[u8]) -> Result<Facts, ImageError> {
    let mut facts = Facts::new(format);
    let files: Vec<(String, usize)> = match format {
        Format::Zip => {
            let files = zip_files(bytes, MOST_BYTES, "")?;
            if let Some((name, _)) = files.iter().find(|(n, _)| android(n)) {
                let why = "verify it with apksigner or jarsigner".to_owned();
                let material = Material::Opaque { name: "JAR signature".to_owned(), why };
                let covers = "the entries that it lists".to_owned();
                facts.signed.push(Signed { place: shown(name), material, key_id: None, carried: None, covers });
            }
            files.into_iter().map(|(n, d)| (n, d.len())).collect()
        }
        Format::Tar => tar::read(bytes)?.entries.into_iter().map(|e| (e.name, e.data.len())).collect(),
        _ => {
            let inner = gunzip(bytes, MOST_BYTES, "the file")?;
            if tar::is(&inner) {
                facts.kind = Some("tar".to_owned());
                tar::read(&inner)?.entries.into_iter().map(|e| (e.name, e.data.len())).collect()
            } else {
                vec![("(content)".to_owned(), inner.len())]
            }
        }
    };
    let payload = |(name, length): (String, usize)| Payload {
        name: shown(&name),
        bytes: Some(length),
        digest: None,
        state: Match::NoDigest,
    };
    facts.payloads = files.into_iter().filter(|(n, l)| *l > 0 && !n.is_empty()).map(payload).collect();
    facts.note("no-metadata", "an archive states neither version nor model");
    Ok(facts)
}

fn android(name: &str) -> bool {
    let signature = [".RSA", ".EC", ".DSA"].iter().any(|e| name.ends_with(e));
    name.starts_with("META-INF/") && signature
}
