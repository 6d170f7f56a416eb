//! The arguments, as clap reads them. Commands with a file of their own keep theirs there.
mod bundle;
mod profile;
mod scan;

pub use self::{bundle::*, profile::*, scan::*};
use clap::{Parser, Subcommand, ValueEnum};
use jiff::civil::Date;

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
    /// Play the update servers of a device, and record what it does when they are not what they should be
    Lab(super::lab::LabArgs),
    /// Visit what the maker publishes, or read copies of it, and add it to a recording
    Documents(super::documents::DocumentsArgs),
    /// Read captures of the device's traffic (pcap, pcapng), and add what they show to a recording
    Import(super::import::ImportArgs),
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
    /// Compare the passwords of labels: regularities, and whether they can be made from what the label tells
    Passwords(super::passwords::PasswordsArgs),
    /// What this machine allows, and what that costs
    Doctor,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

pub fn date(written: &str) -> Result<Date, String> {
    written.parse().map_err(|_| "a date is written YYYY-MM-DD".to_owned())
}
