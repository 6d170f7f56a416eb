//! Documents from a directory of copies, each named after the field that it belongs to.
use super::{Notes, PublicError, text};
use crate::model::{
    Observation, Sha256Digest, Subject, Why,
    observation::{
        clean,
        public::{Document, Pointer, Wall, Whence},
    },
};
use crate::scan::{probe::security_txt, public::site::metadata};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Every document, by the name of its field in table 2-UserInfo or its own; a copy is a file of that name.
pub const NAMES: [&str; 14] = [
    "pub_vdp",
    "pub_support_period",
    "pub_non_updatable",
    "doc_change_mechanisms",
    "doc_sensors",
    "doc_secure_setup",
    "doc_setup_check",
    "doc_personal_data",
    "doc_telemetry_data",
    "doc_deletion",
    "doc_replacement",
    "statement",
    SECURITY_TXT,
    ADVISORIES,
];
pub(super) const SECURITY_TXT: &str = "security";
pub(super) const ADVISORIES: &str = "provider-metadata";
/// A page that is larger is no document for readers.
const MOST: u64 = 16 * 1024 * 1024;
const KINDS: [(&str, &str); 6] = [
    ("html", "text/html"),
    ("htm", "text/html"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("pdf", "application/pdf"),
    ("json", "application/json"),
];

pub(super) fn is_file_for_machines(name: &str) -> bool {
    [SECURITY_TXT, ADVISORIES].contains(&name)
}

pub(super) struct Copy {
    path: PathBuf,
    kind: &'static str,
    bytes: Vec<u8>,
}

/// Every copy, by its name. A file that belongs to nothing is an error: its name may be misspelt.
pub(super) fn find(dir: &Path) -> Result<BTreeMap<&'static str, Copy>, PublicError> {
    let wrong = |file: &Path, why: String| PublicError::Copy { file: file.to_owned(), why };
    let mut all = BTreeMap::new();
    let entries = std::fs::read_dir(dir).map_err(|e| wrong(dir, e.to_string()))?;
    for entry in entries {
        let path = entry.map_err(|e| wrong(dir, e.to_string()))?.path();
        let part = |p: Option<&std::ffi::OsStr>| p.map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let (stem, ending) = (part(path.file_stem()), part(path.extension()).to_ascii_lowercase());
        let name = NAMES.iter().find(|n| **n == stem);
        let kind = KINDS.iter().find(|(e, _)| *e == ending);
        let (Some(name), Some((_, kind))) = (name, kind) else {
            let near = crate::model::nearest::nearest(&stem, NAMES.iter().copied());
            let endings: Vec<&str> = KINDS.iter().map(|k| k.0).collect();
            let why = format!(
                "no document has this name{near}; name copies after the fields ({}) with the ending {}",
                NAMES.join(", "),
                endings.join(", ")
            );
            return Err(wrong(&path, why));
        };
        if std::fs::metadata(&path).is_ok_and(|m| m.len() > MOST) {
            return Err(wrong(&path, format!("it is larger than {} MiB; save the text alone", MOST / 1024 / 1024)));
        }
        let bytes = std::fs::read(&path).map_err(|e| wrong(&path, e.to_string()))?;
        if all.insert(*name, Copy { path: path.clone(), kind, bytes }).is_some() {
            return Err(wrong(&path, format!("there are two copies of `{name}`; keep one")));
        }
    }
    Ok(all)
}

pub(super) fn record(
    notes: &Notes,
    mut copies: BTreeMap<&'static str, Copy>,
    fields: &BTreeMap<&'static str, String>,
) -> Result<(), PublicError> {
    for name in NAMES {
        match copies.remove(name) {
            Some(copy) if name == SECURITY_TXT => {
                let file = file(&copy.path);
                let said = security_txt::read(&String::from_utf8_lossy(&copy.bytes));
                notes.record(Subject::Device, said.seen(&file, 200), None);
            }
            Some(copy) if name == ADVISORIES => {
                let (found, detail) = metadata(&copy.bytes);
                let (pointer, at) = (Pointer::Advisories, file(&copy.path));
                notes.record(
                    Subject::Device,
                    Observation::PointerAsked { pointer, at, status: None, found, detail },
                    None,
                );
            }
            Some(copy) => {
                notes.record(Subject::Device, Observation::Document { document: Box::new(document(name, &copy)) }, None)
            }
            // What is printed needs no copy.
            None => match fields.get(name) {
                Some(said) if text::addresses(said).is_empty() => {
                    let (name, place) = (name.to_owned(), clean(said, 300));
                    notes.record(Subject::Device, Observation::DocumentElsewhere { name, place }, None);
                }
                Some(_) => notes.gap(name, None, Why::NotSupplied),
                None => {}
            },
        }
    }
    Ok(())
}

fn file(path: &Path) -> String {
    clean(&path.file_name().map(|n| n.to_string_lossy()).unwrap_or_default(), 200)
}

fn document(name: &str, copy: &Copy) -> Document {
    let readable = text::read(&copy.bytes, copy.kind);
    Document {
        name: name.to_owned(),
        url: file(&copy.path),
        whence: Whence::Saved,
        ended: file(&copy.path),
        status: None,
        wall: Wall::Nothing,
        same_as_missing: false,
        content_type: copy.kind.to_owned(),
        language: readable.language,
        bytes: copy.bytes.len() as u64,
        sha256: Sha256Digest::of(&copy.bytes),
        text: readable.text,
        cut: readable.cut,
    }
}
