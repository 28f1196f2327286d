//! An allocator that can be told never to come back: the host calls it to hand over what it read, and to free what it was given.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether taking memory takes for ever.
pub(crate) static TAKING: AtomicBool = AtomicBool::new(false);
/// Whether freeing it does.
pub(crate) static FREEING: AtomicBool = AtomicBool::new(false);

#[global_allocator]
static TRAPDOOR: Trapdoor = Trapdoor;

struct Trapdoor;

// SAFETY: it is the system's allocator, or it does not come back.
unsafe impl GlobalAlloc for Trapdoor {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        fall(&TAKING);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        fall(&FREEING);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn fall(open: &AtomicBool) {
    while open.load(Ordering::Relaxed) {
        std::hint::spin_loop();
    }
}
