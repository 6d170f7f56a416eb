//! The text form of `sw-description`: libconfig, of which JSON is nearly a part. Every text keeps its place.
use super::error::ImageError;
use std::ops::Range;

const FORMAT: &str = "sw-description";
const MOST_DEPTH: usize = 32;
const MOST_NODES: usize = 100_000;

#[derive(Debug)]
pub enum Node {
    Group(Vec<(String, Self)>),
    List(Vec<Self>),
    /// A text, and the bytes between its quotes.
    Text(String, Range<usize>),
    /// A number or a truth value.
    Word(String),
}

impl Node {
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Group(all) => all.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(t, _) | Self::Word(t) => Some(t),
            Self::Group(_) | Self::List(_) => None,
        }
    }

    pub fn place(&self) -> Option<Range<usize>> {
        match self {
            Self::Text(_, place) => Some(place.clone()),
            _ => None,
        }
    }

    /// Every group below, itself too, with the key that it stands under.
    pub fn groups<'a>(&'a self, key: &'a str, into: &mut Vec<(&'a str, &'a Self)>) {
        match self {
            Self::Group(all) => {
                into.push((key, self));
                all.iter().for_each(|(k, v)| v.groups(k, into));
            }
            Self::List(all) => all.iter().for_each(|v| v.groups(key, into)),
            Self::Text(..) | Self::Word(_) => {}
        }
    }
}

pub fn parse(text: &str) -> Result<Node, ImageError> {
    let mut reader = Reader { text, at: 0, nodes: 0 };
    reader.space();
    let braced = reader.eat('{');
    let node = reader.group(0)?;
    if braced != reader.eat('}') {
        return Err(reader.wrong("`}`"));
    }
    reader.space();
    if reader.at < text.trim_end_matches(['\0', ' ', '\n', '\r', '\t']).len() {
        return Err(reader.wrong("the end"));
    }
    Ok(node)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    nodes: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn wrong(&self, expected: &str) -> ImageError {
        let line = self.text.get(..self.at).unwrap_or_default().lines().count().max(1);
        ImageError::malformed(FORMAT, format!("line {line}: expected {expected}"))
    }

    /// Over white space and comments.
    fn space(&mut self) {
        loop {
            let rest = self.rest();
            let white = rest.len() - rest.trim_start().len();
            let rest = rest.get(white..).unwrap_or_default();
            let comment = if rest.starts_with('#') || rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                rest.find("*/").map_or(rest.len(), |e| e + 2)
            } else {
                0
            };
            self.at += white + comment;
            if comment == 0 {
                return;
            }
        }
    }

    fn eat(&mut self, c: char) -> bool {
        self.space();
        let here = self.rest().starts_with(c);
        self.at += if here { c.len_utf8() } else { 0 };
        here
    }

    fn group(&mut self, depth: usize) -> Result<Node, ImageError> {
        let mut all = Vec::new();
        loop {
            self.space();
            if self.rest().is_empty() || self.rest().starts_with(['}', '\0']) {
                return Ok(Node::Group(all));
            }
            let key = if self.rest().starts_with('"') { self.quoted()?.0 } else { self.word() };
            if key.is_empty() {
                return Err(self.wrong("a name"));
            }
            if !self.eat('=') && !self.eat(':') {
                return Err(self.wrong("`=` or `:`"));
            }
            all.push((key, self.value(depth + 1)?));
            while self.eat(';') || self.eat(',') {}
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, ImageError> {
        self.nodes += 1;
        if depth > MOST_DEPTH || self.nodes > MOST_NODES {
            return Err(self.wrong("fewer levels and values"));
        }
        if self.eat('{') {
            let node = self.group(depth)?;
            return if self.eat('}') { Ok(node) } else { Err(self.wrong("`}`")) };
        }
        for (open, close) in [('(', ')'), ('[', ']')] {
            if self.eat(open) {
                let mut all = Vec::new();
                while !self.eat(close) {
                    all.push(self.value(depth + 1)?);
                    self.eat(',');
                }
                return Ok(Node::List(all));
            }
        }
        if self.rest().starts_with('"') {
            let (mut text, place) = self.quoted()?;
            // Texts in a row are one text in libconfig; such a one cannot be changed in place.
            let mut joined = false;
            loop {
                self.space();
                if !self.rest().starts_with('"') {
                    break;
                }
                text.push_str(&self.quoted()?.0);
                joined = true;
            }
            return Ok(Node::Text(text, if joined { 0..0 } else { place }));
        }
        let word = self.word();
        if word.is_empty() { Err(self.wrong("a value")) } else { Ok(Node::Word(word)) }
    }

    fn word(&mut self) -> String {
        let end = |c: char| !(c.is_alphanumeric() || "-_.+*".contains(c));
        let length = self.rest().find(end).unwrap_or(self.rest().len());
        let word = self.rest().get(..length).unwrap_or_default().to_owned();
        self.at += length;
        word
    }

    fn quoted(&mut self) -> Result<(String, Range<usize>), ImageError> {
        let start = self.at + 1;
        let (mut text, mut escaped) = (String::new(), false);
        let body = self.text.get(start..).unwrap_or_default();
        for (at, c) in body.char_indices() {
            match c {
                '"' if !escaped => {
                    self.at = start + at + 1;
                    return Ok((text, start..start + at));
                }
                '\\' if !escaped => escaped = true,
                c => {
                    text.push(c);
                    escaped = false;
                }
            }
        }
        Err(self.wrong("the end of a text"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libconfig_and_json_give_the_same_texts() {
        let config =
            "software =\n{ # comment\n version = \"1.\" \"2\"; images: ( { filename = \"a\"; n = 3L; } );\n}\n";
        let json = r#"{"software": {"version": "1.2", "images": [{"filename": "a", "n": 3}]}}"#;
        for text in [config, json] {
            let node = parse(text).unwrap();
            let software = node.get("software").unwrap();
            assert_eq!(software.get("version").unwrap().text(), Some("1.2"));
            let mut groups = Vec::new();
            software.groups("software", &mut groups);
            assert_eq!(groups[1].1.get("filename").unwrap().text(), Some("a"));
        }
    }

    #[test]
    fn what_is_wrong_has_its_line() {
        for (text, says) in
            [("a = {\n b = \"x", "line 2: expected the end of a text"), ("a {", "line 1: expected `=` or `:`")]
        {
            assert!(parse(text).unwrap_err().to_string().contains(says), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_strange(text in "[a-z\"{}()\\[\\]=:;, \\\\#/*\n0]{0,200}") {
            let _ = parse(&text);
        }
    }
}
