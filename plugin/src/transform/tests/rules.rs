//! What each part of a rule means.

use super::{asset, asset_map, document, load, run, told};
use serde_json::{Value, json};

#[test]
fn absent_null_and_empty_text_give_no_key_and_no_empty_parent() {
    let rules = json!([
        {"source": "a", "target": "x.a"},
        {"source": "b", "target": "x.b"},
        {"source": "c", "target": "x.y.c"},
        {"source": "d", "target": "d"},
        {"source": "e.f", "target": "l[].e"}
    ]);
    assert_eq!(
        document(
            rules.clone(),
            json!({"a": null, "b": "", "e": {"f": ["", null]}})
        ),
        json!({})
    );
    assert_eq!(
        document(rules, json!({"a": false, "d": 0})),
        json!({"x": {"a": false}, "d": 0})
    );
}

#[test]
fn arrays_are_copied_as_arrays_and_empty_ones_too() {
    let rules = json!([{"source": "tags.a", "target": "a"}, {"source": "tags.b", "target": "b"}, {"source": "tags.c", "target": "c"}]);
    let record = json!({"tags": {"a": ["x", "y"], "b": []}});
    assert_eq!(
        document(rules.clone(), record),
        json!({"a": ["x", "y"], "b": []})
    );
    assert_eq!(
        document(rules, json!({"tags": {"a": ["x", "", null]}})),
        json!({"a": ["x"]})
    );
}

#[test]
fn values_of_one_source_list_share_an_element_in_order() {
    let rules = json!([
        {"source": "list[].a", "target": "out[].a"},
        {"source": "list[].b", "target": "out[].deep.b"}
    ]);
    let record = json!({"list": [{"a": 1, "b": "x"}, {"b": "y"}, {"a": 3}, {}]});
    assert_eq!(
        document(rules, record),
        json!({"out": [{"a": 1, "deep": {"b": "x"}}, {"deep": {"b": "y"}}, {"a": 3}]})
    );
}

#[test]
fn values_of_different_lists_are_not_paired_even_at_equal_length() {
    let rules =
        json!([{"source": "a[]", "target": "out[].a"}, {"source": "b[]", "target": "out[].b"}]);
    let record = json!({"a": [1, 2], "b": [3, 4]});
    assert_eq!(
        document(rules, record),
        json!({"out": [{"a": 1}, {"a": 2}, {"b": 3}, {"b": 4}]})
    );
}

#[test]
fn a_list_without_brackets_is_spread_over_a_target_list_as_one_with_them() {
    for source in ["a", "a[]"] {
        let rules = json!([{"source": source, "target": "out[].a"}, {"source": "a[]", "target": "plain[]"}]);
        assert_eq!(
            document(rules.clone(), json!({"a": [1, 2]})),
            json!({"out": [{"a": 1}, {"a": 2}], "plain": [1, 2]})
        );
        assert_eq!(
            document(rules, json!({"a": 1})),
            json!({"out": [{"a": 1}], "plain": [1]}),
            "a scalar is a list of one"
        );
    }
}

#[test]
fn a_source_list_without_a_target_list_is_gathered() {
    let rules = json!([{"source": "list[].a", "target": "all"}, {"source": "list[].b[]", "target": "flat", "convert": {"join": {"separator": "+"}}}]);
    let record = json!({"list": [{"a": 1, "b": ["x", "y"]}, {"b": ["z"]}, {"a": 3}]});
    assert_eq!(
        document(rules, record),
        json!({"all": [1, 3], "flat": "x+y+z"})
    );
}

#[test]
fn lists_within_lists_keep_their_shape() {
    let rules = json!([{"source": "a[].b[].c", "target": "x[].y[].z"}, {"source": "a[].n", "target": "x[].n"}]);
    let record = json!({"a": [{"n": 1, "b": [{"c": 1}, {"c": 2}]}, {"n": 2}, {"b": [{"c": 3}]}]});
    assert_eq!(
        document(rules, record),
        json!({"x": [{"n": 1, "y": [{"z": 1}, {"z": 2}]}, {"n": 2}, {"y": [{"z": 3}]}]})
    );
    let rules = json!([{"source": "a[].b", "target": "x[].y[].z"}]);
    let record = json!({"a": [{"b": ["p", "q"]}, {"b": "r"}]});
    assert_eq!(
        document(rules, record),
        json!({"x": [{"y": [{"z": "p"}, {"z": "q"}]}, {"y": [{"z": "r"}]}]})
    );
}

