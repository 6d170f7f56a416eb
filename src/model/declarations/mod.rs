//! What the maker declares (ICS) and describes (IXIT), as files that people write.
pub mod csv;
pub mod form;
mod grid;
pub mod ics;
pub mod ics_table;
pub mod ixit;
pub mod laboratory;
pub mod observed;
mod read;
pub mod sbom;
pub mod secret;
mod value;
pub mod write;
pub mod xlsx;

pub use form::{Edition, Form};
pub use ics::{Claim, Ics, Support};
pub use ixit::{DeclaredAuth, DeclaredEndpoint, DeclaredSoftware, EndpointStatus, Entry, Ixit, Supplied};
pub use laboratory::Laboratory;
pub use value::Value;

use thiserror::Error;

/// Why a declaration file could not be read.
#[derive(Debug, Error)]
#[error("{file}:{line}: {message}")]
pub struct DeclarationError {
    pub file: String,
    pub line: usize,
    pub message: String,
}

/// Turns a TOML error into file and line.
pub fn located(file: &str, text: &str, error: &toml::de::Error) -> DeclarationError {
    let line = line_at(text, error.span().map_or(0, |s| s.start));
    let message = error.message().lines().next().unwrap_or("not readable").to_owned();
    DeclarationError { file: file.to_owned(), line, message }
}

/// The line of a byte offset, counted from 1.
fn line_at(text: &str, at: usize) -> usize {
    text.get(..at).map_or(1, |t| t.matches('\n').count() + 1)
}
