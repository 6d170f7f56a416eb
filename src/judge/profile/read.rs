//! Reading a profile's text. Every mistake is an error that names file, line and the nearest known name.
use super::{Catalogue, Level, Method, Profile, ProfileError, Requirement, common, nearest, steps, thresholds};
use crate::judge::check::{self, CHECKS, Check, Judge};
use crate::model::{Sha256Digest, declarations::located};
use jiff::civil::Date;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    title: String,
    edition: String,
    jurisdiction: String,
    legal_status: String,
    #[serde(default)]
    applies_to: String,
    valid_from: Spanned<String>,
    valid_to: Option<Spanned<String>>,
    superseded_by: Option<String>,
    disclaimer: String,
    confidence: String,
    catalogue: Option<Spanned<String>>,
    method: Option<Spanned<String>>,
    sources: Vec<String>,
    #[serde(rename = "level", default)]
    levels: Vec<Level>,
    #[serde(default)]
    parameters: BTreeMap<Spanned<String>, toml::Table>,
    #[serde(rename = "requirement")]
    requirements: Vec<WrittenRequirement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRequirement {
    id: Spanned<String>,
    level: Spanned<String>,
    binding: super::Binding,
    text: String,
    #[serde(default)]
    cites: Vec<Spanned<String>>,
    #[serde(default)]
    relates: Vec<Spanned<String>>,
    #[serde(default)]
    checks: Vec<Spanned<String>>,
    #[serde(default)]
    attest: String,
    #[serde(default)]
    thresholds: BTreeMap<Spanned<String>, toml::Value>,
    #[serde(default)]
    steps: Vec<Spanned<String>>,
    #[serde(default)]
    confidence: Option<String>,
}

type Bound = BTreeMap<&'static str, (&'static Check, Box<dyn Judge>)>;

pub(super) fn read(file: &str, text: &str, level: Option<&str>) -> Result<Profile, ProfileError> {
    let place = Place { file, text };
    let w: Written = toml::from_str(text).map_err(|e| {
        let d = located(file, text, &e);
        ProfileError { file: d.file, line: d.line, message: d.message }
    })?;
    let catalogue = place.catalogue(w.catalogue.as_ref())?;
    let method = place.method(w.method.as_ref())?;
    let (valid_from, valid_to) = place.validity(&w)?;
    let chosen = place.level(&w.levels, level)?;
    let used = place.requirements(&w, catalogue)?;
    let mut checks = place.bind(&w.parameters, &used)?;
    let rank = |l: &str| w.levels.iter().position(|x| x.id == l);
    let top = rank(&chosen);
    let (kept, _): (Vec<_>, Vec<_>) = w.requirements.into_iter().partition(|r| rank(r.level.get_ref()) <= top);
    let requirements: Vec<Requirement> = kept.into_iter().map(|r| requirement(r, w.catalogue.as_ref())).collect();
    let needed: BTreeSet<&str> = requirements.iter().flat_map(|r| r.checks.iter().map(String::as_str)).collect();
    checks.retain(|id, _| needed.contains(id));
    let mut parameters: BTreeMap<String, toml::Table> =
        w.parameters.into_iter().map(|(id, table)| (id.into_inner(), table)).collect();
    parameters.retain(|id, _| needed.contains(id.as_str()));
    Ok(Profile {
        id: w.id,
        title: w.title,
        edition: w.edition,
        jurisdiction: w.jurisdiction,
        legal_status: w.legal_status,
        applies_to: w.applies_to,
        valid_from,
        valid_to,
        superseded_by: w.superseded_by,
        disclaimer: w.disclaimer,
        confidence: w.confidence,
        sources: w.sources,
        level: chosen,
        levels: w.levels,
        requirements,
        parameters,
        catalogue,
        method,
        digest: Sha256Digest::of(text.as_bytes()),
        checks,
    })
}

fn requirement(r: WrittenRequirement, catalogue: Option<&Spanned<String>>) -> Requirement {
    let plain = |list: Vec<Spanned<String>>| list.into_iter().map(Spanned::into_inner).collect::<Vec<_>>();
    let (cites, relates) = (plain(r.cites), plain(r.relates));
    Requirement {
        id: r.id.into_inner(),
        level: r.level.into_inner(),
        binding: r.binding,
        text: r.text,
        rows: common::rows(catalogue.map(|c| c.get_ref().as_str()), &cites, &relates),
        cites,
        relates,
        checks: plain(r.checks),
        attest: r.attest,
        thresholds: r.thresholds.into_iter().map(|(k, v)| (k.into_inner(), v)).collect(),
        steps: plain(r.steps),
        confidence: r.confidence,
    }
}

/// The text that is read, for saying where in it something is wrong.
struct Place<'a> {
    file: &'a str,
    text: &'a str,
}

