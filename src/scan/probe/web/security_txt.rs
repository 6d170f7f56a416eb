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
    let (mut contacts, mut expires, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    if there {
        if !reply.header("content-type").starts_with("text/plain") {
            problems.push("it is not text/plain".to_owned());
        }
        for line in reply.text().lines().filter(|l| !l.starts_with('#')) {
            match line.split_once(':').map(|(k, v)| (k.trim().to_ascii_lowercase(), v.trim())) {
                Some((k, v)) if k == "contact" => contacts.push(clean(v, 200)),
                Some((k, v)) if k == "expires" => expires.push(clean(v, 60)),
                Some(_) | None => {}
            }
        }
        let good = |c: &String| ["mailto:", "https:", "tel:"].iter().any(|p| c.starts_with(p));
        if !contacts.iter().any(good) {
            problems.push("no Contact that is a mailto, https or tel URI".to_owned());
        }
        if expires.len() != 1 {
            problems.push(format!("{} Expires fields instead of one", expires.len()));
        }
    }
    let status = if there {
        200
    } else if reply.status == 200 {
        404
    } else {
        reply.status
    };
    let (path, expires) = (SECURITY_TXT.to_owned(), expires.into_iter().next());
    ctx.record(
        s.endpoint,
        Observation::SecurityTxt { path, status, contacts, expires, problems },
        Some(reply.transcript),
    );
    Ok(())
}
