//! The simulated device's own clock.

#[expect(clippy::disallowed_methods, reason = "a device tells its own time; nothing of it is recorded as ours")]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
