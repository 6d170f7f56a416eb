//! MQTT user name and password (3.1.1, and 5 where 3.1.1 is not spoken).
use super::Tried;
use crate::model::observation::Answer;
use crate::scan::{
    net::Trouble,
    probe::mqtt::{Client, Level},
    session::{Ctx, Identified},
};

pub async fn attempt(ctx: &Ctx, at: &Identified, login: Option<(&str, &str)>) -> Result<Tried, Trouble> {
    let (mut client, mut code) = Client::connect(ctx, at, Level::V311, login).await?;
    let mut level = Level::V311;
    // Code 1 says that this protocol level is not spoken; it is no answer to the credential.
    if code == 1 {
        client.close().await;
        level = Level::V5;
        (client, code) = Client::connect(ctx, at, level, login).await?;
    }
    let tape = client.close().await;
    let answer = match code {
        0 => Answer::Accepted,
        4 | 5 | 0x86 | 0x87 | 0xff => Answer::Refused,
        0x9f | 0x8a => Answer::LockSign,
        _ => Answer::Unclear,
    };
    Ok(Tried::new(answer, format!("CONNACK code {code} in MQTT {}", level.word()), tape))
}
