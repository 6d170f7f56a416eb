//! Signatures in a file of their own, over the whole image.
use super::{
    cms,
    error::ImageError,
    facts::{Facts, Format, Material, Signed},
    key::{Hash, Numbers, PublicKey, Scheme},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use blake2::{Blake2b512, Digest};

const COVERS: &str = "the whole file";

/// A raw image, or a package of any plain kind, with its signature beside it.
pub fn signed(image: &[u8], signature: &[u8]) -> Result<Signed, ImageError> {
    let place = "(file of its own)";
    if let Some(signed) = stamped(image, signature, place) {
        return Ok(signed);
    }
    if let Ok(parsed) = cms::parse(&unarmored(signature)) {
        let content = parsed.content().is_none().then(|| image.to_vec());
        let material = Material::Cms { der: unarmored(signature), content };
        let carried = parsed.certificate().and_then(|c| PublicKey::of(c).ok());
        return Ok(Signed { place: place.to_owned(), material, key_id: None, carried, covers: COVERS.to_owned() });
    }
    if let Some(material) = opaque(signature) {
        return Ok(Signed {
            place: place.to_owned(),
            material,
            key_id: None,
            carried: None,
            covers: COVERS.to_owned(),
        });
    }
    let text = std::str::from_utf8(signature).ok();
    let decoded = text.and_then(|t| STANDARD.decode(t.split_ascii_whitespace().collect::<String>()).ok());
    let value = decoded.unwrap_or_else(|| signature.to_vec());
    // 64 bytes are Ed25519 or two plain numbers; the shortest RSA key that was ever used has 512 bits too.
    if !(64..=2048).contains(&value.len()) {
        return Err(ImageError::Key("the signature's file holds no signature that is known here".to_owned()));
    }
    let numbers = if value.first() == Some(&0x30) && value.len() < 150 { Numbers::Der } else { Numbers::Fixed };
    Ok(Signed::raw(place, Scheme::Any(Hash::Sha256, numbers), image.to_vec(), value, COVERS))
}

pub fn facts(image: &[u8], signature: &[u8]) -> Result<Facts, ImageError> {
    let mut facts = Facts::new(Format::Raw);
    facts.signed.push(signed(image, signature)?);
    Ok(facts)
}

/// minisign (`Ed` over the file, `ED` over its BLAKE2b-512) and signify (`Ed`): two letters, a key number, the value.
fn stamped(image: &[u8], signature: &[u8], place: &str) -> Option<Signed> {
    let text = std::str::from_utf8(signature).ok()?.strip_prefix("untrusted comment:")?;
    let bytes = STANDARD.decode(text.lines().nth(1)?.trim()).ok()?;
    let (kind, number, value) = (bytes.get(..2)?, bytes.get(2..10)?, bytes.get(10..74)?);
    let message = match kind {
        b"Ed" => image.to_vec(),
        b"ED" => Blake2b512::digest(image).to_vec(),
        _ => return None,
    };
    let mut signed = Signed::raw(place, Scheme::Ed25519, message, value.to_vec(), COVERS);
    let number: Vec<u8> = number.iter().rev().copied().collect();
    signed.key_id = Some(crate::model::digest::hex(&number));
    Some(signed)
}

/// Signatures that are recognised and not verified here.
pub fn opaque(value: &[u8]) -> Option<Material> {
    let armored = value.starts_with(b"-----BEGIN PGP SIGNATURE-----");
    // One signature packet that fills the file, of version 3, 4 or 6 (RFC 9580, 4.2 and 5.2).
    let body = match value {
        [0x88, length, body @ ..] if usize::from(*length) == body.len() => Some(body),
        [0x89, high, low, body @ ..] if usize::from(u16::from_be_bytes([*high, *low])) == body.len() => Some(body),
        [0xc2, length @ 0..192, body @ ..] if usize::from(*length) == body.len() => Some(body),
        [0xc2, high @ 192..224, low, body @ ..]
            if (usize::from(*high) - 192) * 256 + usize::from(*low) + 192 == body.len() =>
        {
            Some(body)
        }
        _ => None,
    };
    let packet = matches!(body, Some([3 | 4 | 6, ..]));
    let ssh = value.starts_with(b"-----BEGIN SSH SIGNATURE-----");
    let material = |name: &str, why: &str| Some(Material::Opaque { name: name.to_owned(), why: why.to_owned() });
    if armored || packet {
        return material("OpenPGP signature", "verify it with gpg --verify");
    }
    if ssh {
        return material("SSH signature", "verify it with ssh-keygen -Y verify");
    }
    None
}

/// A CMS in PEM as its bytes; anything else as it is.
fn unarmored(bytes: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(bytes).ok().filter(|t| t.starts_with("-----BEGIN"));
    text.and_then(|t| der::Document::from_pem(t).ok()).map_or_else(|| bytes.to_vec(), |(_, d)| d.as_bytes().to_vec())
}
