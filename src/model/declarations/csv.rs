//! The IXIT as one CSV file: `table,entry,field,value`, a row per value. A row with a table alone says that the
//! device has none of it.
use super::{
    DeclarationError, Edition,
    form::Form,
    grid::{self, Place, RawEntry, RawField, RawTable, wrong},
    ixit::{Ixit, OBSERVED, Supplied},
    value::Written,
    xlsx::by_label,
};

const HEADER: [&str; 4] = ["table", "entry", "field", "value"];
const EDITION: &str = "edition";

pub fn write(ixit: &Ixit) -> Result<Vec<u8>, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(HEADER)?;
    out.write_record([EDITION, "", "", ixit.edition.word()])?;
    for table in &Form::of(ixit.edition).tables {
        let entries = match ixit.supplied(&table.key) {
            Supplied::NotSupplied => continue,
            Supplied::None => {
                out.write_record([table.key.as_str(), "", "", ""])?;
                continue;
            }
            Supplied::Entries(entries) => entries,
        };
        for (n, e) in entries.iter().enumerate() {
            let number = (n + 1).to_string();
            if e.observed {
                out.write_record([table.key.as_str(), &number, OBSERVED, "yes"])?;
            }
            for f in &table.fields {
                if let Some(v) = e.fields.get(&f.key) {
                    out.write_record([table.key.as_str(), &number, &f.label, &v.to_string()])?;
                }
            }
        }
    }
    out.into_inner().map_err(|e| e.into_error().into())
}

pub fn read(file: &str, bytes: &[u8]) -> Result<Ixit, DeclarationError> {
    let mut rows = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let (mut edition, mut tables) = (Edition::default(), Vec::<RawTable>::new());
    // Rows of one entry need not stand together, but those of a table keep their order.
    let mut numbers: Vec<Vec<String>> = Vec::new();
    for (n, row) in rows.records().enumerate() {
        let at = |column: char| Place { line: n + 1, cell: format!("cell {column}{}: ", n + 1) };
        let row = row.map_err(|e| wrong(file, &at('A'), &format!("not readable: {e}; save it as UTF-8 CSV")))?;
        let cell = |c: usize| row.get(c).unwrap_or_default().trim();
        if n == 0 {
            header(file, &row)?;
            continue;
        }
        let (table, entry, field) = (cell(0), cell(1), cell(2));
        if table == EDITION {
            edition = grid::edition(file, &at('D'), cell(3))?;
            continue;
        }
        let form = grid::table(file, &at('A'), Form::of(edition), table)?;
        let known = tables.iter().position(|t| t.key == table).unwrap_or_else(|| {
            tables.push(RawTable { key: table.to_owned(), place: at('A'), entries: Vec::new() });
            numbers.push(Vec::new());
            tables.len() - 1
        });
        if field.is_empty() && cell(3).is_empty() {
            continue;
        }
        let key = if field == OBSERVED { Ok(OBSERVED.to_owned()) } else { by_label(&form, field) };
        let key = key.map_err(|m| wrong(file, &at('C'), &m))?;
        let value = RawField { key, place: at('D'), written: Written::Text(cell(3).to_owned()) };
        let (Some(table), Some(numbers)) = (tables.get_mut(known), numbers.get_mut(known)) else { continue };
        match numbers.iter().position(|e| e == entry).and_then(|n| table.entries.get_mut(n)) {
            Some(raw) => raw.fields.push(value),
            None => {
                numbers.push(entry.to_owned());
                table.entries.push(RawEntry { place: at('B'), fields: vec![value] });
            }
        }
    }
    grid::build(file, edition, tables)
}

fn header(file: &str, row: &csv::StringRecord) -> Result<(), DeclarationError> {
    for ((n, wanted), column) in HEADER.iter().enumerate().zip('A'..) {
        let found = row.get(n).unwrap_or_default().trim().trim_start_matches('\u{feff}');
        if !found.eq_ignore_ascii_case(wanted) {
            let message = format!("heading `{found}` where `{wanted}` belongs; the columns are {}", HEADER.join(", "));
            return Err(wrong(file, &Place { line: 1, cell: format!("cell {column}1: ") }, &message));
        }
    }
    Ok(())
}
