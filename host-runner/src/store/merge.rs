//! Lays mapped values over an asset that exists, so that what a source does not know erases nothing.

use serde_json::{Map, Value};

/// Lays `over` over `held`: objects are merged key by key, everything else is replaced. Null, like a key that is absent, erases nothing
/// (unlike RFC 7396, where null removes): a source that does not know a value says nothing about it.
pub(crate) fn lay_over(held: &mut Value, over: Value) {
    match (held, over) {
        (_, Value::Null) => {}
        (Value::Object(held), Value::Object(over)) => lay_over_map(held, over),
        (held, over) => *held = over,
    }
}

fn lay_over_map(held: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match held.get_mut(&key) {
            Some(place) => lay_over(place, value),
            None if value.is_null() => {}
            None => {
                held.insert(key, value);
            }
        }
    }
}

/// Fills what `held` lacks, or has as null, with what `more` has; nothing that is there is overwritten.
pub(crate) fn fill_gaps(held: &mut Value, more: &Value) {
    match (held, more) {
        (held @ Value::Null, more) => held.clone_from(more),
        (Value::Object(held), Value::Object(more)) => {
            for (key, value) in more {
                match held.get_mut(key) {
                    Some(place) => fill_gaps(place, value),
                    None if value.is_null() => {}
                    None => {
                        held.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        _ => {}
    }
}

/// Lays only the parts of `over` at these JSON Pointers over `held`. Whether anything was there to lay.
pub(crate) fn lay_parts_over(held: &mut Value, over: &Value, pointers: &[String]) -> bool {
    let mut found = false;
    for pointer in pointers {
        let Some(part) = over.pointer(pointer) else {
            continue;
        };
        found = true;
        let mut wrapped = part.clone();
        for name in pointer
            .split('/')
            .skip(1)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
        {
            let name = name.replace("~1", "/").replace("~0", "~");
            wrapped = Value::Object(Map::from_iter([(name, wrapped)]));
        }
        lay_over(held, wrapped);
    }
    found
}

/// The values of `over` replace those of the same name in `held`, in the place of the first of them; names that `over` lacks stay.
pub(crate) fn lay_pairs_over(held: &mut Vec<(String, String)>, over: &[(String, String)]) {
    let named = |name: &str| over.iter().any(|(new, _)| new == name);
    let mut result: Vec<(String, String)> = Vec::with_capacity(held.len());
    let mut placed: Vec<&str> = Vec::new();
    for (name, value) in held.iter() {
        if !named(name) {
            result.push((name.clone(), value.clone()));
        } else if !placed.contains(&name.as_str()) {
            placed.push(name);
            result.extend(over.iter().filter(|(new, _)| new == name).cloned());
        }
    }
    result.extend(
        over.iter()
            .filter(|(new, _)| !placed.contains(&new.as_str()))
            .cloned(),
    );
    *held = result;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn merged(mut held: Value, over: Value) -> Value {
        lay_over(&mut held, over);
        held
    }

    #[test]
    fn mapped_values_overwrite_and_absent_ones_erase_nothing() {
        assert_eq!(
            merged(
                json!({"a": 1, "b": {"c": 2, "d": 3}}),
                json!({"a": 9, "b": {"d": 4}})
            ),
            json!({"a": 9, "b": {"c": 2, "d": 4}})
        );
    }

    #[test]
    fn null_erases_nothing_and_an_empty_list_clears() {
        assert_eq!(
            merged(json!({"a": 1}), json!({"a": null, "b": null})),
            json!({"a": 1})
        );
        assert_eq!(
            merged(json!({"tags": ["x"]}), json!({"tags": []})),
            json!({"tags": []})
        );
    }

    #[test]
    fn gaps_are_filled_and_nothing_is_overwritten() {
        let mut held = json!({"a": 1, "b": null, "c": {"d": 2}, "e": []});
        fill_gaps(
            &mut held,
            &json!({"a": 9, "b": 3, "c": {"d": 9, "f": 4}, "e": [1], "g": null}),
        );
        assert_eq!(
            held,
            json!({"a": 1, "b": 3, "c": {"d": 2, "f": 4}, "e": []})
        );
    }

    #[test]
    fn only_the_named_parts_are_laid_over() {
        let mut held = json!({"name": "old", "customFields": {"x": 1}});
        let over = json!({"name": "new", "customFields": {"y": 2}});
        assert!(lay_parts_over(
            &mut held,
            &over,
            &["/customFields".to_owned(), "/none".to_owned()]
        ));
        assert_eq!(
            held,
            json!({"name": "old", "customFields": {"x": 1, "y": 2}})
        );
    }

    #[test]
    fn pairs_replace_those_of_the_same_name_in_their_place() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let mut held = vec![pair("ip", "1"), pair("ip", "2"), pair("mac", "3")];
        lay_pairs_over(&mut held, &[pair("host", "h"), pair("ip", "9")]);
        assert_eq!(
            held,
            vec![pair("ip", "9"), pair("mac", "3"), pair("host", "h")]
        );
        let before = held.clone();
        lay_pairs_over(&mut held, &before);
        assert_eq!(held, before);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::btree_map("[a-c]", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn laying_the_same_over_twice_changes_nothing_more(held in any_json(), over in any_json()) {
            let once = merged(held, over.clone());
            prop_assert_eq!(merged(once.clone(), over), once);
        }

        #[test]
        fn filling_gaps_twice_fills_no_more_and_what_is_laid_over_first_stays(held in any_json(), more in any_json()) {
            let mut once = held.clone();
            fill_gaps(&mut once, &more);
            let mut twice = once.clone();
            fill_gaps(&mut twice, &more);
            prop_assert_eq!(&twice, &once);
            prop_assert_eq!(merged(once.clone(), held), once);
        }

        #[test]
        fn nothing_laid_over_changes_nothing(held in any_json()) {
            prop_assert_eq!(merged(held.clone(), Value::Null), held);
        }
    }
}
