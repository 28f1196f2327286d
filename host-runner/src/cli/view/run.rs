//! A run, as it is listed and shown whole.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::{ledger, removal};
use crate::cli::human::{self, bytes, count, per_second};
use crate::cli::table::{Card, Table};
use crate::domain::Timestamp;
use crate::egress::Usage;
use crate::store::{Run, UsedMap};

/// How long it took, or has taken so far.
pub fn duration(run: &Run, now: Timestamp) -> Duration {
    Duration::from_millis(run.ended_at.unwrap_or(now).ms_since(run.started_at))
}

/// What its requests came to. The pipeline keeps it as JSON; what can't be read (a later version wrote it) is left out.
pub fn usage(run: &Run) -> Usage {
    Usage {
        calls: run
            .calls
            .get("calls")
            .and_then(|calls| serde_json::from_value(calls.clone()).ok())
            .unwrap_or_default(),
        secrets: run
            .calls
            .get("secrets")
            .and_then(|secrets| serde_json::from_value(secrets.clone()).ok())
            .unwrap_or_default(),
    }
}

/// Why it ended early, in a sentence, where it did.
pub fn fault(run: &Run) -> Option<String> {
    let fault = run.fault.as_ref()?;
    let text = |key: &str| {
        fault
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let message = text("message").map_or_else(|| fault.to_string(), str::to_owned);
    Some(match text("remedy") {
        Some(remedy) => format!("{message}\n{remedy}"),
        None => message,
    })
}

/// The table of runs.
pub fn table(runs: &[(Run, String)], now: Timestamp) -> Table {
    let mut table = Table::new(&[
        ">RUN",
        "CONNECTION",
        "STREAM",
        "TYPE",
        "STATE",
        "STARTED",
        ">TOOK",
        ">READ",
        ">NEW",
        ">CHANGED",
        ">CLOSED",
        ">FILTERED",
        ">PARKED",
        ">REJECTED",
    ]);
    for (run, connection) in runs {
        let ledger = &run.ledger;
        table.row([
            run.id.to_string(),
            connection.clone(),
            run.stream.to_string(),
            run.mode.to_string(),
            run.state.to_string(),
            human::relative(now, run.started_at),
            human::duration(duration(run, now)),
            count(ledger.read),
            count(ledger.new),
            count(ledger.changed),
            count(ledger.closed),
            count(ledger.filtered_total().saturating_add(ledger.out_of_scope)),
            count(ledger.parked),
            count(ledger.quarantined),
        ]);
    }
    table
}

/// The card of one run: what `sync` prints at its end, and `runs show` later. `process` is the most memory that this process has used,
/// where the run was its own.
pub fn card(run: &Run, connection: &str, now: Timestamp, process: Option<u64>) -> Card {
    let mut card = Card::new(format!("{} of {connection}: {}", run.stream, run.state));
    card.row("run", run.id.to_string());
    rows(&mut card, run, now, process);
    card
}

/// The card of a run that was only tried: it has no number.
pub fn trial_card(run: &Run, connection: &str, now: Timestamp, process: Option<u64>) -> Card {
    let mut card = Card::new(format!(
        "{} of {connection}: dry run, {}; nothing is written",
        run.stream, run.state
    ));
    rows(&mut card, run, now, process);
    card
}

fn rows(card: &mut Card, run: &Run, now: Timestamp, process: Option<u64>) {
    let took = duration(run, now);
    let usage = usage(run);
    // What was sent, repetitions included: what a cancelled run still held back was no request to the API.
    let requests: u64 = usage.calls.values().map(|call| call.attempts).sum();
    card.row("type of sync", kind(run))
        .row_if("map", run.map.as_ref().map(map))
        .row("started", human::moment_and_distance(now, run.started_at))
        .row("duration", human::duration(took))
        .row("requests", count(requests))
        .row(
            "requests/s",
            per_second(rate(requests, took)).trim_end_matches("/s"),
        );
    ledger::rows(card, &run.ledger);
    if let Some(verdict) = removal::of(run) {
        card.lines("removal", removal::lines(&verdict));
    }
    let component = run
        .peak_memory
        .map(|memory| format!("{} in the component", bytes(memory)));
    let process = process.map(|memory| format!("{} in the process", bytes(memory)));
    let memory: Vec<String> = component.into_iter().chain(process).collect();
    card.row_if(
        "peak memory",
        (!memory.is_empty()).then(|| memory.join(", ")),
    );
    let told = run.details.get("told").and_then(Value::as_array);
    card.lines("told", told.into_iter().flatten().filter_map(Value::as_str));
    card.row_if("ended early", fault(run));
    card.lines("warnings", &run.warnings);
}

/// "full: there was none yet", and whether it went on with an interrupted one.
pub fn kind(run: &Run) -> String {
    let resumed = if run.resumed {
        ", gone on with from an interrupted one"
    } else {
        ""
    };
    if run.reason.is_empty() {
        format!("{}{resumed}", run.mode)
    } else {
        format!("{} ({}){resumed}", run.mode, run.reason)
    }
}

/// "mine, saved version 3 (1.2.0), SHA-256 0123456789ab...".
fn map(map: &UsedMap) -> String {
    let sha256 = map.sha256.get(..12).unwrap_or(&map.sha256);
    format!(
        "{}, SHA-256 {sha256}...",
        map_label(&map.name, map.number, map.version.as_deref())
    )
}

/// A map's name with the number of the saved version and the version that stands in it.
pub fn map_label(name: &str, number: Option<u32>, version: Option<&str>) -> String {
    match (number, version) {
        (Some(number), Some(version)) => format!("{name}, saved version {number} ({version})"),
        (Some(number), None) => format!("{name}, saved version {number}"),
        (None, Some(version)) => format!("{name} {version}"),
        (None, None) => name.to_owned(),
    }
}

fn rate(requests: u64, took: Duration) -> f64 {
    requests as f64 / took.as_secs_f64()
}

/// Each call of a run.
pub fn calls(usage: &Usage) -> Table {
    let mut table = Table::new(&[
        ">REQUESTS",
        ">RETRIES",
        ">REFUSED",
        ">SENT",
        ">RECEIVED",
        ">HELD BACK",
        "STATUSES",
        "CALL",
    ]);
    for (name, call) in &usage.calls {
        let mut statuses: Vec<String> = call
            .statuses
            .iter()
            .map(|(status, times)| format!("{status} x {}", count(*times)))
            .collect();
        if call.failures > 0 {
            statuses.push(format!("no answer x {}", count(call.failures)));
        }
        table.row([
            count(call.requests),
            count(call.retries),
            count(call.refused),
            bytes(call.bytes_sent),
            bytes(call.bytes_received),
            human::duration(Duration::from_millis(call.waited_ms)),
            statuses.join(", "),
            if name.is_empty() {
                "(not declared)".to_owned()
            } else {
                name.clone()
            },
        ]);
    }
    table
}

/// A run as JSON, with times that people read.
pub fn document(run: &Run, connection: &str) -> Value {
    let mut document = serde_json::to_value(run).unwrap_or_default();
    if let Some(object) = document.as_object_mut() {
        object.insert("connection".to_owned(), Value::from(connection));
        object.insert(
            "removal".to_owned(),
            removal::of(run).map_or(Value::Null, |verdict| removal::document(&verdict)),
        );
        let times: BTreeMap<&str, Option<Timestamp>> = BTreeMap::from([
            ("startedAt", Some(run.started_at)),
            ("endedAt", run.ended_at),
            ("committedAt", run.committed_at),
        ]);
        for (name, time) in times {
            object.insert(
                name.to_owned(),
                time.map_or(Value::Null, |time| Value::from(time.to_rfc3339())),
            );
        }
    }
    document
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{ConnectionId, DataStreamName, Ledger, Mode, RunId, RunState};
    use crate::store::UsedMap;

    pub(crate) fn run() -> Run {
        let at = |ms| Timestamp::from_ms(ms).unwrap();
        let mut ledger = Ledger {
            read: 1_250,
            new: 1_000,
            parked: 50,
            ..Ledger::default()
        };
        ledger.filter("tags", 200);
        Run {
            id: RunId(12),
            connection: ConnectionId(1),
            stream: DataStreamName::new("endpoints").unwrap(),
            mode: Mode::Full,
            reason: "there was none yet".to_owned(),
            map: Some(UsedMap {
                name: "mine".to_owned(),
                version: Some("1.2.0".to_owned()),
                number: Some(3),
                sha256: "0123456789abcdef".repeat(4),
            }),
            state: RunState::Processed,
            sync: None,
            resumed: false,
            started_at: at(1_763_766_631_000),
            ended_at: Some(at(1_763_766_643_500)),
            committed_at: Some(at(1_763_766_643_400)),
            steps: 13,
            ledger,
            calls: json!({
                "calls": {"get-endpoint": {
                    "requests": 13, "attempts": 15, "retries": 2, "statuses": {"200": 13, "429": 1}, "failures": 1, "refused": 0,
                    "bytesSent": 3_000, "bytesReceived": 1_500_000, "waitedMs": 1_625
                }},
                "secrets": ["apiKey"]
            }),
            fault: None,
            warnings: vec!["the tag servers is borne by no endpoint".to_owned()],
            peak_memory: Some(6_500_000),
            details: Value::Null,
        }
    }

    fn now() -> Timestamp {
        Timestamp::from_ms(1_763_766_823_000).unwrap()
    }

    #[test]
    fn the_card_of_a_run_is_as_recorded() {
        insta::assert_snapshot!(card(&run(), "xdr", now(), Some(45_000_000)).render(false));
    }

    #[test]
    fn the_table_of_runs_is_as_recorded() {
        insta::assert_snapshot!(table(&[(run(), "xdr".to_owned())], now()).render());
    }

    #[test]
    fn the_table_of_calls_is_as_recorded() {
        insta::assert_snapshot!(calls(&usage(&run())).render());
    }

    #[test]
    fn a_failed_run_says_why_and_what_to_do() {
        let mut failed = run();
        failed.fault =
            Some(json!({"message": "the API refused the key", "remedy": "make a new one"}));
        assert_eq!(
            fault(&failed).unwrap(),
            "the API refused the key\nmake a new one"
        );
        failed.fault = Some(json!({"odd": 1}));
        assert_eq!(fault(&failed).unwrap(), "{\"odd\":1}");
    }

    #[test]
    fn calls_in_a_form_of_later_versions_are_left_out_not_fatal() {
        let mut odd = run();
        odd.calls = json!(["something", "else"]);
        assert_eq!(usage(&odd).requests(), 0);
    }

    #[test]
    fn a_run_as_json_has_times_that_people_read() {
        let document = document(&run(), "xdr");
        assert_eq!(document["startedAt"], "2025-11-21T23:10:31.000Z");
        assert_eq!(document["connection"], "xdr");
        assert_eq!(document["ledger"]["read"], 1_250);
    }
}
