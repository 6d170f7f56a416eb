//! Whether a page of another site may change a setting with the owner's session. Only where the scope allows `alter`; the
//! setting is a name, and is set back.
use super::{
    Probe,
    accounts::{Known, one},
    inside::{Setting, pages, setting},
    login::{
        Door, doors,
        session::{Session, open},
    },
    web::policy::cookies,
};
use crate::model::{
    Observation, Touch, Why,
    observation::{Mechanism, access::Forgery, clean},
};
use crate::scan::{net::Trouble, session::Ctx};

pub const PROBE: Probe = Probe {
    id: "http-forgery",
    version: 1,
    title: "forged requests",
    page: include_str!("http_forgery.md"),
    touch: Touch::Alter,
    subjects_from: &["tcp-ports", "service-identify", "http-surface", "logins"],
    run: |ctx| Box::pin(run(ctx)),
};

/// A name that no device can have (RFC 6761).
const FOREIGN: [(&str, &str); 2] = [("origin", "https://patuh.invalid"), ("referer", "https://patuh.invalid/")];

async fn run(ctx: &Ctx) {
    for door in doors(ctx).iter().filter(|d| d.mechanism() == Mechanism::HttpForm) {
        let at = door.endpoint();
        if let Some(why) = ctx.leave(at).await {
            ctx.gap(Some(at.into()), why);
        } else if ctx.lock_signs() {
            ctx.gap(Some(at.into()), Why::NotUnderstood("another service showed signs of a lock".to_owned()));
        } else {
            match one(ctx, door) {
                Ok(Some(who)) => {
                    if let Err(t) = look(ctx, door, &who).await {
                        ctx.trouble(None, at, &t);
                    }
                }
                Ok(None) => ctx.gap(Some(at.into()), Why::NotSupplied),
                Err(t) => ctx.trouble(None, at, &t),
            }
        }
    }
}

async fn look(ctx: &Ctx, door: &Door, who: &Known) -> Result<(), Trouble> {
    let session = open(ctx, door, who).await?;
    let seen = pages(ctx, door, &session).await?;
    let Some(setting) = seen.iter().find_map(setting) else {
        session.leave(ctx, door).await;
        return Err(Trouble::NotUnderstood("no setting was found that can be changed without harm".to_owned()));
    };
    let forging = Forging { ctx, door, session: &session, setting: &setting };
    // The control: the same change as the owner makes it.
    if !forging.changes(Token::Own, &[]).await? {
        let back = forging.restore().await?;
        session.leave(ctx, door).await;
        let back = if back { "" } else { ", and was not proved to be as before" };
        return Err(Trouble::NotUnderstood(format!("`{}` did not change when its owner set it{back}", setting.field)));
    }
    let without_token = forging.changes(Token::None, &FOREIGN).await?;
    let others_token = forging.with_another_session(who).await?;
    let restored = forging.restore().await?;
    let forgery = Forgery {
        path: clean(&setting.page, 200),
        field: clean(&setting.field, 60),
        without_token,
        others_token,
        same_site: same_site(&session),
        restored,
    };
    ctx.record(door.endpoint(), Observation::Forgery { forgery }, Some(session.shown.transcript.clone()));
    session.leave(ctx, door).await;
    Ok(())
}

/// Whether the log-in set every cookie of the session as one that stays at home.
fn same_site(session: &Session) -> bool {
    let set = session.posted().map(cookies).unwrap_or_default();
    let names: Vec<String> =
        session.cookies().iter().map(|c| c.split('=').next().unwrap_or_default().to_owned()).collect();
    let tied = |name: &String| set.iter().any(|c| c.name == *name && matches!(c.same_site.as_str(), "strict" | "lax"));
    !names.is_empty() && names.iter().all(tied)
}

/// Which token a request shows.
enum Token<'a> {
    Own,
    None,
    Others(&'a [(String, String)]),
}

struct Forging<'a> {
    ctx: &'a Ctx,
    door: &'a Door,
    session: &'a Session,
    setting: &'a Setting,
}

impl Forging<'_> {
    /// Sets a value of ours and looks whether it took: what counts is the effect and no status.
    async fn changes(&self, token: Token<'_>, more: &[(&'static str, &str)]) -> Result<bool, Trouble> {
        let value = format!("patuh {:06x}", rand::random::<u32>() & 0xff_ffff);
        self.set(&value, token, more).await?;
        Ok(self.value().await?.as_deref() == Some(value.as_str()))
    }

    async fn set(&self, value: &str, token: Token<'_>, more: &[(&'static str, &str)]) -> Result<(), Trouble> {
        let Self { ctx, door, session, setting } = self;
        // The form as it is now: its token may be good for one use.
        let now = self.setting().await?;
        let mut fields = now.as_ref().unwrap_or(setting).fields(value);
        match token {
            Token::Own => {}
            Token::None => fields.retain(|(name, _)| !setting.hidden.iter().any(|h| h.0 == *name)),
            Token::Others(others) => {
                for field in &mut fields {
                    if let Some(other) = others.iter().find(|o| o.0 == field.0) {
                        field.1.clone_from(&other.1);
                    }
                }
            }
        }
        session.post(ctx, door, &setting.action, &fields, more, &[]).await.map(drop)
    }

    async fn setting(&self) -> Result<Option<Setting>, Trouble> {
        let reply = self.session.get(self.ctx, self.door, &self.setting.page).await?;
        let now = setting(&(self.setting.page.clone(), reply));
        Ok(now.filter(|s| s.field == self.setting.field))
    }

    async fn value(&self) -> Result<Option<String>, Trouble> {
        Ok(self.setting().await?.map(|s| s.value))
    }

    /// The same, with what another session of the same account was shown. Nothing where the form has no token.
    async fn with_another_session(&self, who: &Known) -> Result<Option<bool>, Trouble> {
        if self.setting.hidden.is_empty() {
            return Ok(None);
        }
        let other = open(self.ctx, self.door, who).await?;
        let reply = other.get(self.ctx, self.door, &self.setting.page).await?;
        let theirs = setting(&(self.setting.page.clone(), reply));
        let changed = match theirs {
            Some(theirs) => Some(self.changes(Token::Others(&theirs.hidden), &FOREIGN).await?),
            None => None,
        };
        other.leave(self.ctx, self.door).await;
        Ok(changed)
    }

    async fn restore(&self) -> Result<bool, Trouble> {
        self.set(&self.setting.value, Token::Own, &[]).await?;
        Ok(self.value().await?.as_deref() == Some(self.setting.value.as_str()))
    }
}
