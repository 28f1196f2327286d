//! Findings in a table.

use crate::cli::human;
use crate::cli::table::Table;
use crate::domain::Timestamp;
use crate::store::Finding;

/// The table's columns.
const COLUMNS: [&str; 5] = ["TITLE", "SEVERITY", "HOST", "SOURCE", "FIRST SEEN"];

/// An empty table of findings.
pub fn table() -> Table {
    Table::new(&COLUMNS)
}

/// Adds a finding.
pub fn row(table: &mut Table, finding: &Finding, now: Timestamp) {
    table.row([
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
    ]);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{ConnectionId, DataStreamName};
    use crate::store::{FindingState, Severity};

    #[test]
    fn a_table_of_findings_is_as_recorded() {
        let at = Timestamp::from_ms(1_000).unwrap();
        let mut finding = Finding {
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
        };
        let mut table = table();
        let now = Timestamp::from_ms(7_201_000).unwrap();
        row(&mut table, &finding, now);
        finding.title = None;
        finding.host_name = None;
        finding.finding_source = None;
        row(&mut table, &finding, now);
        insta::assert_snapshot!(table.render());
    }
}
