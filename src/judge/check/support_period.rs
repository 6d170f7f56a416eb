//! How long a device gets updates: published for its model, not over, and its end announced.
use super::{
    Check, Judge, Proves, Severity, bind,
    common::never_absent,
    documents::{Declared, RUN, Reach, TABLE, declared, field, open_to_a_person, reach},
    terms::{dates, find, is_whole_english, periods, plain},
};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every, some},
};
use crate::model::observation::{clean, public::Document};
use jiff::civil::Date;
use serde::Deserialize;
use std::collections::BTreeSet;

const FIELD: &str = "pub_support_period";
const PERIOD: &str = "support_period";
/// A page of fewer characters may be a cookie banner, or be filled by scripts.
const LITTLE: usize = 200;

pub const PUBLISHED: Check = Check {
    id: "support-period-published",
    title: "The support period is published for the model",
    page: include_str!("support_period_published.md"),
    expected: "anybody can read how long this model is supported, and it is what the IXIT says",
    remedy: "publish the model's end of support as a date",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &[RUN],
    bind: bind::<Published>,
};

pub const CURRENT: Check = Check {
    id: "support-period-current",
    title: "The support period has not ended and is long enough",
    page: include_str!("support_period_current.md"),
    expected: "the support period ends after the day of the recording, and is as long as the profile asks for",
    remedy: "extend the support period, or take the product off the market",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &[RUN],
    bind: bind::<Current>,
};

pub const NOTICE: Check = Check {
    id: "eos-notice",
    title: "The end of support is announced",
    page: include_str!("eos_notice.md"),
    expected: "once support has ended, the published page says so",
    remedy: "announce the end of support on the product's page and on the device",
    severity: Severity::Low,
    pass: Proves::Partial,
    needs: &[RUN],
    bind: bind::<Notice>,
};

fn readable<'a>(evidence: &Evidence<'_>, what: Declared<'a>) -> Result<(&'a Document, &'a str), Point> {
    let d = match reach(evidence, what) {
        Reach::Open(d) | Reach::Copy(d) => d,
        Reach::Not(why) => return Err(Point::Bad(why)),
        Reach::Unclear(why) => return Err(Point::Unclear(why)),
    };
    match d.text.as_deref() {
        Some(text) if text.chars().count() >= LITTLE => Ok((d, text)),
        Some(_) => Err(Point::Unclear(format!("{} has too little text that we can read", d.url))),
        None => Err(Point::Unclear(format!("{} is {}: read it", d.url, d.content_type))),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {}

impl Judge for Published {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let decision = every(&declared(evidence, FIELD), "no publication is declared", |seen| {
            match readable(evidence, seen.what) {
                Ok((d, text)) => stated(evidence, d, text),
                Err(point) => point,
            }
        });
        never_absent(decision, "ixit table 2-UserInfo", "it declares no address of the support period")
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        open_to_a_person(&self.judge(evidence))
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE, "dut"]
    }
}

fn stated(evidence: &Evidence<'_>, d: &Document, text: &str) -> Point {
    let url = &d.url;
    let (on_page, lengths) = (dates(text), periods(text));
    let nothing = on_page.is_empty() && lengths.is_empty();
    let timeless = find("time", text).is_none() && find("year", text).is_none();
    if nothing && is_whole_english(d) && (timeless || find("support", text).is_none()) {
        return Point::Bad(format!("{url} names no time of support at all"));
    }
    let Some(model) = model(evidence) else {
        return Point::Unclear(format!("{url}: the IXIT names no model to look for"));
    };
    if !plain(text).contains(&plain(model)) {
        return Point::Unclear(format!("{url} does not name the model `{}`: see that it covers it", clean(model, 60)));
    }
    if nothing {
        return Point::Unclear(format!("{url} names the model and no date or period that we can read"));
    }
    let shown = shown(&on_page, &lengths);
    let Some(said) = field(evidence, PERIOD) else {
        return Point::Unclear(format!("{url} names {shown}; the IXIT does not say the support period"));
    };
    let (in_ixit, of_ixit) = (dates(said), periods(said));
    let same = in_ixit.iter().any(|x| on_page.contains(x)) || of_ixit.iter().any(|x| lengths.contains(x));
    let other = |ixit: bool, page: bool| ixit && page && !d.cut;
    if same {
        Point::Good(format!(
            "{url} names the model and {shown}, as the IXIT does; a person confirms that it is the support period"
        ))
    } else if other(!in_ixit.is_empty(), !on_page.is_empty())
        || other(in_ixit.is_empty() && !of_ixit.is_empty(), !lengths.is_empty())
    {
        Point::Bad(format!("{url} names {shown} for the model, and the IXIT says `{}`", clean(said, 80)))
    } else {
        Point::Unclear(format!("{url} names {shown}; the IXIT says `{}`", clean(said, 80)))
    }
}

