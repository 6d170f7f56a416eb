//! Sets blocks of text onto pages and keeps what each piece is: heading, table cell, list item.
use super::face::Face;
use krilla::tagging::{ListNumbering, Tag, TagKind};
use std::num::NonZeroU16;

pub(super) const WIDTH: f32 = 595.0;
pub(super) const HEIGHT: f32 = 842.0;
pub(super) const MARGIN: f32 = 48.0;
pub(super) const BOTTOM: f32 = HEIGHT - 56.0;
pub(super) const ROOM: f32 = WIDTH - 2.0 * MARGIN;
/// From one base line to the next, in sizes.
pub(super) const LEAD: f32 = 1.32;

pub(super) type Rgb = (u8, u8, u8);
pub(super) const INK: Rgb = (0x17, 0x20, 0x2a);
pub(super) const DIM: Rgb = (0x4a, 0x55, 0x60);
pub(super) const LINE: Rgb = (0xc9, 0xd1, 0xd9);
const NOTE: Rgb = (0xff, 0xf4, 0xdc);

/// How a line is set.
#[derive(Clone, Copy)]
pub(super) struct Style {
    pub size: f32,
    pub bold: bool,
    pub ink: Rgb,
}

pub(super) const BODY: Style = Style { size: 9.0, bold: false, ink: INK };
pub(super) const SMALL: Style = Style { size: 7.5, bold: false, ink: DIM };
pub(super) const CELL: Style = Style { size: 7.5, bold: false, ink: INK };
const STRONG: Style = Style { size: 9.0, bold: true, ink: INK };

/// Something drawn on a page.
pub(super) struct Piece {
    pub page: usize,
    pub x: f32,
    pub y: f32,
    pub what: What,
}

pub(super) enum What {
    /// Base line at `y`. What is no part of the reading order is repeated for the eye only.
    Text { text: String, style: Style, read: bool },
    /// Upper edge at `y`.
    Fill { width: f32, height: f32, ink: Rgb },
}

/// What a piece is, for those who do not see the page.
pub(super) struct Element {
    pub tag: TagKind,
    pub children: Vec<Child>,
}

pub(super) enum Child {
    Element(Element),
    /// A place in [`Sheet::pieces`].
    Piece(usize),
}

/// A heading's place, for the bookmarks.
pub(super) struct Mark {
    pub text: String,
    pub level: u16,
    pub page: usize,
    pub y: f32,
}

pub(super) struct Column {
    pub head: &'static str,
    /// Of the page's width.
    pub share: f32,
}

/// Paragraphs of a cell, each in its own style.
pub(super) type Cell = Vec<(String, Style)>;

pub(super) fn cell(text: impl Into<String>) -> Cell {
    vec![(text.into(), CELL)]
}

pub(super) fn strong(text: impl Into<String>, ink: Rgb) -> Cell {
    vec![(text.into(), Style { bold: true, ink, ..CELL })]
}

pub(super) struct Sheet {
    pub regular: Face,
    pub bold: Face,
    pub pieces: Vec<Piece>,
    pub root: Vec<Child>,
    pub marks: Vec<Mark>,
    pub pages: usize,
    pub y: f32,
    kept: Option<Kept>,
}

/// Headings that nothing stands under yet: their first piece and mark, and their upper edge.
struct Kept {
    piece: usize,
    mark: usize,
    y: f32,
}

impl Sheet {
    pub fn new(regular: Face, bold: Face) -> Self {
        Self { regular, bold, pieces: Vec::new(), root: Vec::new(), marks: Vec::new(), pages: 1, y: MARGIN, kept: None }
    }

    pub fn face(&self, style: Style) -> &Face {
        if style.bold { &self.bold } else { &self.regular }
    }

    pub fn wrap(&self, text: &str, style: Style, room: f32) -> Vec<String> {
        self.face(style).wrap(text, room / style.size)
    }

    pub fn next_page(&mut self) {
        self.pages += 1;
        self.y = MARGIN;
    }

    /// Goes to a new page where there is no room for so much, with the headings that it stands under.
    pub fn need(&mut self, height: f32) {
        if self.y + height <= BOTTOM || self.y <= MARGIN {
            return;
        }
        let bottom = self.y;
        self.next_page();
        let Some(kept) = self.kept.as_mut().filter(|k| k.y > MARGIN) else { return };
        let up = kept.y - MARGIN;
        kept.y = MARGIN;
        for piece in self.pieces.iter_mut().skip(kept.piece) {
            (piece.page, piece.y) = (self.pages - 1, piece.y - up);
        }
        for mark in self.marks.iter_mut().skip(kept.mark) {
            (mark.page, mark.y) = (self.pages - 1, mark.y - up);
        }
        self.y = bottom - up;
    }

