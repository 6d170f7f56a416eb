//! `/.well-known/security.txt` (RFC 9116).
use super::{get, shape};
use crate::model::{Observation, observation::clean};
use crate::scan::{
    net::Trouble,
    session::{Ctx, Identified},
};
use std::collections::BTreeSet;

const SECURITY_TXT: &str = "/.well-known/security.txt";

/// Fetches and reads it; `missing` is what paths that cannot exist get.
pub async fn security_txt(ctx: &Ctx, s: &Identified, missing: &BTreeSet<(u16, String)>) -> Result<(), Trouble> {
    let reply = get(ctx, s, SECURITY_TXT).await?;
    let there = reply.status == 200 && !missing.contains(&shape(&reply, SECURITY_TXT));
    let mut said = if there { read(&reply.text()) } else { Said::default() };
    if there && !reply.header("content-type").starts_with("text/plain") {
        said.problems.insert(0, "it is not text/plain".to_owned());
    }
    let status = if there {
        200
    } else if reply.status == 200 {
        404
    } else {
        reply.status
    };
    ctx.record(s.endpoint, said.seen(SECURITY_TXT, status), Some(reply.transcript));
    Ok(())
}

/// What a security.txt says.
#[derive(Debug, Default)]
pub struct Said {
    contacts: Vec<String>,
    expires: Vec<String>,
    problems: Vec<String>,
}

impl Said {
    pub fn seen(self, path: &str, status: u16) -> Observation {
        let (path, contacts, problems) = (path.to_owned(), self.contacts, self.problems);
        Observation::SecurityTxt { path, status, contacts, expires: self.expires.into_iter().next(), problems }
    }
}

pub fn read(text: &str) -> Said {
    let mut said = Said::default();
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        match line.split_once(':').map(|(k, v)| (k.trim().to_ascii_lowercase(), v.trim())) {
            Some((k, v)) if k == "contact" => said.contacts.push(clean(v, 200)),
            Some((k, v)) if k == "expires" => said.expires.push(clean(v, 60)),
            Some(_) | None => {}
        }
    }
    let good = |c: &String| ["mailto:", "https:", "tel:"].iter().any(|p| c.starts_with(p));
    if !said.contacts.iter().any(good) {
        said.problems.push("no Contact that is a mailto, https or tel URI".to_owned());
    }
    if said.expires.len() != 1 {
        said.problems.push(format!("{} Expires fields instead of one", said.expires.len()));
    }
    said
}
