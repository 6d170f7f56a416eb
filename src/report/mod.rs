//! Floor 2: how it is shown. Pure: the same assessment gives the same bytes, and nothing of it is left out.
//!
//! A device's words are hostile wherever they are shown: each view cleans and escapes them itself.
pub mod html;
pub mod inventory;
pub mod json;
pub mod matrix;
pub mod profiles;
pub mod text;
pub mod words;

pub use html::{Report, ReportError, Standing, html};
pub use json::json;
pub use text::text;
