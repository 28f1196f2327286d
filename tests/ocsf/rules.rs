//! The validator finds what is wrong.

use crate::validator::wrong;
use serde_json::{Value, json};

fn finding() -> Value {
    json!({
        "class_uid": 2002, "class_name": "Vulnerability Finding", "category_uid": 2, "activity_id": 1, "activity_name": "Create",
        "type_uid": 200_201, "severity_id": 4, "severity": "High", "status_id": 1, "time": 1_700_000_000_000_u64,
        "metadata": {"version": "1.8.0", "product": {"name": "a product"}},
        "finding_info": {"uid": "f-1"},
        "vulnerabilities": [{"cve": {"uid": "CVE-2024-1234"}}]
    })
}

#[test]
fn a_good_document_has_nothing_wrong() {
    assert_eq!(wrong(&finding()), Vec::<String>::new());
}

#[test]
fn each_thing_that_is_wrong_is_found_at_its_place() {
    for (pointer, value, told) in [
        ("/class_uid", json!(2003), "class_uid: 2003 is no class"),
        ("/score", json!(9.8), "score: no such attribute"),
        (
            "/finding_info/score",
            json!(1),
            "finding_info.score: no such attribute",
        ),
        (
            "/finding_info/uid",
            json!(null),
            "finding_info.uid: null is no",
        ),
        (
            "/metadata/product/name",
            json!(5),
            "metadata.product.name: 5 is no",
        ),
        ("/time", json!("2024-01-01T00:00:00Z"), "time: "),
        ("/time", json!(1_700_000_000), "time: 1700000000 is no"),
        (
            "/severity_id",
            json!(7),
            "severity_id: 7 is not in the enumeration",
        ),
        (
            "/severity",
            json!("high"),
            "severity_id: 4 is \"High\", and severity says \"high\"",
        ),
        (
            "/status_id",
            json!(99),
            "status_id: 99 without the source's word in status",
        ),
        (
            "/activity_id",
            json!(2),
            "type_uid: 200201 is not that of class 2002 and activity 2",
        ),
        (
            "/metadata/version",
            json!("1.7.0"),
            "metadata.version: \"1.7.0\"",
        ),
        ("/vulnerabilities", json!([]), "vulnerabilities: empty"),
        (
            "/vulnerabilities",
            json!({}),
            "vulnerabilities: {} is no list",
        ),
        (
            "/vulnerabilities/0",
            json!({}),
            "vulnerabilities[0].: just_one",
        ),
        (
            "/vulnerabilities/0/advisory",
            json!({"uid": "a"}),
            "vulnerabilities[0].: just_one",
        ),
        (
            "/vulnerabilities/0/cve",
            json!({}),
            "vulnerabilities[0].cve.uid: required",
        ),
        (
            "/metadata/product",
            json!({}),
            "metadata.product.: at_least_one",
        ),
        ("/device", json!({"uid": "d"}), "device.type_id: required"),
        ("/device", json!({"type_id": 0}), "device.: at_least_one"),
        (
            "/device",
            json!({"type_id": 0, "ip": "localhost"}),
            "device.ip: ",
        ),
        (
            "/device",
            json!({"type_id": 0, "mac": "0050"}),
            "device.mac: ",
        ),
    ] {
        let mut document = finding();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        match document.pointer_mut(parent).unwrap() {
            Value::Array(items) => items[0] = value,
            parent => parent[name] = value,
        }
        let found = wrong(&document);
        assert!(
            found.iter().any(|found| found.starts_with(told)),
            "{pointer}: {found:?}"
        );
    }
}

#[test]
fn what_a_required_attribute_lacks_is_found() {
    for name in [
        "metadata",
        "time",
        "severity_id",
        "finding_info",
        "vulnerabilities",
        "type_uid",
    ] {
        let mut document = finding();
        document.as_object_mut().unwrap().remove(name);
        let told = format!("{name}: required");
        assert!(wrong(&document).contains(&told), "{name}");
    }
}

#[test]
fn a_profile_and_its_attribute_come_together() {
    let inventory = |profiles: Value, cloud: bool| {
        let mut document = json!({
            "class_uid": 5001, "category_uid": 5, "activity_id": 2, "type_uid": 500_102, "severity_id": 1,
            "time": 1_700_000_000_000_u64, "device": {"uid": "d", "type_id": 1},
            "metadata": {"version": "1.8.0", "product": {"name": "a product"}, "profiles": profiles}
        });
        if cloud {
            document["cloud"] = json!({"provider": "a provider"});
        }
        wrong(&document)
    };
    assert_eq!(inventory(json!([]), false), Vec::<String>::new());
    assert_eq!(inventory(json!(["cloud"]), true), Vec::<String>::new());
    assert_eq!(inventory(json!(["cloud"]), false), ["cloud: required"]);
    assert!(inventory(json!([]), true)[0].contains("profile cloud"));
}
