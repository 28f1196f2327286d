//! Documents of any record at all: what the map makes is valid in each state that the platform can know a record in.

use crate::validator::wrong;
use cortex_xdr::configure::DataStream;
use cortex_xdr::contract::{self, MapContext, Outcome};
use cortex_xdr::describe::source_schema;
use cortex_xdr::transform::{Mapper, bundled, prepare};
use host_runner::domain::Timestamp;
use host_runner::model::Model;
use host_runner::store::placeholders::{Known, fill};
use host_runner::store::{Lifecycle, Placeholder};
use proptest::prelude::*;
use serde_json::{Value, json};

const STREAMS: [&str; 3] = ["endpoints", "alerts", "vulnerabilities"];

/// What the platform can say of a record: the state and the numbers that it must become.
const STATES: [(&str, u64, u64); 5] = [
    ("new", 1, 1),
    ("changed", 2, 1),
    ("reopened", 2, 1),
    ("closed", 3, 4),
    ("out-of-scope", 99, 99),
];

fn mapper(stream: &str) -> Mapper {
    let map = bundled()
        .iter()
        .find(|map| map.target == "ocsf" && map.data_stream == stream)
        .unwrap();
    let context = MapContext {
        data_stream: stream.to_owned(),
        custom_fields: Vec::new(),
        model: Model::by_name("ocsf").unwrap().schema_bytes(),
    };
    prepare(map.body.as_bytes(), &context).unwrap()
}

fn outcome(mapper: &Mapper, record: &Value) -> Outcome {
    mapper.apply_one("k", &serde_json::to_vec(record).unwrap())
}

/// The document as the platform reads it out.
fn read_out(document: &contract::Document, state: &str) -> Value {
    let time = |ms: u64| Timestamp::from_ms(ms).unwrap();
    let known = Known {
        first_seen: time(1_700_000_000_001),
        last_seen: time(1_700_000_000_002),
        closed_at: (state == "closed").then(|| time(1_700_000_000_003)),
        state,
    };
    let placeholders: Vec<Placeholder> = document
        .placeholders
        .iter()
        .map(|held| Placeholder {
            pointer: held.pointer.clone(),
            value: match held.value {
                contract::Lifecycle::FirstSeen => Lifecycle::FirstSeen,
                contract::Lifecycle::LastSeen => Lifecycle::LastSeen,
                contract::Lifecycle::ClosedAt => Lifecycle::ClosedAt,
                contract::Lifecycle::State => Lifecycle::State,
            },
            format: held.format.clone(),
        })
        .collect();
    let mut body = serde_json::from_slice(&document.body).unwrap();
    fill(&mut body, &placeholders, &known);
    body
}

fn expect_valid(outcome: &Outcome) {
    for document in &outcome.documents {
        for (state, ..) in STATES {
            let body = read_out(document, state);
            assert_eq!(wrong(&body), Vec::<String>::new(), "{state}: {body:#}");
        }
    }
}

/// The finding documents of a record, read out in a state.
fn findings(stream: &str, record: &Value, state: &str) -> Vec<Value> {
    let outcome = outcome(&mapper(stream), record);
    assert!(outcome.problems.is_empty(), "{:?}", outcome.problems);
    let findings = outcome
        .documents
        .iter()
        .filter(|document| document.kind == contract::DocumentKind::Finding);
    findings.map(|document| read_out(document, state)).collect()
}

/// A value of each property of a schema, of its first type.
fn filled(schema: &Value, name: &str) -> Value {
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds[0].as_str(),
        kind => kind.as_str(),
    };
    match kind {
        Some("object") => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            properties
                .map(|(name, schema)| (name.clone(), filled(schema, name)))
                .collect()
        }
        Some("array") => json!([
            filled(&schema["items"], name),
            filled(&schema["items"], name)
        ]),
        Some("integer") => json!(1_700_000_000_123_u64),
        Some("number") => json!(9.8),
        Some("boolean") => json!(true),
        _ => json!(format!("the {name}")),
    }
}

fn full_record(stream: &str) -> Value {
    let stream = DataStream::from_name(stream).unwrap();
    filled(&serde_json::from_slice(&source_schema(stream)).unwrap(), "")
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e6..1e6).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "CVE-2024-1234",
            "10.0.0.1",
            "fe80::1",
            "00:50:56:00:00:01",
            "TA0011 - Command and Control",
            "T1059.001 - Command and Scripting Interpreter: PowerShell",
            "T1059.001",
            "HIGH",
            "4711",
            "AGENT_OS_LINUX",
            "STATUS_020_UNDER_INVESTIGATION",
        ])
        .prop_map(Value::from),
        Just(json!(1_700_000_000_000_u64)),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-c]|name|server_tags|endpoint_tags", inner, 0..3)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Sets some places of a record, also within its lists, to any value.
