//! What the platform does not see, as a table with what to do about it, and as JSON.

use serde_json::{Value, json};

use crate::cli::human;
use crate::cli::table::Table;
use crate::connection::SurveyReport;
use crate::domain::{ConnectionName, TenantName, Timestamp};
use crate::store::{LeftOut, Sample};

/// The details are sentences: as wide as the help texts.
const WIDTH: u16 = 108;

/// Blind spots that are named before a remedy that they share.
const NAMED: usize = 2;

/// Examples that a person is shown of each; a program gets all of them.
const EXAMPLES: usize = 2;

/// Who found it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToldBy {
    /// The connector, by asking the API.
    Connector,
    /// The platform, from what it holds.
    Platform,
}

/// One thing that is not seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    name: String,
    count: Option<u64>,
    or_more: bool,
    detail: String,
    examples: Vec<String>,
    remedy: String,
    told_by: ToldBy,
}

/// Everything, what the connector found first.
pub fn rows(report: &SurveyReport, tenant: &TenantName, now: Timestamp) -> Vec<Row> {
    let mut rows: Vec<Row> = report
        .asked
        .iter()
        .map(|spot| Row {
            name: spot.name.clone(),
            count: spot.count,
            or_more: spot.or_more,
            detail: spot.detail.clone(),
            examples: spot.examples.clone(),
            remedy: spot.remedy.clone(),
            told_by: ToldBy::Connector,
        })
        .collect();
    let connection = &report.connection;
    let whose = format!("{} --tenant {tenant}", connection.name);
    for left_out in &report.held {
        held(&mut rows, left_out, &whose, now);
    }
    // A stream that was never read to its end may leave out anything.
    for stream in &connection.data_streams {
        let complete = report
            .held
            .iter()
            .any(|left_out| left_out.stream == *stream && left_out.filtered.is_some());
        if !complete {
            rows.push(Row {
                name: format!("{stream}: left out by filters"),
                count: None,
                or_more: false,
                detail: "No full sync of it has read everything yet.".to_owned(),
                examples: Vec::new(),
                remedy: format!(
                    "Read it once: `host-runner sync {whose} --mode full --stream {stream}`."
                ),
                told_by: ToldBy::Platform,
            });
        }
    }
    rows
}

/// What the platform itself knows of one data stream.
fn held(rows: &mut Vec<Row>, left_out: &LeftOut, whose: &str, now: Timestamp) {
    let stream = &left_out.stream;
    let mut add = |name: String, sample: &Sample, detail: String, remedy: String| {
        if sample.count > 0 {
            rows.push(Row {
                name,
                count: Some(sample.count),
                or_more: false,
                detail,
                examples: sample.examples.clone(),
                remedy,
                told_by: ToldBy::Platform,
            });
        }
    };
    let waiting = match left_out.findings_parked {
        0 => String::new(),
        findings => format!(", and {} with them", human::counted(findings, "finding")),
    };
    add(
        format!("{stream}: parked records"),
        &left_out.parked,
        format!("Their asset is not held: they wait for it{waiting}."),
        "They attach by themselves when their asset is held: read the data stream that brings it, or let the connection onboard assets."
            .to_owned(),
    );
    add(
        format!("{stream}: records in quarantine"),
        &left_out.quarantined,
        "They could not be read or mapped, and are neither opened nor closed.".to_owned(),
        format!("`host-runner quarantine {whose}` shows each with the reason."),
    );
    for (filter, sample) in &left_out.out_of_scope {
        add(
            format!("{stream}: out of scope by {filter}"),
            sample,
            format!(
                "They were read before, and {filter} leaves them out now: kept, and not shown."
            ),
            widen(),
        );
    }
    let Some(filtered) = &left_out.filtered else {
        return;
    };
    let age = human::relative(now, filtered.ended_at);
    for (filter, count) in &filtered.by {
        let sample = Sample {
            count: *count,
            examples: Vec::new(),
        };
        add(
            format!("{stream}: left out by {filter}"),
            &sample,
            format!("As the last complete full sync saw it, {age}; none of them is held."),
            widen(),
        );
    }
}

fn widen() -> String {
    "Widen the filter where they matter (`host-runner update`): they come with the next sync."
        .to_owned()
}

/// The table, and below it what to do, each remedy once.
pub fn text(rows: &[Row]) -> String {
    if rows.is_empty() {
        return "nothing: the connector told no blind spot, and the platform holds none".to_owned();
    }
    let mut table = Table::new(&["BLIND SPOT", ">COUNT", "DETAIL"]);
    for row in rows {
        let detail = if row.examples.is_empty() {
            row.detail.clone()
        } else {
            let examples: Vec<String> = row
                .examples
                .iter()
                .take(EXAMPLES)
                .map(|example| human::shortened(example, 60))
                .collect();
            format!("{} Such as {}.", row.detail, human::list(&examples))
        };
        table.row([row.name.clone(), count(row), detail]);
    }
    let mut text = table.wrapped(WIDTH).render();
    let mut told: Vec<(&str, Vec<&str>)> = Vec::new();
    for row in rows.iter().filter(|row| !row.remedy.is_empty()) {
        match told.iter_mut().find(|(remedy, _)| *remedy == row.remedy) {
            Some((_, names)) => names.push(&row.name),
            None => told.push((&row.remedy, vec![&row.name])),
        }
    }
    for (remedy, names) in told {
        text.push_str(&format!(
            "\n\n{}\n  -> {}",
            human::plain(&together(&names)),
            human::plain(remedy)
        ));
    }
    text
}

/// "a", "a and b", "a, b and 4 more".
fn together(names: &[&str]) -> String {
    let (first, more) = names.split_at(names.len().min(NAMED));
    match more {
        [] => human::list(first),
        [one] => format!("{} and {one}", first.join(", ")),
        more => format!("{} and {} more", first.join(", "), more.len()),
    }
}

