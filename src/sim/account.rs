//! Who may log in to a service, and when the service stops listening to guesses.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use super::Stage;

/// Names remembered per service; the rest share one entry, so that a guesser cannot fill the memory.
const MOST_NAMES: usize = 256;

/// One account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    pub user: String,
    pub password: String,
}

/// Which credentials a service takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accept {
    /// Those of its users.
    #[default]
    Users,
    /// Whatever it is given: nobody ever set a password.
    Any,
}

/// After `after` failures in a row the account is refused for `seconds`, with the right password too.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lockout {
    pub after: u32,
    pub seconds: u64,
    /// Whether the service admits that it locks, where its protocol has words for that.
    #[serde(default)]
    pub answer: LockAnswer,
    #[serde(default)]
    pub by: Counted,
}

/// Whose failures are counted together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Counted {
    #[default]
    Account,
    /// Those of everybody: a limit of the rate.
    Everybody,
}

/// How a locked account answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LockAnswer {
    /// As for any wrong password.
    #[default]
    Silent,
    /// By saying so.
    Told,
}

/// How a login ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Login {
    Accepted,
    Refused,
    /// Refused because of the lock-out, and the service says so.
    ToldLocked,
}

/// The accounts of one service at run time.
pub(super) struct Accounts {
    service: String,
    users: Mutex<Vec<User>>,
    accept: Accept,
    lockout: Option<Lockout>,
    stage: Arc<Stage>,
    standing: Mutex<BTreeMap<String, Standing>>,
    /// Failures since the last success.
    in_a_row: AtomicU32,
}

#[derive(Default)]
struct Standing {
    failures: u32,
    locked_until: Option<Instant>,
}

impl Accounts {
    pub fn new(service: &str, users: &[User], accept: Accept, lockout: Option<Lockout>, stage: &Arc<Stage>) -> Self {
        Self {
            service: service.to_owned(),
            users: Mutex::new(users.to_vec()),
            accept,
            lockout,
            stage: Arc::clone(stage),
            standing: Mutex::default(),
            in_a_row: AtomicU32::new(0),
        }
    }

    /// A login with a password in the clear.
    pub fn login(&self, user: &str, password: &str) -> Login {
        self.prove(user, |right| right == password)
    }

    /// A login by a proof of the password, such as a digest.
    pub fn prove(&self, user: &str, proof: impl Fn(&str) -> bool) -> Login {
        self.stage.count_login(&self.service, user);
        let right = self.accept == Accept::Any || self.any(|known| known.user == user && proof(&known.password));
        let login = self.weigh(user, right);
        if login == Login::Accepted {
            self.in_a_row.store(0, Ordering::Relaxed);
        } else {
            self.in_a_row.fetch_add(1, Ordering::Relaxed);
            self.stage.count_failure();
        }
        login
    }

    fn any(&self, is: impl Fn(&User) -> bool) -> bool {
        self.users.lock().unwrap_or_else(PoisonError::into_inner).iter().any(is)
    }

    pub fn knows(&self, user: &str) -> bool {
        self.any(|known| known.user == user)
    }

    /// Whether this is the user's password; nobody logs in by it.
    pub fn is_right(&self, user: &str, password: &str) -> bool {
        self.any(|known| known.user == user && known.password == password)
    }

    /// Sets a password in the place of all that the user had.
    pub fn set(&self, user: &str, password: &str) {
        self.users.lock().unwrap_or_else(PoisonError::into_inner).retain(|known| known.user != user);
        self.add(user, password);
    }

    /// Sets a password beside those that the user has.
    pub fn add(&self, user: &str, password: &str) {
        let user = User { user: user.to_owned(), password: password.to_owned() };
        self.users.lock().unwrap_or_else(PoisonError::into_inner).push(user);
    }

    /// Failures since the last success, of whomever.
    pub fn in_a_row(&self) -> u32 {
        self.in_a_row.load(Ordering::Relaxed)
    }

    fn weigh(&self, user: &str, right: bool) -> Login {
        let Some(lockout) = self.lockout else {
            return if right { Login::Accepted } else { Login::Refused };
        };
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        let user = if lockout.by == Counted::Everybody { "" } else { user };
        let name = if standing.len() < MOST_NAMES || standing.contains_key(user) { user } else { "" };
        let entry = standing.entry(name.to_owned()).or_default();
        match entry.locked_until {
            Some(until) if until > Instant::now() => return lockout.refusal(),
            Some(_) => *entry = Standing::default(),
            None => {}
        }
        if right {
            *entry = Standing::default();
            return Login::Accepted;
        }
        entry.failures += 1;
        if entry.failures >= lockout.after {
            entry.locked_until = Some(Instant::now() + Duration::from_secs(lockout.seconds));
            self.stage.count_lock(&self.service, name);
            return lockout.refusal();
        }
        Login::Refused
    }
}

impl Lockout {
    fn refusal(self) -> Login {
        match self.answer {
            LockAnswer::Silent => Login::Refused,
            LockAnswer::Told => Login::ToldLocked,
        }
    }
}
