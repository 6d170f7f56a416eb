//! What a page is for, read from its tags by html5gum: title, forms, what it loads and where it leads.
use crate::scan::codec::markup;
use html5gum::{Token, Tokenizer};
use std::collections::BTreeMap;

/// A form with a password input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoginForm {
    pub action: String,
    pub method: String,
    pub user_field: Option<String>,
    pub password_field: String,
    /// Hidden inputs, to be sent back as they are.
    pub hidden: Vec<(String, String)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub title: String,
    pub login: Option<LoginForm>,
    /// The action of a form with a file input.
    pub upload: Option<String>,
    pub settings: Vec<String>,
    pub forms: Vec<Form>,
    /// What the page loads by itself: scripts, styles, frames.
    pub loads: Vec<String>,
    pub links: Vec<String>,
}

const SETTINGS: &[&str] = &[
    "ssid", "wpa", "psk", "password", "ntp", "dns", "ip", "gateway", "netmask", "hostname", "mqtt", "server", "port",
    "dhcp",
];

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    pub action: String,
    /// In lower case; empty where the page does not say it.
    pub method: String,
    /// Type, name and value.
    pub inputs: Vec<(String, String, String)>,
}

impl Form {
    pub fn has(&self, kind: &str) -> bool {
        self.inputs.iter().any(|i| i.0 == kind)
    }

    /// The inputs that set something of a device.
    pub fn settings(&self) -> Vec<String> {
        let known = |n: &str| SETTINGS.iter().any(|s| n.to_ascii_lowercase().contains(s));
        self.inputs.iter().filter(|i| i.0 != "hidden" && known(&i.1)).map(|i| i.1.clone()).collect()
    }
}

pub fn read(text: &str) -> Page {
    let mut page = Page::default();
    let (mut in_title, mut form) = (false, None::<Form>);
    for token in Tokenizer::new(markup::tame(text)).flatten() {
        match token {
            Token::StartTag(tag) => {
                let get = |n: &str| {
                    let value = tag.attributes.get(n.as_bytes());
                    value.map(|v| String::from_utf8_lossy(v).into_owned()).unwrap_or_default()
                };
                match tag.name.as_slice() {
                    b"title" => in_title = true,
                    b"form" => {
                        let method = get("method").to_ascii_lowercase();
                        form = Some(Form { action: get("action"), method, inputs: Vec::new() });
                    }
                    b"script" | b"iframe" | b"frame" => page.loads.push(get("src")),
                    b"link" if get("rel").eq_ignore_ascii_case("stylesheet") => page.loads.push(get("href")),
                    b"a" => page.links.push(get("href")),
                    b"input" => {
                        let kind = get("type").to_ascii_lowercase();
                        form.get_or_insert_default().inputs.push((kind, get("name"), get("value")));
                    }
                    _ => {}
                }
            }
            Token::EndTag(tag) => match tag.name.as_slice() {
                b"title" => in_title = false,
                b"form" => {
                    if let Some(f) = form.take() {
                        page.take(f);
                    }
                }
                _ => {}
            },
            Token::String(s) if in_title => page.title.push_str(&String::from_utf8_lossy(&s)),
            _ => {}
        }
    }
    if let Some(f) = form {
        page.take(f);
    }
    page
}

impl Page {
    fn take(&mut self, f: Form) {
        let kinds: BTreeMap<&str, usize> = f.inputs.iter().fold(BTreeMap::new(), |mut m, i| {
            *m.entry(i.0.as_str()).or_default() += 1;
            m
        });
        let texts = kinds.get("text").copied().unwrap_or(0)
            + kinds.get("").copied().unwrap_or(0)
            + kinds.get("email").copied().unwrap_or(0);
        if kinds.contains_key("file") {
            self.upload.get_or_insert(f.action.clone());
        }
        let passwords = kinds.get("password").copied().unwrap_or(0);
        // One password and at most one name: a login. More fields: a page of settings.
        if passwords == 1 && texts <= 1 && self.login.is_none() {
            self.login = Some(login(&f));
        } else {
            self.settings.extend(f.settings());
        }
        self.forms.push(f);
    }
}

fn login(f: &Form) -> LoginForm {
    let by = |kinds: &[&str]| f.inputs.iter().find(|i| kinds.contains(&i.0.as_str())).map(|i| i.1.clone());
    let hidden = f.inputs.iter().filter(|i| i.0 == "hidden").map(|i| (i.1.clone(), i.2.clone())).collect();
    LoginForm {
        action: f.action.clone(),
        method: f.method.clone(),
        user_field: by(&["text", "email", ""]),
        password_field: by(&["password"]).unwrap_or_default(),
        hidden,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_form_is_told_from_a_settings_form() {
        let p = read(
            "<title>Cam</title><form action=/login method=POST><input type=hidden name=csrf value=x><input name=u><input type=password name=p></form>",
        );
        let login = p.login.unwrap();
        assert_eq!((login.user_field.as_deref(), login.password_field.as_str()), (Some("u"), "p"));
        assert_eq!(login.hidden, [("csrf".to_owned(), "x".to_owned())]);
        assert_eq!(p.title, "Cam");
        let p = read(
            "<form><input type=text name=ssid><input type=text name=ntp_server><input type=password name=wpa_key></form>",
        );
        assert!(p.login.is_none());
        assert_eq!(p.settings.len(), 3);
    }
}
