//! What is wrong with a map is told when it is loaded, with its place and what would be right.

use super::{asset_map, context, load};
use crate::contract::Problem;
use crate::transform::prepare_with;
use serde_json::{Value, json};

fn problems(map: &Value) -> Vec<String> {
    match load(map) {
        Ok(_) => Vec::new(),
        Err(problems) => tell(problems),
    }
}

fn tell(problems: Vec<Problem>) -> Vec<String> {
    problems
        .into_iter()
        .map(|problem| format!("{}: {}", problem.pointer, problem.message))
        .collect()
}

/// The problems of rules, their source and target checked against schemas.
fn checked(rules: Value) -> Vec<String> {
    let source = json!({"type": "object", "properties": {
        "id": {"type": "string"}, "endpoint_name": {"type": "string"}, "ip": {"type": "array", "items": {"type": "string"}},
        "tags": {"type": "object", "properties": {"server_tags": {"type": "array", "items": {"type": "string"}}}},
        "cves": {"type": "array", "items": {"type": "object", "properties": {"severity": {"type": "string"}}}}
    }});
    let model = json!({"properties": {"asset": {"type": "object", "properties": {
        "hostName": {"type": "string"}, "os": {"type": "object", "properties": {"name": {"type": "string"}}},
        "net": {"type": "array", "items": {"type": "object", "properties": {"address": {"type": "string"}}}}
    }}}});
    let source = serde_json::to_vec(&source).unwrap();
    let mut context = context("things");
    context.model = serde_json::to_vec(&model).unwrap();
    let map = serde_json::to_vec(&asset_map(rules)).unwrap();
    prepare_with(&map, &context, |_| Some(source.as_slice().into()))
        .err()
        .map(tell)
        .unwrap_or_default()
}

#[test]
fn unknown_paths_are_told_with_the_rule_and_the_nearest_valid_path() {
    assert_eq!(
        checked(
            json!([{"source": "endpoint_name", "target": "hostName"}, {"source": "ip", "target": "net[].address"}])
        ),
        Vec::<String>::new()
    );
    assert_eq!(
        checked(json!([
            {"source": "endpoint_nmae", "target": "hostName"},
            {"source": "cves[].sverity", "target": "os.nam"},
            {"source": "server_tags", "target": "net[].adress"},
            {"source": "qqqq", "target": "zzzz"}
        ])),
        [
            "/rules/0/source: the source record has no `endpoint_nmae`; did you mean `endpoint_name`?",
            "/rules/1/source: the source record has no `cves[].sverity`; did you mean `cves[].severity`?",
            "/rules/1/target: the target model has no `os.nam`; did you mean `os.name`?",
            "/rules/2/source: the source record has no `server_tags`; did you mean `tags.server_tags`?",
            "/rules/2/target: the target model has no `net[].adress`; did you mean `net[].address`?",
            "/rules/3/source: the source record has no `qqqq`",
            "/rules/3/target: the target model has no `zzzz`",
        ]
    );
    assert_eq!(
        checked(
            json!([{"source": "cves.severity", "target": "hostName"}, {"source": "endpoint_name[]", "target": "net.address"}])
        ),
        [
            "/rules/0/source: `cves` is a list in the source record; write `cves[]`",
            "/rules/1/source: `endpoint_name[]` is no list in the source record; write `endpoint_name`",
            "/rules/1/target: `net` is a list in the target model; write `net[]`",
        ]
    );
}

#[test]
fn fixed_values_must_fit_the_target_model() {
    assert_eq!(
        checked(json!([
            {"constant": 5, "target": "hostName"},
            {"source": "endpoint_name", "target": "os.name", "default": ["x"]},
            {"constant": "fits", "target": "net[].address"}
        ])),
        [
            "/rules/0/constant: the number 5 where the target model expects string",
            "/rules/1/default: a list where the target model expects string",
        ]
    );
}