fn count(row: &Row) -> String {
    match row.count {
        None => "unknown".to_owned(),
        Some(number) if row.or_more => format!("{} or more", human::count(number)),
        Some(number) => human::count(number),
    }
}

/// The JSON form.
pub fn document(
    connection: &ConnectionName,
    tenant: &TenantName,
    silent_days: u16,
    now: Timestamp,
    rows: &[Row],
) -> Value {
    let spots: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "name": row.name,
                "count": row.count,
                "orMore": row.or_more,
                "detail": row.detail,
                "examples": row.examples,
                "remedy": if row.remedy.is_empty() { Value::Null } else { json!(row.remedy) },
                "toldBy": match row.told_by {
                    ToldBy::Connector => "connector",
                    ToldBy::Platform => "platform",
                },
            })
        })
        .collect();
    json!({
        "connection": connection,
        "tenant": tenant,
        "askedAt": now.to_rfc3339(),
        "silentDays": silent_days,
        "blindSpots": spots,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::contract::connector::BlindSpot;
    use crate::domain::{ConnectionId, DataStreamName};
    use crate::store::{ComponentRef, Connection, Filtered, Policy, Tested, WayOut};

    fn at(hour: u64) -> Timestamp {
        Timestamp::from_ms(hour * 3_600_000).unwrap()
    }

    fn stream(name: &str) -> DataStreamName {
        DataStreamName::new(name).unwrap()
    }

    fn spot(name: &str, count: Option<u64>, or_more: bool, remedy: &str) -> BlindSpot {
        BlindSpot {
            name: name.to_owned(),
            count,
            or_more,
            detail: "Of the newest 100, 61 are open.".to_owned(),
            examples: Vec::new(),
            remedy: remedy.to_owned(),
        }
    }

    fn sample(count: u64, examples: &[&str]) -> Sample {
        Sample {
            count,
            examples: examples.iter().map(|key| (*key).to_owned()).collect(),
        }
    }

    fn report() -> SurveyReport {
        let source = "Add the source to alertSources where its alerts matter.";
        let mut silent = spot(
            "agents silent for 30 days or more",
            Some(1_204),
            false,
            "Find out whether these hosts still exist.",
        );
        silent.examples = vec!["ber-srv-1".to_owned(), "evil\u{1b}[31m\nname".to_owned()];
        SurveyReport {
            asked: vec![
                silent,
                spot(
                    "alerts from XDR Agent in any status",
                    Some(9_999),
                    true,
                    source,
                ),
                spot("open alerts from ASM", Some(3), false, source),
                spot("open alerts from DLP", Some(2), false, source),
                spot("open alerts from Health", Some(1), false, source),
                spot("open alerts from IoT Security", Some(1), false, source),
                spot("untagged endpoints", None, false, "Give the key a role."),
            ],
            held: vec![LeftOut {
                stream: stream("alerts"),
                parked: sample(14, &["71", "72"]),
                findings_parked: 15,
                quarantined: sample(1, &[]),
                out_of_scope: vec![("alertSources".to_owned(), sample(2, &["9"]))],
                filtered: Some(Filtered {
                    ended_at: at(10),
                    by: vec![("alertStatuses".to_owned(), 310)],
                }),
            }],
            connection: Connection {
                id: ConnectionId(1),
                name: "xdr".parse().unwrap(),
                description: String::new(),
                component: ComponentRef {
                    name: "cortex-xdr".to_owned(),
                    version: "0.1.0".to_owned(),
                    sha256: "0".repeat(64),
                },
                typed_config: json!({}),
                config: json!({}),
                origins: Vec::new(),
                secrets: Vec::new(),
                data_streams: vec![stream("endpoints"), stream("alerts")],
                scope: Vec::new(),
                policy: Policy::default(),
                target: "safe".to_owned(),
                maps: BTreeMap::new(),
                allow_loopback: false,
                way_out: WayOut::default(),
                tested: Tested::Untested {
                    reason: "skipped".to_owned(),
                },
                leave_out_users: false,
                set_aside: None,
                reach: None,
                secrets_changed_at: None,
                created_at: at(1),
                updated_at: at(1),
            },
        }
    }

    #[test]
    fn the_table_says_how_much_is_not_seen_and_each_remedy_once() {
        let tenant = TenantName::new("acme").unwrap();
        insta::assert_snapshot!(text(&rows(&report(), &tenant, at(13))));
    }

    #[test]
    fn the_json_form_has_a_count_that_is_a_number_or_null() {
        let tenant = TenantName::new("acme").unwrap();
        let report = report();
        let rows = rows(&report, &tenant, at(13));
        let document = document(&report.connection.name, &tenant, 30, at(13), &rows);
        assert_eq!(document["connection"], "xdr");
        assert_eq!(document["askedAt"], "1970-01-01T13:00:00.000Z");
        let spots = document["blindSpots"].as_array().unwrap();
        assert_eq!(spots.len(), rows.len());
        assert_eq!(
            spots[1],
            json!({
                "name": "alerts from XDR Agent in any status",
                "count": 9_999,
                "orMore": true,
                "detail": "Of the newest 100, 61 are open.",
                "examples": [],
                "remedy": "Add the source to alertSources where its alerts matter.",
                "toldBy": "connector",
            })
        );
        assert_eq!(spots[6]["count"], Value::Null);
        assert_eq!(spots[7]["name"], "alerts: parked records");
        assert_eq!(spots[7]["examples"], json!(["71", "72"]));
        assert_eq!(spots[7]["toldBy"], "platform");
    }

    #[test]
    fn a_report_without_blind_spots_says_so() {
        assert!(text(&[]).starts_with("nothing"));
    }
}
