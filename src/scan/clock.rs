//! The only place that tells the time.

/// Now, as RFC 3339 in UTC with milliseconds.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn now() -> String {
    let ms = jiff::Timestamp::now().as_millisecond();
    jiff::Timestamp::from_millisecond(ms).map(|t| format!("{t:.3}")).unwrap_or_default()
}

/// Milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn unix_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// So many hours from now, as RFC 3339 in UTC.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn in_hours(hours: i64) -> String {
    let now = jiff::Timestamp::now();
    now.checked_add(jiff::SignedDuration::from_hours(hours)).map(|t| format!("{t:.0}")).unwrap_or_default()
}
