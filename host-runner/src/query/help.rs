//! What `--help` says of queries, made from the table of fields.

use super::fields::{ASSET, AssetKind, FINDING, Field, FindingKind};

const FORMS: &str = "\
Queries:
  FIELD:VALUE             the value contains each of these words
  FIELD:\"TEXT\"            it contains this text; `*` stands for any text, and then the whole value must match
  FIELD:`TEXT`            it is this text, as with FIELD=TEXT and FIELD equals TEXT
  FIELD:[A, B]            one of these
  FIELD > VALUE           also >= < <= of times, numbers and severities; != of all
  FIELD:[LOW .. HIGH]     a range with its ends; (LOW .. HIGH) without them
  FIELD:*  FIELD is null  there is a value; there is none
  NAME:(...)              fields below that name: asset.inventory:(source:`X`)
  and or not ( )          not binds closest, then and, then or

  Case is ignored. Times are 2026-01-31, 2026-01-31T12:00:00Z, 2026-01, 2026, today, now and now-7d
  (s, m, h, d, w, M, y), in UTC; a day is the whole day, and > is after it. A field may be named without
  its asset. or finding. before it. Put the query in single quotes: within double quotes a shell runs
  what stands in backticks.";

const ASSETS: &str = "
  Fields of the findings on an asset are named finding.FIELD (see host-runner findings --help). Open ones
  are meant unless finding.status is asked for; finding:(A and B) means one and the same finding.
  A query that asks for asset.state sets aside the default of --state.";

const FINDINGS: &str = "
  Fields of the asset that a finding is on are named asset.FIELD (see host-runner assets --help).
  A query that asks for finding.status sets aside the default of --state.";

/// How queries on assets are written, and the fields of assets.
pub fn assets_help() -> String {
    text(ASSETS, ASSET, |kind| match kind {
        AssetKind::Text(_) => "text",
        AssetKind::Time(_) => "time",
        AssetKind::State => "state",
    })
}

/// How queries on findings are written, and the fields of findings.
pub fn findings_help() -> String {
    text(FINDINGS, FINDING, |kind| match kind {
        FindingKind::Text(_) => "text",
        FindingKind::Time(_) => "time",
        FindingKind::Number(_) => "number",
        FindingKind::Severity => "severity",
        FindingKind::State => "state",
    })
}

fn text<K>(more: &str, table: &[Field<K>], kind: fn(&K) -> &'static str) -> String {
    let widest = table
        .iter()
        .map(|field| field.name.len())
        .max()
        .unwrap_or(0);
    let mut text = format!("{FORMS}\n{more}\n\nFields:\n");
    for field in table {
        text.push_str(&format!(
            "  {:<widest$}  {:<8}  {}\n",
            field.name,
            kind(&field.kind),
            field.about
        ));
    }
    text.push_str(&format!(
        "  {:<widest$}  {:<8}  any place in the document, as the map wrote it",
        "document.PATH", "any"
    ));
    text
}
