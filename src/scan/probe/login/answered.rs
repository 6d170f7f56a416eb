//! How a web log-in answers a wrong secret, as it came.
use super::{Door, http, json};
use crate::model::observation::Mechanism;
use crate::scan::{
    net::{
        Trouble,
        http::{Reply, Request},
    },
    session::Ctx,
};
use base64::{Engine, engine::general_purpose::STANDARD};

/// Shows a random secret for `user`.
pub async fn wrong(ctx: &Ctx, door: &Door, user: &str) -> Result<Reply, Trouble> {
    let secret = format!("{:020x}", rand::random::<u128>() >> 48);
    match door.mechanism {
        Mechanism::HttpForm => match http::enter(ctx, door, user, &secret).await? {
            Ok(entered) => Ok(entered.posted),
            Err(_) => Err(Trouble::NotUnderstood("the login form was not shown".to_owned())),
        },
        Mechanism::HttpJson => json::answered(ctx, door, user, &secret).await,
        Mechanism::HttpBasic => {
            let mut request = Request::get(door.host(), &door.path);
            request.headers.push(("authorization", format!("Basic {}", STANDARD.encode(format!("{user}:{secret}")))));
            ctx.http(&door.at, request, &[]).await
        }
        _ => Err(Trouble::NotUnderstood("this log-in does not answer in words".to_owned())),
    }
}
