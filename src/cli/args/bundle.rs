//! Sealing, verifying and showing.
use super::{BesideArgs, Format, date};
use clap::{Args, ValueEnum};
use jiff::civil::Date;
use std::path::PathBuf;

#[derive(Args)]
#[command(
    after_help = "Examples:\n  patuh seal camera --profile asean-baseline --out camera.bundle --interim\n  patuh seal camera --profile sg-cls-iot:1 --key lab_ed25519 --out camera.bundle\n\nThe passphrase of an encrypted key is read from PATUH_KEY_PASSPHRASE."
)]
pub struct SealArgs {
    #[arg(value_name = "RECORDING")]
    pub source: PathBuf,
    #[arg(long, value_name = "ID", required = true)]
    pub profile: Vec<String>,
    #[command(flatten)]
    pub beside: BesideArgs,
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
    /// Lock what was masked for this reader, in a file beside the bundle: an age recipient, an SSH public key, or a
    /// file of them; may be repeated. The scan must have kept it (--keep-openings)
    #[arg(long, value_name = "RECIPIENT")]
    pub confidential_to: Vec<String>,
    #[command(flatten)]
    pub form: SealForm,
}

#[derive(Args)]
pub struct SealForm {
    /// Sign with an X.509 key as well (CMS, CAdES): its PEM certificate, and those that lead to its authority
    #[arg(long, value_name = "FILE", requires = "cms_key")]
    pub cms_cert: Option<PathBuf>,
    /// The key of that certificate: PEM, PKCS #8, unlocked
    #[arg(long, value_name = "FILE", requires = "cms_cert")]
    pub cms_key: Option<PathBuf>,
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
    /// The day on which these profiles must be in force (YYYY-MM-DD); without it: that of the recording
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub as_of: Option<Date>,
    /// Instead of the bundle's
    #[arg(long, value_name = "FILE")]
    pub ics: Option<PathBuf>,
    /// Instead of the bundle's
    #[arg(long, value_name = "FILE")]
    pub ixit: Option<PathBuf>,
    /// Who tested, with what and on which samples, instead of what the bundle says (docs/laboratory.md)
    #[arg(long, value_name = "FILE")]
    pub laboratory: Option<PathBuf>,
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
    /// A bundle: its seal. A recording: its plan before the first packet, its end after the last
    #[arg(value_name = "BUNDLE|RECORDING")]
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
#[command(
    after_help = "Examples:\n  patuh verify camera.bundle --signers allowed_signers\n  patuh verify camera.bundle --confidential camera.bundle.confidential.tar.age --identity ~/.ssh/id_ed25519\n\nThe passphrase of an encrypted key is read from PATUH_KEY_PASSPHRASE."
)]
pub struct VerifyArgs {
    #[arg(value_name = "BUNDLE")]
    pub bundle: PathBuf,
    /// Your own allowed_signers file, as ssh-keygen uses it
    #[arg(long, value_name = "FILE")]
    pub signers: Option<PathBuf>,
    /// Public keys that may seal no longer, one a line
    #[arg(long, value_name = "FILE")]
    pub revoked: Option<PathBuf>,
    /// PEM certificates of the time-stamping authorities that you trust
    #[arg(long, value_name = "FILE")]
    pub tsa_anchors: Option<PathBuf>,
    /// PEM certificates of the authorities of laboratories that you trust; the bundle must have a CMS signature
    #[arg(long, value_name = "FILE")]
    pub cms_anchors: Option<PathBuf>,
    /// The locked file that came with the bundle: checks what opens the masks, and shows none of it
    #[arg(long, value_name = "FILE", requires = "identity")]
    pub confidential: Option<PathBuf>,
    /// The SSH private key or age identity that it was locked for
    #[arg(long, value_name = "KEY", requires = "confidential")]
    pub identity: Option<PathBuf>,
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
    /// Declarations of CycloneDX 1.6
    Cyclonedx,
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
