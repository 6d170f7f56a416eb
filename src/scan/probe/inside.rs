//! Pages behind a log-in, and what on them can be changed without harm.
use super::{
    html,
    html::Form,
    login::{Door, session::Session},
};
use crate::scan::{
    net::{Trouble, http::Reply},
    session::Ctx,
};
use std::collections::BTreeSet;

/// Linked pages that are read, besides the first.
const MOST: usize = 15;
/// Links that may do more than show a page.
const CAREFUL: [&str; 24] = [
    "logout", "logoff", "signout", "exit", "reboot", "restart", "reset", "factory", "default", "delete", "remove",
    "erase", "format", "clear", "shutdown", "poweroff", "halt", "upgrade", "update", "flash", "apply", "save",
    "toggle", "disable",
];

/// The page that a session opens, and those that it links to: path and reply.
pub async fn pages(ctx: &Ctx, door: &Door, session: &Session) -> Result<Vec<(String, Reply)>, Trouble> {
    let mut all = vec![(session.page.clone(), session.shown.clone())];
    let mut known = BTreeSet::from([session.page.clone()]);
    for link in html::read(&session.shown.text()).links {
        let path = link.split('#').next().unwrap_or_default().to_owned();
        if all.len() > MOST || !is_harmless(&path) || !known.insert(path.clone()) {
            continue;
        }
        let reply = session.get(ctx, door, &path).await?;
        if reply.status == 200 {
            all.push((path, reply));
        }
    }
    Ok(all)
}

pub fn is_harmless(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    path.starts_with('/') && !path.starts_with("//") && !CAREFUL.iter().any(|w| lower.contains(w))
}

/// A setting that is a name of something, in a form that holds nothing else to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub page: String,
    pub action: String,
    pub field: String,
    pub value: String,
    pub hidden: Vec<(String, String)>,
}

impl Setting {
    pub fn fields(&self, value: &str) -> Vec<(String, String)> {
        let mut all = self.hidden.clone();
        all.push((self.field.clone(), value.to_owned()));
        all
    }
}

/// The first such setting of a page.
pub fn setting((page, reply): &(String, Reply)) -> Option<Setting> {
    let text = reply.text();
    // What html::read does not see would be sent empty.
    if ["<select", "<textarea"].iter().any(|tag| text.to_ascii_lowercase().contains(tag)) {
        return None;
    }
    html::read(&text).forms.iter().find_map(|f| named(page, f))
}

fn named(page: &str, form: &Form) -> Option<Setting> {
    let plain = |kind: &str| matches!(kind, "" | "text");
    let quiet = |kind: &str| matches!(kind, "hidden" | "submit" | "button");
    let [one] = form.inputs.iter().filter(|i| plain(&i.0)).collect::<Vec<_>>()[..] else { return None };
    let name = one.1.to_ascii_lowercase();
    let says = ["name", "title", "label", "description", "location", "contact", "comment", "note"];
    let not = ["user", "domain", "host", "file", "login", "ssid", "server"];
    let harmless = says.iter().any(|w| name.contains(w)) && !not.iter().any(|w| name.contains(w));
    let alone = form.inputs.iter().all(|i| plain(&i.0) || quiet(&i.0));
    if form.method != "post" || !harmless || !alone || one.2.is_empty() {
        return None;
    }
    let hidden = form.inputs.iter().filter(|i| i.0 == "hidden").map(|i| (i.1.clone(), i.2.clone())).collect();
    Some(Setting {
        page: page.to_owned(),
        action: target(&form.action, page),
        field: one.1.clone(),
        value: one.2.clone(),
        hidden,
    })
}

/// Where a form of this page goes.
pub fn target(action: &str, page: &str) -> String {
    match action {
        "" => page.to_owned(),
        a if a.starts_with('/') => a.to_owned(),
        a => format!("/{a}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(form: &str) -> Option<Setting> {
        html::read(form).forms.iter().find_map(|f| named("/s", f))
    }

    #[test]
    fn a_name_alone_is_a_harmless_setting_and_what_sets_more_is_left_alone() {
        let one = of(
            "<form method=post><input type=hidden name=t value=x><input type=text name=device_name value=hall></form>",
        );
        assert_eq!(one.map(|s| (s.field, s.value, s.action)), Some(("device_name".into(), "hall".into(), "/s".into())));
        for form in [
            "<form method=post><input name=hostname value=a></form>",
            "<form method=post><input name=name value=a><input type=checkbox name=wan_admin></form>",
            "<form method=post><input name=name value=a><input name=ntp value=b></form>",
            "<form><input name=name value=a></form>",
            "<form method=post><input name=name value=a><input type=password name=p></form>",
        ] {
            assert_eq!(of(form), None, "{form}");
        }
    }

    #[test]
    fn no_link_that_may_do_something_is_followed() {
        assert!(is_harmless("/settings") && is_harmless("/status.html?tab=2"));
        for path in ["/reboot", "/api/Reset", "//other/", "https://x/", "/logout.cgi", "javascript:x"] {
            assert!(!is_harmless(path), "{path}");
        }
    }
}
