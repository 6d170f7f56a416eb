//! What those may do who have an account, and how their sessions behave.
use super::ControlAnswer;
use serde::{Deserialize, Serialize};

/// One client id of MQTT, used by two clients that are somebody else each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Takeover {
    pub first: String,
    pub second: String,
    /// The code of the second's CONNACK, and whether its session then works.
    pub code: u8,
    pub second_works: bool,
    pub first_stays: bool,
    /// Whether the first stays when the second comes under an id of its own: else nothing can be told.
    pub apart: bool,
}

/// What was asked of a vendor's local control protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    Read,
    /// What is set is what was read.
    SetAsItIs,
}

impl Act {
    pub fn words(self) -> &'static str {
        match self {
            Self::Read => "reading its state",
            Self::SetAsItIs => "setting the state that it has",
        }
    }
}

/// One question of a vendor's local control protocol, by somebody who never paired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalControl {
    pub protocol: String,
    pub title: String,
    pub act: Act,
    pub answer: ControlAnswer,
    pub proof: String,
}

/// What the sessions of several log-ins look like beside each other. Values are compared and not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionTokens {
    pub path: String,
    /// Log-ins that gave a session, and how many different ones there were.
    pub taken: u32,
    pub distinct: u32,
    pub shortest: u32,
    pub longest: u32,
    /// An estimate from how the characters of each place vary; few log-ins make it too small.
    pub bits: u32,
    /// Each is a number, a little above the one before.
    pub ordered: bool,
    /// What they were made from, as guessed and found right: the time, the user's name.
    pub made_from: Vec<String>,
    /// What stands in them, beside whatever else does.
    pub holds: Vec<String>,
}

/// Wrong log-ins for an account that there is and for names that were made up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserNames {
    pub path: String,
    pub mechanism: super::Mechanism,
    /// How many of each were sent.
    pub real: u32,
    pub made_up: u32,
    /// Whether all answers for the real one were alike, and all for made-up ones.
    pub real_alike: bool,
    pub made_up_alike: bool,
    /// In what the two kinds differ: nothing where they do not.
    pub differ: Vec<String>,
}

/// The same answer to a challenge of Digest, shown once more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    pub after_ms: u64,
    pub taken: bool,
}

/// How a server uses Digest (RFC 7616).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DigestUse {
    pub path: String,
    pub tls: bool,
    pub challenges: u32,
    pub distinct: u32,
    pub algorithms: Vec<String>,
    /// Whether every challenge offers `qop=auth`.
    pub qop: bool,
    /// None where no account is known.
    pub replays: Vec<Replay>,
}

/// A session that was left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionIdle {
    pub path: String,
    pub idle_ms: u64,
    /// Whether it still opened its page then.
    pub open: bool,
}

/// A harmless setting, changed by requests as another site's page would make a browser send them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forgery {
    pub path: String,
    pub field: String,
    /// Whether it changed without the form's token; and with the token of another session, where there is one.
    pub without_token: bool,
    pub others_token: Option<bool>,
    /// Whether browsers keep the session from requests of other sites: each cookie of it says SameSite.
    pub same_site: bool,
    /// Whether the value from before was proved to be back.
    pub restored: bool,
}

/// A password that was changed by its owner's page, tried, and set again to what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    pub path: String,
    /// Whether the form asks for the old password, and whether it took a wrong one.
    pub old_asked: bool,
    pub wrong_old_taken: Option<bool>,
    /// Which passwords open after the change.
    pub new_works: bool,
    pub old_works: bool,
    /// Whether a session from before the change was ended by it.
    pub ends_others: bool,
    /// Weak passwords that were offered, by their kinds, and the first that was taken.
    pub weak_tried: Vec<String>,
    pub weak_taken: Option<String>,
    /// Whether the password from before was proved to open again.
    pub restored: bool,
}

/// What somebody gets at a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gets {
    /// The same page.
    Same,
    /// Some other page.
    Other,
    Refused,
}

/// One page behind a log-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InsidePage {
    pub path: String,
    /// It has a form that sets something other than the password; and one that sets the password.
    pub sets: bool,
    pub sets_password: bool,
    pub nobody: Gets,
    /// What an account with fewer rights gets there, where one is known; and whether its own pages link there.
    pub user: Option<Gets>,
    pub linked_for_user: bool,
}

/// The pages that an account sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InsidePages {
    pub path: String,
    pub account: String,
    /// Whether it is an account of the list of default credentials.
    pub listed: bool,
    pub pages: Vec<InsidePage>,
}
