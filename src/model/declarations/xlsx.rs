//! The IXIT as a spreadsheet: a sheet per table, named by its key. A table with one entry has a row per field.
use super::{
    DeclarationError, Edition,
    form::{Form, Table},
    grid::{self, Place, RawEntry, RawField, RawTable, wrong},
    ixit::{Ixit, OBSERVED, Supplied},
    value::Written,
};
use crate::model::nearest::nearest;
use calamine::{Data, Reader, Xlsx};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError};
use std::io::Cursor;

/// The sheet that says which edition the others follow.
const ABOUT: &str = "about";
/// In characters.
const COLUMN_WIDTH: f64 = 32.0;

/// The workbook's bytes; the same IXIT gives the same bytes.
pub fn write(ixit: &Ixit) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let fixed = ExcelDateTime::from_ymd(1980, 1, 1)?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&fixed));
    let (head, cell) = (Format::new().set_bold(), Format::new().set_text_wrap().set_align(FormatAlign::Top));
    let about = book.add_worksheet().set_name(ABOUT)?;
    about.write_string(0, 0, "edition")?.write_string(0, 1, ixit.edition.word())?;
    for table in &Form::of(ixit.edition).tables {
        let entries = match ixit.supplied(&table.key) {
            Supplied::NotSupplied => continue,
            Supplied::None => &[],
            Supplied::Entries(entries) => entries,
        };
        let sheet = book.add_worksheet().set_name(&table.key)?;
        let headings = if table.repeating { None } else { Some(["Field", "Entry"]) };
        for (column, heading) in (0u16..).zip(headings.into_iter().flatten()) {
            sheet.write_string_with_format(0, column, heading, &head)?.set_column_width(column, COLUMN_WIDTH)?;
        }
        let labels = table.fields.iter().map(|f| (f.key.as_str(), f.label.as_str())).chain([(OBSERVED, OBSERVED)]);
        for (n, (key, label)) in (0u16..).zip(labels) {
            let mut put = Cell { sheet: &mut *sheet, table, along: n };
            put.write(0, label, &head)?;
            for (e, entry) in (1u16..).zip(entries) {
                let text = match key {
                    OBSERVED if entry.observed => "yes".to_owned(),
                    _ => entry.fields.get(key).map(ToString::to_string).unwrap_or_default(),
                };
                put.write(e, &text, &cell)?;
            }
        }
    }
    book.save_to_buffer()
}

/// One field: a column of a table with many entries, a row of a table with one.
struct Cell<'a> {
    sheet: &'a mut Worksheet,
    table: &'a Table,
    along: u16,
}

impl Cell<'_> {
    fn write(&mut self, across: u16, text: &str, format: &Format) -> Result<(), XlsxError> {
        let (row, column) = if self.table.repeating { (across, self.along) } else { (self.along + 1, across) };
        if self.table.repeating && across == 0 {
            self.sheet.set_column_width(column, COLUMN_WIDTH)?;
        }
        if !text.is_empty() {
            self.sheet.write_string_with_format(u32::from(row), column, text, format)?;
        }
        Ok(())
    }
}

/// Reads a workbook as [`write()`] makes it, or as a laboratory's form has it: sheets by table, headings by label.
pub fn read(file: &str, bytes: &[u8]) -> Result<Ixit, DeclarationError> {
    let sheets = sheets(file, bytes)?;
    let about = sheets.iter().find(|s| s.name == ABOUT);
    let edition = match about {
        None => Edition::default(),
        Some(s) => grid::edition(file, &s.place(0, 1), &s.text(0, 1)?)?,
    };
    let mut tables = Vec::new();
    for s in sheets.iter().filter(|s| s.name != ABOUT) {
        let place = Place { line: 1, cell: format!("sheet `{}`: ", s.name) };
        let table = grid::table(file, &place, Form::of(edition), &s.name)?;
        let entries = if table.repeating { s.entries(&table)? } else { s.entry(&table)? };
        tables.push(RawTable { key: table.key, place, entries });
    }
    grid::build(file, edition, tables)
}

/// The sheets of a workbook, none with merged cells.
pub(super) fn sheets<'a>(file: &'a str, bytes: &[u8]) -> Result<Vec<Sheet<'a>>, DeclarationError> {
    let unreadable =
        |e: calamine::XlsxError| wrong(file, &Place::default(), &format!("not a workbook: {e}; save it as .xlsx"));
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(unreadable)?;
    let mut sheets = Vec::new();
    for name in book.sheet_names() {
        let merged = book.merge_cells_by_sheet_name(&name).map_err(unreadable)?.first().map(|d| d.start);
        let rows = book.worksheet_range(&name).map_err(unreadable)?;
        let sheet = Sheet { file, name, rows };
        if let Some((row, column)) = merged {
            return Err(sheet.wrong(
                row,
                column,
                "merged cells cannot be told apart; unmerge them, one value per cell",
            ));
        }
        sheets.push(sheet);
    }
    Ok(sheets)
}

pub(super) struct Sheet<'a> {
    file: &'a str,
    pub(super) name: String,
    rows: calamine::Range<Data>,
}

