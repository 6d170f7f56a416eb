//! The policy by which flaws are reported: open to anybody, with what it must say, in a language that people read.
use super::{
    Check, Judge, Proves, Severity, bind,
    common::never_absent,
    documents::{Declared, RUN, Reach, TABLE, declared, newest, open_to_a_person, reach},
    terms::{Language, Spoken, find, is_whole_english},
    vdp_security_txt::{self, File},
};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every, some},
};
use crate::model::observation::{clean, public::Document};
use serde::Deserialize;

const FIELD: &str = "pub_vdp";
/// A page of fewer characters may be a cookie banner, or be filled by scripts.
const LITTLE: usize = 300;

pub const PUBLISHED: Check = Check {
    id: "vdp-policy-published",
    title: "The vulnerability disclosure policy is public",
    page: include_str!("vdp_policy_published.md"),
    expected: "the declared address shows anybody a page about reporting vulnerabilities",
    remedy: "publish the policy where it is declared, without an account before it",
    severity: Severity::High,
    pass: Proves::Full,
    needs: &[RUN],
    bind: bind::<Published>,
};

pub const CONTENT: Check = Check {
    id: "vdp-policy-content",
    title: "The disclosure policy names a contact and both times",
    page: include_str!("vdp_policy_content.md"),
    expected: "the policy names a contact, when receipt is acknowledged and when status updates come",
    remedy: "add the contact, the time to acknowledgement and the rhythm of status updates",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &[RUN],
    bind: bind::<Content>,
};

pub const LANGUAGE: Check = Check {
    id: "vdp-language-access",
    title: "The disclosure policy can be read in the languages of the market",
    page: include_str!("vdp_language_access.md"),
    expected: "the policy is there in every language that the profile asks for",
    remedy: "translate the policy",
    severity: Severity::Low,
    pass: Proves::Partial,
    needs: &[RUN],
    bind: bind::<InLanguages>,
};

