//! SWUpdate packages: a cpio archive that begins with `sw-description`, which states what the others are.
use super::{
    cms, config,
    config::Node,
    cpio, detached,
    error::ImageError,
    facts::{Facts, Format, Match, Material, Payload, Signed},
    key::{Hash, Numbers, Scheme},
    mutate::{Mutation, flipped, lower, no_model, no_signature, no_version, other},
    shown,
    sign::PrivateKey,
};

const FORMAT: &str = "SWUpdate";
const DESCRIPTION: &str = "sw-description";
const SIGNATURE: &str = "sw-description.sig";
const SCHEME: Scheme = Scheme::Any(Hash::Sha256, Numbers::Der);

pub fn is(bytes: &[u8]) -> bool {
    let name = bytes.get(110..110 + DESCRIPTION.len() + 1);
    cpio::is(bytes) && name.and_then(|n| n.strip_suffix(&[0])) == Some(DESCRIPTION.as_bytes())
}

pub fn facts(bytes: &[u8]) -> Result<Facts, ImageError> {
    let package = cpio::read(bytes)?;
    let mut facts = Facts::new(Format::Swupdate);
    let entry = |name: &str| package.entries.iter().find(|e| e.name == name).map(|e| e.data.as_slice());
    let description = entry(DESCRIPTION).unwrap_or_default();
    if let Some(value) = entry(SIGNATURE) {
        facts.signed.push(signed(description, value));
    }
    let rest = || package.entries.iter().filter(|e| e.name != DESCRIPTION && e.name != SIGNATURE);
    let Ok(text) = std::str::from_utf8(description) else {
        facts.encrypted = Some("sw-description itself (with a key that the devices hold)".to_owned());
        let unread = |e: &cpio::Entry| Payload {
            name: shown(&e.name),
            bytes: Some(e.data.len()),
            digest: None,
            state: Match::NotChecked,
        };
        facts.payloads = rest().map(unread).collect();
        facts.unseen.push(super::secrets::Unseen { path: DESCRIPTION.to_owned(), why: "it is encrypted".to_owned() });
        return Ok(facts);
    };
    let root = config::parse(text)?;
    describe(&root, &mut facts);
    let mut groups = Vec::new();
    root.groups("", &mut groups);
    let named: Vec<_> = groups.iter().filter_map(|(_, g)| Some((g.get("filename")?.text()?, *g))).collect();
    for e in rest() {
        let own: Vec<&Node> = named.iter().filter(|(n, _)| *n == e.name).map(|(_, g)| *g).collect();
        if own.is_empty() {
            facts.note(
                "not-described",
                format!("`{}` is in the package, and sw-description does not name it", shown(&e.name)),
            );
            continue;
        }
        let stated = own.iter().find_map(|g| g.get("sha256")?.text());
        facts.payloads.push(Payload::sha256(&e.name, &e.data, stated));
    }
    for (name, _) in named.iter().filter(|(n, _)| entry(n).is_none()) {
        facts.weak(
            "payload-missing",
            format!("sw-description names `{}`, and the package does not hold it", shown(name)),
        );
    }
    encryption(&named, &mut facts);
    facts.note(
        "rollback",
        "the format has no counter against older packages; the device must compare versions (no-downgrading)",
    );
    Ok(facts)
}

fn encryption(named: &[(&str, &Node)], facts: &mut Facts) {
    let how = |g: &Node| g.get("encrypted").and_then(Node::text).filter(|t| *t != "false").map(str::to_owned);
    let encrypted: Vec<String> = named.iter().filter_map(|(_, g)| how(g)).collect();
    if let Some(first) = encrypted.first() {
        let with = if first == "true" { "AES-CBC" } else { first };
        facts.encrypted = Some(format!("{with}: {} of {} files", encrypted.len(), named.len()));
        for (name, _) in named.iter().filter(|(_, g)| how(g).is_some()) {
            facts.unseen.push(super::secrets::Unseen { path: shown(name), why: "it is encrypted".to_owned() });
        }
    }
}

fn describe(root: &Node, facts: &mut Facts) {
    let Some(software) = root.get("software") else { return };
    facts.version = software.get("version").and_then(Node::text).map(shown);
    facts.name = software.get("description").or_else(|| software.get("name")).and_then(Node::text).map(shown);
    let mut groups = Vec::new();
    software.groups("", &mut groups);
    for (key, group) in groups {
        for model in group.get("hardware-compatibility").into_iter().flat_map(models) {
            let board = if key.is_empty() { String::new() } else { format!("{} ", shown(key)) };
            facts.targets.push(format!("{board}{}", shown(model.text().unwrap_or_default())));
        }
    }
    facts.targets.sort();
    facts.targets.dedup();
}

