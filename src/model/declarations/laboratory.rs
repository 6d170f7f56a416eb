//! Who tested, with what, where and on which samples, as the laboratory writes it beside a recording (`laboratory.toml`).
//! Reports show it as it stands; nothing is judged by it.
use super::{DeclarationError, located};
use serde::{Deserialize, Serialize};

pub const FILE: &str = "laboratory.toml";

/// The laboratory, as ISO/IEC 17025 (7.8.2) wants a report to name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Laboratory {
    pub name: String,
    #[serde(default)]
    pub address: String,
    /// The number of its accreditation and who gave it; nothing where it has none.
    #[serde(default)]
    pub accreditation: String,
    /// Whether these tests are inside the scope of that accreditation.
    #[serde(default)]
    pub in_scope: Option<bool>,
    /// For whom it was tested.
    #[serde(default)]
    pub customer: String,
    /// The order or the report's own number.
    #[serde(default)]
    pub order: String,
    /// Where it was tested, if elsewhere than at the address.
    #[serde(default)]
    pub place: String,
    /// How the device was connected.
    #[serde(default)]
    pub network: String,
    /// By what the clock of the machine was set.
    #[serde(default)]
    pub clock: String,
    #[serde(default, rename = "person")]
    pub people: Vec<Person>,
    #[serde(default)]
    pub equipment: Vec<Equipment>,
    #[serde(default, rename = "sample")]
    pub samples: Vec<Sample>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    pub name: String,
    pub role: String,
    /// Since when they may do it: a day.
    #[serde(default)]
    pub authorised: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Equipment {
    pub id: String,
    pub what: String,
    /// When it was last checked: a day.
    #[serde(default)]
    pub checked: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    pub id: String,
    #[serde(default)]
    pub serial: String,
    /// Bought, supplied by the maker, and by whom.
    #[serde(default)]
    pub obtained: String,
    /// A day.
    #[serde(default)]
    pub received: Option<String>,
    #[serde(default)]
    pub condition: String,
}

impl Laboratory {
    pub fn parse(file: &str, text: &str) -> Result<Self, DeclarationError> {
        let all: Self = toml::from_str(text).map_err(|e| located(file, text, &e))?;
        let wrong = |word: &str, message: String| {
            let line = text.lines().position(|l| l.contains(word)).map_or(1, |n| n + 1);
            DeclarationError { file: file.to_owned(), line, message }
        };
        if all.name.trim().is_empty() {
            return Err(wrong("name", "`name` is empty; say who tested".to_owned()));
        }
        let days = all.people.iter().filter_map(|p| p.authorised.as_ref());
        let days = days.chain(all.equipment.iter().filter_map(|e| e.checked.as_ref()));
        for day in days.chain(all.samples.iter().filter_map(|s| s.received.as_ref())) {
            if day.parse::<jiff::civil::Date>().is_err() {
                return Err(wrong(day, format!("`{day}` is not a day such as 2026-12-31")));
            }
        }
        Ok(all)
    }

    /// Label and text of everything that is said, in order.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let scope = match self.in_scope {
            Some(true) => "inside the scope of the accreditation",
            Some(false) => "outside the scope of the accreditation",
            None => "",
        };
        let mut rows = vec![
            ("Laboratory", self.name.clone()),
            ("Address", self.address.clone()),
            ("Accreditation", self.accreditation.clone()),
            ("These tests", scope.to_owned()),
            ("Customer", self.customer.clone()),
            ("Order", self.order.clone()),
            ("Place", self.place.clone()),
            ("Network", self.network.clone()),
            ("Clock", self.clock.clone()),
        ];
        rows.retain(|(_, text)| !text.trim().is_empty());
        let joined = |parts: &[String]| {
            parts.iter().filter(|p| !p.trim().is_empty()).map(String::as_str).collect::<Vec<_>>().join(", ")
        };
        let on = |word: &str, day: &Option<String>| day.as_ref().map(|d| format!("{word} {d}")).unwrap_or_default();
        rows.extend(
            self.people
                .iter()
                .map(|p| ("Person", joined(&[p.name.clone(), p.role.clone(), on("authorised since", &p.authorised)]))),
        );
        rows.extend(
            self.equipment
                .iter()
                .map(|e| ("Equipment", joined(&[e.id.clone(), e.what.clone(), on("checked on", &e.checked)]))),
        );
        rows.extend(self.samples.iter().map(|s| {
            let serial = if s.serial.is_empty() { String::new() } else { format!("serial number {}", s.serial) };
            let received = on("received on", &s.received);
            ("Sample", joined(&[s.id.clone(), serial, s.obtained.clone(), received, s.condition.clone()]))
        }));
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_the_documentation_is_read_whole_and_every_line_of_it_is_shown() {
        let page = include_str!("../../../docs/laboratory.md");
        let text = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        let all = Laboratory::parse(FILE, text).unwrap();
        assert_eq!((all.people.len(), all.equipment.len(), all.samples.len()), (2, 1, 2));
        let shown = format!("{:?}", all.rows());
        for line in text.lines().filter_map(|l| l.split_once(" = ")) {
            let value = line.1.trim_matches('"');
            assert!(shown.contains(value) || line.0 == "in_scope", "{value} is not shown");
        }
    }

    #[test]
    fn an_unknown_key_a_missing_name_and_a_day_that_is_none_are_told_with_their_line() {
        let said = |text: &str| Laboratory::parse(FILE, text).unwrap_err().to_string();
        assert!(said("name = \"X\"\nadress = \"Y\"\n").starts_with("laboratory.toml:2: unknown field `adress`"));
        assert!(said("\nname = \" \"\n").starts_with("laboratory.toml:2: `name` is empty"));
        let day = said("name = \"X\"\n[[equipment]]\nid = \"E\"\nwhat = \"host\"\nchecked = \"spring\"\n");
        assert!(day.starts_with("laboratory.toml:5: `spring` is not a day"), "{day}");
    }
}
