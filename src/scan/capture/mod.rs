//! Captures of a device's traffic that somebody made, read and added to a recording. Nothing is sent.
mod announced;
mod closed;
mod device;
mod file;
mod follow;
mod hello;
mod names;
mod packet;
mod protocol;
mod rows;
mod secrets;
mod stream;
mod wanted;

pub use device::Named;
pub use wanted::SHORTEST;

use super::{
    Progress, clock, engine,
    journal::{self, Journal, RECORDING},
    lab::Page,
};
use crate::model::{
    Header, Observation, Recording, Scope, Subject,
    observation::{
        capture::{Capture, Unread},
        clean,
    },
    plan::END_TOKEN,
    recording::{FORMAT, Tool},
};
use device::{Device, Way, place};
use follow::Follow;
use packet::Link;
use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};
use thiserror::Error;
use wanted::Wanted;

/// The run, by the name under which it is recorded.
pub static RUN: Page = Page { id: "capture", page: include_str!("capture.md") };
const VERSION: u32 = 1;

#[derive(Debug, Error)]
pub enum CaptureError {
    #[error("`{file}`: {why}")]
    File { file: String, why: String },
    #[error("`{file}`: {source}")]
    Io { file: String, source: std::io::Error },
    #[error("a secret to search for has fewer than {SHORTEST} bytes, so that it would be met by chance")]
    Short,
    #[error("`{dir}` is stamped to its end, so that nothing can be added; import into a new recording")]
    Stamped { dir: String },
    #[error("`{file}` cannot be gone on with: {why}")]
    Resume { file: String, why: String },
    #[error("cannot write the recording in `{dir}`: {source}")]
    Journal { dir: String, source: std::io::Error },
}

pub struct Import<'a> {
    pub files: &'a [PathBuf],
    /// What the device is known by.
    pub device: &'a [Named],
    /// Of the tester, to be searched for.
    pub secrets: &'a [Vec<u8>],
    /// The recording that is begun, or gone on with.
    pub dir: &'a Path,
    pub progress: &'a dyn Progress,
}

/// A capture that was read.
struct Found {
    capture: Capture,
    rows: Vec<(Subject, Observation)>,
}

/// Reads every file to its end, and only then writes what they show.
pub fn run(import: &Import<'_>) -> Result<Recording, CaptureError> {
    let dir = import.dir.display().to_string();
    if import.dir.join(END_TOKEN).exists() {
        return Err(CaptureError::Stamped { dir });
    }
    let wanted = Wanted::new(import.secrets).ok_or(CaptureError::Short)?;
    let mut all: Vec<Found> = Vec::new();
    for (n, file) in import.files.iter().enumerate() {
        import.progress.step(n, import.files.len(), &file.display().to_string());
        let found = read(file, import.device, &wanted)?;
        // The same file under two names is one capture.
        if all.iter().all(|f| f.capture.sha256 != found.capture.sha256) {
            all.push(found);
        }
    }
    import.progress.step(import.files.len(), import.files.len(), "done");
    let fail = |source| CaptureError::Journal { dir: dir.clone(), source };
    let journal = open(import, &all)?;
    let run = journal.start_run(RUN.id, VERSION, &[]);
    for Found { capture, rows } in all {
        journal.record(RUN.id, &run, Subject::Device, Observation::Capture { capture: Box::new(capture) }, None);
        for (subject, observation) in rows {
            journal.record(RUN.id, &run, subject, observation, None);
        }
    }
    journal.finish_run(&run);
    journal.finish().map_err(fail)?;
    resumable(&format!("{dir}/{RECORDING}"))
}

fn resumable(file: &str) -> Result<Recording, CaptureError> {
    engine::read(file).map_err(|e| CaptureError::Resume { file: file.to_owned(), why: e.to_string() })
}

fn open(import: &Import<'_>, all: &[Found]) -> Result<Journal, CaptureError> {
    let fail = |source| CaptureError::Journal { dir: import.dir.display().to_string(), source };
    let file = import.dir.join(RECORDING);
    if file.exists() {
        return Journal::resume(import.dir, &resumable(&file.display().to_string())?).map_err(fail);
    }
    let mut hosts: Vec<IpAddr> = all.iter().flat_map(|f| f.capture.device.addresses.iter().copied()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let header = Header {
        format: FORMAT.to_owned(),
        tool: Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        targets: all.iter().map(|f| f.capture.name.clone()).collect(),
        scope: Scope::of_command_line(&hosts),
        hosts,
        plan: vec![RUN.id.to_owned()],
        started: clock::now(),
    };
    journal::plan(import.dir, &engine::planned(&header, None)).map_err(fail)?;
    Journal::create(import.dir, header).map_err(fail)
}

/// Reads a file three times: who has the device's addresses on the link, what else it sends from, and what passed.
fn read(path: &Path, named: &[Named], wanted: &Wanted) -> Result<Found, CaptureError> {
    let mut device = Device::new(named);
    let first = file::read(path, &mut |p| {
        if let Ok(Link::Arp(mac, address)) = packet::link(p.link, p.data) {
            device.claims(mac, address);
        }
    })?;
    file::read(path, &mut |p| {
        if let Ok(Link::Ip(packet)) = packet::link(p.link, p.data) {
            device.learns(&packet);
        }
    })?;
    device.settle();
    let mut follow = Follow::new(wanted);
    let about = file::read(path, &mut |p| one(p, &mut device, &mut follow))?;
    let bad = |why: &str| CaptureError::File { file: path.display().to_string(), why: why.to_owned() };
    if about.sha256 != first.sha256 {
        return Err(bad("it changed while it was read; end the capture first"));
    }
    if about.packets == 0 {
        return Err(bad("it holds no packet"));
    }
    follow.end(place);
    let Follow { rows, unread, .. } = follow;
    let rows = rows.observations(&about.sha256);
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let capture = Capture {
        name: clean(&name, 200),
        sha256: about.sha256,
        bytes: about.bytes,
        format: about.format,
        packets: about.packets,
        dropped: about.dropped,
        filters: about.filters,
        device: device.watched(),
        searched: wanted.secrets,
        unread,
    };
    Ok(Found { capture, rows })
}

fn one(p: &file::Packet<'_>, device: &mut Device, follow: &mut Follow<'_>) {
    let packet = match packet::link(p.link, p.data) {
        Ok(Link::Ip(packet)) => packet,
        Ok(Link::Arp(..) | Link::Other) => return,
        Err(why) => return follow.missed(why),
    };
    let Some(way) = device.way(&packet) else { return };
    let peer = if way == Way::Sent { packet.destination } else { packet.source };
    let place = place(peer);
    device.saw(way, place, p.at);
    if p.cut {
        follow.missed(Unread::Cut);
    }
    follow.packet(&packet, way, place, p.number);
}
