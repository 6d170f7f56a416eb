//! The arguments, as clap reads them.
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Parser)]
#[command(
    name = "patuh",
    version,
    about = "Tests IoT devices against regional security baselines and keeps the evidence",
    after_help = "Examples:\n  patuh demo\n  patuh scan 192.168.1.20 --profile asean-baseline --out camera\n  patuh judge camera --profile sg-cls-iot:1 --format json"
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
    /// List, show and check profiles
    Profile(ProfileArgs),
    /// The page of a check, probe, provision, unit or profile
    Explain(ExplainArgs),
    /// Simulated devices, each with a good and a bad twin
    Sim(SimArgs),
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
    /// Judge under this profile (ID or ID:LEVEL); may be repeated
    #[arg(long, value_name = "ID")]
    pub profile: Vec<String>,
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

#[derive(Args)]
#[command(
    after_help = "Examples:\n  patuh judge camera --profile asean-baseline\n  patuh judge camera.bundle --profile sg-cls-iot:1 --ixit ixit.toml --format json"
)]
pub struct JudgeArgs {
    /// A recording's directory or a bundle
    #[arg(value_name = "RECORDING|BUNDLE")]
    pub source: PathBuf,
    #[arg(long, value_name = "ID", required = true)]
    pub profile: Vec<String>,
    #[arg(long, value_name = "FILE")]
    pub ics: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    pub ixit: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
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
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  patuh explain telnet-default-creds\n  patuh explain tcp-ports\n  patuh explain 5.1-1"
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
    after_help = "Examples:\n  patuh amend camera.bundle --reason \"ICS corrected by the maker\" --ics ics.toml --out camera-2.bundle"
)]
pub struct AmendArgs {
    #[arg(value_name = "BUNDLE")]
    pub bundle: PathBuf,
    /// Why the older bundle is replaced; the new one says it everywhere
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
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
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  patuh report camera.bundle --format html > camera.html\n  patuh report camera.bundle --format junit --out junit.xml\n  patuh report camera.bundle --format oscal --out oscal"
)]
pub struct ReportArgs {
    #[arg(value_name = "BUNDLE|RECORDING")]
    pub source: PathBuf,
    #[arg(long, value_enum, default_value = "html")]
    pub format: ReportFormat,
    /// Judge under these instead (for a recording: default all built-in)
    #[arg(long, value_name = "ID")]
    pub profile: Vec<String>,
    /// Write here instead of to the screen; a directory for oscal, else a file
    #[arg(long, value_name = "FILE|DIR")]
    pub out: Option<PathBuf>,
    /// The file of your repository that code scanning shows SARIF results at
    #[arg(long, value_name = "PATH")]
    pub sarif_anchor: Option<String>,
}
