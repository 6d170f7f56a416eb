//! The ICS as a table, in a workbook or as CSV: `part,id,support,reason`, a row per claim and per condition.
use super::{
    Claim, DeclarationError, Ics, Support,
    grid::{Place, wrong},
    xlsx,
};
use crate::model::nearest::nearest;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, XlsxError};

const HEADER: [&str; 4] = ["part", "id", "support", "reason"];
/// The sheet's name.
const SHEET: &str = "ICS";
const PARTS: [&str; 3] = ["catalogue", "condition", "claim"];
/// In characters.
const WIDTHS: [f64; 4] = [12.0, 16.0, 16.0, 80.0];

/// A cell with its place.
struct Cell {
    place: Place,
    text: String,
}

/// One line of the table; cells beyond the known columns are a mistake that was found before.
type Row = [Cell; 4];

fn rows(ics: &Ics) -> Vec<[String; 4]> {
    let row = |part: &str, id: &str, support: &str, reason: &str| [part, id, support, reason].map(str::to_owned);
    let mut all = Vec::new();
    all.extend(ics.catalogue.iter().map(|c| row("catalogue", c, "", "")));
    all.extend(ics.conditions.iter().map(|(id, holds)| row("condition", id, if *holds { "yes" } else { "no" }, "")));
    all.extend(ics.claims.iter().map(|(id, c)| row("claim", id, c.support.word(), &c.reason)));
    all
}

/// The workbook's bytes; the same ICS gives the same bytes.
pub fn write_xlsx(ics: &Ics) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let fixed = ExcelDateTime::from_ymd(1980, 1, 1)?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&fixed));
    let head = Format::new().set_bold();
    let sheet = book.add_worksheet().set_name(SHEET)?;
    for ((column, heading), width) in (0u16..).zip(HEADER).zip(WIDTHS) {
        sheet.write_string_with_format(0, column, heading, &head)?.set_column_width(column, width)?;
    }
    for (row, cells) in (1u32..).zip(rows(ics)) {
        for (column, text) in (0u16..).zip(cells).filter(|(_, text)| !text.is_empty()) {
            sheet.write_string(row, column, text)?;
        }
    }
    book.save_to_buffer()
}

pub fn write_csv(ics: &Ics) -> Result<Vec<u8>, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(HEADER)?;
    for row in rows(ics) {
        out.write_record(row)?;
    }
    out.into_inner().map_err(|e| e.into_error().into())
}

pub fn read_xlsx(file: &str, bytes: &[u8]) -> Result<Ics, DeclarationError> {
    let sheets = xlsx::sheets(file, bytes)?;
    if let Some(other) = sheets.iter().find(|s| s.name != SHEET) {
        let message = format!("an ICS is one sheet named `{SHEET}`; rename or remove this one");
        return Err(other.wrong(0, 0, &message));
    }
    let Some(sheet) = sheets.first() else {
        return Err(wrong(file, &Place::default(), &format!("no sheet; an ICS is one sheet named `{SHEET}`")));
    };
    let (height, width) = sheet.size();
    let mut all = Vec::new();
    for row in 0..height {
        let mut cells = Vec::new();
        for column in 0..width.max(4) {
            cells.push(Cell { place: sheet.place(row, column), text: sheet.text(row, column)? });
        }
        all.push(cells);
    }
    build(file, all)
}

pub fn read_csv(file: &str, bytes: &[u8]) -> Result<Ics, DeclarationError> {
    let mut records = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut all = Vec::new();
    for (n, row) in records.records().enumerate() {
        let place = |column: usize| Place { line: n + 1, cell: format!("cell {}{}: ", letter(column), n + 1) };
        let row = row.map_err(|e| wrong(file, &place(0), &format!("not readable: {e}; save it as UTF-8 CSV")))?;
        let text = |c: usize| row.get(c).unwrap_or_default().trim().trim_start_matches('\u{feff}').to_owned();
        all.push((0..row.len().max(4)).map(|c| Cell { place: place(c), text: text(c) }).collect());
    }
    build(file, all)
}

fn letter(column: usize) -> String {
    xlsx::letters(u32::try_from(column).unwrap_or(u32::MAX))
}

fn build(file: &str, table: Vec<Vec<Cell>>) -> Result<Ics, DeclarationError> {
    let mut lines = table.into_iter().map(|cells| four(file, cells)).collect::<Result<Vec<Row>, _>>()?.into_iter();
    let columns = HEADER.join(", ");
    let Some(head) = lines.next() else {
        return Err(wrong(file, &Place::default(), &format!("it is empty; its columns are {columns}")));
    };
    for (cell, wanted) in head.iter().zip(HEADER) {
        if !cell.text.eq_ignore_ascii_case(wanted) {
            let message = format!("heading `{}` where `{wanted}` belongs; the columns are {columns}", cell.text);
            return Err(wrong(file, &cell.place, &message));
        }
    }
    let mut ics = Ics::default();
    for row in lines.filter(|row| row.iter().any(|c| !c.text.is_empty())) {
        add(file, &mut ics, &row)?;
    }
    Ok(ics)
}

/// The four known cells; a value in any other has no heading.
fn four(file: &str, cells: Vec<Cell>) -> Result<Row, DeclarationError> {
    if let Some(stray) = cells.iter().skip(4).find(|c| !c.text.is_empty()) {
        return Err(wrong(file, &stray.place, "a value without a heading; clear it"));
    }
    let known: Vec<Cell> = cells.into_iter().take(4).collect();
    known.try_into().map_err(|_| wrong(file, &Place::default(), "a row has fewer than four columns"))
}

fn add(file: &str, ics: &mut Ics, [part, id, support, reason]: &Row) -> Result<(), DeclarationError> {
    let bad = |cell: &Cell, message: String| wrong(file, &cell.place, &message);
    if id.text.is_empty() {
        return Err(bad(id, "a row without an id; name the provision, condition or catalogue".to_owned()));
    }
    let twice = match part.text.as_str() {
        "catalogue" => ics.catalogue.replace(id.text.clone()).is_some(),
        "condition" => {
            let holds = match support.text.to_lowercase().as_str() {
                "yes" => true,
                "no" => false,
                other => return Err(bad(support, format!("`{other}` is no answer to a condition; write yes or no"))),
            };
            ics.conditions.insert(id.text.clone(), holds).is_some()
        }
        "claim" => {
            let said = Support::parse(&support.text);
            let said = said.ok_or_else(|| {
                bad(support, format!("`{}` is no support; write yes, no or not-applicable", support.text))
            })?;
            if said == Support::NotApplicable && reason.text.is_empty() {
                let message = format!("`{}` is claimed not applicable without a reason; give one here", id.text);
                return Err(bad(reason, message));
            }
            ics.claims.insert(id.text.clone(), Claim { support: said, reason: reason.text.clone() }).is_some()
        }
        other => {
            let near = nearest(other, PARTS.into_iter());
            return Err(bad(part, format!("unknown part `{other}`{near}; it is one of {}", PARTS.join(", "))));
        }
    };
    if twice {
        return Err(bad(id, format!("{} `{}` stands twice; remove one", part.text, id.text)));
    }
    Ok(())
}
