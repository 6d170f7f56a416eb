//! Handing an image over to a device that does not fetch it: by an upload to its own page, or with a tool of the tester's.
use super::{super::version, Prepared};
use crate::{
    model::{
        Scope, Sha256Digest,
        observation::{
            clean,
            lab::{ImageCase, UPLOAD},
        },
    },
    scan::journal::Journal,
};
use std::{path::PathBuf, sync::Arc};

/// How images are handed over, with the secrets that it takes.
pub enum Hand {
    Upload {
        /// `http://ADDRESS[:PORT]/PATH`, or https.
        url: reqwest::Url,
        method: String,
        /// The field of the form that holds the file; without it the body is the image.
        field: Option<String>,
        headers: Vec<Header>,
    },
    Tool {
        /// What it speaks, in the words of table 7-UpdMech.
        over: String,
        command: Vec<String>,
    },
}

/// A header of an upload.
pub struct Header {
    pub name: String,
    pub value: String,
    /// It is masked in transcripts.
    pub secret: bool,
}

/// What became of handing an image over.
pub struct Handed {
    /// Bytes that the device took before it said no, or anything else.
    pub taken: u64,
    pub answer: String,
    pub transcript: Option<Sha256Digest>,
}

impl Handed {
    pub fn nothing(answer: &str) -> Self {
        Self { taken: 0, answer: clean(answer, 200), transcript: None }
    }
}

impl Hand {
    pub fn word(&self) -> &str {
        match self {
            Self::Upload { .. } => UPLOAD,
            Self::Tool { over, .. } => over,
        }
    }
}

/// What handing over needs, so that the device can be watched meanwhile.
pub struct Giving {
    pub hand: Arc<Hand>,
    pub image: Prepared,
    pub scope: Scope,
    pub journal: Arc<Journal>,
    /// Where an image lies while a tool has it.
    pub dir: PathBuf,
}

impl Giving {
    pub async fn done(self) -> Handed {
        match &*self.hand {
            Hand::Upload { url, method, field, headers } => self.upload(url, method, field.as_deref(), headers).await,
            Hand::Tool { command, .. } => self.with_tool(command).await,
        }
    }

    /// A tool that ends well says that it handed all of it over.
    async fn with_tool(&self, command: &[String]) -> Handed {
        let file = self.dir.join(format!("handed-over-{}", self.image.case.word()));
        if let Err(e) = std::fs::write(&file, &self.image.bytes) {
            return Handed::nothing(&format!("`{}`: {e}", file.display()));
        }
        let filled: Vec<String> = command.iter().map(|word| fill(word, &self.image, &file)).collect();
        let said = version::output(&filled).await;
        let _ = std::fs::remove_file(&file);
        match said {
            None => Handed::nothing("the tool failed"),
            Some(text) => Handed { taken: size(&self.image), answer: clean(&text, 200), transcript: None },
        }
    }
}

fn fill(word: &str, prepared: &Prepared, file: &std::path::Path) -> String {
    word.replace("{image}", &file.display().to_string())
        .replace("{version}", &prepared.claims)
        .replace("{sha256}", &Sha256Digest::of(&prepared.bytes).hex())
        .replace("{size}", &size(prepared).to_string())
}

pub(super) fn size(prepared: &Prepared) -> u64 {
    u64::try_from(prepared.bytes.len()).unwrap_or(u64::MAX)
}

/// How many bytes of an image are sent: half, where the case is that the connection is cut.
pub(super) fn sent(prepared: &Prepared) -> &[u8] {
    match prepared.case {
        ImageCase::Cut => prepared.bytes.get(..prepared.bytes.len() / 2).unwrap_or_default(),
        ImageCase::PayloadBit
        | ImageCase::SignatureBit
        | ImageCase::Stripped
        | ImageCase::OtherKey
        | ImageCase::OtherModel
        | ImageCase::Truncated
        | ImageCase::Genuine
        | ImageCase::Older
        | ImageCase::MetadataChanged
        | ImageCase::MetadataExpired
        | ImageCase::NoBoot
        | ImageCase::ClockMoved => &prepared.bytes,
    }
}