    pub fn put(&mut self, x: f32, y: f32, what: What) -> Child {
        self.kept = None;
        self.pieces.push(Piece { page: self.pages - 1, x, y, what });
        Child::Piece(self.pieces.len() - 1)
    }

    /// Lines from the present height on, going to a new page where one ends.
    pub fn lines(&mut self, text: &str, style: Style, x: f32, room: f32) -> Vec<Child> {
        let mut out = Vec::new();
        for line in self.wrap(text, style, room) {
            self.need(style.size * LEAD);
            out.push(self.put(x, self.y + style.size, What::Text { text: line, style, read: true }));
            self.y += style.size * LEAD;
        }
        out
    }

    pub fn heading(&mut self, level: u16, text: &str, ink: Rgb) {
        let size = match level {
            1 => 16.0,
            2 => 12.5,
            3 => 10.5,
            _ => 9.0,
        };
        self.y += size * 0.6;
        // A heading stays with what it is about.
        self.need(size * LEAD + 36.0);
        let (piece, mark, y) = (self.pieces.len(), self.marks.len(), self.y);
        let kept = self.kept.take().unwrap_or(Kept { piece, mark, y });
        let mark = Mark { text: text.to_owned(), level, page: self.pages - 1, y: self.y };
        let children = self.lines(text, Style { size, bold: true, ink }, MARGIN, ROOM);
        if level == 2 {
            self.rule();
        }
        self.y += 2.0;
        self.marks.push(mark);
        self.kept = Some(kept);
        let Some(n) = NonZeroU16::new(level) else { return };
        self.root.push(element(Tag::Hn(n, Some(text.to_owned())), children));
    }

    fn rule(&mut self) {
        drop(self.put(MARGIN, self.y, What::Fill { width: ROOM, height: 0.8, ink: LINE }));
        self.y += 1.5;
    }

    pub fn paragraph(&mut self, text: &str, style: Style) {
        let children = self.lines(text, style, MARGIN, ROOM);
        self.y += 2.0;
        self.root.push(element(Tag::P, children));
    }

    /// What must not be overlooked.
    pub fn note(&mut self, text: &str) {
        let style = BODY;
        let count = self.wrap(text, style, ROOM - 16.0).iter().fold(0.0, |n, _| n + 1.0);
        let height = count * style.size * LEAD + 8.0;
        self.y += 3.0;
        self.need(height);
        let fill = |width, ink| What::Fill { width, height, ink };
        drop(self.put(MARGIN, self.y, fill(ROOM, NOTE)));
        drop(self.put(MARGIN, self.y, fill(3.0, (0x7a, 0x4b, 0x00))));
        self.y += 4.0;
        let children = self.lines(text, style, MARGIN + 8.0, ROOM - 16.0);
        self.y += 7.0;
        self.root.push(element(Tag::P, children));
    }

    /// Terms and what they are.
    pub fn terms(&mut self, rows: &[(&str, Vec<(String, Style)>)]) {
        const TERM: f32 = 92.0;
        let mut items = Vec::new();
        for (term, said) in rows {
            self.need(BODY.size * LEAD);
            let label = self.put(
                MARGIN,
                self.y + BODY.size,
                What::Text { text: format!("{term} "), style: Style { ink: DIM, ..BODY }, read: true },
            );
            let mut body = Vec::new();
            for (text, style) in said {
                body.extend(self.lines(text, *style, MARGIN + TERM, ROOM - TERM));
            }
            if body.is_empty() {
                body = self.lines("none", BODY, MARGIN + TERM, ROOM - TERM);
            }
            let children = vec![Child::Element(element_of(Tag::Lbl, vec![label])), element(Tag::LBody, body)];
            items.push(element(Tag::LI, children));
        }
        self.y += 3.0;
        self.root.push(element(Tag::L(ListNumbering::None), items));
    }

    pub fn list(&mut self, all: &[String]) {
        let mut items = Vec::new();
        for text in all {
            self.need(BODY.size * LEAD);
            let dot = self.put(MARGIN, self.y + BODY.size, What::Text { text: "• ".into(), style: BODY, read: true });
            let body = self.lines(text, BODY, MARGIN + 9.0, ROOM - 9.0);
            items.push(element(Tag::LI, vec![element(Tag::Lbl, vec![dot]), element(Tag::LBody, body)]));
        }
        self.y += 3.0;
        self.root.push(element(Tag::L(ListNumbering::Disc), items));
    }

    pub fn outcome(&mut self, text: &str, ink: Rgb) {
        self.paragraph(text, Style { ink, ..STRONG });
    }
}

fn element_of(tag: impl Into<TagKind>, children: Vec<Child>) -> Element {
    Element { tag: tag.into(), children }
}

pub(super) fn element(tag: impl Into<TagKind>, children: Vec<Child>) -> Child {
    Child::Element(element_of(tag, children))
}
