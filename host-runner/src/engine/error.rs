//! Why the engine can't be set up.

use std::path::PathBuf;

/// The engine can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// wasmtime refuses.
    #[error("the WebAssembly engine can't be set up: {0:#}")]
    Engine(#[from] wasmtime::Error),
    /// A file or folder of the runner's own.
    #[error("{path}: {error}", path = path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}