impl Place<'_> {
    fn at<T>(&self, item: &Spanned<T>, message: String) -> ProfileError {
        let before = self.text.get(..item.span().start).unwrap_or_default();
        self.line(before.matches('\n').count() + 1, message)
    }

    fn line(&self, line: usize, message: String) -> ProfileError {
        ProfileError { file: self.file.to_owned(), line, message }
    }

    fn catalogue(&self, written: Option<&Spanned<String>>) -> Result<Option<&'static Catalogue>, ProfileError> {
        let find = |c: &Spanned<String>| {
            let near = || nearest(c.get_ref(), Catalogue::all().iter().map(|c| c.id.as_str()));
            let missing = || self.at(c, format!("no catalogue `{}`{}", c.get_ref(), near()));
            Catalogue::find(c.get_ref()).ok_or_else(missing)
        };
        written.map(find).transpose()
    }

    fn method(&self, written: Option<&Spanned<String>>) -> Result<Option<&'static Method>, ProfileError> {
        let find = |m: &Spanned<String>| {
            let near = || nearest(m.get_ref(), Method::all().iter().map(|m| m.id.as_str()));
            let missing = || self.at(m, format!("no method `{}`{}", m.get_ref(), near()));
            Method::find(m.get_ref()).ok_or_else(missing)
        };
        written.map(find).transpose()
    }

    fn validity(&self, w: &Written) -> Result<(Date, Option<Date>), ProfileError> {
        let from = self.date(&w.valid_from)?;
        let Some(written) = &w.valid_to else { return Ok((from, None)) };
        let to = self.date(written)?;
        if to < from {
            return Err(self.at(written, format!("valid_to `{to}` is before valid_from `{from}`")));
        }
        Ok((from, Some(to)))
    }

    fn date(&self, written: &Spanned<String>) -> Result<Date, ProfileError> {
        let message = || format!("`{}` is no date; write YYYY-MM-DD", written.get_ref());
        written.get_ref().parse().map_err(|_| self.at(written, message()))
    }

    /// The level asked for, or the lowest.
    fn level(&self, levels: &[Level], asked: Option<&str>) -> Result<String, ProfileError> {
        let known = || levels.iter().map(|l| l.id.as_str());
        let first = known().next().ok_or_else(|| self.line(1, "no `[[level]]`; add at least one".to_owned()))?;
        match asked {
            None => Ok(first.to_owned()),
            Some(l) if known().any(|k| k == l) => Ok(l.to_owned()),
            Some(l) => {
                let line = self.text.lines().position(|t| t.trim() == "[[level]]").map_or(1, |n| n + 1);
                let has: Vec<&str> = known().collect();
                Err(self.line(line, format!("no level `{l}`; it has {}", has.join(", "))))
            }
        }
    }

    /// Every requirement is well formed; returns the checks that they use.
    fn requirements(
        &self,
        w: &Written,
        catalogue: Option<&'static Catalogue>,
    ) -> Result<BTreeSet<&'static str>, ProfileError> {
        let (mut ids, mut used) = (BTreeSet::new(), BTreeSet::new());
        for r in &w.requirements {
            let id = r.id.get_ref();
            if !ids.insert(id) {
                return Err(self.at(&r.id, format!("requirement `{id}` stands twice; remove one")));
            }
            if !w.levels.iter().any(|l| l.id == *r.level.get_ref()) {
                let known: Vec<&str> = w.levels.iter().map(|l| l.id.as_str()).collect();
                let message =
                    format!("requirement `{id}` has unknown level `{}`; use {}", r.level.get_ref(), known.join(", "));
                return Err(self.at(&r.level, message));
            }
            if r.checks.is_empty() && r.attest.trim().is_empty() {
                return Err(self.at(&r.id, format!("requirement `{id}` maps to nothing; give it checks or attest")));
            }
            for list in [&r.cites, &r.relates, &r.checks, &r.steps] {
                self.twice(id, list)?;
            }
            self.provisions(r, catalogue)?;
            self.thresholds(r)?;
            self.steps(r)?;
            for c in &r.checks {
                let check = check::find(c.get_ref()).ok_or_else(|| {
                    let near = nearest(c.get_ref(), CHECKS.iter().map(|c| c.id));
                    self.at(c, format!("requirement `{id}` names unknown check `{}`{near}", c.get_ref()))
                })?;
                used.insert(check.id);
            }
        }
        Ok(used)
    }

    fn twice(&self, requirement: &str, list: &[Spanned<String>]) -> Result<(), ProfileError> {
        let mut seen = BTreeSet::new();
        match list.iter().find(|c| !seen.insert(c.get_ref())) {
            None => Ok(()),
            Some(c) => {
                Err(self.at(c, format!("requirement `{requirement}` names `{}` twice; remove one", c.get_ref())))
            }
        }
    }

    fn provisions(&self, r: &WrittenRequirement, catalogue: Option<&'static Catalogue>) -> Result<(), ProfileError> {
        let id = r.id.get_ref();
        for c in &r.cites {
            let Some(catalogue) = catalogue else {
                let message = format!(
                    "requirement `{id}` cites `{}`, but the profile names no catalogue; use relates",
                    c.get_ref()
                );
                return Err(self.at(c, message));
            };
            if !catalogue.provisions.iter().any(|p| p.id == *c.get_ref()) {
                let near = nearest(c.get_ref(), catalogue.provisions.iter().map(|p| p.id.as_str()));
                let message =
                    format!("requirement `{id}` cites unknown provision `{}` of `{}`{near}", c.get_ref(), catalogue.id);
                return Err(self.at(c, message));
            }
        }
        for c in &r.relates {
            if common::find(c.get_ref()).is_none() {
                let near = nearest(c.get_ref(), common::list().iter().map(|row| row.id));
                let message =
                    format!("requirement `{id}` relates to `{}`, which is not in the common list{near}", c.get_ref());
                return Err(self.at(c, message));
            }
        }
        Ok(())
    }

    /// Thresholds that no check reads are for the assessor, and need a step that uses them.
    fn thresholds(&self, r: &WrittenRequirement) -> Result<(), ProfileError> {
        for (key, value) in &r.thresholds {
            let (id, name) = (r.id.get_ref(), key.get_ref());
            let Some(known) = thresholds::find(name) else {
                let near = nearest(name, thresholds::all().iter().map(|t| t.id.as_str()));
                return Err(self.at(key, format!("requirement `{id}` has unknown threshold `{name}`{near}")));
            };
            if !known.accepts(value) {
                return Err(
                    self.at(key, format!("threshold `{name}` of requirement `{id}` must be a {}", known.kind.word()))
                );
            }
            if r.attest.trim().is_empty() {
                let message =
                    format!("requirement `{id}` has thresholds, but no assessor step to apply them; give it attest");
                return Err(self.at(key, message));
            }
        }
        Ok(())
    }

    /// Steps of the catalogue go with a step of the requirement's own.
    fn steps(&self, r: &WrittenRequirement) -> Result<(), ProfileError> {
        let id = r.id.get_ref();
        for step in &r.steps {
            let name = step.get_ref();
            if steps::find(name).is_none() {
                let near = nearest(name, steps::all().iter().map(|s| s.id.as_str()));
                return Err(self.at(step, format!("requirement `{id}` names unknown step `{name}`{near}")));
            }
            if r.attest.trim().is_empty() {
                let message =
                    format!("requirement `{id}` has steps, but no assessor step that they belong to; give it attest");
                return Err(self.at(step, message));
            }
        }
        Ok(())
    }

    /// Every used check with its parameters.
    fn bind(
        &self,
        parameters: &BTreeMap<Spanned<String>, toml::Table>,
        used: &BTreeSet<&'static str>,
    ) -> Result<Bound, ProfileError> {
        let mut bound = Bound::new();
        for (written, table) in parameters {
            let id = written.get_ref();
            let check = used.get(id.as_str()).and_then(|id| check::find(id)).ok_or_else(|| {
                let near = nearest(id, used.iter().copied());
                self.at(written, format!("parameters for `{id}`, which no requirement uses{near}"))
            })?;
            let judge = (check.bind)(table.clone()).map_err(|e| self.parameter(written, table, &e))?;
            bound.insert(check.id, (check, judge));
        }
        for check in used.iter().filter_map(|id| check::find(id)) {
            if !bound.contains_key(check.id) {
                let judge = (check.bind)(toml::Table::new())
                    .map_err(|e| self.line(1, format!("check `{}` needs parameters: {e}", check.id)))?;
                bound.insert(check.id, (check, judge));
            }
        }
        Ok(bound)
    }

    /// What is wrong with a parameter, at its own line where the message names it.
    fn parameter(&self, check: &Spanned<String>, table: &toml::Table, problem: &str) -> ProfileError {
        let problem = problem.lines().next().unwrap_or_default();
        let mut quoted = problem.split('`').skip(1).step_by(2);
        let named = quoted.next().filter(|n| table.contains_key(*n)).unwrap_or_default();
        let near = if named.is_empty() { String::new() } else { nearest(named, quoted) };
        let from = self.text.get(..check.span().start).unwrap_or_default().matches('\n').count();
        let offset = self.text.lines().skip(from).position(|l| {
            let key = l.split('=').next().unwrap_or_default().trim().trim_matches('"');
            !named.is_empty() && key == named
        });
        self.line(from + 1 + offset.unwrap_or(0), format!("parameters of `{}`: {problem}{near}", check.get_ref()))
    }
}
