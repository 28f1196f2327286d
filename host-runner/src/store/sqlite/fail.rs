//! What the statements of this module can end in, before it is told in the store's terms.

use std::path::Path;

use super::error;
use crate::store::StoreError;

/// What went wrong, before the file's name is known.
#[derive(Debug)]
pub(super) enum Fail {
    /// The database said so.
    Sql(sqlx::Error),
    /// The store says so.
    Store(StoreError),
    /// What is stored does not read as what was stored.
    Damaged(String),
}

impl Fail {
    /// In the store's terms.
    pub(super) fn explain(self, file: &Path) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Sql(error) => error::explain(file, error),
            Self::Damaged(reason) => StoreError::Damaged {
                file: file.to_owned(),
                reason,
            },
        }
    }
}

impl From<sqlx::Error> for Fail {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Fail {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<serde_json::Error> for Fail {
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<crate::domain::TimestampError> for Fail {
    fn from(error: crate::domain::TimestampError) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<crate::domain::NameError> for Fail {
    fn from(error: crate::domain::NameError) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// A value that breaks the rules for what is stored.
pub(super) fn refused(what: impl Into<String>, reason: impl Into<String>) -> Fail {
    Fail::Store(StoreError::Refused {
        what: what.into(),
        reason: reason.into(),
    })
}
