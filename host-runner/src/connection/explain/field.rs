//! The values of a document, each with what it came from.

use serde_json::Value;

use super::place::leaves;
use super::witness::Testimony;
use crate::contract::connector::{Lifecycle, Origin as WitOrigin, Placeholder};

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
    /// Only the platform knows it: in words, with the time of it where there is one. The rule that asks for it is with `given`.
    Platform(String),
    /// No record gives it now: an earlier record, map or import laid it down, and what a source does not know erases nothing.
    Earlier,
}

/// What a record gives for a place.
#[derive(Debug, Clone)]
pub struct Given {
    /// Which of the witnesses.
    pub witness: usize,
    /// What it gives now; of a place that the platform fills in, what is held there.
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
    /// How it stands, in the words of maps: the one, or those between which only its state's values tell.
    pub(super) standings: &'a [&'static str],
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
                .rev()
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
    // The component leaves these places to the platform, and still names the rules.
    let value = if placeholder(testimony, target).is_some() {
        held
    } else {
        testimony.body.pointer(target)?
    };
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

/// What the map leaves to the platform at this place, where it does.
fn placeholder<'t>(testimony: &'t Testimony, target: &str) -> Option<&'t Placeholder> {
    let mut placeholders = testimony.document.placeholders.iter();
    placeholders.find(|placeholder| placeholder.pointer == target)
}

/// What the platform fills in at this place, where it does.
fn filled_in(testimony: &Testimony, target: &str, held: &Held<'_>) -> Option<String> {
    let word = match placeholder(testimony, target)?.value {
        Lifecycle::FirstSeen => "first seen",
        Lifecycle::LastSeen => "last seen",
        Lifecycle::ClosedAt => "closed",
        Lifecycle::State => return Some(standing(testimony, held)),
    };
    let time = held.times.iter().find(|(known, _)| *known == word);
    Some(match time {
        Some((_, at)) => format!("{word} {at}"),
        None => word.to_owned(),
    })
}

/// How the document stands, in a word. Where several would do, the values that the map has for them are compared with those that are held; a map that
/// has one value for two leaves both.
fn standing(testimony: &Testimony, held: &Held<'_>) -> String {
    let fits = |word: &str| {
        let placeholders = testimony.document.placeholders.iter();
        placeholders
            .filter(|placeholder| matches!(placeholder.value, Lifecycle::State))
            .all(|placeholder| {
                held.body.pointer(&placeholder.pointer) == value(placeholder, word).as_ref()
            })
    };
    let fitting: Vec<&str> = held
        .standings
        .iter()
        .copied()
        .filter(|word| fits(word))
        .collect();
    // With none the document was made with another map.
    let words = if fitting.is_empty() {
        held.standings
    } else {
        &fitting
    };
    words.join(" or ")
}

/// The value that a state has by a placeholder's table; without a table it is the word.
fn value(placeholder: &Placeholder, word: &str) -> Option<Value> {
    match serde_json::from_str(&placeholder.format) {
        Ok(Value::Object(mut table)) => table.remove(word),
        _ => Some(Value::from(word)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::connector::{Document, DocumentKind, Trace};
    use serde_json::json;

    fn origin(target: &str, rule: &str, sources: &[&str]) -> WitOrigin {
        WitOrigin {
            target: target.into(),
            rule: rule.into(),
            sources: sources.iter().map(|source| (*source).to_owned()).collect(),
        }
    }

    /// A target that does not tell what is new from what changed.
    const STATUS: &str = r#"{"new": "OPEN", "changed": "OPEN", "closed": "CLOSED"}"#;

    fn placeholder(pointer: &str, value: Lifecycle, format: &str) -> Placeholder {
        Placeholder {
            pointer: pointer.into(),
            value,
            format: format.into(),
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
                placeholders: vec![
                    placeholder("/seen", Lifecycle::FirstSeen, "rfc3339"),
                    placeholder("/status", Lifecycle::State, STATUS),
                ],
                body: vec![],
            },
            trace: Some(Trace {
                kind: DocumentKind::Asset,
                key: "e1".into(),
                origins: vec![
                    origin("/hostName", "/rules/0", &["/endpoint_name"]),
                    origin("/os", "/rules/1", &[]),
                    origin("/seen", "/rules/2", &[]),
                ],
            }),
            record: json!({"endpoint_name": "WEB-1"}),
            map: json!({"rules": [{"source": "endpoint_name", "target": "hostName", "convert": "lower"}, {"constant": {}},
                {"target": "seen", "placeholder": "first-seen"}]}),
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
                standings: &["new", "changed"],
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
        // The value is the platform's, and the rule that asks for it the map's.
        let seen = &of("/seen").given[0];
        assert_eq!(seen.rule.as_deref(), Some("/rules/2"));
        assert_eq!(
            seen.rule_text.as_ref().unwrap()["placeholder"],
            "first-seen"
        );
        assert!(seen.is_held && seen.sources.is_empty());
    }

    /// What is told of a document's `/status`, of which one record speaks.
    fn status(testimony: Testimony, body: &Value, standings: &[&'static str]) -> Origin {
        let held = Held {
            body,
            times: &[],
            standings,
        };
        let fields = fields(&held, &[Some(testimony)]);
        let status = fields.iter().find(|field| field.target == "/status");
        status.unwrap().origin.clone()
    }

    #[test]
    fn how_a_document_stands_is_told_in_the_words_of_maps() {
        let told = |body: Value, standings: &[&'static str]| {
            let mut testimony = testimony();
            let activity = r#"{"new": 1, "changed": 2, "closed": 3}"#;
            if body.get("activity").is_some() {
                let activity = placeholder("/activity", Lifecycle::State, activity);
                testimony.document.placeholders.push(activity);
            }
            status(testimony, &body, standings)
        };
        let platform = |word: &str| Origin::Platform(word.to_owned());
        assert_eq!(
            told(json!({"status": "CLOSED"}), &["closed"]),
            platform("closed")
        );
        let open = ["new", "changed"];
        assert_eq!(
            told(json!({"status": "OPEN"}), &open),
            platform("new or changed")
        );
        // Another place of the document may tell what this one does not.
        assert_eq!(
            told(json!({"status": "OPEN", "activity": 2}), &open),
            platform("changed")
        );
        // Made with another map, it says nothing by this one's table.
        assert_eq!(
            told(json!({"status": "?"}), &open),
            platform("new or changed")
        );
    }

    #[test]
    fn a_state_without_a_table_is_its_own_word() {
        let mut testimony = testimony();
        testimony.document.placeholders = vec![placeholder("/status", Lifecycle::State, "")];
        assert_eq!(
            status(
                testimony,
                &json!({"status": "changed"}),
                &["new", "changed"]
            ),
            Origin::Platform("changed".to_owned())
        );
    }
}
