//! Software bills of materials (CycloneDX 1.x and SPDX 2.x, as JSON) into table 6-SoftComp.
use super::{ixit::Entry, value::Value};
use crate::model::Sha256Digest;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use thiserror::Error;

#[derive(Debug, Error, PartialEq, Eq)]
pub enum SbomError {
    #[error("{file}: not JSON: {message}; export the SBOM as CycloneDX or SPDX JSON")]
    Json { file: String, message: String },
    #[error("{0}: neither CycloneDX (`bomFormat`) nor SPDX (`spdxVersion`); export it as one of these, as JSON")]
    Unknown(String),
    #[error("{0}: SPDX 3 is not read; export it as SPDX 2.3 JSON")]
    Spdx3(String),
    #[error("{file}: component {number} has no name; give it one")]
    NoName { file: String, number: usize },
    #[error("{0}: lists no component")]
    Empty(String),
}

/// One component of a bill of materials.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Component {
    pub name: String,
    pub version: String,
    pub supplier: String,
    pub licence: String,
    pub purl: String,
    pub kind: String,
}

/// The components in the order of the file, repeats left out.
pub fn components(file: &str, bytes: &[u8]) -> Result<Vec<Component>, SbomError> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let json: Json =
        serde_json::from_slice(bytes).map_err(|e| SbomError::Json { file: file.to_owned(), message: e.to_string() })?;
    let mut found = Vec::new();
    if json.get("bomFormat").and_then(Json::as_str) == Some("CycloneDX") {
        cyclonedx(json.get("components"), &mut found);
    } else if json.get("spdxVersion").is_some() {
        found.extend(json.get("packages").and_then(Json::as_array).into_iter().flatten().map(spdx));
    } else if json.get("@graph").is_some() {
        return Err(SbomError::Spdx3(file.to_owned()));
    } else {
        return Err(SbomError::Unknown(file.to_owned()));
    }
    if let Some(n) = found.iter().position(|c| c.name.is_empty()) {
        return Err(SbomError::NoName { file: file.to_owned(), number: n + 1 });
    }
    if found.is_empty() {
        return Err(SbomError::Empty(file.to_owned()));
    }
    let mut seen = BTreeSet::new();
    found.retain(|c| seen.insert(c.clone()));
    Ok(found)
}

/// The text at a path of keys and places in lists.
fn text(json: &Json, pointer: &str) -> String {
    json.pointer(pointer).and_then(Json::as_str).unwrap_or_default().trim().to_owned()
}

/// Components may hold components.
fn cyclonedx(components: Option<&Json>, into: &mut Vec<Component>) {
    for c in components.and_then(Json::as_array).into_iter().flatten() {
        let group = text(c, "/group");
        let name = text(c, "/name");
        let one = |l: &Json| {
            ["/expression", "/license/id", "/license/name"].iter().map(|p| text(l, p)).find(|t| !t.is_empty())
        };
        let licences = c.get("licenses").and_then(Json::as_array).into_iter().flatten().filter_map(one);
        let supplier = ["/supplier/name", "/manufacturer/name", "/publisher", "/author"];
        into.push(Component {
            name: if group.is_empty() || name.is_empty() { name } else { format!("{group}/{name}") },
            version: text(c, "/version"),
            supplier: supplier.iter().map(|p| text(c, p)).find(|t| !t.is_empty()).unwrap_or_default(),
            licence: licences.collect::<Vec<_>>().join(" AND "),
            purl: text(c, "/purl"),
            kind: text(c, "/type"),
        });
        cyclonedx(c.get("components"), into);
    }
}

fn spdx(p: &Json) -> Component {
    let asserted =
        |pointer: &str| Some(text(p, pointer)).filter(|t| !t.is_empty() && t != "NOASSERTION" && t != "NONE");
    let purl = |r: &Json| (text(r, "/referenceType") == "purl").then(|| text(r, "/referenceLocator"));
    let who = asserted("/supplier").unwrap_or_default();
    Component {
        name: text(p, "/name"),
        version: text(p, "/versionInfo"),
        supplier: who.trim_start_matches("Organization:").trim_start_matches("Person:").trim().to_owned(),
        licence: asserted("/licenseConcluded").or_else(|| asserted("/licenseDeclared")).unwrap_or_default(),
        purl: p.get("externalRefs").and_then(Json::as_array).into_iter().flatten().find_map(purl).unwrap_or_default(),
        kind: text(p, "/primaryPackagePurpose").to_lowercase(),
    }
}

/// Entries for table 6-SoftComp with ids that `taken` leaves free; components that `there` has are left out.
pub fn entries(components: &[Component], sbom: &Sha256Digest, there: &[Entry]) -> Vec<Entry> {
    let known: BTreeSet<(&str, &str)> = there.iter().map(|e| (e.text("description"), e.text("version"))).collect();
    let mut taken: BTreeSet<String> = there.iter().map(|e| e.text("id").to_owned()).collect();
    let mut number = 0;
    let mut out = Vec::new();
    for c in components {
        if known.contains(&(c.name.as_str(), c.version.as_str())) {
            continue;
        }
        let id = loop {
            number += 1;
            let id = format!("SoftComp-{number}");
            if taken.insert(id.clone()) {
                break id;
            }
        };
        let fields = [
            ("id", id),
            ("description", c.name.clone()),
            ("version", c.version.clone()),
            ("x-supplier", c.supplier.clone()),
            ("x-licence", c.licence.clone()),
            ("x-purl", c.purl.clone()),
            ("x-source", format!("SBOM {sbom}")),
        ];
        let filled = fields.into_iter().filter(|(_, v)| !v.is_empty());
        let fields = filled.map(|(k, v)| (k.to_owned(), Value::Text(v))).collect();
        out.push(Entry { fields, ..Entry::default() });
    }
    out
}
