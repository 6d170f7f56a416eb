//! An observation in a sentence, for people who read evidence.
use crate::model::{
    Observation,
    observation::{
        Answer, Asks, ControlAnswer, HttpPage, PortState, Presented, Signature, SnmpSet, TftpAnswer, TlsAnswer,
        guessing::{Guess, Guessed, Guessing},
        web::HttpPolicy,
    },
};

mod access;
mod capture;
mod lab;
mod malformed;
mod public;
mod tls;
mod upnp;

/// What was seen, in words. Not cleaned and not escaped: that is the view's part. One arm per kind of
/// observation, however many they are, so that a new kind cannot be forgotten.
pub fn words(o: &Observation) -> String {
    match o {
        Observation::NameResolved { name, addresses, used } => {
            format!("{name} resolved to {}; used {used}", list(addresses.iter()))
        }
        Observation::Alive { how } => format!("the device answered ({how})"),
        Observation::Trait { name, value } => format!("{name}: {value}"),
        Observation::Swept { transport, asked, open, refused, silent, .. } => format!(
            "{transport} ports asked: {asked}; open: {}; refused: {}; silent: {}",
            some(open),
            some(refused),
            some(silent)
        ),
        Observation::WildcardControl { asked, accepted } => {
            let accepted = list(accepted.iter());
            format!("ports that nothing should serve: {}; accepted: {}", list(asked.iter()), some(&accepted))
        }
        Observation::Port { state, service } => {
            format!("{}{}", port(*state), service.as_ref().map(|s| format!(", answered as {s}")).unwrap_or_default())
        }
        Observation::Service { service, tls, starttls, product, version, vendor, says } => {
            let tls = if *tls { " over TLS" } else { "" };
            let start = if *starttls { ", offers STARTTLS" } else { "" };
            let who: Vec<&str> = [vendor, product, version].into_iter().flatten().map(String::as_str).collect();
            format!("{service}{tls}{start}; product: {}; says: {}", some(&who.join(" ")), some(&says.join(" | ")))
        }
        Observation::DebugInterface { name, proof } => format!("debug interface {name}: {proof}"),
        Observation::Tls { version, answer } => format!("TLS {} offered alone: {}", version.word(), tls_answer(answer)),
        Observation::Certificate { certificate: c } => format!(
            "certificate of {} by {}, {} key, valid {} to {}, {}",
            c.subject, c.issuer, c.key, c.not_before, c.not_after, c.sha256
        ),
        Observation::TlsAccepts { version, list } => format!("TLS {}: {}", version.word(), tls::accepts(list)),
        Observation::TlsFeature { feature, version, standing } => tls::feature(*feature, *version, *standing),
        Observation::TlsChain { links } => tls::chain(links),
        Observation::TlsClient { presented, outcome } => tls::client(*presented, *outcome),
        Observation::SshAlgorithms { algorithms } => {
            let field = |(name, all): (&String, &Vec<String>)| format!("{name}: {}", all.join(" "));
            format!("SSH algorithms: {}", algorithms.iter().map(field).collect::<Vec<_>>().join("; "))
        }
        Observation::SshHostKey { algorithm, bits, sha256 } => {
            let bits = bits.map(|b| format!(" of {b} bits")).unwrap_or_default();
            format!("SSH host key {algorithm}{bits}: {sha256}")
        }
        Observation::Http { page } => http(page),
        Observation::HttpMissing { path, status } => format!("{path}, which cannot exist, is answered with {status}"),
        Observation::HttpShown { path, status, shows, rule, sensitive } => format!(
            "{path} ({status}) shows {} ({rule}){}",
            shows.words(),
            if sensitive.is_empty() { String::new() } else { format!(", with {}", sensitive.join(", ")) }
        ),
        Observation::HttpControlled { question, path, answer: a, proof } => {
            format!("{path}: {}: {} ({proof})", question.words(), controlled(*a))
        }
        Observation::HttpInjection { injection: i } => format!(
            "{} with a command that waits for 0 and for 5 s ({}): answered after {} ms",
            i.path,
            i.way,
            list(i.times.iter().map(|t| format!("{} and {}", t.quick_ms, t.slow_ms)))
        ),
        Observation::XmlEntity { entity: x } => format!(
            "{}: XML with {}: status {}, {}",
            x.path,
            x.form.words(),
            x.status,
            if x.fetched { "which it fetched from us" } else { "which it did not fetch" }
        ),
        Observation::WebSession { session: s } => {
            let kept = if s.kept { "as before the log-in" } else { "new" };
            format!(
                "session at {}: {kept}; carried by {}; logout: {:?}",
                s.path,
                some(&list(s.cookies.iter().map(|c| &c.name))),
                s.logout
            )
        }
        Observation::HttpPolicy { policy: p } => policy(p),
        Observation::SecurityTxt { path, status, contacts, expires, problems } => format!(
            "{path}: status {status}; contacts: {}; expires: {}; problems: {}",
            some(&contacts.join(", ")),
            some(expires.as_deref().unwrap_or_default()),
            some(&problems.join(", "))
        ),
        Observation::HttpUpload { path, status, asks: a, proof } => {
            format!("upload to {path}: status {status}, {}; {proof}", asks(*a))
        }
        Observation::LoginSurface { mechanism, path, asks: a, proof } => {
            format!("log-in by {} {path}: {}; {proof}", mechanism.word(), asks(*a))
        }
        Observation::LoginTrial { mechanism, user, presented: with, answer: a, proof, .. } => {
            format!("{} log-in as {user:?} with {}: {}; {proof}", mechanism.word(), presented(with), answer(*a))
        }
        Observation::LoginsLeft { mechanism, tried, left, why } => {
            format!("{} log-ins: {tried} tried, {left} left untried: {why}", mechanism.word())
        }
        Observation::Guessing { guessing: g } => guess(g),
        Observation::LabelPasswords { labels: l } => access::labels(l),
        Observation::Malformed { malformed: m } => malformed::words(m),
        Observation::JsonLogin { path, status, closed, .. } => {
            format!("{path} takes log-ins in JSON (status {status}); closed: {}", some(&closed.join(", ")))
        }
        Observation::RtspStream { path, control, status, described, carried, media_packets } => format!(
            "stream {path}{}: status {status}, {}, {media_packets} media packets",
            if *control { " (a path that cannot exist)" } else { "" },
            match (described, carried.is_empty()) {
                (true, true) => "described".to_owned(),
                (true, false) => format!("described by {}", carried.join(", ")),
                (false, _) => "not described".to_owned(),
            }
        ),
        Observation::Controlled { question, answer, proof } => {
            format!("{}: {}; {proof}", question.words(), controlled(*answer))
        }
        Observation::SshMethods { methods } => format!("SSH offers {}", some(&methods.join(", "))),
        Observation::FileShare { name, asks: a, proof, .. } => format!("file share {name}: {}; {proof}", asks(*a)),
        Observation::SmbVersion { version, detail, .. } => format!("SMB{version} offered alone: {detail}"),
        Observation::SshKeyQuery { key, user, keys_offered, taken, .. } => format!(
            "SSH key {key} for {user:?}: {}",
            match (keys_offered, taken) {
                (false, _) => "it takes no keys",
                (true, true) => "would be taken",
                (true, false) => "refused",
            }
        ),
        Observation::WebSocket { path, status, messages, bytes, close, .. } => format!(
            "WebSocket {path}: status {status}; {messages} message(s), {bytes} bytes; {}",
            close.map_or_else(|| "not closed".to_owned(), |c| format!("closed with {c}"))
        ),
        Observation::OnvifAnswer { operation, path, answer, proof, .. } => {
            format!("ONVIF {operation} at {path} without a credential: {}; {proof}", controlled(*answer))
        }
        Observation::TftpRead { file, control, answer } => {
            format!(
                "TFTP read of {file}{}: {}",
                if *control { " (a name that cannot exist)" } else { "" },
                tftp(answer)
            )
        }
        Observation::UdpGain { question, sent, received, packets } => {
            format!("{question}: {sent} bytes sent, {received} bytes came in {packets} packet(s)")
        }
        Observation::SmpImages { answer, versions } => match answer {
            ControlAnswer::Answered => format!("MCUmgr names its images: {}", some(&list(versions.iter()))),
            ControlAnswer::Refused => "MCUmgr refuses to name its images".to_owned(),
            ControlAnswer::Silent => "MCUmgr is silent when it is asked for its images".to_owned(),
            ControlAnswer::Unclear => "MCUmgr: the answer about its images could not be read".to_owned(),
        },
        Observation::KnownService { signature, answer, proof } => {
            let answer = match answer {
                Signature::Matches => "matches",
                Signature::Other => "another answer",
                Signature::Silent => "silent",
            };
            format!("known service {signature}: {answer}; {proof}")
        }
        Observation::Advertised { service, instance, host, at, text } => format!(
            "{service} {instance:?} announced at {}; says {}",
            at.as_ref().map_or_else(|| host.clone(), ToString::to_string),
            some(&text.join(" | "))
        ),
        Observation::SnmpWrite { presented: with, answer } => {
            let answer = match answer {
                SnmpSet::Written { same_after: true } => "written, and the value is the same as before".to_owned(),
                SnmpSet::Written { same_after: false } => {
                    "written, and the value was not the same afterwards".to_owned()
                }
                SnmpSet::Refused { status } => format!("refused with error status {status}"),
                SnmpSet::Silent => "silent".to_owned(),
            };
            format!("SNMP write of the value that was there with {}: {answer}", presented(with))
        }
        Observation::PortMapping { mapping } => upnp::mapping(mapping),
        Observation::EventCallback { callback } => upnp::callback(callback),
        Observation::UpnpDescription { location, status, fields } => {
            let names = list(fields.keys());
            format!("UPnP description {location}: status {status}; tells {}", some(&names))
        }
        Observation::MqttConnect { protocol, presented: with, code, accepted, answers_ping } => format!(
            "MQTT {protocol} connect with {}: {} (code {code}){}",
            presented(with),
            if *accepted { "accepted" } else { "refused" },
            if *answers_ping { ", and the session works" } else { "" }
        ),
        Observation::MqttSubscribe { filter, granted, code, delivered, canary_delivered, presented: with } => format!(
            "MQTT subscribe to {filter} with {}: {} (code {code}); {} message(s) delivered{}",
            presented(with),
            if *granted { "granted" } else { "refused" },
            delivered.len(),
            if *canary_delivered { ", ours among them" } else { "" }
        ),
        Observation::SessionTokens { tokens } => access::tokens(tokens),
        Observation::SessionIdle { idle } => access::idle(idle),
        Observation::UserNames { names } => access::names(names),
        Observation::DigestUse { digest } => access::digest(digest),
        Observation::Forgery { forgery } => access::forgery(forgery),
        Observation::PasswordChange { change } => access::password(change),
        Observation::InsidePages { pages } => access::inside(pages),
        Observation::MqttTakeover { takeover } => access::takeover(takeover),
        Observation::LocalControl { control: c } => {
            format!("{}: {}: {}; {}", c.title, c.act.words(), controlled(c.answer), c.proof)
        }
        Observation::CoapPing { answered } => format!("CoAP ping: {}", if *answered { "answered" } else { "silent" }),
        Observation::CoapCore { code, links } => {
            format!("CoAP resource list: code {code}; {}", some(&list(links.iter().map(|l| &l.path))))
        }
        Observation::CoapUnknownOption { number, code } => {
            let kind = if number % 2 == 1 { "critical" } else { "elective" };
            format!("CoAP discovery with the unknown {kind} option {number}: {code}")
        }
        Observation::CoapRead { path, code, bytes, sensitive, .. } => {
            format!("CoAP GET {path}: code {code}, {bytes} bytes; sensitive: {}", some(&sensitive.join(", ")))
        }
        Observation::CoapObserve { path, code, registered, notifications, waited_ms, .. } => format!(
            "changes of {path} asked for: {code}, {}; {notifications} notifications in {waited_ms} ms",
            if *registered { "taken up" } else { "not taken up" }
        ),
        Observation::Lwm2mObject { path, code, bytes } => format!("LwM2M {path}: {code}, {bytes} bytes"),
        Observation::Lwm2mFirmware { present: false, .. } => "LwM2M: no firmware object (5)".to_owned(),
        Observation::Lwm2mFirmware { control, code, state, result, .. } => {
            let number = |n: &Option<u8>| n.map_or_else(|| "unread".to_owned(), |n| n.to_string());
            let after = format!("state {}, result {}", number(state), number(result));
            format!("LwM2M /5/0/0: a package that is none: {}; control {}; {after}", some(code), some(control))
        }
        Observation::CoapWrite { path, control, code, same_after } => {
            let what = if *control { "a path that cannot exist" } else { "the value that was there" };
            let after = match same_after {
                Some(true) => "; the same afterwards",
                Some(false) => "; something else afterwards",
                None => "",
            };
            format!("{path}, {what} put without a credential: {code}{after}")
        }
        Observation::MqttPublish { topic, code, subscribed, delivered, .. } => {
            let code = code.map_or(String::new(), |c| format!(" (0x{c:02x})"));
            let took = if *subscribed { "who had subscribed" } else { "who could not subscribe" };
            let got = if *delivered { "received it" } else { "did not receive it" };
            format!("{topic} published without a credential{code}: another client, {took}, {got}")
        }
        Observation::SnmpView { presented: with, group, shown } => {
            format!("{group} by {}: {}", presented(with), if *shown { "shown" } else { "not shown" })
        }
        Observation::Dtls { answer } => format!("DTLS: {answer}"),
        Observation::DtlsAccepts { version, suites } => {
            format!("DTLS {version}: suites accepted: {}", some(&suites.join(", ")))
        }
        Observation::DtlsFirstFlight { cookie_asked, sent, received } => {
            let first = if *cookie_asked { "a cookie is asked for" } else { "no cookie is asked for" };
            format!("DTLS: {first}; {received} bytes come back for {sent}")
        }
        Observation::SnmpUser { user, report, sysdescr, .. } => format!(
            "SNMP 3 as {user:?} without authentication: {}; describes itself as {}",
            report.as_deref().unwrap_or("no report"),
            some(sysdescr.as_deref().unwrap_or_default())
        ),
        Observation::Snmp { version, presented: with, answered, sysdescr } => format!(
            "SNMP {version} with {}: {}; describes itself as {}",
            presented(with),
            if *answered { "answered" } else { "silent" },
            some(sysdescr.as_deref().unwrap_or_default())
        ),
        Observation::LabConsent { authorised_by, sample, recovery, consent } => {
            format!("sample {sample} may be altered: {consent}; recovery: {recovery}; authorised by {authorised_by}")
        }
        Observation::LabName { name, record, answered } => {
            format!("asked for {name} ({record}): {}", if *answered { "led to the laboratory" } else { "not answered" })
        }
        Observation::LabLease { answer, name, class, wants_time } => format!(
            "asked for an address (name {}, class {}{}): {answer}",
            some(name),
            some(class),
            if *wants_time { ", and for time servers" } else { "" }
        ),
        Observation::LabTime { off_s } => lab::time(*off_s),
        Observation::LabClock { moved } => lab::moved(moved),
        Observation::LabVisit { visit } => lab::visit(visit),
        Observation::LabWatched { watched_ms, polls_ms, set_up } => {
            lab::watched(*watched_ms, polls_ms, set_up.as_deref())
        }
        Observation::LabIsolation { isolation } => lab::isolation(isolation),
        Observation::LabOutage { outage } => lab::outage(outage),
        Observation::LabImage { trial } => lab::trial(trial),
        Observation::LabDirty { after, why } => format!("DIRTY after {}: {why}", after.words()),
        Observation::Package { package } => lab::package(package),
        Observation::PublicAccess { authorised_by, hosts } => {
            format!("sites that may be visited: {}; authorised by {authorised_by}", some(&hosts.join(", ")))
        }
        Observation::Document { document: d } => public::document(d),
        Observation::DocumentElsewhere { name, place } => format!("{name} is declared without a web address: {place}"),
        Observation::Capture { capture } => capture::capture(capture),
        Observation::Destination { destination } => capture::destination(destination),
        Observation::ClientHello { hello } => capture::hello(hello),
        Observation::NameAsked { asked } => capture::asked(asked),
        Observation::NameQuestions { questions } => capture::questions(questions),
        Observation::Announced { announced } => capture::announced(announced),
        Observation::ClearSecret { secret } => capture::secret(secret),
        Observation::PointerAsked { pointer, at, found, detail, .. } => {
            let there = if *found { "found" } else { "not found" };
            format!("{} at {at}: {there}; {detail}", pointer.words())
        }
    }
}

