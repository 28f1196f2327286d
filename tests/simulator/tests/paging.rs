//! Pages, filters, sort and caps of the endpoint, alert and incident calls, against the tenant's own truth.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use cortex_xdr_simulator::{AlertShape, AlertView, EndpointView, NewAlert, NewEndpoint, Options};
use serde_json::{Value, json};
use support::{small, start, texts};

const ENDPOINT: &str = "v1/endpoints/get_endpoint";
const ALERTS: &str = "v1/alerts/get_alerts_multi_events";

fn filter(field: &str, operator: &str, value: Value) -> Value {
    json!({ "field": field, "operator": operator, "value": value })
}

fn set(ids: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    ids.into_iter().collect()
}

#[tokio::test]
async fn all_pages_together_are_exactly_the_tenants_endpoints_in_order() {
    let tenant = start(small()).await;
    for (keyword, ascending) in [("ASC", true), ("DESC", false)] {
        let sort = json!({ "sort": { "field": "first_seen", "keyword": keyword } });
        let rows = tenant.all(ENDPOINT, "endpoints", sort).await;
        let truth: Vec<EndpointView> = tenant.simulator.tenant().endpoints();
        assert_eq!(rows.len(), truth.len());
        assert_eq!(
            set(texts(&rows, "endpoint_id")),
            set(truth.iter().map(|endpoint| endpoint.id.clone()))
        );
        let times: Vec<i64> = rows
            .iter()
            .map(|row| row["first_seen"].as_i64().unwrap())
            .collect();
        assert!(times.is_sorted_by(|a, b| if ascending { a <= b } else { a >= b }));
    }
    let page = tenant
        .ok(ENDPOINT, json!({ "search_from": 200, "search_to": 300 }))
        .await;
    assert_eq!(
        (&page["total_count"], &page["result_count"]),
        (&json!(250), &json!(50))
    );
}

#[tokio::test]
async fn endpoint_records_have_the_documented_types_and_gaps() {
    let tenant = start(Options {
        endpoints: 1_500,
        ..small()
    })
    .await;
    let rows = tenant.all(ENDPOINT, "endpoints", json!({})).await;
    let any = |what: &dyn Fn(&Value) -> bool| assert!(rows.iter().any(what));
    any(&|row| row.get("tags").is_none() && row["group_name"].is_null());
    any(&|row| row["endpointTags"].is_string() && row.get("tags").is_none());
    any(&|row| row.as_object().unwrap().len() == 18 && row.get("os_version").is_none());
    any(&|row| row["users"].is_string());
    any(&|row| row["active_directory"].is_null());
    any(&|row| {
        row["active_directory"]
            .as_array()
            .is_some_and(Vec::is_empty)
    });
    any(&|row| {
        row["group_name"]
            .as_array()
            .is_some_and(|groups| groups.len() == 2)
    });
    any(&|row| {
        row["ip"]
            .as_array()
            .is_some_and(|ip| ip.contains(&json!("172.17.0.1")))
    });
    any(&|row| row["cloud_provider"].is_string());
    any(&|row| row.get("cloud_provider").is_some_and(Value::is_null));
    any(&|row| row.get("cloud_provider").is_none());
    any(&|row| {
        row["operational_status_description"]
            .as_str()
            .is_some_and(|text| text.starts_with("[{"))
    });
    let by_id: BTreeMap<&str, &Value> = rows
        .iter()
        .map(|row| (row["endpoint_id"].as_str().unwrap(), row))
        .collect();
    for endpoint in tenant.simulator.tenant().endpoints() {
        let row = by_id[endpoint.id.as_str()];
        assert_eq!(row["endpoint_name"], json!(endpoint.name));
        assert_eq!(row["endpoint_status"], json!(endpoint.status));
        assert_eq!(row["ip"], json!(endpoint.ip));
        if let Some(tags) = row.get("tags") {
            assert_eq!(
                tags,
                &json!({ "server_tags": endpoint.server_tags, "endpoint_tags": endpoint.endpoint_tags })
            );
        }
    }
    let brief = tenant.ok("v1/endpoints/get_endpoints", json!({})).await;
    assert_eq!(
        set(texts(brief.as_array().unwrap(), "agent_id")),
        set(texts(&rows, "endpoint_id"))
    );
}

