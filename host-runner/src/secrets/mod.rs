//! Secrets: a type that does not print, where values come from, and how they are kept.

pub mod keyring;
pub mod lock;
pub mod seal;
pub mod secret;
pub mod source;

pub use keyring::{KeyId, KeySource, Keyring, KeyringError, MasterKey, Modes};
pub use lock::KeyLock;
pub use seal::{Place, SealError, sealed_with};
pub use secret::{Secret, SecretSet};
pub use source::{SecretSource, SourceError};
