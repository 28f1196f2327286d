//! The contract, generated from `wit/platform.wit`.

#[allow(
    missing_docs,
    dead_code,
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
        path: "../../wit",
        world: "plugin",
        pub_export_macro: true,
        default_bindings_module: "crate::contract",
    });
}

pub(crate) use generated::connector::platform::{clock, http, inventory, log, signing, types};
pub(crate) use generated::exports::connector::platform::connector::*;
pub(crate) use generated::*;
