//! Accounts by which a probe may go inside: those that a door took in this scan, and those that people supply.
use super::login::Door;
use crate::model::{
    Observation,
    observation::{Answer, Presented},
    scope::{Account, Change, Reference, Role},
};
use crate::scan::{credentials, ledger::Ticket, net::Trouble, session::Ctx};

pub struct Known {
    pub user: String,
    pub secret: String,
    pub role: Role,
    pub change: Change,
    /// The credential's id, where it is a listed one that was proved.
    listed: Option<String>,
}

impl Known {
    /// Charges a log-in, which is given back by [`Self::accepted`]. What was proved may go one beyond the budget; what was
    /// supplied may be mistyped.
    pub fn charge(&self, ctx: &Ctx) -> Result<Ticket, Trouble> {
        let charged = match self.listed {
            Some(_) => ctx.charge_known(&self.user),
            None => ctx.charge(&self.user),
        };
        charged.map_err(|_| Trouble::NotUnderstood("the ledger withheld the log-in".to_owned()))
    }

    pub fn accepted(&self, ctx: &Ctx, ticket: Ticket) {
        ctx.accepted(ticket, self.listed.clone());
    }

    /// Whether it is of the list of default credentials.
    pub fn is_listed(&self) -> bool {
        self.listed.is_some()
    }

    /// The same account with another secret.
    pub fn with(&self, secret: &str) -> Self {
        let (user, secret) = (self.user.clone(), secret.to_owned());
        Self { user, secret, role: self.role, change: self.change, listed: None }
    }

    /// How a report names it.
    pub fn words(&self) -> String {
        match &self.listed {
            Some(id) => format!("user `{}` with {id}", self.user),
            None => format!("the supplied account `{}`", self.user),
        }
    }
}

/// One account for this door: a proved one, else a supplied one.
pub fn one(ctx: &Ctx, door: &Door) -> Result<Option<Known>, Trouble> {
    match proved(ctx, door) {
        Some(known) => Ok(Some(known)),
        None => Ok(supplied(ctx, door)?.into_iter().next()),
    }
}

/// Every account that may be one of this door, the proved one first.
pub fn all(ctx: &Ctx, door: &Door) -> Result<Vec<Known>, Trouble> {
    let mut all: Vec<Known> = proved(ctx, door).into_iter().collect();
    for more in supplied(ctx, door)? {
        if all.iter().all(|known| known.user != more.user) {
            all.push(more);
        }
    }
    Ok(all)
}

/// A pair that this door took twice in this scan.
fn proved(ctx: &Ctx, door: &Door) -> Option<Known> {
    let mut accepted: Vec<String> = Vec::new();
    for r in ctx.seen("logins").into_iter().filter(|r| r.subject == door.endpoint().into()) {
        if let Observation::LoginTrial { mechanism, presented: Presented::Listed(id), answer: Answer::Accepted, .. } =
            r.observation
            && mechanism == door.mechanism()
        {
            if accepted.contains(&id) {
                let c = credentials::find(&id)?;
                let (user, secret, listed) = (c.user.clone(), c.secret.clone(), Some(id));
                return Some(Known { user, secret, role: Role::Admin, change: Change::Stays, listed });
            }
            accepted.push(id);
        }
    }
    None
}

/// What the scope supplies for this door, admins first. A secret that cannot be read is a gap: its owner wanted it looked at.
pub fn supplied(ctx: &Ctx, door: &Door) -> Result<Vec<Known>, Trouble> {
    let known = |a: &Account| {
        let secret = secret(&a.secret, "[[accounts]]").map_err(Trouble::NotUnderstood)?;
        Ok(Known { user: a.user.clone(), secret, role: a.role, change: a.password, listed: None })
    };
    let opens = |a: &&Account| a.mechanisms.is_empty() || a.mechanisms.contains(&door.mechanism());
    let mut all = ctx.session.scope.accounts.iter().filter(opens).map(known).collect::<Result<Vec<_>, Trouble>>()?;
    all.sort_by_key(|k| k.role);
    Ok(all)
}

/// The secret that a reference leads to.
pub fn secret(reference: &Reference, table: &str) -> Result<String, String> {
    let reference = reference.as_str();
    let fail = |e: String| format!("the secret at `{reference}` cannot be read: {e}; see {table} of the scope file");
    let text = match reference.split_once(':') {
        Some(("env", name)) => std::env::var(name).map_err(|e| fail(e.to_string()))?,
        Some(("file", path)) => std::fs::read_to_string(path).map_err(|e| fail(e.to_string()))?,
        Some(_) | None => return Err(fail("it is no `env:NAME` or `file:PATH`".to_owned())),
    };
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