fn broken(stream: &'static str) -> impl Strategy<Value = Value> {
    fn places(value: &Value, at: &str, all: &mut Vec<String>) {
        if let Value::Object(entries) = value {
            for (name, below) in entries {
                let at = format!("{at}/{name}");
                all.push(at.clone());
                places(below, &at, all);
            }
        } else if let Value::Array(items) = value {
            for (index, item) in items.iter().enumerate() {
                let at = format!("{at}/{index}");
                all.push(at.clone());
                places(item, &at, all);
            }
        }
    }
    let full = full_record(stream);
    let mut all = Vec::new();
    places(&full, "", &mut all);
    prop::collection::vec((prop::sample::select(all), any_json()), 0..10).prop_map(move |changes| {
        let mut record = full.clone();
        for (place, value) in changes {
            if let Some(found) = record.pointer_mut(&place) {
                *found = value;
            }
        }
        record
    })
}

proptest! {
    #[test]
    fn whatever_a_record_holds_its_documents_are_valid(
        (stream, record) in prop::sample::select(STREAMS.to_vec()).prop_flat_map(|stream| (Just(stream), broken(stream)))
    ) {
        let outcome = outcome(&mapper(stream), &record);
        prop_assert!(!outcome.documents.is_empty() || !outcome.problems.is_empty());
        expect_valid(&outcome);
    }
}

#[test]
fn a_record_with_every_field_gives_valid_documents() {
    for stream in STREAMS {
        let outcome = outcome(&mapper(stream), &full_record(stream));
        assert!(!outcome.documents.is_empty(), "{stream}");
        expect_valid(&outcome);
    }
}

#[test]
fn a_record_with_its_key_alone_gives_valid_documents() {
    for (stream, record) in [
        ("endpoints", json!({"endpoint_id": "e"})),
        ("alerts", json!({"alert_id": "a"})),
        (
            "vulnerabilities",
            json!({"endpoint_id": "e", "cves": [{"name": "CVE-2024-1234"}, {"name": "PAN-SA-2024-0001"}]}),
        ),
    ] {
        let outcome = outcome(&mapper(stream), &record);
        assert!(outcome.problems.is_empty(), "{:?}", outcome.problems);
        expect_valid(&outcome);
    }
}

#[test]
fn the_activity_and_the_status_follow_what_the_platform_knows() {
    let cve = json!({"endpoint_id": "e", "cves": [{"name": "CVE-2024-1234"}]});
    for (stream, record, class) in [
        ("vulnerabilities", &cve, 2002),
        ("alerts", &json!({"alert_id": "a"}), 2004),
    ] {
        for (state, activity, status) in STATES {
            let [body] = &findings(stream, record, state)[..] else {
                panic!("one finding");
            };
            assert_eq!(body["activity_id"], activity, "{state}");
            assert_eq!(body["type_uid"], class * 100 + activity, "{state}");
            assert_eq!(body["status_id"], status, "{state}");
            let closed = &body["finding_info"]["modified_time"];
            assert_eq!(closed.is_null(), state != "closed", "{state}");
        }
    }
}

#[test]
fn an_alert_that_is_looked_at_is_in_progress_until_it_closes() {
    let record = json!({"alert_id": "a", "resolution_status": "STATUS_020_UNDER_INVESTIGATION"});
    for (state, id, label, alert) in [
        ("new", 2, "In Progress", true),
        ("changed", 2, "In Progress", true),
        ("closed", 4, "Resolved", false),
        ("out-of-scope", 99, "Out of scope", false),
    ] {
        let body = &findings("alerts", &record, state)[0];
        assert_eq!(
            (&body["status_id"], &body["status"], &body["is_alert"]),
            (&json!(id), &json!(label), &json!(alert)),
            "{state}"
        );
    }
}

#[test]
fn a_finding_was_created_when_the_source_says_and_else_when_the_platform_saw_it() {
    let said = json!({"alert_id": "a", "detection_timestamp": 1_600_000_000_000_u64});
    assert_eq!(
        findings("alerts", &said, "new")[0]["time"],
        1_600_000_000_000_u64
    );
    let unsaid = json!({"alert_id": "a"});
    assert_eq!(
        findings("alerts", &unsaid, "new")[0]["time"],
        1_700_000_000_001_u64
    );
}

