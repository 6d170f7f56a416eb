//! Assessments for programs: `assessment/1` objects as the contract has them.
use crate::{judge::Assessment, model::Sha256Digest};
use serde::{Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::io::{self, BufWriter, Write};

/// One object for one profile, an array for several; indented, with a newline at the end.
pub fn json(assessments: &[Assessment]) -> String {
    let mut bytes = Vec::new();
    // Plain data with text keys: writing it to memory cannot fail.
    let _ = write(assessments, &mut bytes);
    String::from_utf8(bytes).unwrap_or_default()
}

/// The digest of what [`json`] gives, which is held nowhere for it.
pub fn digest(assessments: &[Assessment]) -> Sha256Digest {
    let mut hash = BufWriter::new(Hashing(Sha256::new()));
    let _ = write(assessments, &mut hash);
    let _ = hash.flush();
    Sha256Digest::from(hash.get_ref().0.clone())
}

fn write(assessments: &[Assessment], to: &mut dyn Write) -> io::Result<()> {
    match assessments {
        [one] => serde_json::to_writer_pretty(&mut *to, one),
        all => serde_json::to_writer_pretty(&mut *to, all),
    }?;
    to.write_all(b"\n")
}

struct Hashing(Sha256);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An object with one more member, where there is something to say: formats tell an absent member from an empty one.
pub fn with(mut object: Value, key: &str, member: Option<Value>) -> Value {
    if let (Value::Object(map), Some(member)) = (&mut object, member) {
        map.insert(key.to_owned(), member);
    }
    object
}

/// A list that says something.
pub fn some(list: Vec<Value>) -> Option<Value> {
    (!list.is_empty()).then_some(Value::Array(list))
}

/// A list whose members are made one at a time, while they are written.
pub fn each<T, V: Serialize>(items: Vec<T>, of: impl Fn(&T) -> V) -> impl Serialize {
    Each { items, of }
}

struct Each<T, F> {
    items: Vec<T>,
    of: F,
}

impl<T, V: Serialize, F: Fn(&T) -> V> Serialize for Each<T, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.items.iter().map(&self.of))
    }
}
