//! What a document's places get where values are missing: objects that the model would not take, and what stands in.

use super::{asset, asset_map, context, document, load, run, told};
use crate::contract::{MapContext, Outcome};
use crate::transform::prepare_with;
use serde_json::{Value, json};

/// Objects that need something, alone, in a list and below another.
fn model() -> Value {
    json!({"properties": {
        "asset": {
            "type": "object",
            "properties": {
                "os": {"type": "object", "required": ["name", "kind"], "properties": {"name": {}, "kind": {}}},
                "near": {"type": "object", "properties": {"os": {"$ref": "#/properties/asset/properties/os"}, "far": {}}},
                "finding": {"type": "array", "items": {"$ref": "#/properties/finding"}},
                "parts": {"type": "array", "items": {
                    "type": "object",
                    "anyOf": [{"required": ["ip"]}, {"required": ["mac"]}],
                    "properties": {"ip": {}, "mac": {}, "kind": {}, "seen": {}}
                }}
            }
        },
        "finding": {"type": "object", "required": ["uid"], "properties": {
            "uid": {"type": "string"},
            "cve": {"type": "object", "required": ["id"], "properties": {"id": {}, "score": {}}}
        }}
    }})
}

fn outcome(map: &Value, record: Value) -> Outcome {
    let context = MapContext {
        model: serde_json::to_vec(&model()).unwrap(),
        ..context("things")
    };
    let mapper = prepare_with(&serde_json::to_vec(map).unwrap(), &context, |_| None).unwrap();
    run(&mapper, &record)
}

fn body(outcome: &Outcome, at: usize) -> Value {
    serde_json::from_slice(&outcome.documents[at].body).unwrap()
}

#[test]
fn an_object_without_what_the_model_requires_of_it_is_not_written() {
    let map = asset_map(json!([
        {"source": "name", "target": "os.name"},
        {"target": "os.kind", "constant": 0},
        {"source": "name", "target": "near.os.name"},
        {"target": "near.os.kind", "constant": 0}
    ]));
    let whole = outcome(&map, json!({"id": "1", "name": "Linux"}));
    assert_eq!(
        body(&whole, 0),
        json!({"os": {"name": "Linux", "kind": 0}, "near": {"os": {"name": "Linux", "kind": 0}}})
    );
    for name in [json!(null), json!("")] {
        let half = outcome(&map, json!({"id": "1", "name": name}));
        assert_eq!((body(&half, 0), told(&half)), (json!({}), vec![]));
    }
}

#[test]
fn an_element_needs_one_of_what_its_model_lists() {
    let map = asset_map(json!([
        {"source": "parts[].ip", "target": "parts[].ip"},
        {"source": "parts[].mac", "target": "parts[].mac"},
        {"target": "parts[].kind", "constant": 3}
    ]));
    let record = json!({"id": "1", "parts": [{"ip": "a"}, {}, {"mac": "b"}, {"ip": ""}]});
    assert_eq!(
        body(&outcome(&map, record), 0),
        json!({"parts": [{"ip": "a", "kind": 3}, {"kind": 3, "mac": "b"}]})
    );
}

/// A map of findings in a list, as the model has them.
fn findings(nested: bool) -> Value {
    let mut map = asset_map(json!([
        {"source": "cves[].name", "target": "finding[].uid"},
        {"source": "cves[].id", "target": "finding[].cve.id"},
        {"source": "cves[].score", "target": "finding[].cve.score"}
    ]));
    map["finding"] = json!({
        "list": "finding[]", "each": "cves[]", "nested": nested,
        "key": {"source": ["id", "cves[].name"], "convert": {"concat": {"separator": "|"}}}
    });
    map
}

#[test]
fn an_object_within_a_finding_is_left_out_by_itself() {
    let record = json!({"id": "1", "cves": [{"name": "a", "id": "x", "score": 1}, {"name": "b", "score": 2}]});
    let outcome = outcome(&findings(false), record);
    assert_eq!(
        [body(&outcome, 1), body(&outcome, 2)],
        [
            json!({"cve": {"id": "x", "score": 1}, "uid": "a"}),
            json!({"uid": "b"})
        ]
    );
}

