//! Whole configurations, as users write them.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn try_configure(config: Value) -> Result<Configuration, Vec<Problem>> {
    configure(config.to_string().as_bytes(), &["apiKey".to_owned()], None)
}

fn completed(config: Value) -> Value {
    let done = try_configure(config).unwrap();
    serde_json::from_slice(&done.config).unwrap()
}

/// Pointer and message of each problem, sorted.
fn problems(config: Value) -> Vec<(String, String)> {
    let mut found: Vec<_> = try_configure(config)
        .unwrap_err()
        .into_iter()
        .map(|problem| (problem.pointer, problem.message))
        .collect();
    found.sort();
    found
}

#[track_caller]
fn one_problem(config: Value, pointer: &str, words: &str) {
    let found = problems(config);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, pointer, "{found:?}");
    assert!(found[0].1.contains(words), "{found:?}");
}

/// The least that a user must write, with further fields.
fn least_with(more: Value) -> Value {
    let mut config = json!({"baseUrl": "mycompany.xdr.us.paloaltonetworks.com", "apiKeyId": "7"});
    config
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    config
}

#[test]
fn the_least_configuration_is_completed_with_the_defaults() {
    let done = try_configure(least_with(json!({}))).unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&done.config).unwrap(),
        json!({
            "baseUrl": "https://api-mycompany.xdr.us.paloaltonetworks.com",
            "apiKeyId": "7",
            "securityLevel": "advanced",
            "dataStreams": ["endpoints", "alerts"],
            "tags": [],
            "alertSources": ["XDR BIOC", "XDR IOC"],
            "alertStatuses": ["New", "Under Investigation"],
            "endpointStatuses": ["connected", "disconnected", "lost"],
            "fullSyncEveryDays": 7,
            "endpointSweepHours": 24,
            "xqlDailyShare": 0.5,
        })
    );
    assert_eq!(
        done.origins,
        [(
            "api".to_owned(),
            "https://api-mycompany.xdr.us.paloaltonetworks.com".to_owned()
        )]
    );
    assert_eq!(done.secrets, ["apiKey"]);
    assert_eq!(done.data_streams, ["endpoints", "alerts"]);
    assert!(done.warnings.is_empty(), "{:?}", done.warnings);
    assert_eq!(done.policy.update_existing_assets, None);
    assert_eq!(done.policy.auto_onboard_assets, None);
    assert_eq!(done.policy.full_sync_every_days, Some(7));
}

#[test]
fn the_names_of_the_qualys_form_are_read() {
    let found = completed(
        json!({"baseURL": "https://api-x.xdr.eu.paloaltonetworks.com/", "x-xdr-auth-id": 12}),
    );
    assert_eq!(
        found["baseUrl"],
        "https://api-x.xdr.eu.paloaltonetworks.com"
    );
    assert_eq!(found["apiKeyId"], "12");
}

#[test]
fn both_spellings_of_a_field_at_once_are_refused() {
    one_problem(least_with(json!({"baseURL": "y"})), "/baseURL", "/baseUrl");
    one_problem(
        least_with(json!({"x-xdr-auth-id": 7})),
        "/x-xdr-auth-id",
        "/apiKeyId",
    );
}

#[test]
fn all_problems_are_told_at_once_each_with_its_place() {
    let found = problems(json!({
        "baseUrl": "https://api-<fqdn>",
        "apiKeyId": true,
        "apiKey": "test-key",
        "securityLevel": "medium",
        "dataStreams": ["endpoints", "incidents"],
        "tags": [1],
        "alertSources": [],
        "alertStatuses": ["Resolved"],
        "endpointStatuses": "connected, gone",
        "updateExistingAssets": "yes",
        "autoOnboardAssets": 1,
        "fullSyncEveryDays": 0,
        "xqlDailyShare": 50,
        "tag": "a",
    }));
    let pointers: Vec<&str> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(
        pointers,
        [
            "/alertSources",
            "/alertStatuses/0",
            "/apiKey",
            "/apiKeyId",
            "/autoOnboardAssets",
            "/baseUrl",
            "/dataStreams/1",
            "/endpointStatuses",
            "/fullSyncEveryDays",
            "/securityLevel",
            "/tag",
            "/tags/0",
            "/updateExistingAssets",
            "/xqlDailyShare",
        ]
    );
}

