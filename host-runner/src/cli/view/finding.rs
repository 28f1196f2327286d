//! Findings in a table.

use serde_json::{Value, json};

use crate::cli::human;
use crate::cli::table::Table;
use crate::domain::Timestamp;
use crate::store::{Evidence, Finding, FindingState};

/// The table's columns, and those that tell how a finding stands.
const COLUMNS: [&str; 5] = ["TITLE", "SEVERITY", "HOST", "SOURCE", "FIRST SEEN"];
const STANDING: [&str; 3] = ["STATE", "SINCE", "WHY"];

/// An empty table of findings, with how each stands where that is asked for.
pub fn table(standing: bool) -> Table {
    let more: &[&str] = if standing { &STANDING } else { &[] };
    Table::new(&[&COLUMNS, more].concat())
}

/// Adds a finding.
pub fn row(table: &mut Table, finding: &Finding, standing: bool, now: Timestamp) {
    let mut cells = vec![
        human::shortened(finding.title.as_deref().unwrap_or(&finding.key), 60),
        finding.severity.to_string(),
        human::shortened(
            finding
                .host_name
                .as_deref()
                .or(finding.asset_key.as_deref())
                .unwrap_or_default(),
            40,
        ),
        finding.finding_source.clone().unwrap_or_default(),
        human::relative(now, finding.first_seen),
    ];
    if standing {
        let since = match finding.state {
            FindingState::Open => finding.reopened_at.unwrap_or(finding.first_seen),
            FindingState::Closed | FindingState::OutOfScope => {
                finding.closed_at.unwrap_or(finding.last_seen)
            }
        };
        cells.extend([
            state(finding).to_owned(),
            human::relative(now, since),
            finding.evidence.as_ref().map(why).unwrap_or_default(),
        ]);
    }
    table.row(cells);
}

/// How it stands, in a word.
pub fn state(finding: &Finding) -> &'static str {
    match finding.state {
        FindingState::Closed => "closed",
        FindingState::OutOfScope => "out-of-scope",
        FindingState::Open if finding.asset.is_none() => "parked",
        FindingState::Open if finding.reopened_at.is_some() => "reopened",
        FindingState::Open => "open",
    }
}

/// "resolved: RESOLVED_TRUE_POSITIVE".
fn why(evidence: &Evidence) -> String {
    human::shortened(
        &format!("{}: {}", evidence.closing.filter_name(), evidence.word),
        80,
    )
}

/// A finding as JSON, with all that the platform itself knows of it.
pub fn history(finding: &Finding) -> Value {
    let time = |time: Option<Timestamp>| time.map(|time| time.to_rfc3339());
    json!({
        "key": finding.key,
        "stream": finding.stream,
        "record": finding.record,
        "assetKey": finding.asset_key,
        "host": finding.host_name,
        "title": finding.title,
        "severity": finding.severity,
        "state": state(finding),
        "firstSeen": finding.first_seen.to_rfc3339(),
        "lastSeen": finding.last_seen.to_rfc3339(),
        "closedAt": time(finding.closed_at.filter(|_| finding.state == FindingState::Closed)),
        "outOfScopeSince": time(finding.closed_at.filter(|_| finding.state == FindingState::OutOfScope)),
        "reopenedAt": time(finding.reopened_at),
        "evidence": finding.evidence.as_ref().map(|evidence| json!({
            "reason": evidence.closing.filter_name(),
            "word": evidence.word,
            "at": time(evidence.at),
            "sync": evidence.sync,
            "run": evidence.run,
        })),
        "document": finding.body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ConnectionId, DataStreamName, RunId, SyncId};
    use crate::store::{Closing, Severity};

    fn finding() -> Finding {
        let at = Timestamp::from_ms(1_000).unwrap();
        Finding {
            id: 1,
            connection: ConnectionId(1),
            stream: DataStreamName::new("alerts").unwrap(),
            key: "77".to_owned(),
            record: "77".to_owned(),
            asset_key: Some("e-1".to_owned()),
            asset: Some(1),
            state: FindingState::Open,
            severity: Severity::High,
            finding_source: Some("Example".to_owned()),
            host_name: Some("srv-db-1".to_owned()),
            title: Some("A rare process ran\nand more ".repeat(4)),
            facets: Vec::new(),
            first_seen: at,
            last_seen: at,
            closed_at: None,
            reopened_at: None,
            evidence: None,
            body: json!({}),
        }
    }

    fn resolved() -> Finding {
        Finding {
            state: FindingState::Closed,
            closed_at: Some(Timestamp::from_ms(3_601_000).unwrap()),
            evidence: Some(Evidence {
                closing: Closing::Resolved,
                word: "RESOLVED_TRUE_POSITIVE".to_owned(),
                at: None,
                sync: SyncId(2),
                run: Some(RunId(3)),
            }),
            ..finding()
        }
    }

    #[test]
    fn a_table_of_findings_is_as_recorded() {
        let mut finding = finding();
        let mut table = table(false);
        let now = Timestamp::from_ms(7_201_000).unwrap();
        row(&mut table, &finding, false, now);
        finding.title = None;
        finding.host_name = None;
        finding.finding_source = None;
        row(&mut table, &finding, false, now);
        insta::assert_snapshot!(table.render());
    }

    #[test]
    fn a_table_of_findings_with_their_states_is_as_recorded() {
        let mut table = table(true);
        let now = Timestamp::from_ms(7_201_000).unwrap();
        for finding in [finding(), resolved()] {
            row(&mut table, &finding, true, now);
        }
        insta::assert_snapshot!(table.render());
    }

    #[test]
    fn the_history_of_a_finding_has_the_platforms_times_and_the_evidence() {
        let closed = history(&resolved());
        assert_eq!(closed["state"], "closed");
        assert_eq!(closed["closedAt"], "1970-01-01T01:00:01.000Z");
        assert_eq!(closed["evidence"]["reason"], "resolved");
        assert_eq!(closed["evidence"]["run"], 3);
        let reopened = history(&Finding {
            reopened_at: Some(Timestamp::from_ms(7_000).unwrap()),
            ..finding()
        });
        assert_eq!(reopened["state"], "reopened");
        assert_eq!(reopened["firstSeen"], "1970-01-01T00:00:01.000Z");
        assert_eq!(reopened["reopenedAt"], "1970-01-01T00:00:07.000Z");
    }

    #[test]
    fn what_is_out_of_scope_has_no_time_of_closing() {
        let out = history(&Finding {
            state: FindingState::OutOfScope,
            ..resolved()
        });
        assert_eq!(out["state"], "out-of-scope");
        assert_eq!(out["closedAt"], Value::Null);
        assert_eq!(out["outOfScopeSince"], "1970-01-01T01:00:01.000Z");
    }
}