fn http(page: &HttpPage) -> String {
    let form = if page.login_form { "; asks for a password" } else { "" };
    format!(
        "GET {}: status {}, title {}, server {}{form}",
        page.path,
        page.status,
        some(&page.title),
        some(&page.server)
    )
}

fn tftp(answer: &TftpAnswer) -> String {
    match answer {
        TftpAnswer::Data { bytes, .. } => format!("a first block of {bytes} bytes came"),
        TftpAnswer::Error { code } => format!("refused with error {code}"),
        TftpAnswer::Silent => "silent".to_owned(),
        TftpAnswer::Unclear => "an answer that is no TFTP".to_owned(),
    }
}

fn guess(g: &Guessing) -> String {
    let at = g.mechanism.word();
    let whose = match g.account {
        Guessed::MadeUp => "a name that was made up",
        Guessed::Named => "the account that the scope names",
    };
    match g.guess {
        Guess::Sent { n, most } => format!("{at}: wrong secret {n} of at most {most} for {whose} is about to be sent"),
        Guess::Answered { n, answer: a, ms, neutral_ms } => {
            format!("{at}: wrong secret {n}: {}, after {ms} ms; another question took {neutral_ms} ms", answer(a))
        }
        Guess::Asking { what } => format!("{at}: {} is about to be sent", what.words()),
        Guess::Around { what, answer: a, after_ms } => {
            format!("{at}: {}: {}, {after_ms} ms after the last guess", what.words(), answer(a))
        }
    }
}

