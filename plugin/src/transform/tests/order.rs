//! What is joined is joined wherever its rule stands.

use super::{asset_map, document, load};
use serde_json::json;

#[test]
fn what_is_joined_finds_its_partner_wherever_the_rules_stand() {
    let joined = json!({"source": "v4", "target": "net[].v4", "align": "value", "on": "address"});
    let named = json!({"source": "names", "target": "net[].name", "align": "value", "on": "v4"});
    let first = json!({"source": "all", "target": "net[].address", "align": "value"});
    let other = json!({"source": "mac[]", "target": "net[].mac"});
    let record = json!({"all": ["a", "b"], "v4": ["b", "c"], "names": ["c"], "mac": ["m"]});
    for rules in [
        json!([first, joined, named, other]),
        json!([joined, first, named, other]),
        json!([named, joined, first, other]),
    ] {
        assert_eq!(
            document(rules.clone(), record.clone()),
            json!({"net": [{"address": "a"}, {"address": "b", "v4": "b"}, {"v4": "c", "name": "c"}, {"mac": "m"}]}),
            "{rules}"
        );
    }
    let each_other = json!([
        {"source": "a", "target": "net[].a", "align": "value", "on": "b"},
        {"source": "b", "target": "net[].b", "align": "value", "on": "a"}
    ]);
    let problems = load(&asset_map(each_other)).unwrap_err();
    assert!(
        problems[0].pointer.ends_with("/on") && problems[0].message.contains("have no order"),
        "{problems:?}"
    );
}
