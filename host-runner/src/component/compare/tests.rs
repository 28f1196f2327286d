use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::sha256_hex;

/// A build that has one of everything.
fn build() -> Profile {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    Profile {
        sha256: sha256_hex(b"old"),
        size: 1_000,
        card: BTreeMap::from([("version".to_owned(), "0.1.0".to_owned())]),
        imports: names(&["connector:platform/http@0.1.0"]),
        exports: names(&["connector:platform/connector@0.1.0"]),
        origins: BTreeMap::from([("api".to_owned(), names(&["https://api-*.example.com"]))]),
        calls: BTreeMap::from([(
            "list".to_owned(),
            CallProfile {
                origin: "api".to_owned(),
                method: "POST".to_owned(),
                path: "/list".to_owned(),
                permission: "View".to_owned(),
                licence: Some("Pro".to_owned()),
                data_streams: names(&["alerts"]),
                changes: false,
            },
        )]),
        budgets: vec![budget(10, 1, &[]), budget(300, 60, &["list"])],
        config: json!({"properties": {"url": {"type": "string"}, "key": {"type": "string", "writeOnly": true}}}),
        data_streams: BTreeMap::from([(
            "alerts".to_owned(),
            StreamProfile {
                title: "Alerts".to_owned(),
                incremental: false,
                schema: json!({"properties": {"user": {"type": "string", "x-personal": "user"}}}),
            },
        )]),
        maps: BTreeMap::from([(
            "safe for alerts".to_owned(),
            MapProfile {
                target: "safe".to_owned(),
                sha256: sha256_hex(b"map"),
            },
        )]),
    }
}

fn budget(requests: u32, seconds: u32, calls: &[&str]) -> BudgetProfile {
    BudgetProfile {
        requests,
        seconds,
        calls: calls.iter().map(|&call| call.to_owned()).collect(),
    }
}

fn list(profile: &mut Profile) -> &mut CallProfile {
    profile.calls.get_mut("list").unwrap()
}

fn alerts(profile: &mut Profile) -> &mut StreamProfile {
    profile.data_streams.get_mut("alerts").unwrap()
}

