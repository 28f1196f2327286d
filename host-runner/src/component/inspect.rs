//! What a component is made of: its imports and exports by name, and its registry metadata.

use super::outline::{Kind, Outline, kind};
use super::{ComponentFile, LoadError};
use crate::contract;

/// Registry metadata that a component carries; its publisher's claims, nothing that was checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Its name.
    pub name: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// SPDX licence expression.
    pub licence: Option<String>,
    /// Where its sources are.
    pub source: Option<String>,
}

/// What a component imports and exports, and what it says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anatomy {
    /// All imports, by full name.
    pub imports: Vec<String>,
    /// All exports, by full name.
    pub exports: Vec<String>,
    /// Its metadata.
    pub metadata: Metadata,
}

/// The contract's interfaces that a component may import.
const OFFERED: [&str; 6] = ["types", "signing", "http", "clock", "inventory", "log"];

fn offered() -> impl Iterator<Item = String> {
    OFFERED
        .iter()
        .map(|interface| format!("{}/{interface}@{}", contract::PACKAGE, contract::VERSION))
}

/// Refuses what is no component.
fn check_kind(file: &ComponentFile) -> Result<(), LoadError> {
    let refuse = |reason: &str| {
        Err(LoadError::NotAComponent {
            name: file.name.clone(),
            reason: reason.to_owned(),
        })
    };
    match kind(&file.bytes) {
        Kind::Component => Ok(()),
        Kind::Module => refuse(
            "it is a core module; make it a component with wit-component (or `wasm-tools component new`)",
        ),
        Kind::Empty => refuse("the file is empty"),
        Kind::Foreign => refuse("it does not begin like WebAssembly"),
    }
}

impl Anatomy {
    /// Reads imports, exports and metadata from the bytes, before the compiler sees them; refuses an import that the contract does not
    /// offer. What a component inside this one imports is not its own: it gets what the outer one hands on, or is not valid.
    pub(crate) fn of(file: &ComponentFile) -> Result<Self, LoadError> {
        check_kind(file)?;
        let Outline { imports, exports } =
            Outline::of(&file.bytes).map_err(|error| LoadError::NotAComponent {
                name: file.name.clone(),
                reason: format!("it is damaged: {error}"),
            })?;
        let allowed: Vec<String> = offered().collect();
        if let Some(import) = imports.iter().find(|import| !allowed.contains(import)) {
            return Err(LoadError::ForbiddenImport {
                name: file.name.clone(),
                import: import.chars().take(SHOWN).collect(),
                allowed: allowed.join(", "),
            });
        }
        Ok(Self {
            imports,
            exports,
            metadata: metadata(&file.bytes),
        })
    }
}

/// How much of a forbidden import's name is told: it may be as long as the file.
const SHOWN: usize = 200;

fn metadata(bytes: &[u8]) -> Metadata {
    // Metadata that can't be read is metadata that is not there: it decides nothing.
    let Ok(payload) = wasm_metadata::Payload::from_binary(bytes) else {
        return Metadata::default();
    };
    let found = payload.metadata();
    Metadata {
        name: found.name.clone(),
        version: found.version.as_ref().map(ToString::to_string),
        description: found.description.as_ref().map(ToString::to_string),
        licence: found.licenses.as_ref().map(ToString::to_string),
        source: found.source.as_ref().map(ToString::to_string),
    }
}

#[cfg(test)]
mod tests;