#[test]
fn aligned_by_value_elements_of_the_same_value_are_one() {
    let rules = json!([
        {"source": "all", "target": "net[].address", "align": "value"},
        {"source": "v4", "target": "net[].v4", "align": "value", "on": "address"},
        {"source": "v6", "target": "net[].v6", "align": "value", "on": "address"},
        {"source": "mac[]", "target": "net[].mac"}
    ]);
    let record = json!({"all": ["10.0.0.1", "fe80::1", "10.0.0.1", "10.0.0.2"], "v4": ["10.0.0.2", "10.0.0.1"], "v6": "fe80::1", "mac": ["m1", "m2"]});
    assert_eq!(
        document(rules.clone(), record),
        json!({"net": [
            {"address": "10.0.0.1", "v4": "10.0.0.1"}, {"address": "fe80::1", "v6": "fe80::1"}, {"address": "10.0.0.2", "v4": "10.0.0.2"},
            {"mac": "m1"}, {"mac": "m2"}
        ]})
    );
    // What has no partner is not lost.
    assert_eq!(
        document(rules, json!({"v4": ["10.9.9.9"]})),
        json!({"net": [{"v4": "10.9.9.9"}]})
    );
}

#[test]
fn aligned_by_position_documented_parallel_lists_share_their_elements() {
    let rules = json!([
        {"source": "names[]", "target": "out[].name"},
        {"source": "sizes[]", "target": "out[].size", "align": "position", "on": "names[]"}
    ]);
    let record = json!({"names": ["a", "b"], "sizes": [null, 2, 3]});
    assert_eq!(
        document(rules, record),
        json!({"out": [{"name": "a"}, {"name": "b", "size": 2}, {"size": 3}]})
    );
}

#[test]
fn aligned_with_each_a_value_goes_into_every_element_wherever_the_rule_stands() {
    let rules = json!([
        {"source": "domain", "target": "out[].domain", "align": "each"},
        {"constant": "k", "target": "out[].kind"},
        {"source": "a[]", "target": "out[].a"},
        {"source": "b[]", "target": "out[].b"}
    ]);
    let record = json!({"domain": "d", "a": [1], "b": [2]});
    assert_eq!(
        document(rules.clone(), record),
        json!({"out": [{"a": 1, "domain": "d", "kind": "k"}, {"b": 2, "domain": "d", "kind": "k"}]})
    );
    assert_eq!(document(rules, json!({"domain": "d"})), json!({}));
}

#[test]
fn a_default_stands_in_for_an_absent_value_and_not_for_a_wrong_one() {
    let rules = json!([
        {"source": "a", "target": "a", "default": "none"},
        {"source": "n", "target": "n", "convert": "number", "default": 0},
        {"source": "list[].s", "target": "out[].s", "default": "?"}
    ]);
    assert_eq!(
        document(rules.clone(), json!({"a": "", "list": [{"s": "x"}, {}]})),
        json!({"a": "none", "n": 0, "out": [{"s": "x"}, {"s": "?"}]})
    );
    let (document, problems) = asset(rules, json!({"a": "x", "n": "many"}));
    assert_eq!(document, json!({"a": "x"}));
    assert_eq!(
        problems,
        ["/n: the text \"many\" where a number is expected"]
    );
}

#[test]
fn a_constant_is_written_always_or_where_its_source_has_a_value() {
    let rules = json!([
        {"constant": "PAN", "target": "vendor"},
        {"source": "b", "constant": true, "target": "hasB"},
        {"source": "list[].x", "constant": "x", "target": "out[].kind"}
    ]);
    assert_eq!(
        document(rules.clone(), json!({"list": [{"x": 1}, {}]})),
        json!({"vendor": "PAN", "out": [{"kind": "x"}]})
    );
    assert_eq!(
        document(rules, json!({"b": 0})),
        json!({"vendor": "PAN", "hasB": true})
    );
}

