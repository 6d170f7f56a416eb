//! A recording as a scan writes it today: planned, and its lines chained.
use crate::support;
use patuh::model::{Sha256Digest, chain::link, plan};
use serde_json::{Value, json};
use std::{fs, path::Path};

fn of(line: &str) -> Sha256Digest {
    Sha256Digest::of(line.as_bytes())
}

/// Links objects into lines, from a seed.
pub fn chain(objects: &[String], seed: Sha256Digest) -> Vec<String> {
    let mut last = seed;
    let mut lines = Vec::new();
    for object in objects {
        let line = link(object, &last);
        last = of(&line);
        lines.push(line);
    }
    lines
}

/// The objects of linked lines.
pub fn unlinked(text: &str) -> Vec<String> {
    let bare = |line: &str| format!("{}}}", &line[..patuh::model::chain::links(line.as_bytes()).unwrap().0]);
    text.lines().map(bare).collect()
}

/// Writes the plan beside the recording of `support::lines`, with three transcripts.
pub fn write_plan(dir: &Path) {
    fs::create_dir_all(dir).unwrap();
    let header: Value = serde_json::from_str(&support::lines("BusyBox telnetd")[0]).unwrap();
    let text = json!({"schema":"scan-plan/1","tool":header["tool"],"targets":header["targets"],"hosts":header["hosts"],
        "scope":header["scope"],"probes":header["plan"],"made":"2025-12-31T23:59:00Z"});
    fs::write(dir.join(plan::FILE), format!("{text}\n")).unwrap();
}

/// Writes the logs after the plan, or after an authority's answer about it.
pub fn write_logs(dir: &Path) {
    write_logs_at(dir, "2026-01-01T00:00:00Z");
}

/// Writes the logs of a scan that was at this time.
pub fn write_logs_at(dir: &Path, at: &str) {
    let token = dir.join(plan::TOKEN);
    let start = if token.exists() { token } else { dir.join(plan::FILE) };
    let seed = Sha256Digest::of(&fs::read(start).unwrap());
    let mut objects = support::lines("BusyBox telnetd");
    for object in &mut objects {
        *object = object.replace("2026-01-01T00:00:00Z", at).replace("2026-01-01T00:10:00Z", at);
    }
    objects[0] = objects[0].replace("recording/1", "recording/2");
    let first = of(&link(&objects[0], &seed));
    let spoken: Vec<String> = ["c0", "c1", "c2"].map(|c| support::TRANSCRIPT.replace("c1", c)).to_vec();
    let transcripts = chain(&spoken, first);
    let cited = of(&transcripts[1]).to_string();
    let old = of(support::TRANSCRIPT).to_string();
    let mut objects: Vec<String> = objects.iter().map(|o| o.replace(&old, &cited)).collect();
    let end = objects.last_mut().unwrap();
    *end = format!("{},\"transcripts\":\"{}\"}}", end.strip_suffix('}').unwrap(), of(&transcripts[2]));
    fs::write(dir.join("recording.jsonl"), chain(&objects, seed).join("\n") + "\n").unwrap();
    fs::write(dir.join("transcripts.jsonl"), transcripts.join("\n") + "\n").unwrap();
}
