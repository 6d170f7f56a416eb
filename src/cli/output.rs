//! The only place that prints. Results go to stdout, everything else to stderr.
#![expect(clippy::print_stderr, reason = "this is where printing happens")]
use crate::cli::{Exit, Failure};
use patuh::scan::Progress;
use std::{
    io::{IsTerminal, Write},
    path::Path,
    sync::Mutex,
    time::Instant,
};

pub fn error(message: &str) {
    eprintln!("patuh: {message}");
}

pub fn note(message: &str) {
    eprintln!("{message}");
}

/// A result. A closed pipe is the reader's business, any other failure is an error.
pub fn result(text: &str) -> Result<(), Failure> {
    match std::io::stdout().lock().write_all(text.as_bytes()).and_then(|()| std::io::stdout().flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Io, format!("cannot write: {e}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A result in a file that the user named; what was there is replaced.
pub fn file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(|e| Failure::new(Exit::Io, format!("`{}`: {e}", path.display())))
}

/// `n/m` with the time left: a bar on a terminal, plain lines elsewhere.
pub struct Steps {
    label: String,
    started: Instant,
    bar: Option<indicatif::ProgressBar>,
    last: Mutex<usize>,
}

impl Steps {
    pub fn new(label: &str) -> Self {
        let bar = (std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()).then(|| {
            let bar = indicatif::ProgressBar::new(1);
            if let Ok(style) =
                indicatif::ProgressStyle::with_template("{prefix} {pos}/{len} {wide_bar} {eta} left  {msg}")
            {
                bar.set_style(style);
            }
            bar.with_prefix(label.to_owned())
        });
        Self { label: label.to_owned(), started: Instant::now(), bar, last: Mutex::new(usize::MAX) }
    }
}

impl Progress for Steps {
    fn step(&self, done: usize, of: usize, what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_length(of as u64);
            bar.set_position(done as u64);
            bar.set_message(what.to_owned());
            if done == of {
                bar.finish_and_clear();
            }
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *last != done {
            *last = done;
            let elapsed = self.started.elapsed().as_secs_f64();
            let left = if done == 0 {
                String::new()
            } else {
                let rest = of.saturating_sub(done);
                format!(
                    ", about {:.0} s left",
                    elapsed / f64::from(u32::try_from(done).unwrap_or(1)) * f64::from(u32::try_from(rest).unwrap_or(0))
                )
            };
            eprintln!("{} {done}/{of}{left}: {what}", self.label);
        }
    }
}
