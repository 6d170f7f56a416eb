//! The IXIT as TOML: `[[1-AuthMech]]` per entry, `[4-Conf]` for a table with one entry, `1-AuthMech = []` for
//! a table that the device has nothing for.
use super::{
    DeclarationError,
    form::{Edition, Form, Table},
    grid::{self, Place, RawEntry, RawField, RawTable, wrong},
    ixit::Ixit,
    line_at, located,
    value::Written,
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

pub(super) fn toml(file: &str, text: &str) -> Result<Ixit, DeclarationError> {
    let reader = Reader { file, text };
    let parsed = DeTable::parse(text).map_err(|e| located(file, text, &e))?;
    let mut edition = Edition::default();
    if let Some((key, value)) = parsed.get_ref().iter().find(|(k, _)| k.get_ref() == "edition") {
        let place = reader.place(key.span().start);
        edition = grid::edition(file, &place, value.get_ref().as_str().unwrap_or_default())?;
    }
    let form = Form::of(edition);
    let mut tables = Vec::new();
    for (key, value) in parsed.get_ref().iter().filter(|(k, _)| k.get_ref() != "edition") {
        let place = reader.place(key.span().start);
        let table = grid::table(file, &place, form, key.get_ref())?;
        tables.push(RawTable { key: table.key.clone(), entries: reader.entries(&table, &place, value)?, place });
    }
    grid::build(file, edition, tables)
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
}

impl Reader<'_> {
    fn place(&self, at: usize) -> Place {
        Place { line: line_at(self.text, at), cell: String::new() }
    }

    fn entries(
        &self,
        table: &Table,
        place: &Place,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Vec<RawEntry>, DeclarationError> {
        let key = &table.key;
        match (value.get_ref(), table.repeating) {
            (DeValue::Array(all), true) => all.iter().map(|one| self.entry(table, one)).collect(),
            (DeValue::Array(all), false) if all.iter().next().is_none() => Ok(Vec::new()),
            (DeValue::Table(_), false) => Ok(vec![self.entry(table, value)?]),
            (DeValue::Array(_), false) => {
                Err(wrong(self.file, place, &format!("table `{key}` has one entry; write [{key}], once")))
            }
            (_, true) => Err(wrong(
                self.file,
                place,
                &format!("table `{key}` is a list; write [[{key}]] for each entry, or {key} = [] for none"),
            )),
            (_, false) => Err(wrong(self.file, place, &format!("table `{key}` is a table; write [{key}]"))),
        }
    }

    fn entry(&self, table: &Table, one: &Spanned<DeValue<'_>>) -> Result<RawEntry, DeclarationError> {
        let place = self.place(one.span().start);
        let field = |key: &str, place: Place, value: &Spanned<DeValue<'_>>| {
            let written = written(value.get_ref())
                .ok_or_else(|| wrong(self.file, &place, &format!("{}: `{key}` must be a text", table.key)))?;
            Ok(RawField { key: key.to_owned(), place, written })
        };
        if table.bare {
            return Ok(RawEntry { fields: vec![field("item", place.clone(), one)?], place });
        }
        let Some(fields) = one.get_ref().as_table() else {
            return Err(wrong(
                self.file,
                &place,
                &format!("an entry of `{}` has fields; write [[{}]]", table.key, table.key),
            ));
        };
        let fields = fields.iter().map(|(k, v)| field(k.get_ref(), self.place(k.span().start), v));
        Ok(RawEntry { fields: fields.collect::<Result<_, _>>()?, place })
    }
}

fn written(value: &DeValue<'_>) -> Option<Written> {
    match value {
        DeValue::String(s) => Some(Written::Text(s.to_string())),
        DeValue::Boolean(b) => Some(Written::Flag(*b)),
        DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix()).ok().map(Written::Number),
        DeValue::Datetime(d) => Some(Written::Text(d.to_string())),
        DeValue::Float(f) => Some(Written::Text(f.as_str().to_owned())),
        DeValue::Array(all) => {
            let texts: Option<Vec<String>> = all.iter().map(|v| v.get_ref().as_str().map(str::to_owned)).collect();
            texts.map(Written::List)
        }
        DeValue::Table(_) => None,
    }
}
