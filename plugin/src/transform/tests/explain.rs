//! Where the values of a document come from.

use super::{asset_map, entry_key, load, rules::findings_map};
use crate::contract::Trace;
use crate::transform::Mapper;
use serde_json::{Value, json};

fn explained(mapper: &Mapper, record: &Value) -> Vec<Trace> {
    mapper
        .explain(&entry_key(record), &serde_json::to_vec(record).unwrap())
        .unwrap()
}

/// A trace as `target rule: sources`.
fn shown(trace: &Trace) -> Vec<String> {
    let line = |origin: &crate::contract::Origin| {
        let rule = origin.rule.strip_prefix("/rules/").unwrap();
        format!("{} {rule}: {}", origin.target, origin.sources.join(" "))
    };
    trace.origins.iter().map(line).collect()
}

/// What the values of an asset come from, given a map's rules.
fn origins(rules: Value, mut record: Value) -> Vec<String> {
    record["id"] = json!("1");
    let traces = explained(&load(&asset_map(rules)).unwrap(), &record);
    assert_eq!(traces.len(), 1);
    shown(&traces[0])
}

#[test]
fn each_value_of_a_document_knows_its_rule_and_its_source() {
    for nested in [true, false] {
        let mapper = load(&findings_map(nested)).unwrap();
        let record = json!({"id": "e1", "host": "h", "cves": [{"name": "A", "score": 1}]});
        let traces = explained(&mapper, &record);
        let finding = [
            "/host 3: /host",
            "/kind 4: ",
            "/name 1: /cves/0/name",
            "/score 2: /cves/0/score",
        ];
        let mut asset = Vec::new();
        if nested {
            asset.extend(finding.map(|line| format!("/finding/0{line}")));
        }
        asset.extend(["/hostName 0: /host".to_owned(), "/seen 6: ".to_owned()]);
        assert_eq!(traces.len(), 2);
        assert_eq!(traces[0].key, "e1");
        assert_eq!(shown(&traces[0]), asset);
        assert_eq!(traces[1].key, "e1|A");
        // What the platform fills in stands in the finding's own document alone.
        let mut own = finding.map(str::to_owned).to_vec();
        own.push("/seen/first 5: ".to_owned());
        assert_eq!(shown(&traces[1]), own);
    }
}

#[test]
fn what_can_not_be_read_is_not_explained_and_what_has_no_document_has_no_trace() {
    let mapper = load(&findings_map(true)).unwrap();
    assert!(mapper.explain("e1", b"[]").is_err());
    assert!(mapper.explain("e1", b"{").is_err());
    assert!(explained(&mapper, &json!({"host": "no key"})).is_empty());
}

#[test]
fn values_put_together_come_from_all_of_them_and_of_several_the_one_that_was_taken() {
    let rules = json!([
        {"source": ["a", "b.c"], "target": "both", "convert": {"concat": {"separator": "/"}}},
        {"source": ["x", "b.c", "a"], "target": "first", "convert": "first-of"},
        {"source": ["a", "x"], "target": "none", "convert": {"concat": {}}, "default": "d"},
        {"source": "x", "target": "default", "default": 1},
        {"source": "a", "target": "constant", "constant": true},
        {"target": "alone", "constant": true},
        {"source": "b~/d", "target": "es~c/aped"}
    ]);
    let record = json!({"a": "1", "b": {"c": "2"}, "b~/d": 3});
    assert_eq!(
        origins(rules, record),
        [
            "/alone 5: ",
            "/both 0: /a /b/c",
            "/constant 4: /a",
            "/default 3: ",
            "/es~0c~1aped 6: /b~0~1d",
            "/first 1: /b/c",
            "/none 2: ",
        ]
    );
}

#[test]
fn a_list_that_is_gathered_comes_from_each_of_its_elements_and_one_that_is_spread_from_one() {
    let rules = json!([
        {"source": "events[].user", "target": "users", "convert": "distinct"},
        {"source": "events[].host", "target": "hosts[].name", "convert": "upper"},
        {"source": "ips", "target": "addresses[]"},
        {"source": "ips", "target": "sorted[].ip", "convert": "distinct"},
        {"source": "ips", "target": "all"},
        {"source": "texts", "target": "pieces[]", "convert": {"split": {"separator": ","}}},
        {"source": "none[].at", "target": "empty"},
    ]);
    let record = json!({
        "events": [{"user": "u"}, {"user": null, "host": "h"}, {"user": "u", "host": "i"}],
        "ips": ["a", null, "b"],
        "texts": "x,y", "none": [{}, {"at": null}],
    });
    assert_eq!(
        origins(rules, record),
        [
            "/addresses/0 2: /ips/0",
            "/addresses/1 2: /ips/2",
            "/all 4: /ips",
            "/empty 6: /none",
            "/hosts/0/name 1: /events/1/host",
            "/hosts/1/name 1: /events/2/host",
            "/pieces/0 5: /texts",
            "/pieces/1 5: /texts",
            "/sorted/0/ip 3: /ips",
            "/sorted/1/ip 3: /ips",
            "/users 0: /events/0/user /events/2/user",
        ]
    );
}