#[test]
fn severities_are_numbers_with_their_captions_and_other_words_stay() {
    for (word, id, label) in [
        (json!("critical"), 5, "Critical"),
        (json!("HIGH"), 4, "High"),
        (json!("Medium"), 3, "Medium"),
        (json!("low"), 2, "Low"),
        (json!("informational"), 1, "Informational"),
        (json!("unknown"), 0, "Unknown"),
        (json!(null), 0, "Unknown"),
        (json!("Catastrophic"), 99, "Catastrophic"),
    ] {
        let alert = json!({"alert_id": "a", "severity": word});
        let cve =
            json!({"endpoint_id": "e", "cves": [{"name": "CVE-2024-1234", "severity": word}]});
        for (stream, record) in [("alerts", alert), ("vulnerabilities", cve)] {
            let body = &findings(stream, &record, "new")[0];
            assert_eq!(
                (&body["severity_id"], &body["severity"]),
                (&json!(id), &json!(label)),
                "{word}"
            );
        }
    }
}

// A score without the version of CVSS that it was made by is no `cvss` object.
#[test]
fn nothing_is_invented_of_a_vulnerability() {
    let record = json!({"endpoint_id": "e", "cves": [
        {"name": "CVE-2024-1234", "severity_score": 9.8, "affected_products": ["a product"], "publication_date": 1_621_331_968_000_u64},
        {"name": "PAN-SA-2024-0001", "modification_date": "2021-05-18 09:59:28 UTC"}
    ]});
    let bodies = findings("vulnerabilities", &record, "new");
    assert_eq!(
        bodies[0]["vulnerabilities"],
        json!([{"cve": {"uid": "CVE-2024-1234", "created_time": 1_621_331_968_000_u64}}])
    );
    assert_eq!(
        bodies[0]["unmapped"],
        json!({"severity_score": 9.8, "affected_products": ["a product"]})
    );
    assert_eq!(
        bodies[1]["vulnerabilities"],
        json!([{"advisory": {"uid": "PAN-SA-2024-0001"}}])
    );
    let uids: Vec<_> = bodies
        .iter()
        .map(|body| &body["finding_info"]["uid"])
        .collect();
    assert_eq!(uids, ["e|CVE-2024-1234", "e|PAN-SA-2024-0001"]);
}

#[test]
fn tactics_and_techniques_are_elements_of_their_own_with_id_and_name_apart() {
    let record = json!({
        "alert_id": "a",
        "mitre_tactic_id_and_name": ["TA0002 - Execution", "Somewhere", ""],
        "mitre_technique_id_and_name": [
            "T1071 - Application Layer Protocol",
            "T1059.001 - Command and Scripting Interpreter: PowerShell",
            "T1003.001 - LSASS Memory",
            "T1068",
            "Something - else"
        ]
    });
    assert_eq!(
        findings("alerts", &record, "new")[0]["finding_info"]["attacks"],
        json!([
            {"tactic": {"uid": "TA0002", "name": "Execution"}},
            {"tactic": {"name": "Somewhere"}},
            {"technique": {"uid": "T1071", "name": "Application Layer Protocol"}},
            {
                "technique": {"uid": "T1059", "name": "Command and Scripting Interpreter"},
                "sub_technique": {"uid": "T1059.001", "name": "PowerShell"}
            },
            {"technique": {"uid": "T1003"}, "sub_technique": {"uid": "T1003.001", "name": "LSASS Memory"}},
            {"technique": {"uid": "T1068"}},
            {"technique": {"name": "Something - else"}}
        ])
    );
}

#[test]
fn a_process_without_its_number_is_no_process_and_the_rest_of_the_event_stays() {
    let record = json!({"alert_id": "a", "events": [
        {"actor_process_image_name": "a.exe", "actor_process_os_pid": "12", "actor_process_image_sha256": "aa", "user_name": "somebody"},
        {"actor_process_image_name": "b.exe", "user_name": "somebody else"},
        {"actor_process_image_name": "c.exe", "action_file_name": "c.txt"},
        {"actor_process_command_line": "d"}
    ]});
    assert_eq!(
        findings("alerts", &record, "new")[0]["evidences"],
        json!([
            {"actor": {
                "process": {
                    "pid": 12, "name": "a.exe",
                    "file": {"name": "a.exe", "type_id": 0, "hashes": [{"algorithm_id": 3, "value": "aa"}]}
                },
                "user": {"name": "somebody"}
            }},
            {"actor": {"user": {"name": "somebody else"}}},
            {"file": {"name": "c.txt", "type_id": 0}}
        ])
    );
}