fn policy(p: &HttpPolicy) -> String {
    let cookies =
        p.cookies.iter().map(|c| format!("{} ({})", c.name, if c.http_only { "HttpOnly" } else { "readable" }));
    format!(
        "GET {}: framing by others {}; cookies: {}; cleartext parts: {}; secrets in addresses: {}",
        p.path,
        if p.no_framing { "forbidden" } else { "allowed" },
        some(&list(cookies)),
        some(&p.insecure.join(", ")),
        some(&p.secrets_in_urls.join(", "))
    )
}

fn port(state: PortState) -> String {
    match state {
        PortState::Open => "open".to_owned(),
        PortState::Refused => "refused".to_owned(),
        PortState::Silent { waited_ms } => format!("silent for {waited_ms} ms"),
    }
}

fn tls_answer(answer: &TlsAnswer) -> String {
    match answer {
        TlsAnswer::Accepted { suite, .. } => format!("accepted with {suite}"),
        TlsAnswer::Alert { description } => format!("refused with alert {description}"),
        TlsAnswer::OtherVersion { chosen } => format!("another version was chosen ({chosen})"),
        TlsAnswer::Closed => "the connection was closed".to_owned(),
        TlsAnswer::Silent => "silent".to_owned(),
        TlsAnswer::NotTls => "the answer is not TLS".to_owned(),
    }
}

