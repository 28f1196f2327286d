//! A map's preview, as it is shown.

use serde_json::{Value, json};

use crate::cli::human;
use crate::cli::table::{Card, Table, bold};
use crate::maps::{Against, Coverage, Group, PathChange, Tally};

/// Rows of a table that are shown to people; all are in the JSON.
const ROWS: usize = 20;

/// Characters of an example.
const EXAMPLE: usize = 100;

/// What a map made of one data stream's records.
pub struct Report {
    /// The data stream.
    pub stream: String,
    /// The map.
    pub map: String,
    /// The map that it was held against, where there was one.
    pub against: Option<String>,
    /// Whether it is the very map that the connection uses.
    pub in_use: bool,
    /// Of a file, how many of its lines are no records.
    pub bad_lines: Option<u64>,
    /// What was counted.
    pub tally: Tally,
    /// What the map reads and fills.
    pub coverage: Coverage,
}

impl Report {
    /// As JSON.
    pub fn document(&self) -> Value {
        let mut document = document(
            &self.stream,
            &self.map,
            self.against.as_deref(),
            &self.tally,
            &self.coverage,
        );
        if let Some(keys) = document.as_object_mut() {
            keys.insert("inUse".to_owned(), json!(self.in_use));
            keys.insert("badLines".to_owned(), json!(self.bad_lines));
        }
        document
    }

    /// As text.
    pub fn text(&self, source: &str, colour: bool) -> String {
        let title = format!("{}: {} on {source}", self.stream, self.map);
        let (tally, against) = (&self.tally, self.against.as_deref());
        let mut text = text(&title, against, tally, &self.coverage, colour);
        if let Some(bad @ 1..) = self.bad_lines {
            text.push_str(&format!(
                "\n\n{} of the file left out: no record stands there (see above).",
                human::counted(bad, "line")
            ));
        }
        match (tally.records, self.bad_lines) {
            (0, None) => text
                .push_str("\n\nThere is no record yet: sync first, or give a file with --file."),
            (0, Some(0)) => text.push_str(
                "\n\nThe file is empty: give one with a JSON object per line, such as `transform` reads.",
            ),
            _ => {}
        }
        if self.in_use {
            text.push_str(
                "\n\nIt is the map that the connection uses: there is nothing to compare it with.",
            );
        }
        text
    }
}

fn document(
    stream: &str,
    map: &str,
    against: Option<&str>,
    tally: &Tally,
    coverage: &Coverage,
) -> Value {
    let group = |group: &Group| {
        json!({
            "place": group.place,
            "records": group.records,
            "example": {
                "record": group.example.key,
                "pointer": group.example.pointer,
                "message": group.example.message,
            },
        })
    };
    json!({
        "stream": stream,
        "map": map,
        "records": tally.records,
        "documents": {"assets": tally.assets, "findings": tally.findings},
        "rejected": {
            "records": tally.rejected,
            "reasons": tally.reasons().into_iter().map(group).collect::<Vec<_>>(),
        },
        "empty": tally.empty,
        "problems": tally.problems().into_iter().map(group).collect::<Vec<_>>(),
        "unread": coverage.unread().iter().map(|field| json!({
            "path": field.path, "inSchema": field.in_schema, "records": field.records,
        })).collect::<Vec<_>>(),
        "unreadIsCut": coverage.has_more(),
        "unfilled": coverage.unfilled().iter().map(|field| json!({
            "kind": field.kind, "path": field.path, "needed": field.needed,
        })).collect::<Vec<_>>(),
        "against": tally.against.as_ref().zip(against).map(|(compared, name)| json!({
            "map": name,
            "same": compared.same,
            "differ": compared.differ,
            "added": compared.added,
            "removed": compared.removed,
            "paths": compared.paths.iter().map(|((kind, path), change)| json!({
                "kind": kind,
                "path": path,
                "added": change.added,
                "removed": change.removed,
                "changed": change.changed,
                "example": change.example.as_ref().map(|(key, before, after)| json!({
                    "document": key, "before": before, "after": after,
                })),
            })).collect::<Vec<_>>(),
        })),
    })
}

fn text(
    title: &str,
    against: Option<&str>,
    tally: &Tally,
    coverage: &Coverage,
    colour: bool,
) -> String {
    let mut card = Card::new(title);
    card.row("records", human::count(tally.records))
        .row(
            "documents",
            format!(
                "{}, {}",
                human::counted(tally.assets, "asset"),
                human::counted(tally.findings, "finding")
            ),
        )
        .row("rejected", human::count(tally.rejected))
        .row_if(
            "nothing in them",
            (tally.empty > 0).then(|| human::count(tally.empty)),
        );
    let mut parts = vec![card.render(colour)];
    let mut part = |title: &str, table: Table, rows: usize| {
        if rows > 0 {
            let more = match rows.saturating_sub(ROWS) {
                0 => String::new(),
                more => format!("\nand {} more; --json has all", human::count(more as u64)),
            };
            parts.push(format!("{}\n{}{more}", bold(title, colour), table.render()));
        }
    };
    let reasons = tally.reasons();
    part(
        "Records that give no document",
        groups(&reasons),
        reasons.len(),
    );
    let problems = tally.problems();
    part("Problems", groups(&problems), problems.len());
    let unread = coverage.unread();
    let mut table = Table::new(&["FIELD", ">RECORDS", "IN SCHEMA"]);
    for field in unread.iter().take(ROWS) {
        let in_schema = if field.in_schema { "yes" } else { "no" };
        table.row([field.path.as_str(), &human::count(field.records), in_schema]);
    }
    part(
        "Source fields that the map does not read",
        table,
        unread.len(),
    );
    let unfilled = coverage.unfilled();
    let mut table = Table::new(&["KIND", "PATH", "REQUIRED"]);
    for field in unfilled.iter().take(ROWS) {
        let needed = if field.needed { "yes" } else { "" };
        table.row([field.kind, &field.path, needed]);
    }
    part("Target fields that no document has", table, unfilled.len());
    if let (Some(compared), Some(name)) = (&tally.against, against) {
        parts.push(self::against(name, compared, colour));
    }
    parts.join("\n\n")
}

