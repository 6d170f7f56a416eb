//! What the device did. Refusing and staying silent while we waited are things it did, too.
//!
//! Text that came from the device is cleaned by [`clean`] before it is written here, so that no
//! report has to fear it; the bytes as received are in the transcript that the record cites.
use super::{
    digest::Sha256Digest,
    subject::{Subject, Transport},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::IpAddr};

pub mod access;
mod asked;
pub mod capture;
pub mod guessing;
pub mod lab;
pub mod labels;
pub mod malformed;
pub mod outage;
pub mod public;
pub mod tls;
pub mod upnp;
pub mod web;

pub use asked::{Signature, SnmpSet, TftpAnswer};

/// What a port did when it was asked. Never merged: "closed" must be provable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum PortState {
    Open,
    Refused,
    Silent { waited_ms: u64 },
}

/// Which secret was presented. Its text is never written; listed ones are named by their id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presented {
    Nothing,
    /// A random secret that cannot be right.
    Wrong,
    Anonymous,
    /// What the scope supplies for this account.
    Supplied,
    Listed(String),
}

/// A secret that anybody would try first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Obvious {
    Empty,
    UserName,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mechanism {
    HttpBasic,
    HttpDigest,
    HttpForm,
    HttpJson,
    HttpToken,
    Mqtt,
    Telnet,
    Ssh,
    Ftp,
    Snmp,
    Rtsp,
    Redis,
    Cwmp,
    Onvif,
    /// DTLS with a pre-shared key.
    #[serde(rename = "dtls-psk")]
    Psk,
}

impl Mechanism {
    /// The word used in files and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::HttpBasic => "http-basic",
            Self::HttpDigest => "http-digest",
            Self::HttpForm => "http-form",
            Self::HttpJson => "http-json",
            Self::HttpToken => "http-token",
            Self::Mqtt => "mqtt",
            Self::Telnet => "telnet",
            Self::Ssh => "ssh",
            Self::Ftp => "ftp",
            Self::Snmp => "snmp",
            Self::Rtsp => "rtsp",
            Self::Redis => "redis",
            Self::Cwmp => "cwmp",
            Self::Onvif => "onvif",
            Self::Psk => "dtls-psk",
        }
    }
}

/// A question that a service of the infrastructure should not answer to strangers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Control {
    NtpVariables,
    NtpMonlist,
    DnsRecursion,
}

impl Control {
    pub fn words(self) -> &'static str {
        match self {
            Self::NtpVariables => "NTP read variables (mode 6)",
            Self::NtpMonlist => "NTP monlist (mode 7)",
            Self::DnsRecursion => "a recursive DNS question",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlAnswer {
    Answered,
    Refused,
    Silent,
    Unclear,
}

/// Does the surface ask for a credential before it does anything?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asks {
    Yes,
    No,
    Unclear,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    Accepted,
    Refused,
    Unclear,
    /// 423, 429, 421, a new error text, a dropped connection: the device may be about to lock.
    LockSign,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TlsVersion {
    #[serde(rename = "ssl3")]
    Ssl3,
    #[serde(rename = "1.0")]
    Tls10,
    #[serde(rename = "1.1")]
    Tls11,
    #[serde(rename = "1.2")]
    Tls12,
    #[serde(rename = "1.3")]
    Tls13,
}

impl TlsVersion {
    pub const ALL: [Self; 5] = [Self::Ssl3, Self::Tls10, Self::Tls11, Self::Tls12, Self::Tls13];

    pub fn word(self) -> &'static str {
        match self {
            Self::Ssl3 => "ssl3",
            Self::Tls10 => "1.0",
            Self::Tls11 => "1.1",
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.word() == word)
    }
}

/// What a server answered to a ClientHello that offered one version only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum TlsAnswer {
    Accepted { suite: String, forward_secrecy: bool, aead: bool },
    Alert { description: u8 },
    OtherVersion { chosen: String },
    Closed,
    Silent,
    NotTls,
}

