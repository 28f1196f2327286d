//! Memory as it is given back: whether anything of a secret still stands in it.
//!
//! The allocator of this test binary. It looks at each block that a watching thread frees, and does nothing else of its own.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// What is looked for in freed memory: no other text of this process holds it.
pub const MARK: &str = "test-key-that-must-be-wiped-7c41d0";

thread_local! {
    static WATCHING: Cell<bool> = const { Cell::new(false) };
    static FOUND: Cell<u32> = const { Cell::new(0) };
}

/// How many blocks this thread freed, while it ran `work`, with the mark or a good part of it in them.
pub fn left_behind(work: impl FnOnce()) -> u32 {
    FOUND.set(0);
    WATCHING.set(true);
    work();
    WATCHING.set(false);
    FOUND.get()
}

struct Watched;

#[global_allocator]
static ALLOCATOR: Watched = Watched;

// SAFETY: everything is handed to the system's allocator as it came; a block is read before it goes, where its owner has none of it any more.
#[allow(unsafe_code, reason = "the trait is unsafe; see above")]
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !WATCHING.try_with(Cell::get).unwrap_or(false) {
            // SAFETY: as the caller promises.
            return unsafe { System.alloc(layout) };
        }
        // SAFETY: as the caller promises. Zeroed, so that a block never holds what another left behind, and can be read whole.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !WATCHING.try_with(Cell::get).unwrap_or(false) {
            // SAFETY: as the caller promises.
            return unsafe { System.realloc(block, layout, size) };
        }
        // Never in place, so that what is left behind is seen.
        let Ok(larger) = Layout::from_size_align(size, layout.align()) else {
            return std::ptr::null_mut();
        };
        // SAFETY: as the caller promises; the old block is freed only where there is a new one.
        unsafe {
            let moved = self.alloc(larger);
            if !moved.is_null() {
                std::ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                self.dealloc(block, layout);
            }
            moved
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if WATCHING.try_with(Cell::get).unwrap_or(false) {
            // SAFETY: the block is still allocated and of this size. One that was allocated before the watching began may never have been written
            // to everywhere; what stands there is then some bytes or other, which a search may read.
            let bytes = unsafe { std::slice::from_raw_parts(block, layout.size()) };
            let part = &MARK.as_bytes()[9..25];
            if bytes.windows(part.len()).any(|window| window == part) {
                let _ = FOUND.try_with(|found| found.set(found.get() + 1));
            }
        }
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(block, layout) }
    }
}