#[test]
fn nothing_but_what_is_missing_is_missing() {
    let found = configure(b"{}", &[], None).unwrap_err();
    let pointers: Vec<&str> = found.iter().map(|p| p.pointer.as_str()).collect();
    assert_eq!(pointers, ["/baseUrl", "/apiKeyId", "/apiKey"]);
    assert!(
        found.iter().all(|p| p.message.contains("is missing")),
        "{found:?}"
    );
}

#[test]
fn a_field_of_the_wrong_type_is_not_called_missing_too() {
    one_problem(
        json!({"baseUrl": 5, "apiKeyId": "7"}),
        "/baseUrl",
        "is a number; it must be text",
    );
    one_problem(
        least_with(json!({"apiKeyId": 1.5})),
        "/apiKeyId",
        "is a number",
    );
    one_problem(
        least_with(json!({"tags": {"a": 1}})),
        "/tags",
        "is an object",
    );
    one_problem(
        least_with(json!({"fullSyncEveryDays": "7"})),
        "/fullSyncEveryDays",
        "is text",
    );
}

#[test]
fn what_is_no_json_object_is_said_to_be_none() {
    for (text, words) in [
        ("", "not JSON"),
        ("{\"baseUrl\": ", "not JSON"),
        ("[]", "is a list"),
        ("null", "is null"),
        ("\u{feff}{}", "not JSON"),
    ] {
        let found = configure(text.as_bytes(), &[], None).unwrap_err();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].pointer, "");
        assert!(found[0].message.contains(words), "{text:?}: {found:?}");
    }
    assert!(configure(&[0xff, 0xfe], &[], None).is_err());
}

#[test]
fn an_unknown_field_is_refused_with_the_nearest_known_one() {
    one_problem(
        least_with(json!({"alertSource": "XDR IOC"})),
        "/alertSource",
        "did you mean alertSources?",
    );
    one_problem(
        least_with(json!({"base_url": "x"})),
        "/base_url",
        "did you mean baseUrl?",
    );
    one_problem(
        least_with(json!({"colour": 1})),
        "/colour",
        "its fields are baseUrl, ",
    );
}

#[test]
fn the_key_in_the_configuration_is_refused_and_never_repeated() {
    let secret = "test-key-that-must-not-show";
    for config in [
        least_with(json!({"apiKey": secret})),
        least_with(json!({"apiKey": [secret]})),
        least_with(json!({"apiKeys": secret})),
        least_with(json!({"apiKeyId": secret.repeat(5)})),
        least_with(json!({"securityLevel": secret.repeat(5)})),
        least_with(json!({"tags": {secret: 1}})),
    ] {
        let found = problems(config.clone());
        assert!(!found.is_empty());
        assert!(
            !format!("{found:?}").contains(secret),
            "{config}: {found:?}"
        );
    }
    one_problem(
        least_with(json!({"apiKey": secret})),
        "/apiKey",
        "hand it over as a secret",
    );
}

#[test]
fn a_field_that_the_host_emptied_counts_as_absent() {
    let plain = completed(least_with(json!({})));
    let emptied = json!({
        "apiKey": null, "tags": null, "securityLevel": "", "alertSources": null, "dataStreams": null, "updateExistingAssets": null,
    });
    assert_eq!(completed(least_with(emptied)), plain);
    assert_eq!(
        completed(least_with(json!({"apiKey": "", "tags": ""}))),
        plain
    );
}

#[test]
fn a_secret_of_another_name_is_told() {
    let config = least_with(json!({})).to_string();
    let found = configure(config.as_bytes(), &["apikey".to_owned()], None).unwrap_err();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].pointer, "/apiKey");
    let both = ["apiKey".to_owned(), "other".to_owned()];
    let done = configure(config.as_bytes(), &both, None).unwrap();
    assert!(
        done.warnings[0].message.contains("\"other\""),
        "{:?}",
        done.warnings
    );
}

