//! What the card promises, held against what the connector is.

use super::*;
use crate::configure::{DataStream, FIELDS, Settings, configure};
use crate::contract::{OriginRule, http::Method};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn schema() -> Value {
    serde_json::from_slice(config_schema()).unwrap()
}

#[test]
fn every_request_that_the_connector_can_ever_send_only_reads() {
    let paths: Vec<String> = Call::ALL
        .into_iter()
        .map(|call| format!("{} {}", call.method(), call.path()))
        .collect();
    // A path is added here only with the vendor's word that it changes nothing.
    assert_eq!(
        paths,
        [
            "GET /public_api/v1/healthcheck",
            "POST /public_api/v1/system/get_tenant_info",
            "POST /public_api/v1/endpoints/get_endpoint",
            "POST /public_api/v1/alerts/get_alerts_multi_events",
            "POST /public_api/v1/xql/get_quota",
            "POST /public_api/v1/xql/start_xql_query",
            "POST /public_api/v1/xql/get_query_results",
            "POST /public_api/v1/xql/get_query_results_stream",
        ]
    );
}

#[test]
fn the_list_of_all_calls_leaves_none_out() {
    // Without a wildcard: a new call does not compile until it has its place here, and so in the list.
    for call in Call::ALL {
        let position = match call {
            Call::Healthcheck => 0,
            Call::GetTenantInfo => 1,
            Call::GetEndpoint => 2,
            Call::GetAlertsMultiEvents => 3,
            Call::GetXqlQuota => 4,
            Call::StartXqlQuery => 5,
            Call::GetXqlResults => 6,
            Call::GetXqlResultsStream => 7,
        };
        assert_eq!(Call::ALL[position], call);
    }
}

#[test]
fn the_manifest_declares_each_call_once_and_none_that_changes_anything() {
    let manifest = manifest();
    assert_eq!(manifest.calls.len(), Call::ALL.len());
    let names: BTreeSet<_> = manifest.calls.iter().map(|call| &call.name).collect();
    let requests: BTreeSet<_> = manifest
        .calls
        .iter()
        .map(|call| (matches!(call.method, Method::Get), &call.path))
        .collect();
    assert_eq!(names.len(), Call::ALL.len());
    assert_eq!(requests.len(), Call::ALL.len());
    for (declared, call) in manifest.calls.iter().zip(Call::ALL) {
        assert!(!declared.changes);
        assert_eq!(declared.name, call.name());
        assert_eq!(declared.path, call.path());
        assert_eq!(
            matches!(declared.method, Method::Get),
            call.method() == "GET"
        );
        assert!(declared.path.starts_with('/') && !declared.path.ends_with('/'));
        assert!(!declared.permission.is_empty());
        assert!(
            manifest
                .origins
                .iter()
                .any(|(origin, _)| *origin == declared.origin)
        );
    }
}

#[test]
fn names_in_the_manifest_refer_to_what_is_in_it() {
    let manifest = manifest();
    let streams: Vec<&str> = manifest
        .data_streams
        .iter()
        .map(|stream| stream.name.as_str())
        .collect();
    assert_eq!(streams, ["endpoints", "alerts", "vulnerabilities"]);
    for call in &manifest.calls {
        assert!(
            call.data_streams
                .iter()
                .all(|name| streams.contains(&name.as_str()))
        );
    }
    for stream in &streams {
        assert!(
            manifest
                .calls
                .iter()
                .any(|call| call.data_streams.iter().any(|name| name == stream))
        );
    }
    for budget in &manifest.budgets {
        assert!(
            budget
                .calls
                .iter()
                .all(|name| manifest.calls.iter().any(|call| call.name == *name))
        );
    }
    for map in &manifest.maps {
        assert!(streams.contains(&map.data_stream.as_str()), "{}", map.name);
    }
}

#[test]
fn every_spelling_of_the_base_url_is_a_rule_of_the_origin() {
    let base_url = FIELDS.iter().find(|field| field.name == "baseUrl").unwrap();
    let manifest = manifest();
    for name in [Some(base_url.name), base_url.alias].into_iter().flatten() {
        let pointer = format!("/{name}");
        assert!(
            manifest.origins[0]
                .1
                .iter()
                .any(|rule| matches!(rule, OriginRule::Field(field) if *field == pointer)),
            "{pointer}"
        );
    }
}