#[test]
fn paths_of_conditions_and_heads_are_checked_too() {
    assert_eq!(
        checked(
            json!([{"source": "id", "target": "hostName", "when": {"source": "endpoint_nam", "present": true}}])
        ),
        ["/rules/0/when: the source record has no `endpoint_nam`; did you mean `endpoint_name`?"]
    );
    let source = br#"{"properties": {"id": {"type": "string"}}}"#;
    let mut map = asset_map(json!([]));
    map["asset"] =
        json!({"key": "idd", "identity": {"hostname": "id"}, "facets": {"title": "iid"}});
    let found = prepare_with(
        &serde_json::to_vec(&map).unwrap(),
        &context("things"),
        |_| Some(source.as_slice().into()),
    );
    assert_eq!(
        tell(found.unwrap_err()),
        [
            "/asset/key/source: the source record has no `idd`; did you mean `id`?",
            "/asset/facets/title/source: the source record has no `iid`; did you mean `id`?",
            "/asset/identity/hostname: `hostname` identifies nothing; known are external-id, host-name, domain, mac, ip; did you mean `host-name`?",
        ]
    );
}

#[test]
fn unknown_keys_and_conversions_are_told_with_the_nearest_one() {
    let mut map = asset_map(json!([
        {"sorce": "a", "source": "a", "target": "b", "convert": "tme"},
        {"source": "a", "target": "c", "convert": {"time": {"form": "any"}}},
        {"source": "a", "target": "d", "convert": {"time": {"from": "anything"}}},
        {"source": "a", "target": "e", "when": {"source": "a", "is": "cve"}}
    ]));
    map["rulez"] = json!([]);
    assert_eq!(
        problems(&map),
        [
            "/rulez: `rulez` is not known here: did you mean `rules`?",
            "/rules/0/convert: there is no conversion `tme`: did you mean `time`?",
            "/rules/0/sorce: `sorce` is not known here: did you mean `source`?",
            "/rules/1/convert/time/form: `form` is not known here: did you mean `from`?",
            "/rules/2/convert/time/from: `anything` is none of epoch-ms, text, any",
            "/rules/3/when/is: `cve` is none of attack-sub-technique, attack-tactic, attack-technique, cve-id, ip, ipv4, ipv6, mac, number",
            "/rules/3/when/source: a test is missing: equals, in, is or present",
        ]
    );
}

#[test]
fn targets_that_clash_are_refused() {
    for (rules, pointer) in [
        (
            json!([{"source": "a", "target": "x"}, {"source": "b", "target": "x"}]),
            "/rules/1/target",
        ),
        (
            json!([{"source": "a", "target": "x"}, {"source": "b", "target": "x.y"}]),
            "/rules/1/target",
        ),
        (
            json!([{"source": "a", "target": "x.y"}, {"source": "b", "target": "x"}]),
            "/rules/1/target",
        ),
        (
            json!([{"source": "a", "target": "x[].y"}, {"source": "b", "target": "x.y"}]),
            "/rules/1/target",
        ),
        (
            json!([{"source": "a", "target": "x[].y"}, {"source": "b", "target": "x[]"}]),
            "/rules/1/target",
        ),
        (
            json!([{"source": "l[].a", "target": "x[].y"}, {"source": "l[].b", "target": "x[].y"}]),
            "/rules/1/target",
        ),
    ] {
        let told = problems(&asset_map(rules.clone()));
        assert!(
            told.len() == 1 && told[0].starts_with(pointer),
            "{rules}: {told:?}"
        );
    }
    // Values of different lists never share an element, so these do not clash.
    let rules = json!([{"source": "a[]", "target": "x[].y"}, {"source": "b[]", "target": "x[].y"}]);
    assert_eq!(problems(&asset_map(rules)), Vec::<String>::new());
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (rule, message) in [
        (
            json!({"source": ["a", "b"], "target": "x"}),
            "several sources need `concat` or `first-of`",
        ),
        (
            json!({"source": ["a[].x", "b[].x"], "target": "x", "convert": "first-of"}),
            "never paired",
        ),
        (
            json!({"source": "a", "target": "x", "convert": ["upper", "concat"]}),
            "comes first",
        ),
        (
            json!({"source": "a", "target": "x", "align": "each"}),
            "in no list",
        ),
        (
            json!({"source": "a", "target": "x[].y", "align": "position"}),
            "`on` is missing",
        ),
        (
            json!({"source": "a", "target": "x[].y", "on": "z"}),
            "`on` goes with",
        ),
        (
            json!({"source": "a", "target": "x[].y", "align": "value", "on": "z"}),
            "no rule writes `x[].z`",
        ),
        (
            json!({"source": "a", "target": "x[].address", "align": "value", "on": "adress"}),
            "so nothing can be joined on it; did you mean `address`?",
        ),
        (
            json!({"source": "a", "target": "x", "convert": {"table": {"cases": {}, "keep": true}}}),
            "a table without a case",
        ),
        (
            json!({"source": "a", "target": "x", "convert": {"table": {"cases": {"a": 1}, "keep": true, "otherwise": 2}}}),
            "write one of them",
        ),
        (json!({"target": "x"}), "`source` is missing"),
        (json!({"source": "a"}), "`target` is missing"),
        (json!({"source": "a..b", "target": "x"}), "empty name"),
        (json!({"source": "a", "target": "x[0]"}), "a bracket"),
        (
            json!({"source": "a", "target": "x", "default": ""}),
            "would never be written",
        ),
        (
            json!({"source": "a", "target": "x", "placeholder": "first-seen"}),
            "takes no source",
        ),
        (
            json!({"target": "x", "placeholder": "state", "format": {"new": 1, "changed": 2}}),
            "a state needs an object that gives the value for `new` and `closed`",
        ),
        (
            json!({"target": "x", "placeholder": "state", "format": {"new": 1, "closed": 2, "gone": 3}}),
            "may give one for `changed`, `reopened` and `out-of-scope`",
        ),
        (
            json!({"target": "x", "placeholder": "state"}),
            "a state needs an object",
        ),
        (
            json!({"target": "x", "placeholder": "last-seen", "format": "iso"}),
            "rfc3339 or epoch-ms",
        ),
        (
            json!({"target": "x", "placeholder": "born"}),
            "none of first-seen",
        ),
        (
            json!({"target": "x[].y", "placeholder": "last-seen"}),
            "a placeholder stands in a document",
        ),
        (
            json!({"source": "a", "target": "x", "format": "rfc3339"}),
            "only a placeholder has a format",
        ),
        (
            json!({"source": "a", "target": "x", "convert": {"prefix": {}}}),
            "`text` is missing",
        ),
        (
            json!({"source": "a", "target": "x", "convert": 7}),
            "a conversion is its name",
        ),
        (
            json!({"source": "a", "target": "x", "when": {}}),
            "a condition is expected",
        ),
        (json!("a"), "text where an object is expected"),
    ] {
        let told = problems(&asset_map(json!([rule])));
        assert!(
            told.iter()
                .any(|told| told.starts_with("/rules/0") && told.contains(message)),
            "{rule}: {told:?}"
        );
    }
}