#[test]
fn choices_are_read_leniently_and_written_in_one_form() {
    let found = completed(least_with(json!({
        "securityLevel": "Standard",
        "dataStreams": "Alerts, ENDPOINTS",
        "alertStatuses": ["STATUS_020_UNDER_INVESTIGATION", "under investigation"],
        "endpointStatuses": ["LOST", "Connected"],
        "alertSources": "xdr bioc,XDR Agent",
        "tags": " b , a,b",
    })));
    assert_eq!(found["securityLevel"], "standard");
    assert_eq!(found["dataStreams"], json!(["endpoints", "alerts"]));
    assert_eq!(found["alertStatuses"], json!(["Under Investigation"]));
    assert_eq!(found["endpointStatuses"], json!(["connected", "lost"]));
    assert_eq!(found["alertSources"], json!(["XDR Agent", "XDR BIOC"]));
    assert_eq!(found["tags"], json!(["a", "b"]));
}

#[test]
fn tags_keep_their_case() {
    assert_eq!(
        completed(least_with(json!({"tags": ["A", "a"]})))["tags"],
        json!(["A", "a"])
    );
}

#[test]
fn an_unknown_alert_source_is_taken_and_told() {
    let done = try_configure(least_with(
        json!({"alertSources": ["XDR BIOK", "Vendor - Product"]}),
    ))
    .unwrap();
    let settings = Settings::from_config(&done.config).unwrap();
    assert!(settings.alert_sources.contains("XDR BIOK"));
    assert!(settings.alert_sources.contains("Vendor - Product"));
    assert_eq!(done.warnings.len(), 2);
    assert_eq!(done.warnings[0].pointer, "/alertSources/0");
    assert!(
        done.warnings[0].message.contains("did you mean XDR BIOC?"),
        "{:?}",
        done.warnings
    );
    assert!(
        !done.warnings[1].message.contains("did you mean"),
        "{:?}",
        done.warnings
    );
}

#[test]
fn the_bounds_of_numbers_are_kept() {
    for (field, good, bad) in [
        (
            "fullSyncEveryDays",
            vec![json!(1), json!(365)],
            vec![json!(0), json!(366), json!(-1), json!(7.5), json!(70000)],
        ),
        (
            "endpointSweepHours",
            vec![json!(0), json!(24), json!(8_760)],
            vec![
                json!(8_761),
                json!(-1),
                json!(0.5),
                json!("24"),
                json!(true),
            ],
        ),
        (
            "xqlDailyShare",
            vec![json!(0.01), json!(1), json!(1.0)],
            vec![json!(0), json!(-0.5), json!(1.01), json!(0.0)],
        ),
    ] {
        for value in good {
            assert!(
                try_configure(least_with(json!({field: value.clone()}))).is_ok(),
                "{field}: {value}"
            );
        }
        for value in bad {
            one_problem(
                least_with(json!({field: value})),
                &format!("/{field}"),
                "it must be",
            );
        }
    }
}

#[test]
fn alerts_without_assets_are_taken_and_told() {
    let done = try_configure(least_with(json!({"dataStreams": ["alerts"]}))).unwrap();
    assert_eq!(done.warnings.len(), 1, "{:?}", done.warnings);
    assert_eq!(done.data_streams, ["alerts"]);
}

