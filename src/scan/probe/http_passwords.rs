//! Whether a password can be changed, and which ones are taken. Only for accounts whose owner says so, and set back.
use super::{
    Probe, accounts,
    accounts::Known,
    html,
    inside::{pages, target},
    login::{
        Door, doors,
        session::{Session, attempt, open},
    },
};
use crate::model::{
    Observation, Touch, Why,
    observation::{Mechanism, access::PasswordChange, clean},
    scope::Change,
};
use crate::scan::{
    net::{Trouble, http::Reply},
    session::Ctx,
};

pub const PROBE: Probe = Probe {
    id: "http-passwords",
    version: 1,
    title: "changing a password",
    page: include_str!("http_passwords.md"),
    touch: Touch::Alter,
    subjects_from: &["tcp-ports", "service-identify", "http-surface", "logins"],
    run: |ctx| Box::pin(run(ctx)),
};

/// Log-ins that may fail on the way, and one that must still be allowed at the end.
const NEEDED: u8 = 5;

async fn run(ctx: &Ctx) {
    for door in doors(ctx).iter().filter(|d| d.mechanism() == Mechanism::HttpForm) {
        let at = door.endpoint();
        if let Some(why) = ctx.leave(at).await {
            ctx.gap(Some(at.into()), why);
        } else if ctx.lock_signs() {
            ctx.gap(Some(at.into()), Why::NotUnderstood("another service showed signs of a lock".to_owned()));
        } else if let Err(t) = look(ctx, door).await {
            ctx.trouble(None, at, &t);
        }
    }
}

async fn look(ctx: &Ctx, door: &Door) -> Result<(), Trouble> {
    let granted = accounts::supplied(ctx, door)?.into_iter().find(|k| k.change == Change::MayChange);
    let Some(who) = granted else {
        ctx.gap(Some(door.endpoint().into()), Why::NotSupplied);
        return Ok(());
    };
    if ctx.session.scope.credentials.per_account < NEEDED {
        ctx.gap(Some(door.endpoint().into()), Why::BudgetSpent);
        return Ok(());
    }
    // Kept for the proof at the end, whatever fails before.
    let last = who.charge(ctx)?;
    let session = open(ctx, door, &who).await?;
    let found = pages(ctx, door, &session).await?.iter().find_map(form);
    let Some(form) = found else {
        session.leave(ctx, door).await;
        who.accepted(ctx, last);
        return Err(Trouble::NotUnderstood("no page to change the password was found".to_owned()));
    };
    let mut owner =
        Owner { ctx, door, original: who.secret.clone(), now: who, session: Some(session), form, last: None };
    let (seen, failed) = owner.try_all().await;
    let restored = owner.restore().await;
    if restored {
        owner.now.accepted(ctx, last);
    }
    let change = PasswordChange { restored, ..seen };
    ctx.record(door.endpoint(), Observation::PasswordChange { change }, None);
    if let Some(session) = owner.session.take() {
        session.leave(ctx, door).await;
    }
    failed.map_or(Ok(()), Err)
}

/// A form that sets a new password.
struct PasswordForm {
    page: String,
    action: String,
    old: Option<String>,
    new: Vec<String>,
}

fn form((page, reply): &(String, Reply)) -> Option<PasswordForm> {
    let found = html::read(&reply.text())
        .forms
        .into_iter()
        .find(|f| f.method == "post" && f.inputs.iter().filter(|i| i.0 == "password").count() >= 2)?;
    let names: Vec<String> = found.inputs.iter().filter(|i| i.0 == "password").map(|i| i.1.clone()).collect();
    let is_old = |n: &&String| ["old", "cur", "exist", "actual"].iter().any(|w| n.to_ascii_lowercase().contains(w));
    let old = names.iter().find(is_old).cloned();
    let new = names.iter().filter(|n| Some(*n) != old.as_ref()).cloned().collect();
    Some(PasswordForm { page: page.clone(), action: target(&found.action, page), old, new })
}

/// The account while its password changes.
struct Owner<'a> {
    ctx: &'a Ctx,
    door: &'a Door,
    original: String,
    /// With the password that it has now.
    now: Known,
    session: Option<Session>,
    form: PasswordForm,
    /// What was sent last as the new one: trouble may have hidden that it was taken.
    last: Option<String>,
}

