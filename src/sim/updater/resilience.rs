//! What a client does when its servers or its power were away.
use rand::Rng;
use serde::Deserialize;
use std::time::Duration;

/// Open after a power cut in clients that are made so.
pub const DEBUG_PORT: u16 = 2323;
/// Never, in a test.
const NEVER: Duration = Duration::from_secs(24 * 3600);

/// As a person writes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Resilience {
    /// The wait after the first attempt in vain, in milliseconds, which doubles up to `most_retry_ms`, and is up to a
    /// twentieth longer by chance. 0: it looks as often as always.
    pub retry_ms: u64,
    pub most_retry_ms: u64,
    /// It gives up after so many in vain.
    pub most_attempts: Option<u32>,
    pub local: Local,
    /// How long it takes to start after a power cut.
    pub start_ms: u64,
    pub after_power: AfterPower,
}

/// What it does on its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Local {
    #[default]
    Works,
    NeedsServers,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AfterPower {
    #[default]
    Same,
    DebugPort,
}

impl Resilience {
    /// Until when it waits after so many attempts in vain; `None`: as always.
    pub fn wait(self, failures: u32) -> Option<Duration> {
        if failures == 0 || self.retry_ms == 0 {
            return None;
        }
        if self.most_attempts.is_some_and(|most| failures >= most) {
            return Some(NEVER);
        }
        let doubled = self.retry_ms.saturating_mul(1 << failures.saturating_sub(1).min(20)).min(self.most_retry_ms);
        Some(Duration::from_millis(doubled + rand::rng().random_range(0..=doubled / 20)))
    }
}
