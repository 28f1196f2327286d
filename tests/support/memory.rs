//! Linear memories that can be searched after their instance is gone: all that a component ever held at its end, byte for byte.
//!
//! The only unsafe code of the tests. wasmtime asks for it because it trusts the pointer that a memory gives; each one here is an allocation
//! of its full capacity that never moves and is freed when wasmtime drops the memory.

use host_runner::engine::Memories;
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use wasmtime::{LinearMemory, MemoryCreator, MemoryType};

/// What one memory may grow to: the runner's own limit is 64 MiB.
const CAPACITY: usize = 80 << 20;

/// The most that the system gives fresh pages for without writing to them, and enough for any access of WebAssembly.
const ALIGNMENT: usize = 16;

/// Memories of instances that are gone.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    gone: Arc<Mutex<Vec<Vec<u8>>>>,
    living: Arc<AtomicUsize>,
}

impl Kept {
    /// Memories that are kept here.
    #[must_use]
    pub fn memories(&self) -> Memories {
        Memories::new(Arc::new(Creator(self.clone())))
    }

    /// Waits until no instance lives, and gives the memories of all that have gone since this was last asked.
    pub async fn all(&self) -> Vec<Vec<u8>> {
        // A sync that has ended drops its instance in a task of its own.
        while self.living.load(Ordering::SeqCst) > 0 {
            tokio::task::yield_now().await;
        }
        self.take()
    }

    fn take(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.gone.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn keep(&self, bytes: Vec<u8>) {
        self.gone
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(bytes);
        self.living.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Creator(Kept);

// SAFETY: each memory is a zeroed allocation of its own of `CAPACITY` bytes, more than `byte_size` ever says; the engine is set up to need no
// guard pages behind it.
#[allow(unsafe_code, reason = "wasmtime's trait is unsafe; see above")]
unsafe impl MemoryCreator for Creator {
    fn new_memory(
        &self,
        _: MemoryType,
        minimum: usize,
        _: Option<usize>,
        reserved: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        if minimum > CAPACITY || reserved.unwrap_or(0) > CAPACITY || guard != 0 {
            return Err(format!(
                "no memory of {minimum} bytes with {reserved:?} reserved and {guard} guarded"
            ));
        }
        let layout = Layout::from_size_align(CAPACITY, ALIGNMENT)
            .map_err(|error| format!("no layout: {error}"))?;
        // SAFETY: the layout is not empty.
        let start = unsafe { alloc_zeroed(layout) };
        if start.is_null() {
            handle_alloc_error(layout);
        }
        self.0.living.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Memory {
            start,
            layout,
            size: minimum,
            kept: self.0.clone(),
        }))
    }
}

struct Memory {
    start: *mut u8,
    layout: Layout,
    size: usize,
    kept: Kept,
}

// SAFETY: the pointer is this memory's own allocation. What synchronises access to its bytes is wasmtime's store, as for every memory.
#[allow(unsafe_code, reason = "a raw pointer is neither by itself; see above")]
unsafe impl Send for Memory {}
// SAFETY: as above; nothing here reads through a shared reference.
#[allow(unsafe_code, reason = "a raw pointer is neither by itself; see above")]
unsafe impl Sync for Memory {}

// SAFETY: `as_ptr` never changes, and `byte_size` bytes from there on are allocated and initialised.
#[allow(unsafe_code, reason = "wasmtime's trait is unsafe; see above")]
unsafe impl LinearMemory for Memory {
    fn byte_size(&self) -> usize {
        self.size
    }

    fn byte_capacity(&self) -> usize {
        CAPACITY
    }

    fn grow_to(&mut self, size: usize) -> wasmtime::Result<()> {
        wasmtime::ensure!(size <= CAPACITY, "no memory of {size} bytes");
        self.size = self.size.max(size);
        Ok(())
    }

    fn as_ptr(&self) -> *mut u8 {
        self.start
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        #[allow(unsafe_code, reason = "reads and frees what `new_memory` allocated")]
        // SAFETY: the instance is gone, so nobody writes; the bytes were allocated zeroed with this layout, and are freed once.
        unsafe {
            self.kept
                .keep(std::slice::from_raw_parts(self.start, self.size).to_vec());
            dealloc(self.start, self.layout);
        }
    }
}
