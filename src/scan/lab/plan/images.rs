//! Which images the plan offers, and how they come to the device.
use crate::model::observation::lab::{ImageCase, PULL};
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf};

/// Images to offer. All paths are beside the plan.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Images {
    /// The maker's test image, newer than what the device runs, and the version that it brings.
    pub genuine: PathBuf,
    pub version: String,
    /// An image of the maker below that version, and what it brings.
    #[serde(default)]
    pub older: Option<PathBuf>,
    #[serde(default)]
    pub older_version: Option<String>,
    /// The maker's image for a sibling model.
    #[serde(default)]
    pub other_model: Option<PathBuf>,
    /// The maker's public key or certificate.
    #[serde(default)]
    pub public_key: Option<PathBuf>,
    /// The genuine image's signature, where it is a file of its own.
    #[serde(default)]
    pub signature: Option<PathBuf>,
    /// The maker's private test key, to sign a changed model again.
    #[serde(default)]
    pub test_key: Option<PathBuf>,
    /// A private key of the same kind that is not the maker's.
    #[serde(default)]
    pub stranger_key: Option<PathBuf>,
    /// The maker's signed image that does not start, and what it would report.
    #[serde(default)]
    pub no_boot: Option<PathBuf>,
    #[serde(default)]
    pub no_boot_version: Option<String>,
    /// Without it: all that the plan has the means for.
    #[serde(default)]
    pub cases: Option<Vec<ImageCase>>,
    /// How long the device's version is watched after it fetched an image.
    #[serde(default = "Images::default_settle")]
    pub settle_seconds: u64,
    /// A command that brings the device back to the version that it had, after it took an image that it must refuse.
    #[serde(default)]
    pub recover: Vec<String>,
    /// How they come to a device that does not fetch them.
    #[serde(default)]
    pub push: Option<Push>,
}

/// How an image is handed over.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Push {
    /// To the device's own page.
    Upload {
        /// `http://ADDRESS[:PORT]/PATH`, or https.
        url: String,
        #[serde(default = "Push::default_method")]
        method: String,
        /// The field of the form that holds the file; without it the body is the image.
        #[serde(default)]
        field: Option<String>,
        /// Further headers. A value that is secret is kept elsewhere: `env:NAME` or `file:PATH`.
        #[serde(default)]
        headers: BTreeMap<String, String>,
    },
    /// With a tool, such as one that speaks CoAP, TFTP or MQTT.
    Tool {
        /// What it speaks, in the words of `x-delivery` in table 7-UpdMech.
        over: String,
        /// {image} (a file), {version}, {sha256} and {size} are filled in.
        command: Vec<String>,
    },
}

impl Push {
    fn default_method() -> String {
        "POST".to_owned()
    }

    /// What the form cannot rule out, by its key.
    fn wrong(&self) -> Option<&'static str> {
        match self {
            Self::Upload { url, .. } if !of_an_address(url) => {
                Some("images.push.url: write http://ADDRESS[:PORT]/PATH or https://ADDRESS[:PORT]/PATH")
            }
            Self::Upload { method, .. } if !["POST", "PUT", "PATCH"].contains(&method.as_str()) => {
                Some("images.push.method: POST, PUT or PATCH")
            }
            Self::Upload { field: Some(field), .. } if field.contains(['"', '\r', '\n']) => {
                Some("images.push.field: the name of a form's field has no quotes and no line ends")
            }
            Self::Tool { over, .. } if over.trim().is_empty() || over == PULL => {
                Some("images.push.over: say what the tool speaks, such as \"coap\"")
            }
            Self::Tool { command, .. } if command.is_empty() => Some("images.push.command: name a program"),
            Self::Upload { .. } | Self::Tool { .. } => None,
        }
    }
}

fn of_an_address(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    matches!(url.scheme(), "http" | "https") && host.parse::<std::net::IpAddr>().is_ok() && url.username().is_empty()
}

impl Images {
    /// What the form cannot rule out, by its key.
    pub(super) fn wrong(&self) -> Option<&'static str> {
        let cases = self.cases.as_deref().unwrap_or_default();
        if cases.contains(&ImageCase::ClockMoved) {
            return Some("images.cases: clock-moved comes with ntp.wrong");
        }
        let push = self.push.as_ref()?;
        let cut = matches!(push, Push::Tool { .. }) && cases.contains(&ImageCase::Cut);
        push.wrong().or(match cases.iter().any(|c| c.of_metadata()) || cut {
            true => Some("images.cases: what is handed over has no metadata, and a tool cannot be cut"),
            false => None,
        })
    }

    /// The cases that can be shown in the way in which they are delivered.
    pub(super) fn can(&self, case: ImageCase) -> bool {
        match &self.push {
            None => true,
            Some(Push::Upload { .. }) => !case.of_metadata(),
            Some(Push::Tool { .. }) => !case.of_metadata() && case != ImageCase::Cut,
        }
    }
}

impl Images {
    fn default_settle() -> u64 {
        120
    }
}
