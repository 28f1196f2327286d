//! The values of a document, each with what it came from.

use serde_json::Value;

use super::place::leaves;
use super::witness::Testimony;
use crate::contract::connector::{Lifecycle, Origin as WitOrigin};

/// A value of a document.
#[derive(Debug, Clone)]
pub struct Field {
    /// JSON Pointer to its place.
    pub target: String,
    /// The value that is held.
    pub value: Value,
    /// Where it comes from.
    pub origin: Origin,
    /// What each record gives for this place now, the last one laid over all others.
    pub given: Vec<Given>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A record gives it now: the last of `given` that counts.
    Record,
    /// Only the platform knows it: in words, with the time of it where there is one.
    Platform(String),
    /// No record gives it now: an earlier record, map or import laid it down, and what a source does not know erases nothing.
    Earlier,
}

/// What a record gives for a place.
#[derive(Debug, Clone)]
pub struct Given {
    /// Which of the witnesses.
    pub witness: usize,
    /// What it gives now.
    pub value: Value,
    /// Whether that is the value that is held.
    pub is_held: bool,
    /// JSON Pointer into the map, to the rule; none where no rule is known.
    pub rule: Option<String>,
    /// The rule itself.
    pub rule_text: Option<Value>,
    /// Its conversion, where it has one.
    pub convert: Option<Value>,
    /// Where in the record it was read, and what stood there.
    pub sources: Vec<(String, Value)>,
}

/// The document as it is held.
pub(super) struct Held<'a> {
    pub(super) body: &'a Value,
    /// What the platform knows, in words, and the time of it.
    pub(super) times: &'a [(&'static str, String)],
}

/// Its values, by place, and what the records say to each.
pub(super) fn fields(held: &Held<'_>, testimonies: &[Option<Testimony>]) -> Vec<Field> {
    let mut places = Vec::new();
    leaves(held.body, String::new(), &mut places);
    places
        .into_iter()
        .map(|(target, value)| {
            let given: Vec<Given> = testimonies
                .iter()
                .enumerate()
                .filter_map(|(witness, testimony)| {
                    given(witness, testimony.as_ref()?, &target, value)
                })
                .collect();
            let platform = testimonies
                .iter()
                .flatten()
                .find_map(|testimony| filled_in(testimony, &target, held));
            let origin = match platform {
                Some(word) => Origin::Platform(word),
                None if given.iter().any(|given| given.is_held) => Origin::Record,
                None => Origin::Earlier,
            };
            Field {
                target,
                value: value.clone(),
                origin,
                given,
            }
        })
        .collect()
}

fn given(witness: usize, testimony: &Testimony, target: &str, held: &Value) -> Option<Given> {
    let value = testimony.body.pointer(target)?;
    let origins: Vec<&WitOrigin> = testimony
        .trace
        .iter()
        .flat_map(|trace| &trace.origins)
        .collect();
    // A constant may be a whole object: then its rule's place is above this one.
    let covers = |origin: &WitOrigin| {
        target
            .strip_prefix(origin.target.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let nearest = origins
        .iter()
        .filter(|origin| covers(origin))
        .map(|origin| origin.target.len())
        .max();
    let mut origins = origins
        .into_iter()
        .filter(|origin| covers(origin) && Some(origin.target.len()) == nearest);
    let first = origins.next();
    let rule = first.map(|origin| origin.rule.clone());
    let rule_text = rule
        .as_deref()
        .and_then(|rule| testimony.map.pointer(rule))
        .cloned();
    let mut sources: Vec<(String, Value)> = Vec::new();
    for source in first
        .into_iter()
        .chain(origins)
        .flat_map(|origin| &origin.sources)
    {
        if !sources.iter().any(|(known, _)| known == source) {
            let raw = testimony.record.pointer(source).cloned();
            sources.push((source.clone(), raw.unwrap_or(Value::Null)));
        }
    }
    Some(Given {
        witness,
        value: value.clone(),
        is_held: value == held,
        convert: rule_text
            .as_ref()
            .and_then(|rule| rule.get("convert"))
            .cloned(),
        rule_text,
        rule,
        sources,
    })
}

/// What the platform fills in at this place, where it does.
fn filled_in(testimony: &Testimony, target: &str, held: &Held<'_>) -> Option<String> {
    let placeholder = testimony
        .document
        .placeholders
        .iter()
        .find(|placeholder| placeholder.pointer == target)?;
    let word = match placeholder.value {
        Lifecycle::FirstSeen => "first seen",
        Lifecycle::LastSeen => "last seen",
        Lifecycle::ClosedAt => "closed",
        Lifecycle::State => return Some("how it stands".to_owned()),
    };
    let time = held.times.iter().find(|(known, _)| *known == word);
    Some(match time {
        Some((_, at)) => format!("{word} {at}"),
        None => word.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::connector::{Document, DocumentKind, Placeholder, Trace};
    use serde_json::json;

    fn origin(target: &str, rule: &str, sources: &[&str]) -> WitOrigin {
        WitOrigin {
            target: target.into(),
            rule: rule.into(),
            sources: sources.iter().map(|source| (*source).to_owned()).collect(),
        }
    }

    fn testimony() -> Testimony {
        Testimony {
            body: json!({"hostName": "web-1", "os": {"name": "Linux", "kind": 1}}),
            document: Document {
                kind: DocumentKind::Asset,
                key: "e1".into(),
                asset: None,
                identity: vec![],
                facets: vec![],
                placeholders: vec![Placeholder {
                    pointer: "/seen".into(),
                    value: Lifecycle::FirstSeen,
                    format: "rfc3339".into(),
                }],
                body: vec![],
            },
            trace: Some(Trace {
                kind: DocumentKind::Asset,
                key: "e1".into(),
                origins: vec![
                    origin("/hostName", "/rules/0", &["/endpoint_name"]),
                    origin("/os", "/rules/1", &[]),
                ],
            }),
            record: json!({"endpoint_name": "WEB-1"}),
            map: json!({"rules": [{"source": "endpoint_name", "target": "hostName", "convert": "lower"}, {"constant": {}}]}),
        }
    }

    #[test]
    fn each_value_is_told_with_its_rule_its_source_and_what_stood_there() {
        let held =
            json!({"hostName": "web-1", "os": {"name": "Linux"}, "domain": "corp", "seen": "then"});
        let fields = fields(
            &Held {
                body: &held,
                times: &[("first seen", "then".to_owned())],
            },
            &[Some(testimony())],
        );
        let of = |target: &str| fields.iter().find(|field| field.target == target).unwrap();
        let name = of("/hostName");
        assert_eq!(name.origin, Origin::Record);
        assert_eq!(name.given[0].rule.as_deref(), Some("/rules/0"));
        assert_eq!(name.given[0].convert, Some(json!("lower")));
        assert_eq!(
            name.given[0].sources,
            [("/endpoint_name".to_owned(), json!("WEB-1"))]
        );
        // A rule that writes an object covers what is in it.
        assert_eq!(of("/os/name").given[0].rule.as_deref(), Some("/rules/1"));
        assert_eq!(of("/domain").origin, Origin::Earlier);
        assert_eq!(
            of("/seen").origin,
            Origin::Platform("first seen then".to_owned())
        );
    }
}
