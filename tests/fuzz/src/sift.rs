//! Records that are held, sorted by another configuration.

use crate::parts;
use cortex_xdr::configure::{API_KEY, configure};
use cortex_xdr::contract::{Entry, Sifted};
use std::sync::LazyLock;

const STREAMS: [&str; 3] = ["endpoints", "alerts", "vulnerabilities"];

/// The configuration before: all that can be left out is.
static BEFORE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let config = serde_json::json!({"baseUrl": "https://api-example.xdr.us.paloaltonetworks.com", "apiKeyId": "7", "dataStreams": STREAMS});
    completed(config.to_string().as_bytes()).expect("a configuration")
});

fn completed(config: &[u8]) -> Option<Vec<u8>> {
    let configuration = configure(config, &[API_KEY.to_owned()], None).ok()?;
    Some(configuration.config)
}

/// The first part is a byte that chooses a data stream and the configuration after; each further part is a record.
pub fn sift(data: &[u8]) {
    let mut parts = parts(data);
    let Some((stream, after)) = parts.next().and_then(|part| part.split_first()) else {
        return;
    };
    let stream = STREAMS[usize::from(*stream) % STREAMS.len()];
    let Some(after) = completed(after) else {
        return;
    };
    let entries: Vec<Entry> = parts.map(entry).collect();
    let sorted = |entries: &[Entry]| -> Vec<Option<String>> {
        let sifting = cortex_xdr::sync::sift(&BEFORE, &after, stream, entries).unwrap_or_else(|fault| panic!("{fault:?}"));
        sifting.entries.iter().map(left_out_by).collect()
    };
    // A verdict is of one record: it hangs on no other.
    let alone: Vec<Option<String>> = entries.iter().flat_map(|entry| sorted(std::slice::from_ref(entry))).collect();
    assert_eq!(sorted(&entries), alone);
}

fn entry(record: &[u8]) -> Entry {
    Entry {
        key: "key".to_owned(),
        fingerprint: "print".to_owned(),
        seen_at: None,
        partial: false,
        body: record.to_vec(),
    }
}

fn left_out_by(sifted: &Sifted) -> Option<String> {
    match sifted {
        Sifted::Leaves(filter) => Some(filter.clone()),
        Sifted::Stays | Sifted::Changes(_) => None,
    }
}