#[test]
fn a_map_must_say_what_it_is() {
    assert_eq!(
        problems(&json!({})),
        [
            ": `name` is missing",
            ": `version` is missing",
            ": `target` is missing",
            ": `source` is missing",
            ": `asset` or `finding` is missing",
            ": `rules` is missing",
        ]
    );
    let mut map = asset_map(json!([]));
    map["version"] = json!("one");
    map["source"] = json!("others");
    assert_eq!(
        problems(&map),
        [
            "/version: `one` is no version; write three numbers, such as 1.0.0",
            "/source: the map is for others, not for `things`"
        ]
    );
    for bytes in ["", "[]", "nonsense", "{\"name\":"] {
        assert_eq!(
            prepare_with(bytes.as_bytes(), &context("things"), |_| None)
                .unwrap_err()
                .len(),
            1,
            "{bytes}"
        );
    }
}

#[test]
fn findings_are_made_of_one_list_alone() {
    let map = |finding: Value, rules: Value| {
        let mut map = asset_map(rules);
        map["finding"] = finding;
        map
    };
    let good = json!({"key": "cves[].name", "list": "finding[]", "each": "cves[]"});
    let told = problems(&map(
        good.clone(),
        json!([{"source": "others[].a", "target": "finding[].a"}]),
    ));
    assert!(told[0].contains("made of `cves[]`"), "{told:?}");
    for (finding, message) in [
        (
            json!({"key": "k", "list": "finding[]"}),
            "`each` is missing",
        ),
        (json!({"key": "k", "each": "cves[]"}), "`list` is missing"),
        (
            json!({"key": "k", "nested": true}),
            "only findings of a list",
        ),
        (
            json!({"key": "k", "list": "finding", "each": "cves[]"}),
            "one list",
        ),
        (
            json!({"key": "k", "list": "finding[]", "each": "cves"}),
            "one list",
        ),
        (
            json!({"list": "finding[]", "each": "cves[]"}),
            "`key` is missing",
        ),
    ] {
        let told = problems(&map(finding.clone(), json!([])));
        assert!(
            told.iter()
                .any(|told| told.starts_with("/finding") && told.contains(message)),
            "{finding}: {told:?}"
        );
    }
}