fn shown(dates: &BTreeSet<Date>, lengths: &BTreeSet<u32>) -> String {
    let days = dates.iter().map(ToString::to_string);
    let months = lengths.iter().map(|m| format!("{m} months"));
    super::common::listed(days.chain(months).take(6))
}

/// The model's designation as the IXIT identifies the device.
pub(super) fn model<'a>(evidence: &Evidence<'a>) -> Option<&'a str> {
    let entry = evidence.ixit?.declared("dut")?.into_iter().next()?;
    Some(entry.text("model")).filter(|m| plain(m).len() > 1)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Current {
    /// The shortest period that the scheme takes.
    #[serde(default)]
    months: Option<u32>,
}

impl Judge for Current {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let decision =
            every(&declared(evidence, FIELD), "no publication is declared", |seen| self.point(evidence, seen.what));
        never_absent(decision, "ixit table 2-UserInfo", "it declares no address of the support period")
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        open_to_a_person(&self.judge(evidence))
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

impl Current {
    fn point(&self, evidence: &Evidence<'_>, what: Declared<'_>) -> Point {
        let Some(end) = end(evidence, what) else {
            return Point::Unclear("neither the IXIT nor one date on the page says when support ends".to_owned());
        };
        let Some(today) = today(evidence) else {
            return Point::Unclear("the recording's time cannot be read".to_owned());
        };
        // A period that is over somewhere is still running elsewhere for a day.
        if end < today {
            return Point::Bad(format!("support ended on {end}, before {today}"));
        }
        let Some(least) = self.months else { return Point::Good(format!("support ends on {end}, after {today}")) };
        let said = field(evidence, PERIOD).map(periods).unwrap_or_default();
        match said.last() {
            Some(longest) if *longest < least => {
                Point::Bad(format!("a period of {longest} months is declared, {least} are needed"))
            }
            Some(longest) => {
                Point::Good(format!("support ends on {end}; {longest} months are declared, {least} are needed"))
            }
            None => {
                Point::Unclear(format!("support ends on {end}; since when the {least} months count is not declared"))
            }
        }
    }
}

/// When support ends: the latest date of the IXIT, else the only one of the page.
fn end(evidence: &Evidence<'_>, what: Declared<'_>) -> Option<Date> {
    let of_ixit = field(evidence, PERIOD).map(dates).unwrap_or_default();
    if let Some(last) = of_ixit.last() {
        return Some(*last);
    }
    let (_, text) = readable(evidence, what).ok()?;
    let on_page = dates(text);
    (on_page.len() == 1).then(|| on_page.first().copied()).flatten()
}

fn today(evidence: &Evidence<'_>) -> Option<Date> {
    evidence.as_of().get(..10)?.parse().ok()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Notice {}

impl Judge for Notice {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let known = declared(evidence, FIELD);
        let over = |what: Declared<'_>| match (end(evidence, what), today(evidence)) {
            (Some(end), Some(today)) => end < today,
            (_, _) => false,
        };
        let due = known.only(|what| over(*what));
        some(&due, "support has not ended by a date that is declared", |seen| match readable(evidence, seen.what) {
            Ok((d, text)) => announced(d, text),
            Err(point) => point,
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        open_to_a_person(&self.judge(evidence))
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

fn announced(d: &Document, text: &str) -> Point {
    match find("ended", text) {
        Some(said) => Point::Good(format!("{} says `{}`; see the device and its app, too", d.url, clean(said, 60))),
        None if is_whole_english(d) => Point::Bad(format!("support has ended, and {} does not say so", d.url)),
        None => Point::Unclear(format!("support has ended; no notice was found on {} by its words", d.url)),
    }
}
