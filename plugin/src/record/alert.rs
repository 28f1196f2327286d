//! One alert, from any of the three shapes in which the API gives it: flat (`get_alerts`), with a list of events
//! (`get_alerts_multi_events`), and with parallel columns (the second version of the same).

use super::{Record, columns, field, key, object};
use crate::configure::AlertStatus;
use crate::contract::Quarantined;
use serde_json::{Map, Value};

/// What changes without the alert having changed: the counters and times of the server's matching, and the time of its last change,
/// which also moves when none of the record's fields did.
const VOLATILE: [&str; 4] = [
    "attempt_counter",
    "end_match_attempt_ts",
    "matching_status",
    "last_modified_ts",
];

const LISTS: [&str; 9] = [
    "host_ip",
    "mitre_tactic_id_and_name",
    "mitre_technique_id_and_name",
    "tags",
    "original_tags",
    "mac_addresses",
    "agent_ip_addresses_v6",
    "malicious_urls",
    "user_name",
];

const TEXTS: [&str; 7] = [
    "external_id",
    "case_id",
    "endpoint_id",
    "matching_service_rule_id",
    "filter_rule_id",
    "variation_rule_id",
    "agent_version",
];

const TIMES: [&str; 4] = [
    "detection_timestamp",
    "local_insert_ts",
    "last_modified_ts",
    "end_match_attempt_ts",
];

/// What a status means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertState {
    /// It is to be dealt with.
    Open(AlertStatus),
    /// It was dealt with.
    Resolved,
    /// A word that nobody told us.
    Unknown,
}

/// Reads a status by its words, not its number: sources disagree on the numbers of the resolved ones, and capitals differ. Resolved are
/// those with RESOLVED in them, and the reasons that some tenants write without it (STATUS_090_TRUE_POSITIVE).
pub fn alert_state(status: &str) -> AlertState {
    const REASONS: [&str; 9] = [
        "TRUE_POSITIVE",
        "FALSE_POSITIVE",
        "SECURITY_TESTING",
        "KNOWN_ISSUE",
        "DUPLICATE",
        "THREAT_HANDLED",
        "RISK_ACCEPTED",
        "DISMISSED",
        "FIXED",
    ];
    let word = status.trim().to_ascii_uppercase().replace([' ', '-'], "_");
    let word = match word.strip_prefix("STATUS_") {
        Some(rest) => rest
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .trim_start_matches('_'),
        None => &word,
    };
    match word {
        "NEW" => AlertState::Open(AlertStatus::New),
        "UNDER_INVESTIGATION" => AlertState::Open(AlertStatus::UnderInvestigation),
        word if word.starts_with("RESOLVED") || REASONS.contains(&word) => AlertState::Resolved,
        _ => AlertState::Unknown,
    }
}

/// Reads an alert, or says why it can't be read.
pub fn alert(raw: Value) -> Result<Record, Box<Quarantined>> {
    let mut fields = object(raw, "an alert")?;
    let key = key(&mut fields, "alert_id", "an alert")?;
    shape(&mut fields);
    let seen_at = field::latest(
        &fields,
        &["last_modified_ts", "local_insert_ts", "detection_timestamp"],
    );
    Ok(Record::new(key, seen_at, fields, &VOLATILE))
}

fn shape(fields: &mut Map<String, Value>) {
    field::drop_nulls(fields);
    events(fields);
    macs(fields);
    description(fields);
    for name in LISTS {
        field::texts(fields, name);
    }
    for name in TEXTS {
        field::text(fields, name);
    }
    for name in TIMES {
        field::time(fields, name);
    }
}

/// Makes `events` a list of objects, from the events' attributes at the alert where there is none.
fn events(fields: &mut Map<String, Value>) {
    let events = match fields.remove("events") {
        Some(Value::Array(events)) => events,
        Some(event @ Value::Object(_)) => vec![event],
        Some(other) => {
            fields.insert("events".into(), other);
            return;
        }
        None => {
            let users = fields.get("user_name").cloned();
            let events = columns::taken(fields);
            // The users stay at the alert too: that is where maps look for them.
            if let Some(users) = users {
                fields.insert("user_name".into(), users);
            }
            events
        }
    };
    let events = events
        .into_iter()
        .map(|mut event| {
            if let Value::Object(attributes) = &mut event {
                field::drop_nulls(attributes);
                field::time(attributes, "event_timestamp");
            }
            event
        })
        .collect();
    fields.insert("events".into(), Value::Array(events));
}

/// MAC addresses under one name; `mac` stays, and stands in where there is no list.
fn macs(fields: &mut Map<String, Value>) {
    if let Some(older) = fields.remove("mac_address")
        && !fields.contains_key("mac_addresses")
    {
        fields.insert("mac_addresses".into(), older);
    }
}

