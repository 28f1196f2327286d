//! What costs before anything runs.

use crate::bench::default_runtime;
use host_runner::component::Source;

#[tokio::test]
async fn a_component_that_is_larger_than_one_may_be_is_not_compiled() {
    let mut bytes = cross_crate_tests::HOSTILE.to_vec();
    bytes.resize(33 << 20, 0);
    let loaded = default_runtime()
        .load(&Source::Bytes("large".to_owned(), bytes))
        .await;
    let error = loaded.err().unwrap().to_string();
    assert!(error.contains("`component` (32 MiB)"), "{error}");
}
