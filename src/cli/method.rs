//! `method table`: what decides each test unit.
use super::{Done, Exit, Failure, output};
use clap::{Args, Subcommand, ValueEnum};
use patuh::{
    judge::profile::{Method, nearest},
    report::method,
    scan::probe,
};

#[derive(Args)]
pub struct MethodArgs {
    #[command(subcommand)]
    command: MethodCommand,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Csv,
    Json,
}

#[derive(Subcommand)]
enum MethodCommand {
    /// Every test unit: the checks, the assessor's step or the unit that decides it, and what that needs
    #[command(
        after_help = "Examples:\n  patuh method table\n  patuh method table --format csv > units.csv\n  patuh method table --format json"
    )]
    Table {
        #[arg(long, value_name = "ID", default_value = "ts103701-v1")]
        method: String,
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
}

pub fn run(a: &MethodArgs) -> Done {
    let MethodCommand::Table { method: id, format } = &a.command;
    let found = Method::find(id).ok_or_else(|| {
        let near = nearest(id, Method::all().iter().map(|m| m.id.as_str()));
        let known: Vec<&str> = Method::all().iter().map(|m| m.id.as_str()).collect();
        Failure::new(Exit::Usage, format!("no method `{id}`{near}; there is {}", known.join(", ")))
    })?;
    let table = found.table(|id| probe::find(id).map(|p| p.touch));
    output::result(&match format {
        Format::Text => method::text(&table),
        Format::Csv => method::csv(&table),
        Format::Json => method::json(&table),
    })?;
    Ok(Exit::Passed)
}