#[test]
fn the_scope_tells_what_narrows_each_stream_whatever_the_order() {
    let one = try_configure(least_with(json!({"tags": "b,a", "alertSources": ["XDR IOC", "XDR BIOC"], "dataStreams": "vulnerabilities,alerts,endpoints"}))).unwrap();
    let other = try_configure(least_with(
        json!({"tags": ["a", "b"], "dataStreams": ["endpoints", "alerts", "vulnerabilities"]}),
    ))
    .unwrap();
    assert_eq!(one.scope, other.scope);
    assert_eq!(
        one.scope,
        [
            ("endpoints", r#"{"endpointStatuses":["connected","disconnected","lost"],"tags":["a","b"]}"#),
            ("alerts", r#"{"alertSources":["XDR BIOC","XDR IOC"],"alertStatuses":["New","Under Investigation"]}"#),
            ("vulnerabilities", r#"{"endpointStatuses":["connected","disconnected","lost"],"tags":["a","b"]}"#),
        ]
        .map(|(stream, scope)| (stream.to_owned(), scope.to_owned()))
    );
    let narrower = try_configure(least_with(json!({"tags": "a"}))).unwrap();
    assert_ne!(narrower.scope[0], one.scope[0]);
    assert_eq!(narrower.scope[1], one.scope[1]);
}

#[test]
fn the_switches_are_passed_on_as_the_user_set_them() {
    let done = try_configure(least_with(
        json!({"updateExistingAssets": false, "autoOnboardAssets": true, "fullSyncEveryDays": 3}),
    ))
    .unwrap();
    assert_eq!(done.policy.update_existing_assets, Some(false));
    assert_eq!(done.policy.auto_onboard_assets, Some(true));
    assert_eq!(done.policy.full_sync_every_days, Some(3));
}

/// Configurations that users could write and that are taken.
fn good_configs() -> impl Strategy<Value = Value> {
    let list = |words: &'static [&'static str]| {
        proptest::option::of(proptest::sample::subsequence(
            words.to_vec(),
            1..=words.len(),
        ))
    };
    (
        proptest::sample::select(vec!["mycompany.xdr.us.paloaltonetworks.com", "http://127.0.0.1:4010/", "https://X.example.com:8443"]),
        any::<u32>(),
        proptest::option::of(proptest::collection::vec("[ a-zA-Z,]{0,6}", 0..4)),
        list(&["endpoints", "ALERTS", "vulnerabilities"]),
        list(&["XDR BIOC", "xdr agent", "Vendor - Product"]),
        list(&["New", "under_investigation"]),
        list(&["connected", "LOST", "uninstalled"]),
        (proptest::option::of(any::<bool>()), proptest::option::of(any::<bool>())),
        proptest::option::of(1u16..=365),
        proptest::option::of(0.001f64..=1.0),
    )
        .prop_map(|(url, id, tags, streams, sources, statuses, states, (update, onboard), days, share)| {
            json!({
                "baseUrl": url, "apiKeyId": id, "tags": tags, "dataStreams": streams, "alertSources": sources, "alertStatuses": statuses,
                "endpointStatuses": states, "updateExistingAssets": update, "autoOnboardAssets": onboard, "fullSyncEveryDays": days,
                "xqlDailyShare": share,
            })
        })
}

proptest! {
    #[test]
    fn a_completed_configuration_is_completed_to_itself(config in good_configs()) {
        let secrets = ["apiKey".to_owned()];
        let once = configure(config.to_string().as_bytes(), &secrets, None).unwrap();
        let twice = configure(&once.config, &secrets, Some("0.1.0")).unwrap();
        prop_assert_eq!(&once.config, &twice.config);
        prop_assert_eq!(&once.scope, &twice.scope);
        prop_assert_eq!(&once.origins, &twice.origins);
        let settings = Settings::from_config(&once.config).unwrap();
        prop_assert_eq!(settings.to_config(), once.config);
    }

    #[test]
    fn no_value_of_any_type_panics_and_each_problem_points_into_the_document(
        field in 0usize..15, value in prop_oneof![
            Just(json!(null)), any::<bool>().prop_map(Value::from), any::<i64>().prop_map(Value::from), any::<f64>().prop_map(Value::from),
            "\\PC{0,40}".prop_map(Value::from), proptest::collection::vec("\\PC{0,9}", 0..4).prop_map(Value::from), Just(json!({"a": [null]})),
        ]
    ) {
        let names: Vec<&str> = FIELDS.iter().flat_map(|field| [Some(field.name), field.alias]).flatten().collect();
        let name = names[field];
        let config = json!({name: value});
        if let Err(problems) = configure(config.to_string().as_bytes(), &[], None) {
            for problem in problems {
                let missing = ["/baseUrl", "/apiKeyId", "/apiKey"].contains(&problem.pointer.as_str());
                prop_assert!(missing || config.pointer(&problem.pointer).is_some(), "{problem:?}");
            }
        }
    }

    #[test]
    fn bytes_that_are_anything_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = configure(&bytes, &[], None);
    }
}
