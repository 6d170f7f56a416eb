//! Letters of an embedded font: which glyph, how wide, and where a line breaks.
use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::{
    FontRef, MetadataProvider,
    instance::{LocationRef, Size},
};
use std::fmt::Write;

pub(super) struct Face {
    pub font: Font,
    raw: FontRef<'static>,
}

impl Face {
    pub fn new(bytes: &'static [u8]) -> Option<Self> {
        Some(Self { font: Font::new(bytes.into(), 0)?, raw: FontRef::new(bytes).ok()? })
    }

    /// Glyph and width at size 1. Only scripts that are set letter by letter: others need shaping.
    fn glyph(&self, c: char) -> Option<(GlyphId, f32)> {
        let plain = matches!(c,
            ' '..='~' | '\u{a1}'..='\u{2ff}' | '\u{370}'..='\u{58f}' | '\u{1e00}'..='\u{1fff}'
            | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{20a0}'..='\u{25ff}');
        let id = self.raw.charmap().map(c).filter(|_| plain)?;
        let metrics = self.raw.glyph_metrics(Size::new(1.0), LocationRef::default());
        Some((GlyphId::new(id.to_u32()), metrics.advance_width(id)?))
    }

    /// The text with every letter that cannot be set written as its code point.
    fn settable(&self, text: &str) -> String {
        let mut out = String::new();
        for c in text.chars() {
            if c.is_whitespace() {
                out.push(' ');
            } else if self.glyph(c).is_some() {
                out.push(c);
            } else {
                let _ = write!(out, "[U+{:04X}]", u32::from(c));
            }
        }
        out
    }

    /// At size 1.
    pub fn width(&self, text: &str) -> f32 {
        text.chars().filter_map(|c| self.glyph(c)).map(|(_, w)| w).sum()
    }

    pub fn glyphs(&self, text: &str) -> Vec<KrillaGlyph> {
        let one = |(at, c): (usize, char)| {
            let (id, width) = self.glyph(c)?;
            Some(KrillaGlyph::new(id, width, 0.0, 0.0, 0.0, at..at + c.len_utf8(), None))
        };
        text.char_indices().filter_map(one).collect()
    }

    /// Lines no wider than `room` (at size 1). A word that is too long breaks anywhere.
    pub fn wrap(&self, text: &str, room: f32) -> Vec<String> {
        let text = self.settable(text);
        let mut lines = Vec::new();
        let mut line = String::new();
        let mut used = 0.0;
        for word in text.split_inclusive(' ') {
            let width = self.width(word.trim_end());
            if used + width > room && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                used = 0.0;
            }
            if width <= room {
                line.push_str(word);
                used += self.width(word);
                continue;
            }
            for c in word.chars() {
                let width = self.glyph(c).map_or(0.0, |(_, w)| w);
                if used + width > room && !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                    used = 0.0;
                }
                line.push(c);
                used += width;
            }
        }
        if !line.is_empty() {
            lines.push(line);
        }
        lines
    }
}
