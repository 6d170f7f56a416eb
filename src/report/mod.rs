//! Floor 2: how it is shown. Pure: the same assessment gives the same bytes, and nothing of it is left out.
//!
//! A device's words are hostile wherever they are shown: each view cleans and escapes them itself.
pub mod case;
pub mod csv;
pub mod cyclonedx;
pub mod diff;
pub mod expect;
pub mod html;
pub mod inventory;
pub mod json;
pub mod junit;
pub mod matrix;
pub mod method;
pub mod oscal;
mod page;
pub mod pcapng;
pub mod pdf;
pub mod profiles;
pub mod sarif;
pub mod statement;
pub mod text;
pub mod views;
pub mod words;

pub use csv::csv;
pub use cyclonedx::cyclonedx;
pub use html::{Report, ReportError, Standing, html};
pub use json::json;
pub use junit::junit;
pub use oscal::oscal;
pub use pcapng::pcapng;
pub use pdf::pdf;
pub use sarif::sarif;
pub use text::text;
pub use views::views;