type Change = (&'static str, Direction, fn(&mut Profile));

/// Each change of a single thing, and where it leads.
const CHANGES: &[Change] = &[
    ("one more import", Direction::Further, |p| {
        p.imports.insert("wasi:sockets/tcp@0.2.0".to_owned());
    }),
    ("one import less", Direction::Less, |p| p.imports.clear()),
    ("one more export", Direction::Other, |p| {
        p.exports.insert("more".to_owned());
    }),
    ("one more origin", Direction::Further, |p| {
        let rules = BTreeSet::from(["https://other.example.com".to_owned()]);
        p.origins.insert("other".to_owned(), rules);
    }),
    ("one more rule of an origin", Direction::Further, |p| {
        let rules = p.origins.get_mut("api").unwrap();
        rules.insert("https://*.example.com".to_owned());
    }),
    ("one origin less", Direction::Less, |p| p.origins.clear()),
    ("one more call", Direction::Further, |p| {
        let another = list(p).clone();
        p.calls.insert("isolate".to_owned(), another);
    }),
    ("one call less", Direction::Less, |p| p.calls.clear()),
    ("another path", Direction::Further, |p| {
        list(p).path = "/isolate".to_owned()
    }),
    ("another method", Direction::Further, |p| {
        list(p).method = "GET".to_owned()
    }),
    ("another origin", Direction::Further, |p| {
        list(p).origin = "other".to_owned()
    }),
    ("another permission", Direction::Further, |p| {
        list(p).permission = "Edit".to_owned()
    }),
    ("no permission", Direction::Less, |p| {
        list(p).permission.clear()
    }),
    ("a call that changes something", Direction::Further, |p| {
        list(p).changes = true
    }),
    ("another licence", Direction::Other, |p| {
        list(p).licence = None
    }),
    ("a call for another stream", Direction::Other, |p| {
        list(p).data_streams.clear();
    }),
    ("more requests", Direction::Further, |p| {
        p.budgets[0].requests = 11
    }),
    ("fewer requests", Direction::Less, |p| {
        p.budgets[0].requests = 9
    }),
    ("less time", Direction::Further, |p| {
        p.budgets[1].seconds = 59
    }),
    ("more time", Direction::Less, |p| p.budgets[1].seconds = 61),
    ("more at once at the same rate", Direction::Further, |p| {
        p.budgets[1] = budget(600, 120, &["list"]);
    }),
    ("one budget less", Direction::Further, |p| {
        p.budgets.pop();
    }),
    ("one more budget", Direction::Less, |p| {
        p.budgets.push(budget(5, 1, &["list"]));
    }),
    ("one more secret", Direction::Further, |p| {
        p.config["properties"]["url"]["writeOnly"] = json!(true);
    }),
    ("one secret less", Direction::Less, |p| {
        p.config = json!({"properties": {"url": {"type": "string"}}});
    }),
    ("a secret that is seen", Direction::Further, |p| {
        p.config["properties"]["key"] = json!({"type": "string"});
    }),
    (
        "another field of the configuration",
        Direction::Other,
        |p| {
            p.config["properties"]["more"] = json!({});
        },
    ),
    ("one more data stream", Direction::Further, |p| {
        let another = alerts(p).clone();
        p.data_streams.insert("users".to_owned(), another);
    }),
    ("one data stream less", Direction::Less, |p| {
        p.data_streams.clear()
    }),
    ("incremental", Direction::Other, |p| {
        alerts(p).incremental = true
    }),
    ("another field of a record", Direction::Other, |p| {
        alerts(p).schema["properties"]["more"] = json!({});
    }),
    (
        "a value that is personal no more",
        Direction::Further,
        |p| {
            alerts(p).schema["properties"]["user"] = json!({"type": "string"});
        },
    ),
    ("another map", Direction::Other, |p| p.maps.clear()),
    ("another version", Direction::Other, |p| {
        p.card.insert("version".to_owned(), "0.2.0".to_owned());
    }),
    ("another file", Direction::Other, |p| {
        p.sha256 = sha256_hex(b"new")
    }),
    ("another size", Direction::Other, |p| p.size += 1),
];

#[test]
fn each_change_of_a_single_thing_is_found_and_leads_where_it_leads() {
    for (what, direction, change) in CHANGES {
        let (old, mut new) = (build(), build());
        change(&mut new);
        let found = Comparison::of(&old, &new);
        assert!(
            found.towards(*direction).next().is_some(),
            "{what}: {found:?}"
        );
        assert_eq!(
            found.reaches_further(),
            *direction == Direction::Further,
            "{what}: {found:?}"
        );
    }
}

#[test]
fn the_same_build_differs_in_nothing() {
    assert_eq!(Comparison::of(&build(), &build()), Comparison::default());
}

#[test]
fn the_order_of_budgets_is_no_difference_and_one_that_is_said_twice_counts_twice() {
    let (old, mut new) = (build(), build());
    new.budgets.reverse();
    assert_eq!(Comparison::of(&old, &new), Comparison::default());
    new.budgets.push(budget(10, 1, &[]));
    let found = Comparison::of(&old, &new);
    assert_eq!(found.differences.len(), 1, "{found:?}");
    assert!(!found.reaches_further());
}

#[test]
fn a_difference_says_what_it_is_about_what_it_was_and_what_it_is() {
    let (old, mut new) = (build(), build());
    list(&mut new).permission = "View/Edit".to_owned();
    let found = Comparison::of(&old, &new);
    assert_eq!(
        found.differences[0].to_string(),
        "call `list`, permission: View -> View/Edit"
    );
    let mut more = build();
    let mut isolate = list(&mut more).clone();
    isolate.changes = true;
    more.calls.insert("isolate".to_owned(), isolate);
    assert_eq!(
        Comparison::of(&old, &more).differences[0].to_string(),
        "call `isolate`: new: POST /list at api, CHANGES, for alerts, permission View, licence Pro"
    );
}

fn some_of(all: &'static [&'static str]) -> impl Strategy<Value = BTreeSet<String>> {
    proptest::sample::subsequence(all, 0..=all.len())
        .prop_map(|names| names.into_iter().map(str::to_owned).collect())
}

