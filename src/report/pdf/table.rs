//! Tables: rows of cells over as many pages as they need.
use super::sheet::{
    BOTTOM, CELL, Cell, Child, Column, LEAD, LINE, MARGIN, ROOM, Rgb, SMALL, Sheet, Style, What, element,
};
use krilla::tagging::{TableHeaderScope, Tag};

const PAD: f32 = 3.0;
const LINE_HEIGHT: f32 = CELL.size * LEAD;
const HEAD_HEIGHT: f32 = LINE_HEIGHT + 2.0 * PAD;
const HEAD: Rgb = (0xee, 0xf1, 0xf4);

/// Where a cell begins, and its lines.
type Set = (f32, Vec<(String, Style)>);

fn deepest(set: &[Set]) -> usize {
    set.iter().map(|(_, lines)| lines.len()).max().unwrap_or(0)
}

/// The height of a row.
fn deep(set: &[Set]) -> f32 {
    (0..deepest(set)).fold(2.0 * PAD, |h, _| h + LINE_HEIGHT)
}

/// A row that a page can hold is not torn.
fn whole(height: f32) -> bool {
    height < (BOTTOM - MARGIN) / 2.0
}

impl Sheet {
    /// The head is drawn again on each page, and is read once. The first cell of a row names it.
    pub fn table(&mut self, caption: &str, columns: &[Column], rows: &[Vec<Cell>]) {
        let first = rows.first().map_or(0.0, |row| deep(&self.set(columns, row)));
        let said = f32::from(u8::try_from(self.wrap(caption, SMALL, ROOM).len()).unwrap_or(u8::MAX));
        // Its caption and head stand over a row.
        self.need(said * SMALL.size * LEAD + 2.0 + HEAD_HEIGHT + if whole(first) { first } else { 0.0 });
        let caption = self.lines(caption, SMALL, MARGIN, ROOM);
        self.y += 2.0;
        let head = self.head(columns, true);
        let mut body = Vec::new();
        for row in rows {
            body.push(self.row(columns, row));
        }
        self.y += 6.0;
        self.root.push(element(
            Tag::Table,
            vec![element(Tag::Caption, caption), element(Tag::THead, vec![head]), element(Tag::TBody, body)],
        ));
    }

    fn head(&mut self, columns: &[Column], read: bool) -> Child {
        let style = Style { bold: true, ..CELL };
        drop(self.put(MARGIN, self.y, What::Fill { width: ROOM, height: HEAD_HEIGHT, ink: HEAD }));
        let (mut x, y) = (MARGIN, self.y + PAD + style.size);
        let mut cells = Vec::new();
        for column in columns {
            let text = format!("{} ", column.head);
            let piece = self.put(x + PAD, y, What::Text { text, style, read });
            cells.push(element(Tag::TH(TableHeaderScope::Column), vec![piece]));
            x += column.share * ROOM;
        }
        self.y += HEAD_HEIGHT;
        element(Tag::TR, cells)
    }

    /// The lines of each cell of a row, with where they begin.
    fn set(&self, columns: &[Column], cells: &[Cell]) -> Vec<Set> {
        let mut set = Vec::new();
        let mut x = MARGIN;
        for (column, said) in columns.iter().zip(cells) {
            let room = column.share * ROOM - 2.0 * PAD;
            let wrapped = |(text, style): &(String, Style)| {
                self.wrap(text, *style, room).into_iter().map(|l| (l, *style)).collect::<Vec<_>>()
            };
            set.push((x + PAD, said.iter().flat_map(wrapped).collect()));
            x += column.share * ROOM;
        }
        set
    }

    fn row(&mut self, columns: &[Column], cells: &[Cell]) -> Child {
        let set = self.set(columns, cells);
        let deepest = deepest(&set);
        let height = deep(&set);
        if self.y + height > BOTTOM && whole(height) {
            self.turn(columns);
        }
        self.y += PAD;
        let mut read: Vec<Vec<Child>> = set.iter().map(|_| Vec::new()).collect();
        for n in 0..deepest {
            if self.y + LINE_HEIGHT > BOTTOM {
                self.turn(columns);
            }
            for ((x, lines), into) in set.iter().zip(&mut read) {
                if let Some((text, style)) = lines.get(n) {
                    let what = What::Text { text: text.clone(), style: *style, read: true };
                    into.push(self.put(*x, self.y + CELL.size, what));
                }
            }
            self.y += LINE_HEIGHT;
        }
        self.y += PAD;
        drop(self.put(MARGIN, self.y, What::Fill { width: ROOM, height: 0.5, ink: LINE }));
        let tagged = read.into_iter().enumerate().map(|(n, pieces)| match n {
            0 => element(Tag::TH(TableHeaderScope::Row), pieces),
            _ => element(Tag::TD, pieces),
        });
        element(Tag::TR, tagged.collect())
    }

    fn turn(&mut self, columns: &[Column]) {
        self.next_page();
        drop(self.head(columns, false));
    }
}
