//! The passwords on the labels of several devices, measured. No password and no part of one stands here.
use serde::{Deserialize, Serialize};

/// What of a password can be told without telling it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Characters {
    Digits,
    LowerCase,
    UpperCase,
    Others,
}

impl Characters {
    pub const ALL: [Self; 4] = [Self::Digits, Self::LowerCase, Self::UpperCase, Self::Others];

    /// As in an IXIT and a recording.
    pub fn word(self) -> &'static str {
        match self {
            Self::Digits => "digits",
            Self::LowerCase => "lower-case",
            Self::UpperCase => "upper-case",
            Self::Others => "others",
        }
    }

    /// Of ASCII.
    pub fn count(self) -> u32 {
        match self {
            Self::Digits => 10,
            Self::LowerCase | Self::UpperCase => 26,
            Self::Others => 33,
        }
    }
}

/// All labels of one file, compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// The entry of IXIT table 1-AuthMech that asks for them, as the scope says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<String>,
    /// Devices.
    pub samples: u32,
    /// Characters.
    pub shortest: u32,
    pub longest: u32,
    pub characters: Vec<Characters>,
    /// No generator of such passwords has more bits than this. Small samples make it too large, never too small.
    pub bits_at_most: u32,
    /// What else the labels tell, which anybody may read: serial, mac, ssid.
    pub public: Vec<String>,
    /// Ways to make a password of that which were tried, over all labels.
    pub ways: u32,
    pub derived: Found,
    pub regular: Found,
}

/// What was found, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    pub certain: Vec<String>,
    /// Chance may have made it.
    pub doubtful: Vec<String>,
}
