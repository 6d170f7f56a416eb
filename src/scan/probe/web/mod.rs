//! What the probes of web servers share.
pub mod exposure;
pub mod outside;
pub mod paths;
pub mod policy;
pub mod security_txt;
pub mod upload;

use crate::scan::{
    net::{
        Trouble,
        http::{Reply, Request},
    },
    session::{Ctx, Identified},
};

pub async fn get(ctx: &Ctx, s: &Identified, path: &str) -> Result<Reply, Trouble> {
    ctx.http(s, Request::get(s.endpoint.addr().to_string(), path), &[]).await
}

/// What stays the same when a server answers every path alike: status and body without the path itself.
pub fn shape(reply: &Reply, path: &str) -> (u16, String) {
    let text = reply.text().replace(path.trim_start_matches('/'), "");
    (reply.status, text.chars().filter(|c| !c.is_ascii_digit()).collect())
}

/// A path that cannot exist, in the given form: `*` stands for what is random.
pub fn nowhere(form: &str) -> String {
    form.replace('*', &format!("patuh-{:016x}", rand::random::<u64>()))
}
