//! Sessions of web interfaces, proved: a page opens with one and not without it.
use super::{
    Door,
    http::{Entered, encode, enter, is_open, values, with_cookies},
    json,
};
use crate::model::observation::Mechanism;
use crate::scan::{
    net::{
        Trouble,
        http::{Reply, Request},
    },
    probe::{accounts::Known, html},
    session::Ctx,
};

/// The way in that a session came by.
enum By {
    /// Cookies, and those of them that the log-in set.
    Form {
        jar: Vec<String>,
        posted: Box<Reply>,
    },
    Api(json::Session),
}

pub struct Session {
    by: By,
    /// The page that it opens.
    pub page: String,
    pub shown: Reply,
}

/// Whether this door gives sessions that can be kept.
pub fn has_sessions(door: &Door) -> bool {
    matches!(door.mechanism, Mechanism::HttpForm | Mechanism::HttpJson)
}

/// Logs in. The log-in is charged, and given back once the session is proved.
pub async fn open(ctx: &Ctx, door: &Door, who: &Known) -> Result<Session, Trouble> {
    match attempt(ctx, door, who).await? {
        Some(session) => Ok(session),
        None => Err(Trouble::NotUnderstood(format!("{} gave no session that opens a closed page", who.words()))),
    }
}

/// Logs in; nothing where no session came of it, and the charge stays.
pub async fn attempt(ctx: &Ctx, door: &Door, who: &Known) -> Result<Option<Session>, Trouble> {
    let ticket = who.charge(ctx)?;
    let opened = match door.mechanism {
        Mechanism::HttpForm => form(ctx, door, who).await?,
        Mechanism::HttpJson => api(ctx, door, who).await?,
        _ => return Err(Trouble::NotUnderstood("this log-in gives no session".to_owned())),
    };
    if opened.is_some() {
        who.accepted(ctx, ticket);
    }
    Ok(opened)
}

async fn form(ctx: &Ctx, door: &Door, who: &Known) -> Result<Option<Session>, Trouble> {
    let Ok(entered) = enter(ctx, door, &who.user, &who.secret).await? else {
        return Err(Trouble::NotUnderstood("the login form was not shown".to_owned()));
    };
    let Entered { posted, jar, target, .. } = entered;
    let shown = with_cookies(ctx, door, &target, &jar).await?;
    let proved = is_open(&shown) && !is_open(&with_cookies(ctx, door, &target, &[]).await?);
    Ok(proved.then_some(Session { by: By::Form { jar, posted: Box::new(posted) }, page: target, shown }))
}

async fn api(ctx: &Ctx, door: &Door, who: &Known) -> Result<Option<Session>, Trouble> {
    let Some((session, page, shown)) = json::open(ctx, door, &who.user, &who.secret).await? else { return Ok(None) };
    Ok(Some(Session { by: By::Api(session), page, shown }))
}

impl Session {
    /// The log-in's answer, where cookies are set.
    pub fn posted(&self) -> Option<&Reply> {
        match &self.by {
            By::Form { posted, .. } => Some(posted),
            By::Api(_) => None,
        }
    }

    pub fn cookies(&self) -> Vec<String> {
        match &self.by {
            By::Form { jar, .. } => jar.clone(),
            By::Api(s) => s.cookies(),
        }
    }

    fn shows(&self, request: &mut Request<'_>) -> Vec<Vec<u8>> {
        match &self.by {
            By::Form { jar, .. } => {
                request.headers.push(("cookie", jar.join("; ")));
                values(jar)
            }
            By::Api(s) => {
                request.headers.extend(s.headers());
                s.hidden()
            }
        }
    }

    pub async fn get(&self, ctx: &Ctx, door: &Door, path: &str) -> Result<Reply, Trouble> {
        let mut request = Request::get(door.host(), path);
        let hidden = self.shows(&mut request);
        ctx.http(&door.at, request, &hidden).await
    }

    /// Posts fields of a form. `secrets` never reach the transcript, nor does the session.
    pub async fn post(
        &self,
        ctx: &Ctx,
        door: &Door,
        path: &str,
        fields: &[(String, String)],
        more: &[(&'static str, &str)],
        secrets: &[&str],
    ) -> Result<Reply, Trouble> {
        let mut request = Request::get(door.host(), path);
        request.method = reqwest::Method::POST;
        request.headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
        request.headers.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        request.body = encode(fields).into_bytes();
        let mut hidden = self.shows(&mut request);
        hidden.extend(secrets.iter().map(|s| encode(&[(String::new(), (*s).to_owned())]).split_off(1).into_bytes()));
        ctx.http(&door.at, request, &hidden).await
    }

    /// Whether the page opens without one of the cookies.
    pub async fn opens_without(&self, ctx: &Ctx, door: &Door, cookie: &str) -> Result<bool, Trouble> {
        let others: Vec<String> = self.cookies().into_iter().filter(|c| c != cookie).collect();
        Ok(is_open(&with_cookies(ctx, door, &self.page, &others).await?))
    }

    pub async fn is_open(&self, ctx: &Ctx, door: &Door) -> Result<bool, Trouble> {
        Ok(is_open(&self.get(ctx, door, &self.page).await?))
    }

    /// Logs out, by the page's own link where it has one.
    pub async fn leave(self, ctx: &Ctx, door: &Door) {
        let left = match &self.by {
            By::Form { .. } => {
                let link = way_out(&self.shown).unwrap_or_else(|| "/logout".to_owned());
                self.get(ctx, door, &link).await.map(drop)
            }
            By::Api(s) => {
                json::leave(ctx, door, s).await;
                Ok(())
            }
        };
        // Good manners; a device without this path forgets the session by itself.
        drop(left);
    }
}

/// The page's own link to log out.
pub fn way_out(page: &Reply) -> Option<String> {
    let leads_out = |l: &String| {
        let l = l.to_ascii_lowercase();
        l.starts_with('/') && !l.starts_with("//") && ["logout", "logoff", "signout"].iter().any(|w| l.contains(w))
    };
    html::read(&page.text()).links.into_iter().find(leads_out)
}
