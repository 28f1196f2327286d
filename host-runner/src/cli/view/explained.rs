//! Where the values of a document came from, as a table and as JSON.

use serde_json::{Value, json};

use crate::cli::human;
use crate::cli::table::{Card, Table};
use crate::connection::explain::{Explained, Field, Given, Origin, Witness, named, path};
use crate::store::DocumentKind;

/// The longest value in a table, in characters.
const LONGEST: usize = 60;

/// For people: who feeds the document, and a table of its values; with `whole` the rules too.
pub fn text(explained: &Explained, whole: bool, colour: bool) -> String {
    let mut card = Card::new(format!(
        "{} {}, {}",
        kind(explained.kind),
        human::list(&explained.keys),
        explained.state
    ));
    card.row_if("host", explained.host.as_deref());
    card.row_if("title", explained.title.as_deref());
    card.lines("comes from", explained.witnesses.iter().map(witness));
    let mut table = Table::new(&["TARGET", "VALUE", "FROM", "RAW VALUE", "CONVERSION", "RULE"]);
    for field in &explained.fields {
        row(&mut table, explained, field);
    }
    let mut text = format!("{}\n\n{}", card.render(colour), table.render());
    if whole {
        text.push('\n');
        for field in &explained.fields {
            text.push_str(&rules(explained, field));
        }
    }
    text
}

fn kind(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Asset => "asset",
        DocumentKind::Finding => "finding",
    }
}

/// "endpoints record e1 of xdr, map safe 1.0.0".
fn witness(witness: &Witness) -> String {
    let mut text = format!("{} record {}", witness.stream, witness.record);
    if let Some(connection) = &witness.connection {
        text.push_str(&format!(" of {connection}"));
    }
    if let Some(map) = &witness.map {
        text.push_str(&format!(", map {map}"));
    }
    if !witness.live {
        text.push_str("; it is closed or out of scope");
    }
    for note in &witness.notes {
        text.push_str(&format!("; {note}"));
    }
    text
}

/// What counts: the last record whose value is held, else the last that gives another.
fn counts(field: &Field) -> Option<&Given> {
    let held = field.given.iter().rev().find(|given| given.is_held);
    held.or_else(|| field.given.last())
}

fn row(table: &mut Table, explained: &Explained, field: &Field) {
    let target = named(&field.target);
    let value = short(&field.value);
    match (&field.origin, counts(field)) {
        (Origin::Platform(word), given) => table.row([
            target,
            value,
            "the platform".to_owned(),
            word.clone(),
            String::new(),
            given
                .and_then(|given| given.rule.clone())
                .unwrap_or_default(),
        ]),
        (Origin::Earlier, None) => table.row([
            target,
            value,
            "laid down earlier; no record gives it now".to_owned(),
            String::new(),
            String::new(),
            String::new(),
        ]),
        (Origin::Earlier, Some(given)) => table.row([
            target,
            value,
            format!(
                "laid down earlier; {} gives {} now",
                stream(explained, given),
                short(&given.value)
            ),
            raw(given),
            convert(given),
            given.rule.clone().unwrap_or_default(),
        ]),
        (Origin::Record, given) => {
            let from = given.map_or_else(String::new, |given| {
                let sources: Vec<String> = given
                    .sources
                    .iter()
                    .map(|(place, _)| named(place))
                    .collect();
                match sources.as_slice() {
                    [] => format!("{}: a constant", stream(explained, given)),
                    sources => format!("{}: {}", stream(explained, given), sources.join(", ")),
                }
            });
            table.row([
                target,
                value,
                from,
                given.map(raw).unwrap_or_default(),
                given.map(convert).unwrap_or_default(),
                given
                    .and_then(|given| given.rule.clone())
                    .unwrap_or_default(),
            ]);
        }
    }
}

fn stream(explained: &Explained, given: &Given) -> String {
    explained
        .witnesses
        .get(given.witness)
        .map(|witness| witness.stream.to_string())
        .unwrap_or_default()
}

fn raw(given: &Given) -> String {
    let values: Vec<String> = given
        .sources
        .iter()
        .map(|(_, value)| short(value))
        .collect();
    values.join(", ")
}

fn convert(given: &Given) -> String {
    given.convert.as_ref().map(short).unwrap_or_default()
}

/// The value in a few characters: texts as they are, all else as JSON.
fn short(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.chars().count() <= LONGEST {
        return text;
    }
    let cut: String = text.chars().take(LONGEST - 3).collect();
    format!("{cut}...")
}

