//! Secrets: a type that does not print, where values come from, and how they are kept.

pub mod keyring;
pub mod seal;
pub mod secret;
pub mod source;

pub use keyring::{KeyId, Keyring, KeyringError, MasterKey};
pub use seal::{Place, SealError};
pub use secret::{Secret, SecretSet};
pub use source::{SecretSource, SourceError};