/// The leaf certificate that a server showed. Times are RFC 3339 UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    pub subject: String,
    pub issuer: String,
    pub names: Vec<String>,
    pub not_before: String,
    pub not_after: String,
    pub key: String,
    pub signature: String,
    pub self_signed: bool,
    pub is_ca: bool,
    pub chain_length: usize,
    pub sha256: Sha256Digest,
    pub spki_sha256: Sha256Digest,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    pub scheme: String,
    pub realm: String,
}

/// What one HTTP request brought back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpPage {
    pub path: String,
    pub status: u16,
    pub title: String,
    pub server: String,
    pub content_type: String,
    pub location: String,
    pub challenges: Vec<Challenge>,
    /// A form with a password field.
    pub login_form: bool,
    /// A form with a file field.
    pub upload_form: bool,
    /// Words of a settings page: input names such as ssid, password, ntp, dns.
    pub settings: Vec<String>,
    /// Firmware version strings that the page states.
    pub versions: Vec<String>,
    pub length: u64,
    /// The same page comes back for paths that cannot exist.
    pub same_as_missing: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivered {
    pub topic: String,
    pub retained: bool,
    pub bytes: u64,
    /// Classes of sensitive content seen in it: password, token, psk, geo...
    pub sensitive: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoapLink {
    pub path: String,
    pub resource_type: String,
    pub observable: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Observation {
    /// A name led to these addresses, and the scan used one of them.
    NameResolved {
        name: String,
        addresses: Vec<IpAddr>,
        used: IpAddr,
    },
    /// The device answered before or after a probe run.
    Alive {
        how: String,
    },
    /// How the device can be told from another: label and value (certificate digest, host key, serial).
    Trait {
        name: String,
        value: String,
    },
    /// A sweep of ports of one host; port sets are written as `1-79,81`.
    Swept {
        transport: Transport,
        asked: String,
        open: String,
        refused: String,
        silent: String,
        waited_ms: u64,
        took_ms: u64,
    },
    /// Random high ports that nothing should serve.
    WildcardControl {
        asked: Vec<u16>,
        accepted: Vec<u16>,
    },
    /// One port, and for UDP which service the reply parsed as.
    Port {
        state: PortState,
        service: Option<String>,
    },
    /// What a port says that it is. `service` is `unknown` when it says nothing that we know.
    Service {
        service: String,
        tls: bool,
        starttls: bool,
        product: Option<String>,
        version: Option<String>,
        vendor: Option<String>,
        says: Box<[String]>,
    },
    /// An engineering interface proved by its own handshake.
    DebugInterface {
        name: String,
        proof: String,
    },
    Tls {
        version: TlsVersion,
        answer: TlsAnswer,
    },
    Certificate {
        certificate: Box<Certificate>,
    },
    /// What a TLS server accepts under one version.
    TlsAccepts {
        version: TlsVersion,
        list: tls::TlsList,
    },
    TlsFeature {
        feature: tls::TlsFeature,
        /// Under which version it was asked; nothing where the version says nothing.
        version: Option<TlsVersion>,
        standing: tls::Standing,
    },
    /// The certificates that a server showed, leaf first.
    TlsChain {
        links: Vec<tls::ChainLink>,
    },
    /// What came of a client that showed this certificate, after a request of the application.
    TlsClient {
        presented: tls::ClientProof,
        outcome: tls::ClientOutcome,
    },
    /// The algorithms that an SSH server offers, by the fields of its KEXINIT.
    SshAlgorithms {
        algorithms: BTreeMap<String, Vec<String>>,
    },
    /// A host key of a kind that was asked for.
    SshHostKey {
        algorithm: String,
        /// Of an RSA modulus.
        bits: Option<u32>,
        sha256: String,
    },
    Http {
        page: Box<HttpPage>,
    },
    /// A file was offered to an upload path with no credential, or only the path was asked.
    HttpUpload {
        path: String,
        status: u16,
        asks: Asks,
        proof: String,
    },
    /// What a path that cannot exist gets: the control of every finding by a path.
    HttpMissing {
        path: String,
        status: u16,
    },
    /// Something that a page shows to somebody without a credential, told by a rule of the list of exposures. Of what
    /// it holds only the classes of sensitive content are kept.
    HttpShown {
        path: String,
        status: u16,
        shows: web::Shown,
        rule: String,
        sensitive: Vec<String>,
    },
    /// A question that a web server should not answer.
    HttpControlled {
        question: web::Question,
        path: String,
        answer: ControlAnswer,
        proof: String,
    },
    /// How a page is to be handled by a browser, and where it leads.
    HttpPolicy {
        policy: Box<web::HttpPolicy>,
    },
    HttpInjection {
        injection: web::Injection,
    },
    XmlEntity {
        entity: web::XmlEntity,
    },
    WebSession {
        session: web::WebSession,
    },
    SecurityTxt {
        path: String,
        status: u16,
        contacts: Vec<String>,
        expires: Option<String>,
        problems: Vec<String>,
    },
    /// One way to log in.
    LoginSurface {
        mechanism: Mechanism,
        path: String,
        asks: Asks,
        proof: String,
    },
    LoginTrial {
        mechanism: Mechanism,
        user: String,
        presented: Presented,
        /// What was presented could be guessed without any list.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        obvious: Option<Obvious>,
        answer: Answer,
        proof: String,
    },
    /// The candidates that the budget did not allow or that a stop left over.
    LoginsLeft {
        mechanism: Mechanism,
        tried: u32,
        left: u32,
        why: String,
    },
    /// One event of a series of guesses.
    Guessing {
        guessing: guessing::Guessing,
    },
    /// The passwords of labels, compared.
    LabelPasswords {
        labels: labels::Labels,
    },
    /// One event of a series of wrong input.
    Malformed {
        malformed: malformed::Malformed,
    },
    /// A path that takes log-ins in JSON, and the paths that were closed without one.
    JsonLogin {
        path: String,
        status: u16,
        user_field: String,
        password_field: String,
        closed: Vec<String>,
    },
    /// A camera stream, asked for without a credential. `control`: a path that cannot exist.
    RtspStream {
        path: String,
        control: bool,
        status: u16,
        described: bool,
        /// How the media of the description are carried, such as `RTP/AVP` (RFC 8866, 5.14). Older recordings say nothing.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        carried: Vec<String>,
        media_packets: u32,
    },
    Controlled {
        question: Control,
        answer: ControlAnswer,
        proof: String,
    },
    /// The authentication methods that an SSH server offers.
    SshMethods {
        methods: Vec<String>,
    },
    /// A share of a file server, asked for without a credential. `control`: a name that cannot exist.
    FileShare {
        name: String,
        control: bool,
        asks: Asks,
        proof: String,
    },
    /// Whether an SMB server speaks a version; nothing where that could not be told.
    SmbVersion {
        version: String,
        accepted: Option<bool>,
        detail: String,
    },
    /// Whether an SSH server would take a public key. Nothing was signed. `control`: a key that nobody has.
    SshKeyQuery {
        key: String,
        user: String,
        control: bool,
        keys_offered: bool,
        taken: bool,
    },
    /// What a WebSocket did for somebody without a session.
    WebSocket {
        path: String,
        status: u16,
        /// Messages with content that came, and their bytes.
        messages: u32,
        bytes: u64,
        /// Why it closed the connection, if it did.
        close: Option<u16>,
        asks_in_band: bool,
        sensitive: Vec<String>,
    },
    /// An ONVIF operation asked for without a credential.
    OnvifAnswer {
        operation: String,
        path: String,
        status: u16,
        answer: ControlAnswer,
        proof: String,
    },
    /// A file asked for over TFTP. `control`: a name that cannot exist.
    TftpRead {
        file: String,
        control: bool,
        answer: TftpAnswer,
    },
    /// How much came back for one small datagram, all its packets together.
    UdpGain {
        question: String,
        sent: u64,
        received: u64,
        packets: u32,
    },
    /// Whether an MCUmgr listener names its images to a stranger (SMP, group 1, id 0).
    SmpImages {
        answer: ControlAnswer,
        versions: Vec<String>,
    },
    /// A question of the list of known backdoors and engineering services.
    KnownService {
        signature: String,
        answer: Signature,
        proof: String,
    },
    /// A service that the device announces. The subject is who announced it.
    Advertised {
        service: String,
        instance: String,
        host: String,
        /// Where it is said to be, when that is this device.
        at: Option<Subject>,
        text: Vec<String>,
    },
    /// A community tried for writing, with the value that was there.
    SnmpWrite {
        presented: Presented,
        answer: SnmpSet,
    },
    /// The elements of a UPnP description, by their names in lower case.
    UpnpDescription {
        location: String,
        status: u16,
        fields: BTreeMap<String, Vec<String>>,
    },
    /// A mapping of a port that a gateway was asked for.
    PortMapping {
        mapping: upnp::PortMapping,
    },
    EventCallback {
        callback: upnp::EventCallback,
    },
    MqttConnect {
        protocol: String,
        presented: Presented,
        code: u8,
        accepted: bool,
        /// Whether the session works: it answered a PINGREQ.
        #[serde(default)]
        answers_ping: bool,
    },
    MqttSubscribe {
        filter: String,
        granted: bool,
        code: u8,
        delivered: Vec<Delivered>,
        canary_delivered: bool,
        presented: Presented,
    },
    /// A message without meaning that one stranger published. `delivered`: another one received it.
    MqttPublish {
        topic: String,
        /// Below a topic that others use; else below one of our own.
        foreign: bool,
        /// The reason code of MQTT 5, where that is spoken.
        code: Option<u8>,
        subscribed: bool,
        delivered: bool,
    },
    SessionTokens {
        tokens: access::SessionTokens,
    },
    SessionIdle {
        idle: access::SessionIdle,
    },
    UserNames {
        names: access::UserNames,
    },
    DigestUse {
        digest: access::DigestUse,
    },
    Forgery {
        forgery: access::Forgery,
    },
    PasswordChange {
        change: access::PasswordChange,
    },
    InsidePages {
        pages: access::InsidePages,
    },
    MqttTakeover {
        takeover: access::Takeover,
    },
    LocalControl {
        control: access::LocalControl,
    },
    CoapPing {
        answered: bool,
    },
    CoapCore {
        code: String,
        links: Vec<CoapLink>,
    },
    CoapRead {
        path: String,
        code: String,
        bytes: u64,
        sensitive: Vec<String>,
        text: bool,
    },
    /// Discovery, asked for with an option that nobody knows. `code` is also `reset` or `silent`.
    CoapUnknownOption {
        number: u16,
        code: String,
    },
    /// A resource whose changes were asked for. `registered`: the answer took the observation up (RFC 7641, 3.1).
    CoapObserve {
        path: String,
        code: String,
        registered: bool,
        bytes: u64,
        notifications: u32,
        waited_ms: u64,
    },
    /// An object of LwM2M that was asked for. What came is counted, not kept.
    Lwm2mObject {
        path: String,
        code: String,
        bytes: u64,
    },
    /// What the firmware object of LwM2M (5) makes of a package that a stranger writes, and that is none.
    Lwm2mFirmware {
        /// Whether there is such an object.
        present: bool,
        /// The code of a write to a resource that cannot exist; empty where nothing was written.
        control: String,
        /// Of the package.
        code: String,
        /// State (resource 3) and result (resource 5) afterwards, where they could be read.
        state: Option<u8>,
        result: Option<u8>,
    },
    /// The value that was there, put again; or something put to a path that cannot exist (`control`).
    CoapWrite {
        path: String,
        control: bool,
        code: String,
        /// What a GET brought afterwards: the same as before; for a control, what was put.
        same_after: Option<bool>,
    },
    Dtls {
        answer: String,
    },
    /// What a DTLS server accepts, by version, with suites by IANA name.
    DtlsAccepts {
        version: String,
        suites: Vec<String>,
    },
    /// What came back for a first DTLS hello from an address that nobody has proved.
    DtlsFirstFlight {
        cookie_asked: bool,
        sent: u64,
        received: u64,
    },
    /// Whether an agent shows anything of a group to a default community. What it shows is not kept.
    SnmpView {
        presented: Presented,
        group: String,
        shown: bool,
    },
    /// A user of SNMPv3, asked without authentication. `report` is why it was refused, by the name of the counter.
    SnmpUser {
        user: String,
        presented: Presented,
        report: Option<String>,
        sysdescr: Option<String>,
    },
    Snmp {
        version: String,
        presented: Presented,
        answered: bool,
        sysdescr: Option<String>,
    },
    /// Which device may be altered, how it is brought back, and who consented.
    LabConsent {
        authorised_by: String,
        sample: String,
        recovery: String,
        consent: String,
    },
    /// A name that the device asked the laboratory's name server for.
    LabName {
        name: String,
        record: String,
        answered: bool,
    },
    LabVisit {
        visit: Box<lab::Visit>,
    },
    /// What DHCP answered, and what the device told of itself when it asked for an address.
    LabLease {
        answer: String,
        name: String,
        class: String,
        /// Whether it asked for time servers.
        wants_time: bool,
    },
    /// The device asked for the time, and was told one that is so many seconds off.
    LabTime {
        off_s: i64,
    },
    LabClock {
        moved: lab::ClockMove,
    },
    /// When the undisturbed device looked for updates, in milliseconds from the start.
    LabWatched {
        watched_ms: u64,
        polls_ms: Vec<u64>,
        /// How the device was set up before, as the plan says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        set_up: Option<String>,
    },
    LabImage {
        trial: Box<lab::ImageTrial>,
    },
    LabIsolation {
        isolation: lab::IsolationPhase,
    },
    LabOutage {
        outage: Box<outage::Outage>,
    },
    /// The genuine image could not be proved to be back: nothing that is seen of the device from here on counts.
    LabDirty {
        after: lab::ImageCase,
        why: String,
    },
    Package {
        package: Box<lab::Package>,
    },
    /// Who authorised that sites of the maker are visited, and which.
    PublicAccess {
        authorised_by: String,
        hosts: Vec<String>,
    },
    Document {
        document: Box<public::Document>,
    },
    /// A document that is declared without an address of the web: printed, in an app.
    DocumentElsewhere {
        name: String,
        place: String,
    },
    /// A file for machines. `found` where it is there and is what it should be; `detail` says what was seen.
    PointerAsked {
        pointer: public::Pointer,
        at: String,
        status: Option<u16>,
        found: bool,
        detail: String,
    },
    Capture {
        capture: Box<capture::Capture>,
    },
    Destination {
        destination: Box<capture::Destination>,
    },
    ClientHello {
        hello: Box<capture::Hello>,
    },
    NameAsked {
        asked: Box<capture::Asked>,
    },
    NameQuestions {
        questions: capture::Questions,
    },
    ClearSecret {
        secret: capture::ClearSecret,
    },
    Announced {
        announced: capture::Announced,
    },
}

/// Makes device text safe to store and show: control, bidirectional and tag characters become `.`,
/// and it is cut to `most` characters.
pub fn clean(text: &str, most: usize) -> String {
    text.trim().chars().take(most).map(|c| if harmless(c) { c } else { '.' }).collect()
}

fn harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_and_bidi_characters_never_reach_a_report() {
        assert_eq!(clean("ok\u{1b}[31m\u{202e}evil\u{0}\u{e0041}", 99), "ok.[31m.evil..");
        assert_eq!(clean(&"x".repeat(500), 10).len(), 10);
    }
}
