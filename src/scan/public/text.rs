//! What there is to read in a document, and what it says of its language.
use crate::model::observation::clean;
use crate::scan::codec::markup;
use html5gum::{Token, Tokenizer};
use regex::Regex;
use std::sync::LazyLock;

/// Characters that are kept of a document.
pub const MOST: usize = 20_000;
/// Addresses of one field that are visited.
const ADDRESSES: usize = 3;
/// Elements whose content nobody reads.
const UNREAD: [&[u8]; 4] = [b"script", b"style", b"noscript", b"template"];

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Readable {
    /// Nothing where the format is not read.
    pub text: Option<String>,
    pub cut: bool,
    pub language: String,
}

pub fn read(body: &[u8], content_type: &str) -> Readable {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let whole = String::from_utf8_lossy(body);
    let tame = markup::tame(&whole);
    let (text, language) = match kind.as_str() {
        "text/html" | "application/xhtml+xml" => html(tame),
        "text/plain" | "text/markdown" => (tame.to_owned(), String::new()),
        _ => return Readable::default(),
    };
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut = tame.len() < whole.len() || words.chars().count() > MOST;
    Readable { text: Some(clean(&words, MOST)), cut, language: clean(&language, 35) }
}

fn html(page: &str) -> (String, String) {
    let (mut text, mut language, mut unread) = (String::new(), String::new(), 0usize);
    for token in Tokenizer::new(page).flatten() {
        match token {
            Token::StartTag(tag) => {
                if tag.name.as_slice() == b"html"
                    && let Some(said) = tag.attributes.get(b"lang".as_slice())
                {
                    language = String::from_utf8_lossy(said).into_owned();
                }
                // The contact of a policy often stands in a link alone.
                if tag.name.as_slice() == b"a"
                    && let Some(to) = tag.attributes.get(b"href".as_slice())
                    && to.starts_with(b"mailto:")
                {
                    text.push(' ');
                    text.push_str(&String::from_utf8_lossy(to));
                }
                unread += usize::from(UNREAD.contains(&tag.name.as_slice()) && !tag.self_closing);
                text.push(' ');
            }
            Token::EndTag(tag) => {
                unread = unread.saturating_sub(usize::from(UNREAD.contains(&tag.name.as_slice())));
                text.push(' ');
            }
            Token::String(s) if unread == 0 => text.push_str(&String::from_utf8_lossy(&s)),
            _ => {}
        }
    }
    (text, language)
}

/// The web addresses that a field names, without what ends the sentence.
pub fn addresses(said: &str) -> Vec<String> {
    static ADDRESS: LazyLock<Regex> =
        LazyLock::new(|| crate::scan::data::pattern("address", r#"(?i)https?://[^\s<>"'()]+"#));
    let mut all: Vec<String> = Vec::new();
    for found in ADDRESS.find_iter(said) {
        let url = found.as_str().trim_end_matches(['.', ',', ';', ':']).to_owned();
        if !all.contains(&url) && all.len() < ADDRESSES {
            all.push(url);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_without_its_scripts_and_says_its_language() {
        let page = "<html lang=\"de-AT\"><title>T</title><script>var x = '<p>no</p>'</script><style>p{}</style><p>Melden Sie <b>Lücken</b></p><a href=\"mailto:psirt@x.example\">uns</a></html>";
        let r = read(page.as_bytes(), "text/html; charset=utf-8");
        assert_eq!(r.language, "de-AT");
        assert_eq!(r.text.unwrap(), "T Melden Sie Lücken mailto:psirt@x.example uns");
        assert_eq!(read(b"%PDF-1.7", "application/pdf").text, None);
        let long = read("word ".repeat(10_000).as_bytes(), "text/plain");
        assert!(long.cut && long.text.unwrap().chars().count() == MOST);
    }

    #[test]
    fn addresses_are_found_in_a_sentence() {
        let said = "Printed on page 4, and at https://maker.example/vdp. Or (http://www.maker.example:8080/a?b=1), once more https://maker.example/vdp";
        assert_eq!(addresses(said), ["https://maker.example/vdp", "http://www.maker.example:8080/a?b=1"]);
        assert!(addresses("on the leaflet in the box").is_empty());
    }
}
