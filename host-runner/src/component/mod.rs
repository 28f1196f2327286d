//! Components before they run: where they come from, what they import and export, what their manifest declares,
//! who signed them, and in what two builds differ.

mod compare;
mod error;
mod inspect;
mod manifest;
mod outline;
mod parts;
mod profile;
mod schema;
mod secret_fields;
mod source;
mod trust;

pub use compare::{Aspect, Comparison, Difference, Direction};
pub use error::LoadError;
pub use inspect::{Anatomy, Metadata};
pub use manifest::{Call, DataStream, Manifest, ManifestError, OriginRules, TransformMap};
pub(crate) use parts::check_parts;
pub use profile::{BudgetProfile, CallProfile, MapProfile, Profile, StreamProfile, rule_text};
pub use source::{ComponentFile, Source};
#[cfg(test)]
pub(crate) use trust::publisher;
pub use trust::{Standing, Trust, TrustError, TrustedKey, beside, check_signature};
