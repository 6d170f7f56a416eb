//! The implementation extra information for testing. A missing table was not supplied; an empty one
//! says that the device has none.
use super::{DeclarationError, form::Edition, value::Value};
use crate::model::{Transport, Vantage};
use std::collections::BTreeMap;

/// Marks an entry that a tool filled in from a recording: not declared until the maker takes the mark away.
pub const OBSERVED: &str = "x-observed";

/// What was said of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supplied<'a> {
    NotSupplied,
    None,
    Entries(&'a [Entry]),
}

/// One entry of a table, as written.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// Where it stands, for messages.
    pub line: usize,
    /// Marked as observed, so not declared.
    pub observed: bool,
    pub fields: BTreeMap<String, Value>,
}

impl PartialEq for Entry {
    /// Two entries are equal wherever they stand.
    fn eq(&self, other: &Self) -> bool {
        self.observed == other.observed && self.fields == other.fields
    }
}

impl Eq for Entry {}

impl Entry {
    pub fn text(&self, key: &str) -> &str {
        match self.fields.get(key) {
            Some(Value::Text(t)) => t,
            Some(Value::Flag(_) | Value::Number(_) | Value::List(_)) | None => "",
        }
    }

    pub fn number(&self, key: &str) -> Option<i64> {
        match self.fields.get(key) {
            Some(Value::Number(n)) => Some(*n),
            Some(Value::Text(_) | Value::Flag(_) | Value::List(_)) | None => None,
        }
    }

    pub fn list(&self, key: &str) -> &[String] {
        match self.fields.get(key) {
            Some(Value::List(l)) => l,
            Some(Value::Text(_) | Value::Flag(_) | Value::Number(_)) | None => &[],
        }
    }

    /// What it is called: its id, or `tcp/443` for an endpoint.
    pub fn name(&self) -> String {
        match (self.text("id"), self.number("port")) {
            ("", Some(port)) => format!("{}/{port}", self.text("transport")),
            (id, _) => id.to_owned(),
        }
    }
}

/// One network service that the maker describes (`x-endpoints`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredEndpoint {
    pub transport: Transport,
    pub port: u16,
    pub last_port: Option<u16>,
    pub protocol: String,
    /// Entries of 1-AuthMech that guard it.
    pub auth_ref: Vec<String>,
    /// Entries of 11-ComMech that protect it.
    pub comm_ref: Vec<String>,
    pub status: EndpointStatus,
    /// From where it is meant to be reached; without a word: from the LAN.
    pub sides: Vec<Vantage>,
    pub purpose: String,
}

impl DeclaredEndpoint {
    pub fn name(&self) -> String {
        format!("{}/{}", self.transport, self.port)
    }

    /// Whether it is meant to be reached from there.
    pub fn faces(&self, side: Vantage) -> bool {
        if self.sides.is_empty() { side == Vantage::Lan } else { self.sides.contains(&side) }
    }

    pub fn covers(&self, transport: Transport, port: u16) -> bool {
        self.transport == transport && (self.port..=self.last_port.unwrap_or(self.port)).contains(&port)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointStatus {
    Enabled,
    Disabled,
    Transient,
}

/// One way to log in that the maker describes (table 1-AuthMech).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredAuth {
    pub id: String,
    pub description: String,
    pub auth_factor: String,
    /// The mechanism's word as in an inventory: http-basic, http-form, mqtt, ssh ...
    pub mechanism: String,
}

/// The software components and versions under test (table 6-SoftComp), as far as a probe compares them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredSoftware {
    pub id: String,
    pub description: String,
    pub version: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ixit {
    pub edition: Edition,
    /// Every table that was written, by its key, with the entries that are only marked as observed.
    pub tables: BTreeMap<String, Vec<Entry>>,
    // What checks compare, without the entries that are only marked as observed.
    pub endpoints: Option<Vec<DeclaredEndpoint>>,
    pub auth: Option<Vec<DeclaredAuth>>,
    pub software: Option<Vec<DeclaredSoftware>>,
    /// Paths of resources that are public by design, such as `coap:/time` or `http:/status`.
    pub public: Option<Vec<String>>,
    /// Banner items whose disclosure is declared.
    pub disclosed: Option<Vec<String>>,
}

impl Ixit {
    pub fn parse(file: &str, text: &str) -> Result<Self, DeclarationError> {
        super::read::toml(file, text)
    }