fn calls() -> impl Strategy<Value = BTreeMap<String, CallProfile>> {
    let call = (some_of(&["a", "b"]), any::<bool>(), 0..3_u8).prop_map(
        |(data_streams, changes, variant)| CallProfile {
            origin: format!("origin{variant}"),
            method: "POST".to_owned(),
            path: format!("/{variant}"),
            permission: "x".repeat(usize::from(variant)),
            licence: None,
            data_streams,
            changes,
        },
    );
    proptest::collection::btree_map("[ab]", call, 0..3)
}

fn profiles() -> impl Strategy<Value = Profile> {
    let budgets = proptest::collection::vec(
        (1..4_u32, 1..4_u32, some_of(&["a", "b"])).prop_map(|(requests, seconds, calls)| {
            BudgetProfile {
                requests,
                seconds,
                calls,
            }
        }),
        0..4,
    );
    let rules = some_of(&["https://a.example.com", "https://b.example.com"]);
    let origins = proptest::collection::btree_map("[ab]", rules, 0..3);
    let secrets = some_of(&["key", "token"]).prop_map(|names| {
        let fields: serde_json::Map<_, _> = names
            .into_iter()
            .map(|name| (name, json!({"writeOnly": true})))
            .collect();
        json!({ "properties": fields })
    });
    (some_of(&["x", "y"]), origins, calls(), budgets, secrets).prop_map(
        |(imports, origins, calls, budgets, config)| Profile {
            imports,
            origins,
            calls,
            budgets,
            config,
            ..build()
        },
    )
}

proptest! {
    #[test]
    fn a_build_compared_with_itself_differs_in_nothing(profile in profiles()) {
        prop_assert_eq!(Comparison::of(&profile, &profile), Comparison::default());
    }

    /// What is seen in one direction is seen in the other, so nothing can be moved to where nobody looks.
    #[test]
    fn two_builds_that_differ_are_never_told_to_be_equal(one in profiles(), other in profiles()) {
        let there = Comparison::of(&one, &other);
        let back = Comparison::of(&other, &one);
        let mut sorted = (one.clone(), other.clone());
        sorted.0.budgets.sort_by_key(|b| (b.calls.clone(), b.seconds, b.requests));
        sorted.1.budgets.sort_by_key(|b| (b.calls.clone(), b.seconds, b.requests));
        // An origin without rules leads nowhere: as good as none.
        sorted.0.origins.retain(|_, rules| !rules.is_empty());
        sorted.1.origins.retain(|_, rules| !rules.is_empty());
        prop_assert_eq!(there.differences.is_empty(), sorted.0 == sorted.1);
        prop_assert_eq!(there.differences.is_empty(), back.differences.is_empty());
    }

    /// Whatever else changed along with it: one enlargement is enough.
    #[test]
    fn every_enlargement_is_found_whatever_else_changes(one in profiles(), which in 0..CHANGES.len()) {
        let (_, direction, change) = CHANGES[which];
        let mut old = build();
        old.card.insert("title".to_owned(), "before".to_owned());
        old.maps = BTreeMap::new();
        old.imports.extend(one.imports.iter().cloned());
        let mut new = build();
        new.imports = old.imports.clone();
        change(&mut new);
        if direction == Direction::Further && new.imports.len() >= old.imports.len() {
            prop_assert!(Comparison::of(&old, &new).reaches_further());
        }
    }

    #[test]
    fn a_kept_profile_compares_like_the_one_that_was_kept(one in profiles(), other in profiles()) {
        let kept: Profile = serde_json::from_value(serde_json::to_value(&one).unwrap()).unwrap();
        prop_assert_eq!(Comparison::of(&kept, &other), Comparison::of(&one, &other));
    }
}
