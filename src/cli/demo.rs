//! `demo`: simulated devices on loopback, scanned and judged under several regions. No hardware, no root, no network.
use super::{
    Done, Exit, Failure,
    args::{DemoArgs, ScanArgs, ScanTime},
    bundle, judge, output,
    scan::{self, Temporary},
    sim, source,
};
use patuh::{
    bundle::{Records, sign::keygen, verify},
    judge::{Assessment, assess::Outcome},
    model::{
        Touch,
        scope::{CredentialBudget, Pace},
    },
    scan::Progress,
    sim::{PortShift, Twin},
};
use std::{
    fmt::Write,
    net::{IpAddr, Ipv4Addr},
    path::Path,
};

const DEVICES: [&str; 8] = [
    "ip-camera-bad",
    "ip-camera-good",
    "smart-hub-bad",
    "smart-hub-good",
    "coap-sensor-bad",
    "coap-sensor-good",
    "fwa-gateway-bad",
    "fwa-gateway-good",
];
/// Devices that are scanned at the same time.
const AT_ONCE: usize = 8;
const PROFILES: [&str; 2] = ["asean-baseline", "sg-cls-iot:1"];

/// Progress of one of several devices.
struct Quiet;

impl Progress for Quiet {
    fn step(&self, _: usize, _: usize, _: &str) {}
}

pub async fn run(a: DemoArgs) -> Done {
    let names: Vec<String> = if a.device.is_empty() { DEVICES.map(str::to_owned).to_vec() } else { a.device.clone() };
    // A wrong name is found before anything is started.
    for n in &names {
        sim::device(n)?;
    }
    let profiles = PROFILES.map(str::to_owned);
    source::profiles(&profiles)?;
    let temporary;
    let keep: &Path = match &a.keep {
        Some(dir) => dir,
        None => {
            temporary = Temporary::new()?;
            &temporary.0
        }
    };
    let steps = output::Steps::new("demo");
    let mut out = String::new();
    let mut surprises = Vec::new();
    for (n, some) in names.chunks(AT_ONCE).enumerate() {
        steps.step(n * AT_ONCE, names.len(), &some.join(", "));
        let shown =
            futures_util::future::join_all(some.iter().enumerate().map(|(i, name)| one(name, n * AT_ONCE + i, keep)));
        for shown in shown.await {
            let shown = shown?;
            out.push_str(&shown.text);
            surprises.extend(shown.surprises);
        }
    }
    steps.step(names.len(), names.len(), "done");
    output::result(&out)?;
    if a.keep.is_some() {
        output::result(&format!("recordings, bundles and reports: {}\n", keep.display()))?;
    }
    if surprises.is_empty() {
        output::result("every simulated device was judged as its file expects, and every bundle verifies\n")?;
        return Ok(Exit::Passed);
    }
    Err(Failure::new(Exit::Ours, format!("judged otherwise than the device's file expects: {}", surprises.join("; "))))
}

struct Shown {
    text: String,
    surprises: Vec<String>,
}

async fn one(name: &str, n: usize, keep: &Path) -> Result<Shown, Failure> {
    let device = sim::device(name)?;
    let host = IpAddr::V4(Ipv4Addr::new(127, 0, 77, u8::try_from(n + 10).unwrap_or(10)));
    let running = match patuh::sim::start(&device, host, PortShift::None).await {
        Ok(r) => Ok(r),
        // An ordinary user may not bind low ports; nothing is ever told by a port's number, so others will do.
        Err(_) => patuh::sim::start(&device, host, PortShift::By(20_000)).await,
    }
    .map_err(|e| Failure::new(Exit::NotPermitted, format!("{name}: {e}")))?;
    let mut udp: Vec<u16> = patuh::scan::probe::default_udp_ports();
    udp.extend(running.endpoints().iter().filter(|e| matches!(e.0, patuh::sim::Transport::Udp)).map(|e| e.1));
    udp.sort_unstable();
    udp.dedup();
    // Of its own: a demonstration that runs again must find what it found before.
    let ledger = Temporary::new()?;
    let args = ScanArgs {
        vantage: None,
        state: None,
        targets: vec![host.to_string()],
        profile: Vec::new(),
        as_of: None,
        ics: None,
        ixit: None,
        scope: None,
        ports: None,
        most: None,
        pace: None,
        ledger: Some(ledger.0.clone()),
        probe: Vec::new(),
        out: None,
        resume: None,
        keep_openings: false,
        time: ScanTime::default(),
        json: false,
        expect: None,
    };
    let mut prepared = scan::prepare(&args).await?;
    prepared.scope.authorised_by = "the demonstration, for its own simulated devices".to_owned();
    prepared.scope.ports.udp = Some(udp);
    prepared.scope.most = Touch::Alter;
    prepared.scope.pace = Pace::Fast;
    prepared.scope.credentials = CredentialBudget { per_account: 8, per_service: 24, ..CredentialBudget::default() };
    let dir = keep.join(name);
    let recording = scan::record(&prepared, &dir, false, &Quiet).await?;
    running.stop().await;
    let all = judge::all(&recording, None, None, &source::profiles(&PROFILES.map(str::to_owned))?);
    let key_file = keep.join(format!("{name}.key"));
    let key = keygen(&key_file).map_err(|e| Failure::new(Exit::Io, e.to_string()))?;
    let bundle = keep.join(format!("{name}.bundle"));
    let names = PROFILES.map(str::to_owned);
    bundle::make(&dir, &names, key, &bundle)?;
    let checked = verify(&bundle, &Records::default(), bundle::views);
    let mut shown = show(&device, &all);
    if checked.code() != 0 {
        shown.surprises.push(format!("{name}: its bundle does not verify"));
    }
    Ok(shown)
}

fn show(device: &patuh::sim::Device, all: &[Assessment]) -> Shown {
    let mut text = format!("{} ({})\n", device.title, device.name);
    for a in all {
        let c = &a.counts;
        let _ = writeln!(
            text,
            "  {:<16} {:<13} {} pass, {} fail, {} inconclusive, {} awaiting an assessor",
            a.profile.id,
            a.verdict.word(),
            c.pass,
            c.fail,
            c.inconclusive,
            c.awaiting_assessor
        );
    }
    let mut surprises = Vec::new();
    let mut rows: std::collections::BTreeMap<&str, &patuh::judge::assess::CheckRow> = std::collections::BTreeMap::new();
    rows.extend(all.iter().flat_map(|a| a.results.iter()).map(|r| (r.check, r)));
    let of = |o: Outcome| rows.values().filter(move |r| r.verdict == o).map(|r| r.check).collect::<Vec<_>>();
    match device.twin {
        Twin::Bad => {
            for r in rows.values().filter(|r| r.verdict == Outcome::Fail) {
                let _ = writeln!(text, "  FAIL {:<28} {}", r.check, r.observed.chars().take(110).collect::<String>());
            }
        }
        Twin::Good => {
            let _ = writeln!(text, "  passed: {}", of(Outcome::Pass).join(", "));
            for id in of(Outcome::Fail) {
                let _ = writeln!(text, "  FAIL {id}");
            }
        }
    }
    for (check, expected) in &device.expect {
        if let Some(r) = rows.get(check.as_str()).filter(|r| r.verdict.word() != expected) {
            surprises.push(format!(
                "{} {check} is {} instead of {expected} ({})",
                device.name,
                r.verdict.word(),
                r.observed
            ));
        }
    }
    Shown { text: text + "\n", surprises }
}
