//! What a wrong query is told, word for word.

use super::now;
use crate::query::{AssetQuery, FindingQuery, QueryError};

fn told(error: &QueryError) -> String {
    let fields = match error.fields.len() {
        0 => String::new(),
        _ => format!("\nfields: {} ...", error.fields[..3].join(", ")),
    };
    format!(
        "{error}\n{}\ntry: {}{fields}\n",
        error.picture(),
        error.hint
    )
}

#[test]
fn wrong_queries_on_assets_are_told_the_place_and_what_would_be_right() {
    let told: Vec<String> = [
        "",
        "  ",
        "asset.inventry:(source:`Cortex XDR`)",
        "asset.inventory:(sorce:`Cortex XDR`)",
        "asset.inventory:(source:)",
        "asset.inventory:(source:`Cortex XDR`",
        "asset.inventory:(source:`Cortex XDR)",
        "name:web)",
        "name:",
        "name",
        "srv-db-1",
        "`srv-db-1`",
        ":web",
        "name:web domain:x",
        "name:web (domain:x)",
        "name:web and",
        "name:web or or domain:x",
        "name:and",
        "name:`web",
        "name:\"\"",
        "name > web",
        "name:[a .. b]",
        "name:[a b",
        "name:[a `b`]",
        "lastSeen:[2026-02 .. 2026-01]",
        "lastSeen:[2026-01 .. 2026-02",
        "lastSeen > soon",
        "lastSeen contains 2026",
        "state:gone",
        "state > active",
        "state is null",
        "document.a > x",
        "document.a..b:x",
        "document.a.b.c.d.e.f.g.h.i:x",
        "completely.other:x",
        "one two three four five six seven:x",
        "name:a; drop table assets",
        "name:{x",
    ]
    .into_iter()
    .map(|text| match AssetQuery::parse(text, now()) {
        Ok(query) => format!("{text}\nis read as {query}\n"),
        Err(error) => told(&error),
    })
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn wrong_queries_on_findings_are_told_the_place_and_what_would_be_right() {
    let told: Vec<String> = [
        "finding.vendorProductNam:`Cortex XDR`",
        "finding.sevrity:high",
        "finding.severity:severe",
        "finding.severity < unknown",
        "finding.severity:[critical .. low]",
        "finding.severity contains high",
        "finding.riskScore > high",
        "finding.riskScore:1e999",
        "finding.status:gone",
        "asset.inventory:(sourc:x)",
    ]
    .into_iter()
    .map(|text| told(&FindingQuery::parse(text, now()).unwrap_err()))
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}