/// Some alerts of rules bear their description as the list of words that the console shows ([{"pretty_name": "Process", ...}, ...]);
/// seen in a public sample. It is read as the text that the words make.
fn description(fields: &mut Map<String, Value>) {
    let Some(Value::Array(words)) = fields.get("description") else {
        return;
    };
    let words: Option<Vec<&str>> = words
        .iter()
        .map(|word| word.get("pretty_name").and_then(Value::as_str))
        .collect();
    if let Some(words) = words {
        let text = words.join(" ");
        fields.insert("description".into(), text.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(raw: Value) -> Value {
        Value::Object(alert(raw).unwrap().fields)
    }

    #[test]
    fn the_three_shapes_of_an_alert_become_one() {
        let expected = json!({
            "alert_id": "7", "name": "n", "action": "BLOCKED", "action_pretty": "Prevented (Blocked)",
            "host_ip": ["10.0.0.1"], "mitre_tactic_id_and_name": ["TA0007 - Discovery"], "tags": ["DS:PANW/XDR Agent"],
            "user_name": ["u"],
            "events": [{"actor_process_os_pid": 996, "event_timestamp": 1_562_199_363_118_u64, "event_type": "Process Execution", "user_name": "u"}],
        });
        let flat = json!({
            "alert_id": "7", "name": "n", "action": "BLOCKED", "action_pretty": "Prevented (Blocked)", "events": null,
            "host_ip": "10.0.0.1", "mitre_tactic_id_and_name": "TA0007 - Discovery", "tags": "DS:PANW/XDR Agent", "user_name": "u",
            "actor_process_os_pid": 996, "event_timestamp": 1_562_199_363_118_u64, "event_type": "Process Execution", "fw_rule": null,
        });
        let columnar = json!({
            "alert_id": 7, "name": "n", "action": "BLOCKED", "action_pretty": "Prevented (Blocked)", "events": null,
            "host_ip": ["10.0.0.1"], "mitre_tactic_id_and_name": ["TA0007 - Discovery", ""], "tags": ["DS:PANW/XDR Agent"], "user_name": ["u"],
            "actor_process_os_pid": [996], "event_timestamp": [1_562_199_363_118_u64], "event_type": ["Process Execution"], "fw_rule": [null],
        });
        let with_events = json!({
            "alert_id": "7", "name": "n", "action": "BLOCKED", "action_pretty": "Prevented (Blocked)",
            "host_ip": ["10.0.0.1"], "mitre_tactic_id_and_name": ["TA0007 - Discovery"], "tags": ["DS:PANW/XDR Agent"], "user_name": "u",
            "events": [{"actor_process_os_pid": 996, "event_timestamp": 1_562_199_363_118_u64, "event_type": "Process Execution", "user_name": "u", "fw_rule": null}],
        });
        assert_eq!(read(flat), expected);
        assert_eq!(read(columnar), expected);
        assert_eq!(read(with_events), expected);
    }

    #[test]
    fn columns_of_different_lengths_make_as_many_events_as_the_longest() {
        let record = read(
            json!({"alert_id": "1", "event_type": ["a", "b"], "action_file_name": [null, "f"], "module_id": "m"}),
        );
        assert_eq!(
            record["events"],
            json!([{"event_type": "a", "module_id": "m"}, {"event_type": "b", "action_file_name": "f"}])
        );
    }

    #[test]
    fn a_description_in_words_is_read_as_their_text() {
        let words = json!([{"pretty_name": "Process", "render_type": "entity"}, {"pretty_name": "="}, {"pretty_name": "*a b*"}]);
        let record = read(json!({"alert_id": "1", "description": words}));
        assert_eq!(record["description"], json!("Process = *a b*"));
        let strange = json!([{"pretty_name": "Process"}, {"text": "x"}]);
        let record = read(json!({"alert_id": "1", "description": strange}));
        assert_eq!(record["description"], strange);
    }

    #[test]
    fn what_an_alert_has_itself_stays_at_the_alert_when_it_comes_flat() {
        let record = read(
            json!({"alert_id": "1", "contains_featured_host": "NO", "action": "BLOCKED", "action_country": "UNKNOWN"}),
        );
        assert_eq!(record["contains_featured_host"], json!("NO"));
        assert_eq!(record["action"], json!("BLOCKED"));
        assert_eq!(record["events"], json!([{"action_country": "UNKNOWN"}]));
    }

    #[test]
    fn empty_mitre_fields_are_empty_lists() {
        let record = read(
            json!({"alert_id": "1", "mitre_tactic_id_and_name": [""], "mitre_technique_id_and_name": ""}),
        );
        assert_eq!(record["mitre_tactic_id_and_name"], json!([]));
        assert_eq!(record["mitre_technique_id_and_name"], json!([]));
    }

    #[test]
    fn ids_beyond_two_to_the_53_stay_exact() {
        let raw =
            serde_json::from_str(r#"{"alert_id": 9007199254740993, "case_id": 391722}"#).unwrap();
        let record = alert(raw).unwrap();
        assert_eq!(record.key, "9007199254740993");
        assert_eq!(record.fields["case_id"], json!("391722"));
    }

    #[test]
    fn mac_addresses_have_one_name() {
        assert_eq!(
            read(json!({"alert_id": "1", "mac_address": ["m"]}))["mac_addresses"],
            json!(["m"])
        );
        assert_eq!(
            read(json!({"alert_id": "1", "mac_address": ["old"], "mac_addresses": "new"}))["mac_addresses"],
            json!(["new"])
        );
    }

    #[test]
    fn a_status_is_read_by_its_words_whatever_its_number() {
        assert_eq!(
            alert_state("STATUS_010_NEW"),
            AlertState::Open(AlertStatus::New)
        );
        assert_eq!(
            alert_state("STATUS_020_UNDER_INVESTIGATION"),
            AlertState::Open(AlertStatus::UnderInvestigation)
        );
        for closed in [
            "STATUS_025_RESOLVED",
            "STATUS_030_RESOLVED_THREAT_HANDLED",
            "STATUS_080_RESOLVED_AUTO",
            "resolved_auto",
            "STATUS_090_TRUE_POSITIVE",
            "STATUS_999_RESOLVED_SOMEHOW",
        ] {
            assert_eq!(alert_state(closed), AlertState::Resolved, "{closed}");
        }
        for unknown in [
            "",
            "STATUS_027_ON_HOLD",
            "LOST",
            "STATUS_015_NEWISH",
            "UNRESOLVED",
            "STATUS_010_NOT_RESOLVED",
        ] {
            assert_eq!(alert_state(unknown), AlertState::Unknown, "{unknown}");
        }
    }
}