fn groups(groups: &[&Group]) -> Table {
    let mut table = Table::new(&["PLACE", ">RECORDS", "SUCH AS", "WHAT"]);
    for group in groups.iter().take(ROWS) {
        let place = if group.place.is_empty() {
            "the record"
        } else {
            &group.place
        };
        table.row([
            place,
            &human::count(group.records),
            &human::shortened(&group.example.key, 40),
            &human::shortened(&group.example.message, EXAMPLE),
        ]);
    }
    table
}

fn against(name: &str, compared: &Against, colour: bool) -> String {
    let mut card = Card::new(format!("Against {name}"));
    card.row("the same", human::counted(compared.same, "document"))
        .row("different", human::counted(compared.differ, "document"))
        .row("only with it", human::counted(compared.added, "document"))
        .row("not with it", human::counted(compared.removed, "document"));
    let mut table = Table::new(&["KIND", "PATH", ">ADDED", ">REMOVED", ">CHANGED", "SUCH AS"]);
    let mut paths: Vec<(&(String, String), &PathChange)> = compared.paths.iter().collect();
    paths.sort_by_key(|(_, change)| {
        std::cmp::Reverse(change.added + change.removed + change.changed)
    });
    for ((kind, path), change) in paths.iter().take(ROWS) {
        table.row([
            kind.as_str(),
            path.as_str(),
            &human::count(change.added),
            &human::count(change.removed),
            &human::count(change.changed),
            &human::shortened(&example(change), EXAMPLE),
        ]);
    }
    let mut text = card.render(colour);
    if !table.is_empty() {
        text.push_str(&format!("\n{}", table.render()));
    }
    if let more @ 1.. = paths.len().saturating_sub(ROWS) {
        text.push_str(&format!(
            "\nand {} more; --json has all",
            human::counted(more as u64, "path")
        ));
    }
    text
}

/// "e-1: \"a\" -> \"A\"".
fn example(change: &PathChange) -> String {
    let Some((key, before, after)) = &change.example else {
        return String::new();
    };
    format!("{key}: {} -> {}", values(before), values(after))
}

fn values(values: &[Value]) -> String {
    match values {
        [] => "nothing".to_owned(),
        [one] => one.to_string(),
        several => {
            let several: Vec<String> = several.iter().map(Value::to_string).collect();
            several.join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maps::Made;

    fn made(key: &str, body: Value) -> Made {
        Made {
            kind: "asset",
            key: key.to_owned(),
            beside: json!({"identity": {"mac": [key]}}),
            body,
        }
    }

    fn counted() -> (Tally, Coverage) {
        let mut tally = Tally::default();
        let schema = json!({"properties": {"id": {"type": "string"}, "os": {"type": "string"}}});
        let mut coverage = Coverage::new(&["id".to_owned()], &schema, Vec::new());
        coverage.record(&json!({"id": "e-1", "odd": "x"}));
        let problem = |pointer: &str, message: &str| (pointer.to_owned(), message.to_owned());
        let now = [made("e-1", json!({"name": "a\u{1b}[31m", "new": [1, 2]}))];
        tally.record(
            "e-1",
            &now,
            &[problem("/cves/0/score", "\"x\" is no number")],
        );
        tally.compare(
            &now,
            &[made("e-1", json!({"name": "A"})), made("e-2", json!({}))],
        );
        tally.record("e-2", &[], &[problem("/id", "is missing")]);
        (tally, coverage)
    }

    fn report(bad_lines: Option<u64>, tally: Tally) -> Report {
        Report {
            stream: "endpoints".to_owned(),
            map: "mine@2".to_owned(),
            against: None,
            in_use: false,
            bad_lines,
            tally,
            coverage: counted().1,
        }
    }

    #[test]
    fn lines_that_are_no_records_are_counted_in_text_and_json() {
        let some = report(Some(2), counted().0);
        let text = some.text("records", false);
        assert!(text.contains("2 lines of the file left out"), "{text}");
        assert_eq!(some.document()["badLines"], 2);
        let none = report(None, counted().0);
        assert!(!none.text("records", false).contains("left out"));
        assert_eq!(none.document()["badLines"], Value::Null);
    }

    #[test]
    fn why_there_is_no_record_is_told_as_it_is() {
        let told = |bad_lines| report(bad_lines, Tally::default()).text("records", false);
        assert!(told(None).contains("sync first"));
        let empty = told(Some(0));
        assert!(empty.contains("The file is empty") && !empty.contains("sync first"));
        let bad = told(Some(1));
        assert!(bad.contains("1 line of the file left out") && !bad.contains("is empty"));
    }

    #[test]
    fn a_preview_is_shown_as_recorded() {
        let (tally, coverage) = counted();
        let shown = text(
            "endpoints: mine@2 on records",
            Some("safe"),
            &tally,
            &coverage,
            false,
        );
        assert!(!shown.contains('\u{1b}'));
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn a_preview_as_json_is_as_recorded() {
        let (tally, coverage) = counted();
        let document = document("endpoints", "mine@2", Some("safe"), &tally, &coverage);
        insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap());
    }
}