pub const SECURITY_TXT: Check = Check {
    id: "vdp-security-txt-site",
    title: "A security.txt on the maker's site is valid",
    page: include_str!("vdp_security_txt_site.md"),
    needs: &[RUN],
    bind: bind::<OnSite>,
    ..vdp_security_txt::CHECK
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {}

impl Judge for Published {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let known = declared(evidence, FIELD);
        let decision = every(&known, "no policy is declared", |seen| match reach(evidence, seen.what) {
            Reach::Open(d) => about_flaws(d),
            Reach::Copy(d) => Point::Unclear(format!("{}: a copy does not show that the public can reach it", d.url)),
            Reach::Not(why) => Point::Bad(why),
            Reach::Unclear(why) => Point::Unclear(why),
        });
        never_absent(decision, "ixit table 2-UserInfo", "it declares no address of a disclosure policy")
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        open_to_a_person(&self.judge(evidence))
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

/// Only of a whole English page is it known that it does not speak of flaws.
fn about_flaws(d: &Document) -> Point {
    let url = &d.url;
    let Some(text) = &d.text else { return Point::Unclear(format!("{url} is {}: read it", d.content_type)) };
    let little = text.chars().count() < LITTLE;
    match find("vulnerability", text) {
        Some(said) if !little => Point::Good(format!("{url} is open to anybody and speaks of `{}`", clean(said, 60))),
        None if !little && is_whole_english(d) => {
            Point::Bad(format!("{url} is open and does not speak of vulnerabilities at all"))
        }
        Some(_) | None => Point::Unclear(format!("{url} has too little text that we can read: open it in a browser")),
    }
}

/// The text of a declared policy that there is to read, however it came.
fn readable<'a>(evidence: &Evidence<'_>, what: Declared<'a>) -> Result<(&'a Document, &'a str), Point> {
    let d = match reach(evidence, what) {
        Reach::Open(d) | Reach::Copy(d) => d,
        Reach::Not(why) | Reach::Unclear(why) => return Err(Point::Unclear(why)),
    };
    match d.text.as_deref() {
        Some(text) if text.chars().count() >= LITTLE => Ok((d, text)),
        Some(_) => Err(Point::Unclear(format!("{} has too little text that we can read", d.url))),
        None => Err(Point::Unclear(format!("{} is {}: read it", d.url, d.content_type))),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {}

/// What a policy must name, by the topic that proposes it and the wide one without which it cannot be there.
const PARTS: [(&str, &str, &str); 3] = [
    ("a contact", "contact", "contact"),
    ("when receipt is acknowledged", "acknowledgement", "time"),
    ("when status updates come", "updates", "time"),
];

impl Judge for Content {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let known = declared(evidence, FIELD);
        let decision = some(&known, "no policy is declared", |seen| match readable(evidence, seen.what) {
            Ok((d, text)) => parts(d, text),
            Err(point) => point,
        });
        never_absent(decision, "ixit table 2-UserInfo", "it declares no address of a disclosure policy")
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        open_to_a_person(&self.judge(evidence))
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

fn parts(d: &Document, text: &str) -> Point {
    let english = is_whole_english(d);
    let (mut proposed, mut open, mut lacks) = (Vec::new(), Vec::new(), Vec::new());
    for (part, topic, wide) in PARTS {
        match find(topic, text) {
            Some(said) => proposed.push(format!("{part}: `{}`", clean(said, 100))),
            None if english && find(wide, text).is_none() => lacks.push(part),
            None => open.push(part),
        }
    }
    let (url, shown) = (&d.url, proposed.join("; "));
    match (lacks.is_empty(), open.is_empty()) {
        (false, _) => Point::Bad(format!("{url} has nothing that could be {}; proposed: {shown}", lacks.join(" or "))),
        (true, false) => {
            Point::Unclear(format!("{url}: not found by its words: {}; proposed: {shown}", open.join(", ")))
        }
        (true, true) => Point::Good(format!("{url}, for a person to confirm: {shown}")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InLanguages {
    /// Two letters each; empty: the scheme has no rule.
    #[serde(default)]
    languages: Vec<Language>,
}

impl Judge for InLanguages {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let known = declared(evidence, FIELD);
        if self.languages.is_empty() {
            return every(
                &known.only(|_| false),
                "the profile asks for no language",
                |_| Point::Unclear(String::new()),
            );
        }
        let decision = some(&known, "no policy is declared", |seen| match readable(evidence, seen.what) {
            Ok((d, text)) => self.point(d, text),
            Err(point) => point,
        });
        never_absent(decision, "ixit table 2-UserInfo", "it declares no address of a disclosure policy")
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        open_to_a_person(&self.judge(evidence))
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

impl InLanguages {
    /// Two witnesses: the detector, and what the page says of itself.
    fn point(&self, d: &Document, text: &str) -> Point {
        let spoken = Spoken::of(text);
        let says = d.language.to_ascii_lowercase();
        let tells = |l: Language| says.starts_with(l.code());
        let lacks: Vec<&str> = self.languages.iter().filter(|l| !spoken.is(**l)).map(|l| l.word()).collect();
        let surely = |l: &Language| !d.cut && spoken.is_surely_not(*l) && !tells(*l);
        let what = format!("{} speaks {}", d.url, spoken.words());
        if lacks.is_empty() {
            Point::Good(what)
        } else if self.languages.iter().any(surely) {
            Point::Bad(format!("{what}, and not {}", lacks.join(", ")))
        } else {
            Point::Unclear(format!("{what}; not sure of {}", lacks.join(", ")))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OnSite {}

impl Judge for OnSite {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let known = evidence.known_of(RUN, Some("security"), |r| Some((r.run.as_str(), vdp_security_txt::of(r)?)));
        let files = newest(known).map(|(_, file)| file).only(File::is_one);
        let now = evidence.as_of().parse().ok();
        every(&files, "no security.txt on a declared site of the maker", |seen| {
            vdp_security_txt::point(seen.subject(), seen.what, now)
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        open_to_a_person(&self.judge(evidence))
    }
}