#[tokio::test]
async fn every_endpoint_filter_selects_what_the_records_say() {
    let tenant = start(Options {
        endpoints: 600,
        ..small()
    })
    .await;
    let all = tenant.all(ENDPOINT, "endpoints", json!({})).await;
    let first = all
        .iter()
        .find(|row| row["cloud_provider"].is_string())
        .unwrap()
        .clone();
    let middle = all[300]["first_seen"].as_i64().unwrap();
    let contains = |row: &Value, key: &str, text: &Value| {
        row[key].as_array().is_some_and(|list| list.contains(text))
    };
    type Holds<'a> = Box<dyn Fn(&Value) -> bool + 'a>;
    let is = |key: &'static str, value: &Value| -> Holds<'_> {
        let value = value.clone();
        Box::new(move |row| row[key] == value)
    };
    let cases: Vec<(Value, Holds<'_>)> = vec![
        (
            filter(
                "endpoint_id_list",
                "in",
                json!([first["endpoint_id"], "unknown"]),
            ),
            is("endpoint_id", &first["endpoint_id"]),
        ),
        (
            filter("endpoint_status", "in", json!(["connected", "lost"])),
            Box::new(|row| {
                row["endpoint_status"] == "CONNECTED" || row["endpoint_status"] == "LOST"
            }),
        ),
        (
            filter("endpoint_status", "eq", json!("disconnected")),
            is("endpoint_status", &json!("DISCONNECTED")),
        ),
        (
            filter("platform", "in", json!(["macos"])),
            is("os_type", &json!("AGENT_OS_MAC")),
        ),
        (
            filter("hostname", "in", json!([first["endpoint_name"]])),
            is("endpoint_name", &first["endpoint_name"]),
        ),
        (
            filter("dist_name", "in", json!(["linux-default"])),
            is("installation_package", &json!("linux-default")),
        ),
        (
            filter("ip_list", "in", json!(["172.17.0.1"])),
            Box::new(|row| contains(row, "ip", &json!("172.17.0.1"))),
        ),
        (
            filter("group_name", "in", json!(["Finance"])),
            Box::new(|row| contains(row, "group_name", &json!("Finance"))),
        ),
        (
            filter("isolate", "in", json!(["unisolated"])),
            is("is_isolated", &json!("AGENT_UNISOLATED")),
        ),
        (
            filter(
                "cloud_instance_id",
                "in",
                json!([first["cloud_instance_id"]]),
            ),
            is("cloud_instance_id", &first["cloud_instance_id"]),
        ),
        (
            filter("cloud_provider", "in", json!(["AZURE"])),
            is("cloud_provider", &json!("AZURE")),
        ),
        (filter("alias", "in", json!([""])), Box::new(|_| true)),
        (
            filter("first_seen", "gte", json!(middle)),
            Box::new(|row| row["first_seen"].as_i64() >= Some(middle)),
        ),
        (
            filter("first_seen", "lte", json!(middle)),
            Box::new(|row| row["first_seen"].as_i64() <= Some(middle)),
        ),
        (
            filter("last_seen", "gte", json!(1_749_990_000_000_i64)),
            Box::new(|row| row["last_seen"].as_i64() >= Some(1_749_990_000_000)),
        ),
    ];
    for (filter, holds) in cases {
        let found = tenant
            .all(ENDPOINT, "endpoints", json!({ "filters": [filter] }))
            .await;
        let expected: Vec<&Value> = all.iter().filter(|row| holds(row)).collect();
        assert!(!expected.is_empty(), "{filter} selects nothing");
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filter}");
    }
    let both = json!({ "filters": [
        filter("platform", "in", json!(["linux"])),
        filter("endpoint_status", "in", json!(["connected"])),
    ], "sort": { "field": "endpoint_id", "keyword": "ASC" } });
    let found = tenant.all(ENDPOINT, "endpoints", both).await;
    assert!(texts(&found, "endpoint_id").is_sorted());
    let expected = all
        .iter()
        .filter(|row| row["os_type"] == "AGENT_OS_LINUX" && row["endpoint_status"] == "CONNECTED");
    assert_eq!(found.len(), expected.count());
}

