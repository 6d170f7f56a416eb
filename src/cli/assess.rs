//! `assess`: the steps that await an assessor, asked for in turn or listed.
use super::{
    Done, Exit, Failure,
    attest::{attest, directory},
    judge, output, source,
};
use clap::Args;
use patuh::{
    judge::{Assessment, Inputs, Profile, assess::Outcome, assess_attested},
    model::attestation::{Attestation, Attested},
    scan::clock,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    io::{BufRead, IsTerminal},
    path::{Path, PathBuf},
};

#[derive(Args)]
#[command(
    after_help = "On a terminal each open step is asked for in turn; elsewhere the steps are listed.\n\nExamples:\n  patuh assess camera --profile asean-baseline --by 'A. Tan'\n  patuh assess camera --profile asean-baseline --by 'A. Tan' --second 'B. Lim' --expires 2027-06-30 --key ~/.ssh/id_ed25519"
)]
pub struct AssessArgs {
    /// A recording's directory
    #[arg(value_name = "RECORDING")]
    recording: PathBuf,
    #[arg(long, value_name = "ID")]
    profile: String,
    /// Who judges; asked for when not given
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// A second person who looks at everything along and agrees
    #[arg(long, value_name = "NAME")]
    second: Option<String>,
    /// The last day on which these judgements count, such as 2027-06-30
    #[arg(long, value_name = "DATE")]
    expires: Option<String>,
    /// Sign each judgement: an SSH private key, or the .pub file of a key that your SSH agent holds
    #[arg(long, value_name = "SSHKEY")]
    key: Option<PathBuf>,
}

/// One thing that a person must look at.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    id: String,
    about: String,
    todo: String,
}

/// The open units in the method's order, then requirements that no open unit stands for.
fn steps(a: &Assessment, profile: &Profile) -> Vec<Step> {
    let methods: BTreeMap<&str, (&str, &str)> = profile
        .method
        .iter()
        .flat_map(|m| m.units())
        .filter(|(_, _, u)| u.same_as.is_none())
        .map(|(g, _, u)| {
            (u.id.as_str(), (g.id.as_str(), u.attest.as_deref().or(u.completes.as_deref()).unwrap_or(&u.does)))
        })
        .collect();
    let mut steps = Vec::new();
    let mut covered = BTreeSet::new();
    for u in a.units.iter().filter(|u| u.verdict == Outcome::AwaitingAssessor) {
        if let Some((group, todo)) = methods.get(u.id.as_str()) {
            covered.insert(*group);
            steps.push(Step { id: u.id.clone(), about: format!("{group}, {}", u.kind), todo: (*todo).to_owned() });
        }
    }
    let open = a.requirements.iter().filter(|r| r.outcome == Outcome::AwaitingAssessor);
    for r in open.filter(|r| !r.cites.iter().any(|c| covered.contains(c.as_str()))) {
        let todo = if r.attest.is_empty() { r.text.clone() } else { r.attest.clone() };
        steps.push(Step { id: r.id.clone(), about: "requirement".to_owned(), todo });
    }
    steps
}

pub fn run(a: &AssessArgs) -> Done {
    directory(&a.recording)?;
    let profile = source::profile(&a.profile)?;
    let open = steps(&assessment(&a.recording, &profile)?, &profile);
    if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        ask(a, &open, &mut std::io::stdin().lock())?;
    } else {
        output::result(&list(&open, &a.recording))?;
    }
    Ok(judge::worst(&[assessment(&a.recording, &profile)?]))
}

fn assessment(dir: &Path, profile: &Profile) -> Result<Assessment, Failure> {
    let recording = source::recording(dir)?;
    let (ics, ixit, said) = (source::ics(None, dir)?, source::ixit(None, dir)?, source::attestations(dir)?);
    let inputs = Inputs { recording: &recording, ics: ics.as_ref(), ixit: ixit.as_ref() };
    Ok(assess_attested(&inputs, said.as_ref(), profile))
}

fn list(open: &[Step], dir: &Path) -> String {
    let mut out = format!("{} steps await an assessor\n", open.len());
    for s in open {
        let _ = writeln!(out, "{} ({})\n  {}", s.id, s.about, s.todo);
    }
    if let Some(first) = open.first() {
        let dir = dir.display();
        let _ =
            writeln!(out, "record each: patuh attest {dir} --unit {} --verdict pass --by NAME --why TEXT", first.id);
    }
    out
}