fn models(node: &Node) -> &[Node] {
    match node {
        Node::List(all) => all,
        other => std::slice::from_ref(other),
    }
}

fn signed(description: &[u8], value: &[u8]) -> Signed {
    let covers = "sw-description, and by its digests the files that it names";
    if let Ok(cms) = cms::parse(value) {
        let material = Material::Cms { der: value.to_vec(), content: Some(description.to_vec()) };
        let carried = cms.certificate().and_then(|c| super::key::PublicKey::of(c).ok());
        return Signed { place: SIGNATURE.to_owned(), material, key_id: None, carried, covers: covers.to_owned() };
    }
    if let Some(material) = detached::opaque(value) {
        return Signed {
            place: SIGNATURE.to_owned(),
            material,
            key_id: None,
            carried: None,
            covers: covers.to_owned(),
        };
    }
    Signed::raw(SIGNATURE, SCHEME, description.to_vec(), value.to_vec(), covers)
}

pub fn mutate(bytes: &[u8], kind: Mutation, key: Option<&PrivateKey>) -> Result<Vec<u8>, ImageError> {
    let mut package = cpio::read(bytes)?;
    if kind == Mutation::Stripped {
        let before = package.entries.len();
        package.entries.retain(|e| e.name != SIGNATURE);
        return if package.entries.len() == before { Err(no_signature(FORMAT)) } else { Ok(cpio::write(&package)) };
    }
    if kind == Mutation::PayloadBit {
        let payload = package.entries.iter_mut().filter(|e| e.name != DESCRIPTION && e.name != SIGNATURE);
        let largest = payload.max_by_key(|e| e.data.len()).filter(|e| !e.data.is_empty());
        let largest = largest.ok_or_else(|| ImageError::unchangeable(FORMAT, "it holds no file"))?;
        largest.data = flipped(&largest.data);
    }
    let mut description = Vec::new();
    for entry in package.entries.iter_mut().filter(|e| e.name == DESCRIPTION) {
        if matches!(kind, Mutation::Older | Mutation::OtherModel) {
            entry.data = edited(&entry.data, kind)?;
        }
        description.clone_from(&entry.data);
    }
    if let Some(signature) = package.entries.iter_mut().find(|e| e.name == SIGNATURE) {
        let cms = cms::parse(&signature.data).is_ok();
        signature.data = match (kind, key) {
            (Mutation::SignatureBit, _) if cms => cms::change(&signature.data, &cms::Change::Bit)?,
            (Mutation::SignatureBit, _) => flipped(&signature.data),
            (_, Some(key)) if cms => cms::change(&signature.data, &cms::Change::Resign(key, &description))?,
            (_, Some(key)) => key.sign(SCHEME, &description)?,
            (_, None) => std::mem::take(&mut signature.data),
        };
    } else if kind == Mutation::SignatureBit || key.is_some() {
        return Err(no_signature(FORMAT));
    }
    Ok(cpio::write(&package))
}

/// `sw-description` with one text changed in place.
fn edited(description: &[u8], kind: Mutation) -> Result<Vec<u8>, ImageError> {
    let text = std::str::from_utf8(description);
    let text = text.map_err(|_| ImageError::unchangeable(FORMAT, "sw-description is encrypted"))?;
    let root = config::parse(text)?;
    let mut groups = Vec::new();
    root.groups("", &mut groups);
    let edits: Vec<(std::ops::Range<usize>, String)> = if kind == Mutation::Older {
        let version = root.get("software").and_then(|s| s.get("version"));
        let edit = version.and_then(|v| Some((v.place()?, lower(v.text()?)?)));
        edit.into_iter().collect()
    } else {
        let all = groups.iter().filter_map(|(_, g)| g.get("hardware-compatibility")).flat_map(models);
        all.filter_map(|m| Some((m.place()?, other(m.text()?)?))).collect()
    };
    if edits.is_empty() {
        return Err(if kind == Mutation::Older { no_version(FORMAT) } else { no_model(FORMAT) });
    }
    let mut out = text.to_owned();
    for (place, new) in edits {
        // Only a text without escapes is as long as its value.
        if place.len() == new.len() && out.is_char_boundary(place.start) && out.is_char_boundary(place.end) {
            out.replace_range(place, &new);
        }
    }
    Ok(out.into_bytes())
}
