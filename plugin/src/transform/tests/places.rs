//! A problem points to the value that is wrong, wherever the rule read it.

use super::{asset, asset_map, context, run, told};
use crate::transform::prepare_with;
use crate::transform::tests::bundled::named;
use serde_json::{Value, json};

fn problems(rules: Value, record: Value) -> Vec<String> {
    let (_, problems) = asset(rules, record);
    let place = |problem: &String| problem.split(':').next().unwrap().to_owned();
    problems.iter().map(place).collect()
}

#[test]
fn a_gathered_value_is_pointed_to_in_its_own_element() {
    let rules = json!([{"source": "l[].n", "target": "all", "convert": "number"}]);
    let record = json!({"l": [{"m": "a"}, {"n": ""}, {"n": "x"}, {"n": 1}, {"n": "y"}]});
    assert_eq!(problems(rules.clone(), record), ["/l/2/n", "/l/4/n"]);
    assert_eq!(problems(rules, json!({"l": {"n": "x"}})), ["/l/n"]);
    let rules = json!([{"source": "a[].b[].c", "target": "x[].all", "convert": "number"}]);
    let record = json!({"a": [{"b": [{}]}, {"b": [{"c": 1}, {"c": "x"}]}]});
    assert_eq!(problems(rules, record), ["/a/1/b/1/c"]);
}

#[test]
fn of_several_sources_the_one_that_was_taken_is_pointed_to() {
    let rules = json!([{"source": ["a", "b.c"], "target": "n", "convert": ["first-of", "number"]}]);
    assert_eq!(problems(rules.clone(), json!({"b": {"c": "x"}})), ["/b/c"]);
    assert_eq!(problems(rules, json!({"a": "x", "b": {"c": 1}})), ["/a"]);
    let rules =
        json!([{"source": ["l[].a", "l[].b"], "target": "n", "convert": ["first-of", "number"]}]);
    let record = json!({"l": [{"a": 1}, {"b": 2}, {"b": "x"}]});
    assert_eq!(problems(rules, record), ["/l/2/b"]);
    // The map's own title of an alert without a name is its id.
    let outcome = run(
        &named("safe", "alerts"),
        &json!({"alert_id": 7, "events": []}),
    );
    assert!(
        told(&outcome)
            .iter()
            .all(|told| told.starts_with("/alert_id: ")),
        "{:?}",
        told(&outcome)
    );
}

#[test]
fn a_value_that_is_spread_or_joined_is_pointed_to_in_its_list() {
    let rules = json!([
        {"source": "ips", "target": "net[].ip", "convert": "number"},
        {"source": "names[].name", "target": "net[].name", "align": "value", "on": "ip"}
    ]);
    let record = json!({"ips": [1, "x"], "names": [{"name": "a"}, {}, {"name": {"no": "text"}}]});
    assert_eq!(problems(rules, record), ["/ips/1", "/names/2/name"]);
}

#[test]
fn what_a_conversion_made_of_a_text_or_of_a_whole_list_is_pointed_to_as_a_whole() {
    let rules = json!([{"source": "t", "target": "n", "convert": [{"split": {"separator": ","}}, "number"]}]);
    assert_eq!(problems(rules, json!({"t": "1,x"})), ["/t"]);
    for list in [json!({"l": ["x", "x", "y"]}), json!({"l": ["x"]})] {
        let rules = json!([{"source": "l", "target": "n", "convert": ["distinct", "number"]}]);
        assert!(problems(rules, list).iter().all(|place| place == "/l"));
    }
    let rules = json!([{"source": "l[].n", "target": "n", "convert": ["first", "number"]}]);
    assert_eq!(
        problems(rules.clone(), json!({"l": [{"n": "x"}, {"n": 1}]})),
        ["/l"]
    );
    assert_eq!(problems(rules, json!({"l": [{}, {"n": "x"}]})), ["/l/1/n"]);
}

#[test]
fn a_value_that_the_model_does_not_take_is_pointed_to_like_any_other() {
    let model = json!({"properties": {"asset": {"type": "object", "properties": {
        "all": {"type": "array", "items": {"type": "string"}}, "one": {"type": "string"}
    }}}});
    let map = asset_map(json!([
        {"source": "l[].n", "target": "all"},
        {"source": ["a", "b"], "target": "one", "convert": "first-of"}
    ]));
    let mut context = context("things");
    context.model = serde_json::to_vec(&model).unwrap();
    let mapper = prepare_with(&serde_json::to_vec(&map).unwrap(), &context, |_| None).unwrap();
    let record = json!({"id": "1", "l": [{}, {"n": "a"}, {"n": 3}], "b": 4});
    assert_eq!(
        told(&run(&mapper, &record)),
        [
            "/l/2/n: the number 3 where string is expected",
            "/b: the number 4 where string is expected"
        ]
    );
}