/// Asks for each step; every answer is kept at once, so that nothing is lost when somebody stops.
fn ask(a: &AssessArgs, open: &[Step], answers: &mut impl BufRead) -> Result<usize, Failure> {
    let mut kept = 0;
    let by = match &a.by {
        Some(by) => Some(by.clone()),
        None => answer(answers, "your name")?,
    };
    let Some(by) = by else { return Ok(kept) };
    for (n, s) in open.iter().enumerate() {
        output::note(&format!("\n{}/{}: {} ({})\n{}", n + 1, open.len(), s.id, s.about, s.todo));
        let verdict = loop {
            match answer(answers, "pass, fail, inconclusive, skip or quit")?.as_deref() {
                None | Some("quit" | "q") => return Ok(kept),
                Some("skip" | "s") => break None,
                Some("pass" | "p") => break Some(Attested::Pass),
                Some("fail" | "f") => break Some(Attested::Fail),
                Some("inconclusive" | "i") => break Some(Attested::Inconclusive),
                Some(other) => output::note(&format!("`{other}` is none of these")),
            }
        };
        let Some(verdict) = verdict else { continue };
        let Some(why) = answer(answers, "why")? else { return Ok(kept) };
        let attach = optional(answers, "a file relied on (empty: none)")?.map(PathBuf::from);
        let (unit, at, by) = (s.id.clone(), clock::now(), by.clone());
        let (second, expires, attachment, signature) = (a.second.clone(), a.expires.clone(), None, None);
        let said = Attestation { unit, verdict, by, why, at, second, expires, attachment, signature };
        attest(&a.recording, said, attach.as_deref(), a.key.as_deref())?;
        kept += 1;
    }
    Ok(kept)
}

/// A line that says something; `None` at the end of the input.
fn answer(from: &mut impl BufRead, question: &str) -> Result<Option<String>, Failure> {
    loop {
        output::note(&format!("{question}:"));
        match line(from)? {
            Some(text) if text.is_empty() => output::note("an answer is needed"),
            other => return Ok(other),
        }
    }
}

fn optional(from: &mut impl BufRead, question: &str) -> Result<Option<String>, Failure> {
    output::note(&format!("{question}:"));
    Ok(line(from)?.filter(|t| !t.is_empty()))
}

fn line(from: &mut impl BufRead) -> Result<Option<String>, Failure> {
    let mut text = String::new();
    let read = from.read_line(&mut text).map_err(|e| Failure::new(Exit::Io, format!("cannot read: {e}")))?;
    Ok((read > 0).then(|| text.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use patuh::model::Attestations;

    #[test]
    fn every_answer_is_kept_at_once_and_a_skipped_step_is_not_attested() {
        let dir = tempfile::tempdir().unwrap();
        let step = |id: &str| Step { id: id.to_owned(), about: String::new(), todo: String::new() };
        let open = [step("5.1-1-1a"), step("5.1-1-2b"), step("5.1-3-1a"), step("5.1-3-1b")];
        let answers = "A. Tan\nperhaps\npass\n\ngenerator reviewed\n\ns\nf\nsent in clear\n\nquit\n";
        let (recording, profile) = (dir.path().to_owned(), "asean-baseline".to_owned());
        let (second, expires) = (Some("B. Lim".to_owned()), Some("2099-12-31".to_owned()));
        let mut args = AssessArgs { recording, profile, by: None, second, expires, key: None };
        assert_eq!(ask(&args, &open, &mut answers.as_bytes()).unwrap(), 2);
        let kept: Attestations = source::attestations(dir.path()).unwrap().unwrap().value;
        let said: Vec<_> = kept.attested.iter().map(|a| (a.unit.as_str(), a.verdict, a.why.as_str())).collect();
        assert_eq!(
            said,
            [("5.1-1-1a", Attested::Pass, "generator reviewed"), ("5.1-3-1a", Attested::Fail, "sent in clear")]
        );
        assert!(kept.attested.iter().all(|a| a.by == "A. Tan" && a.at.ends_with('Z')));
        assert!(kept.attested.iter().all(|a| a.second.as_deref() == Some("B. Lim") && a.expires.is_some()));
        // Who said who they are, is not asked again.
        args.by = Some("A. Tan".to_owned());
        assert_eq!(ask(&args, &open, &mut "pass\nread\n\nquit\n".as_bytes()).unwrap(), 1);
    }
}