#[test]
fn a_finding_without_what_the_model_requires_is_in_no_document_and_a_problem_of_its_own() {
    let record = json!({"id": "1", "cves": [{"name": 5, "id": "x"}, {"name": "b"}]});
    for nested in [true, false] {
        let outcome = outcome(&findings(nested), record.clone());
        let keys: Vec<&str> = outcome
            .documents
            .iter()
            .map(|document| document.key.as_str())
            .collect();
        assert_eq!(keys, ["1", "1|b"]);
        let asset = match nested {
            true => json!({"finding": [{"uid": "b"}]}),
            false => json!({}),
        };
        assert_eq!(
            (body(&outcome, 0), body(&outcome, 1)),
            (asset, json!({"uid": "b"}))
        );
        assert_eq!(
            told(&outcome),
            [
                "/cves/0/name: the number 5 where string is expected",
                "/cves/0: `uid` has no value, and the target model requires it; this finding is left out"
            ]
        );
    }
}

#[test]
fn a_record_whose_document_lacks_what_the_model_requires_has_none() {
    let map = json!({
        "name": "m", "version": "1.0", "source": "things", "target": "t",
        "finding": {"key": "id"}, "rules": [{"source": "uid", "target": "uid"}]
    });
    assert_eq!(
        outcome(&map, json!({"id": "1", "uid": "u"}))
            .documents
            .len(),
        1
    );
    let half = outcome(&map, json!({"id": "1", "uid": 7}));
    assert!(half.documents.is_empty());
    assert_eq!(
        told(&half),
        [
            "/uid: the number 7 where string is expected",
            ": `uid` has no value, and the target model requires it; the record has no document without it"
        ]
    );
    // One line is enough where the map says so too.
    let mut map = map;
    map["rules"][0]["required"] = json!(true);
    let half = outcome(&map, json!({"id": "1"}));
    assert_eq!(told(&half), ["/uid: missing, and the map requires it"]);
}

#[test]
fn a_map_that_never_writes_what_the_model_requires_is_refused_with_the_path() {
    let told = |map: &Value, model: &Value| -> Vec<String> {
        let context = MapContext {
            model: serde_json::to_vec(model).unwrap(),
            ..context("things")
        };
        let problems =
            prepare_with(&serde_json::to_vec(map).unwrap(), &context, |_| None).unwrap_err();
        problems
            .into_iter()
            .map(|problem| format!("{}: {}", problem.pointer, problem.message))
            .collect()
    };
    let mut map = findings(true);
    map["rules"] = json!([{"source": "a", "target": "os.name"}]);
    let mut model = model();
    model["properties"]["asset"]["required"] = json!(["os"]);
    assert_eq!(
        told(&map, &model),
        [
            "/rules: no rule writes `os.kind`, and the target model requires it; add a rule with this target",
            "/rules: no rule writes `finding[].uid`, and the target model requires it; add a rule with this target"
        ]
    );
    map["rules"] = json!([]);
    assert!(told(&map, &model)[0].contains("no rule writes `os`, and"));
    // A model with several forms asks for the one that the map comes nearest to.
    let forms = json!({"properties": {"finding": {"oneOf": [
        {"type": "object", "required": ["class", "a"], "properties": {"class": {}, "a": {}}},
        {"type": "object", "required": ["class", "b", "c"], "properties": {"class": {}, "b": {}, "c": {}}}
    ]}}});
    let mut map = json!({
        "name": "m", "version": "1.0", "source": "things", "target": "t", "finding": {"key": "id"},
        "rules": [{"constant": 1, "target": "class"}]
    });
    assert_eq!(
        told(&map, &forms),
        [
            "/rules: no rule writes `a`, and the target model requires it; add a rule with this target"
        ]
    );
    map["rules"] = json!([{"constant": 1, "target": "class"}, {"source": "b", "target": "b"}, {"source": "c", "target": "c"}]);
    let context = MapContext {
        model: serde_json::to_vec(&forms).unwrap(),
        ..context("things")
    };
    let mapper = prepare_with(&serde_json::to_vec(&map).unwrap(), &context, |_| None).unwrap();
    assert_eq!(
        run(&mapper, &json!({"id": "1", "b": 1, "c": 1}))
            .documents
            .len(),
        1
    );
    assert_eq!(run(&mapper, &json!({"id": "1", "b": 1})).documents.len(), 0);
}

#[test]
fn what_the_platform_will_write_counts_as_there() {
    let map = asset_map(json!([
        {"target": "os.name", "placeholder": "first-seen"},
        {"target": "os.kind", "constant": 0}
    ]));
    let outcome = outcome(&map, json!({"id": "1"}));
    assert_eq!(body(&outcome, 0), json!({"os": {"kind": 0}}));
    assert_eq!(outcome.documents[0].placeholders[0].pointer, "/os/name");
}

