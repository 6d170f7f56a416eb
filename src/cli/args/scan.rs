//! Looking and judging.
use super::date;
use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use std::path::PathBuf;

#[derive(Args)]
#[command(after_help = "Examples:\n  patuh demo\n  patuh demo --device ip-camera-bad --keep demo-out")]
pub struct DemoArgs {
    /// Leave recordings, bundles and reports in this directory
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Only these simulated devices
    #[arg(long, value_name = "NAME", num_args = 1..)]
    pub device: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Most {
    Connect,
    Ask,
    LogIn,
    Stress,
    Alter,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum VantageArg {
    /// From the network of its owner
    Lan,
    /// From where its provider's network or the Internet is
    Wan,
    /// From the network that it keeps for guests
    Guest,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum StateArg {
    /// As it came
    Factory,
    /// Set up, as its owner uses it
    Initialised,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum PaceArg {
    Gentle,
    Adaptive,
    Fast,
}

/// Times of the scan that its own clock does not tell.
#[derive(Args, Clone, Default)]
pub struct ScanTime {
    /// Ask this time-stamping authority (RFC 3161 over http) before the first packet and after the last
    #[arg(long, value_name = "URL")]
    pub tsa: Option<String>,
    /// Send nothing yet: write the plan and the query about it, to be carried to an authority by hand; go on with
    /// `patuh timestamp DIR --token ANSWER` and `patuh scan --resume DIR`
    #[arg(long, value_name = "FILE", requires = "out", conflicts_with = "tsa")]
    pub timestamp_request: Option<PathBuf>,
    /// What the certifier gave for this scan; the plan holds it, so that no older scan can be shown for this one
    #[arg(long, value_name = "TEXT", conflicts_with = "resume")]
    pub nonce: Option<String>,
}

#[derive(Args, Clone)]
#[command(
    after_help = "Examples:\n  patuh scan 192.168.1.20\n  patuh scan camera.lan --profile asean-baseline --profile sg-cls-iot:1 --out camera\n  patuh scan 10.0.0.7 --ports tcp:1-1024,udp:53,5683 --pace gentle --json\n  patuh scan 10.0.0.7 --resume camera"
)]
pub struct ScanArgs {
    /// Address or name; several name endpoints of one device
    #[arg(required_unless_present = "resume", value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Judge under this profile (ID, ID:LEVEL, FILE.toml, or `all` in force); may be repeated
    #[arg(long, value_name = "ID")]
    pub profile: Vec<String>,
    /// The day on which the profiles must be in force (YYYY-MM-DD); without it: today
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub as_of: Option<Date>,
    /// Implementation conformance statement (TOML)
    #[arg(long, value_name = "FILE")]
    pub ics: Option<PathBuf>,
    /// Extra information for testing (TOML)
    #[arg(long, value_name = "FILE")]
    pub ixit: Option<PathBuf>,
    /// Who authorised what (TOML); without it: the named local addresses, up to log-in
    #[arg(long, value_name = "FILE")]
    pub scope: Option<PathBuf>,
    /// For example tcp:1-65535,udp:53,5683; udp:usual is the built-in list of services, and `none` asks no port
    #[arg(long, value_name = "SPEC")]
    pub ports: Option<String>,
    /// The most intrusive thing to do
    #[arg(long, value_enum)]
    pub most: Option<Most>,
    #[arg(long, value_enum)]
    pub pace: Option<PaceArg>,
    /// From which side of the device this machine looks; the recording says it
    #[arg(long, value_enum)]
    pub vantage: Option<VantageArg>,
    /// In which state the device is; the recording says it
    #[arg(long, value_enum)]
    pub state: Option<StateArg>,
    /// Where failed log-ins are counted over all scans; without it: PATUH_LEDGER, else the user's state directory
    #[arg(long, value_name = "DIR")]
    pub ledger: Option<PathBuf>,
    /// Only these probes, by id; the others show as not run
    #[arg(long, value_name = "ID")]
    pub probe: Vec<String>,
    /// Write the recording here
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Go on with the recording in this directory
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    pub resume: Option<PathBuf>,
    /// Keep the secrets that are masked in a file beside the recording, so that sealing can lock them for a certifier
    #[arg(long, requires = "out")]
    pub keep_openings: bool,
    #[command(flatten)]
    pub time: ScanTime,
    /// Print JSON on stdout
    #[arg(long)]
    pub json: bool,
    /// Checks that are known to fail (TOML); any other outcome is exit code 1
    #[arg(long, value_name = "FILE", requires = "profile")]
    pub expect: Option<PathBuf>,
}

/// Recordings that are judged together with the first, and never mixed with it.
#[derive(Args, Clone, Default)]
pub struct BesideArgs {
    /// The recording of another sample of the same model, to compare keys and credentials; may be repeated
    #[arg(long, value_name = "RECORDING")]
    pub sample: Vec<PathBuf>,
    /// The recording of the same device in its factory state, to see which services its set-up leaves open
    #[arg(long, value_name = "RECORDING")]
    pub factory: Option<PathBuf>,
    /// The recording of the same device from another side (`scan --vantage wan` or `guest`); may be repeated
    #[arg(long, value_name = "RECORDING")]
    pub side: Vec<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum JudgeFormat {
    Text,
    Json,
    /// One page: the matrix of regions, or a draft
    Html,
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  patuh judge camera --profile asean-baseline\n  patuh judge camera.bundle --profile sg-cls-iot:1 --ixit ixit.toml --format json\n  patuh judge camera --profile all                         one matrix of all regions\n  patuh judge camera --profile all --format html > regions.html\n  patuh judge old-camera --profile vn-qcvn135 --as-of 2026-03-01"
)]
pub struct JudgeArgs {
    /// A recording's directory or a bundle
    #[arg(value_name = "RECORDING|BUNDLE")]
    pub source: PathBuf,
    /// ID, ID:LEVEL, FILE.toml, or `all` that were in force; several give one matrix
    #[arg(long, value_name = "ID", required = true)]
    pub profile: Vec<String>,
    #[command(flatten)]
    pub beside: BesideArgs,
    #[arg(long, value_name = "FILE")]
    pub ics: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    pub ixit: Option<PathBuf>,
    /// The day on which the profiles must be in force (YYYY-MM-DD); without it: that of the recording
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub as_of: Option<Date>,
    #[arg(long, value_enum, default_value = "text")]
    pub format: JudgeFormat,
    /// Checks that are known to fail (TOML); any other outcome is exit code 1
    #[arg(long, value_name = "FILE")]
    pub expect: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum InventoryFormat {
    Text,
    Json,
    Csv,
}

#[derive(Args)]
#[command(after_help = "Examples:\n  patuh inventory camera --format json")]
pub struct InventoryArgs {
    #[arg(value_name = "RECORDING|BUNDLE")]
    pub source: PathBuf,
    #[arg(long, value_enum, default_value = "text")]
    pub format: InventoryFormat,
}

#[derive(Args)]
pub struct SimArgs {
    #[command(subcommand)]
    pub command: SimCommand,
}

#[derive(Subcommand)]
pub enum SimCommand {
    /// All simulated devices
    List,
    /// Run one until Ctrl-C
    Run {
        name: String,
        #[arg(long, default_value = "127.0.77.1")]
        bind: std::net::IpAddr,
        /// Added to ports below 1024, for those who may not bind them
        #[arg(long, default_value_t = 0)]
        shift: u16,
    },
    /// Run a simulated update client in the laboratory of a plan until Ctrl-C; without a name: list them
    Update {
        name: Option<String>,
        /// The laboratory's plan; the client has the first of its device addresses
        #[arg(long, value_name = "FILE", requires = "name")]
        plan: Option<std::path::PathBuf>,
        /// The maker's public RSA key (PEM), which the client believes
        #[arg(long, value_name = "PUBKEY", requires = "name")]
        key: Option<std::path::PathBuf>,
        /// Where its own page is: /version, and POST /check and /recover
        #[arg(long, default_value_t = 8081)]
        port: u16,
        /// As it starts after its power was cut
        #[arg(long, requires = "name")]
        restarted: bool,
    },
}
