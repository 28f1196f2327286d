//! A connector that attacks its host, written against the contract as any other: which attack it tries, and in which verb, is told by its
//! configuration. Without one it behaves, and reads records that it makes up.
//!
//! Natively there is only [`order`]: what tests order with. The rest runs in the sandbox that it tries to get out of.
//!
//! | module | attacks |
//! |---|---|
//! | `spending` | take what the host has: time, memory, stack, handles |
//! | `flooding` | ask the host for too much, too often, or for ever |
//! | `giving` | results that are too large, or that break their own contract |
//! | `reaching` | requests that nobody allowed |
//! | `describing` | a manifest that is too much, or not the same twice |

pub mod order;

#[cfg(target_arch = "wasm32")]
mod component;
#[cfg(target_arch = "wasm32")]
mod contract;
#[cfg(target_arch = "wasm32")]
mod describing;
#[cfg(target_arch = "wasm32")]
mod flooding;
#[cfg(target_arch = "wasm32")]
mod giving;
#[cfg(target_arch = "wasm32")]
mod reaching;
#[cfg(target_arch = "wasm32")]
mod spending;
#[cfg(target_arch = "wasm32")]
mod trapdoor;
