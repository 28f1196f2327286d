//! Components before they run: where they come from, what they import and export, what their manifest declares.

mod error;
mod inspect;
mod manifest;
mod parts;
mod secret_fields;
mod source;

pub use error::LoadError;
pub(crate) use inspect::check_kind;
pub use inspect::{Anatomy, Metadata};
pub use manifest::{Call, DataStream, Manifest, ManifestError, OriginRules, TransformMap};
pub(crate) use parts::check_parts;
pub use source::{ComponentFile, Source};