#[test]
fn a_condition_decides_whether_a_rule_holds() {
    let rule = |when: Value| json!([{"source": "v", "target": "v", "when": when}]);
    let holds = |when: Value, record: Value| document(rule(when), record) == json!({"v": "x"});
    assert!(holds(
        json!({"source": "k", "equals": 1}),
        json!({"v": "x", "k": 1})
    ));
    assert!(!holds(
        json!({"source": "k", "equals": 1}),
        json!({"v": "x", "k": "1"})
    ));
    assert!(holds(
        json!({"source": "k", "in": ["a", "b"]}),
        json!({"v": "x", "k": ["c", "b"]})
    ));
    assert!(holds(
        json!({"source": "k", "present": false}),
        json!({"v": "x", "k": ""})
    ));
    assert!(!holds(
        json!({"source": "k", "present": true}),
        json!({"v": "x"})
    ));
    assert!(holds(
        json!({"source": "k", "is": "ipv4"}),
        json!({"v": "x", "k": "10.0.0.1"})
    ));
    assert!(holds(
        json!({"source": "l[].k", "equals": 2}),
        json!({"v": "x", "l": [{"k": 1}, {"k": 2}]})
    ));
    assert!(holds(
        json!({"not": {"source": "k", "equals": 1}}),
        json!({"v": "x"})
    ));
    let both = json!([{"source": "k", "present": true}, {"source": "m", "present": true}]);
    assert!(
        !holds(both.clone(), json!({"v": "x", "k": 1}))
            && holds(both.clone(), json!({"v": "x", "k": 1, "m": 1}))
    );
    assert!(holds(json!({"any": both}), json!({"v": "x", "m": 1})));
    assert!(!holds(json!({"customField": "field"}), json!({"v": "x"})));
}

#[test]
fn a_condition_within_a_list_is_asked_of_the_same_element() {
    let rules = json!([{"source": "l[].name", "target": "out[].id", "when": {"source": "l[].kind", "equals": "good"}}]);
    let record = json!({"l": [{"name": "a", "kind": "good"}, {"name": "b", "kind": "bad"}, {"name": "c", "kind": "good"}]});
    assert_eq!(
        document(rules, record),
        json!({"out": [{"id": "a"}, {"id": "c"}]})
    );
}

#[test]
fn of_rules_for_one_target_the_first_that_has_a_value_wins() {
    let rules = json!([
        {"source": "a", "target": "v", "when": {"source": "k", "equals": 1}},
        {"source": "b", "target": "v"}
    ]);
    assert_eq!(
        document(rules.clone(), json!({"a": "a", "b": "b", "k": 1})),
        json!({"v": "a"})
    );
    assert_eq!(
        document(rules, json!({"a": "a", "b": "b", "k": 2})),
        json!({"v": "b"})
    );
}

#[test]
fn several_sources_are_joined_or_the_first_is_taken() {
    let rules = json!([
        {"source": ["a", "b"], "target": "id", "convert": {"concat": {"separator": "|"}}},
        {"source": ["b", "a"], "target": "first", "convert": ["first-of", "upper"]},
        {"source": ["a", "l[].n"], "target": "out[].id", "convert": {"concat": {"separator": "-"}}}
    ]);
    assert_eq!(
        document(
            rules.clone(),
            json!({"a": "x", "b": 2, "l": [{"n": 1}, {}, {"n": 2}]})
        ),
        json!({"id": "x|2", "first": "2", "out": [{"id": "x-1"}, {"id": "x-2"}]})
    );
    assert_eq!(document(rules, json!({"a": "x"})), json!({"first": "X"}));
}

