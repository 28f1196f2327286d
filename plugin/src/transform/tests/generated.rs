//! Maps made of all that a map may say, and records to go with them.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Any JSON, over few names, so that maps find something in it.
pub(super) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |float| float
            .is_finite()
            .then(|| Value::from(float))),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "a",
            "x, y",
            "HIGH",
            "9.8",
            "CVE-2024-1234",
            "10.0.0.1",
            "2021-05-18 09:59:28 UTC",
        ])
        .prop_map(Value::from),
        Just(json!(1_700_000_000_000_u64)),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let name = prop_oneof![
            4 => "[a-c]",
            1 => prop::sample::select(vec!["name".to_owned(), "server_tags".to_owned()])
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// A record for the generated maps: often with the key that they want.
pub(super) fn any_record() -> impl Strategy<Value = Value> {
    let scalar = || {
        prop_oneof![
            4 => prop::sample::select(vec!["a", "x", "y, x", "HIGH", "CVE-2024-1234", "10.0.0.1", ""]).prop_map(Value::from),
            1 => prop::sample::select(vec![json!(7), json!(9.5), json!(true), json!(null), json!(1_700_000_000_000_u64)]),
        ]
    };
    let list = || prop::collection::vec(scalar(), 0..3).prop_map(Value::from);
    let object = |depth: u8| {
        let value = match depth {
            0 => scalar().boxed(),
            _ => prop_oneof![3 => scalar(), 1 => list(), 1 => object_of(scalar().boxed()), 1 => prop::collection::vec(object_of(scalar().boxed()), 0..3).prop_map(Value::from)].boxed(),
        };
        object_of(value)
    };
    let field = prop_oneof![
        2 => scalar(),
        1 => list(),
        4 => prop::collection::vec(object(1), 0..3).prop_map(Value::from),
        2 => object(1),
        1 => any_json(),
    ];
    let fields = prop::collection::btree_map("[a-c]", field, 1..4);
    let key = prop_oneof![6 => Just(json!("k")), 1 => any_json()];
    (fields, key).prop_map(|(fields, key)| {
        let mut record: Map<String, Value> = fields.into_iter().collect();
        record.insert("id".into(), key);
        Value::Object(record)
    })
}

fn object_of(value: BoxedStrategy<Value>) -> impl Strategy<Value = Value> {
    prop::collection::btree_map("[a-c]", value, 1..4)
        .prop_map(|entries| Value::Object(entries.into_iter().collect()))
}

/// The lists that a path goes through, and its last names.
fn path() -> impl Strategy<Value = String> {
    let lists = prop::sample::select(vec!["", "", "a[].", "b[].", "a[].c[].", "b.a[]."]);
    let tail = prop::sample::select(vec!["a", "b", "c", "a.b", "c.a", "b[]", "id"]);
    (lists, tail).prop_map(|(lists, tail)| format!("{lists}{tail}"))
}

/// One path, or several that may be put together.
fn sources() -> impl Strategy<Value = (Vec<String>, Option<Value>)> {
    let lists = prop::sample::select(vec!["", "a[].", "b[].", "a[].c[]."]);
    let tails = prop::collection::vec(prop::sample::select(vec!["a", "b", "c.a"]), 1..4);
    let several = (lists, tails, any::<bool>()).prop_map(|(lists, tails, concat)| {
        let mut paths: Vec<String> = tails.iter().map(|tail| format!("{lists}{tail}")).collect();
        // What stands around the list may be put together with what stands in it.
        paths.push("id".to_owned());
        let how = if concat {
            json!({"concat": {"separator": "|"}})
        } else {
            json!("first-of")
        };
        (paths, Some(how))
    });
    prop_oneof![
        4 => path().prop_map(|path| (vec![path], None)),
        1 => several,
    ]
}

fn conversion() -> impl Strategy<Value = Value> {
    let plain = [
        "text", "number", "time", "severity", "lower", "upper", "trim", "first", "distinct",
        "list", "join",
    ];
    let mut all: Vec<Value> = plain.map(Value::from).to_vec();
    all.extend([
        json!({"time": {"from": "any", "to": "epoch-ms"}}),
        json!({"time": {"from": "text"}}),
        json!({"table": {"cases": {"a": 1, "high": [1, ""]}, "ignoreCase": true, "otherwise": "o"}}),
        json!({"table": {"cases": {"a": {"b": 1}}, "keep": true}}),
        json!({"table": {"cases": {"x": "y"}}}),
        json!({"prefix": {"text": "p"}}),
        json!({"suffix": {"text": "s"}}),
        json!({"split": {"separator": ","}}),
        json!({"before": {"separator": ","}}),
        json!({"after": {"separator": ","}}),
        json!({"join": {"separator": ""}}),
    ]);
    prop::sample::select(all)
}

fn condition() -> impl Strategy<Value = Value> {
    let test = prop_oneof![
        Just(json!({"present": true})),
        Just(json!({"present": false})),
        any_json().prop_map(|value| json!({"equals": value})),
        Just(json!({"in": ["a", 1, null, true]})),
        prop::sample::select(vec!["cve-id", "ip", "number", "mac", "attack-tactic"])
            .prop_map(|form| json!({"is": form})),
    ];
    let leaf = prop_oneof![
        6 => (path(), test).prop_map(|(path, mut test)| {
            test["source"] = json!(path);
            test
        }),
        1 => prop::sample::select(vec!["known", "unknown"]).prop_map(|name| json!({"customField": name})),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| json!({"not": inner})),
            prop::collection::vec(inner, 0..3).prop_map(|all| json!({"any": all})),
        ]
    })
}