#[test]
fn values_of_an_object_that_is_not_written_are_in_no_trace() {
    let map = asset_map(json!([
        {"source": "name", "target": "os.name"},
        {"target": "os.kind", "constant": 0},
        {"source": "id", "target": "near.far"}
    ]));
    let context = MapContext {
        model: serde_json::to_vec(&model()).unwrap(),
        ..context("things")
    };
    let mapper = prepare_with(&serde_json::to_vec(&map).unwrap(), &context, |_| None).unwrap();
    let traces = mapper.explain("1", br#"{"id": "1"}"#).unwrap();
    let origins = &traces[0].origins;
    assert_eq!(origins.len(), 1);
    assert_eq!(origins[0].target, "/near/far");
    assert_eq!(origins[0].rule, "/rules/2");
}

#[test]
fn a_constant_behind_a_rule_stands_where_that_one_has_no_value() {
    let rules = json!([
        {"source": "kind", "target": "kind", "convert": {"table": {"cases": {"a": 1}}}},
        {"target": "kind", "constant": 0}
    ]);
    assert_eq!(
        document(rules.clone(), json!({"kind": "a"})),
        json!({"kind": 1})
    );
    assert_eq!(document(rules.clone(), json!({})), json!({"kind": 0}));
    let (wrong, problems) = asset(rules, json!({"kind": "odd"}));
    assert_eq!((wrong, problems.len()), (json!({"kind": 0}), 1));
}

#[test]
fn a_placeholder_behind_a_rule_stands_where_that_one_has_no_value() {
    let rules = json!([
        {"source": "time", "target": "time"},
        {"target": "time", "placeholder": "first-seen"}
    ]);
    let mapper = load(&asset_map(rules)).unwrap();
    for (record, places) in [(json!({"id": "1", "time": 5}), 0), (json!({"id": "1"}), 1)] {
        assert_eq!(
            run(&mapper, &record).documents[0].placeholders.len(),
            places
        );
    }
}

#[test]
fn what_stands_in_must_stand_behind() {
    for rules in [
        json!([{"target": "x", "constant": 0}, {"source": "a", "target": "x"}]),
        json!([{"target": "x", "constant": 0}, {"target": "x", "constant": 1}]),
        json!([{"target": "x", "placeholder": "first-seen"}, {"target": "x", "constant": 1}]),
    ] {
        let problems = load(&asset_map(rules.clone())).unwrap_err();
        assert_eq!(problems[0].pointer, "/rules/1/target", "{rules}");
    }
}

#[test]
fn a_finding_is_identified_as_the_asset_of_its_map_where_the_map_does_not_say() {
    let mut map = asset_map(json!([]));
    map["asset"]["identity"] = json!({"external-id": "id", "ip": "ips"});
    map["finding"] = json!({"key": "cves[].name", "list": "finding[]", "each": "cves[]"});
    let record = json!({"id": "1", "ips": ["a", "b"], "cves": [{"name": "x"}, {"name": "y"}]});
    let outcome = run(&load(&map).unwrap(), &record);
    assert_eq!(outcome.documents[0].identity.len(), 3);
    for finding in &outcome.documents[1..] {
        assert_eq!(finding.identity, outcome.documents[0].identity);
    }
    map["finding"]["identity"] = json!({"external-id": "id"});
    let outcome = run(&load(&map).unwrap(), &record);
    assert_eq!(outcome.documents[1].identity.len(), 1);
}

#[test]
fn states_without_a_value_of_their_own_are_as_those_before_them() {
    for (format, expected) in [
        (
            json!({"new": 1, "closed": 3}),
            json!({"new": 1, "changed": 1, "reopened": 1, "closed": 3}),
        ),
        (
            json!({"new": 1, "changed": 2, "closed": 3, "out-of-scope": 9}),
            json!({"new": 1, "changed": 2, "reopened": 2, "closed": 3, "out-of-scope": 9}),
        ),
        (
            json!({"new": 1, "reopened": 2, "closed": 3}),
            json!({"new": 1, "changed": 1, "reopened": 2, "closed": 3}),
        ),
    ] {
        let rules = json!([{"target": "state", "placeholder": "state", "format": format}]);
        let outcome = run(&load(&asset_map(rules)).unwrap(), &json!({"id": "1"}));
        let written: Value =
            serde_json::from_str(&outcome.documents[0].placeholders[0].format).unwrap();
        assert_eq!(written, expected);
    }
}
