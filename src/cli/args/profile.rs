//! Profiles and pages.
use super::Format;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    Text,
    Csv,
    Html,
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  patuh profile list\n  patuh profile show sg-cls-iot-hg:2\n  patuh profile check my-lab.toml\n  patuh profile compare uk-psti sg-cls-iot --recording camera\n  patuh profile crosswalk --format csv > crosswalk.csv"
)]
pub struct ProfileArgs {
    #[command(subcommand)]
    pub command: ProfileCommand,
}

#[derive(Subcommand)]
pub enum ProfileCommand {
    /// All built-in profiles
    List {
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// One profile with its requirements and units
    Show {
        id: String,
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Check the built-in profiles, or one by id or file
    Check { id: Option<String> },
    /// What corresponds, what only one asks, which numbers differ
    Compare {
        /// ID, ID:LEVEL or FILE.toml
        a: String,
        b: String,
        /// Judge this recording under both and show where the verdicts differ
        #[arg(long, value_name = "DIR")]
        recording: Option<PathBuf>,
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// All profiles on one list: the provisions of EN 303 645 and what schemes add
    Crosswalk {
        #[arg(long, value_enum, default_value = "text")]
        format: TableFormat,
    },
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  patuh explain telnet-default-creds\n  patuh explain tcp-ports\n  patuh explain 5.1-1\n  patuh explain uk-psti"
)]
pub struct ExplainArgs {
    pub id: String,
}