/// A rule without its target.
fn rule() -> impl Strategy<Value = Value> {
    let read = (
        sources(),
        prop::collection::vec(conversion(), 0..3),
        prop::sample::select(vec![
            json!({}),
            json!({}),
            json!({}),
            json!({"default": "d"}),
            json!({"default": ["d", 1]}),
            json!({"constant": {"c": 1}}),
            json!({"required": true}),
        ]),
        prop::sample::select(vec![
            json!({}),
            json!({}),
            json!({}),
            json!({"align": "value"}),
            json!({"align": "value", "on": "id"}),
            json!({"align": "position", "on": "a[]"}),
            json!({"align": "position", "on": "b"}),
            json!({"align": "each"}),
        ]),
    )
        .prop_map(|((paths, combine), conversions, more, align)| {
            let mut rule = more.as_object().cloned().unwrap();
            rule.extend(align.as_object().cloned().unwrap());
            rule.insert("source".into(), json!(paths));
            let convert: Vec<Value> = combine.into_iter().chain(conversions).collect();
            if !convert.is_empty() {
                rule.insert("convert".into(), json!(convert));
            }
            Value::Object(rule)
        });
    let made = prop::sample::select(vec![
        json!({"constant": "c"}),
        json!({"constant": [1, 2]}),
        json!({"placeholder": "first-seen"}),
        json!({"placeholder": "closed-at", "format": "epoch-ms"}),
        json!({"placeholder": "state", "format": {"new": 1, "closed": "no"}}),
    ]);
    let when = prop_oneof![
        3 => Just(None),
        1 => condition().prop_map(Some),
        1 => prop::collection::vec(condition(), 0..3).prop_map(|all| Some(Value::from(all))),
    ];
    (prop_oneof![5 => read, 1 => made], when).prop_map(|(mut rule, when)| {
        if let Some(when) = when {
            rule["when"] = when;
        }
        rule
    })
}

/// Where the n-th rule writes: each has a name of its own, so that most of them do not clash.
fn target() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "N",
        "same.N",
        "N.deep.er",
        "N[]",
        "N[].x",
        "N[].x[].y",
        "s[].N",
        "s[].N.x",
        "same.t[].N",
        "f[].N",
        "f[].N",
        "f[].N[].x",
    ])
}

/// A map that has a fair chance of loading.
pub(super) fn any_map() -> impl Strategy<Value = Value> {
    let rules = prop::collection::vec((rule(), target()), 0..6);
    let value = || {
        (
            path(),
            prop::option::of(conversion()),
            prop::option::of(condition()),
        )
            .prop_map(|(path, convert, when)| {
                let mut value = json!({"source": path});
                if let Some(convert) = convert {
                    value["convert"] = convert;
                }
                if let Some(when) = when {
                    value["when"] = when;
                }
                value
            })
    };
    let list = prop::sample::select(vec![
        json!(null),
        json!({"list": "f[]", "each": "a[]"}),
        json!({"list": "f[]", "each": "a[]", "nested": true}),
        json!({"list": "f[]", "each": "b.a[]", "nested": true}),
        json!({"list": "same.f[]", "each": "a[]", "nested": true}),
        json!({}),
    ]);
    let with_asset = prop_oneof![3 => Just(true), 1 => Just(false)];
    (rules, value(), value(), list, with_asset).prop_map(
        |(rules, identity, facet, list, with_asset)| {
            let list_path = list["list"].as_str().unwrap_or("f[]").to_owned();
            let each = list["each"].as_str().map(str::to_owned);
            let rules = rules.into_iter().enumerate().map(|(at, (mut rule, target))| {
                let mut target = target.replace('N', &format!("r{at}"));
                // What could not be meant, as far as it is easily told.
                if rule.get("placeholder").is_some() && !target.starts_with("f[]") {
                    target = format!("r{at}");
                }
                if !target.contains('[') {
                    let keys = rule.as_object_mut().unwrap();
                    keys.retain(|key, _| key != "align" && key != "on");
                }
                if rule["on"] == "id" && !target.starts_with("s[]") {
                    rule["on"] = json!("a");
                    rule["align"] = json!("position");
                }
                if let Some(rest) = target.strip_prefix("f[]") {
                    if let (Some(each), Some(_)) = (&each, rule.get("source")) {
                        rule["source"] = json!(format!("{each}.b"));
                        rule.as_object_mut().unwrap().retain(|key, _| key != "align" && key != "on");
                    }
                    target = format!("{list_path}{rest}");
                }
                rule["target"] = json!(target);
                rule
            });
            let joined = json!({"source": "b[].a", "target": "s[].id", "align": "value"});
            let rules: Vec<Value> = [joined].into_iter().chain(rules).collect();
            let mut map = json!({
                "name": "m", "version": "1.0", "source": "things", "target": "t", "rules": rules,
            });
            if with_asset {
                map["asset"] = json!({"key": "id", "identity": {"mac": [identity, "c"]}, "facets": {"f": facet}});
            }
            if !(with_asset && list.is_null()) {
                let mut finding = list.as_object().cloned().unwrap_or_default();
                if !with_asset {
                    finding.remove("nested");
                }
                let each = finding.get("each").and_then(Value::as_str);
                let key = match each {
                    Some(each) => json!({"source": ["id", format!("{each}.b")], "convert": "first-of"}),
                    None => json!("id"),
                };
                finding.insert("key".into(), key);
                finding.insert("facets".into(), json!({"f": facet, "g": "b[].a"}));
                map["finding"] = Value::Object(finding);
            }
            map
        },
    )
}