/// Whether a pattern covers an origin; `*` is one label or part of it.
fn covers(pattern: &str, origin: &str) -> bool {
    let patterns: Vec<&str> = pattern.split('.').collect();
    let labels: Vec<&str> = origin.split('.').collect();
    patterns.len() == labels.len()
        && patterns
            .iter()
            .zip(labels)
            .all(|(pattern, label)| match pattern.split_once('*') {
                Some((start, end)) => {
                    label.len() > start.len() + end.len()
                        && label.starts_with(start)
                        && label.ends_with(end)
                }
                None => *pattern == label,
            })
}

#[test]
fn the_patterns_cover_each_tenant_that_is_completed_from_its_console() {
    let manifest = manifest();
    for console in [
        "mycompany.xdr.us.paloaltonetworks.com",
        "mycompany.xdr.federal.paloaltonetworks.com",
        "mycompany.crtx.ca.paloaltonetworks.com",
        "mycompany.xdr.paloaltonetworks.com",
        "mycompany.crtx.paloaltonetworks.com",
    ] {
        let config = json!({"baseUrl": console, "apiKeyId": "7"}).to_string();
        let done = configure(config.as_bytes(), &["apiKey".to_owned()], None).unwrap();
        let (name, origin) = &done.origins[0];
        let (declared, rules) = &manifest.origins[0];
        assert_eq!(name, declared);
        assert!(
            rules.iter().any(
                |rule| matches!(rule, OriginRule::Pattern(pattern) if covers(pattern, origin))
            ),
            "{origin}"
        );
    }
}

#[test]
fn the_schema_has_exactly_the_fields_that_are_read() {
    let schema = schema();
    let properties = schema["properties"].as_object().unwrap();
    let in_schema: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
    let read: BTreeSet<&str> = FIELDS.iter().map(|field| field.name).collect();
    assert_eq!(in_schema, read);
    for (position, field) in FIELDS.iter().enumerate() {
        let property = &properties[field.name];
        assert_eq!(property["x-order"], json!(position + 1), "{}", field.name);
        assert_eq!(property["x-alias"].as_str(), field.alias, "{}", field.name);
        for word in ["title", "description", "type"] {
            assert!(!property[word].is_null(), "{} has no {word}", field.name);
        }
    }
    assert_eq!(schema["additionalProperties"], json!(false));
}

#[test]
fn the_defaults_of_the_schema_are_those_of_the_code() {
    let config = json!({"baseUrl": "https://x.example.com", "apiKeyId": "7"}).to_string();
    let completed = Settings::from_config(config.as_bytes())
        .unwrap()
        .to_config();
    let completed: Value = serde_json::from_slice(&completed).unwrap();
    let schema = schema();
    for field in FIELDS {
        let property = &schema["properties"][field.name];
        let required = schema["required"]
            .as_array()
            .unwrap()
            .contains(&json!(field.name));
        if required {
            assert!(property["default"].is_null(), "{}", field.name);
        } else {
            // Compared as sets: the order of a list says nothing.
            let sorted = |value: &Value| match value {
                Value::Array(items) => {
                    let mut items: Vec<String> = items.iter().map(Value::to_string).collect();
                    items.sort();
                    json!(items)
                }
                other => other.clone(),
            };
            assert_eq!(
                sorted(&property["default"]),
                sorted(&completed[field.name]),
                "{}",
                field.name
            );
        }
    }
}

#[test]
fn every_choice_and_example_of_the_schema_is_taken() {
    let schema = schema();
    for field in FIELDS {
        let property = &schema["properties"][field.name];
        let choices = property["enum"].as_array().into_iter().flatten().cloned();
        let items = property["items"]["enum"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|item| json!([item]));
        let examples = property["examples"]
            .as_array()
            .into_iter()
            .flatten()
            .cloned();
        for value in choices.chain(items).chain(examples) {
            let mut config = json!({"baseUrl": "https://x.example.com", "apiKeyId": "7"});
            config[field.name] = value.clone();
            let taken = Settings::from_config(config.to_string().as_bytes());
            assert!(taken.is_ok(), "{} {value}: {taken:?}", field.name);
        }
    }
}

#[test]
fn the_key_is_the_only_secret_and_no_part_of_a_completed_configuration() {
    let schema = schema();
    let secrets: Vec<&String> = schema["properties"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, property)| property["writeOnly"] == json!(true))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(secrets, [crate::configure::API_KEY]);
}

