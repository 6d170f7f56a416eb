//! The arguments, as clap reads them.
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::civil::Date;
use std::path::PathBuf;

#[derive(Parser)]
#[command(
    name = "patuh",
    version,
    about = "Tests IoT devices against regional security baselines and keeps the evidence",
    after_help = "Examples:\n  patuh demo\n  patuh scan 192.168.1.20 --profile asean-baseline --out camera\n  patuh judge camera --profile sg-cls-iot:1 --format json\n  patuh judge camera --profile all\n  patuh profile compare uk-psti sg-cls-iot"
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Start simulated devices on loopback, scan, judge and seal them
    Demo(DemoArgs),
    /// Probe a device, write a recording, and judge it when profiles are named
    Scan(ScanArgs),
    /// Print what a scan would send; sends nothing
    Plan(ScanArgs),
    /// Judge a recording or bundle again, offline
    Judge(JudgeArgs),
    /// What was observed: endpoints, services, TLS, authentication, completeness
    Inventory(InventoryArgs),
    /// The maker's claims per provision (ICS): a form, and what is wrong in one
    Ics(super::ics::IcsArgs),
    /// Extra information for testing (IXIT): a form, a check, spreadsheets, SBOMs
    Ixit(super::ixit::IxitArgs),
    /// Record an assessor's judgement; never overwrites an earlier one
    Attest(super::attest::AttestArgs),
    /// Record that somebody takes the risk of an unmet requirement; changes no outcome
    Waive(super::attest::WaiveArgs),
    /// Walk through the steps that await an assessor
    Assess(super::assess::AssessArgs),
    /// Make the signed evidence bundle of a recording
    Seal(SealArgs),
    /// Make a new bundle that replaces a sealed one
    Amend(AmendArgs),
    /// Make an ed25519 key for sealing
    Keygen(KeygenArgs),
    /// Give a sealed bundle a time that the laboratory does not tell itself
    Timestamp(TimestampArgs),
    /// What changed between two bundles, and why
    Diff(DiffArgs),
    /// Check a bundle: integrity, authenticity, time and re-derivation
    Verify(VerifyArgs),
    /// A view of a bundle or recording
    Report(ReportArgs),
    /// Draft what a maker hands out or hands in: statements of compliance, checklists
    Statement(super::statement::StatementArgs),
    /// What decides each unit of a test method
    Method(super::method::MethodArgs),
    /// List, show, check and compare profiles
    Profile(ProfileArgs),
    /// The page of a check, probe, provision, unit or profile
    Explain(ExplainArgs),
    /// Simulated devices, each with a good and a bad twin
    Sim(SimArgs),
    /// Look at an update package, or make one that a device must refuse; no device is needed
    Update(super::update::UpdateArgs),
    /// What this machine allows, and what that costs
    Doctor,
}

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
pub enum PaceArg {
    Gentle,
    Adaptive,
    Fast,
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
    /// For example tcp:1-65535,udp:53,5683
    #[arg(long, value_name = "SPEC")]
    pub ports: Option<String>,
    /// The most intrusive thing to do
    #[arg(long, value_enum)]
    pub most: Option<Most>,
    #[arg(long, value_enum)]
    pub pace: Option<PaceArg>,
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
    /// Print JSON on stdout
    #[arg(long)]
    pub json: bool,
    /// Checks that are known to fail (TOML); any other outcome is exit code 1
    #[arg(long, value_name = "FILE", requires = "profile")]
    pub expect: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum JudgeFormat {
    Text,
    Json,
    /// One page: the matrix of regions, or a draft
    Html,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    Text,
    Csv,
    Html,
}

pub fn date(written: &str) -> Result<Date, String> {
    written.parse().map_err(|_| "a date is written YYYY-MM-DD".to_owned())
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
    /// The recording of another sample of the same model, to compare keys and credentials; may be repeated
    #[arg(long, value_name = "RECORDING")]
    pub sample: Vec<PathBuf>,
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
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  patuh seal camera --profile asean-baseline --out camera.bundle --interim\n  patuh seal camera --profile sg-cls-iot:1 --key lab_ed25519 --out camera.bundle\n\nThe passphrase of an encrypted key is read from PATUH_KEY_PASSPHRASE."
)]
pub struct SealArgs {
    #[arg(value_name = "RECORDING")]
    pub source: PathBuf,
    #[arg(long, value_name = "ID", required = true)]
    pub profile: Vec<String>,
    /// SSH private key, or the .pub file of a key that your SSH agent holds; may be repeated. Without it one of your own is made and kept
    #[arg(long, value_name = "SSHKEY")]
    pub key: Vec<PathBuf>,
    #[arg(long, value_name = "BUNDLE")]
    pub out: PathBuf,
    /// The day on which the profiles must be in force (YYYY-MM-DD); without it: that of the recording
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub as_of: Option<Date>,
    /// Seal although something is unfinished or awaits an assessor; the bundle says so everywhere
    #[arg(long)]
    pub interim: bool,
    #[command(flatten)]
    pub form: SealForm,
}

