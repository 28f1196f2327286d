//! A component's bytes, as they are judged before the compiler sees them.

#[path = "../../../host-runner/src/component/outline.rs"]
mod outline;

use wasmparser::{Validator, WasmFeatures};

/// The bytes are a component. One that is valid is taken apart.
pub fn component(data: &[u8]) {
    let kind = outline::kind(data);
    let taken = outline::Outline::of(data);
    let valid = Validator::new_with_features(WasmFeatures::all()).validate_all(data);
    if valid.is_ok() {
        assert!(matches!(kind, outline::Kind::Component | outline::Kind::Module));
        assert!(taken.is_ok(), "{taken:?}");
    }
    let _ = wasm_metadata::Payload::from_binary(data);
}