impl Sheet<'_> {
    pub(super) fn place(&self, row: u32, column: u32) -> Place {
        let cell = format!("sheet `{}`, cell {}{}: ", self.name, letters(column), row + 1);
        Place { line: usize::try_from(row).unwrap_or_default() + 1, cell }
    }

    pub(super) fn wrong(&self, row: u32, column: u32, message: &str) -> DeclarationError {
        wrong(self.file, &self.place(row, column), message)
    }

    pub(super) fn text(&self, row: u32, column: u32) -> Result<String, DeclarationError> {
        Ok(match self.rows.get_value((row, column)) {
            None | Some(Data::Empty) => String::new(),
            Some(Data::String(s) | Data::DateTimeIso(s) | Data::DurationIso(s)) => s.trim().to_owned(),
            Some(Data::Int(n)) => n.to_string(),
            Some(Data::Float(n)) => n.to_string(),
            Some(Data::Bool(b)) => if *b { "yes" } else { "no" }.to_owned(),
            Some(Data::DateTime(d)) => {
                let (year, month, day, ..) = d.to_ymd_hms_milli();
                format!("{year:04}-{month:02}-{day:02}")
            }
            Some(Data::Error(e)) => {
                return Err(self.wrong(row, column, &format!("the cell holds the error {e}; write a value")));
            }
        })
    }

    pub(super) fn size(&self) -> (u32, u32) {
        self.rows.end().map_or((0, 0), |(row, column)| (row + 1, column + 1))
    }

    /// Which field each heading means; every field of the form must have one.
    fn headings(
        &self,
        table: &Table,
        at: impl Iterator<Item = (u32, u32)>,
    ) -> Result<Vec<Option<String>>, DeclarationError> {
        let mut keys: Vec<Option<String>> = Vec::new();
        for (row, column) in at {
            let heading = self.text(row, column)?;
            let key = match heading.as_str() {
                "" => None,
                OBSERVED => Some(OBSERVED.to_owned()),
                _ => Some(by_label(table, &heading).map_err(|m| self.wrong(row, column, &m))?),
            };
            if key.is_some() && keys.contains(&key) {
                return Err(self.wrong(row, column, &format!("heading `{heading}` stands twice; join them")));
            }
            keys.push(key);
        }
        for field in table.fields.iter().filter(|f| !f.own() || !(f.optional || table.bare)) {
            if !keys.iter().flatten().any(|k| *k == field.key) {
                let what = if table.repeating { "column" } else { "row" };
                let message = format!("the {what} `{}` is missing; add it, its cells may be empty", field.label);
                return Err(self.wrong(0, 0, &message));
            }
        }
        Ok(keys)
    }

    fn entries(&self, table: &Table) -> Result<Vec<RawEntry>, DeclarationError> {
        let (rows, columns) = self.size();
        let keys = self.headings(table, (0..columns).map(|c| (0, c)))?;
        let mut entries = Vec::new();
        for row in 1..rows {
            let mut fields = Vec::new();
            for (column, key) in (0..columns).zip(&keys) {
                fields.extend(self.field(row, column, key.as_ref())?);
            }
            if !fields.is_empty() {
                entries.push(RawEntry { place: self.place(row, 0), fields });
            }
        }
        Ok(entries)
    }

    /// A table with one entry: labels in the first column, values in the second.
    fn entry(&self, table: &Table) -> Result<Vec<RawEntry>, DeclarationError> {
        let (rows, _) = self.size();
        let keys = self.headings(table, (1..rows).map(|r| (r, 0)))?;
        let mut fields = Vec::new();
        for (row, key) in (1..rows).zip(&keys) {
            fields.extend(self.field(row, 1, key.as_ref())?);
        }
        Ok(if fields.is_empty() { Vec::new() } else { vec![RawEntry { place: self.place(1, 0), fields }] })
    }

    fn field(&self, row: u32, column: u32, key: Option<&String>) -> Result<Option<RawField>, DeclarationError> {
        let text = self.text(row, column)?;
        match key {
            _ if text.is_empty() => Ok(None),
            None => Err(self.wrong(row, column, "a value without a heading; give its column one or clear it")),
            Some(key) => {
                let place = self.place(row, column);
                Ok(Some(RawField { key: key.clone(), place, written: Written::Text(text) }))
            }
        }
    }
}

/// The key of a field by its label or key, in whatever case.
pub(super) fn by_label(table: &Table, heading: &str) -> Result<String, String> {
    let same = |name: &str| name.eq_ignore_ascii_case(heading.trim());
    let found = table.fields.iter().find(|f| same(&f.label) || same(&f.key));
    found.map(|f| f.key.clone()).ok_or_else(|| {
        let near = nearest(heading, table.fields.iter().map(|f| f.label.as_str()));
        format!("unknown heading `{heading}`{near}")
    })
}

/// `A`, `B` ... `Z`, `AA`.
pub(super) fn letters(column: u32) -> String {
    let letter = char::from_u32(u32::from(b'A') + column % 26).unwrap_or('?');
    let before = if column < 26 { String::new() } else { letters(column / 26 - 1) };
    format!("{before}{letter}")
}
