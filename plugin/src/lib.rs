//! The Cortex XDR connector.
//!
//! What the connector knows and decides, without a word of WebAssembly: [`describe`] it, [`configure`] it, [`check`] what a
//! sync will need (the contract's `test`), [`survey`] what the configuration leaves out, [`sync`] its data streams, [`transform`] source records into documents. All of it
//! is written against [`platform::Platform`], so that the same code runs natively under tests, fuzzers and benchmarks
//! and, bound to the contract in `component`, inside a host.
//!
//! Modules point one way: `component` → `check`, `survey`, `sync` → `api`, `record` → `describe`, `configure` → `platform` → `contract`.
//! `transform` knows nothing of Cortex XDR; another connector can take it as it is.

pub mod api;
mod bundle;
pub mod check;
#[cfg(target_arch = "wasm32")]
mod component;
pub mod configure;
pub mod contract;
mod decimal;
pub mod describe;
mod json_text;
pub mod platform;
pub mod record;
pub mod survey;
pub mod sync;
#[cfg(test)]
mod testing;
pub mod transform;
