//! Whether a profile applies on a day. The day is always handed in; nothing here knows what day it is.
use super::Profile;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use thiserror::Error;

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotInForce {
    #[error("profile `{id}` was valid to {to} only{}", successor(.superseded_by.as_deref()))]
    Expired { id: String, to: Date, superseded_by: Option<String> },
    #[error("profile `{id}` is valid from {from} only")]
    NotYet { id: String, from: Date },
}

fn successor(id: Option<&str>) -> String {
    id.map_or_else(String::new, |id| format!("; superseded by `{id}`"))
}

impl Profile {
    /// Both ends of the validity are days on which it applies.
    pub fn in_force(&self, on: Date) -> Result<(), NotInForce> {
        if on < self.valid_from {
            return Err(NotInForce::NotYet { id: self.id.clone(), from: self.valid_from });
        }
        match self.valid_to {
            Some(to) if on > to => {
                Err(NotInForce::Expired { id: self.id.clone(), to, superseded_by: self.superseded_by.clone() })
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// The day, in UTC, of a time as recordings write it.
pub fn day(time: &str) -> Option<Date> {
    time.parse::<Timestamp>().ok().map(|t| t.to_zoned(TimeZone::UTC).date())
}