#[test]
fn joined_values_come_from_where_they_stand() {
    let rules = json!([
        {"source": "all", "target": "nics[].ip", "align": "value"},
        {"source": "ip", "target": "nics[].v4", "align": "value", "on": "ip"},
        {"source": "names[].name", "target": "nics[].name", "align": "value", "on": "ip"},
        {"source": "os[]", "target": "pairs[].a"},
        {"source": "versions[]", "target": "pairs[].b", "align": "position", "on": "os"},
        {"source": "zone", "target": "pairs[].zone", "align": "each"},
    ]);
    let record = json!({
        "all": ["x", "y", "x"], "ip": ["y", "z"], "names": [{"name": "x"}, {"name": "w"}],
        "os": ["A", "B"], "versions": [1, 2], "zone": "m",
    });
    assert_eq!(
        origins(rules, record),
        [
            "/nics/0/ip 0: /all/0",
            "/nics/0/name 2: /names/0/name",
            "/nics/1/ip 0: /all/1",
            "/nics/1/v4 1: /ip/0",
            "/nics/2/v4 1: /ip/1",
            "/nics/3/name 2: /names/1/name",
            "/pairs/0/a 3: /os/0",
            "/pairs/0/b 4: /versions/0",
            "/pairs/0/zone 5: /zone",
            "/pairs/1/a 3: /os/1",
            "/pairs/1/b 4: /versions/1",
            "/pairs/1/zone 5: /zone",
        ]
    );
}

#[test]
fn a_repeated_finding_comes_from_where_each_value_stood_first() {
    let mapper = load(&findings_map(false)).unwrap();
    let record = json!({"id": "e", "cves": [
        {"name": "B"}, {"score": 9}, {"name": "A"}, {"name": "B", "score": 7},
    ]});
    let traces = explained(&mapper, &record);
    let keys: Vec<&str> = traces.iter().map(|trace| trace.key.as_str()).collect();
    assert_eq!(keys, ["e", "e|B", "e|A"]);
    assert_eq!(
        shown(&traces[1]),
        [
            "/kind 4: ",
            "/name 1: /cves/0/name",
            "/score 2: /cves/3/score",
            "/seen/first 5: "
        ]
    );
    assert_eq!(shown(&traces[2])[1], "/name 1: /cves/2/name");
}

#[test]
fn a_single_value_where_a_list_is_expected_is_pointed_to_as_it_stands() {
    let mapper = load(&findings_map(false)).unwrap();
    let record = json!({"id": "e", "cves": {"name": "A", "score": "high"}});
    assert_eq!(
        shown(&explained(&mapper, &record)[1])[1],
        "/name 1: /cves/name"
    );
}

#[test]
fn a_map_tells_all_that_it_reads_as_it_writes_it_and_each_path_once() {
    let map = json!({
        "name": "m", "version": "1.0", "source": "things", "target": "t",
        "asset": {"key": "id", "identity": {"mac": "mac[]"}, "facets": {"f": {"source": "facet"}}},
        "finding": {
            "list": "finding[]", "each": "cves[]", "nested": true,
            "key": {"source": ["id", "cves[].name"], "convert": {"concat": {}}},
        },
        "rules": [
            {"source": "id", "target": "a"},
            {"source": "mac[]", "target": "macs[].mac"},
            {"source": "names[]", "target": "macs[].name", "align": "position", "on": "mac"},
            {"source": "cves[].score", "target": "finding[].score", "when": {"not": {"source": "tags.kind", "present": true}}},
            {"target": "b", "constant": 1, "when": {"customField": "none"}},
        ]
    });
    let mapper = load(&map).unwrap();
    assert_eq!(
        mapper.reads(),
        [
            "cves[].name",
            "cves[].score",
            "facet",
            "id",
            "mac[]",
            "names[]",
            "tags.kind"
        ]
    );
}
