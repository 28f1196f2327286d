//! Transform maps that somebody wrote, and the records that go through them.

use crate::parts;
use cortex_xdr::contract::{Entry, MapContext};
use cortex_xdr::transform::{bundled, prepare};
use std::sync::LazyLock;

static MODEL: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../../host-runner/models/safe.json"))
            .expect("a model");
    file["schema"].to_string().into_bytes()
});

/// The first part is a map, or a byte that chooses a bundled one; each further part is a record.
pub fn maps(data: &[u8]) {
    let mut parts = parts(data);
    let first = parts.next().unwrap_or_default();
    let chosen = match first {
        [one] => bundled().get(usize::from(*one) % bundled().len()),
        _ => None,
    };
    let (mapping, stream) = match chosen {
        Some(map) => (map.body.as_bytes(), map.data_stream),
        None => (first, "endpoints"),
    };
    let context = MapContext {
        data_stream: stream.to_owned(),
        custom_fields: vec!["a-field".to_owned()],
        model: MODEL.clone(),
    };
    match prepare(mapping, &context) {
        Err(problems) => assert!(!problems.is_empty()),
        Ok(mapper) => {
            for record in parts {
                let entry = Entry {
                    key: "key".to_owned(),
                    fingerprint: "print".to_owned(),
                    seen_at: None,
                    partial: false,
                    body: record.to_vec(),
                };
                for outcome in mapper.apply(vec![entry]) {
                    for document in outcome.documents {
                        let body: serde_json::Value =
                            serde_json::from_slice(&document.body).expect("a document is JSON");
                        assert!(body.is_object() && !document.key.is_empty());
                    }
                }
                let _ = mapper.explain("key", record);
            }
        }
    }
}
