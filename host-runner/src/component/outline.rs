//! A component's bytes taken apart before anything is compiled or linked: what they are, and what the outermost component imports and exports.
//!
//! It needs nothing but a parser, so that it can be fuzzed by itself.

use wasmparser::{BinaryReaderError, Parser, Payload};

/// What some bytes are, by how they begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A component.
    Component,
    /// A core module, which a component may be made of.
    Module,
    /// Nothing at all.
    Empty,
    /// Something else.
    Foreign,
}

/// What the bytes are, by how they begin.
pub fn kind(bytes: &[u8]) -> Kind {
    if Parser::is_component(bytes) {
        Kind::Component
    } else if Parser::is_core_wasm(bytes) {
        Kind::Module
    } else if bytes.is_empty() {
        Kind::Empty
    } else {
        Kind::Foreign
    }
}

/// The names that the outermost component imports and exports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// All imports, in order.
    pub imports: Vec<String>,
    /// All exports, in order.
    pub exports: Vec<String>,
}

impl Outline {
    /// Reads them.
    ///
    /// # Errors
    /// Where the bytes are damaged.
    pub fn of(bytes: &[u8]) -> Result<Self, BinaryReaderError> {
        let mut outline = Self::default();
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        outline.imports.push(import?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        outline.exports.push(export?.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(outline)
    }
}
