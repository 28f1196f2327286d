//! Takes what the host has: time, memory, stack, handles.

use crate::component::Reading as OwnReading;
use crate::contract::{Reading as ReadingResource, clock, http};
use crate::flooding::request;
use crate::order::{Attack, Order, Verb};
use crate::trapdoor;
use futures_util::future::join_all;
use std::hint::black_box;
use std::sync::atomic::Ordering;

/// What can be tried in any verb.
pub(crate) fn at_once(order: &Order, here: Verb) {
    if order.at != here {
        return;
    }
    match order.attack {
        Attack::Loop => compute(),
        Attack::LoopInFree => trapdoor::FREEING.store(true, Ordering::Relaxed),
        Attack::Memory => take_memory(),
        Attack::Recursion => {
            black_box(call_itself(0));
        }
        Attack::Trap => std::process::abort(),
        Attack::Handles => loop {
            // Dropping it would give the handle back.
            std::mem::forget(ReadingResource::new(OwnReading::idle()));
        },
        Attack::WaitableSets => loop {
            // SAFETY: a function of the component model without arguments.
            unsafe { waitable_set_new() };
        },
        Attack::Escape => {
            let _ = wit_bindgen::block_on(http::send(request("/small")));
            wit_bindgen::block_on(clock::sleep(3_600_000));
        }
        Attack::Clock => loop {
            black_box(clock::now());
        },
        _ => {}
    }
}

/// What needs a verb that may wait.
pub(crate) async fn while_waiting(order: &Order, here: Verb) {
    if order.at != here {
        return;
    }
    match order.attack {
        Attack::Yield => loop {
            wit_bindgen::yield_async().await;
        },
        Attack::Sleep => clock::sleep(u64::MAX).await,
        Attack::SleepsAtOnce => {
            join_all((0..5_000).map(|_| clock::sleep(u64::MAX))).await;
        }
        _ => {}
    }
}

fn compute() {
    let mut n = 0_u64;
    loop {
        n = black_box(n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    }
}

fn take_memory() {
    loop {
        let mut taken = vec![0_u8; 1 << 20];
        black_box(&mut taken).fill(1);
        std::mem::forget(taken);
    }
}

#[expect(
    unconditional_recursion,
    reason = "that it never ends is what it is for"
)]
fn call_itself(depth: u64) -> u64 {
    black_box(call_itself(black_box(depth) + 1)) + 1
}

#[link(wasm_import_module = "$root")]
unsafe extern "C" {
    #[link_name = "[waitable-set-new]"]
    fn waitable_set_new() -> u32;
}