#[test]
fn source_schemas_describe_each_field_and_allow_more() {
    fn check(place: &str, schema: &Value) {
        if let Some(properties) = schema["properties"].as_object() {
            assert_eq!(schema["additionalProperties"], json!(true), "{place}");
            for (name, property) in properties {
                let place = format!("{place}.{name}");
                assert!(!property["type"].is_null(), "{place} has no type");
                assert!(
                    property["description"]
                        .as_str()
                        .is_some_and(|text| text.ends_with('.')),
                    "{place}"
                );
                check(&place, property);
                check(&place, &property["items"]);
            }
        }
        for required in schema["required"].as_array().into_iter().flatten() {
            assert!(
                !schema["properties"][required.as_str().unwrap()].is_null(),
                "{place}: {required}"
            );
        }
    }
    for stream in DataStream::ALL {
        let schema: Value = serde_json::from_slice(&source_schema(stream)).unwrap();
        check(stream.name(), &schema);
    }
}

#[test]
fn a_record_of_vulnerabilities_is_an_endpoint_with_cves() {
    let parse = |stream| serde_json::from_slice::<Value>(&source_schema(stream)).unwrap();
    let mut with_cves = parse(DataStream::Vulnerabilities);
    let properties = with_cves["properties"].as_object_mut().unwrap();
    assert_eq!(properties.remove("cves").unwrap()["type"], "array");
    assert_eq!(
        with_cves["properties"],
        parse(DataStream::Endpoints)["properties"]
    );
}

#[test]
fn the_card_promises_incremental_sync_only_where_the_streams_have_it() {
    let manifest = manifest();
    let row = manifest
        .details
        .iter()
        .find(|(name, _)| name == "Incremental Sync (Delta)")
        .unwrap();
    for stream in &manifest.data_streams {
        assert_eq!(
            row.1.starts_with("Supported") && row.1.contains(&stream.name),
            stream.incremental,
            "{}: {}",
            stream.name,
            row.1
        );
    }
}

#[test]
fn the_card_reads_as_it_should() {
    let manifest = manifest();
    let mut card = format!(
        "{} / {}\n{} / {} / {}\n",
        manifest.name, manifest.title, manifest.vendor, manifest.product, manifest.category
    );
    for (name, value) in &manifest.details {
        card += &format!("{name}: {value}\n");
    }
    for (name, rules) in &manifest.origins {
        for rule in rules {
            match rule {
                OriginRule::Pattern(pattern) => card += &format!("{name} -> {pattern}\n"),
                OriginRule::Field(pointer) => card += &format!("{name} -> as typed in {pointer}\n"),
            }
        }
    }
    insta::assert_snapshot!(card, @r"
    cortex-xdr / Palo Alto Networks Cortex XDR
    Palo Alto Networks / Cortex XDR / Endpoint Security
    Asset Types Supported: Host Assets (Compute)
    Finding Types Supported: Alerts, Vulnerabilities
    Supported Version & Type: SaaS (Latest)
    Integration Method: API Integration (REST)
    Direction: Unidirectional (from Cortex XDR)
    Incremental Sync (Delta): Supported (endpoints, alerts, vulnerabilities)
    Licences, one of: Cortex XDR Prevent, Cortex XDR Pro per Endpoint, Cortex XDR Pro per GB
    Licence for vulnerabilities: Cortex XDR Pro per Endpoint with the Host Insights add-on
    API key role: Viewer (read-only)
    API key security level: Advanced (recommended) or Standard
    api -> https://api-*.xdr.*.paloaltonetworks.com
    api -> https://api-*.xdr.paloaltonetworks.com
    api -> https://api-*.crtx.*.paloaltonetworks.com
    api -> https://api-*.crtx.paloaltonetworks.com
    api -> as typed in /baseUrl
    api -> as typed in /baseURL
    ");
}

#[test]
fn the_setup_names_each_step_and_fits_a_page() {
    let setup = manifest().setup;
    for words in [
        "Settings > Configurations > Integrations > API Keys",
        "+ New Key",
        "Advanced",
        "Standard",
        "Viewer",
        "Cortex XDR Prevent",
        "Cortex XDR Pro per Endpoint",
        "Cortex XDR Pro per GB",
        "Host Insights",
    ] {
        assert!(setup.contains(words), "{words}");
    }
    assert!(setup.lines().count() < 40);
}