#[test]
fn without_a_required_value_there_is_no_document() {
    let rules = json!([{"source": "must", "target": "must", "required": true}, {"source": "a", "target": "a"}]);
    let (body, problems) = asset(rules.clone(), json!({"a": 1}));
    assert_eq!(
        (body, problems.as_slice()),
        (
            Value::Null,
            ["/must: missing, and the map requires it".to_owned()].as_slice()
        )
    );
    assert_eq!(document(rules, json!({"must": 1})), json!({"must": 1}));
    let rules = json!([{"source": "must", "target": "must", "required": true, "convert": "time"}]);
    let (body, problems) = asset(rules, json!({"must": -1}));
    assert_eq!((body, problems.len()), (Value::Null, 1));
}

#[test]
fn an_element_without_a_required_value_is_left_out_and_the_rest_stays() {
    let rules = json!([{"source": "l[].id", "target": "out[].id", "required": true}, {"source": "l[].a", "target": "out[].a"}]);
    let (body, problems) = asset(
        rules,
        json!({"l": [{"id": 1, "a": 1}, {"a": 2}, {"id": 3}]}),
    );
    assert_eq!(body, json!({"out": [{"id": 1, "a": 1}, {"id": 3}]}));
    assert_eq!(
        problems,
        ["/l/1/id: missing, and the map requires it; this element is left out"]
    );
}

#[test]
fn a_value_of_a_wrong_type_is_a_problem_of_that_value_alone() {
    let rules = json!([
        {"source": "t", "target": "t", "convert": "time"},
        {"source": "o.x", "target": "x"},
        {"source": "l[].n", "target": "out[].n", "convert": "number"},
        {"source": "ok", "target": "ok"}
    ]);
    let (body, problems) = asset(
        rules,
        json!({"t": {"a": 1}, "o": "text", "l": [{"n": 1}, {"n": "x"}, 7], "ok": "ok"}),
    );
    assert_eq!(body, json!({"out": [{"n": 1}], "ok": "ok"}));
    assert_eq!(
        problems,
        [
            "/t: an object where milliseconds since 1970 are expected",
            "/o: the text \"text\" where an object is expected",
            "/l/1/n: the text \"x\" where a number is expected",
            "/l/2: the number 7 where an object is expected",
        ]
    );
}

#[test]
fn the_types_of_the_target_model_are_kept() {
    let model = json!({"properties": {"asset": {"type": "object", "properties": {
        "name": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}},
        "net": {"type": "array", "items": {"type": "object", "properties": {"ip": {"type": "string"}}}}
    }}}});
    let map = asset_map(json!([
        {"source": "name", "target": "name"}, {"source": "tags", "target": "tags"}, {"source": "ip", "target": "net[].ip"}
    ]));
    let mut context = super::context("things");
    context.model = serde_json::to_vec(&model).unwrap();
    let mapper =
        super::prepare_with(&serde_json::to_vec(&map).unwrap(), &context, |_| None).unwrap();
    let outcome = run(
        &mapper,
        &json!({"id": "1", "name": 5, "tags": ["a", 1, "b"], "ip": ["x", {"y": 1}]}),
    );
    assert_eq!(
        outcome.documents[0].body,
        br#"{"net":[{"ip":"x"}],"tags":["a","b"]}"#
    );
    assert_eq!(
        told(&outcome),
        [
            "/name: the number 5 where string is expected",
            "/tags/1: the number 1 where string is expected",
            "/ip/1: an object where string is expected"
        ]
    );
    let outcome = run(&mapper, &json!({"id": "1", "tags": "a"}));
    assert_eq!(
        told(&outcome),
        ["/tags: the text \"a\" where array is expected"]
    );
}

#[test]
fn documents_print_their_keys_sorted_and_the_same_each_time() {
    let mapper = load(&asset_map(
        json!([{"source": "b", "target": "b"}, {"source": "a", "target": "a"}]),
    ))
    .unwrap();
    let record = json!({"id": "1", "a": 1.0, "b": "é\n\"\u{1}"});
    let first = run(&mapper, &record);
    assert_eq!(
        first.documents[0].body,
        "{\"a\":1.0,\"b\":\"é\\n\\\"\\u0001\"}".as_bytes()
    );
    assert_eq!(
        run(&mapper, &record).documents[0].body,
        first.documents[0].body
    );
}