fn presented(with: &Presented) -> String {
    match with {
        Presented::Nothing => "no credential".to_owned(),
        Presented::Wrong => "a wrong credential".to_owned(),
        Presented::Anonymous => "the anonymous credential".to_owned(),
        Presented::Supplied => "the supplied credential".to_owned(),
        Presented::Listed(id) => format!("listed credential {id}"),
    }
}

fn asks(a: Asks) -> &'static str {
    match a {
        Asks::Yes => "asks for a credential",
        Asks::No => "asks for no credential",
        Asks::Unclear => "unclear whether it asks for a credential",
    }
}

fn controlled(a: ControlAnswer) -> &'static str {
    match a {
        ControlAnswer::Answered => "answered",
        ControlAnswer::Refused => "refused",
        ControlAnswer::Silent => "silent",
        ControlAnswer::Unclear => "unclear",
    }
}

fn answer(a: Answer) -> &'static str {
    match a {
        Answer::Accepted => "accepted",
        Answer::Refused => "refused",
        Answer::Unclear => "unclear",
        Answer::LockSign => "a sign of locking",
    }
}

fn some(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

fn list<T: ToString>(items: impl Iterator<Item = T>) -> String {
    items.map(|i| i.to_string()).collect::<Vec<_>>().join(", ")
}