impl Owner<'_> {
    /// Everything up to the first trouble: what was changed must be set back all the same.
    async fn try_all(&mut self) -> (PasswordChange, Option<Trouble>) {
        let mut seen = PasswordChange {
            path: clean(&self.form.page, 200),
            old_asked: self.form.old.is_some(),
            wrong_old_taken: None,
            new_works: false,
            old_works: false,
            ends_others: false,
            weak_tried: Vec::new(),
            weak_taken: None,
            restored: false,
        };
        let failed = self.change(&mut seen).await.err();
        (seen, failed)
    }

    async fn change(&mut self, seen: &mut PasswordChange) -> Result<(), Trouble> {
        // Known to the owner without being told: a person may have to undo it.
        let strong = format!("{}-Patuh1", self.original);
        if self.form.old.is_some() {
            // It may count as a failed log-in.
            self.ctx.charge(&self.now.user).map_err(|_| withheld())?;
            self.submit(&random(), &strong).await?;
            seen.wrong_old_taken = Some(!self.works(&self.original.clone()).await?);
            if seen.wrong_old_taken == Some(true) {
                self.now.secret.clone_from(&strong);
                return Ok(());
            }
        }
        let other = open(self.ctx, self.door, &self.now).await?;
        self.submit(&self.original.clone(), &strong).await?;
        seen.new_works = self.works(&strong).await?;
        seen.old_works = self.works(&self.original.clone()).await?;
        seen.ends_others = !other.is_open(self.ctx, self.door).await?;
        other.leave(self.ctx, self.door).await;
        if !seen.new_works {
            return Ok(());
        }
        self.now.secret = strong;
        if seen.old_works {
            // What a log-in tells of the password that is set cannot be told any more.
            return Ok(());
        }
        self.weak(seen).await
    }

    /// Offers weak passwords until one is taken: then the one before opens no more.
    async fn weak(&mut self, seen: &mut PasswordChange) -> Result<(), Trouble> {
        let user = self.now.user.clone();
        for (kind, weak) in [
            ("one character", "1"),
            ("12345678", "12345678"),
            ("password", "password"),
            ("the user's name", user.as_str()),
        ] {
            self.submit(&self.now.secret.clone(), weak).await?;
            seen.weak_tried.push(kind.to_owned());
            if !self.works(&self.now.secret.clone()).await? {
                seen.weak_taken = Some(kind.to_owned());
                self.now.secret = weak.to_owned();
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether the account opens with this password.
    async fn works(&self, secret: &str) -> Result<bool, Trouble> {
        match attempt(self.ctx, self.door, &self.now.with(secret)).await? {
            Some(session) => {
                session.leave(self.ctx, self.door).await;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Fills in the form in a session that is open.
    async fn submit(&mut self, old: &str, new: &str) -> Result<(), Trouble> {
        let open_still = match &self.session {
            Some(s) => s.is_open(self.ctx, self.door).await?,
            None => false,
        };
        if !open_still {
            self.session = Some(open(self.ctx, self.door, &self.now).await?);
        }
        self.last = Some(new.to_owned());
        let Some(session) = &self.session else { return Err(withheld()) };
        let page = session.get(self.ctx, self.door, &self.form.page).await?;
        let shown = html::read(&page.text()).forms;
        let hidden = shown.iter().flat_map(|f| &f.inputs).filter(|i| i.0 == "hidden");
        let mut fields: Vec<(String, String)> = hidden.map(|i| (i.1.clone(), i.2.clone())).collect();
        fields.extend(self.form.old.iter().map(|f| (f.clone(), old.to_owned())));
        fields.extend(self.form.new.iter().map(|f| (f.clone(), new.to_owned())));
        session.post(self.ctx, self.door, &self.form.action, &fields, &[], &[old, new]).await.map(drop)
    }

    /// Sets the password from before, from whichever may be set now, and proves it.
    async fn restore(&mut self) -> bool {
        let original = self.original.clone();
        let maybe = [Some(self.now.secret.clone()), self.last.clone()];
        let mut back = false;
        for now in maybe.into_iter().flatten() {
            self.now.secret = now.clone();
            // Whether it went well is told by the log-in alone.
            drop(self.submit(&now, &original).await);
            back = self.works(&original).await.unwrap_or(false);
            if back {
                break;
            }
        }
        self.now.secret = original;
        if !back {
            let why = "the password could not be proved to be set back; it may be the old one followed by `-Patuh1`";
            self.ctx.gap(Some(self.door.endpoint().into()), Why::NotUnderstood(why.to_owned()));
        }
        back
    }
}

fn withheld() -> Trouble {
    Trouble::NotUnderstood("the ledger withheld the log-in".to_owned())
}

fn random() -> String {
    format!("{:020x}", rand::random::<u128>() >> 48)
}
