//! What a map writes itself must be what the target model takes.

use super::bundled::model;
use super::{asset_map, context};
use crate::contract::MapContext;
use crate::transform::prepare_with;
use serde_json::{Value, json};

/// What is told of these rules besides that which the model requires.
fn told(target: &str, rules: Value) -> Vec<String> {
    let context = MapContext {
        model: model(target),
        ..context("things")
    };
    let map = serde_json::to_vec(&asset_map(rules)).unwrap();
    prepare_with(&map, &context, |_| None)
        .err()
        .unwrap_or_default()
        .into_iter()
        .filter(|problem| problem.pointer != "/rules")
        .map(|problem| format!("{}: {}", problem.pointer, problem.message))
        .collect()
}

#[test]
fn objects_and_lists_are_checked_all_the_way_down() {
    assert_eq!(
        told(
            "qualys-etm",
            json!([
                {"target": "operatingSystem", "constant": {"nmae": "Linux"}},
                {"target": "networkInterfaces", "constant": [{"macAddress": "m"}, {"foo": 1}]},
                {"target": "asset.assetDetail", "source": "a", "default": {"cloudInfo": {"provider": 5}}},
                {"target": "temp_q_customAttributes.mine", "constant": ["a", {"b": 1}]}
            ])
        ),
        [
            "/rules/0/constant/nmae: the target model has no `operatingSystem.nmae`; did you mean `operatingSystem.name`?",
            "/rules/1/constant/1/foo: the target model has no `networkInterfaces[].foo`",
            "/rules/2/default/cloudInfo/provider: the number 5 where the target model expects string",
            "/rules/3/constant/1: an object where the target model expects boolean or number or string",
        ]
    );
    assert_eq!(
        told(
            "qualys-etm",
            json!([
                {"target": "operatingSystem", "constant": {"name": "Linux"}},
                {"target": "networkInterfaces", "constant": [{"macAddress": "m"}]},
                {"target": "temp_q_customAttributes.mine", "constant": ["a", 1]}
            ])
        ),
        Vec::<String>::new()
    );
}

#[test]
fn an_object_that_a_map_writes_has_what_the_model_requires_of_it() {
    let rules = json!([{"target": "device", "constant": {"hostname": "h"}}]);
    assert_eq!(
        told("ocsf", rules),
        ["/rules/0/constant: the target model requires `device.type_id`, and it is not here"]
    );
    let rules = json!([{"target": "device", "constant": {"hostname": "h", "type_id": 1}}]);
    assert_eq!(told("ocsf", rules), Vec::<String>::new());
}

#[test]
fn what_the_platform_fills_in_is_of_the_models_type() {
    assert_eq!(
        told(
            "qualys-etm",
            json!([{"target": "lastFoundDate", "placeholder": "last-seen", "format": "epoch-ms"}])
        ),
        [
            "/rules/0/placeholder: the number 1700000000000 where the target model expects string; the `format` of a time is rfc3339, a text, or epoch-ms, a number"
        ]
    );
    assert_eq!(
        told(
            "ocsf",
            json!([
                {"target": "time", "placeholder": "last-seen"},
                {"target": "activity_id", "placeholder": "state", "format": {"new": "one", "closed": {"a": 1}}},
            ])
        ),
        [
            "/rules/0/placeholder: the text \"2023-11-14T22:13:20.000Z\" where the target model expects integer; the `format` of a time is rfc3339, a text, or epoch-ms, a number",
            "/rules/1/format/new: the text \"one\" where the target model expects integer",
            "/rules/1/format/closed: an object where the target model expects integer",
        ]
    );
    let good = json!([
        {"target": "time", "placeholder": "last-seen", "format": "epoch-ms"},
        {"target": "activity_id", "placeholder": "state", "format": {"new": 1, "closed": 99}}
    ]);
    assert_eq!(told("ocsf", good), Vec::<String>::new());
}

#[test]
fn what_a_table_gives_is_of_the_models_type_as_a_whole_or_as_one_of_a_list() {
    let rules = |target: &str, table: Value| json!([{"source": "a", "target": target, "convert": {"table": table}}]);
    assert_eq!(
        told(
            "safe",
            rules("groups", json!({"cases": {"a": "b"}, "otherwise": ["c"]}))
        ),
        Vec::<String>::new()
    );
    assert_eq!(
        told(
            "safe",
            rules(
                "name",
                json!({"cases": {"a": "b", "c": 1}, "otherwise": {"d": 1}})
            )
        ),
        [
            "/rules/0/convert: `c` of the table: the number 1 where the target model expects string",
            "/rules/0/convert: `otherwise` of the table: an object where the target model expects string",
        ]
    );
    // What is converted further is not what is written.
    let rules = json!([{"source": "a", "target": "name", "convert": [{"table": {"cases": {"a": 1}}}, "text"]}]);
    assert_eq!(told("safe", rules), Vec::<String>::new());
}

#[test]
fn a_value_that_the_model_does_not_list_is_told_with_those_that_it_does() {
    let context = MapContext {
        model: model("safe"),
        ..context("things")
    };
    let map = json!({
        "name": "m", "version": "1.0", "source": "things", "target": "safe", "finding": {"key": "id"},
        "rules": [
            {"source": "id", "target": "externalId"},
            {"target": "status", "placeholder": "state", "format": {"new": "opne", "closed": "closed"}},
            {"target": "type", "constant": "alert"}
        ]
    });
    let problems =
        prepare_with(&serde_json::to_vec(&map).unwrap(), &context, |_| None).unwrap_err();
    let told: Vec<&str> = problems
        .iter()
        .map(|problem| problem.message.as_str())
        .collect();
    assert_eq!(
        told,
        ["the text \"opne\" is none of what the target model has for `status`: open, closed"]
    );
}