#[tokio::test]
async fn what_is_not_documented_is_a_business_error_with_the_reason() {
    let tenant = start(small()).await;
    for (data, reason) in [
        (json!({ "search_from": 0, "search_to": 101 }), "maximum"),
        (
            json!({ "filters": [filter("tags", "in", json!(["x"]))] }),
            "tags",
        ),
        (
            json!({ "filters": [filter("endpoint_id_list", "eq", json!("x"))] }),
            "eq",
        ),
        (
            json!({ "filters": [filter("endpoint_status", "in", json!(["CONNECTED"]))] }),
            "CONNECTED",
        ),
        (
            json!({ "filters": [filter("first_seen", "gte", json!("yesterday"))] }),
            "yesterday",
        ),
        (
            json!({ "sort": { "field": "first_seen", "keyword": "asc" } }),
            "asc",
        ),
        (
            json!({ "sort": { "field": "endpoint_name", "keyword": "ASC" } }),
            "endpoint_name",
        ),
    ] {
        let extra = tenant.refused(ENDPOINT, data.clone()).await;
        assert!(extra.as_str().unwrap().contains(reason), "{data} {extra}");
    }
    for (data, reason) in [
        (
            json!({ "sort": { "field": "creation_time", "keyword": "ASC" } }),
            "ASC",
        ),
        (
            json!({ "filters": [filter("status", "in", json!(["new"]))] }),
            "status",
        ),
        (
            json!({ "filters": [filter("severity", "in", json!(["HIGH"]))] }),
            "HIGH",
        ),
        (
            json!({ "filters": [filter("alert_id_list", "in", json!(["x"]))] }),
            "x",
        ),
    ] {
        let extra = tenant.refused(ALERTS, data.clone()).await;
        assert!(extra.as_str().unwrap().contains(reason), "{data} {extra}");
    }
}

#[tokio::test]
async fn alerts_are_filtered_by_source_severity_ids_and_both_times() {
    let tenant = start(Options {
        alerts: 1_000,
        ..small()
    })
    .await;
    let truth = tenant.simulator.tenant().alerts();
    let middle = truth[7].creation_time;
    let inserted = truth[9].server_creation_time;
    let large = truth
        .iter()
        .find(|alert| alert.id.len() > 15)
        .unwrap()
        .id
        .clone();
    let number: u64 = large.parse().unwrap();
    type Holds<'a> = Box<dyn Fn(&AlertView) -> bool + 'a>;
    let cases: Vec<(Value, Holds<'_>)> = vec![
        (
            filter("alert_source", "in", json!(["XDR BIOC", "XDR IOC"])),
            Box::new(|alert| alert.source == "XDR BIOC" || alert.source == "XDR IOC"),
        ),
        (
            filter("alert_source", "in", json!(["No such source"])),
            Box::new(|_| false),
        ),
        (
            filter("severity", "in", json!(["critical"])),
            Box::new(|alert| alert.severity == "critical"),
        ),
        (
            filter("alert_id_list", "in", json!([number, 100_000])),
            Box::new(|alert| alert.id == large || alert.id == "100000"),
        ),
        (
            filter("creation_time", "gte", json!(middle)),
            Box::new(|alert| alert.creation_time >= middle),
        ),
        (
            filter("creation_time", "lte", json!(middle / 1_000)),
            Box::new(|alert| alert.creation_time <= middle / 1_000 * 1_000),
        ),
        (
            filter("server_creation_time", "lte", json!(inserted)),
            Box::new(|alert| alert.server_creation_time <= inserted),
        ),
    ];
    for (filter, holds) in cases {
        let data =
            json!({ "filters": [filter], "sort": { "field": "creation_time", "keyword": "asc" } });
        let found = tenant.all(ALERTS, "alerts", data).await;
        let expected = set(truth
            .iter()
            .filter(|alert| holds(alert))
            .map(|alert| alert.id.clone()));
        assert_eq!(set(texts(&found, "alert_id")), expected, "{filter}");
        assert!(
            found
                .iter()
                .map(|alert| alert["detection_timestamp"].as_i64())
                .is_sorted()
        );
    }
}