    /// As written, the entries marked as observed among them.
    pub fn supplied(&self, table: &str) -> Supplied<'_> {
        match self.tables.get(table).map(Vec::as_slice) {
            None => Supplied::NotSupplied,
            Some([]) => Supplied::None,
            Some(entries) => Supplied::Entries(entries),
        }
    }

    /// The declared entries. A table that has only observed ones was not supplied.
    pub fn declared(&self, table: &str) -> Option<Vec<&Entry>> {
        let all = self.tables.get(table)?;
        let declared: Vec<&Entry> = all.iter().filter(|e| !e.observed).collect();
        (all.is_empty() || !declared.is_empty()).then_some(declared)
    }

    /// From tables that are right by the form.
    pub(super) fn of(edition: Edition, tables: BTreeMap<String, Vec<Entry>>) -> Result<Self, (usize, String)> {
        let mut ixit = Self { edition, tables, ..Self::default() };
        let text = |e: &Entry, key: &str| e.text(key).to_owned();
        let items = |of: Option<Vec<&Entry>>| of.map(|l| l.iter().map(|e| text(e, "item")).collect());
        let endpoints = ixit.declared("x-endpoints").map(|l| l.into_iter().map(endpoint).collect());
        let endpoints: Option<Result<Vec<_>, _>> = endpoints;
        let auth = ixit.declared("1-AuthMech").map(|l| {
            let one = |e: &&Entry| DeclaredAuth {
                id: text(e, "id"),
                description: text(e, "description"),
                auth_factor: text(e, "auth_factor"),
                mechanism: text(e, "x-mechanism"),
            };
            l.iter().map(one).collect()
        });
        let software = ixit.declared("6-SoftComp").map(|l| {
            let one = |e: &&Entry| DeclaredSoftware {
                id: text(e, "id"),
                description: text(e, "description"),
                version: text(e, "version"),
            };
            l.iter().map(one).collect()
        });
        let (public, disclosed) = (items(ixit.declared("x-public")), items(ixit.declared("x-disclosed")));
        (ixit.endpoints, ixit.auth, ixit.software) = (endpoints.transpose()?, auth, software);
        (ixit.public, ixit.disclosed) = (public, disclosed);
        Ok(ixit)
    }
}

fn side(word: &str) -> Option<Vantage> {
    [Vantage::Lan, Vantage::Wan, Vantage::Guest].into_iter().find(|v| v.word() == word)
}

fn endpoint(e: &Entry) -> Result<DeclaredEndpoint, (usize, String)> {
    let wrong = |message: String| (e.line, format!("x-endpoints: {message}"));
    let port = |key: &str| match e.number(key) {
        None => Ok(None),
        Some(n) => match u16::try_from(n) {
            Ok(n) if n > 0 => Ok(Some(n)),
            Ok(_) | Err(_) => Err(wrong(format!("`{key}` must be 1 to 65535, not {n}"))),
        },
    };
    let first = port("port")?.ok_or_else(|| wrong("`port` is missing; add port = NUMBER".to_owned()))?;
    let last_port = port("last_port")?;
    if last_port.is_some_and(|last| last < first) {
        return Err(wrong(format!("`last_port` is below port {first}; name the higher one")));
    }
    if e.text("protocol").is_empty() {
        return Err(wrong(format!("`protocol` of port {first} is missing; add protocol = \"http\" or the like")));
    }
    let unknown = |s: &str| wrong(format!("`sides` of port {first} are lan, wan and guest, not `{s}`"));
    Ok(DeclaredEndpoint {
        transport: match e.text("transport") {
            "tcp" => Transport::Tcp,
            "udp" => Transport::Udp,
            _ => return Err(wrong(format!("`transport` of port {first} is missing; add \"tcp\" or \"udp\""))),
        },
        port: first,
        last_port,
        protocol: e.text("protocol").to_owned(),
        auth_ref: e.list("auth_ref").to_vec(),
        comm_ref: e.list("comm_ref").to_vec(),
        status: match e.text("status") {
            "disabled" => EndpointStatus::Disabled,
            "transient" => EndpointStatus::Transient,
            _ => EndpointStatus::Enabled,
        },
        sides: e.list("sides").iter().map(|s| side(s).ok_or_else(|| unknown(s))).collect::<Result<_, _>>()?,
        purpose: e.text("purpose").to_owned(),
    })
}
