//! Documents of assets that nest the findings on them.

use serde_json::{Value, json};

use super::support::*;
use crate::domain::Mode;
use crate::store::*;

/// What was found on an endpoint: its asset's document nests it, and each is a finding.
fn scanned(key: &str, fingerprint: &str, found: &[&str]) -> Entry {
    let mut body = json!({"id": key});
    if !found.is_empty() {
        body["findings"] = found.iter().map(|name| json!({"name": name})).collect();
    }
    let mut documents = vec![asset(key, body)];
    documents.extend(found.iter().map(|name| finding(name, Some(key), "high")));
    entry(key, fingerprint, documents)
}

async fn nested(bench: &Bench) -> Value {
    bench.assets().await[0].body["findings"].clone()
}

#[tokio::test]
async fn an_asset_shows_no_finding_that_is_closed_or_out_of_scope() {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    bench.full("alerts", 20, vec![alert("a1", "e1")]).await;
    let found = || scanned("e1", "1", &["f1", "f2"]);
    bench.full("vulnerabilities", 30, vec![found()]).await;
    let both = json!([{"name": "f1"}, {"name": "f2"}]);
    assert_eq!(nested(&bench).await, both);

    let sync = bench.begin("vulnerabilities", Mode::Full, 40).await;
    let narrower = Closing::OutOfScope("tags".to_owned());
    bench.close(&sync, vec![closure("e1", narrower)]).await;
    bench.end(&sync).await;
    // The endpoint itself is read, and an alert is open on it: neither brings back what is out of scope.
    assert_eq!(nested(&bench).await, Value::Null);
    bench.full("vulnerabilities", 50, vec![found()]).await;
    assert_eq!(nested(&bench).await, both);

    bench
        .full("vulnerabilities", 60, vec![scanned("e1", "2", &["f2"])])
        .await;
    assert_eq!(nested(&bench).await, json!([{"name": "f2"}]));
    bench
        .full("vulnerabilities", 70, vec![scanned("e1", "3", &[])])
        .await;
    assert_eq!(nested(&bench).await, Value::Null);
    assert_eq!(bench.assets().await[0].state, AssetState::Active);
}
