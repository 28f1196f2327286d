//! The contract's own types, generated from `wit/platform.wit`: the one source of truth for both sides.
//!
//! They are plain data and exist natively too. Only `component` calls the imported functions; natively those would panic,
//! which is why everything else goes through [`crate::platform::Platform`].

#[allow(
    missing_docs,
    clippy::all,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes_without_reason,
    reason = "generated code; its documentation is the WIT"
)]
mod generated {
    wit_bindgen::generate!({
        path: "../wit",
        world: "plugin",
        pub_export_macro: true,
        default_bindings_module: "crate::contract",
    });
}

pub use generated::connector::platform::{clock, http, inventory, log, signing, types};
pub use generated::exports::connector::platform::connector::*;
#[cfg(target_arch = "wasm32")]
pub(crate) use generated::*;
