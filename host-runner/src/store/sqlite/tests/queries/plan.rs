//! How SQLite goes about it.

use sqlx::Row;

use super::super::support::*;
use crate::query::tests::now;
use crate::query::{AssetQuery, FindingQuery};
use crate::store::sqlite::condition;

async fn steps(bench: &Bench, sql: String, condition: condition::Condition) -> Vec<String> {
    let query = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")));
    let rows = condition
        .bind(query)
        .fetch_all(&bench.store.inner.readers)
        .await
        .unwrap();
    rows.iter()
        .map(|row| row.get::<String, _>("detail"))
        .collect()
}

/// Tables whose rows are gone through whole, other than the one that is listed.
fn whole(steps: &[String], listed: &str) -> Vec<String> {
    let tables = [
        "assets",
        "findings",
        "links",
        "records",
        "streams",
        "connections",
        "g",
        "l",
        "q",
        "t",
        "c",
        "h",
        "f",
        "r",
        "s",
    ];
    steps
        .iter()
        .filter(|step| {
            tables.iter().any(|table| {
                *table != listed
                    && (step.as_str() == format!("SCAN {table}")
                        || step.starts_with(&format!("SCAN {table} ")))
            })
        })
        .cloned()
        .collect()
}

#[tokio::test]
async fn no_field_makes_a_pass_over_a_table_for_each_row() {
    let bench = Bench::new().await;
    let fields = |help: String| -> Vec<String> {
        help.lines()
            .filter_map(|line| line.trim_start().split_once("  "))
            .map(|(name, _)| name.to_owned())
            .filter(|name| name.starts_with("asset.") || name.starts_with("finding."))
            .collect()
    };
    let assets = fields(crate::query::assets_help());
    let findings = fields(crate::query::findings_help());
    assert!(assets.len() > 20 && findings.len() > 20);
    for field in assets
        .iter()
        .chain(&findings)
        .chain([&"document.a.b".to_owned()])
    {
        let value = match field.as_str() {
            "asset.state" => "active",
            "finding.status" => "open",
            _ => "*",
        };
        let text = format!("{field}:{value}");
        let query = AssetQuery::parse(&text, now()).unwrap();
        let condition = condition::of_assets(Some(&query), 1);
        let sql = format!("SELECT a.id FROM assets AS a WHERE {}", condition.sql);
        let plan = steps(&bench, sql, condition).await;
        assert_eq!(whole(&plan, "a"), [""; 0], "{text}: {plan:#?}");

        let query = FindingQuery::parse(&text, now()).unwrap();
        let condition = condition::of_findings(Some(&query), 1);
        let sql = format!(
            "SELECT f.id FROM findings AS f JOIN streams AS s ON s.id = f.stream_id JOIN records AS r ON r.id = f.record_id
             LEFT JOIN assets AS a ON a.id = f.asset_id WHERE {} ORDER BY f.id",
            condition.sql
        );
        let plan = steps(&bench, sql, condition).await;
        assert_eq!(whole(&plan, "f"), [""; 0], "{text}: {plan:#?}");
    }
}
