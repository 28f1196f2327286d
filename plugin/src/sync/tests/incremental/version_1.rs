//! Checkpoints of the first version.

use super::*;

fn version_1(stream: &str, scope: &str, state: &Value) -> Vec<u8> {
    json!({"version": 1, "stream": stream, "scope": scope, "state": state})
        .to_string()
        .into_bytes()
}

#[test]
fn a_finished_read_of_the_first_version_is_where_an_incremental_one_begins() {
    let tenant = Tenant::new(vec![
        stored(1, NOW, NOW + MINUTE, NEW),
        stored(2, NOW, NOW - HOUR, NEW),
    ]);
    let platform = tenant.platform();
    platform.set_now(NOW + HOUR);
    let scope = settings().scope(DataStream::Alerts);
    let state = |reasons: Value| {
        json!({
            "started": NOW, "pending": [], "current": null, "reasons": reasons, "seen": [], "read": 1, "ended": true,
            "done": [{"name": "n", "read": 1, "said": 1, "ended_short": true, "second_look": true}],
        })
    };
    let from = version_1("alerts", &scope, &state(json!([])));
    assert_eq!(
        incremental(&platform, DataStream::Alerts, from).entries(),
        ["1"]
    );
    // Where it was in doubt it proves nothing, and all is read.
    let from = version_1("alerts", &scope, &state(json!(["doubt"])));
    assert_eq!(
        incremental(&platform, DataStream::Alerts, from).keys(),
        set(&["1", "2"])
    );
}

#[test]
fn an_unfinished_read_of_the_first_version_goes_on_for_alerts_and_begins_anew_for_endpoints() {
    let open = |after: u64| {
        json!({
            "started": NOW, "pending": [], "reasons": [], "seen": [], "read": 5, "ended": false, "done": [],
            "current": {"range": {"from": null, "to": NOW}, "offset": 5, "said": 8, "read": 5, "attempt": 1, "whole": false},
            "unknown": after,
        })
    };
    let alerts = Tenant::new(
        (0..8)
            .map(|number| alert(number, number as u64, NEW))
            .collect(),
    )
    .platform();
    let from = version_1("alerts", &settings().scope(DataStream::Alerts), &open(0));
    let reading = begin_small(&alerts, &settings(), DataStream::Alerts, Some(from)).unwrap();
    let read = all(&reading).unwrap();
    assert_eq!(read.entries(), ["5", "6", "7"]);
    assert!(read.reasons().is_empty(), "{:?}", read.reasons());
    // Its pages were filtered by status: what follows would not fit.
    let endpoints = Tenant::new(
        (0..8)
            .map(|number| endpoint(number, number as u64))
            .collect(),
    )
    .platform();
    let from = version_1(
        "endpoints",
        &settings().scope(DataStream::Endpoints),
        &open(0),
    );
    let reading = begin_small(&endpoints, &settings(), DataStream::Endpoints, Some(from)).unwrap();
    assert_eq!(all(&reading).unwrap().entries().len(), 8);
}
