//! The time of the day, as text.

use std::time::{SystemTime, UNIX_EPOCH};

/// A time in UTC, such as `2026-03-14T15:09:26.535Z`.
///
/// # Source
/// Hinnant, *chrono-compatible low-level date algorithms* (2013), `civil_from_days`.
pub(crate) fn timestamp(time: SystemTime) -> String {
    // A clock before 1970 is not set; it counts as 1970.
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (seconds, milliseconds) = (since.as_secs(), since.subsec_millis());
    // Days from 0000-03-01, with which years end with their leap day.
    let days = seconds / 86_400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z")
}
