//! The contract's types and the host's side of it, generated from `wit/platform.wit`.

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
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "plugin",
        imports: { default: trappable },
        exports: { default: async | store },
        with: { "connector:platform/http.body": crate::imports::ResponseBody },
    });
}

pub use generated::connector::platform::{clock, http, inventory, log, signing, types};
pub use generated::exports::connector::platform::connector;
pub use generated::{Plugin, PluginPre};

/// The contract's package, as components name it in their imports and exports.
pub const PACKAGE: &str = "connector:platform";

/// The version of the contract that this host speaks.
pub const VERSION: &str = "0.1.0";