#[derive(Args)]
pub struct SealForm {
    /// Write one zip file instead of a directory
    #[arg(long)]
    pub zip: bool,
    /// Ask this time-stamping authority (RFC 3161 over http) for the time of the seal
    #[arg(long, value_name = "URL")]
    pub tsa: Option<String>,
    /// Write the time-stamp query here, to be carried to an authority by hand; see `patuh timestamp`
    #[arg(long, value_name = "FILE", conflicts_with = "zip")]
    pub timestamp_request: Option<PathBuf>,
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  patuh amend camera.bundle --reason \"ICS corrected by the maker\" --ics ics.toml --out camera-2.bundle\n  patuh amend camera.bundle --reason \"attested\" --attested camera --out camera-2.bundle"
)]
pub struct AmendArgs {
    #[arg(value_name = "BUNDLE")]
    pub bundle: PathBuf,
    /// Why the older bundle is replaced; the new one says it everywhere
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// A recording's directory whose attestations and attachments continue the bundle's
    #[arg(long, value_name = "RECORDING")]
    pub attested: Option<PathBuf>,
    /// Judge under these instead of the bundle's own
    #[arg(long, value_name = "ID")]
    pub profile: Vec<String>,
    /// Instead of the bundle's
    #[arg(long, value_name = "FILE")]
    pub ics: Option<PathBuf>,
    /// Instead of the bundle's
    #[arg(long, value_name = "FILE")]
    pub ixit: Option<PathBuf>,
    /// SSH private key, or the .pub file of a key that your SSH agent holds; may be repeated
    #[arg(long, value_name = "SSHKEY")]
    pub key: Vec<PathBuf>,
    #[arg(long, value_name = "BUNDLE")]
    pub out: PathBuf,
    /// Seal although something is unfinished or awaits an assessor
    #[arg(long)]
    pub interim: bool,
    #[command(flatten)]
    pub form: SealForm,
}

#[derive(Args)]
#[command(
    group = clap::ArgGroup::new("way").required(true).args(["token", "tsa", "request"]),
    after_help = "Examples:\n  patuh timestamp camera.bundle --request camera.tsq\n  curl -H 'Content-Type: application/timestamp-query' --data-binary @camera.tsq URL -o camera.tsr\n  patuh timestamp camera.bundle --token camera.tsr"
)]
pub struct TimestampArgs {
    #[arg(value_name = "BUNDLE")]
    pub bundle: PathBuf,
    /// Attach this answer of an authority
    #[arg(long, value_name = "FILE")]
    pub token: Option<PathBuf>,
    /// Ask this authority (RFC 3161 over http) and attach its answer
    #[arg(long, value_name = "URL")]
    pub tsa: Option<String>,
    /// Write the query here, to be carried to an authority by hand
    #[arg(long, value_name = "FILE")]
    pub request: Option<PathBuf>,
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  patuh diff camera-1.0.bundle camera-1.1.bundle\n\nExit codes: 0 the same, 1 changed and nothing worse, 2 something is worse, 3 not comparable."
)]
pub struct DiffArgs {
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

#[derive(Args)]
#[command(after_help = "Examples:\n  patuh keygen lab_ed25519")]
pub struct KeygenArgs {
    /// The private key's file; the public half is written beside it as .pub
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

#[derive(Args)]
#[command(after_help = "Examples:\n  patuh verify camera.bundle --signers allowed_signers")]
pub struct VerifyArgs {
    #[arg(value_name = "BUNDLE")]
    pub bundle: PathBuf,
    /// Your own allowed_signers file, as ssh-keygen uses it
    #[arg(long, value_name = "FILE")]
    pub signers: Option<PathBuf>,
    /// PEM certificates of the time-stamping authorities that you trust
    #[arg(long, value_name = "FILE")]
    pub tsa_anchors: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum ReportFormat {
    Html,
    Json,
    Text,
    Csv,
    Junit,
    Sarif,
    Oscal,
    /// For paper and archives: tagged PDF/A; needs --out
    Pdf,
    /// Transcripts as packets for Wireshark; needs --out
    Pcapng,
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  patuh report camera.bundle --format html > camera.html\n  patuh report camera.bundle --format pdf --out camera.pdf\n  patuh report camera.bundle --format pcapng --out camera.pcapng\n  patuh report camera.bundle --format junit --out junit.xml\n  patuh report camera.bundle --format oscal --out oscal"
)]
pub struct ReportArgs {
    #[arg(value_name = "BUNDLE|RECORDING")]
    pub source: PathBuf,
    #[arg(long, value_enum, default_value = "html")]
    pub format: ReportFormat,
    /// Judge under these instead (for a recording: default all that were in force)
    #[arg(long, value_name = "ID")]
    pub profile: Vec<String>,
    /// The day on which the profiles must be in force (YYYY-MM-DD); without it: that of the recording
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub as_of: Option<Date>,
    /// Write here instead of to the screen; a directory for oscal, else a file
    #[arg(long, value_name = "FILE|DIR")]
    pub out: Option<PathBuf>,
    /// The file of your repository that code scanning shows SARIF results at
    #[arg(long, value_name = "PATH")]
    pub sarif_anchor: Option<String>,
}
