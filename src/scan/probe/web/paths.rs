//! The paths worth a GET, from `profiles/data/web-paths.toml`.
use crate::scan::{
    data::rows,
    net::http::{Keep, Request},
};
use serde::Deserialize;
use std::sync::LazyLock;

#[derive(Deserialize)]
pub struct Row {
    pub path: String,
    pub kind: Kind,
    /// A badly made product may act on a bare GET of it: not asked.
    #[serde(default)]
    careful: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Login,
    Admin,
    Update,
    Info,
    Config,
    SecurityTxt,
    Debug,
    Source,
    Sample,
    Log,
    Picture,
    Directory,
}

/// Every path that is asked.
pub static PATHS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let all: Vec<Row> = rows("web-paths.toml", include_str!("../../../../profiles/data/web-paths.toml"), "path");
    all.into_iter().filter(|r| !r.careful && r.kind != Kind::SecurityTxt).collect()
});

pub fn kind(path: &str) -> Option<Kind> {
    PATHS.iter().find(|r| r.path == path).map(|r| r.kind)
}

/// The most of a body that is read where it may be private.
const MOST_PRIVATE: usize = 16 * 1024;

/// Asks for a path. What may be a secret, a log or a picture of somebody is looked at in memory and never kept.
pub fn request(host: String, path: &str) -> Request<'_> {
    let mut request = Request::get(host, path);
    match kind(path) {
        Some(Kind::Config | Kind::Debug | Kind::Source | Kind::Log | Kind::Picture) => {
            request.keep = Keep::Heads;
            request.most = MOST_PRIVATE;
        }
        Some(Kind::Login | Kind::Admin | Kind::Update | Kind::Info | Kind::SecurityTxt) | None => {}
        Some(Kind::Sample | Kind::Directory) => {}
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_is_asked_twice_and_every_one_is_one() {
        let all: std::collections::BTreeSet<&str> = PATHS.iter().map(|r| r.path.as_str()).collect();
        assert_eq!(all.len(), PATHS.len());
        assert!(PATHS.len() > 300 && all.iter().all(|p| p.starts_with('/')));
    }
}
