//! Points in time, as the contract has them: milliseconds since the Unix epoch, UTC.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, UTC, not beyond the year 9999. Shown as RFC 3339, stored as a number.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(try_from = "u64", into = "u64")]
pub struct Timestamp(u64);

/// Why something is no point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// It lies beyond the year 9999, which no calendar text can show in four digits: most likely another unit than milliseconds.
    #[error("{0} ms is beyond the year 9999: give milliseconds since 1970")]
    TooLate(u64),
    /// It lies before 1970.
    #[error("{0} ms is before 1970: give milliseconds since 1970")]
    BeforeEpoch(i64),
    /// The text is no RFC 3339 date and time.
    #[error("\"{text}\" is no RFC 3339 date and time ({reason}): write it as 2026-01-31T12:00:00Z")]
    NotRfc3339 {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Timestamp {
    /// 1970-01-01T00:00:00.000Z
    pub const EPOCH: Self = Self(0);
    /// 9999-12-31T23:59:59.999Z
    pub const MAX: Self = Self(253_402_300_799_999);

    /// From milliseconds since the epoch.
    ///
    /// # Errors
    /// For a time beyond the year 9999.
    pub fn from_ms(ms: u64) -> Result<Self, TimestampError> {
        if ms > Self::MAX.0 {
            return Err(TimestampError::TooLate(ms));
        }
        Ok(Self(ms))
    }

    /// Milliseconds since the epoch.
    pub fn as_ms(self) -> u64 {
        self.0
    }

    /// Milliseconds since the epoch, as databases have them.
    pub fn as_i64(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// From milliseconds since the epoch, as databases have them.
    ///
    /// # Errors
    /// For a time before 1970 or beyond the year 9999.
    pub fn from_i64(ms: i64) -> Result<Self, TimestampError> {
        let ms = u64::try_from(ms).map_err(|_| TimestampError::BeforeEpoch(ms))?;
        Self::from_ms(ms)
    }

    /// So many milliseconds later, at most the last one of the year 9999.
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms).min(Self::MAX.0))
    }

    /// Milliseconds from `earlier` to this, 0 if it is not earlier.
    pub fn ms_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// RFC 3339 in UTC with milliseconds: `2026-01-31T12:00:00.000Z`.
    pub fn to_rfc3339(self) -> String {
        // Civil time, because jiff's own timestamps leave out the last day of the year 9999.
        let epoch = jiff::civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
        match epoch.checked_add(jiff::SignedDuration::from_millis(self.as_i64())) {
            Ok(time) => format!("{time:.3}Z"),
            // No time beyond the year 9999 can be built.
            Err(_) => format!("{} ms", self.0),
        }
    }

    /// From RFC 3339 with any offset; what is finer than a millisecond is cut off.
    ///
    /// # Errors
    /// For a text that is no RFC 3339, and for a time before 1970 or in the last day of the year 9999.
    pub fn from_rfc3339(text: &str) -> Result<Self, TimestampError> {
        let time: jiff::Timestamp =
            text.parse()
                .map_err(|e: jiff::Error| TimestampError::NotRfc3339 {
                    text: text.to_owned(),
                    reason: e.to_string(),
                })?;
        Self::from_i64(time.as_millisecond())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_rfc3339())
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        Self::from_rfc3339(text)
    }
}

impl TryFrom<u64> for Timestamp {
    type Error = TimestampError;

    fn try_from(ms: u64) -> Result<Self, TimestampError> {
        Self::from_ms(ms)
    }
}

impl From<Timestamp> for u64 {
    fn from(time: Timestamp) -> u64 {
        time.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_shows_as_rfc_3339_with_milliseconds() {
        assert_eq!(Timestamp::EPOCH.to_rfc3339(), "1970-01-01T00:00:00.000Z");
        assert_eq!(
            Timestamp::from_ms(1_700_000_000_120).unwrap().to_string(),
            "2023-11-14T22:13:20.120Z"
        );
        assert_eq!(Timestamp::MAX.to_rfc3339(), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn the_year_10000_is_refused() {
        assert!(Timestamp::from_ms(Timestamp::MAX.as_ms() + 1).is_err());
        assert!(serde_json::from_str::<Timestamp>("253402300800000").is_err());
        assert_eq!(Timestamp::MAX.plus_ms(1), Timestamp::MAX);
    }

    #[test]
    fn offsets_are_read_and_nonsense_is_told() {
        assert_eq!(
            Timestamp::from_rfc3339("1970-01-01T01:00:00+01:00"),
            Ok(Timestamp::EPOCH)
        );
        assert!(Timestamp::from_rfc3339("yesterday").is_err());
        assert!(Timestamp::from_rfc3339("1969-12-31T23:59:59Z").is_err());
    }

    proptest! {
        #[test]
        fn every_time_reads_back_from_its_text(ms in 0..=Timestamp::MAX.as_ms() - 2 * 86_400_000) {
            let time = Timestamp::from_ms(ms).unwrap();
            prop_assert_eq!(Timestamp::from_rfc3339(&time.to_rfc3339()), Ok(time));
        }
    }
}
