//! What a maker publishes, in words.
use super::some;
use crate::model::observation::public::{Document, Wall, Whence};

pub fn document(d: &Document) -> String {
    let came = match (d.whence, d.status) {
        (Whence::Fetched, Some(status)) => format!("answered {status}"),
        (Whence::Fetched, None) => "was not answered".to_owned(),
        (Whence::Saved, _) => "a copy that was handed over".to_owned(),
    };
    let wall = match d.wall {
        Wall::Nothing => "",
        Wall::LogIn => ", asks for a log-in",
        Wall::Robots => ", turned us away as a machine",
    };
    let missing = if d.same_as_missing { ", as any path that cannot exist" } else { "" };
    let text = d.text.as_ref().map_or("no text that could be read".to_owned(), |t| {
        format!("{} characters of text{}", t.chars().count(), if d.cut { ", more was not kept" } else { "" })
    });
    let (name, url, kind) = (&d.name, &d.url, some(&d.content_type));
    format!("{name} at {url}: {came}{wall}{missing}; {kind}, {} bytes, sha256 {}; {text}", d.bytes, d.sha256.hex())
}