#[test]
fn records_that_are_no_objects_have_no_documents_and_one_problem() {
    let mapper = load(&asset_map(json!([]))).unwrap();
    for body in [
        "",
        "{",
        "[]",
        "null",
        "7",
        "\"x\"",
        "{\"id\":\"1\"} x",
        "{\"id\":\"\\ud800\"}",
    ] {
        let outcome = mapper.apply_one("key", body.as_bytes());
        assert!(
            outcome.documents.is_empty() && outcome.problems.len() == 1,
            "{body}: {outcome:?}"
        );
    }
}

#[test]
fn the_number_of_problems_that_are_told_is_bounded() {
    let mapper = load(&asset_map(
        json!([{"source": "l[].n", "target": "out[].n", "convert": "number"}]),
    ))
    .unwrap();
    let list: Vec<Value> = (0..1000).map(|_| json!({"n": "x"})).collect();
    let outcome = run(&mapper, &json!({"id": "1", "l": list}));
    assert_eq!(outcome.problems.len(), 101);
    assert_eq!(
        outcome.problems.last().unwrap().message,
        "and 900 more problems in this record"
    );
}

/// A map whose findings are elements of a list.
pub(super) fn findings_map(nested: bool) -> Value {
    json!({
        "name": "test", "version": "1.0.0", "source": "things", "target": "test",
        "asset": {"key": "id", "identity": {"host-name": "host", "ip": "ips"}, "facets": {"title": "host"}},
        "finding": {
            "list": "finding[]", "each": "cves[]", "nested": nested,
            "key": {"source": ["id", "cves[].name"], "convert": {"concat": {"separator": "|"}}},
            "identity": {"host-name": "host", "ip": "ips[]"},
            "facets": {
                "severity": {"source": "cves[].sev", "convert": "severity", "default": "unknown"},
                "kind": {"constant": "scored", "when": {"source": "cves[].score", "present": true}}
            }
        },
        "rules": [
            {"source": "host", "target": "hostName"},
            {"source": "cves[].name", "target": "finding[].name"},
            {"source": "cves[].score", "target": "finding[].score", "convert": "number"},
            {"source": "host", "target": "finding[].host"},
            {"constant": "v", "target": "finding[].kind"},
            {"target": "finding[].seen.first", "placeholder": "first-seen"},
            {"target": "seen", "placeholder": "last-seen", "format": "epoch-ms"}
        ]
    })
}

#[test]
fn elements_of_the_findings_list_are_documents_of_their_own() {
    let record = json!({"id": "e1", "host": "h", "ips": ["10.0.0.1", "10.0.0.2"], "cves": [
        {"name": "A", "sev": "HIGH", "score": "9.8"}, {"name": "B"}, {"name": "A", "score": 1}, {"sev": "LOW"}, null
    ]});
    for nested in [true, false] {
        let outcome = run(&load(&findings_map(nested)).unwrap(), &record);
        let shown = super::shown(&outcome);
        let finding_a = json!({"host": "h", "kind": "v", "name": "A", "score": 9.8, "seen": {}});
        let finding_b = json!({"host": "h", "kind": "v", "name": "B", "seen": {}});
        let mut body = json!({"hostName": "h"});
        if nested {
            body["finding"] = json!([finding_a, finding_b]);
        }
        let identity = json!([["host-name", "h"], ["ip", "10.0.0.1"], ["ip", "10.0.0.2"]]);
        let first = json!([{"pointer": "/seen/first", "value": "first-seen", "format": "rfc3339"}]);
        assert_eq!(
            shown,
            json!({
                "documents": [
                    {"kind": "asset", "key": "e1", "asset": null, "identity": identity, "facets": [["title", "h"]],
                     "placeholders": [{"pointer": "/seen", "value": "last-seen", "format": "epoch-ms"}], "body": body},
                    {"kind": "finding", "key": "e1|A", "asset": "e1", "identity": identity,
                     "facets": [["kind", "scored"], ["severity", "high"]], "placeholders": first, "body": finding_a},
                    {"kind": "finding", "key": "e1|B", "asset": "e1", "identity": identity,
                     "facets": [["severity", "unknown"]], "placeholders": first, "body": finding_b},
                ],
                "problems": [
                    "/cves/3/name: missing, and it is the key; this finding is left out",
                    "/cves/4/name: missing, and it is the key; this finding is left out",
                ]
            })
        );
    }
}

