//! In what update clients differ: the first of each is what a good one does.
use serde::Deserialize;

/// Which servers it believes in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    #[default]
    Full,
    /// It checks the chain, and not for which name it is.
    ChainOnly,
    Anything,
}

/// What it does when HTTPS fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fallback {
    #[default]
    None,
    Http,
    /// It never asks over HTTPS at all.
    OnlyHttp,
}

/// When it believes an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    #[default]
    Verified,
    /// An image without a signature is installed.
    Optional,
    /// It is installed and runs, and is taken back when the signature turns out to be wrong.
    AfterInstall,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rollback {
    #[default]
    Refused,
    Allowed,
}

/// What half an image does to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Incomplete {
    #[default]
    Discarded,
    /// It was written over the running software on its way in.
    Fatal,
}

/// What it does with the signature of metadata.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signed {
    #[default]
    Verified,
    Ignored,
}

/// What it does with the time until which metadata hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expiry {
    #[default]
    Checked,
    Ignored,
}

/// What it does after software that does not start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailedStart {
    #[default]
    GoesBack,
    StaysSo,
}

/// What it does when it is taken off the network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolated {
    /// It is silent, goes on with what needs no network, and comes back.
    #[default]
    WorksAlone,
    /// It goes on talking.
    Talks,
    /// It does nothing at all.
    Stops,
    /// It stays away when it is brought back.
    StaysAway,
}

/// What it does with the time that it is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// It has a clock of its own, and asks nobody.
    #[default]
    Own,
    /// It takes no time that is a day or more from what it knows.
    Bounded,
    /// It takes any.
    Trusting,
    /// It takes any that is later.
    Forwards,
}

impl Clock {
    /// How many seconds it is off after it was told one that is `told` off.
    pub fn set(self, off_s: i64, told: i64) -> i64 {
        match self {
            Self::Own => 0,
            Self::Bounded if (told - off_s).abs() >= 86_400 => off_s,
            Self::Bounded | Self::Trusting => told,
            Self::Forwards => off_s.max(told),
        }
    }
}

/// How an image comes to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// It fetches.
    #[default]
    Pull,
    /// Its page takes files: POST `/upload`, with a password.
    Upload,
}

/// What its page says of an upload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answers {
    #[default]
    Truly,
    AlwaysYes,
    AlwaysNo,
}
