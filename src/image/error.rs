//! What is wrong with a file that was given as an update package.
use thiserror::Error;

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ImageError {
    #[error(
        "not an update package that is known here (SWUpdate, RAUC, Mender, MCUboot, SUIT, ESP-IDF, zip, tar, gzip); name its signature's file with --signature if it is a raw image"
    )]
    Unknown,
    #[error("the {format} file is cut short: {what} lacks {missing} bytes; get the whole file")]
    Truncated { format: &'static str, what: String, missing: usize },
    #[error("not a well-formed {format} file: {what}; get the file again from its maker")]
    Malformed { format: &'static str, what: String },
    #[error("`{what}` unpacks to more than {most} bytes, as a bomb does; nothing of the file was believed")]
    Bomb { what: String, most: usize },
    #[error("{0}")]
    Key(String),
    #[error("this {format} file cannot be changed so: {why}")]
    Unchangeable { format: &'static str, why: String },
}

impl ImageError {
    pub fn malformed(format: &'static str, what: impl Into<String>) -> Self {
        Self::Malformed { format, what: what.into() }
    }

    pub fn unchangeable(format: &'static str, why: impl Into<String>) -> Self {
        Self::Unchangeable { format, why: why.into() }
    }
}
