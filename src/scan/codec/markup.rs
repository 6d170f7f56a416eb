//! HTML and XML before they are read. html5gum 0.9 calls itself once more for each double-quoted attribute of a tag that
//! follows another at once, so that a tag with some ten thousand of them would end the program by its stack.
use std::collections::BTreeMap;

/// More such attributes in a row than any honest tag has. Unoptimised, each takes some ten KiB of a thread's two MiB.
const MOST: usize = 96;
const SPACE: [char; 5] = ['\t', '\n', '\x0c', '\r', ' '];

/// The beginning of a text, up to where html5gum could call itself too often. A row is counted from wherever `="` stands,
/// since it is not known here whether that is inside a tag or a value. Takes time in proportion to the text.
pub fn tame(text: &str) -> &str {
    // By the beginning of a value: how many lead to it in a row.
    let mut rows: BTreeMap<usize, usize> = BTreeMap::new();
    for (quote, _) in text.match_indices('"') {
        let (before, value) = (text.get(..quote).unwrap_or_default(), quote + 1);
        if !before.trim_end_matches(SPACE).ends_with('=') {
            continue;
        }
        let row = rows.remove(&value).unwrap_or(0) + 1;
        if row > MOST {
            return before;
        }
        if let Some(length) = text.get(value..).and_then(next_value) {
            rows.insert(value + length, row);
        }
    }
    text
}

/// From within a double-quoted value to the beginning of the next one, where the next attribute follows at once: after
/// spaces, with a name that `=` and a double quote follow. Quotes are part of names.
fn next_value(value: &str) -> Option<usize> {
    let (_, rest) = value.split_once('"')?;
    let name = rest.trim_start_matches(SPACE);
    if name.len() == rest.len() {
        return None;
    }
    let (name, rest) = name.split_at_checked(name.find(|c| SPACE.contains(&c) || "/>=".contains(c))?)?;
    let next = rest.strip_prefix('=')?.trim_start_matches(SPACE).strip_prefix('"')?;
    (!name.is_empty()).then_some(value.len() - next.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use html5gum::Tokenizer;

    #[test]
    fn a_page_stays_whole_and_a_tag_without_end_is_cut() {
        let page = "<p class=\"a\" id=\"b\">x = \"y\"</p><a href='1' x=\"2\"z=\"3\" / y=4>".repeat(2000);
        assert_eq!(tame(&page), page);
        for attribute in [" a=\"b\"", " a=\">\"", " a= \"\"", "\na\"=\"=\"", " \"=\"b\"", " a=\"='\""] {
            let endless = format!("<p>before</p><i{}", attribute.repeat(20_000));
            let cut = tame(&endless);
            assert!((13..5000).contains(&cut.len()), "{attribute}: {}", cut.len());
            assert!(Tokenizer::new(cut).count() > 0);
        }
    }

    #[test]
    fn a_text_of_any_shape_is_read_within_the_stack() {
        for piece in
            [" a='\"' b=\"\"", "/a=\"b\"", " a=\"b\"c=\"d\"", " a =\"b\"", "=\"", " \"", "\"= \"", "<a b=\"c\" "]
        {
            let text = format!("<i{}", piece.repeat(20_000));
            assert!(Tokenizer::new(tame(&text)).count() > 0, "{piece}");
        }
    }
}
