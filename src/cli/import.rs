//! `import`: captures of a device's traffic, added to a recording.
use super::{Done, Exit, Failure, output, source};
use clap::Args;
use patuh::{
    model::{Observation, Recording, observation::capture::Capture},
    scan::{
        capture::{self, CaptureError, Import, Named},
        journal::RECORDING,
    },
};
use std::path::PathBuf;

#[derive(Args)]
#[command(
    after_help = "Capture where everything that the device sends passes, from before it is switched on, to pcapng:\n  dumpcap -i br-lab -w day.pcapng\n\nExamples:\n  patuh import day.pcapng --device 02:00:00:00:00:01 --out camera\n  patuh import day.pcapng night.pcapng --device 192.168.1.20 --secret env:WIFI_KEY --out camera\n\nA recording in DIR is gone on with: scan first, then import, and judge both together.\nExit codes: 0 the captures show all that passed; 2 something may be missing (it is told)."
)]
pub struct ImportArgs {
    /// pcap or pcapng files
    #[arg(value_name = "CAPTURE", required = true)]
    pub captures: Vec<PathBuf>,
    /// What the device is known by: a MAC address, or an IP address; may be repeated. Without it: the addresses of the recording
    #[arg(long, value_name = "ADDRESS|MAC")]
    pub device: Vec<Named>,
    /// Where a secret is kept that was set up while capturing and must not show up in clear (env:NAME or file:PATH); may be repeated
    #[arg(long, value_name = "REFERENCE")]
    pub secret: Vec<String>,
    /// Write the recording here, or go on with the one that is here
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

pub fn run(a: &ImportArgs) -> Done {
    let known = a.out.join(RECORDING).exists().then(|| source::recording(&a.out)).transpose()?;
    let device = match (a.device.is_empty(), &known) {
        (false, _) => a.device.clone(),
        (true, Some(recording)) => recording.header.hosts.iter().copied().map(Named::Address).collect(),
        (true, None) => {
            let message = "which packets are the device's is not known; name its MAC or IP address with --device";
            return Err(Failure::new(Exit::Usage, message));
        }
    };
    let secrets = a.secret.iter().map(|s| secret(s)).collect::<Result<Vec<_>, Failure>>()?;
    let steps = output::Steps::new("import");
    let import = Import { files: &a.captures, device: &device, secrets: &secrets, dir: &a.out, progress: &steps };
    let recording = capture::run(&import).map_err(|e| failure(&e))?;
    output::note(&format!("recording: {}", a.out.display()));
    Ok(told(&recording))
}

/// What of the newest run may be missing.
fn told(recording: &Recording) -> Exit {
    let mut whole = true;
    for c in recording.run_of(capture::RUN.id).iter().flat_map(|r| &r.records).filter_map(|r| match &r.observation {
        Observation::Capture { capture } => Some(capture),
        _ => None,
    }) {
        for why in missing(c) {
            output::note(&format!("{}: {why}", c.name));
            whole = false;
        }
    }
    if whole { Exit::Passed } else { Exit::Inconclusive }
}

fn missing(c: &Capture) -> Vec<String> {
    let d = &c.device;
    let mut all: Vec<String> = c.unread.iter().map(|(why, n)| format!("not looked at: {n} {}", why.words())).collect();
    if d.sent == 0 {
        all.push("no packet of the device to another host; is --device right?".to_owned());
    } else if d.sent_outside == 0 || d.received_outside == 0 {
        all.push("no traffic with an outside host in both directions; capture where all of it passes".to_owned());
    }
    if d.macs.is_empty() {
        all.push("the device is known by addresses alone; name its MAC address with --device".to_owned());
    }
    match c.dropped {
        Some(0) => {}
        Some(n) => all.push(format!("{n} packets were lost while capturing")),
        None => all.push("it does not say what was lost while capturing; capture to pcapng with dumpcap".to_owned()),
    }
    all.extend(c.filters.iter().map(|f| format!("filtered by `{f}`")));
    all
}

/// The secret of a reference. It is read here and goes nowhere but into the search.
fn secret(reference: &str) -> Result<Vec<u8>, Failure> {
    let trimmed = |mut bytes: Vec<u8>| {
        while bytes.last().is_some_and(u8::is_ascii_whitespace) {
            bytes.pop();
        }
        bytes
    };
    match reference.split_once(':') {
        Some(("env", name)) => match std::env::var(name) {
            Ok(value) => Ok(value.into_bytes()),
            Err(_) => Err(Failure::new(Exit::NoInput, format!("`{reference}`: the variable is not set"))),
        },
        Some(("file", path)) => source::read(&PathBuf::from(path)).map(trimmed),
        // What was written may be the secret itself.
        Some(_) | None => Err(Failure::new(Exit::Usage, "a secret is kept elsewhere; write env:NAME or file:PATH")),
    }
}

fn failure(e: &CaptureError) -> Failure {
    let exit = match e {
        CaptureError::File { .. } | CaptureError::Resume { .. } | CaptureError::Short => Exit::BadInput,
        CaptureError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => Exit::NoInput,
        CaptureError::Io { .. } | CaptureError::Journal { .. } => Exit::Io,
        CaptureError::Stamped { .. } => Exit::NotPermitted,
    };
    Failure::new(exit, e.to_string())
}