#[tokio::test]
async fn the_three_shapes_show_the_same_alert() {
    let tenant = start(Options {
        alerts: 300,
        ..small()
    })
    .await;
    let data = json!({ "sort": { "field": "creation_time", "keyword": "asc" } });
    let flat = tenant
        .all("v1/alerts/get_alerts", "alerts", data.clone())
        .await;
    let events = tenant.all(ALERTS, "alerts", data.clone()).await;
    let columnar = tenant
        .all("v2/alerts/get_alerts_multi_events", "alerts", data.clone())
        .await;
    assert_eq!(flat.len(), 300);
    let null = json!(null);
    for ((flat, events), columnar) in flat.iter().zip(&events).zip(&columnar) {
        for key in [
            "alert_id",
            "name",
            "severity",
            "source",
            "endpoint_id",
            "host_name",
            "resolution_status",
        ] {
            assert_eq!(
                (&flat[key], &events[key]),
                (&columnar[key], &columnar[key]),
                "{key}"
            );
        }
        let list = events["events"].as_array().unwrap();
        assert_eq!(flat["events_length"], json!(list.len()));
        assert_eq!(columnar["events"], null);
        assert_eq!(
            columnar["event_timestamp"].as_array().unwrap().len(),
            list.len()
        );
        assert_eq!(columnar["event_timestamp"][0], list[0]["event_timestamp"]);
        assert_eq!(
            flat["actor_process_os_pid"],
            columnar["actor_process_os_pid"][0]
        );
        assert_eq!(
            list[0]["actor_process_os_pid"],
            json!(flat["actor_process_os_pid"].to_string())
        );
        let technique = &events["mitre_technique_id_and_name"];
        assert_eq!(
            flat["mitre_technique_id_and_name"],
            if technique.is_null() {
                null.clone()
            } else {
                technique[0].clone()
            }
        );
    }
    assert!(
        events
            .iter()
            .any(|alert| alert["mitre_technique_id_and_name"] == json!([""]))
    );
    assert!(
        events
            .iter()
            .any(|alert| alert["endpoint_id"].is_null() && alert["agent_os_type"] == "NO_HOST")
    );
    let other = start(Options {
        alerts: 300,
        alert_shape: AlertShape::Columnar,
        ..small()
    })
    .await;
    assert_eq!(other.all(ALERTS, "alerts", data).await, columnar);
}

#[tokio::test]
async fn more_than_9999_alerts_are_counted_as_9999_and_served_up_to_offset_10000() {
    let tenant = start(Options {
        alerts: 10_250,
        endpoints: 10,
        ..small()
    })
    .await;
    let page = |from: u64| json!({ "search_from": from, "search_to": from + 100, "sort": { "field": "creation_time", "keyword": "asc" } });
    for (from, rows) in [
        (0, 100),
        (9_900, 100),
        (9_950, 50),
        (10_000, 0),
        (10_200, 0),
    ] {
        let reply = tenant.ok(ALERTS, page(from)).await;
        assert_eq!(
            (&reply["total_count"], &reply["result_count"]),
            (&json!(9_999), &json!(rows)),
            "{from}"
        );
        assert_eq!(reply["alerts"].as_array().unwrap().len(), rows);
    }
    let cut = tenant.ok(ALERTS, page(9_000)).await["alerts"][0]["detection_timestamp"]
        .as_i64()
        .unwrap();
    let rest = json!({ "filters": [filter("creation_time", "gte", json!(cut))] });
    assert_eq!(tenant.ok(ALERTS, rest).await["total_count"], json!(1_250));
}

#[tokio::test]
async fn totals_can_be_null() {
    let tenant = start(Options {
        total_null: true,
        ..small()
    })
    .await;
    for call in [ENDPOINT, ALERTS, "v1/incidents/get_incidents"] {
        let page = tenant.ok(call, json!({})).await;
        assert!(
            page["total_count"].is_null() && page["result_count"] == json!(100)
                || call.contains("incidents")
        );
    }
}