/// The rules of a value, whole, of each record that gives one.
fn rules(explained: &Explained, field: &Field) -> String {
    let mut text = String::new();
    for given in field.given.iter().rev() {
        let (Some(rule), Some(whole)) = (&given.rule, &given.rule_text) else {
            continue;
        };
        text.push_str(&format!(
            "\n{} by {} of {}: {}",
            human::plain(&named(&field.target)),
            human::plain(rule),
            human::plain(&stream(explained, given)),
            human::plain(&whole.to_string())
        ));
        if !given.is_held {
            text.push_str(&format!(
                "\n  gives {}, which is not what is held",
                human::plain(&short(&given.value))
            ));
        }
    }
    text
}

/// As JSON.
pub fn document(explained: &Explained) -> Value {
    let records: Vec<Value> = explained
        .witnesses
        .iter()
        .map(|witness| {
            json!({
                "connection": witness.connection,
                "stream": witness.stream,
                "record": witness.record,
                "live": witness.live,
                "lastSeen": witness.last_seen.to_rfc3339(),
                "map": witness.map,
                "notes": witness.notes,
            })
        })
        .collect();
    json!({
        "kind": kind(explained.kind),
        "keys": explained.keys,
        "host": explained.host,
        "title": explained.title,
        "state": explained.state,
        "records": records,
        "fields": explained.fields.iter().map(field).collect::<Vec<_>>(),
    })
}

fn field(field: &Field) -> Value {
    let (origin, platform) = match &field.origin {
        Origin::Record => ("record", None),
        Origin::Platform(word) => ("platform", Some(word)),
        Origin::Earlier => ("earlier", None),
    };
    let given: Vec<Value> = field
        .given
        .iter()
        .map(|given| {
            json!({
                "record": given.witness,
                "value": given.value,
                "held": given.is_held,
                "rule": given.rule,
                "ruleText": given.rule_text,
                "convert": given.convert,
                "sources": given.sources.iter().map(|(pointer, value)| json!({
                    "path": path(pointer),
                    "pointer": pointer,
                    "value": value,
                })).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "target": path(&field.target),
        "pointer": field.target,
        "value": field.value,
        "origin": origin,
        "platform": platform,
        "given": given,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{DataStreamName, Timestamp};

    fn given(witness: usize, value: Value, is_held: bool) -> Given {
        Given {
            witness,
            value,
            is_held,
            rule: Some("/rules/2".into()),
            rule_text: Some(
                json!({"source": "endpoint_name", "target": "hostName", "convert": "lower"}),
            ),
            convert: Some(json!("lower")),
            sources: vec![("/endpoint_name".into(), json!("WEB-1"))],
        }
    }

    fn explained() -> Explained {
        let witness = |stream: &str, live| Witness {
            connection: Some("xdr".into()),
            stream: DataStreamName::new(stream).unwrap(),
            record: "e1".into(),
            live,
            last_seen: Timestamp::from_ms(0).unwrap(),
            map: Some("safe 1.0.0".into()),
            notes: vec![],
        };
        let field = |target: &str, value: Value, origin, given| Field {
            target: target.into(),
            value,
            origin,
            given,
        };
        Explained {
            kind: DocumentKind::Asset,
            keys: vec!["e1".into()],
            host: Some("web-1".into()),
            title: None,
            state: "active",
            witnesses: vec![
                witness("endpoints", true),
                witness("vulnerabilities", false),
            ],
            fields: vec![
                field(
                    "/hostName",
                    json!("web-1"),
                    Origin::Record,
                    vec![
                        given(0, json!("web-1"), true),
                        given(1, json!("web-0"), false),
                    ],
                ),
                field("/tags/0", json!("old"), Origin::Earlier, vec![]),
                field(
                    "/os",
                    json!("Linux"),
                    Origin::Earlier,
                    vec![given(1, json!("Unix"), false)],
                ),
                field(
                    "/firstSeen",
                    json!("1970-01-01T00:00:00.000Z"),
                    Origin::Platform("first seen 1970-01-01T00:00:00.000Z".into()),
                    vec![Given {
                        rule: Some("/rules/7".into()),
                        rule_text: Some(
                            json!({"target": "firstSeen", "placeholder": "first-seen"}),
                        ),
                        convert: None,
                        sources: vec![],
                        ..given(0, json!("1970-01-01T00:00:00.000Z"), true)
                    }],
                ),
            ],
        }
    }

    #[test]
    fn an_explained_asset_is_as_recorded() {
        insta::assert_snapshot!(text(&explained(), true, false));
        insta::assert_json_snapshot!(document(&explained()));
    }
}
