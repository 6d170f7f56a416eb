//! What those may do who have an account, and how their sessions behave, in words.
use super::some;
use crate::model::observation::access::{
    DigestUse, Forgery, Gets, InsidePages, PasswordChange, SessionIdle, SessionTokens, Takeover, UserNames,
};
use crate::model::observation::labels::Labels;

pub(super) fn takeover(t: &Takeover) -> String {
    format!(
        "{} used the client id of {}: code {}; the first {}",
        t.second,
        t.first,
        t.code,
        if t.first_stays { "went on" } else { "was ended" }
    )
}

pub(super) fn tokens(t: &SessionTokens) -> String {
    format!(
        "{} sessions at {}, {} different; {} to {} characters, about {} bits{}; made from: {}; holding: {}",
        t.taken,
        t.path,
        t.distinct,
        t.shortest,
        t.longest,
        t.bits,
        if t.ordered { ", counting up" } else { "" },
        some(&t.made_from.join(", ")),
        some(&t.holds.join(", "))
    )
}

pub(super) fn idle(i: &SessionIdle) -> String {
    format!("session at {} left alone for {} ms: {}", i.path, i.idle_ms, if i.open { "still open" } else { "ended" })
}

pub(super) fn names(n: &UserNames) -> String {
    format!(
        "{} {}: wrong secrets for {} real and {} made-up name(s); the answers differ in: {}",
        n.mechanism.word(),
        n.path,
        n.real,
        n.made_up,
        some(&n.differ.join(", "))
    )
}

pub(super) fn digest(d: &DigestUse) -> String {
    let replays = d
        .replays
        .iter()
        .map(|r| format!("the same answer after {} ms was {}", r.after_ms, if r.taken { "taken" } else { "refused" }));
    format!(
        "Digest at {}: {} of {} challenges differ; {}; qop=auth {}; {}",
        d.path,
        d.distinct,
        d.challenges,
        d.algorithms.join(", "),
        if d.qop { "offered" } else { "not offered" },
        some(&replays.collect::<Vec<_>>().join(", "))
    )
}

pub(super) fn forgery(f: &Forgery) -> String {
    let took = |b: bool| if b { "took effect" } else { "had none" };
    format!(
        "forged requests for `{}` of {}: without its token it {}; with another session's it {}; SameSite {}; {}",
        f.field,
        f.path,
        took(f.without_token),
        f.others_token.map_or("could not be tried", took),
        if f.same_site { "set" } else { "not set" },
        if f.restored { "set back" } else { "NOT proved to be set back" }
    )
}

pub(super) fn password(p: &PasswordChange) -> String {
    let works = |b: bool| if b { "opens" } else { "does not open" };
    format!(
        "password changed at {}: the old one {} asked for{}; afterwards the new one {}, the old one {}; other sessions {}; \
         weak ones tried: {}; taken: {}; {}",
        p.path,
        if p.old_asked { "was" } else { "was not" },
        if p.wrong_old_taken == Some(true) { ", and a wrong one was taken" } else { "" },
        works(p.new_works),
        works(p.old_works),
        if p.ends_others { "ended" } else { "went on" },
        some(&p.weak_tried.join(", ")),
        p.weak_taken.as_deref().unwrap_or("none"),
        if p.restored { "set back" } else { "NOT proved to be set back" }
    )
}

pub(super) fn inside(i: &InsidePages) -> String {
    let gets = |g: Gets| match g {
        Gets::Same => "the same page",
        Gets::Other => "another page",
        Gets::Refused => "nothing",
    };
    let pages = i.pages.iter().map(|p| {
        let user = p.user.map(|g| format!(", a lesser account {}", gets(g))).unwrap_or_default();
        let sets = if p.sets || p.sets_password { " (sets something)" } else { "" };
        format!("{}{sets}: nobody gets {}{user}", p.path, gets(p.nobody))
    });
    format!("behind {} as {}: {}", i.path, i.account, some(&pages.collect::<Vec<_>>().join("; ")))
}

pub(super) fn labels(l: &Labels) -> String {
    let kinds: Vec<&str> = l.characters.iter().map(|k| k.word()).collect();
    let found: Vec<&str> = [&l.derived, &l.regular]
        .into_iter()
        .flat_map(|f| f.certain.iter().chain(&f.doubtful))
        .map(String::as_str)
        .collect();
    let found = if found.is_empty() { "nothing found".to_owned() } else { found.join("; ") };
    let (samples, from, to, kinds) = (l.samples, l.shortest, l.longest, kinds.join(", "));
    format!("passwords of {samples} labels: {from} to {to} characters of {kinds}; {found}")
}