#[test]
fn a_finding_without_a_required_value_is_left_out_nested_and_alone() {
    let mut map = findings_map(true);
    map["rules"]
        .as_array_mut()
        .unwrap()
        .push(json!({"source": "cves[].sev", "target": "finding[].sev", "required": true}));
    let outcome = run(
        &load(&map).unwrap(),
        &json!({"id": "e1", "cves": [{"name": "A"}, {"name": "B", "sev": "LOW"}]}),
    );
    let keys: Vec<_> = outcome
        .documents
        .iter()
        .map(|document| document.key.as_str())
        .collect();
    assert_eq!(keys, ["e1", "e1|B"]);
    assert_eq!(
        outcome.documents[1].body,
        br#"{"kind":"v","name":"B","seen":{},"sev":"LOW"}"#
    );
}

#[test]
fn a_record_may_itself_be_the_finding() {
    let map = json!({
        "name": "test", "version": "1.0.0", "source": "things", "target": "test",
        "finding": {"key": "id", "asset": "endpoint", "facets": {"mac": ["m", "ms"]}},
        "rules": [{"source": "title", "target": "title"}]
    });
    let mapper = load(&map).unwrap();
    let outcome = run(
        &mapper,
        &json!({"id": 7, "endpoint": "e", "title": "t", "m": "a", "ms": ["a", "b"]}),
    );
    assert_eq!(
        super::shown(&outcome)["documents"],
        json!([{"kind": "finding", "key": "7", "asset": "e", "identity": [], "facets": [["mac", "a"], ["mac", "b"]], "placeholders": [], "body": {"title": "t"}}])
    );
    let outcome = run(&mapper, &json!({"id": "7", "title": "t"}));
    assert_eq!(outcome.documents[0].asset, None);
    let outcome = run(&mapper, &json!({"title": "t"}));
    assert!(outcome.documents.is_empty());
    assert_eq!(
        told(&outcome),
        ["/id: missing, and it is the key; the record has no document without it"]
    );
}

#[test]
fn a_list_that_can_not_be_read_is_not_taken_for_an_empty_one() {
    let rules = json!([
        {"source": "events[].user", "target": "users"},
        {"source": "times", "target": "times", "convert": "time"}
    ]);
    for (record, expected, problems) in [
        (
            json!({"events": [], "times": []}),
            json!({"users": [], "times": []}),
            0,
        ),
        (json!({"events": false, "times": [0, 1]}), json!({}), 3),
        (
            json!({"events": [7, {"user": "u"}], "times": [0, 1_700_000_000_000_u64]}),
            json!({"users": ["u"], "times": ["2023-11-14T22:13:20.000Z"]}),
            2,
        ),
    ] {
        let (document, told) = asset(rules.clone(), record);
        assert_eq!((&document, told.len()), (&expected, problems), "{told:?}");
    }
}

#[test]
fn what_is_an_object_to_one_rule_and_a_list_to_another_is_read_right_by_both() {
    let rules = json!([
        {"source": "b.a", "target": "one"},
        {"source": "b[].c", "target": "each"},
        {"source": "b[].a", "target": "all"}
    ]);
    assert_eq!(
        document(rules.clone(), json!({"b": {"a": "x", "c": "y"}})),
        json!({"one": "x", "each": ["y"], "all": ["x"]})
    );
    let (list, problems) = asset(rules, json!({"b": [{"a": "x"}, {"c": "y"}]}));
    assert_eq!(list, json!({"each": ["y"], "all": ["x"]}));
    assert_eq!(problems, ["/b: a list where an object is expected"]);
}
