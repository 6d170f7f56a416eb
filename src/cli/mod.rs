//! The command line: arguments to calls, results to text, errors to exit codes.
mod args;
mod assess;
mod attest;
mod bundle;
mod confidential;
mod declared;
mod demo;
mod diff;
mod doctor;
mod documents;
mod explain;
mod ics;
mod import;
mod ixit;
mod judge;
mod lab;
mod ledger;
mod method;
mod output;
mod passwords;
mod plan;
mod profile;
mod report;
mod scan;
mod sim;
mod source;
mod statement;
mod timestamp;
mod update;

use args::{Cli, Command};
use clap::Parser;
use std::{ffi::OsString, process::ExitCode};

/// Exit codes of the contract; 0, 1 and 2 are verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    Passed = 0,
    Inconclusive = 2,
    Failed = 1,
    /// Of `diff` only.
    NotComparable = 3,
    Usage = 64,
    BadInput = 65,
    NoInput = 66,
    Unreachable = 69,
    Ours = 70,
    Io = 74,
    NotPermitted = 77,
    BadConfig = 78,
}

/// A message for the user and the exit code that goes with it.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub message: String,
}

impl Failure {
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }
}

pub type Done = Result<Exit, Failure>;

pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(e) => {
            let _ = e.print();
            let code = if e.use_stderr() { Exit::Usage } else { Exit::Passed };
            return ExitCode::from(code as u8);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(r) => r,
        Err(e) => {
            output::error(&format!("cannot start: {e}"));
            return ExitCode::from(Exit::Ours as u8);
        }
    };
    let done = runtime.block_on(dispatch(cli.command));
    // Tasks of simulated devices and open connections must not hold up the end.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    match done {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(f) => {
            output::error(&f.message);
            ExitCode::from(f.exit as u8)
        }
    }
}

async fn dispatch(command: Command) -> Done {
    match command {
        Command::Demo(a) => demo::run(a).await,
        Command::Scan(a) => scan::run(a).await,
        Command::Plan(a) => plan::run(a).await,
        Command::Lab(a) => lab::run(a).await,
        Command::Documents(a) => documents::run(a).await,
        Command::Import(a) => import::run(&a),
        Command::Judge(a) => judge::run(&a),
        Command::Inventory(a) => judge::inventory(&a),
        Command::Ics(a) => ics::run(&a),
        Command::Ixit(a) => ixit::run(&a),
        Command::Attest(a) => attest::run(&a),
        Command::Waive(a) => attest::waive(&a),
        Command::Assess(a) => assess::run(&a),
        Command::Seal(a) => bundle::run_seal(&a).await,
        Command::Amend(a) => bundle::run_amend(&a).await,
        Command::Timestamp(a) => timestamp::run(&a).await,
        Command::Diff(a) => diff::run(&a),
        Command::Keygen(a) => bundle::run_keygen(&a),
        Command::Verify(a) => bundle::run_verify(&a),
        Command::Report(a) => report::run(&a),
        Command::Method(a) => method::run(&a),
        Command::Statement(a) => statement::run(&a),
        Command::Profile(a) => profile::run(&a.command),
        Command::Explain(a) => explain::run(&a.id),
        Command::Sim(a) => sim::run(a.command).await,
        Command::Update(a) => update::run(&a),
        Command::Passwords(a) => passwords::run(&a),
        Command::Doctor => doctor::run(),
    }
}
