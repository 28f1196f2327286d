//! Linear memories that somebody else makes.

use std::fmt;
use std::sync::Arc;

use wasmtime::MemoryCreator;

/// Where instances get their linear memories from, in place of the runner's pool.
///
/// For tests that search all that a component holds, and for embedders that bring their own. The runner itself has no such creator, and no
/// flag, variable or configuration leads here: only Rust code that implements wasmtime's unsafe trait can. Components are compiled in this
/// process then, for an engine of its own.
#[derive(Clone)]
pub struct Memories(Arc<dyn MemoryCreator>);

impl Memories {
    /// Of this creator. Its memories need no guard pages.
    #[must_use]
    pub fn new(creator: Arc<dyn MemoryCreator>) -> Self {
        Self(creator)
    }

    pub(crate) fn creator(&self) -> Arc<dyn MemoryCreator> {
        Arc::clone(&self.0)
    }
}

impl fmt::Debug for Memories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memories")
    }
}
