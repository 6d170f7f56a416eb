//! Lines put together to a recording, one after the other.
use super::{FORMAT, Header, Line, Record, RecordingError, Run, UNCHAINED};
use crate::model::{Chain, Sha256Digest};
use std::collections::{BTreeMap, BTreeSet};

/// How a record's line begins as a scan writes it.
const RECORD: &[u8] = br#"{"line":"record","#;

/// Nearly every line is a record, and is read straight into its type: for the sake of the tag in front, serde would first
/// keep every member aside. What does not read so is read the general way, errors included.
pub(super) fn line(bytes: &mut [u8]) -> serde_json::Result<Line> {
    if bytes.starts_with(RECORD)
        && let Some(members) = bytes.get_mut(RECORD.len() - 1..)
        && let Some(first) = members.first_mut()
    {
        *first = b'{';
        if let Ok(record) = serde_json::from_slice(members) {
            return Ok(Line::Record(record));
        }
        if let Some(first) = members.first_mut() {
            *first = b',';
        }
    }
    serde_json::from_slice(bytes)
}

#[derive(Default)]
pub(super) struct Reader {
    pub header: Option<Header>,
    pub runs: Vec<Run>,
    index: BTreeMap<String, usize>,
    /// The highest id so far: while each is above the one before, as a scan writes them, none stands twice.
    highest: String,
    /// All ids, once one was not.
    ids: Option<BTreeSet<String>>,
    pub finished: Option<String>,
    pub transcripts: Option<Sha256Digest>,
    pub chain: Option<Chain>,
}

impl Reader {
    fn run(&mut self, line: usize, what: &'static str, id: &str) -> Result<&mut Run, RecordingError> {
        let unknown = || RecordingError::UnknownRun { line, what, run: id.to_owned() };
        let at = *self.index.get(id).ok_or_else(unknown)?;
        self.runs.get_mut(at).ok_or_else(unknown)
    }

    /// Whether no record before had this id.
    fn fresh(&mut self, id: &str) -> bool {
        let above = (id.len(), id) > (self.highest.len(), self.highest.as_str());
        if above && self.ids.is_none() {
            id.clone_into(&mut self.highest);
            return true;
        }
        let so_far = || self.runs.iter().flat_map(|r| &r.records).map(|r| r.id.to_string()).collect();
        self.ids.get_or_insert_with(so_far).insert(id.to_owned())
    }

    pub fn take(&mut self, number: usize, line: Line) -> Result<(), RecordingError> {
        if self.header.is_none() && !matches!(line, Line::Header(_)) {
            return Err(RecordingError::NoHeader);
        }
        match line {
            Line::Header(h) => {
                if h.format != if self.chain.is_some() { FORMAT } else { UNCHAINED } {
                    return Err(RecordingError::Format(h.format));
                }
                if self.header.replace(h).is_some() {
                    return Err(RecordingError::Twice { line: number, id: "header".to_owned() });
                }
            }
            Line::RunStarted { run, probe, version, subjects_from, at } => {
                if self.index.insert(run.clone(), self.runs.len()).is_some() {
                    return Err(RecordingError::Twice { line: number, id: run });
                }
                let (records, gaps) = (Vec::new(), Vec::new());
                self.runs.push(Run {
                    id: run.into(),
                    probe,
                    version,
                    subjects_from,
                    started: at,
                    finished: None,
                    records,
                    gaps,
                });
            }
            Line::Record(r) => {
                if !self.fresh(&r.id) {
                    return Err(RecordingError::Twice { line: number, id: r.id.to_string() });
                }
                let run = self.run(number, "a record", &r.run)?;
                // Of the same run, and mostly of the same time as the one before: held once.
                let at = run.records.last().map(|before| &before.at).filter(|at| **at == r.at).cloned();
                let (at, of) = (at.unwrap_or(r.at), run.id.clone());
                run.records.push(Record { run: of, at, ..r });
            }
            Line::Gap { run, gap } => self.run(number, "a gap", &run)?.gaps.push(gap),
            Line::RunFinished { run, at } => self.run(number, "an end", &run)?.finished = Some(at),
            Line::Finished { at, transcripts } => (self.finished, self.transcripts) = (Some(at), transcripts),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Recording, *};

    fn recording(ids: &[&str]) -> Result<Recording, RecordingError> {
        let head = r#"{"line":"header","format":"recording/1","tool":{"name":"patuh","version":"0"},"targets":[],"hosts":[],
            "plan":[],"started":"t","scope":{"authorised_by":"x","hosts":["127.0.0.1/32"]}}"#;
        let run = r#"{"line":"run-started","run":"p1","probe":"a","version":1,"subjects_from":[],"at":"t"}"#;
        let record = |id: &&str| {
            format!(
                r#"{{"line":"record","id":"{id}","run":"p1","subject":"device","at":"t","observation":{{"kind":"alive","how":"x"}}}}"#
            )
        };
        let mut lines = vec![head.replace('\n', ""), run.to_owned()];
        lines.extend(ids.iter().map(record));
        Recording::parse((lines.join("\n") + "\n").as_bytes())
    }

    #[test]
    fn an_id_that_stands_twice_is_refused_in_whatever_order() {
        for (ids, line) in [(&["r1", "r2", "r2"][..], 5), (&["r2", "r10", "r9", "r2"], 6), (&["r3", "r1", "r1"], 5)] {
            let wrong = recording(ids).map(|r| r.runs.len()).map_err(|e| e.to_string());
            assert_eq!(wrong, Err(format!("line {line}: `{}` stands twice", ids[ids.len() - 1])));
        }
        assert!(recording(&["r2", "r10", "r9", "r1"]).is_ok());
    }

    #[test]
    fn a_record_is_refused_for_the_same_reasons_however_its_line_is_read() {
        let good = r#"{"line":"record","id":"r1","run":"p1","subject":"device","at":"t","observation":{"kind":"alive","how":"x"}}"#;
        let spaced = good.replacen(':', ": ", 1);
        let read = |text: &str| line(&mut text.as_bytes().to_vec()).map_err(|e| e.to_string());
        assert_eq!(read(good).unwrap(), read(&spaced).unwrap());
        for (from, to) in
            [("\"at\"", "\"line\":\"gap\",\"at\""), ("\"at\"", "\"more\":1,\"at\""), ("\"x\"}}", "\"x\"}")]
        {
            for text in [good, &spaced] {
                assert!(read(&text.replace(from, to)).is_err(), "{text}");
            }
        }
    }
}
