//! The one signed object: an in-toto Statement v1 that names the digest of the tag manifest.
use super::{
    layout::{self, Files, MANIFEST, TAG_MANIFEST},
    payload::{Ingredients, Interim, Judged},
};
use crate::{judge::assess::tool, model::Sha256Digest};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What the tag manifest of the confidential bag is called.
const CONFIDENTIAL: &str = "confidential/tagmanifest-sha256.txt";
pub const PREDICATE: &str = "urn:x-patuh:evidence-seal:v1";

/// The statement's bytes: sorted keys, no whitespace, no newline at the end.
pub fn write(files: &Files, judged: &Judged, from: &Ingredients, sealed_at: &str, by: &By) -> Vec<u8> {
    let profiles: Vec<Value> = judged
        .assessments
        .iter()
        .map(|a| {
            let p = &a.profile;
            json!({"id": p.id, "level": p.level, "edition": p.edition, "digest": {"sha256": p.sha256},
                "verdict": a.verdict.word()})
        })
        .collect();
    let tool = tool();
    let sealed = Sha256Digest::of(layout::bytes(files, TAG_MANIFEST));
    let mut subject = vec![json!({"name": TAG_MANIFEST, "digest": {"sha256": sealed.hex()}})];
    subject.extend(by.confidential.iter().map(|d| json!({"name": CONFIDENTIAL, "digest": {"sha256": d}})));
    let mut value = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subject,
        "predicateType": PREDICATE,
        "predicate": {
            "bundle_id": layout::identifier(layout::bytes(files, MANIFEST)),
            "format_version": "1",
            "interim": from.interim == Interim::Yes,
            "profiles": profiles,
            "sealed_at": sealed_at,
            "signers": by.signers,
            "supersedes": from.supersedes,
            "statements": ["The results relate only to the items tested."],
            "tool": {"name": tool.name, "version": tool.version},
        },
    });
    if let Some(predicate) = value.get_mut("predicate").filter(|_| !by.certificates.is_empty()) {
        predicate["certificates"] = json!(by.certificates);
    }
    canonical(&value).into_bytes()
}

/// Who seals, and what else the statement alone says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct By {
    /// Fingerprints of their SSH keys, in the order of the files.
    pub signers: Vec<String>,
    /// SHA-256 of the certificates of the CMS signature, the signer's first; none where there is no such signature.
    pub certificates: Vec<String>,
    /// SHA-256 of the tag manifest of the confidential bag, where there is one.
    pub confidential: Option<String>,
}

/// What a verifier takes from a statement: what it names, and the two things that only it says.
#[derive(Debug)]
pub struct Claims {
    pub tag_manifest: String,
    pub sealed_at: String,
    pub by: By,
    pub tool: String,
}

impl Claims {
    /// Reads a statement of our type; anything else is `None`.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let s: Written = serde_json::from_slice(bytes).ok()?;
        let named = |name: &str| s.subject.iter().find(|s| s.name == name).map(|s| s.digest.sha256.clone());
        let (tag_manifest, confidential) = (named(TAG_MANIFEST)?, named(CONFIDENTIAL));
        (s.predicate_type == PREDICATE).then_some(Self {
            tag_manifest,
            sealed_at: s.predicate.sealed_at,
            by: By { signers: s.predicate.signers, certificates: s.predicate.certificates, confidential },
            tool: s.predicate.tool.version,
        })
    }
}

#[derive(Deserialize)]
struct Written {
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Deserialize)]
struct Subject {
    name: String,
    digest: Digest,
}

#[derive(Deserialize)]
struct Digest {
    sha256: String,
}

#[derive(Deserialize)]
struct Predicate {
    sealed_at: String,
    signers: Vec<String>,
    #[serde(default)]
    certificates: Vec<String>,
    tool: crate::model::recording::Tool,
}

/// RFC 8785 bytes of a value without fractions: our keys are ASCII, so byte order is its key order.
pub fn canonical(value: &Value) -> String {
    sorted(value).to_string()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            Value::Object(entries.into_iter().map(|(k, v)| (k.clone(), sorted(v))).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
