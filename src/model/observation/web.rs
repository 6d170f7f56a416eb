//! What web servers show and say.
use serde::{Deserialize, Serialize};

/// What a page shows that is not meant for strangers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// An interface for engineers: a profiler, metrics, a console.
    Debug,
    /// The configuration as a file.
    Backup,
    /// Files of a source repository or of a build.
    Source,
    /// Identity, network or user data.
    Info,
    /// Sample pages of the server software.
    Sample,
    Log,
    /// A still picture or a stream of pictures.
    Picture,
    /// The files of a directory.
    Listing,
    /// Internals of the software in an error page.
    Error,
}

impl Shown {
    pub fn words(self) -> &'static str {
        match self {
            Self::Debug => "a debug interface",
            Self::Backup => "the configuration",
            Self::Source => "files of the source",
            Self::Info => "data of the device",
            Self::Sample => "a sample page",
            Self::Log => "a log",
            Self::Picture => "a picture",
            Self::Listing => "the files of a directory",
            Self::Error => "internals in an error page",
        }
    }
}

/// A question that a web server should not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// Whether a request by TRACE comes back as it was sent, headers and all.
    Trace,
    /// A method that does not exist.
    UnknownMethod,
    /// Whether a page of another origin may read the answer with the user's session, or data that anybody gets.
    ForeignOrigin,
    /// Data under a host name that is not the device's.
    ForeignHost,
    /// A file of the system, by a path or a parameter that leads out of the server's own directory.
    OutsideRoot,
}

impl Question {
    pub fn words(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::UnknownMethod => "a method that does not exist",
            Self::ForeignOrigin => "reading from a page of another origin",
            Self::ForeignHost => "a request under a foreign host name",
            Self::OutsideRoot => "a way out of the server's directory",
        }
    }
}

/// What one page tells a browser. Texts are as the device sent them, cleaned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpPolicy {
    pub path: String,
    pub status: u16,
    pub html: bool,
    pub tls: bool,
    /// Whether another site is kept from framing it: by `frame-ancestors` or `X-Frame-Options`.
    pub no_framing: bool,
    pub no_sniffing: bool,
    pub referrer: String,
    pub hsts: String,
    /// Scripts, frames, styles and form targets over cleartext HTTP.
    pub insecure: Vec<String>,
    /// Parameters of links, forms and redirects by GET that carry a secret, by their names.
    pub secrets_in_urls: Vec<String>,
    pub cookies: Vec<Cookie>,
}

/// One cookie, without its value.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cookie {
    pub name: String,
    pub secure: bool,
    pub http_only: bool,
    /// `strict`, `lax`, `none`, or empty when it is not said.
    pub same_site: String,
}

/// One session that was opened by a form and closed again. Values of cookies are compared and not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebSession {
    pub path: String,
    pub tls: bool,
    /// The cookies without which the page that was opened closes again, with what was said of them.
    pub cookies: Vec<Cookie>,
    /// Whether such a cookie was there before the log-in and was not replaced by it.
    pub kept: bool,
    pub logout: Logout,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Logout {
    /// No link on the page leads to one.
    #[default]
    NotFound,
    /// The old session opens nothing any more.
    Ends,
    /// The old session still opens the page.
    StaysOpen,
}

/// What an XML document asks its reader to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum XmlForm {
    /// An external entity, used in the document.
    Entity,
    /// An external document type.
    Dtd,
}

impl XmlForm {
    pub fn words(self) -> &'static str {
        match self {
            Self::Entity => "an external entity",
            Self::Dtd => "an external document type",
        }
    }
}

/// An XML document that names an address of the tester.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct XmlEntity {
    pub path: String,
    pub form: XmlForm,
    pub status: u16,
    /// Whether it was answered as the same document without it.
    pub as_ordinary: bool,
    /// Whether the device fetched it from us.
    pub fetched: bool,
}

/// A parameter that was given a command that only waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Injection {
    /// The path up to the value.
    pub path: String,
    pub parameter: String,
    /// How the command was joined to the value, as sent; `*` stands for it.
    pub way: String,
    pub times: Vec<Timed>,
}

/// How long two answers took: with a command that waits for nothing, and for five seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timed {
    pub quick_ms: u64,
    pub slow_ms: u64,
}
