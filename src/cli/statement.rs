//! `statement`: drafts of what a maker hands out or hands in.
use super::{Done, Exit, Failure, args::JudgeFormat, judge, output, source};
use clap::{Args, ValueEnum};
use jiff::civil::Date;
use patuh::report::statement::{self, Form, Maker};
use std::path::PathBuf;

#[derive(Args)]
#[command(
    after_help = "A draft claims nothing: it shows what was judged and names every field that is still to be filled in. With --as a file\nof the maker fills in fields: product_type = \"C-1\", manufacturer = \"...\", and so on.\n\nExit codes: those of the verdict.\n\nExamples:\n  patuh statement camera --kind uk-psti --as maker.toml\n  patuh statement camera --kind sg-cls --profile sg-cls-iot-hg:2 --format html > supporting.html"
)]
pub struct StatementArgs {
    /// A recording's directory or a bundle
    #[arg(value_name = "RECORDING|BUNDLE")]
    source: PathBuf,
    #[arg(long, value_enum)]
    kind: Kind,
    /// What the maker says (TOML)
    #[arg(long = "as", value_name = "FILE")]
    maker: Option<PathBuf>,
    /// Another profile or level of the same scheme (ID or ID:LEVEL)
    #[arg(long, value_name = "ID")]
    profile: Option<String>,
    #[arg(long, value_name = "FILE")]
    ics: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    ixit: Option<PathBuf>,
    /// The day on which the profile must be in force (YYYY-MM-DD); without it: that of the recording
    #[arg(long, value_name = "DATE", value_parser = super::args::date)]
    as_of: Option<Date>,
    #[arg(long, value_enum, default_value = "text")]
    format: JudgeFormat,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    UkPsti,
    AuSmartDevices,
    SgCls,
    JpJcstar,
}

impl Kind {
    fn id(self) -> &'static str {
        match self {
            Self::UkPsti => "uk-psti",
            Self::AuSmartDevices => "au-smart-devices",
            Self::SgCls => "sg-cls",
            Self::JpJcstar => "jp-jcstar",
        }
    }
}

pub fn run(a: &StatementArgs) -> Done {
    let ours = || Failure::new(Exit::Ours, format!("no form for `{}`; please report this", a.kind.id()));
    let form = Form::find(a.kind.id()).ok_or_else(ours)?;
    let maker = match &a.maker {
        None => Maker::default(),
        Some(file) => Maker::parse(&file.display().to_string(), &source::text(file)?)
            .map_err(|e| Failure::new(Exit::BadInput, e.to_string()))?,
    };
    let name = a.profile.clone().or_else(|| form.profile.first().cloned()).ok_or_else(ours)?;
    let recording = source::recording(&a.source)?;
    let profiles = source::profiles_on(std::slice::from_ref(&name), &source::Day::of(&recording, a.as_of)?)?;
    if let Some(other) = profiles.iter().find(|p| !form.allows(&p.id)) {
        let message = format!("`{}` cannot be made under `{}`; use {}", form.id, other.id, form.profile.join(" or "));
        return Err(Failure::new(Exit::Usage, message));
    }
    let (ics, ixit) = (source::ics(a.ics.as_ref(), &a.source)?, source::ixit(a.ixit.as_ref(), &a.source)?);
    let said = source::attestations(&a.source)?;
    let all = judge::all_attested(&recording, ics.as_ref(), ixit.as_ref(), said.as_ref(), &profiles);
    let Some(assessment) = all.first() else { return Err(ours()) };
    let draft = statement::statement(form, assessment, &recording, ixit.as_ref().map(|r| &r.value), &maker);
    output::result(&match a.format {
        JudgeFormat::Text => statement::text(&draft),
        JudgeFormat::Json => statement::json(&draft),
        JudgeFormat::Html => statement::html(&draft).map_err(|e| Failure::new(Exit::Ours, e.to_string()))?,
    })?;
    Ok(judge::worst(&all))
}