#[tokio::test]
async fn what_a_test_changes_is_in_the_next_reply() {
    let tenant = start(small()).await;
    let handle = tenant.simulator.tenant();
    let status = json!({ "filters": [filter("endpoint_status", "in", json!(["lost"]))] });
    let lost = tenant
        .all(ENDPOINT, "endpoints", status.clone())
        .await
        .len();
    let id = handle.add_endpoint(NewEndpoint {
        name: Some("added \"one\"".into()),
        status: Some("LOST".into()),
        endpoint_tags: Some(vec!["t".into()]),
        ..NewEndpoint::default()
    });
    let now = tenant.all(ENDPOINT, "endpoints", status.clone()).await;
    assert_eq!(now.len(), lost + 1);
    let added = now
        .iter()
        .find(|row| row["endpoint_id"] == json!(id))
        .unwrap();
    assert_eq!(
        (&added["endpoint_name"], &added["tags"]["endpoint_tags"]),
        (&json!("added \"one\""), &json!(["t"]))
    );
    assert!(handle.remove_endpoint(&id) && !handle.remove_endpoint(&id));
    assert_eq!(tenant.all(ENDPOINT, "endpoints", status).await.len(), lost);

    let endpoint = handle.endpoints()[3].id.clone();
    let alert = handle.add_alert(NewAlert {
        endpoint_id: Some(endpoint.clone()),
        ..NewAlert::default()
    });
    let one = json!({ "filters": [filter("alert_id_list", "in", json!([alert]))] });
    assert_eq!(
        tenant.ok(ALERTS, one.clone()).await["alerts"][0]["endpoint_id"],
        json!(endpoint)
    );
    assert!(handle.resolve_alert(&alert, "STATUS_999_SLEEPING"));
    let shown = tenant.ok(ALERTS, one.clone()).await;
    assert_eq!(
        shown["alerts"][0]["resolution_status"],
        "STATUS_999_SLEEPING"
    );
    assert!(shown["alerts"][0]["last_modified_ts"].is_i64());
    assert!(handle.remove_alert(&alert));
    assert_eq!(tenant.ok(ALERTS, one).await["total_count"], json!(0));
}

#[tokio::test]
async fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let body = async |seed: u64| {
        let tenant = start(Options { seed, ..small() }).await;
        (
            tenant.ok(ENDPOINT, json!({})).await,
            tenant.ok(ALERTS, json!({})).await,
        )
    };
    assert_eq!(body(5).await, body(5).await);
    assert_ne!(body(5).await, body(6).await);
}

#[tokio::test]
async fn incidents_are_made_of_alerts() {
    let tenant = start(small()).await;
    let all = tenant
        .all("v1/incidents/get_incidents", "incidents", json!({}))
        .await;
    assert!(all.len() > 10);
    let first = &all[0];
    let id = first["incident_id"].as_str().unwrap();
    let extra = tenant
        .ok(
            "v1/incidents/get_incident_extra_data",
            json!({ "incident_id": id }),
        )
        .await;
    assert_eq!(&extra["incident"], first);
    assert_eq!(extra["alerts"]["total_count"], first["alert_count"]);
    for alert in extra["alerts"]["data"].as_array().unwrap() {
        assert_eq!(alert["case_id"].to_string(), id);
    }
    let new = json!({ "filters": [filter("status", "eq", json!("new"))] });
    let new = tenant
        .all("v1/incidents/get_incidents", "incidents", new)
        .await;
    assert!(
        !new.is_empty()
            && new.len() < all.len()
            && new.iter().all(|incident| incident["status"] == "new")
    );
    let (status, body) = tenant
        .send(
            "v1/incidents/get_incident_extra_data",
            json!({ "incident_id": "999999" }),
        )
        .await;
    assert_eq!(status, 500);
    assert!(
        body["reply"]["err_msg"]
            .as_str()
            .unwrap()
            .ends_with("Incident not found")
    );
}
