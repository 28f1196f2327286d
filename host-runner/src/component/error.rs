//! Why a component can't be used, said so that its author or a reviewer knows what to do.

use super::manifest::ManifestError;
use super::trust::TrustError;
use crate::engine::LimitReached;
use std::path::PathBuf;

/// A component was refused before any of its code ran on a tenant's behalf.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file can't be read.
    #[error("the component {path} can't be read: {error}", path = path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is not signed as it must be.
    #[error("{name} is refused: {error}")]
    Untrusted {
        /// Where it came from.
        name: String,
        /// What is wrong.
        error: TrustError,
    },
    /// The bytes are no component.
    #[error("{name} is not a WebAssembly component: {reason}")]
    NotAComponent {
        /// Where it came from.
        name: String,
        /// What it is, or why it is not valid.
        reason: String,
    },
    /// It imports what the contract does not offer.
    #[error(
        "{name} imports `{import}`, which the contract does not offer; a connector may import only {allowed}"
    )]
    ForbiddenImport {
        /// Where it came from.
        name: String,
        /// The first import that is not offered.
        import: String,
        /// What is offered.
        allowed: String,
    },
    /// It lacks what the contract asks for, or has it in another form.
    #[error("{name} does not keep the contract {contract}: {reason}")]
    Contract {
        /// Where it came from.
        name: String,
        /// Package and version.
        contract: String,
        /// What is missing or different.
        reason: String,
    },
    /// Its manifest contradicts itself.
    #[error("the manifest of {name} can't be used: {error}")]
    Manifest {
        /// Where it came from.
        name: String,
        /// What is wrong.
        error: ManifestError,
    },
    /// It is too large, or takes too long to compile.
    #[error("{name} was refused: {reached}")]
    Limit {
        /// Where it came from.
        name: String,
        /// Which limit.
        reached: LimitReached,
    },
    /// The compiler failed.
    #[error("{name} can't be compiled: {reason}")]
    Compile {
        /// Where it came from.
        name: String,
        /// The compiler's word.
        reason: String,
    },
    /// It trapped, or broke a limit, while it described itself.
    #[error("{name} failed to describe itself: {reason}")]
    Describe {
        /// Where it came from.
        name: String,
        /// What happened.
        reason: String,
    },
}
